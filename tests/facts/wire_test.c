#include "facts/facts_wire.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void say(struct hf_fact_wire_writer *w, enum hf_fact_event_kind kind,
                enum hf_fact_type type, const char *name, struct hf_value value)
{
    struct hf_fact_event e = {
        .kind = kind, .type = type, .name = hf_bytes_text(name), .value = value};
    if (kind == HF_FACT_EVENT_CLOSE)
        e.left_out = 9;
    (void)hf_fact_wire_visit(w, &e);
}

static void write_some(struct hf_buffer *out, size_t max, bool *cut)
{
    const struct hf_value none = {0};
    struct hf_fact_wire_writer w = {.out = out, .max = max};
    say(&w, HF_FACT_EVENT_OPEN, HF_FACT_STRUCT, "elf", none);
    say(&w, HF_FACT_EVENT_VALUE, HF_FACT_INT, "type", hf_value_int(-2));
    say(&w, HF_FACT_EVENT_VALUE, HF_FACT_BOOL, "big", hf_value_bool(true));
    say(&w, HF_FACT_EVENT_VALUE, HF_FACT_FLOAT, "ratio", hf_value_real(0.5));
    say(&w, HF_FACT_EVENT_OPEN, HF_FACT_ARRAY, "names", none);
    say(&w, HF_FACT_EVENT_VALUE, HF_FACT_STRING, "",
        hf_value_string(hf_bytes_of("a\0b", 3)));
    say(&w, HF_FACT_EVENT_VALUE, HF_FACT_STRING, "",
        (struct hf_value){.type = HF_FACT_STRING});
    say(&w, HF_FACT_EVENT_CLOSE, HF_FACT_ARRAY, "names", none);
    say(&w, HF_FACT_EVENT_OPEN, HF_FACT_DICT, "info", none);
    say(&w, HF_FACT_EVENT_VALUE, HF_FACT_STRING, "key",
        hf_value_string(hf_bytes_text("v")));
    say(&w, HF_FACT_EVENT_CLOSE, HF_FACT_DICT, "info", none);
    say(&w, HF_FACT_EVENT_CLOSE, HF_FACT_STRUCT, "elf", none);
    *cut = w.cut;
}

static void read_as_json(struct hf_bytes bytes, struct hf_buffer *out)
{
    struct hf_fact_wire_reader r = hf_fact_wire_open(bytes);
    struct hf_fact_json json = {.out = out};
    struct hf_fact_event e;
    enum hf_status st;
    while ((st = hf_fact_wire_next(&r, &e)) == HF_OK)
        (void)hf_fact_json_visit(&json, &e);
    assert_int_equal(st, HF_NOTFOUND);
    hf_buffer_u8(out, 0);
}

static void test_what_was_written_is_read(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer wire = {0}, json = {0};
    bool cut;
    write_some(&wire, SIZE_MAX, &cut);
    assert_false(cut);
    read_as_json(hf_buffer_view(&wire), &json);
    assert_string_equal(
        (const char *)json.data,
        "{\"type\":-2,\"big\":true,\"ratio\":0.5,\"names\":[\"a\\u0000b\",null],"
        "\"names_cut\":9,\"info\":{\"key\":\"v\"},\"info_cut\":9}");
}

static void test_a_full_writer_closes_what_is_open(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer whole = {0};
    bool cut;
    write_some(&whole, SIZE_MAX, &cut);
    for (size_t max = 0; max < whole.len - 30; max++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer wire = {0}, json = {0};
        write_some(&wire, max, &cut);
        assert_true(cut);
        read_as_json(hf_buffer_view(&wire), &json); /* balanced */
    }
}

static void test_lies_are_refused(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer wire = {0};
    struct hf_fact_event e;
    bool cut;
    write_some(&wire, SIZE_MAX, &cut);
    for (size_t len = 1; len < wire.len; len++) { /* ends anywhere */
        struct hf_fact_wire_reader r = hf_fact_wire_open(hf_bytes_of(wire.data, len));
        enum hf_status st;
        while ((st = hf_fact_wire_next(&r, &e)) == HF_OK)
            continue;
        assert_int_equal(st, HF_MALFORMED);
    }
    static const uint8_t first[] = {
        HF_FACT_EVENT_CLOSE | HF_FACT_STRUCT << 2, /* nothing is open */
        HF_FACT_EVENT_VALUE | HF_FACT_INT << 2,    /* outside of all */
        HF_FACT_EVENT_OPEN | HF_FACT_INT << 2,     /* no level */
        HF_FACT_EVENT_OPEN | 15 << 2,              /* no type */
        3,                                         /* no kind */
        HF_FACT_EVENT_OPEN | HF_FACT_STRUCT << 2 | 0x40,
        HF_FACT_EVENT_OPEN | HF_FACT_STRUCT << 2 | 0x80, /* an undefined struct */
    };
    for (size_t i = 0; i < sizeof first; i++) {
        uint8_t bytes[64] = {first[i]};
        struct hf_fact_wire_reader r = hf_fact_wire_open(hf_bytes_of(bytes, sizeof bytes));
        assert_int_equal(hf_fact_wire_next(&r, &e), HF_MALFORMED);
    }
    uint8_t deep[HF_FACT_DEPTH_MAX + 1][9]; /* each an empty name and an empty label */
    memset(deep, 0, sizeof deep);
    for (size_t i = 0; i <= HF_FACT_DEPTH_MAX; i++)
        deep[i][0] = HF_FACT_EVENT_OPEN | HF_FACT_STRUCT << 2;
    struct hf_fact_wire_reader r = hf_fact_wire_open(hf_bytes_of(deep, sizeof deep));
    for (size_t i = 0; i < HF_FACT_DEPTH_MAX; i++)
        assert_int_equal(hf_fact_wire_next(&r, &e), HF_OK);
    assert_int_equal(hf_fact_wire_next(&r, &e), HF_MALFORMED);
}

static void test_names_of_numbers_come_along(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer wire = {0};
    struct hf_fact_wire_writer w = {.out = &wire, .max = SIZE_MAX};
    struct hf_fact_event e = {
        .kind = HF_FACT_EVENT_OPEN, .type = HF_FACT_STRUCT, .name = hf_bytes_text("elf")};
    assert_true(hf_fact_wire_visit(&w, &e));
    e = (struct hf_fact_event){.kind = HF_FACT_EVENT_VALUE,
                               .type = HF_FACT_INT,
                               .name = hf_bytes_text("type"),
                               .value = hf_value_int(3),
                               .label = hf_bytes_text("DYN")};
    assert_true(hf_fact_wire_visit(&w, &e));
    hf_fact_wire_close(&w);
    struct hf_fact_wire_reader r = hf_fact_wire_open(hf_buffer_view(&wire));
    assert_int_equal(hf_fact_wire_next(&r, &e), HF_OK);
    assert_int_equal(e.label.len, 0);
    assert_int_equal(hf_fact_wire_next(&r, &e), HF_OK);
    assert_true(hf_bytes_equal(e.label, hf_bytes_text("DYN")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_written_is_read),
        cmocka_unit_test(test_a_full_writer_closes_what_is_open),
        cmocka_unit_test(test_lies_are_refused),
        cmocka_unit_test(test_names_of_numbers_come_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
