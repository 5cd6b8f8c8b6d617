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
    for (int i = 0; i < 100; i++)
        op(&b, HF_OP_UNDEFINED);
    op(&b, HF_OP_END);
    bool answer;
    assert_int_equal(run(&b, &answer), HF_MALFORMED);
    assert_int_equal(hf_machine_check(hf_buffer_view(&b), 3), HF_MALFORMED);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
