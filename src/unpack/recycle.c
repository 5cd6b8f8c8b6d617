#include "unpack/recycle.h"

/* The smallest kept block that fits; a slot for a new one when there is none. */
static size_t find_slot(const struct hf_recycle *r, size_t need)
{
    size_t best = SIZE_MAX, empty = SIZE_MAX;
    for (size_t i = 0; i < HF_RECYCLE_MAX; i++) {
        if (r->slots[i].block == NULL)
            empty = empty == SIZE_MAX ? i : empty;
        else if (!r->slots[i].in_use && r->slots[i].size >= need &&
                 (best == SIZE_MAX || r->slots[i].size < r->slots[best].size))
            best = i;
    }
    return best != SIZE_MAX ? best : empty;
}

void *hf_recycle_alloc(struct hf_recycle *r, size_t count, size_t size)
{
    size_t need;
    if (__builtin_mul_overflow(count, size, &need))
        return NULL;
    size_t i = find_slot(r, need);
    if (i == SIZE_MAX)
        return NULL;
    if (r->slots[i].block == NULL) {
        r->slots[i].block = hf_arena_alloc(r->arena, need);
        if (r->slots[i].block == NULL)
            return NULL;
        r->slots[i].size = need;
    }
    r->slots[i].in_use = true;
    return r->slots[i].block;
}

void hf_recycle_free(struct hf_recycle *r, const void *block)
{
    for (size_t i = 0; block != NULL && i < HF_RECYCLE_MAX; i++)
        if (r->slots[i].block == block)
            r->slots[i].in_use = false;
}
