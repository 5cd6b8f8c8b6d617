/* The DER reader: values lie in the data and fill it up to where reading stops, those inside lie
 * inside, and OIDs, numbers and times are whatever they are without reading past them. */
#include "base/auto.h"
#include "format/der.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA = 1 << 22, WORK = 20000, DEPTH = 20 };

static void simple_types(const struct hf_der *value, struct hf_arena *arena)
{
    struct hf_cursor c = value->content;
    struct hf_bytes content = hf_take_rest(&c);
    uint64_t number;
    int64_t seconds;
    if (hf_der_uint(value, &number))
        assert(value->tag == HF_DER_INTEGER && number <= INT64_MAX);
    if (hf_der_time(HF_DER_TIME, content, &seconds) ||
        hf_der_time(HF_DER_UTC_TIME, content, &seconds))
        assert(content.len >= 10);
    struct hf_bytes text = hf_der_oid_text(content, arena);
    assert(text.data == NULL || text.len >= 3);
    struct hf_bytes bytes = hf_der_bytes(value, arena);
    assert(bytes.data == NULL || bytes.len <= content.len);
}

static void walk(struct hf_cursor c, struct hf_arena *arena, int depth)
{
    struct hf_der value;
    uint64_t at = hf_cursor_where(&c);
    while (hf_der_next(&c, &value)) {
        assert(value.content.len <= value.whole.len - 2);
        assert(hf_cursor_where(&c) == at + value.whole.len);
        at = hf_cursor_where(&c);
        struct hf_arena_mark mark = hf_arena_mark(arena);
        simple_types(&value, arena);
        hf_arena_rewind(arena, mark);
        if ((value.tag & HF_DER_CONSTRUCTED) != 0 && depth < DEPTH)
            walk(value.content, arena, depth + 1);
    }
    assert(c.failed || hf_cursor_left(&c) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = WORK});
    walk(hf_cursor_open(data, size, &budget), arena, 0);
    return 0;
}
