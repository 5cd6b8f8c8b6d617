#include "format/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DER(text) hf_cursor_open(text, sizeof(text) - 1, NULL)

static void test_values_follow_one_another(void **state)
{
    (void)state;
    struct hf_cursor c = DER("\x02\x01\x05\x30\x03\x05\x00\x00\x04\x00");
    struct hf_der v;
    assert_true(hf_der_next(&c, &v));
    assert_int_equal(v.tag, HF_DER_INTEGER);
    assert_int_equal(v.whole.len, 3);
    assert_false(hf_der_take(&c, HF_DER_SET, &v));
    assert_true(hf_der_take(&c, HF_DER_SEQUENCE, &v));
    assert_int_equal(v.content.len, 3);
    assert_true(hf_der_take(&c, HF_DER_OCTETS, &v));
    assert_int_equal(v.content.len, 0);
    assert_false(hf_der_next(&c, &v));
    assert_false(c.failed);
}

static void test_a_value_longer_than_the_data_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } broken[] = {
        {"\x04\x02\x00", 3},                                  /* cut */
        {"\x04\x84\xff\xff\xff\xff\x00", 7},                  /* 4 GiB */
        {"\x04\x89\x01\x00\x00\x00\x00\x00\x00\x00\x00", 11}, /* above 64 bits */
        {"\x1f\x81\x01\x00", 4},                              /* number above 30 */
        {"\x04\x80\x00\x00", 4}, /* primitive, yet indefinite */
        {"\x30\x80\x05\x00", 4}, /* no end mark */
        {"\x30", 1},             /* no length */
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct hf_cursor c = hf_cursor_open(broken[i].bytes, broken[i].len, NULL);
        struct hf_der v;
        assert_false(hf_der_next(&c, &v));
        assert_true(c.failed);
    }
}

static void test_indefinite_lengths_end_at_their_mark(void **state)
{
    (void)state;
    struct hf_cursor c =
        DER("\x30\x80\x30\x80\x02\x01\x00\x00\x00\x04\x02\x00\x00\x00\x00\x05\x00");
    struct hf_der v;
    assert_true(hf_der_next(&c, &v));
    assert_false(v.definite);
    assert_int_equal(v.whole.len, 15);
    assert_int_equal(v.content.len, 11);
    assert_true(hf_der_next(&c, &v));
    assert_int_equal(v.tag, HF_DER_NULL);
}

static void test_indefinite_lengths_do_not_nest_without_end(void **state)
{
    (void)state;
    uint8_t deep[400];
    for (size_t i = 0; i < sizeof deep; i += 2) {
        deep[i] = i < 200 ? 0x30 : 0;
        deep[i + 1] = i < 200 ? 0x80 : 0;
    }
    struct hf_cursor c = hf_cursor_open(deep, sizeof deep, NULL);
    struct hf_der v;
    assert_false(hf_der_next(&c, &v));
    c = hf_cursor_open(deep + 200 - 60, 120, NULL);
    assert_true(hf_der_next(&c, &v));
}

static void test_strings_in_pieces_are_joined(void **state)
{
    (void)state;
    struct hf_arena *arena = hf_arena_new(4096);
    struct hf_cursor c = DER("\x24\x80\x04\x02"
                             "ab\x04\x01"
                             "c\x00\x00");
    struct hf_der v;
    assert_true(hf_der_next(&c, &v));
    struct hf_bytes joined = hf_der_bytes(&v, arena);
    assert_int_equal(joined.len, 3);
    assert_memory_equal(joined.data, "abc", 3);
    c = DER("\x24\x02\x05\x00");
    assert_true(hf_der_next(&c, &v));
    assert_null(hf_der_bytes(&v, arena).data);
    hf_arena_free(arena);
}

static void test_numbers_are_positive_and_fit(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        bool good;
        uint64_t number;
    } rows[] = {
        {"\x02\x01\x00", 3, true, 0},
        {"\x02\x02\x00\xff", 4, true, 255},
        {"\x02\x01\xff", 3, false, 0},
        {"\x02\x08\x7f\xff\xff\xff\xff\xff\xff\xff", 10, true, INT64_MAX},
        {"\x02\x08\x80\x00\x00\x00\x00\x00\x00\x00", 10, false, 0},
        {"\x02\x09\x00\x80\x00\x00\x00\x00\x00\x00\x00", 11, false, 0},
        {"\x02\x00", 2, false, 0},
        {"\x04\x01\x01", 3, false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hf_cursor c = hf_cursor_open(rows[i].bytes, rows[i].len, NULL);
        struct hf_der v;
        uint64_t number;
        assert_true(hf_der_next(&c, &v));
        assert_int_equal(hf_der_uint(&v, &number), rows[i].good);
        if (rows[i].good)
            assert_true(number == rows[i].number);
    }
}

static void test_object_identifiers_are_written_as_numbers(void **state)
{
    (void)state;
    struct hf_arena *arena = hf_arena_new(4096);
    struct hf_bytes text =
        hf_der_oid_text(hf_bytes_of("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x04", 10), arena);
    assert_true(hf_bytes_equal(text, hf_bytes_text("1.3.6.1.4.1.311.2.1.4")));
    text = hf_der_oid_text(hf_bytes_of("\x88\x37\x03", 3), arena);
    assert_true(hf_bytes_equal(text, hf_bytes_text("2.999.3")));
    assert_null(hf_der_oid_text(hf_bytes_of("\x2b\x86", 2), arena).data);
    assert_null(hf_der_oid_text(
                    hf_bytes_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11), arena)
                    .data);
    assert_null(hf_der_oid_text(hf_bytes_of("", 0), arena).data);
    hf_arena_free(arena);
}

static void test_times_count_seconds_in_utc(void **state)
{
    (void)state;
    static const struct {
        uint8_t tag;
        const char *text;
        bool good;
        int64_t seconds;
    } rows[] = {
        {HF_DER_UTC_TIME, "700101000000Z", true, 0},
        {HF_DER_UTC_TIME, "491231235959Z", true, 2524607999},
        {HF_DER_UTC_TIME, "500101000000Z", true, -631152000},
        {HF_DER_UTC_TIME, "2401010000Z", true, 1704067200},
        {HF_DER_UTC_TIME, "240101000000+0130", true, 1704067200 - 5400},
        {HF_DER_TIME, "20000229120000Z", true, 951825600},
        {HF_DER_TIME, "20240101000000.123Z", true, 1704067200},
        {HF_DER_TIME, "99991231235959Z", true, 253402300799},
        {HF_DER_TIME, "00010101000000Z", true, -62135596800},
        {HF_DER_TIME, "20241301000000Z", false, 0},
        {HF_DER_TIME, "2024010100000xZ", false, 0},
        {HF_DER_TIME, "20240101000000Zx", false, 0},
        {HF_DER_TIME, "", false, 0},
        {HF_DER_OCTETS, "20240101000000Z", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t seconds = 0;
        bool good = hf_der_time(rows[i].tag, hf_bytes_text(rows[i].text), &seconds);
        if (good != rows[i].good || (good && seconds != rows[i].seconds))
            fail_msg("%s: %d, %lld", rows[i].text, good, (long long)seconds);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_follow_one_another),
        cmocka_unit_test(test_a_value_longer_than_the_data_is_none),
        cmocka_unit_test(test_indefinite_lengths_end_at_their_mark),
        cmocka_unit_test(test_indefinite_lengths_do_not_nest_without_end),
        cmocka_unit_test(test_strings_in_pieces_are_joined),
        cmocka_unit_test(test_numbers_are_positive_and_fit),
        cmocka_unit_test(test_object_identifiers_are_written_as_numbers),
        cmocka_unit_test(test_times_count_seconds_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
