#include "rules/machine.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Pattern 0 matches at 4, 10 and 10 (two lengths); pattern 1 never; pattern 2 at 0. */
static size_t matches(void *user, uint32_t pattern, const struct hf_match **out)
{
    static const struct hf_match zero[] = {{4, 3}, {10, 2}, {10, 5}}, two[] = {{0, 1}};
    (void)user;
    *out = pattern == 0 ? zero : two;
    return pattern == 0 ? 3 : pattern == 2 ? 1 : 0;
}

static enum hf_status run(const struct hf_buffer *program, bool *answer)
{
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 1000});
    struct hf_machine_input input = {
        .matches = matches,
        .pattern_count = 3,
        .view = hf_cursor_open("\xfe\xff\x03\x04", 4, &budget),
    };
    return hf_machine_run(hf_buffer_view(program), &input, answer);
}

static void op(struct hf_buffer *b, enum hf_op o)
{
    hf_buffer_u8(b, (uint8_t)o);
}

static void op_int(struct hf_buffer *b, int64_t n)
{
    op(b, HF_OP_INT);
    hf_buffer_u64(b, (uint64_t)n);
}

static void op_pattern(struct hf_buffer *b, enum hf_op o, uint32_t pattern)
{
    op(b, o);
    hf_buffer_u32(b, pattern);
}

/* Finish the program, see that the checker accepts it, and run it. */
static bool answer_of(struct hf_buffer *b)
{
    bool answer = false;
    op(b, HF_OP_END);
    assert_int_equal(hf_machine_check(hf_buffer_view(b), 3), HF_OK);
    assert_int_equal(run(b, &answer), HF_OK);
    hf_buffer_clear(b);
    return answer;
}

static void test_matches_are_asked_by_place_and_count(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    op_pattern(&b, HF_OP_MATCHED, 0);
    assert_true(answer_of(&b));
    op_pattern(&b, HF_OP_MATCHED, 1);
    assert_false(answer_of(&b));
    op_pattern(&b, HF_OP_COUNT, 0);
    op_int(&b, 3);
    op(&b, HF_OP_EQ);
    assert_true(answer_of(&b));
    for (int64_t at = -1; at < 12; at++) {
        op_int(&b, at);
        op_pattern(&b, HF_OP_AT, 0);
        assert_int_equal(answer_of(&b), at == 4 || at == 10);
    }
    op_int(&b, 5);
    op_int(&b, 9);
    op_pattern(&b, HF_OP_IN, 0);
    assert_false(answer_of(&b));
    op_int(&b, 3);
    op_pattern(&b, HF_OP_LENGTH, 0);
    op_int(&b, 5);
    op(&b, HF_OP_EQ);
    assert_true(answer_of(&b));
    op(&b, HF_OP_COUNT_SUM);
    hf_buffer_u32(&b, 0);
    hf_buffer_u32(&b, 3);
    op_int(&b, 4);
    op(&b, HF_OP_EQ);
    assert_true(answer_of(&b));
    op(&b, HF_OP_DISTINCT);
    hf_buffer_u32(&b, 0);
    hf_buffer_u32(&b, 3);
    op_int(&b, 2);
    op(&b, HF_OP_EQ);
    assert_true(answer_of(&b));
}

static void test_undefined_spreads_and_is_false(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    op_int(&b, 4);
    op_pattern(&b, HF_OP_OFFSET, 0); /* there is no fourth match */
    op_int(&b, 0);
    op(&b, HF_OP_EQ);
    op(&b, HF_OP_NOT);
    assert_false(answer_of(&b));
    op(&b, HF_OP_UNDEFINED);
    op_int(&b, 1);
    op(&b, HF_OP_OR);
    assert_true(answer_of(&b));
    op_int(&b, INT64_MIN);
    op_int(&b, -1);
    op(&b, HF_OP_DIV);
    op(&b, HF_OP_DEFINED);
    assert_false(answer_of(&b));
    op_int(&b, 7);
    op_int(&b, 0);
    op(&b, HF_OP_MOD);
    op(&b, HF_OP_DEFINED);
    assert_false(answer_of(&b));
}

static void read_equals(struct hf_buffer *b, int64_t at, uint8_t width, uint8_t flags,
                        int64_t v)
{
    op_int(b, at);
    op(b, HF_OP_READ);
    hf_buffer_u8(b, width);
    hf_buffer_u8(b, flags);
    op_int(b, v);
    op(b, HF_OP_EQ);
    assert_true(answer_of(b));
}

static void test_the_view_is_read_with_sign_and_order(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    read_equals(&b, 0, 1, 0, 0xfe);
    read_equals(&b, 0, 1, 1, -2);
    read_equals(&b, 0, 2, 2, 0xfeff);
    read_equals(&b, 0, 2, 1, -2);
    read_equals(&b, 0, 4, 0, 0x0403fffe);
    op_int(&b, 1);
    op(&b, HF_OP_READ);
    hf_buffer_u8(&b, 4);
    hf_buffer_u8(&b, 0);
    op(&b, HF_OP_DEFINED);
    assert_false(answer_of(&b));
}

static void test_jumps_go_forward_only(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    op_int(&b, 0);
    op(&b, HF_OP_JUMP_IF_FALSE);
    hf_buffer_u32(&b, 9 + 5 + 1 + 9); /* to END: the answer is the kept 0 */
    op(&b, HF_OP_POP);
    op_int(&b, 1);
    assert_false(answer_of(&b));
    op_int(&b, 1);
    op(&b, HF_OP_JUMP_IF_TRUE);
    hf_buffer_u32(&b, 0);
    op(&b, HF_OP_END);
    bool answer;
    assert_int_equal(run(&b, &answer), HF_MALFORMED);
    assert_int_equal(hf_machine_check(hf_buffer_view(&b), 3), HF_MALFORMED);
}

static void test_nonsense_is_refused_at_run_and_check(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        const char *code;
    } bad[] = {
        {0, ""},                              /* no end */
        {1, "\xC8"},                          /* no such operation */
        {1, "\0"},                            /* an end without an answer */
        {2, "\x12\0"},                        /* not of nothing */
        {5, "\1\1\1\1\1"},                    /* half a number */
        {6, "\3\3\0\0\0\0"},                  /* pattern 3 of 3 */
        {10, "\5\1\0\0\0\xff\xff\xff\xff\0"}, /* a range that wraps */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
        hf_buffer_add(&b, bad[i].code, bad[i].len);
        bool answer = true;
        assert_int_equal(run(&b, &answer), HF_MALFORMED);
        assert_false(answer);
        assert_int_equal(hf_machine_check(hf_buffer_view(&b), 3), HF_MALFORMED);
    }
}

static void test_the_stack_has_an_end(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    for (int i = 0; i < HF_MACHINE_STACK + 1; i++)
        op(&b, HF_OP_UNDEFINED);
    op(&b, HF_OP_END);
    bool answer;
    assert_int_equal(run(&b, &answer), HF_MALFORMED);
    assert_int_equal(hf_machine_check(hf_buffer_view(&b), 3), HF_MALFORMED);
}

static void op_var(struct hf_buffer *b, enum hf_op o, uint8_t variable)
{
    op(b, o);
    hf_buffer_u8(b, variable);
}

static void op_string(struct hf_buffer *b, const char *text)
{
    op(b, HF_OP_STRING);
    hf_buffer_counted(b, hf_bytes_text(text));
}

/* sum = 0; for i = 1..n: sum += i */
static void op_sum(struct hf_buffer *b, int64_t n)
{
    op_int(b, 0);
    op_var(b, HF_OP_SET, 0);
    op_int(b, 1);
    op_var(b, HF_OP_SET, 1);
    uint32_t top = (uint32_t)b->len;
    op_var(b, HF_OP_GET, 0);
    op_var(b, HF_OP_GET, 1);
    op(b, HF_OP_ADD);
    op_var(b, HF_OP_SET, 0);
    op_var(b, HF_OP_GET, 1);
    op_int(b, 1);
    op(b, HF_OP_ADD);
    op_var(b, HF_OP_SET, 1);
    op_var(b, HF_OP_GET, 1);
    op_int(b, n);
    op(b, HF_OP_GT);
    op(b, HF_OP_JUMP_IF_TRUE);
    hf_buffer_u32(b, (uint32_t)b->len + 4 + 1 + 5);
    op(b, HF_OP_POP);
    op(b, HF_OP_LOOP);
    hf_buffer_u32(b, top);
    op(b, HF_OP_POP);
    op_var(b, HF_OP_GET, 0);
}

static void test_loops_turn_and_end_with_the_budget(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    op_sum(&b, 10);
    op_int(&b, 55);
    op(&b, HF_OP_EQ);
    assert_true(answer_of(&b));
    op_sum(&b, INT64_MAX);
    op(&b, HF_OP_END);
    bool answer = true;
    assert_int_equal(hf_machine_check(hf_buffer_view(&b), 3), HF_OK);
    assert_int_equal(run(&b, &answer), HF_LIMIT);
    assert_false(answer);
}

static void test_loops_that_move_the_stack_are_refused(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    op_int(&b, 1);
    op(&b, HF_OP_LOOP);
    hf_buffer_u32(&b, 0);
    op(&b, HF_OP_END);
    assert_int_equal(hf_machine_check(hf_buffer_view(&b), 3), HF_MALFORMED);
}

static void test_strings_are_compared_with_and_without_case(void **state)
{
    static const struct {
        const char *a, *b;
        enum hf_op op;
        bool answer;
    } cases[] = {
        {"Hello World", "lo W", HF_OP_CONTAINS, true},
        {"Hello World", "LO w", HF_OP_CONTAINS, false},
        {"Hello World", "LO w", HF_OP_ICONTAINS, true},
        {"Hello", "", HF_OP_CONTAINS, true},
        {"", "x", HF_OP_ICONTAINS, false},
        {"Hello", "He", HF_OP_STARTS, true},
        {"Hello", "hE", HF_OP_STARTS, false},
        {"Hello", "hE", HF_OP_ISTARTS, true},
        {"Hello", "llo", HF_OP_ENDS, true},
        {"lo", "llo", HF_OP_ENDS, false},
        {"Hello", "LLO", HF_OP_IENDS, true},
        {"Hello", "hELLO", HF_OP_IEQUALS, true},
        {"Hello", "hELL", HF_OP_IEQUALS, false},
        {"abc", "abd", HF_OP_LT, true},
        {"ab", "abc", HF_OP_GE, false},
        {"ab", "ab", HF_OP_EQ, true},
        {"ab", "ab", HF_OP_ADD, false}, /* undefined */
    };
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        op_string(&b, cases[i].a);
        op_string(&b, cases[i].b);
        op(&b, cases[i].op);
        assert_int_equal(answer_of(&b), cases[i].answer);
    }
}

static void test_floats_and_integers_mix(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    double half = 0.5;
    uint64_t bits;
    memcpy(&bits, &half, sizeof bits);
    op(&b, HF_OP_REAL);
    hf_buffer_u64(&b, bits);
    op_int(&b, 2);
    op(&b, HF_OP_MUL);
    op_int(&b, 1);
    op(&b, HF_OP_EQ);
    assert_true(answer_of(&b));
    op(&b, HF_OP_REAL);
    hf_buffer_u64(&b, bits);
    op(&b, HF_OP_NEGATE);
    op_int(&b, 0);
    op(&b, HF_OP_LT);
    assert_true(answer_of(&b));
}

static void test_computed_patterns_and_tables_have_bounds(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    for (int64_t i = -1; i < 4; i++) {
        op_int(&b, i);
        op(&b, HF_OP_PICK);
        hf_buffer_u32(&b, 3);
        hf_buffer_u32(&b, 1);
        hf_buffer_u32(&b, 0);
        hf_buffer_u32(&b, 77);
        op(&b, HF_OP_COUNT_OF);
        op_int(&b, 3);
        op(&b, HF_OP_EQ);
        assert_int_equal(answer_of(&b), i == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches_are_asked_by_place_and_count),
        cmocka_unit_test(test_undefined_spreads_and_is_false),
        cmocka_unit_test(test_the_view_is_read_with_sign_and_order),
        cmocka_unit_test(test_jumps_go_forward_only),
        cmocka_unit_test(test_nonsense_is_refused_at_run_and_check),
        cmocka_unit_test(test_the_stack_has_an_end),
        cmocka_unit_test(test_loops_turn_and_end_with_the_budget),
        cmocka_unit_test(test_loops_that_move_the_stack_are_refused),
        cmocka_unit_test(test_strings_are_compared_with_and_without_case),
        cmocka_unit_test(test_floats_and_integers_mix),
        cmocka_unit_test(test_computed_patterns_and_tables_have_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
