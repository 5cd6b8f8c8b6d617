/* recycle.h - memory for compression libraries out of a scan's arena. An arena does not free, and
 * a container with thousands of members would open a decompressor for each: what a library gives
 * back is kept here and handed out again. The arena's cap bounds all of it. */
#ifndef HF_UNPACK_RECYCLE_H
#define HF_UNPACK_RECYCLE_H

#include "base/arena.h"

enum { HF_RECYCLE_MAX = 32 };

struct hf_recycle {
    struct hf_arena *arena; /* borrowed */
    struct {
        void *block;
        size_t size;
        bool in_use;
    } slots[HF_RECYCLE_MAX];
};

/* At least size bytes, aligned for any type, not zeroed when they come from an earlier use. NULL
 * when the product overflows, the arena is exhausted or all slots are taken. */
void *hf_recycle_alloc(struct hf_recycle *r, size_t count, size_t size);

/* Give back what hf_recycle_alloc returned; NULL is accepted. */
void hf_recycle_free(struct hf_recycle *r, const void *block);

#endif
