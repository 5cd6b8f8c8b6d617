#include "pattern/pattern.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hf_pattern read_all(const struct hf_buffer *b)
{
    struct hf_cursor c = hf_cursor_open(b->data, b->len, NULL);
    struct hf_pattern p;
    assert_int_equal(hf_pattern_read(&c, &p), HF_OK);
    assert_int_equal(hf_cursor_left(&c), 0);
    return p;
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    struct hf_pattern patterns[] = {
        {.kind = HF_PATTERN_LITERAL, .text = hf_bytes_text("abc")},
        {.kind = HF_PATTERN_HEX,
         .flags = HF_PATTERN_XOR | HF_PATTERN_WIDE,
         .xor_min = 1,
         .xor_max = 255,
         .text = hf_bytes_text("x")},
        {.kind = HF_PATTERN_REGEX,
         .flags = HF_PATTERN_PRIVATE | HF_PATTERN_NOCASE,
         .place =
             {.kind = HF_PLACE_SECTION, .section = 65535, .offset = INT64_MIN, .span = 7},
         .text = hf_bytes_text("program")},
        {.kind = HF_PATTERN_LITERAL,
         .place = {.kind = HF_PLACE_VERSION_INFO, .offset = -1, .span = UINT64_MAX},
         .text = hf_bytes_text("v")},
    };
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
        hf_pattern_write(&patterns[i], &b);
        struct hf_pattern p = read_all(&b);
        assert_int_equal(p.kind, patterns[i].kind);
        assert_int_equal(p.flags, patterns[i].flags);
        assert_int_equal(p.xor_min, patterns[i].xor_min);
        assert_int_equal(p.xor_max, patterns[i].xor_max);
        assert_true(hf_bytes_equal(p.text, patterns[i].text));
        assert_int_equal(p.place.kind, patterns[i].place.kind);
        assert_int_equal(p.place.section, patterns[i].place.section);
        assert_true(p.place.offset == patterns[i].place.offset);
        assert_true(p.place.span == patterns[i].place.span);
    }
}

static void test_a_cut_pattern_is_truncated_at_every_length(void **state)
{
    (void)state;
    struct hf_pattern whole = {.kind = HF_PATTERN_LITERAL,
                               .flags = HF_PATTERN_XOR,
                               .xor_max = 3,
                               .place = {.kind = HF_PLACE_END, .offset = 9},
                               .text = hf_bytes_text("abc")};
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_pattern_write(&whole, &b);
    for (size_t len = 0; len < b.len; len++) {
        struct hf_cursor c = hf_cursor_open(b.data, len, NULL);
        struct hf_pattern p;
        assert_int_equal(hf_pattern_read(&c, &p), HF_TRUNCATED);
        assert_true(c.failed);
    }
}

static void test_unknown_values_are_refused(void **state)
{
    (void)state;
    static const uint8_t bad[][9] = {
        {6, 0, 0, 1, 0, 0, 0, 'a'},               /* kind */
        {0x80, 0, 0, 1, 0, 0, 0, 'a'},            /* place */
        {0, 0, 2, 1, 0, 0, 0, 'a'},               /* flag */
        {0, 0, 0, 0, 0, 0, 0, 'a'},               /* no text */
        {0, HF_PATTERN_XOR, 0, 2, 1, 1, 0, 0, 0}, /* keys from 2 to 1 */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hf_cursor c = hf_cursor_open(bad[i], sizeof bad[i], NULL);
        struct hf_pattern p;
        assert_int_equal(hf_pattern_read(&c, &p), HF_MALFORMED);
        assert_true(c.failed);
    }
}

static void test_places_count_from_start_and_end(void **state)
{
    (void)state;
    static const struct {
        struct hf_place place;
        uint64_t size, start;
        bool allowed;
    } rows[] = {
        {{.kind = HF_PLACE_ANYWHERE}, 10, 9, true},
        {{.kind = HF_PLACE_START, .offset = 5}, 10, 5, true},
        {{.kind = HF_PLACE_START, .offset = 5}, 10, 4, false},
        {{.kind = HF_PLACE_START, .offset = 5}, 10, 6, false},
        {{.kind = HF_PLACE_START, .offset = 5, .span = 2}, 10, 7, true},
        {{.kind = HF_PLACE_START, .offset = 5, .span = 2}, 10, 8, false},
        {{.kind = HF_PLACE_START, .offset = 5, .span = UINT64_MAX}, 10, UINT64_MAX, true},
        {{.kind = HF_PLACE_START, .offset = -2, .span = 3}, 10, 1, true},
        {{.kind = HF_PLACE_START, .offset = -2, .span = 3}, 10, 2, false},
        {{.kind = HF_PLACE_START, .offset = INT64_MIN, .span = 3}, 10, 0, false},
        {{.kind = HF_PLACE_END, .offset = 4}, 10, 6, true},
        {{.kind = HF_PLACE_END, .offset = 4}, 10, 5, false},
        {{.kind = HF_PLACE_END, .offset = 4, .span = 1}, 10, 7, true},
        {{.kind = HF_PLACE_END, .offset = 4, .span = 1}, 10, 8, false},
        {{.kind = HF_PLACE_END, .offset = 11, .span = 50}, 10, 0, false},
        {{.kind = HF_PLACE_END, .offset = -1, .span = 50}, 10, 10, false},
        {{.kind = HF_PLACE_ENTRY}, 10, 0, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(hf_place_allows(&rows[i].place, rows[i].size, rows[i].start),
                         rows[i].allowed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_a_cut_pattern_is_truncated_at_every_length),
        cmocka_unit_test(test_unknown_values_are_refused),
        cmocka_unit_test(test_places_count_from_start_and_end),
    };
    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
