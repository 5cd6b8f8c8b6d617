#include "base/limits.h"

#include "base/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_limits_are_set_by_name_and_unit(void **state)
{
    (void)state;
    struct hf_limits l;
    hf_limits_default(&l);
    assert_int_equal(l.depth, 17);
    assert_int_equal(hf_limits_set(&l, "max-filesize", hf_bytes_text("25M")), HF_OK);
    assert_int_equal(l.object_bytes, 25 << 20);
    assert_int_equal(hf_limits_set(&l, "max-scantime", hf_bytes_text("3")), HF_OK);
    assert_int_equal(l.time_ms, 3000);
    assert_int_equal(hf_limits_set(&l, "max-nonsense", hf_bytes_text("3")), HF_NOTFOUND);
    assert_int_equal(hf_limits_set(&l, "max-files", hf_bytes_text("many")), HF_INVALID);
    assert_int_equal(
        hf_limits_set(&l, "max-scantime", hf_bytes_text("18446744073709551615")),
        HF_INVALID);
}

static void test_zero_means_no_limit(void **state)
{
    (void)state;
    struct hf_budget b = hf_budget_of(&(struct hf_limits){.scan_bytes = 10});
    assert_true(hf_budget_object(&b));
    assert_true(hf_budget_bytes(&b, 10));
    assert_false(b.exhausted);
    assert_false(hf_budget_bytes(&b, 1));
    assert_true(b.exhausted);
    assert_int_equal(b.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_are_set_by_name_and_unit),
        cmocka_unit_test(test_zero_means_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
