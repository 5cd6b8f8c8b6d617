#include "rules/rule.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hf_rule full_rule(void)
{
    struct hf_rule r = hf_rule_plain();
    r.flags = HF_RULE_PUA | HF_RULE_INDICATOR | HF_RULE_WAKES_ALONE | HF_RULE_SUSPICIOUS;
    r.alone.size_max = 4096;
    r.alone.magic.length = 1;
    r.alone.magic.bytes[0] = 'M';
    r.scope.target = 7;
    r.scope.views = 3;
    r.guards.size_min = 6;
    r.guards.size_max = UINT64_C(1) << 40;
    r.guards.magic.length = 2;
    r.guards.magic.offset = 4;
    memcpy(r.guards.magic.bytes, "MZ", 2);
    r.guards.container = 13;
    r.pattern_first = 1000;
    r.pattern_count = 3;
    r.condition = HF_CONDITION_PROGRAM;
    r.program = hf_bytes_text("code");
    return r;
}

static void assert_same(const struct hf_rule *a, const struct hf_rule *b)
{
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->scope.views, b->scope.views);
    assert_int_equal(a->scope.target, b->scope.target);
    assert_true(a->guards.size_min == b->guards.size_min &&
                a->guards.size_max == b->guards.size_max);
    assert_memory_equal(&a->guards.magic, &b->guards.magic, sizeof a->guards.magic);
    assert_int_equal(a->guards.container, b->guards.container);
    assert_true(a->alone.size_max == b->alone.size_max);
    assert_memory_equal(&a->alone.magic, &b->alone.magic, sizeof a->alone.magic);
    assert_int_equal(a->pattern_first, b->pattern_first);
    assert_int_equal(a->pattern_count, b->pattern_count);
    assert_int_equal(a->condition, b->condition);
    assert_true(hf_bytes_equal(a->program, b->program));
}

static void test_rules_come_back_as_they_were_stored(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct hf_rule rules[] = {full_rule(), hf_rule_plain()}, back;
    hf_rule_write(&rules[0], &b);
    size_t first = b.len;
    hf_rule_write(&rules[1], &b);
    assert_int_equal(b.len - first, 17);
    struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hf_rule_read(&c, &back), HF_OK);
        assert_same(&rules[i], &back);
    }
    assert_int_equal(hf_cursor_left(&c), 0);
}

static void test_every_cut_and_unknown_bits_are_refused(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    struct hf_rule rule = full_rule(), back;
    hf_rule_write(&rule, &b);
    for (size_t n = 0; n < b.len; n++) {
        struct hf_cursor c = hf_cursor_open(b.data, n, NULL);
        assert_int_equal(hf_rule_read(&c, &back), HF_MALFORMED);
    }
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = {{1, 0x80}, {2, 9}, {4, 0x80}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        uint8_t kept = b.data[lies[i].at];
        b.data[lies[i].at] = lies[i].value;
        struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
        assert_int_equal(hf_rule_read(&c, &back), HF_MALFORMED);
        b.data[lies[i].at] = kept;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_come_back_as_they_were_stored),
        cmocka_unit_test(test_every_cut_and_unknown_bits_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
