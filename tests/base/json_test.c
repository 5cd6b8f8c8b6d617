#include "base/json.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct hf_arena *arena;

static enum hf_status read_bytes(const char *text, size_t len, const struct hf_json **out)
{
    struct hf_budget budget = hf_budget_unlimited();
    struct hf_cursor c = hf_cursor_open(text, len, &budget);
    return hf_json_read(&c, arena, out);
}

static enum hf_status read_text(const char *text, const struct hf_json **out)
{
    return read_bytes(text, strlen(text), out);
}

static void test_values_of_all_kinds_are_read(void **state)
{
    (void)state;
    const struct hf_json *root;
    assert_int_equal(read_text(" {\"list\": [1, -20, 1.5e3, true, false, null, \"t\"],\n"
                               "\"inner\": {\"deep\": \"x\"}, \"same\": 1, \"same\": 2}\t",
                               &root),
                     HF_OK);
    static const enum hf_json_type types[] = {
        HF_JSON_INTEGER, HF_JSON_INTEGER, HF_JSON_REAL,  HF_JSON_TRUE,
        HF_JSON_FALSE,   HF_JSON_NULL,    HF_JSON_STRING};
    const struct hf_json *e = hf_json_elements(hf_json_member(root, "list"));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++, e = e->next)
        assert_int_equal(e->type, types[i]);
    assert_null(e);
    e = hf_json_elements(hf_json_member(root, "list"))->next;
    assert_true(e->integer == -20);
    const struct hf_json *deep = hf_json_member(hf_json_member(root, "inner"), "deep");
    assert_true(hf_bytes_equal(deep->string, hf_bytes_text("x")));
    assert_true(hf_json_member(root, "same")->integer == 2);
    assert_null(hf_json_member(root, "none"));
    assert_null(hf_json_member(NULL, "none"));
    assert_null(hf_json_elements(root));
}

static void test_escapes_are_decoded(void **state)
{
    (void)state;
    const struct hf_json *root;
    assert_int_equal(read_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac"
                               "\\ud83d\\ude00\\u0000\xc3\xa9\"",
                               &root),
                     HF_OK);
    static const char want[] =
        "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0\xc3\xa9";
    assert_true(hf_bytes_equal(root->string, hf_bytes_of(want, sizeof want - 1)));
}

static void test_what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "[1 2]",
        "01",
        "1.",
        "-",
        "+1",
        "1e",
        "nul",
        "truefalse",
        "[1",
        "\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\x01\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xe2\x82\"",
        "[] []",
        "9223372036854775808",
        "'a'",
        "{\"a\":1,}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct hf_json *root;
        assert_int_equal(read_text(wrong[i], &root), HF_MALFORMED);
        assert_null(root);
    }
}

static void test_depth_and_work_are_bounded(void **state)
{
    (void)state;
    char deep[2 * HF_JSON_DEPTH_MAX + 2];
    const struct hf_json *root;
    memset(deep, '[', HF_JSON_DEPTH_MAX);
    memset(deep + HF_JSON_DEPTH_MAX, ']', HF_JSON_DEPTH_MAX);
    assert_int_equal(read_bytes(deep, 2 * (size_t)HF_JSON_DEPTH_MAX, &root), HF_OK);
    memset(deep, '[', HF_JSON_DEPTH_MAX + 1);
    memset(deep + HF_JSON_DEPTH_MAX + 1, ']', HF_JSON_DEPTH_MAX + 1);
    assert_int_equal(read_bytes(deep, sizeof deep, &root), HF_LIMIT);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 3});
    struct hf_cursor c = hf_cursor_open("[1,2,3,4]", 9, &budget);
    assert_int_equal(hf_json_read(&c, arena, &root), HF_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_all_kinds_are_read),
        cmocka_unit_test(test_escapes_are_decoded),
        cmocka_unit_test(test_what_is_no_json_is_refused),
        cmocka_unit_test(test_depth_and_work_are_bounded),
    };
    arena = hf_arena_new(1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    hf_arena_free(arena);
    return failed;
}
