/* decode.h - what the fuzz targets of decoders share: one decoder over the input, under a small
 * budget, with what must hold whatever the input says. */
#ifndef HF_FUZZ_UNPACK_DECODE_H
#define HF_FUZZ_UNPACK_DECODE_H

#include "../../tests/unpack/collect.h"

#include "base/auto.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

enum {
    FUZZ_BYTES = 8 << 20,
    FUZZ_OBJECTS = 500,
    FUZZ_WORK = 100000,
    FUZZ_ARENA = 256 << 20
};

/* A worker's memory is limited and an allocation can fail: let large ones do so here too. */
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=256";
}

static void fuzz_decode(enum hf_format format, const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(FUZZ_ARENA);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){
        .work = FUZZ_WORK, .scan_bytes = FUZZ_BYTES, .objects = FUZZ_OBJECTS});
    struct collect c;
    collect_init(&c, arena, &budget);
    c.refuse_from = 200; /* unwanted children, and those cut short, take other paths */
    c.bytes_max = 1 << 20;
    hf_unpack_prepare();
    enum hf_status st =
        collect_unpack(&c, hf_unpacker_of(format)->unpack, format, hf_bytes_of(data, size));
    assert(!budget.exhausted || st == HF_LIMIT);
    assert(st != HF_INVALID && st != HF_IO && st != HF_STOPPED);
    if (st == HF_NOTFOUND)
        assert(c.count == 0);
    uint64_t total = 0;
    for (size_t i = 0; i < c.count; i++) {
        if (c.items[i].was_whole)
            assert(c.items[i].bytes.len == 0 ||
                   (c.items[i].bytes.data >= data && c.items[i].bytes.len <= size));
        else
            total += c.items[i].bytes.len;
    }
    assert(total <= FUZZ_BYTES);
    collect_done(&c);
}

#endif
