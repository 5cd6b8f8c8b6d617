/* The functions that rules call, digests and the names of ordinals. */
#include "base/text.h"
#include "pe_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TABLE = 0x600, NAMES = 0x700, LIBRARY = 0x800, EXPORTS = 0xb00 };

/* Imports KERNEL32.DLL!ExitProcess, !Sleep and ordinal 115 of ws2_32.dll; exports Start (ordinal
 * 2) and one without a name. */
static void start(struct pe_image *image, struct pe_facts *f)
{
    pe_image_start(image, false);
    pe_image_directory(image, HF_PE_DIR_IMPORT, pe_rva(IMAGE_DATA), 60);
    pe_put_import(image, IMAGE_DATA, LIBRARY, TABLE);
    pe_put_import(image, IMAGE_DATA + 20, LIBRARY + 0x40, TABLE + 0x40);
    pe_put_text(image, LIBRARY, "KERNEL32.DLL");
    pe_put_text(image, LIBRARY + 0x40, "ws2_32.dll");
    pe_put32(image, TABLE, pe_rva(NAMES));
    pe_put32(image, TABLE + 4, pe_rva(NAMES + 0x20));
    pe_put_text(image, NAMES + 2, "ExitProcess");
    pe_put_text(image, NAMES + 0x22, "Sleep");
    pe_put32(image, TABLE + 0x40, 0x80000000 | 115);
    pe_image_directory(image, HF_PE_DIR_EXPORT, pe_rva(EXPORTS), 0x40);
    pe_put32(image, EXPORTS + 16, 1);
    pe_put32(image, EXPORTS + 20, 2);
    pe_put32(image, EXPORTS + 24, 1);
    pe_put32(image, EXPORTS + 28, pe_rva(EXPORTS + 0x100));
    pe_put32(image, EXPORTS + 32, pe_rva(EXPORTS + 0x140));
    pe_put32(image, EXPORTS + 36, pe_rva(EXPORTS + 0x180));
    pe_put32(image, EXPORTS + 0x140, pe_rva(EXPORTS + 0x1c0));
    pe_put16(image, EXPORTS + 0x180, 1);
    pe_put_text(image, EXPORTS + 0x1c0, "Start");
    pe_facts_start(f, image);
}

static struct hf_value text(const char *s)
{
    return hf_value_string(hf_bytes_text(s));
}

static bool starts_with(const struct hf_fact_regex *regex, struct hf_bytes subject)
{
    const char *prefix = regex->program;
    return subject.len >= strlen(prefix) &&
           memcmp(subject.data, prefix, strlen(prefix)) == 0;
}

/* Stands for the expression /^prefix/. */
static struct hf_value expression(struct hf_fact_regex *regex, const char *prefix)
{
    *regex = (struct hf_fact_regex){.matches = starts_with, .program = prefix};
    return (struct hf_value){.defined = true, .type = HF_FACT_REGEX, .regex = regex};
}

static int64_t call(struct pe_facts *f, const char *name, const char *signature,
                    const struct hf_value *args)
{
    struct hf_value v = pe_call(f, name, signature, args);
    return v.defined ? v.integer : -999;
}

static void test_imports_answers_names_ordinals_libraries_and_expressions(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, &f);
    struct hf_fact_regex r1, r2;
    struct hf_value sleep[] = {text("kernel32.dll"), text("sleep")};
    struct hf_value none[] = {text("kernel32.dll"), text("sleepex")};
    struct hf_value number[] = {text("WS2_32.dll"), hf_value_int(115)};
    struct hf_value other[] = {text("WS2_32.dll"), hf_value_int(116)};
    struct hf_value regexes[] = {expression(&r1, "KER"), expression(&r2, "")};
    assert_int_equal(call(&f, "imports", "ss", sleep), 1);
    assert_int_equal(call(&f, "imports", "ss", none), 0);
    assert_int_equal(call(&f, "imports", "si", number), 1);
    assert_int_equal(call(&f, "imports", "si", other), 0);
    assert_int_equal(call(&f, "imports", "s", sleep), 2);
    assert_int_equal(call(&f, "imports", "rr", regexes), 2);
    struct hf_value flags[] = {hf_value_int(1), text("kernel32.dll"), text("Sleep")};
    assert_int_equal(call(&f, "imports", "iss", flags), 1);
    assert_int_equal(call(&f, "imports", "is", flags), 2);
    flags[0] = hf_value_int(2); /* delayed ones only */
    assert_int_equal(call(&f, "imports", "iss", flags), 0);
    flags[0] = hf_value_int(-1); /* IMPORT_ANY */
    assert_int_equal(call(&f, "imports", "iss", flags), 1);
    assert_int_equal(call(&f, "import_rva", "ss", sleep), pe_rva(TABLE + 4));
    assert_int_equal(call(&f, "import_rva", "si", number), pe_rva(TABLE + 0x40));
    assert_int_equal(call(&f, "import_rva", "ss", none), -999);
    assert_int_equal(call(&f, "delayed_import_rva", "ss", sleep), -999);
    pe_facts_done(&f);
}

static void test_exports_answers_names_ordinals_and_expressions(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, &f);
    struct hf_fact_regex r;
    struct hf_value name = text("START"), no = text("Stop"), regex = expression(&r, "St");
    struct hf_value two = hf_value_int(2), three = hf_value_int(3), zero = hf_value_int(0);
    assert_int_equal(call(&f, "exports", "s", &name), 1);
    assert_int_equal(call(&f, "exports", "s", &no), 0);
    assert_int_equal(call(&f, "exports", "i", &two), 1);
    assert_int_equal(call(&f, "exports", "i", &three), 0);
    assert_int_equal(call(&f, "exports", "i", &zero), 0);
    assert_int_equal(call(&f, "exports", "r", &regex), 1);
    assert_int_equal(call(&f, "exports_index", "s", &name), 1);
    assert_int_equal(call(&f, "exports_index", "s", &no), -999);
    assert_int_equal(call(&f, "exports_index", "i", &two), 1);
    assert_int_equal(call(&f, "exports_index", "r", &regex), 1);
    pe_facts_done(&f);
}

static void test_sections_are_found_by_name_and_by_offset(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, &f);
    struct hf_value name = text(".data"), upper = text(".DATA");
    struct hf_value in = hf_value_int(IMAGE_DATA), out = hf_value_int(IMAGE_DATA - 1);
    assert_int_equal(call(&f, "section_index", "s", &name), 0);
    assert_int_equal(call(&f, "section_index", "s", &upper), -999);
    assert_int_equal(call(&f, "section_index", "i", &in), 0);
    assert_int_equal(call(&f, "section_index", "i", &out), -999);
    struct hf_value rva = hf_value_int(0x1004), nowhere = hf_value_int(0x9000);
    assert_int_equal(call(&f, "rva_to_offset", "i", &rva), IMAGE_DATA + 4);
    assert_int_equal(call(&f, "rva_to_offset", "i", &nowhere), -999);
    pe_facts_done(&f);
}

static void test_the_import_hash_is_of_lower_case_names_without_extensions(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, &f);
    struct hf_bytes names = hf_pe_imphash_text(pe_facts_need(&f, 0), f.arena);
    const char *expected = "kernel32.exitprocess,kernel32.sleep,ws2_32.wsastartup";
    assert_int_equal(names.len, strlen(expected));
    assert_memory_equal(names.data, expected, names.len);
    struct hf_digests d = {0};
    assert_int_equal(hf_digest_add(f.hasher, names, 1u << HF_MD5, &d), HF_OK);
    struct hf_buffer hex = {0};
    hf_hex(&hex, hf_digest_bytes(&d, HF_MD5));
    for (int again = 0; again < 2; again++) {
        struct hf_value v = pe_call(&f, "imphash", "", NULL);
        assert_true(v.defined && hf_bytes_equal(v.string, hf_buffer_view(&hex)));
    }
    hf_buffer_done(&hex);
    pe_facts_done(&f);
}

static void test_without_imports_the_import_hash_is_of_nothing(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, true);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    struct hf_value v = pe_call(&f, "imphash", "", NULL);
    assert_true(v.defined);
    assert_memory_equal(v.string.data, "d41d8cd98f00b204e9800998ecf8427e", 32);
    pe_facts_done(&f);
}

/* The sum by the book: 16-bit words with the carry added back, plus the length. */
static uint32_t checksum_of(const struct pe_image *image)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < image->size; i += 2) {
        if (i == IMAGE_OPTIONAL + 64 || i == IMAGE_OPTIONAL + 66)
            continue;
        uint32_t high = i + 1 < image->size ? image->data[i + 1] : 0;
        sum += image->data[i] | high << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum + (uint32_t)image->size;
}

static void test_the_checksum_covers_odd_sizes_and_not_itself(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 5; extra++) {
        struct pe_image image;
        struct pe_facts f;
        pe_image_start(&image, false);
        pe_put32(&image, IMAGE_OPTIONAL + 64, 0xdeadbeef);
        for (size_t i = 0; i < extra; i++)
            image.data[image.size++] = (uint8_t)(0xf0 + i);
        pe_facts_start(&f, &image);
        assert_int_equal(call(&f, "calculate_checksum", "", NULL), checksum_of(&image));
        pe_facts_done(&f);
    }
}

static void test_authenticode_leaves_out_checksum_entry_and_table(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct pe_image image;
        pe_image_start(&image, wide);
        pe_image_directory(&image, HF_PE_DIR_SECURITY, 0x2000, 0x100);
        struct pe_facts f;
        pe_facts_start(&f, &image);
        struct hf_pe_extent e[HF_PE_AUTHENTICODE_PARTS];
        assert_int_equal(hf_pe_authenticode_parts(pe_facts_need(&f, 0), e), 4);
        size_t entry = IMAGE_OPTIONAL + (wide ? 112u : 96u) + 32;
        assert_int_equal(e[0].size, IMAGE_OPTIONAL + 64);
        assert_int_equal(e[1].offset, IMAGE_OPTIONAL + 68);
        assert_int_equal(e[1].offset + e[1].size, entry);
        assert_int_equal(e[2].offset, entry + 8);
        assert_int_equal(e[2].offset + e[2].size, 0x2000);
        assert_int_equal(e[3].offset, 0x2100);
        assert_int_equal(e[3].offset + e[3].size, image.size);
        pe_facts_done(&f);
    }
}

static void test_authenticode_digests_do_not_change_with_what_is_left_out(void **state)
{
    (void)state;
    struct hf_bytes first = {0};
    char kept[64];
    for (uint32_t turn = 0; turn < 3; turn++) {
        struct pe_image image;
        pe_image_start(&image, true);
        pe_image_directory(&image, HF_PE_DIR_SECURITY, 0x2000, 0x400);
        pe_put32(&image, IMAGE_OPTIONAL + 64, turn);   /* checksum: left out */
        memset(image.data + 0x2000, (int)turn, 0x400); /* certificates: left out */
        image.data[IMAGE_DATA] = turn == 2;            /* contents: covered */
        struct pe_facts f;
        pe_facts_start(&f, &image);
        struct hf_value v = pe_call(&f, "authenticode_sha256", "", NULL);
        assert_true(v.defined && v.string.len == 64);
        if (turn == 0)
            memcpy(kept, v.string.data, 64);
        first = hf_bytes_of(kept, 64);
        assert_int_equal(hf_bytes_equal(first, v.string), turn < 2);
        pe_facts_done(&f);
    }
}

static void test_ordinals_of_three_libraries_have_names(void **state)
{
    (void)state;
    assert_string_equal(hf_pe_ordinal_name(hf_bytes_text("WS2_32.DLL"), 1), "accept");
    assert_string_equal(hf_pe_ordinal_name(hf_bytes_text("wsock32.dll"), 23), "socket");
    assert_string_equal(hf_pe_ordinal_name(hf_bytes_text("OleAut32.dll"), 2),
                        "SysAllocString");
    assert_null(hf_pe_ordinal_name(hf_bytes_text("oleaut32.dll"), 1));
    assert_null(hf_pe_ordinal_name(hf_bytes_text("oleaut32.dll"), 65535));
    assert_null(hf_pe_ordinal_name(hf_bytes_text("ws2_32"), 1));
    assert_null(hf_pe_ordinal_name(hf_bytes_text("kernel32.dll"), 1));
}

static void test_rich_tools_are_counted_by_build_tool_and_both(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    static const uint32_t words[] = {0x536e6144, 0, 0, 0, 0x00010002, 3, 0x00040002, 4};
    memmove(image.data + 0x180, image.data + IMAGE_NT, 0x200);
    pe_put32(&image, 60, 0x180);
    for (size_t i = 0; i < 8; i++)
        pe_put32(&image, 64 + 4 * i, words[i] ^ 0x5a5a5a5a);
    pe_put_text(&image, 96, "Rich");
    pe_put32(&image, 100, 0x5a5a5a5a);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    struct hf_value record = pe_fact(&f, "rich_signature");
    assert_true(record.defined);
    size_t at = hf_fact_find(hf_pe_module.record, hf_bytes_text("rich_signature"));
    const struct hf_fact_record *rich = hf_pe_module.record->fields[at].record;
    struct hf_value two = hf_value_int(2), four = hf_value_int(4);
    struct hf_value both[] = {two, four};
    const struct {
        const char *name, *signature;
        const struct hf_value *args;
        int64_t expected;
    } rows[] = {
        {"version", "i", &two, 7}, {"version", "i", &four, 0}, {"version", "ii", both, 4},
        {"toolid", "i", &four, 4}, {"toolid", "i", &two, 0},   {"toolid", "ii", both, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t row =
            hf_fact_find_call(rich, hf_bytes_text(rows[i].name), rows[i].signature);
        struct hf_value v = hf_facts_call(&f.facts, &rich->fields[row], rows[i].args);
        assert_true(v.defined);
        assert_int_equal(v.integer, rows[i].expected);
    }
    pe_facts_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_imports_answers_names_ordinals_libraries_and_expressions),
        cmocka_unit_test(test_exports_answers_names_ordinals_and_expressions),
        cmocka_unit_test(test_sections_are_found_by_name_and_by_offset),
        cmocka_unit_test(test_the_import_hash_is_of_lower_case_names_without_extensions),
        cmocka_unit_test(test_without_imports_the_import_hash_is_of_nothing),
        cmocka_unit_test(test_the_checksum_covers_odd_sizes_and_not_itself),
        cmocka_unit_test(test_authenticode_leaves_out_checksum_entry_and_table),
        cmocka_unit_test(test_authenticode_digests_do_not_change_with_what_is_left_out),
        cmocka_unit_test(test_ordinals_of_three_libraries_have_names),
        cmocka_unit_test(test_rich_tools_are_counted_by_build_tool_and_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
