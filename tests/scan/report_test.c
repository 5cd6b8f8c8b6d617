#include "scan/report.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hf_finding finding(uint64_t order, enum hf_finding_kind kind, uint32_t number)
{
    return (struct hf_finding){.signature.number = number,
                               .kind = kind,
                               .body = kind == HF_FINDING_PATTERN,
                               .severity = HF_INFECTED,
                               .order = order};
}

static void test_the_name_does_not_depend_on_the_order_of_finding(void **state)
{
    (void)state;
    struct hf_finding f[] = {
        finding(0, HF_FINDING_PATTERN, 9), finding(0, HF_FINDING_SHA256, 1),
        finding(0, HF_FINDING_RULE, 0),    finding(1, HF_FINDING_PATTERN, 0),
        finding(1, HF_FINDING_PATTERN, 3), finding(2, HF_FINDING_MD5, 0),
    };
    struct hf_finding indicator = finding(0, HF_FINDING_PATTERN, 0);
    indicator.indicator = true;
    enum { N = sizeof f / sizeof *f };
    for (unsigned start = 0; start < N; start++) {
        HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
        struct hf_report r = hf_report_begin(arena);
        hf_report_found(&r, &indicator);
        for (unsigned i = 0; i < N; i++)
            hf_report_found(&r, &f[(start + i) % N]);
        hf_report_finish(&r);
        for (unsigned i = 0; i < N; i++) {
            assert_int_equal(r.findings[i].order, f[i].order);
            assert_int_equal(r.findings[i].kind, f[i].kind);
            assert_int_equal(r.findings[i].signature.number, f[i].signature.number);
        }
        assert_true(r.findings[N].indicator);
    }
}

static void test_one_name_is_kept_when_one_is_wanted(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_report r = hf_report_begin(arena);
    r.first_only = true;
    struct hf_finding digest = finding(0, HF_FINDING_SHA256, 0);
    struct hf_finding pattern = finding(0, HF_FINDING_PATTERN, 7);
    hf_report_found(&r, &digest);
    hf_report_found(&r, &pattern);
    hf_report_finish(&r);
    assert_int_equal(r.finding_count, 1);
    assert_int_equal(r.findings[0].kind, HF_FINDING_PATTERN);
}

static void test_the_verdict_is_the_gravest(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_report r = hf_report_begin(arena);
    hf_report_finish(&r);
    assert_int_equal(r.verdict, HF_CLEAN);
    hf_report_incident(&r, HF_REASON_LIMIT, NULL);
    hf_report_finish(&r);
    assert_int_equal(r.verdict, HF_UNSCANNABLE);
    struct hf_finding pua = finding(0, HF_FINDING_RULE, 0);
    pua.severity = HF_PUA;
    hf_report_found(&r, &pua);
    hf_report_finish(&r);
    assert_int_equal(r.verdict, HF_PUA);
    assert_int_equal(r.reasons, HF_REASON_LIMIT);
}

static void test_a_verdict_survives_when_there_is_no_room_for_evidence(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(16);
    struct hf_report r = hf_report_begin(arena);
    struct hf_finding f = finding(0, HF_FINDING_PATTERN, 0);
    hf_report_found(&r, &f);
    hf_report_finish(&r);
    assert_int_equal(r.finding_count, 0);
    assert_int_equal(r.findings_dropped, 1);
    assert_int_equal(r.verdict, HF_INFECTED);
}

static void test_long_and_deep_paths_are_cut_and_keep_the_innermost(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(4 << 20);
    static uint8_t long_name[5000];
    struct hf_bytes names[100];
    for (size_t i = 0; i < 100; i++)
        names[i] = hf_bytes_of(long_name, i == 99 ? 7 : sizeof long_name);
    struct hf_finding f = finding(0, HF_FINDING_PATTERN, 0);
    f.path = (struct hf_inner_path){.names = names, .count = 100};
    struct hf_report r = hf_report_begin(arena);
    hf_report_found(&r, &f);
    assert_int_equal(r.findings[0].path.count, HF_INNER_DEPTH_MAX);
    assert_int_equal(r.findings[0].path.names[0].len, HF_INNER_NAME_MAX);
    assert_int_equal(r.findings[0].path.names[HF_INNER_DEPTH_MAX - 1].len, 7);
}

static void test_incidents_are_told_once_and_capped(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    struct hf_report r = hf_report_begin(arena);
    for (uint8_t i = 0; i < 100; i++) {
        struct hf_bytes name = hf_bytes_of(&i, 1);
        struct hf_inner_path path = {.names = &name, .count = 1};
        hf_report_incident(&r, HF_REASON_MALFORMED, &path);
        hf_report_incident(&r, HF_REASON_MALFORMED, &path);
    }
    assert_int_equal(r.incident_count, HF_INCIDENTS_MAX);
    assert_int_equal(r.incidents[1].path.names[0].data[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_name_does_not_depend_on_the_order_of_finding),
        cmocka_unit_test(test_one_name_is_kept_when_one_is_wanted),
        cmocka_unit_test(test_the_verdict_is_the_gravest),
        cmocka_unit_test(test_a_verdict_survives_when_there_is_no_room_for_evidence),
        cmocka_unit_test(test_long_and_deep_paths_are_cut_and_keep_the_innermost),
        cmocka_unit_test(test_incidents_are_told_once_and_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
