#include "base/text.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_text(struct hf_buffer *b, const char *expected)
{
    hf_buffer_u8(b, 0);
    assert_string_equal((const char *)b->data, expected);
    hf_buffer_clear(b);
}

static void test_escape_disarms_terminals_and_lines(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_escape(&b, hf_bytes_text("a\nb\x1b[31m\\ \x7f"));
    assert_text(&b, "a\\nb\\x1b[31m\\\\ \\x7f");
    hf_escape(&b, hf_bytes_text("gr\xc3\xbc\xc3\x9f"));
    assert_text(&b, "gr\xc3\xbc\xc3\x9f");
    hf_escape(&b, hf_bytes_text("cod\xe2\x80\xae"
                                "fdp.exe"));
    assert_text(&b, "cod\\u{202e}fdp.exe");
    hf_escape(&b, hf_bytes_text("\xc0\xaf\xed\xa0\x80\xff"));
    assert_text(&b, "\\xc0\\xaf\\xed\\xa0\\x80\\xff");
}

static void test_json_keeps_every_byte(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_json_string(&b, hf_bytes_text("q\"\\\n\x01\xff\xc3\xa4"));
    assert_text(&b, "\"q\\\"\\\\\\u000a\\u0001\\udcff\xc3\xa4\"");
}

static void test_unhex_refuses_what_is_not_hex(void **state)
{
    (void)state;
    uint8_t out[4];
    assert_int_equal(hf_unhex(hf_bytes_text("00fFAb"), out, 4), 3);
    assert_int_equal(out[1], 0xff);
    assert_true(hf_unhex(hf_bytes_text("0"), out, 4) == SIZE_MAX);
    assert_true(hf_unhex(hf_bytes_text("0g"), out, 4) == SIZE_MAX);
    assert_true(hf_unhex(hf_bytes_text("0011223344"), out, 4) == SIZE_MAX);
}

static void test_numbers_and_sizes(void **state)
{
    (void)state;
    uint64_t v = 0;
    assert_true(hf_parse_uint(hf_bytes_text("18446744073709551615"), &v) &&
                v == UINT64_MAX);
    assert_false(hf_parse_uint(hf_bytes_text("18446744073709551616"), &v));
    assert_false(hf_parse_uint(hf_bytes_text(""), &v));
    assert_false(hf_parse_uint(hf_bytes_text("-1"), &v));
    assert_true(hf_parse_size(hf_bytes_text("10k"), &v) && v == 10240);
    assert_true(hf_parse_size(hf_bytes_text("2GiB"), &v) && v == UINT64_C(2) << 30);
    assert_true(hf_parse_size(hf_bytes_text("7B"), &v) && v == 7);
    assert_false(hf_parse_size(hf_bytes_text("1x"), &v));
    assert_false(hf_parse_size(hf_bytes_text("99999999T"), &v) && v < 99999999);
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_format_size(&b, 1536);
    assert_text(&b, "1.5 KiB");
    hf_format_size(&b, 1023);
    assert_text(&b, "1023 B");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape_disarms_terminals_and_lines),
        cmocka_unit_test(test_json_keeps_every_byte),
        cmocka_unit_test(test_unhex_refuses_what_is_not_hex),
        cmocka_unit_test(test_numbers_and_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
