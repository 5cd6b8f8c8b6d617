/* What a hostile worker tells. Properties: records end exactly; what is read writes the same bytes; a
 * match has no more bytes than its length. Values for conditions likewise. */
#include "base/auto.h"
#include "facts/told.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_records(struct hf_bytes bytes)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer again = {0};
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    struct hf_told t = {0};
    enum hf_status st;
    while ((st = hf_told_next(&c, &t)) == HF_OK) {
        if (t.kind == HF_TOLD_RULE)
            hf_told_put_rule(&again, t.segment, t.rule);
        else if (t.kind == HF_TOLD_MATCH)
            hf_told_put_match(&again, t.pattern, t.offset, t.length, t.data);
        else
            hf_told_put_line(&again, t.data);
        assert(t.kind != HF_TOLD_MATCH || t.data.len <= t.length);
    }
    assert(st == HF_NOTFOUND || st == HF_MALFORMED);
    assert(again.len <= bytes.len &&
           (again.len == 0 || memcmp(again.data, bytes.data, again.len) == 0));
    assert(st != HF_NOTFOUND || again.len == bytes.len);
}

static void read_values(struct hf_bytes bytes)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer again = {0};
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    struct hf_value *values;
    size_t count = hf_told_get_values(&c, arena, &values);
    if (values == NULL)
        return;
    hf_told_put_values(&again, values, count);
    assert(again.len <= bytes.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct hf_bytes rest = hf_bytes_of(data + 1, size - 1);
    if ((data[0] & 1) != 0)
        read_values(rest);
    else
        read_records(rest);
    return 0;
}
