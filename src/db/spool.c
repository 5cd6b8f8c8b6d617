#include "db/spool.h"

#include <stdlib.h>

struct hf_spool {
    size_t kept;
    struct hf_spooled *items;
    size_t count, room, next;
};

struct hf_spool *hf_spool_new(size_t kept)
{
    struct hf_spool *spool = calloc(1, sizeof *spool);
    if (spool != NULL)
        spool->kept = kept;
    return spool;
}

void hf_spool_free(struct hf_spool *spool)
{
    if (spool != NULL)
        free(spool->items);
    free(spool);
}

enum hf_status hf_spool_add(struct hf_spool *spool, const struct hf_spooled *record)
{
    if (spool->count == spool->room) {
        size_t room = spool->room == 0 ? 256 : spool->room * 2;
        struct hf_spooled *items = realloc(spool->items, room * sizeof *items);
        if (items == NULL)
            return HF_NOMEM;
        spool->items = items;
        spool->room = room;
    }
    spool->items[spool->count++] = *record;
    return HF_OK;
}

static int compare(const void *a, const void *b)
{
    const struct hf_spooled *x = a, *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    int order = memcmp(x->digest, y->digest, sizeof x->digest);
    if (order != 0)
        return order;
    return (x->order > y->order) - (x->order < y->order);
}

enum hf_status hf_spool_sort(struct hf_spool *spool)
{
    for (size_t i = 0; i < spool->count; i++)
        memset(spool->items[i].digest + spool->kept, 0,
               sizeof spool->items[i].digest - spool->kept);
    if (spool->count > 0)
        qsort(spool->items, spool->count, sizeof *spool->items, compare);
    spool->next = 0;
    return HF_OK;
}

bool hf_spool_next(struct hf_spool *spool, struct hf_spooled *record)
{
    if (spool->next == spool->count)
        return false;
    *record = spool->items[spool->next++];
    return true;
}

enum hf_status hf_spool_status(const struct hf_spool *spool)
{
    (void)spool;
    return HF_OK;
}
