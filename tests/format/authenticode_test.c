/* The certificate table and what goes wrong in it; signatures themselves are compared with other
 * tools, by compare_authenticode.py. */
#include "pe_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TABLE = IMAGE_DATA + 0x1000 };

static void put_entry(struct pe_image *image, size_t at, uint32_t size, uint16_t revision,
                      uint16_t type)
{
    pe_put32(image, at, size);
    pe_put16(image, at + 4, revision);
    pe_put16(image, at + 6, type);
}

/* An image with a table of size bytes at TABLE, up to the file's end. */
static void start(struct pe_image *image, uint32_t size)
{
    pe_image_start(image, true);
    image->size = TABLE + size;
    pe_image_directory(image, HF_PE_DIR_SECURITY, TABLE, size);
}

static const struct hf_pe *look(struct pe_facts *f, const struct pe_image *image)
{
    pe_facts_start(f, image);
    return pe_facts_need(f, 1U << HF_PE_SIGNATURES);
}

static int64_t count(struct pe_facts *f)
{
    struct hf_value v = pe_fact(f, "number_of_signatures");
    return v.defined ? v.integer : -1;
}

static void test_an_image_without_table_has_no_signatures(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    pe_image_start(&image, false);
    const struct hf_pe *pe = look(&f, &image);
    assert_int_equal(count(&f), 0);
    assert_int_equal(pe_fact(&f, "is_signed").integer, 0);
    assert_int_equal(pe->authenticode.entries.count, 0);
    pe_facts_done(&f);
}

static void test_entries_are_listed_in_steps_of_eight(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, 64);
    put_entry(&image, TABLE, 11, 0x200, 2);
    put_entry(&image, TABLE + 16, 48, 0x100, 1);
    const struct hf_pe *pe = look(&f, &image);
    const struct hf_certificate_entry *e = pe->authenticode.entries.items;
    assert_int_equal(pe->authenticode.entries.count, 2);
    assert_int_equal(e[0].offset, TABLE);
    assert_int_equal(e[0].size, 11);
    assert_int_equal(e[1].offset, TABLE + 16);
    assert_int_equal(e[1].type, 1);
    assert_int_equal(count(&f), 0);
    pe_facts_done(&f);
}

static void test_a_table_past_the_end_is_no_signature(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, 64);
    put_entry(&image, TABLE, 64, 0x200, 2);
    pe_image_directory(&image, HF_PE_DIR_SECURITY, TABLE, 65);
    const struct hf_pe *pe = look(&f, &image);
    assert_int_equal(count(&f), 0);
    assert_int_equal(pe->authenticode.entries.count, 0);
    pe_facts_done(&f);
    pe_image_directory(&image, HF_PE_DIR_SECURITY, 0xfffffff0, 0xffffffff);
    (void)look(&f, &image);
    assert_int_equal(count(&f), 0);
    pe_facts_done(&f);
}

static void test_an_entry_past_the_end_is_listed_but_not_read(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, 64);
    put_entry(&image, TABLE, 0xffffffff, 0x200, 2);
    const struct hf_pe *pe = look(&f, &image);
    assert_int_equal(pe->authenticode.entries.count, 1);
    assert_int_equal(count(&f), 0);
    pe_facts_done(&f);
}

static void test_entries_are_counted_up_to_a_limit(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, 8 * (HF_AUTHENTICODE_ENTRIES_MAX + 8));
    for (size_t i = 0; i < HF_AUTHENTICODE_ENTRIES_MAX + 8; i++)
        put_entry(&image, TABLE + 8 * i, 8, 0x200, 2);
    const struct hf_pe *pe = look(&f, &image);
    assert_int_equal(pe->authenticode.entries.count, HF_AUTHENTICODE_ENTRIES_MAX);
    pe_facts_done(&f);
}

static void test_bytes_behind_the_table_are_reported(void **state)
{
    (void)state;
    struct pe_image image;
    struct pe_facts f;
    start(&image, 64);
    put_entry(&image, TABLE, 64, 0x200, 2);
    image.size += 100;
    const struct hf_pe *pe = look(&f, &image);
    const struct hf_uncovered *u = pe->authenticode.uncovered.items;
    assert_int_equal(pe->authenticode.uncovered.count, 1);
    assert_int_equal(u[0].offset, TABLE + 64);
    assert_int_equal(u[0].size, 100);
    pe_facts_done(&f);
}

static void test_preparing_succeeds_twice(void **state)
{
    (void)state;
    assert_int_equal(hf_authenticode_prepare(), HF_OK);
    assert_int_equal(hf_authenticode_prepare(), HF_OK);
}

static void test_what_is_no_certificate_is_no_root(void **state)
{
    (void)state;
    struct hf_roots *roots = hf_roots_new();
    assert_non_null(roots);
    assert_int_equal(hf_roots_add(roots, hf_bytes_text("\x30\x03...")), HF_INVALID);
    assert_int_equal(hf_roots_add(roots, (struct hf_bytes){0}), HF_INVALID);
    hf_roots_free(roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_image_without_table_has_no_signatures),
        cmocka_unit_test(test_entries_are_listed_in_steps_of_eight),
        cmocka_unit_test(test_a_table_past_the_end_is_no_signature),
        cmocka_unit_test(test_an_entry_past_the_end_is_listed_but_not_read),
        cmocka_unit_test(test_entries_are_counted_up_to_a_limit),
        cmocka_unit_test(test_bytes_behind_the_table_are_reported),
        cmocka_unit_test(test_preparing_succeeds_twice),
        cmocka_unit_test(test_what_is_no_certificate_is_no_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
