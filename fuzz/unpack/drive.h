/* drive.h - what fuzz targets of decoders share: run one under a small budget and check what holds
 * for each of them, whatever the input. */
#ifndef HF_FUZZ_UNPACK_DRIVE_H
#define HF_FUZZ_UNPACK_DRIVE_H

#include "../../tests/unpack/collect.h"
#include "base/auto.h"
#include "unpack/decoders.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void drive(hf_unpacker *unpack, const uint8_t *data, size_t size)
{
    enum { BYTES = 1 << 20, OBJECTS = 200 };
    struct hf_budget budget = hf_budget_of(
        &(struct hf_limits){.work = 200000, .scan_bytes = BYTES, .objects = OBJECTS});
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)512 << 20);
    HF_AUTO(collect_done) struct collect c;
    collect_init(&c, arena, &budget);
    enum hf_status st =
        collect_unpack(&c, unpack, HF_FORMAT_BINARY, hf_bytes_of(data, size));
    uint64_t total = 0;
    for (size_t i = 0; i < c.count; i++) {
        const struct collected *item = &c.items[i];
        if (item->was_whole) /* lies in the container */
            assert(item->bytes.len == 0 ||
                   (item->bytes.data >= data &&
                    item->bytes.len <= size - (size_t)(item->bytes.data - data)));
        else
            total += item->bytes.len;
    }
    assert(total <= BYTES);
    assert(c.count <= OBJECTS);
    assert(st != HF_NOTFOUND ||
           c.count == 0); /* nothing is said of what is something else */
    assert(st != HF_IO && st != HF_INVALID && st != HF_STOPPED);
}

#endif
