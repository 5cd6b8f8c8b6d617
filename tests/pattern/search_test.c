#include "pattern/search.h"

#include "base/auto.h"
#include "pattern/hex.h"
#include "pattern/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Needles and matches of a pattern in a text, found the slow way, as one line of text. */
struct search {
    const struct hf_pattern *pattern;
    struct hf_bytes data;
    struct hf_machine_scratch *scratch;
    struct hf_buffer needles, matches;
};

static bool on_match(void *user, uint64_t start, uint64_t length)
{
    struct search *s = user;
    hf_buffer_format(&s->matches, "%d+%d ", (int)start, (int)length);
    return true;
}

static bool is_at(struct hf_bytes data, size_t at, const struct hf_needle *n)
{
    for (size_t i = 0; i < n->bytes.len; i++) {
        uint8_t a = data.data[at + i], b = n->bytes.data[i];
        uint8_t differ = a ^ b;
        bool letter = (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
        if (differ != 0 && !(n->nocase && letter && differ == 0x20))
            return false;
    }
    return true;
}

static bool on_needle(void *user, const struct hf_needle *n)
{
    struct search *s = user;
    hf_buffer_bytes(&s->needles, n->bytes);
    hf_buffer_u8(&s->needles, ' ');
    for (size_t i = 0; i + n->bytes.len <= s->data.len; i++)
        if (is_at(s->data, i, n))
            assert_int_equal(hf_pattern_confirm(s->pattern, n->variant, s->data, i,
                                                (uint32_t)n->bytes.len, NULL, s->scratch,
                                                on_match, s),
                             HF_OK);
    return true;
}

static struct search search_in(const struct hf_pattern *pattern, struct hf_bytes data)
{
    struct search s = {
        .pattern = pattern, .data = data, .scratch = hf_machine_scratch_new()};
    assert_int_equal(hf_pattern_needles(pattern, on_needle, &s), HF_OK);
    hf_buffer_u8(&s.needles, 0);
    hf_buffer_u8(&s.matches, 0);
    return s;
}

static void search_done(struct search *s)
{
    hf_machine_scratch_free(s->scratch);
    hf_buffer_done(&s->needles);
    hf_buffer_done(&s->matches);
}

static void assert_matches(const struct hf_pattern *pattern, struct hf_bytes data,
                           const char *matches)
{
    HF_AUTO(search_done) struct search s = search_in(pattern, data);
    assert_string_equal((char *)s.matches.data, matches);
}

static struct hf_pattern literal(const char *text, uint32_t flags)
{
    return (struct hf_pattern){.text = hf_bytes_text(text), .flags = flags};
}

static void test_base64_forms_are_what_encoders_write(void **state)
{
    (void)state;
    struct hf_pattern p = literal("This program cannot", HF_PATTERN_BASE64);
    HF_AUTO(search_done) struct search s = search_in(&p, hf_bytes_text(""));
    assert_string_equal((char *)s.needles.data, "VGhpcyBwcm9ncmFtIGNhbm5vd "
                                                "RoaXMgcHJvZ3JhbSBjYW5ub3 "
                                                "UaGlzIHByb2dyYW0gY2Fubm90 ");
}

static void test_wide_and_ascii_are_two_forms(void **state)
{
    (void)state;
    struct hf_bytes text = hf_bytes_of("ab..a\0b\0", 8);
    struct hf_pattern p = literal("ab", 0);
    assert_matches(&p, text, "0+2 ");
    p = literal("ab", HF_PATTERN_WIDE);
    assert_matches(&p, text, "4+4 ");
    p = literal("AB", HF_PATTERN_WIDE | HF_PATTERN_ASCII | HF_PATTERN_NOCASE);
    assert_matches(&p, text, "0+2 4+4 ");
}

static void test_full_words_end_where_words_end(void **state)
{
    (void)state;
    struct hf_pattern p = literal("cat", HF_PATTERN_FULLWORD);
    assert_matches(&p, hf_bytes_text("cat concat cats (cat) _cat_"), "0+3 17+3 23+3 ");
    p = literal("cat", HF_PATTERN_FULLWORD | HF_PATTERN_WIDE);
    /* "cats" is no match, "cat" between spaces is; what is not wide before it does not count. */
    assert_matches(&p, hf_bytes_of("c\0a\0t\0s\0 c\0a\0t\0 xc\0a\0t\0", 23), "9+6 17+6 ");
}

static void test_xor_keys_are_tried_each(void **state)
{
    (void)state;
    uint8_t text[256 * 4];
    for (unsigned key = 0; key < 256; key++)
        for (unsigned i = 0; i < 4; i++)
            text[4 * key + i] = (uint8_t)((uint8_t) "mark"[i] ^ key);
    struct hf_pattern p = literal("mark", HF_PATTERN_XOR);
    p.xor_min = 1;
    p.xor_max = 3;
    assert_matches(&p, hf_bytes_of(text, sizeof text), "4+4 8+4 12+4 ");
}

static void test_programs_are_searched_by_their_anchors(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_regex regex;
    struct hf_regex_options options = {0};
    struct hf_pattern_error error;
    assert_int_equal(
        hf_regex_parse(hf_bytes_text("[0-9]+(foo|bar)x?"), &options, arena, &regex, &error),
        HF_OK);
    HF_AUTO(hf_buffer_done) struct hf_buffer code = {0};
    assert_int_equal(hf_program_compile(regex.root, 0, arena, &code), HF_OK);
    struct hf_pattern p = {.kind = HF_PATTERN_REGEX, .text = hf_buffer_view(&code)};
    assert_matches(&p, hf_bytes_text("foo 12foo 3barx"), "5+4 4+5 10+5 ");
    p.flags = HF_PATTERN_WIDE;
    assert_matches(&p, hf_bytes_of("1foo1\0b\0a\0r\0", 12), "4+8 ");
    p.flags = HF_PATTERN_FULLWORD;
    assert_matches(&p, hf_bytes_text("12foo 3barx"), "0+5 6+5 ");
    p.text.len--;
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    struct search s = {.pattern = &p};
    assert_int_equal(hf_pattern_needles(&p, on_needle, &s), HF_MALFORMED);
    assert_int_equal(
        hf_pattern_confirm(&p, 0, hf_bytes_text("foo"), 0, 3, NULL, scratch, on_match, &s),
        HF_MALFORMED);
}

static void test_a_pattern_is_matched_at_one_place(void **state)
{
    (void)state;
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    struct hf_pattern p = literal("ab", HF_PATTERN_NOCASE | HF_PATTERN_FULLWORD);
    uint64_t length = 0;
    struct hf_bytes text = hf_bytes_text("x AB abc");
    assert_int_equal(hf_pattern_match_at(&p, text, 2, NULL, scratch, &length), HF_OK);
    assert_int_equal(length, 2);
    assert_int_equal(hf_pattern_match_at(&p, text, 5, NULL, scratch, &length), HF_NOTFOUND);
    assert_int_equal(hf_pattern_match_at(&p, text, 7, NULL, scratch, &length), HF_NOTFOUND);
    assert_int_equal(hf_pattern_match_at(&p, text, 99, NULL, scratch, &length),
                     HF_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_forms_are_what_encoders_write),
        cmocka_unit_test(test_wide_and_ascii_are_two_forms),
        cmocka_unit_test(test_full_words_end_where_words_end),
        cmocka_unit_test(test_xor_keys_are_tried_each),
        cmocka_unit_test(test_programs_are_searched_by_their_anchors),
        cmocka_unit_test(test_a_pattern_is_matched_at_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
