#include "view/html.h"

#include "base/auto.h"
#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

static enum hf_status append(void *user, struct hf_bytes bytes)
{
    hf_buffer_bytes(user, bytes);
    return HF_OK;
}

static enum hf_status refuse(void *user, struct hf_bytes bytes)
{
    *(size_t *)user += bytes.len;
    return HF_STOPPED;
}

typedef enum hf_status normaliser(struct hf_cursor *object, const struct hf_view_out *out);

static void expect(normaliser *run, const char *in, size_t len, const char *out)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer got = {0};
    struct hf_cursor c = hf_cursor_open(in, len, NULL);
    assert_int_equal(run(&c, &(struct hf_view_out){append, &got}), HF_OK);
    assert_int_equal(got.len, strlen(out));
    assert_memory_equal(got.data == NULL ? (const uint8_t *)"" : got.data, out, got.len);
}

static void test_text_is_lower_case_with_single_spaces(void **state)
{
    (void)state;
    expect(hf_view_text, "  A\t\r\n b\fC\v", 11, " a b c ");
}

static void test_text_loses_bytes_that_are_no_ascii(void **state)
{
    (void)state;
    expect(hf_view_text, "a \x80 \0b\x7f\x01~", 9, "a b\x7f~");
}

/* The slow second implementation: byte by byte, by the rule. */
static void slow_text(const uint8_t *in, size_t len, struct hf_buffer *out)
{
    for (size_t i = 0; i < len; i++) {
        bool space = in[i] == 32 || (in[i] > 8 && in[i] < 14);
        if (space && (out->len == 0 || out->data[out->len - 1] != ' '))
            hf_buffer_u8(out, ' ');
        else if (in[i] > 64 && in[i] < 91)
            hf_buffer_u8(out, in[i] | 32);
        else if (in[i] > 32 && in[i] < 128)
            hf_buffer_u8(out, in[i]);
    }
}

static void test_text_is_what_the_rule_says_for_random_bytes(void **state)
{
    (void)state;
    static uint8_t in[20000];
    srandom(1);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < sizeof in; i++)
            in[i] = (uint8_t)(random() % 3 == 0 ? 9 + random() % 30 : random());
        HF_AUTO(hf_buffer_done) struct hf_buffer slow = {0}, fast = {0};
        struct hf_cursor c = hf_cursor_open(in, sizeof in, NULL);
        slow_text(in, sizeof in, &slow);
        assert_int_equal(hf_view_text(&c, &(struct hf_view_out){append, &fast}), HF_OK);
        assert_true(hf_bytes_equal(hf_buffer_view(&slow), hf_buffer_view(&fast)));
    }
}

static void test_utf16_of_ascii_is_ascii(void **state)
{
    (void)state;
    expect(hf_view_utf16, "a\0B\0c", 5, "aB");
    expect(hf_view_utf16, "\xff\xfe\0a", 4, "\xdf\x10");
}

static void test_a_spent_budget_ends_with_a_limit(void **state)
{
    (void)state;
    static const uint8_t in[100000] = {'a'};
    struct hf_budget budget = hf_budget_unlimited();
    budget.work = 9;
    HF_AUTO(hf_buffer_done) struct hf_buffer got = {0};
    struct hf_cursor c = hf_cursor_open(in, sizeof in, &budget);
    assert_int_equal(hf_view_text(&c, &(struct hf_view_out){append, &got}), HF_LIMIT);
    assert_int_equal(got.len, 1);
}

static void test_a_sink_that_has_enough_ends_the_work(void **state)
{
    (void)state;
    static uint8_t in[100000];
    memset(in, 'x', sizeof in);
    size_t seen = 0;
    struct hf_cursor c = hf_cursor_open(in, sizeof in, NULL);
    assert_int_equal(hf_view_text(&c, &(struct hf_view_out){refuse, &seen}), HF_STOPPED);
    assert_true(seen > 0 && seen < sizeof in);
}

/* Expected: what `sigtool --html-normalise` of ClamAV 1.4.6 writes. */
static void test_pages_are_what_clamav_makes_of_them(void **state)
{
    (void)state;
    static const struct {
        const char *in, *page, *text;
    } pages[] = {
        {"<HTML><body onload=\"X()\">Hi &amp; <b>THERE</b> <!-- c --><i>x",
         "<html><body onload=\"x()\">hi & <b>there</b><i>x", " hi there x"},
        {"<a href='http://Foo.com/A b'>x</a  >", "<a href=\"http://foo.com/a b\">x</a>",
         " http://Foo.com/A b x "},
        {"<P  CLASS = x  >y", "<p class=x>y", " y"},
        {"<p a=\"b\"c=\"d\">y", "<p a=\"b\" c=\"d\">y", " y"},
        {"<!-- a > b -->y", "b -->y", " b -->y"},
        {"&euro;&Eacute;&AMP;&#65;&#x3002;x", "&#x20ac;\xc9&amp;a.x", " x"},
        {"<script>var A = 'b' ; if(a<b){\"</p>\"}</script> <b>y",
         "<script>vara=\"b\";if(a<b){\"</p>\"}</script><b>y", " y"},
        {"<img src=\"data:image/png;base64,AAAA\">t", "<img src=\"data\">t", " t"},
        {"a\r\nb\rc  d", "a bc d", "a bc d"},
        {"a<script", "a<script", "a "},
        {"abc&amp", "abc&", "abc "},
        {"x\xef\xbc\x8ey", "x.y", "x.y"},
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer page = {0}, text = {0};
        struct hf_cursor c = hf_cursor_open(pages[i].in, strlen(pages[i].in), NULL);
        const struct hf_view_html_out out = {{append, &page}, {append, &text}};
        assert_int_equal(hf_view_html(&c, &out), HF_OK);
        hf_buffer_u8(&page, 0);
        hf_buffer_u8(&text, 0);
        assert_string_equal((const char *)page.data, pages[i].page);
        assert_string_equal((const char *)text.data, pages[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_lower_case_with_single_spaces),
        cmocka_unit_test(test_text_loses_bytes_that_are_no_ascii),
        cmocka_unit_test(test_text_is_what_the_rule_says_for_random_bytes),
        cmocka_unit_test(test_utf16_of_ascii_is_ascii),
        cmocka_unit_test(test_a_spent_budget_ends_with_a_limit),
        cmocka_unit_test(test_pages_are_what_clamav_makes_of_them),
        cmocka_unit_test(test_a_sink_that_has_enough_ends_the_work),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
