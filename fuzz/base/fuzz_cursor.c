/* Drives a cursor with a script of operations taken from the input's second half. */
#include "base/auto.h"
#include "base/cursor.h"
#include "base/text.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void step(struct hf_cursor *c, uint8_t op, uint64_t arg)
{
    size_t before = hf_cursor_left(c);
    uint8_t out[16];
    switch (op % 12) {
    case 0: (void)hf_u8(c); break;
    case 1: (void)hf_uint(c, (unsigned)(arg % 9), (arg & 16) != 0); break;
    case 2: hf_skip(c, arg); break;
    case 3: hf_seek(c, arg); break;
    case 4: hf_copy(c, out, arg % sizeof out); break;
    case 5: *c = hf_cursor_sub(c, arg & 0xff, arg >> 8); break;
    case 6: *c = hf_cursor_clip(c, arg & 0xff, arg >> 8); break;
    case 7: *c = hf_cursor_at(c, arg); break;
    case 8: {
        size_t at = hf_find(c, &arg, 1 + arg % 2, arg);
        assert(at == SIZE_MAX || at >= c->pos);
        break;
    }
    case 9: (void)hf_find_last(c, &arg, 1, arg & 0xff, arg >> 8); break;
    case 10: {
        struct hf_bytes b = hf_take_until(c, op, arg, NULL);
        assert(b.len <= before);
        break;
    }
    case 11: (void)hf_take(c, arg); break;
    }
    assert(c->pos <= c->len);
    assert(!c->failed || hf_cursor_left(c) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 10000});
    struct hf_cursor script = hf_cursor_open(data + size / 2, size - size / 2, NULL);
    struct hf_cursor c = hf_cursor_open(data, size / 2, &budget);
    while (hf_cursor_left(&script) > 0) {
        uint8_t op = hf_u8(&script);
        step(&c, op, hf_uint(&script, (op & 64) != 0 ? 8 : 2, false));
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_escape(&text, hf_bytes_of(data, size));
    for (size_t i = 0; i < text.len; i++)
        assert(text.data[i] >= 0x20 && text.data[i] != 0x7f);
    return 0;
}
