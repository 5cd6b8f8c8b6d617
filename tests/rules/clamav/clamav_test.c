/* ClamAV's grammars, element by element: what each signature matches and how often, as clamscan
 * 1.4.6 was seen to do. */
#include "base/auto.h"
#include "pattern/backtrack.h"
#include "pattern/program.h"
#include "rules/chain.h"
#include "rules/derived.h"
#include "run_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static enum hf_clamav_result read_sig(const char *hex, const char *place,
                                      const char *target, struct hf_arena *arena,
                                      struct hf_clamav_signature *s)
{
    char *line = hf_arena_alloc(arena, strlen(hex) + 64);
    snprintf(line, strlen(hex) + 64, "T:%s:%s:%s", target, place, hex);
    return hf_clamav_read_ndb(hf_bytes_text(line), arena, s);
}

static bool matches(const char *hex, const char *place, const char *data, size_t len)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_clamav_signature s;
    if (read_sig(hex, place, "0", arena, &s) != HF_CLAMAV_RULE)
        fail_msg("%s: %s", hex, s.why);
    return run_rule(&s, hf_bytes_of(data, len), NULL);
}

static void test_elements_match_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *yes, *no;
    } rows[] = {
        {"616263", "xabcx", "xabx"},
        {"61A26363",
         "a\xa2"
         "cc",
         "A\xa2"
         "cc"},
        {"6161??62", "aaxb", "aab"},
        {"61616?62", "aaob", "aapb"},
        {"6161?262", "aarb", "aasb"},
        {"6161*6262", "aaxxxxxbb", "bbaa"},
        {"6161{3}6262", "aaxxxbb", "aaxxbb"},
        {"6161{0}6262", "aaxxxbb", "bbaa"},
        {"6161{-}6262", "aaxxxbb", "bbaa"},
        {"6161{2-}6262", "aaxxxbb", "aaxbb"},
        {"6161{-2}6262", "aaxxbb", "aaxxxbb"},
        {"6161{1-2}6262", "aaxxbb", "aabb"},
        {"6161{300}6262{2}6363", "", "aabbxxcc"},
        {"6161[2-3]62", "aaxxb", "aaxb"},
        {"61[2-3]6262", "axxbb", "axbb"},
        {"6161(62|63)64", "aacd", "aadd"},
        {"6161(6262|63)64", "aabbd", "aabd"},
        {"6161(62|(63|6464)65)66", "aaddef", "aadef"},
        {"6161!(62|63)64", "aaxd", "aabd"},
        {"6161!(6262|6363)64", "aabcd", "aaccd"},
        {"(B)6161", "x aa", "xaa"},
        {"!(B)6161", "xaa", " aa"},
        {"6161(B)", "aa\"", "aa<"},
        {"(B)6161", "x<aa", "x\"aa"},
        {"6161(L)", "aa\r\n", "aa\rx"},
        {"(L)6161", "x\naa", "x\raa"},
        {"(W)6161(W)", "_aa_", "xaa_"},
        {"6161(L)6262", "aa\r\nbb", "aa\rbb"},
        {"6161!(L)6262", "aaxbb", "aa\nbb"},
        {"6161(W)6262", "aa-bb", "aa1bb"},
        {"6161*(B)6262", "aa bb", "aaxbb"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *yes = rows[i].yes, *no = rows[i].no;
        if (*yes != 0 && !matches(rows[i].hex, "*", yes, strlen(yes)))
            fail_msg("%s does not match \"%s\"", rows[i].hex, yes);
        if (matches(rows[i].hex, "*", no, strlen(no)))
            fail_msg("%s matches \"%s\"", rows[i].hex, no);
    }
}

static void test_offsets_bind_the_first_part(void **state)
{
    (void)state;
    assert_true(matches("6161", "2", "xxaaaa", 6));
    assert_false(matches("6162", "2", "abxaab", 6));
    assert_true(matches("6162", "2,3", "xxxxab", 6));
    assert_false(matches("6162", "1,2", "xxxxab", 6));
    assert_true(matches("6162", "EOF-2", "xxxxab", 6));
    assert_true(matches("6162*6364", "0", "abxxcd", 6));
    assert_false(matches("6162*6364", "1", "abxxcd", 6));
    assert_true(matches("6162{300}6364", "0", "ab", 2) == false);
}

static void test_places_of_executables_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct hf_place place;
    } rows[] = {
        {"EP+5", {.kind = HF_PLACE_ENTRY, .offset = 5}},
        {"EP-5,7", {.kind = HF_PLACE_ENTRY, .offset = -5, .span = 7}},
        {"S2+16", {.kind = HF_PLACE_SECTION, .section = 2, .offset = 16}},
        {"SL+3", {.kind = HF_PLACE_LAST_SECTION, .offset = 3}},
        {"SE1", {.kind = HF_PLACE_IN_SECTION, .section = 1}},
        {"SE1,9", {.kind = HF_PLACE_IN_SECTION, .section = 1, .span = 9}},
        {"VI", {.kind = HF_PLACE_VERSION_INFO}},
        {"EOF-12,3", {.kind = HF_PLACE_END, .offset = 12, .span = 3}},
    };
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_clamav_signature s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(read_sig("616263", rows[i].text, "1", arena, &s), HF_CLAMAV_RULE);
        const struct hf_place *p = &s.patterns[0].place, *want = &rows[i].place;
        assert_int_equal(p->kind, want->kind);
        assert_int_equal(p->section, want->section);
        assert_int_equal(p->offset, want->offset);
        assert_int_equal(p->span, want->span);
    }
    assert_int_equal(read_sig("616263", "EP+0", "0", arena, &s), HF_CLAMAV_BAD);
    assert_int_equal(read_sig("616263", "EP0", "1", arena, &s), HF_CLAMAV_BAD);
    assert_int_equal(read_sig("616263", "$3$", "0", arena, &s), HF_CLAMAV_SKIP);
}

static void test_what_is_no_signature_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "6",
                                       "61",
                                       "61??62",
                                       "616?62?3",
                                       "*616263",
                                       "616263*",
                                       "6162**6364",
                                       "61*616263",
                                       "616263{2-}",
                                       "6162()63",
                                       "6162(61*62|62)63",
                                       "6162(61|62",
                                       "61 62 63",
                                       "616263[1-33]64",
                                       "616263[1-2]6465",
                                       "6162[1-2]6364",
                                       "6162!(6?|62)63",
                                       "6162!(61|6262)63",
                                       "(61|62|63)",
                                       "6162?",
                                       "616263)",
                                       "6162{x}63",
                                       "((((((((((((((((61))))))))))))))))6162"};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hf_clamav_signature s;
        if (read_sig(rows[i], "*", "0", arena, &s) != HF_CLAMAV_BAD)
            fail_msg("%s was taken", rows[i]);
        assert_non_null(s.why);
    }
}

static void test_plain_bytes_stay_literals_and_wide_gaps_split(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_clamav_signature s;
    assert_int_equal(read_sig("616263", "*", "0", arena, &s), HF_CLAMAV_RULE);
    assert_int_equal(s.patterns[0].kind, HF_PATTERN_LITERAL);
    assert_int_equal(read_sig("6162{3-9}6364", "*", "0", arena, &s), HF_CLAMAV_RULE);
    assert_int_equal(s.pattern_count, 1);
    assert_int_equal(read_sig("6162*6364{1000-2000}6566", "*", "0", arena, &s),
                     HF_CLAMAV_RULE);
    assert_int_equal(s.pattern_count, 3);
    assert_int_equal(s.patterns[0].flags & HF_PATTERN_LINKED, 0);
    assert_true(s.patterns[1].link.max == HF_LINK_NO_MAX);
    assert_true(s.patterns[2].link.min == 1000 && s.patterns[2].link.max == 2000);
}

static void test_every_end_of_a_part_may_begin_a_bounded_gap(void **state)
{
    (void)state;
    char data[400];
    memset(data, 'x', sizeof data);
    memcpy(data, "aabbbb", 6);   /* ends at 4 (bb) and at 6 (bbbb) */
    memcpy(data + 306, "cc", 2); /* 300 behind the longer one only */
    assert_true(matches("6161(6262|62626262){300}6363", "*", data, sizeof data));
    memcpy(data + 304, "ccxx", 4); /* 300 behind the shorter one only */
    assert_true(matches("6161(6262|62626262){300}6363", "*", data, sizeof data));
    memcpy(data + 304, "xccx", 4);
    assert_false(matches("6161(6262|62626262){300}6363", "*", data, sizeof data));
}

static void test_chains_keep_what_follows(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_match a[] = {{0, 2}, {100, 2}}, b[] = {{1, 1}, {5, 1}, {90, 1}, {104, 1}};
    struct hf_chain_part parts[2] = {
        {.matches = a, .count = 2},
        {.linked = true, .link = {2, 10}, .matches = b, .count = 4}};
    assert_int_equal(hf_chain_join(parts, 2, arena, NULL), HF_OK);
    assert_int_equal(parts[1].count, 2);
    assert_int_equal(b[0].offset, 5);
    assert_int_equal(b[1].offset, 104);
    struct hf_budget none = hf_budget_of(&(struct hf_limits){.work = 1});
    (void)!hf_budget_work(&none, 2);
    assert_int_equal(hf_chain_join(parts, 2, arena, &none), HF_LIMIT);
    assert_int_equal(parts[1].count, 0);
}

/* ---- logical signatures ---- */

static bool logical(const char *expression, const char *subsigs, const char *data)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_clamav_signature s;
    char line[500];
    snprintf(line, sizeof line, "T;Engine:51-255,Target:0;%s;%s", expression, subsigs);
    if (hf_clamav_read_ldb(hf_bytes_text(line), arena, &s) != HF_CLAMAV_RULE)
        fail_msg("%s: %s", line, s.why);
    bool alone = !run_rule(&s, hf_bytes_text(""), NULL);
    assert_true(alone == ((s.rule.flags & HF_RULE_WAKES_ALONE) == 0));
    return run_rule(&s, hf_bytes_text(data), NULL);
}

static void test_expressions_group_as_clamav_does(void **state)
{
    (void)state;
    static const char three[] = "6161;6262;6363";
    static const struct {
        const char *expression, *data;
        bool holds;
    } rows[] = {
        {"0|1&2", "aa", true},    /* 0|(1&2) */
        {"(0|1&2)", "aa", false}, /* (0|1)&2 */
        {"0&1|2", "cc", false},   /* 0&(1|2) */
        {"(0&1|2)", "cc", true},  /* (0&1)|2 */
        {"0=0&1&2", "bb cc", true},
        {"0=0&1&2", "aa bb cc", false},
        {"0>1&1&2", "aa aa bb cc", true},
        {"0>1&1&2", "aa bb cc", false},
        {"(0|1|2)>2", "aa aa aa", true},
        {"(0|1|2)>2", "aa aa", false},
        {"(0|1|2)>2,2", "aa aa aa", false},
        {"(0|1|2)>2,2", "aa aa bb", true},
        {"(0|1|2)=0", "xx", true},
        {"(0|1|2)=0", "cc", false},
        {"(0&1|2)<1", "aa", true},              /* 0&1 is false and counts nothing */
        {"((0|1)>1|2)>2,2", "aa bb cc", false}, /* the inner block's ids do not count */
        {"0>1,5&1&2", "aa aa bb cc", true},     /* ,m of one id has no effect */
        {"((0&1))|2", "aa bb", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (logical(rows[i].expression, three, rows[i].data) != rows[i].holds)
            fail_msg("%s on \"%s\"", rows[i].expression, rows[i].data);
}

static void test_counts_are_those_of_last_parts(void **state)
{
    (void)state;
    static const struct {
        const char *sub, *data;
        unsigned count;
    } rows[] = {
        {"6161", "aaaaa", 4},
        {"616161", "aaaaaaa", 5},
        {"6162*6364", "ab cd cd cd", 3},
        {"6162*6364", "ab ab cd", 1},
        {"6162*6364", "ab ab cd ab cd", 2},
        {"6162{1-5}6364", "ab ab cd cd", 2},
        {"6162{2}6364", "abxxcdabxxcd", 2},
        {"6262(62|63)", "bbbbbb", 4},
        {"6161*6161", "aaaaaaa", 4},
        {"6161{0-1}6161", "aaaaaa", 3},
        {"6162{0-1}6162*6364", "ababab cdcd", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expression[20];
        snprintf(expression, sizeof expression, "0=%u", rows[i].count);
        if (!logical(expression, rows[i].sub, rows[i].data))
            fail_msg("%s on \"%s\" is not counted %u times", rows[i].sub, rows[i].data,
                     rows[i].count);
    }
}

static void test_other_kinds_are_skipped_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } rows[] = {
        {"T;Engine:51-255,Target:0;0;fuzzy_img#0123456789abcdef",
         "fuzzy image hashes in .ldb"},
        {"T;Engine:51-255,Target:0;0&1;6161;${1-2}3$", "macros in .ldb"},
        {"T;Engine:300-400,Target:0;0;6161", "other functionality levels"},
        {"T;Engine:51-255,Target:1,IconGroup1:X;0;6161", "logical signatures with icons"},
        {"T;Engine:51-255,Target:1,Nonsense:X;0;6161",
         "logical signatures with unknown keys"},
    };
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_clamav_signature s;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(hf_clamav_read_ldb(hf_bytes_text(rows[i].line), arena, &s),
                         HF_CLAMAV_SKIP);
        assert_string_equal(s.why, rows[i].why);
    }
    static const char *const bad[] = {"T;Engine:51-255,Target:0;0&1;6161",
                                      "T;Target:0;(0)>1;6161",
                                      "T;FileSize:1-2,Target:0;0;6161",
                                      "T;Engine:51-255;0;6161",
                                      "T;Engine:51-255,Target:0;0&;6161",
                                      "T;Engine:51-255,Target:0;(0;6161",
                                      "T;Engine:51-255,Target:0;0;6161::q",
                                      "T;Engine:81-255,Target:0;0&1;6161;0/(a/",
                                      "T;Engine:81-255,Target:0;0&1;6161;1/a/",
                                      "T;Engine:81-255,Target:0;0&1;6161;0/a/Z",
                                      "T;Engine:81-255,Target:0;0&1;6161;0(>>1#q1#=1)",
                                      "T;Engine:81-255,Target:0;0&1;6161;0(>>1#i3#=1)",
                                      "T;Engine:81-255,Target:0;0&1;6161;0(1#d1#=1)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (hf_clamav_read_ldb(hf_bytes_text(bad[i]), arena, &s) != HF_CLAMAV_BAD)
            fail_msg("%s was taken", bad[i]);
}

static struct hf_compare compare_of(const char *text)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    char line[128];
    struct hf_clamav_signature s;
    struct hf_compare c;
    snprintf(line, sizeof line, "T;Engine:81-255,Target:0;0&1;6161;0(%s)", text);
    assert_int_equal(hf_clamav_read_ldb(hf_bytes_text(line), arena, &s), HF_CLAMAV_RULE);
    assert_int_equal(s.pattern_count, 2);
    assert_int_equal(s.patterns[1].kind, HF_PATTERN_COMPARE);
    assert_int_equal(hf_compare_read(s.patterns[1].text, &c), HF_OK);
    return c;
}

static void test_byte_comparisons_read_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *data;
        bool holds;
    } rows[] = {
        {">>2#il2#=0x4241", "aaAB", true},
        {">>2#ib2#=0x4142", "aaAB", true},
        {">>2#ib2#>0x4142", "aaAB", false},
        {">>2#de2#=12", "aa12", true},
        {">>2#de3#=12", "aa12z", false},
        {">>2#d3#=12", "aa12z", true},
        {">>2#d3#=12", "aa12", false},
        {">>2#d3#>9,<13", "aa12x", true},
        {">>2#d3#>9,<12", "aa12x", false},
        {">>2#hb4#=0x12ab", "aa12ab", true},
        {">>2#hl4#=0xab12", "aa12ab", true},
        {">>2#h4#=0x12ab", "aa12ab", false},
        {">>2#hl3#=0x5d08", "aa85d", true},
        {">>2#hl4#=0x85", "aa85d ", true},
        {">>2#ab6#=0x12ab", "aa0x12ab", true},
        {">>2#al6#=0xab12", "aa0x12ab", true},
        {">>2#al6#=12", "aa12    ", false},
        {">>2#d2#=0", "aazz", true},
        {"<<1#d1#=1", "aa", false},
        {">>5#d1#=1", "aa1", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hf_compare c = compare_of(rows[i].text);
        if (hf_compare_holds(&c, hf_bytes_text(rows[i].data), 0) != rows[i].holds)
            fail_msg("%s over %s", rows[i].text, rows[i].data);
    }
}

static void test_regular_expressions_have_triggers_and_flags(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    struct hf_clamav_signature s;
    struct hf_expression e;
    const char *line = "T;Engine:81-255,Target:0;0&1;10,5:0/a;b\\/c/gri;6161";
    assert_int_equal(hf_clamav_read_ldb(hf_bytes_text(line), arena, &s), HF_CLAMAV_BAD);
    line = "T;Engine:81-255,Target:0;0&1;6161;10,5:0/a;b\\/c/gri";
    assert_int_equal(hf_clamav_read_ldb(hf_bytes_text(line), arena, &s), HF_CLAMAV_RULE);
    const struct hf_pattern *p = &s.patterns[1];
    assert_int_equal(p->kind, HF_PATTERN_BACKTRACK);
    assert_int_equal(p->place.kind, HF_PLACE_START);
    assert_int_equal(p->place.offset, 10);
    assert_int_equal(p->place.span, 5);
    assert_int_equal(hf_expression_read(p->text, &e), HF_OK);
    assert_int_equal(e.flags,
                     HF_EXPRESSION_ALL | HF_EXPRESSION_ROLLING | HF_BACKTRACK_NOCASE);
    assert_true(hf_bytes_equal(e.text, hf_bytes_text("a;b\\/c")));
    assert_int_equal(hf_machine_check(e.trigger, s.rule.pattern_count), HF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements_match_what_they_say),
        cmocka_unit_test(test_offsets_bind_the_first_part),
        cmocka_unit_test(test_places_of_executables_are_read),
        cmocka_unit_test(test_what_is_no_signature_is_refused),
        cmocka_unit_test(test_plain_bytes_stay_literals_and_wide_gaps_split),
        cmocka_unit_test(test_every_end_of_a_part_may_begin_a_bounded_gap),
        cmocka_unit_test(test_chains_keep_what_follows),
        cmocka_unit_test(test_expressions_group_as_clamav_does),
        cmocka_unit_test(test_counts_are_those_of_last_parts),
        cmocka_unit_test(test_other_kinds_are_skipped_by_name),
        cmocka_unit_test(test_byte_comparisons_read_numbers),
        cmocka_unit_test(test_regular_expressions_have_triggers_and_flags),
    };
    return cmocka_run_group_tests_name("clamav", tests, NULL, NULL);
}
