#include "base/buffer.h"

#include "base/auto.h"
#include "base/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_buffer_u8(&b, 1);
    hf_buffer_u16(&b, 0x0203);
    hf_buffer_u32(&b, 0x04050607);
    hf_buffer_u64(&b, UINT64_C(0x08090a0b0c0d0e0f));
    hf_buffer_counted(&b, hf_bytes_text("text"));
    hf_buffer_align(&b, 64);
    assert_int_equal(b.len, 64);
    struct hf_cursor c = hf_cursor_open(b.data, b.len, NULL);
    assert_int_equal(hf_u8(&c), 1);
    assert_int_equal(hf_u16le(&c), 0x0203);
    assert_int_equal(hf_u32le(&c), 0x04050607);
    assert_true(hf_u64le(&c) == UINT64_C(0x08090a0b0c0d0e0f));
    struct hf_bytes text = hf_take(&c, hf_u32le(&c));
    assert_true(hf_bytes_equal(text, hf_bytes_text("text")));
    assert_int_equal(hf_cursor_status(&c), HF_OK);
}

static void test_growth_keeps_contents(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    for (uint32_t i = 0; i < 10000; i++)
        hf_buffer_u32(&b, i);
    hf_buffer_format(&b, "%s-%d", "x", 5);
    assert_int_equal(b.len, 40003);
    assert_int_equal(b.data[4 * 9999], 9999 & 255);
    assert_memory_equal(b.data + 40000, "x-5", 3);
    assert_false(b.failed);
}

static void test_failure_is_remembered(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    assert_null(hf_buffer_reserve(&b, SIZE_MAX - 10));
    hf_buffer_u8(&b, 1);
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_growth_keeps_contents),
        cmocka_unit_test(test_failure_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
