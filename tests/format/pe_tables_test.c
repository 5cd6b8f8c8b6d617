/* Imports, exports, resources, version information, rich header, debug, TLS. */
#include "pe_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_bytes(struct hf_bytes b, const char *text)
{
    assert_non_null(b.data);
    assert_int_equal(b.len, strlen(text));
    assert_memory_equal(b.data, text, b.len);
}

/* ---- imports ---- */

enum { TABLE = 0x600, NAMES = 0x700, LIBRARY = 0x800 };

/* One library of the given name whose table holds the thunks; names at NAMES + 0x20 * n. */
static void one_import(struct pe_image *image, const char *library)
{
    pe_image_directory(image, HF_PE_DIR_IMPORT, pe_rva(IMAGE_DATA), 40);
    pe_put_import(image, IMAGE_DATA, LIBRARY, TABLE);
    pe_put_text(image, LIBRARY, library);
}

static const struct hf_pe_function *functions_of(const struct hf_pe *pe, size_t library)
{
    const struct hf_pe_library *l = pe->imports.items;
    assert_true(library < pe->imports.count);
    return l[library].functions.items;
}

static void test_imports_by_name_and_ordinal_are_read_in_both_widths(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct pe_image image;
        pe_image_start(&image, wide);
        one_import(&image, "WSOCK32.dll");
        size_t width = wide ? 8 : 4;
        uint32_t high = 0x80000000;
        pe_put32(&image, TABLE, pe_rva(NAMES));
        pe_put_text(&image, NAMES + 2, "send_it");
        pe_put32(&image, TABLE + width, wide ? 115 : high | 115);
        pe_put32(&image, TABLE + 2 * width, wide ? 999 : high | 999);
        if (wide) {
            pe_put32(&image, TABLE + width + 4, high);
            pe_put32(&image, TABLE + 2 * width + 4, high);
        }
        struct pe_facts f;
        pe_facts_start(&f, &image);
        const struct hf_pe *pe = pe_facts_need(&f, 0);
        assert_int_equal(pe->import_count, 1);
        assert_int_equal(pe->imported_functions, 3);
        const struct hf_pe_function *fn = functions_of(pe, 0);
        assert_bytes(fn[0].name, "send_it");
        assert_false(fn[0].ordinal.defined);
        assert_int_equal(fn[0].rva.value, pe_rva(TABLE));
        assert_bytes(fn[1].name, "WSAStartup");
        assert_int_equal(fn[1].ordinal.value, 115);
        assert_bytes(fn[2].name, "ord999");
        assert_int_equal(fn[2].rva.value, pe_rva(TABLE + 2 * width));
        pe_facts_done(&f);
    }
}

static void test_damaged_import_names_are_passed_over(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    one_import(&image, "a.dll");
    pe_put32(&image, TABLE, pe_rva(NAMES));
    pe_put_text(&image, NAMES + 2, "bad name");
    pe_put32(&image, TABLE + 4, 0x00900000); /* nowhere */
    pe_put32(&image, TABLE + 8, 0x80010005); /* an ordinal above 65535 */
    pe_put32(&image, TABLE + 12, pe_rva(NAMES + 0x20));
    pe_put_text(&image, NAMES + 0x22, "good");
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->imported_functions, 1);
    assert_bytes(functions_of(pe, 0)[0].name, "good");
    assert_int_equal(functions_of(pe, 0)[0].rva.value, pe_rva(TABLE + 12));
    pe_facts_done(&f);
}

static void test_libraries_with_impossible_names_are_passed_over(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a*b.dll", "a\x1f.dll", "\xff.dll", "a|b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct pe_image image;
        pe_image_start(&image, false);
        one_import(&image, names[i]);
        pe_put32(&image, TABLE, 0x80000001);
        struct pe_facts f;
        pe_facts_start(&f, &image);
        assert_int_equal(pe_facts_need(&f, 0)->import_count, 0);
        pe_facts_done(&f);
    }
}

static void test_an_import_bomb_ends_at_the_limit_and_keeps_what_came_before(void **state)
{
    (void)state;
    static struct pe_image image;
    pe_image_start(&image, false);
    pe_image_directory(&image, HF_PE_DIR_IMPORT, pe_rva(IMAGE_DATA), 0);
    for (size_t i = 0; i < 300; i++) /* all share one table that runs to the end */
        pe_put_import(&image, IMAGE_DATA + 20 * i, IMAGE_DATA + 6100, IMAGE_DATA + 6400);
    pe_put_text(&image, IMAGE_DATA + 6100, "a.dll");
    for (size_t at = IMAGE_DATA + 6400; at + 4 <= image.size; at += 4)
        pe_put32(&image, at, 0x80000007);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->imported_functions, HF_PE_FUNCTIONS_MAX);
    assert_true(pe->import_count < 300);
    assert_true(hf_arena_used(f.arena) < (8 << 20));
    pe_facts_done(&f);
}

/* A descriptor with the old kind of delayed import: virtual addresses, attribute 0. */
static void test_delayed_imports_of_both_kinds_are_read(void **state)
{
    (void)state;
    for (uint32_t attributes = 0; attributes < 2; attributes++) {
        struct pe_image image;
        pe_image_start(&image, false);
        uint32_t base = attributes == 0 ? 0x400000 : 0;
        pe_image_directory(&image, HF_PE_DIR_DELAY_IMPORT, pe_rva(IMAGE_DATA), 64);
        pe_put32(&image, IMAGE_DATA, attributes);
        pe_put32(&image, IMAGE_DATA + 4, base + pe_rva(LIBRARY));
        pe_put32(&image, IMAGE_DATA + 12, base + pe_rva(0x900)); /* addresses */
        pe_put32(&image, IMAGE_DATA + 16, base + pe_rva(TABLE));
        pe_put_text(&image, LIBRARY, "late.dll");
        pe_put32(&image, TABLE, base + pe_rva(NAMES));
        pe_put_text(&image, NAMES + 2, "late_call");
        pe_put32(&image, TABLE + 4, 0x80000009);
        pe_put32(&image, 0x900, 0x401000);
        pe_put32(&image, 0x904, 0x401000);
        struct pe_facts f;
        pe_facts_start(&f, &image);
        const struct hf_pe *pe = pe_facts_need(&f, 0);
        assert_int_equal(pe->delayed_count, 1);
        assert_int_equal(pe->delayed_functions, 2);
        const struct hf_pe_library *l = pe->delayed_imports.items;
        const struct hf_pe_function *fn = l->functions.items;
        assert_bytes(l->name, "late.dll");
        assert_bytes(fn[0].name, "late_call");
        assert_int_equal(fn[0].rva.value, pe_rva(0x900));
        assert_bytes(fn[1].name, "ord9");
        pe_facts_done(&f);
    }
}

/* ---- exports ---- */

/* Three functions from ordinal 5 on: one named twice, one forwarded, one without a name. */
static void put_exports(struct pe_image *image)
{
    pe_image_directory(image, HF_PE_DIR_EXPORT, pe_rva(IMAGE_DATA), 0x100);
    size_t d = IMAGE_DATA;
    pe_put32(image, d + 4, 77);
    pe_put32(image, d + 12, pe_rva(LIBRARY));
    pe_put32(image, d + 16, 5);
    pe_put32(image, d + 20, 3);
    pe_put32(image, d + 24, 3);
    pe_put32(image, d + 28, pe_rva(TABLE));
    pe_put32(image, d + 32, pe_rva(TABLE + 0x20));
    pe_put32(image, d + 36, pe_rva(TABLE + 0x40));
    pe_put_text(image, LIBRARY, "sample.dll");
    pe_put32(image, TABLE, 0x1500);
    pe_put32(image, TABLE + 4, pe_rva(d + 0x80));
    pe_put_text(image, d + 0x80, "OTHER.Call");
    pe_put32(image, TABLE + 8, 0x00900000);
    static const char *const names[] = {"alias", "first", "forwarded"};
    static const uint16_t of[] = {0, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        pe_put32(image, TABLE + 0x20 + 4 * i, pe_rva(NAMES + 0x20 * i));
        pe_put16(image, TABLE + 0x40 + 2 * i, of[i]);
        pe_put_text(image, NAMES + 0x20 * i, names[i]);
    }
}

static void test_exports_are_named_forwarded_or_neither(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_exports(&image);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->export_count, 3);
    assert_bytes(pe->dll_name, "sample.dll");
    assert_int_equal(pe->export_timestamp.value, 77);
    const struct hf_pe_export *e = pe->exports.items;
    assert_bytes(e[0].name, "alias"); /* the first name counts */
    assert_int_equal(e[0].ordinal, 5);
    assert_int_equal(e[0].offset.value, 0x900);
    assert_bytes(e[1].name, "forwarded");
    assert_bytes(e[1].forward_name, "OTHER.Call");
    assert_false(e[1].offset.defined);
    assert_null(e[2].name.data);
    assert_false(e[2].offset.defined);
    assert_int_equal(e[2].rva, 0x00900000);
    pe_facts_done(&f);
}

static void test_export_tables_outside_the_file_leave_no_exports(void **state)
{
    (void)state;
    for (size_t field = 28; field <= 36; field += 4) {
        struct pe_image image;
        pe_image_start(&image, false);
        put_exports(&image);
        pe_put32(&image, IMAGE_DATA + field, 0x2ffe);
        struct pe_facts f;
        pe_facts_start(&f, &image);
        const struct hf_pe *pe = pe_facts_need(&f, 0);
        assert_int_equal(pe->export_count, 0);
        assert_bytes(pe->dll_name, "sample.dll");
        pe_facts_done(&f);
    }
}

/* ---- resources ---- */

static void put_entry(struct pe_image *image, size_t at, uint32_t name, uint32_t target)
{
    pe_put32(image, at, name);
    pe_put32(image, at + 4, target);
}

enum { RESOURCES = IMAGE_DATA, LEAF = 0x300, DATA = 0xa00 };

/* type -> name "ab" -> language 0x407 -> data. */
static void put_resource(struct pe_image *image, uint32_t type)
{
    size_t r = RESOURCES;
    pe_image_directory(image, HF_PE_DIR_RESOURCE, pe_rva(r), 0x400);
    pe_put32(image, r + 4, 99);
    pe_put16(image, r + 14, 1);
    put_entry(image, r + 16, type, 0x80000000 | 0x40);
    pe_put16(image, r + 0x40 + 12, 1);
    put_entry(image, r + 0x40 + 16, 0x80000000 | 0x200, 0x80000000 | 0x80);
    pe_put16(image, r + 0x80 + 14, 1);
    put_entry(image, r + 0x80 + 16, 0x407, LEAF);
    pe_put16(image, r + 0x200, 2);
    pe_put_wide(image, r + 0x202, "ab");
    pe_put32(image, r + LEAF, pe_rva(DATA));
    pe_put32(image, r + LEAF + 4, 0x80);
}

static void test_a_resource_has_type_name_language_and_place(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_resource(&image, 10);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->resource_count, 1);
    assert_int_equal(pe->resource_timestamp.value, 99);
    const struct hf_pe_resource *r = pe->resources.items;
    assert_int_equal(r->type.value, 10);
    assert_false(r->id.defined);
    assert_int_equal(r->name_string.len, 4);
    assert_memory_equal(r->name_string.data, "a\0b\0", 4);
    assert_int_equal(r->language.value, 0x407);
    assert_int_equal(r->offset.value, DATA);
    assert_int_equal(r->length, 0x80);
    struct hf_value language = hf_value_int(0x07), locale = hf_value_int(0x407);
    assert_int_equal(pe_call(&f, "language", "i", &language).integer, 1);
    assert_int_equal(pe_call(&f, "locale", "i", &locale).integer, 1);
    assert_int_equal(pe_call(&f, "locale", "i", &language).integer, 0);
    pe_facts_done(&f);
}

static void test_cyclic_resources_end(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    pe_image_directory(&image, HF_PE_DIR_RESOURCE, pe_rva(RESOURCES), 0x400);
    pe_put16(&image, RESOURCES + 14, 500);
    for (uint32_t i = 0; i < 500; i++) /* 500 * 500 * 500 ways through the same entries */
        put_entry(&image, RESOURCES + 16 + 8 * i, i, 0x80000000);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(f.facts.state[0].status, HF_LIMIT);
    assert_true(pe->resource_count <= 65536);
    pe_facts_done(&f);
}

static void test_a_branch_outside_the_file_does_not_hide_its_sisters(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_resource(&image, 10);
    pe_put16(&image, RESOURCES + 14, 2);
    put_entry(&image, RESOURCES + 24, 10, 0x80000000 | 0x40);
    put_entry(&image, RESOURCES + 16, 9, 0x80000000 | 0x00ffffff);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    assert_int_equal(pe_facts_need(&f, 0)->resource_count, 1);
    assert_int_equal(f.facts.state[0].status, HF_TRUNCATED);
    pe_facts_done(&f);
}

static void test_icons_have_their_size(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_resource(&image, 3);
    pe_put32(&image, DATA, 40);
    pe_put32(&image, DATA + 4, 32);
    pe_put32(&image, DATA + 8, 64);
    pe_put16(&image, DATA + 14, 8);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->icons.count, 1);
    const struct hf_pe_icon *icon = pe->icons.items;
    assert_int_equal(icon->width, 32);
    assert_int_equal(icon->height, 32);
    assert_int_equal(icon->bits, 8);
    assert_false(icon->png);
    pe_facts_done(&f);
}

/* ---- version information ---- */

/* A block at `at`: length is patched by the caller. Returns where its children or value start. */
static size_t put_block(struct pe_image *image, size_t at, uint16_t value_length,
                        const char *key)
{
    pe_put16(image, at + 2, value_length);
    pe_put_wide(image, at + 6, key);
    return at + ((6 + 2 * (strlen(key) + 1) + 3) & ~(size_t)3);
}

static size_t put_string(struct pe_image *image, size_t at, const char *key,
                         const char *value)
{
    size_t end = put_block(image, at, (uint16_t)(strlen(value) + 1), key);
    pe_put_wide(image, end, value);
    end += 2 * (strlen(value) + 1);
    pe_put16(image, at, (uint16_t)(end - at));
    return (end + 3) & ~(size_t)3;
}

static void put_version(struct pe_image *image)
{
    put_block(image, DATA, 52, "VS_VERSION_INFO");
    size_t info = DATA + 92;
    put_block(image, info, 0, "StringFileInfo");
    size_t table = info + 36;
    size_t at = put_block(image, table, 0, "040904b0");
    at = put_string(image, at, "CompanyName", "Example");
    at = put_string(image, at, "FileVersion", "1.2");
    at = put_string(image, at, "CompanyName", "Another");
    pe_put16(image, table, (uint16_t)(at - table));
    pe_put16(image, info, (uint16_t)(at - info));
    pe_put16(image, DATA, (uint16_t)(at - DATA));
}

static void test_version_information_keeps_order_and_the_last_of_equal_keys(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_resource(&image, 16);
    put_version(&image);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->version_count, 3);
    const struct hf_pe_version_string *v = pe->version_strings.items;
    assert_bytes(v[0].key, "CompanyName");
    assert_bytes(v[0].value, "Example");
    assert_bytes(v[1].value, "1.2");
    size_t field = hf_fact_find(hf_pe_module.record, hf_bytes_text("version_info"));
    struct hf_value company =
        hf_facts_lookup(&f.facts, &hf_pe_module.record->fields[field],
                        pe_fact(&f, "version_info"), hf_bytes_text("CompanyName"));
    assert_true(company.defined);
    assert_bytes(company.string, "Another");
    pe_facts_done(&f);
}

static void test_a_version_block_of_length_zero_ends_the_walk(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_resource(&image, 16);
    put_version(&image);
    pe_put16(&image, DATA + 92 + 36, 0);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    assert_int_equal(pe_facts_need(&f, 0)->version_count, 0);
    pe_facts_done(&f);
}

/* ---- rich header, debug, TLS ---- */

static void put_rich(struct pe_image *image, uint32_t key)
{
    static const uint32_t words[] = {0x536e6144, 0, 0, 0, 0x00010002, 3, 0x00040002, 4};
    pe_put32(image, 60, 0x180); /* make room: the PE header moves up */
    memmove(image->data + 0x180, image->data + IMAGE_NT, 0x200);
    for (size_t i = 0; i < 8; i++)
        pe_put32(image, 64 + 4 * i, words[i] ^ key);
    pe_put_text(image, 96, "Rich");
    pe_put32(image, 100, key);
}

static void test_the_rich_header_is_unmasked_and_counted(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_rich(&image, 0x13371337);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->rich.offset.value, 64);
    assert_int_equal(pe->rich.length.value, 32);
    assert_int_equal(pe->rich.key.value, 0x13371337);
    assert_memory_equal(pe->rich.clear_data.data, "DanS", 4);
    assert_int_equal(pe->rich.version_data.len, 8);
    assert_memory_equal(pe->rich.version_data.data, "\2\0\1\0\2\0\4\0", 8);
    pe_facts_done(&f);
}

static void test_a_rich_header_with_a_wrong_key_is_none(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_rich(&image, 0x13371337);
    pe_put32(&image, 68, 0x1);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    assert_false(pe_facts_need(&f, 0)->rich.offset.defined);
    pe_facts_done(&f);
}

static void test_the_pdb_path_is_found_by_address_or_by_offset(void **state)
{
    (void)state;
    for (int by_offset = 0; by_offset < 2; by_offset++) {
        struct pe_image image;
        pe_image_start(&image, true);
        pe_image_directory(&image, HF_PE_DIR_DEBUG, pe_rva(IMAGE_DATA), 28);
        pe_put32(&image, IMAGE_DATA + 12, 2);
        pe_put32(&image, IMAGE_DATA + (by_offset ? 24 : 20),
                 by_offset ? DATA : pe_rva(DATA));
        pe_put_text(&image, DATA, "RSDS");
        pe_put_text(&image, DATA + 24, "c:\\build\\sample.pdb");
        struct pe_facts f;
        pe_facts_start(&f, &image);
        const struct hf_pe *pe = pe_facts_need(&f, 0);
        assert_bytes(pe->pdb_path, "c:\\build\\sample.pdb");
        assert_int_equal(((const struct hf_pe_debug *)pe->debug.items)->offset.value, DATA);
        pe_facts_done(&f);
    }
}

static void test_tls_callbacks_relocations_and_bound_imports_are_read(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, true);
    pe_image_directory(&image, HF_PE_DIR_TLS, pe_rva(IMAGE_DATA), 40);
    pe_put64(&image, IMAGE_DATA + 24, 0x140000000 + pe_rva(TABLE));
    pe_put64(&image, TABLE, 0x140001234);
    pe_put64(&image, TABLE + 8, 0x140001238);
    pe_image_directory(&image, HF_PE_DIR_RELOC, pe_rva(0x900), 24);
    pe_put32(&image, 0x904, 12);
    pe_put16(&image, 0x908, 0xa010);
    pe_put32(&image, 0x90c + 4, 100); /* longer than the table */
    pe_image_directory(&image, HF_PE_DIR_BOUND_IMPORT, 0x300, 24);
    pe_put32(&image, 0x300, 0x11223344);
    pe_put16(&image, 0x304, 0x20);
    pe_put_text(&image, 0x320, "bound.dll");
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_true(pe->tls.present);
    assert_int_equal(pe->tls.callbacks.count, 2);
    assert_int_equal(((const uint64_t *)pe->tls.callbacks.items)[1], 0x1238);
    assert_int_equal(pe->relocations.blocks, 1);
    assert_int_equal(pe->relocations.entries, 1);
    assert_true(pe->relocations.damaged);
    assert_int_equal(pe->bound_imports.count, 1);
    assert_bytes(((const struct hf_pe_bound_import *)pe->bound_imports.items)->name,
                 "bound.dll");
    pe_facts_done(&f);
}

static void test_no_budget_ends_in_a_limit_with_whole_headers(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    put_exports(&image);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    f.budget.work = 2;
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(f.facts.state[0].status, HF_LIMIT);
    assert_int_equal(pe->sections.count, 1);
    pe_facts_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports_by_name_and_ordinal_are_read_in_both_widths),
        cmocka_unit_test(test_damaged_import_names_are_passed_over),
        cmocka_unit_test(test_libraries_with_impossible_names_are_passed_over),
        cmocka_unit_test(test_an_import_bomb_ends_at_the_limit_and_keeps_what_came_before),
        cmocka_unit_test(test_delayed_imports_of_both_kinds_are_read),
        cmocka_unit_test(test_exports_are_named_forwarded_or_neither),
        cmocka_unit_test(test_export_tables_outside_the_file_leave_no_exports),
        cmocka_unit_test(test_a_resource_has_type_name_language_and_place),
        cmocka_unit_test(test_cyclic_resources_end),
        cmocka_unit_test(test_a_branch_outside_the_file_does_not_hide_its_sisters),
        cmocka_unit_test(test_icons_have_their_size),
        cmocka_unit_test(test_version_information_keeps_order_and_the_last_of_equal_keys),
        cmocka_unit_test(test_a_version_block_of_length_zero_ends_the_walk),
        cmocka_unit_test(test_the_rich_header_is_unmasked_and_counted),
        cmocka_unit_test(test_a_rich_header_with_a_wrong_key_is_none),
        cmocka_unit_test(test_the_pdb_path_is_found_by_address_or_by_offset),
        cmocka_unit_test(test_tls_callbacks_relocations_and_bound_imports_are_read),
        cmocka_unit_test(test_no_budget_ends_in_a_limit_with_whole_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
