#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hf_cursor over(const char *bytes, size_t n, struct hf_budget *budget)
{
    return hf_cursor_open(bytes, n, budget);
}

static void test_reads_follow_the_byte_order(void **state)
{
    (void)state;
    struct hf_cursor c = over("\x01\x02\x03\x04\x05\x06\x07\x08", 8, NULL);
    struct hf_cursor d = c;
    assert_int_equal(hf_u16le(&c), 0x0201);
    assert_int_equal(hf_u16be(&c), 0x0304);
    assert_int_equal(hf_u32be(&c), 0x05060708);
    assert_int_equal(hf_cursor_left(&c), 0);
    assert_int_equal(hf_u24le(&d), 0x030201);
    d.pos = 0;
    assert_true(hf_u64le(&d) == UINT64_C(0x0807060504030201));
    d.pos = 0;
    assert_true(hf_uint(&d, 4, true) == 0x01020304);
}

static void test_read_past_the_end_gives_zero_and_stays_failed(void **state)
{
    (void)state;
    struct hf_cursor c = over("\xff\xff\xff", 3, NULL);
    assert_int_equal(hf_u32le(&c), 0);
    assert_int_equal(hf_cursor_status(&c), HF_TRUNCATED);
    assert_int_equal(hf_u8(&c), 0);
    assert_int_equal(hf_cursor_left(&c), 0);
    uint8_t out[2] = {1, 1};
    hf_copy(&c, out, 2);
    assert_int_equal(out[0] | out[1], 0);
}

static void test_lying_lengths_do_not_wrap(void **state)
{
    (void)state;
    struct hf_cursor c = over("abcdef", 6, NULL);
    hf_skip(&c, 2);
    hf_skip(&c, UINT64_MAX);
    assert_int_equal(hf_cursor_status(&c), HF_TRUNCATED);
    struct hf_cursor whole = over("abcdef", 6, NULL);
    struct hf_cursor s = hf_cursor_sub(&whole, 4, UINT64_MAX - 1);
    assert_int_equal(s.len, 2);
    assert_true(s.failed);
    s = hf_cursor_clip(&whole, 4, UINT64_MAX - 1);
    assert_int_equal(hf_cursor_left(&s), 2);
    assert_int_equal(hf_cursor_where(&s), 4);
    s = hf_cursor_clip(&whole, UINT64_MAX, UINT64_MAX);
    assert_int_equal(hf_cursor_left(&s), 0);
}

static void test_sub_confines_the_child(void **state)
{
    (void)state;
    struct hf_cursor whole = over("abcdef", 6, NULL);
    struct hf_cursor s = hf_cursor_sub(&whole, 1, 2);
    assert_int_equal(hf_u8(&s), 'b');
    assert_int_equal(hf_u8(&s), 'c');
    assert_int_equal(hf_u8(&s), 0);
    assert_int_equal(hf_cursor_status(&s), HF_TRUNCATED);
    assert_int_equal(hf_cursor_status(&whole), HF_OK);
}

static void test_budget_ends_loops(void **state)
{
    (void)state;
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 3});
    struct hf_cursor c = over("abcdef", 6, &budget);
    int turns = 0;
    while (hf_cursor_charge(&c, 1))
        turns++;
    assert_int_equal(turns, 3);
    assert_int_equal(hf_cursor_status(&c), HF_LIMIT);
    assert_int_equal(hf_u8(&c), 0);
}

static void test_find_stays_within(void **state)
{
    (void)state;
    struct hf_cursor c = over("xxabyyab", 8, NULL);
    assert_int_equal(hf_find(&c, "ab", 2, UINT64_MAX), 2);
    assert_true(hf_find(&c, "ab", 2, 3) == SIZE_MAX);
    assert_int_equal(hf_find(&c, "ab", 2, 4), 2);
    hf_seek(&c, 3);
    assert_int_equal(hf_find(&c, "ab", 2, UINT64_MAX), 6);
    assert_int_equal(hf_find_last(&c, "ab", 2, 0, UINT64_MAX), 6);
    assert_int_equal(hf_find_last(&c, "ab", 2, 0, 7), 2);
    assert_true(hf_find_last(&c, "ab", 2, 3, 7) == SIZE_MAX);
    assert_true(hf_find_last(&c, "xx", 2, 0, 2) == 0);
}

static void test_take_until_stops_at_the_terminator(void **state)
{
    (void)state;
    struct hf_cursor c = over("one\0two", 7, NULL);
    bool found;
    struct hf_bytes b = hf_take_until(&c, 0, 100, &found);
    assert_true(found && b.len == 3);
    b = hf_take_until(&c, 0, 100, &found);
    assert_true(!found && b.len == 3);
    assert_int_equal(hf_cursor_status(&c), HF_OK);
}

static void test_empty_cursor_is_safe(void **state)
{
    (void)state;
    struct hf_cursor c = hf_cursor_open(NULL, 0, NULL);
    assert_int_equal(hf_cursor_left(&c), 0);
    assert_int_equal(hf_take_rest(&c).len, 0);
    assert_int_equal(hf_u8(&c), 0);
    assert_true(hf_find(&c, "a", 1, 10) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_follow_the_byte_order),
        cmocka_unit_test(test_read_past_the_end_gives_zero_and_stays_failed),
        cmocka_unit_test(test_lying_lengths_do_not_wrap),
        cmocka_unit_test(test_sub_confines_the_child),
        cmocka_unit_test(test_budget_ends_loops),
        cmocka_unit_test(test_find_stays_within),
        cmocka_unit_test(test_take_until_stops_at_the_terminator),
        cmocka_unit_test(test_empty_cursor_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
