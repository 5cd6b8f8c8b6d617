#include "pe_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_bytes(struct hf_bytes b, const char *text)
{
    assert_int_equal(b.len, strlen(text));
    assert_memory_equal(b.data, text, b.len);
}

/* ---- headers ---- */

static void test_what_is_no_pe_says_so_and_has_no_other_facts(void **state)
{
    (void)state;
    struct pe_image image = {.size = 200};
    memcpy(image.data, "MZ", 2);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    struct hf_value v = pe_fact(&f, "is_pe");
    assert_true(v.defined);
    assert_int_equal(v.integer, 0);
    assert_false(pe_fact(&f, "machine").defined);
    assert_false(pe_fact(&f, "number_of_imports").defined);
    assert_false(pe_call(&f, "is_dll", "", NULL).defined);
    assert_false(pe_call(&f, "imphash", "", NULL).defined);
    pe_facts_done(&f);
}

static void test_headers_are_read_in_both_widths(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct pe_image image;
        pe_image_start(&image, wide);
        struct pe_facts f;
        pe_facts_start(&f, &image);
        const struct hf_pe *pe = pe_facts_need(&f, 0);
        assert_int_equal(f.facts.state[0].status, HF_OK);
        assert_int_equal(pe->is_64, wide);
        assert_int_equal(pe->machine, wide ? 0x8664 : 0x14c);
        assert_int_equal(pe->image_base, wide ? 0x140000000 : 0x400000);
        assert_int_equal(pe->file_alignment, 0x200);
        assert_int_equal(pe->size_of_headers, IMAGE_DATA);
        assert_int_equal(pe->directory_list.count, 16);
        assert_int_equal(pe_fact(&f, "is_pe").integer, 1);
        assert_int_equal(pe_fact(&f, "base_of_data").defined, !wide);
        assert_int_equal(pe_fact(&f, "entry_point").integer, IMAGE_DATA + 0x10);
        assert_int_equal(pe_call(&f, "is_64bit", "", NULL).integer, wide);
        assert_int_equal(pe_call(&f, "is_dll", "", NULL).integer, 0x2000);
        pe_facts_done(&f);
    }
}

static void test_a_cut_optional_header_is_no_pe_to_yara_but_fields_are_kept(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    image.size = IMAGE_OPTIONAL + 100;
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->is_pe, 0);
    assert_true(pe->found);
    assert_int_equal(pe->machine, 0x14c);
    assert_int_equal(pe->section_alignment, 0x1000);
    assert_false(pe_fact(&f, "machine").defined);
    pe_facts_done(&f);
}

static void test_the_header_may_start_at_0x7fffffff_only_if_it_is_there(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0x7fffffff, 0x80000000, 0xffffffff, IMAGE_ROOM};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct pe_image image;
        pe_image_start(&image, false);
        pe_put32(&image, 60, starts[i]);
        struct pe_facts f;
        pe_facts_start(&f, &image);
        assert_int_equal(pe_fact(&f, "is_pe").integer, 0);
        pe_facts_done(&f);
    }
}

/* ---- sections ---- */

static void test_a_cut_section_table_keeps_whole_sections(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    pe_image_add_section(&image, ".two", 0x3000, 0x1000, 0, 0);
    image.size = pe_image_section(&image, 1) + 39;
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(f.facts.state[0].status, HF_TRUNCATED);
    assert_int_equal(pe->sections.count, 1);
    assert_int_equal(pe->entry_offset, -1); /* YARA maps nothing then */
    pe_facts_done(&f);
}

static void test_more_than_96_sections_are_a_limit(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    pe_put16(&image, IMAGE_NT + 6, 65535);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(f.facts.state[0].status, HF_LIMIT);
    assert_int_equal(pe->sections.count, HF_PE_SECTIONS_MAX);
    assert_int_equal(pe_fact(&f, "number_of_sections").integer, 65535);
    pe_facts_done(&f);
}

static void test_long_section_names_come_from_the_string_table(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    memcpy(image.data + pe_image_section(&image, 0), "/6\0\0\0\0\0\0", 8);
    pe_image_add_section(&image, "/9999", 0x3000, 0, 0, 0);
    pe_put32(&image, IMAGE_NT + 12, 0x500);
    pe_put32(&image, IMAGE_NT + 16, 2);
    pe_put_text(&image, 0x500 + 36 + 6, ".a_long_name");
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe_section *s = hf_pe_sections(pe_facts_need(&f, 0));
    assert_bytes(s[0].name, "/6");
    assert_bytes(s[0].full_name, ".a_long_name");
    assert_true(s[1].full_name.data == NULL || s[1].full_name.len == 0);
    pe_facts_done(&f);
}

static void test_the_overlay_starts_behind_the_furthest_section(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    image.size += 5;
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->overlay.offset, IMAGE_DATA + IMAGE_DATA_SIZE);
    assert_int_equal(pe->overlay.size, 5);
    pe_facts_done(&f);
}

static void test_a_section_that_wraps_around_4_gib_is_not_the_furthest(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    image.size += 5;
    pe_image_add_section(&image, ".wrap", 0x5000, 0x1000, 0xfffffff0, 0x20);
    struct pe_facts f;
    pe_facts_start(&f, &image);
    const struct hf_pe *pe = pe_facts_need(&f, 0);
    assert_int_equal(pe->overlay.size, 5);
    pe_facts_done(&f);
}

/* ---- dialects ---- */

static struct hf_pe parsed(const struct pe_image *image, struct hf_arena *arena,
                           enum hf_pe_yara yara)
{
    struct hf_pe pe = {.yara = yara};
    struct hf_cursor file = hf_cursor_open(image->data, image->size, NULL);
    enum hf_status st = hf_pe_read_headers(&file, arena, &pe);
    assert_true(st == HF_OK || st == HF_TRUNCATED);
    return pe;
}

static void test_yara_maps_what_is_before_the_first_section_as_it_lies(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, true);
    struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_pe pe = parsed(&image, arena, HF_PE_YARA_45);
    assert_int_equal(hf_pe_yara_offset(&pe, 0xfff), 0xfff);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x1000), 0x400);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x2fff), 0x23ff);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x3000), -1);
    assert_int_equal(hf_pe_yara_offset(&pe, UINT64_MAX), -1);
    hf_arena_free(arena);
}

static void test_yara_takes_the_section_that_starts_last(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, true);
    pe_image_add_section(&image, ".over", 0x1800, 0x100, 0x600, 0x200);
    struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_pe pe = parsed(&image, arena, HF_PE_YARA_45);
    assert_false(pe.sections_ordered);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x17ff), 0xbff);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x1800), 0x600);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x19ff), 0x7ff); /* by its raw size */
    pe = parsed(&image, arena, HF_PE_YARA_42);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x19ff), 0xdff); /* by its virtual size */
    hf_arena_free(arena);
}

static void test_raw_offsets_round_down_each_in_its_way(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    pe_put32(&image, pe_image_section(&image, 0) + 20, 0x410);
    pe_put32(&image, IMAGE_OPTIONAL + 36, 0x10);
    struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_pe pe = parsed(&image, arena, HF_PE_YARA_45);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x1000), 0x400);
    assert_int_equal(hf_pe_loader_offset(&pe, 0x1000), 0x400);
    assert_int_equal(hf_pe_clamav_offset(&pe, 0x1000), 0x410);
    pe = parsed(&image, arena, HF_PE_YARA_42);
    assert_int_equal(hf_pe_yara_offset(&pe, 0x1000), 0x410);
    hf_arena_free(arena);
}

static void test_a_good_image_is_good_to_all(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, true);
    struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_pe pe = parsed(&image, arena, HF_PE_YARA_45);
    assert_true(hf_pe_yara_accepts(&pe));
    assert_null(hf_pe_loader_refuses(&pe));
    assert_null(hf_pe_clamav_broken(&pe));
    struct hf_pe_extent e = hf_pe_loader_section(&pe, 0);
    assert_int_equal(e.offset, 0x400);
    assert_int_equal(e.size, 0x2000);
    assert_true(e.inside);
    e = hf_pe_clamav_section(&pe, 0);
    assert_int_equal(e.offset, 0x400);
    assert_int_equal(e.size, 0x2000);
    hf_arena_free(arena);
}

/* What each breaks, and to whom: a row a field. */
static const struct broken {
    size_t at;
    uint32_t value;
    bool refused, broken;
} broken_rows[] = {
    {IMAGE_OPTIONAL + 32, 0x800, true, true}, /* section alignment below a page */
    {IMAGE_OPTIONAL + 32, 0, true, true},
    {IMAGE_OPTIONAL + 36, 3, true, true},       /* file alignment no power of two */
    {IMAGE_OPTIONAL + 56, 0x9000, true, false}, /* image size */
    {IMAGE_OPTIONAL + 60, 0, true, true},       /* header size: first section misplaced */
    {IMAGE_OPTIONAL + 16, 0x9000, true, true},  /* entry point */
    {IMAGE_OPTIONAL + 16, 0, false, false},     /* no entry point: a DLL may */
    {IMAGE_NT + 6, 97, true, true},             /* sections */
    {IMAGE_NT + 4, 0x0001dead, true, false},    /* machine */
};

static void test_loader_and_clamav_call_different_things_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken_rows / sizeof *broken_rows; i++) {
        const struct broken *b = &broken_rows[i];
        struct pe_image image;
        pe_image_start(&image, true);
        if (b->at == IMAGE_NT + 6)
            pe_put16(&image, b->at, (uint16_t)b->value);
        else
            pe_put32(&image, b->at, b->value);
        struct hf_arena *arena = hf_arena_new(1 << 20);
        struct hf_pe pe = {0};
        struct hf_cursor file = hf_cursor_open(image.data, image.size, NULL);
        assert_int_not_equal(hf_pe_read_headers(&file, arena, &pe), HF_NOTFOUND);
        assert_int_equal(hf_pe_loader_refuses(&pe) != NULL, b->refused);
        assert_int_equal(hf_pe_clamav_broken(&pe) != NULL, b->broken);
        hf_arena_free(arena);
    }
}

static void test_clamav_cuts_a_section_at_the_end_of_the_file(void **state)
{
    (void)state;
    struct pe_image image;
    pe_image_start(&image, false);
    image.size -= 0x10;
    struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_pe pe = parsed(&image, arena, HF_PE_YARA_45);
    assert_int_equal(hf_pe_clamav_section(&pe, 0).size, 0x1ff0);
    assert_string_equal(hf_pe_loader_refuses(&pe), "section data outside the file");
    assert_null(hf_pe_clamav_broken(&pe));
    hf_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_pe_says_so_and_has_no_other_facts),
        cmocka_unit_test(test_headers_are_read_in_both_widths),
        cmocka_unit_test(test_a_cut_optional_header_is_no_pe_to_yara_but_fields_are_kept),
        cmocka_unit_test(test_the_header_may_start_at_0x7fffffff_only_if_it_is_there),
        cmocka_unit_test(test_a_cut_section_table_keeps_whole_sections),
        cmocka_unit_test(test_more_than_96_sections_are_a_limit),
        cmocka_unit_test(test_long_section_names_come_from_the_string_table),
        cmocka_unit_test(test_the_overlay_starts_behind_the_furthest_section),
        cmocka_unit_test(test_a_section_that_wraps_around_4_gib_is_not_the_furthest),
        cmocka_unit_test(test_yara_maps_what_is_before_the_first_section_as_it_lies),
        cmocka_unit_test(test_yara_takes_the_section_that_starts_last),
        cmocka_unit_test(test_raw_offsets_round_down_each_in_its_way),
        cmocka_unit_test(test_a_good_image_is_good_to_all),
        cmocka_unit_test(test_loader_and_clamav_call_different_things_broken),
        cmocka_unit_test(test_clamav_cuts_a_section_at_the_end_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
