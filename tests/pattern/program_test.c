/* Programs against the naive matcher, on patterns and texts made at random from a small alphabet
 * so that they meet often; and the cases that tell engines apart. */
#include "pattern/program.h"

#include "base/auto.h"
#include "naive.h"
#include "pattern/hex.h"
#include "pattern/regex.h"
#include "pattern/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t random_state = 42;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

/* ---- random patterns ---- */

static void random_regex(struct hf_buffer *out, unsigned depth, bool lazy)
{
    unsigned atoms = 1 + draw(4);
    for (unsigned i = 0; i < atoms; i++) {
        static const char *const simple[] = {
            "a",   "b",   "c",     "ab", ".",   "[ab]", "[^a]",   "\\w",
            "\\d", "\\s", "\\x61", "A",  "abc", "c1",   "[a-c1]", "\\W"};
        bool group = depth > 0 && draw(4) == 0;
        if (draw(12) == 0) {
            static const char *const places[] = {"^", "$", "\\b", "\\B"};
            hf_buffer_text(out, places[draw(4)]);
            continue;
        }
        if (group) {
            hf_buffer_text(out, "(");
            random_regex(out, depth - 1, lazy);
            for (unsigned n = draw(3); n > 0; n--) {
                hf_buffer_text(out, "|");
                random_regex(out, depth - 1, lazy);
            }
            hf_buffer_text(out, ")");
        } else {
            hf_buffer_text(out, simple[draw(sizeof simple / sizeof *simple)]);
        }
        static const char *const repeats[] = {"*",     "+",    "?",    "{2}",
                                              "{1,3}", "{,2}", "{2,}", "{0,1}"};
        if (draw(3) == 0) {
            hf_buffer_text(out, repeats[draw(8)]);
            hf_buffer_text(out, lazy ? "?" : "");
        }
    }
}

static void random_hex(struct hf_buffer *out, unsigned depth)
{
    static const char *const bytes[] = {"61 ", "62",   "63 ",  "6? ", "?1 ",
                                        "?? ", "~61 ", "~?2 ", "31"};
    hf_buffer_text(out, bytes[draw(3)]);
    for (unsigned i = draw(6); i > 0; i--) {
        if (depth > 0 && draw(4) == 0) {
            hf_buffer_text(out, "( ");
            random_hex(out, depth - 1);
            hf_buffer_text(out, "| ");
            random_hex(out, depth - 1);
            hf_buffer_text(out, ") ");
        } else if (draw(4) == 0) {
            static const char *const jumps[] = {"[1]", "[0-2] ", "[2-4]", "[3-] ", "[-]"};
            hf_buffer_text(out, jumps[draw(depth < 2 ? 3 : 5)]);
        }
        hf_buffer_text(out, bytes[draw(sizeof bytes / sizeof *bytes)]);
    }
    hf_buffer_text(out, bytes[draw(3)]);
}

static size_t random_text(uint8_t *text, size_t max)
{
    size_t len = draw((unsigned)max);
    for (size_t i = 0; i < len; i++)
        text[i] = (uint8_t) "aaabbbccc1 _A\nx"[draw(15)];
    return len;
}

/* ---- comparison ---- */

struct found {
    int length[NAIVE_MAX + 1]; /* by start; -1: none */
    bool lazy;
};

static bool on_match(void *user, uint64_t start, uint64_t length)
{
    struct found *f = user;
    assert_true(start <= NAIVE_MAX && length <= NAIVE_MAX);
    int *known = &f->length[start];
    if (*known < 0 || (f->lazy ? (int)length < *known : (int)length > *known))
        *known = (int)length;
    return true;
}

static bool folded_equal(const uint8_t *a, const uint8_t *b, size_t n, bool nocase)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t x = a[i], y = b[i];
        if (nocase && x >= 'A' && x <= 'Z')
            x |= 0x20;
        if (nocase && y >= 'A' && y <= 'Z')
            y |= 0x20;
        if (x != y)
            return false;
    }
    return true;
}

/* All matches by the program: from every occurrence of every anchor, or from every offset. */
static void run_program(const struct hf_program *p, struct hf_bytes text,
                        struct hf_machine_scratch *scratch, struct found *f)
{
    struct hf_subject subject = {.data = text};
    f->lazy = (p->flags & HF_PROGRAM_LAZY) != 0;
    for (size_t i = 0; i <= NAIVE_MAX; i++)
        f->length[i] = -1;
    if ((p->flags & HF_PROGRAM_ALONE) != 0) {
        uint64_t length;
        for (size_t i = 0; i <= text.len; i++)
            if (hf_program_match_at(p, &subject, i, scratch, &length) == HF_OK)
                on_match(f, i, length);
        return;
    }
    struct hf_anchor a;
    for (size_t at = 0; hf_program_next_anchor(p, &at, &a);)
        for (size_t i = 0; i + a.bytes.len <= text.len; i++)
            if (folded_equal(text.data + i, a.bytes.data, a.bytes.len,
                             (p->flags & HF_PROGRAM_NOCASE) != 0))
                assert_int_equal(
                    hf_program_verify(p, &a, &subject, i, scratch, on_match, f), HF_OK);
}

/* A match is as long as the head says, and has only bytes that it admits. */
static void check_head(const char *pattern, const struct hf_head *head,
                       struct hf_bytes data, size_t start, int length)
{
    for (size_t k = 0; length >= 0 && k < head->length; k++) {
        if (k >= (size_t)length)
            fail_msg("/%s/: a match of %d bytes, head of %zu", pattern, length,
                     head->length);
        const uint8_t b = data.data[start + k];
        if ((head->sets[k][b >> 3] >> (b & 7) & 1) == 0)
            fail_msg("/%s/: byte %02x at place %zu is not in the head", pattern, b, k);
    }
}

static void compare(const char *pattern, struct hf_node *root, unsigned flags,
                    struct hf_arena *arena, struct hf_machine_scratch *scratch)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer code = {0};
    struct hf_program program;
    assert_int_equal(hf_program_compile(root, flags | HF_PROGRAM_ORDERED, arena, &code),
                     HF_OK);
    assert_int_equal(hf_program_open(hf_buffer_view(&code), &program), HF_OK);
    static uint64_t programs;
    program.id = ++programs % 4 == 0 ? 0 : programs; /* most with tables, some without */
    const struct hf_pattern whole = {.kind = HF_PATTERN_REGEX,
                                     .text = hf_buffer_view(&code)};
    struct hf_head head;
    assert_int_equal(hf_pattern_head(&whole, &head), HF_OK);
    for (int round = 0; round < 10; round++) {
        uint8_t text[60];
        struct hf_bytes data = hf_bytes_of(text, random_text(text, sizeof text));
        struct found f;
        run_program(&program, data, scratch, &f);
        struct hf_subject subject = {.data = data};
        for (size_t i = 0; i <= data.len; i++) {
            int want = (program.flags & HF_PROGRAM_ORDERED) != 0
                           ? naive_first(root, data, i)
                           : naive_match(root, (flags & HF_PROGRAM_LAZY) != 0, data, i);
            check_head(pattern, &head, data, i, want);
            struct found here = {.length = {-1}, .lazy = f.lazy};
            here.length[i] = -1;
            assert_int_equal(
                hf_program_matches_at(&program, &subject, i, scratch, on_match, &here),
                HF_OK);
            if (here.length[i] != want)
                fail_msg("/%s/ in place at %zu: %d, naive %d", pattern, i, here.length[i],
                         want);
            if (f.length[i] != want)
                fail_msg("/%s/ on \"%.*s\" at %zu: %d, naive %d", pattern, (int)data.len,
                         (const char *)text, i, f.length[i], want);
        }
    }
}

/* Patterns of each kind, ten texts each: 100,000 pairs. `make differential` asks for more. */
static int pairs(void)
{
    const char *wanted = getenv("HOLDFAST_TEST_PAIRS");
    return wanted != NULL ? atoi(wanted) / 20 : 5000;
}

static void test_regular_expressions_agree_with_the_naive_matcher(void **state)
{
    (void)state;
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *s = hf_machine_scratch_new();
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    for (int i = 0, n = pairs(); i < n; i++) {
        struct hf_arena_mark mark = hf_arena_mark(arena);
        HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
        bool lazy = draw(3) == 0;
        random_regex(&text, 2, lazy);
        struct hf_regex_options options = {.nocase = draw(3) == 0, .dot_all = draw(2) == 0};
        struct hf_regex regex;
        struct hf_pattern_error error;
        struct hf_bytes view = hf_buffer_view(&text);
        hf_buffer_u8(&text, 0);
        view.data = text.data;
        assert_int_equal(hf_regex_parse(view, &options, arena, &regex, &error), HF_OK);
        unsigned flags =
            (regex.lazy ? HF_PROGRAM_LAZY : 0u) | (options.nocase ? HF_PROGRAM_NOCASE : 0u);
        compare((const char *)text.data, regex.root, flags, arena, s);
        hf_arena_rewind(arena, mark);
    }
}

static void test_hex_strings_agree_with_the_naive_matcher(void **state)
{
    (void)state;
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *s = hf_machine_scratch_new();
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16 << 20);
    for (int i = 0, n = pairs(); i < n; i++) {
        struct hf_arena_mark mark = hf_arena_mark(arena);
        HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
        random_hex(&text, 2);
        struct hf_node *root;
        struct hf_pattern_error error = {0};
        struct hf_bytes view = hf_buffer_view(&text);
        hf_buffer_u8(&text, 0);
        view.data = text.data;
        if (hf_hex_parse(view, arena, &root, &error) != HF_OK)
            fail_msg("{ %s }: %s at %zu", (const char *)text.data, error.text, error.at);
        compare((const char *)text.data, root, HF_PROGRAM_LAZY, arena, s);
        hf_arena_rewind(arena, mark);
    }
}

/* ---- chosen cases ---- */

struct compiled {
    struct hf_arena *arena;
    struct hf_buffer code;
    struct hf_program program;
    struct hf_machine_scratch *scratch;
};

static struct compiled compiled_regex(const char *text, bool nocase)
{
    struct compiled c = {.arena = hf_arena_new(64 << 20),
                         .scratch = hf_machine_scratch_new()};
    struct hf_regex_options options = {.nocase = nocase};
    struct hf_regex regex;
    struct hf_pattern_error error;
    assert_int_equal(hf_regex_parse(hf_bytes_text(text), &options, c.arena, &regex, &error),
                     HF_OK);
    unsigned flags =
        (regex.lazy ? HF_PROGRAM_LAZY : 0u) | (nocase ? HF_PROGRAM_NOCASE : 0u);
    assert_int_equal(hf_program_compile(regex.root, flags, c.arena, &c.code), HF_OK);
    assert_int_equal(hf_program_open(hf_buffer_view(&c.code), &c.program), HF_OK);
    return c;
}

static void compiled_done(struct compiled *c)
{
    hf_machine_scratch_free(c->scratch);
    hf_buffer_done(&c->code);
    hf_arena_free(c->arena);
}

static void assert_anchor(const char *regex, const char *anchor)
{
    HF_AUTO(compiled_done) struct compiled c = compiled_regex(regex, false);
    struct hf_anchor a;
    size_t at = 0;
    bool has = hf_program_next_anchor(&c.program, &at, &a);
    assert_int_equal(has, anchor != NULL);
    if (has && !hf_bytes_equal(a.bytes, hf_bytes_text(anchor)))
        fail_msg("/%s/: anchor \"%.*s\"", regex, (int)a.bytes.len,
                 (const char *)a.bytes.data);
}

static void test_anchors_are_the_best_piece_that_every_match_has(void **state)
{
    (void)state;
    assert_anchor("ab.*longest.c", "longest");
    assert_anchor("(foo|barbaz)quux", "quux");
    assert_anchor("x(hello)+y", "hello");
    assert_anchor("(hello)?yz", "yz");
    assert_anchor("[a-z]+", NULL);
    assert_anchor("(abc|[0-9])", NULL);
}

static void test_wide_subjects_are_read_in_pairs(void **state)
{
    (void)state;
    HF_AUTO(compiled_done) struct compiled c = compiled_regex("a[0-9]+b", false);
    struct hf_subject subject = {.data = hf_bytes_of("a\0001\0002\0b\0", 8), .wide = true};
    uint64_t length = 0;
    assert_int_equal(hf_program_match_at(&c.program, &subject, 0, c.scratch, &length),
                     HF_OK);
    assert_int_equal(length, 8);
    subject.data.len = 7;
    assert_int_equal(hf_program_match_at(&c.program, &subject, 0, c.scratch, &length),
                     HF_NOTFOUND);
}

/* Patterns that make backtracking exponential: time is bounded by states and bytes, which the
 * budget counts. */
static void test_catastrophic_patterns_are_linear(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(a*)*b",    "(a|a)*b",        "(a|aa)+b",
                                           "(a+)+b",    "(a?){30}a{30}b", "(((a*)*)*)*b",
                                           "(.*a){12}b"};
    static uint8_t text[20000];
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        HF_AUTO(compiled_done) struct compiled c = compiled_regex(patterns[i], false);
        struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 200000});
        struct hf_subject subject = {.data = hf_bytes_of(text, sizeof text),
                                     .budget = &budget};
        uint64_t length;
        assert_int_equal(hf_program_match_at(&c.program, &subject, 0, c.scratch, &length),
                         HF_NOTFOUND);
        assert_false(budget.exhausted);
    }
}

static void test_what_is_no_pattern_is_refused_with_a_place(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    static const char *const regexes[] = {
        "(|a)",           "()",     "a)",       "(a",   "[a",  "a**", "*a",  "^*",
        "[b-a]",          "a{3,2}", "a{40000}", "\\x1", "a|*", "\\",  "[\\", "a*b*?",
        "[\\w-z]{99999}", ""};
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        struct hf_regex_options options = {0};
        struct hf_regex regex;
        struct hf_pattern_error error = {0};
        if (hf_regex_parse(hf_bytes_text(regexes[i]), &options, arena, &regex, &error) ==
            HF_OK)
            fail_msg("/%s/ was taken", regexes[i]);
        assert_non_null(error.text);
        assert_true(error.at <= strlen(regexes[i]));
    }
    static const char *const hexes[] = {"",
                                        "6",
                                        "[1] 61",
                                        "61 [1]",
                                        "61 [0] 62",
                                        "61 (62",
                                        "61 )",
                                        "61 [3-2] 62",
                                        "~??",
                                        "6g",
                                        "(61|)",
                                        "61 ( 62 [2-] 63 | 64 ) 65",
                                        "61 [99999999999] 62"};
    for (size_t i = 0; i < sizeof hexes / sizeof *hexes; i++) {
        struct hf_node *root;
        struct hf_pattern_error error = {0};
        if (hf_hex_parse(hf_bytes_text(hexes[i]), arena, &root, &error) == HF_OK)
            fail_msg("{ %s } was taken", hexes[i]);
        assert_non_null(error.text);
    }
}

static void test_braces_that_repeat_nothing_are_literal(void **state)
{
    (void)state;
    HF_AUTO(compiled_done) struct compiled c = compiled_regex("a{x}b{2, 3}", false);
    struct hf_subject subject = {.data = hf_bytes_text("a{x}bbb")};
    uint64_t length = 0;
    assert_int_equal(hf_program_match_at(&c.program, &subject, 0, c.scratch, &length),
                     HF_OK);
    assert_int_equal(length, 7);
}

static void test_damaged_programs_are_refused(void **state)
{
    (void)state;
    HF_AUTO(compiled_done) struct compiled c = compiled_regex("ab(c|[d-f]{2,4})g.*h", true);
    struct hf_program program;
    for (size_t n = 0; n < c.code.len; n++)
        assert_int_equal(hf_program_open(hf_bytes_of(c.code.data, n), &program),
                         HF_MALFORMED);
    static uint8_t text[] = "xxabcg hello h abddg h";
    for (size_t i = 0; i < c.code.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) { /* any flip is refused or runs safely */
            c.code.data[i] ^= (uint8_t)(1u << bit);
            if (hf_program_open(hf_buffer_view(&c.code), &program) == HF_OK) {
                struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 1000});
                struct hf_subject s = {.data = hf_bytes_of(text, sizeof text),
                                       .budget = &budget};
                uint64_t length;
                (void)!hf_program_match_at(&program, &s, 2, c.scratch, &length);
                struct found f = {.lazy = false};
                struct hf_anchor a;
                for (size_t at = 0; hf_program_next_anchor(&program, &at, &a);)
                    (void)!hf_program_verify(&program, &a, &s, 2, c.scratch, on_match, &f);
            }
            c.code.data[i] ^= (uint8_t)(1u << bit);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regular_expressions_agree_with_the_naive_matcher),
        cmocka_unit_test(test_hex_strings_agree_with_the_naive_matcher),
        cmocka_unit_test(test_anchors_are_the_best_piece_that_every_match_has),
        cmocka_unit_test(test_wide_subjects_are_read_in_pairs),
        cmocka_unit_test(test_catastrophic_patterns_are_linear),
        cmocka_unit_test(test_what_is_no_pattern_is_refused_with_a_place),
        cmocka_unit_test(test_braces_that_repeat_nothing_are_literal),
        cmocka_unit_test(test_damaged_programs_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
