#include "naive.h"

#include <stdlib.h>

void hits_done(struct hits *hits)
{
    free(hits->items);
    *hits = (struct hits){0};
}

bool hits_add(void *user, uint32_t id, uint64_t start, uint32_t length)
{
    struct hits *hits = user;
    if (hits->count == hits->room) {
        hits->room = hits->room == 0 ? 64 : 2 * hits->room;
        hits->items = realloc(hits->items, hits->room * sizeof *hits->items);
        if (hits->items == NULL)
            abort();
    }
    hits->items[hits->count++] = (struct hit){start, id, length};
    return true;
}

static int compare(const void *x, const void *y)
{
    const struct hit *a = x, *b = y;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

void hits_sort(struct hits *hits)
{
    if (hits->count > 0)
        qsort(hits->items, hits->count, sizeof *hits->items, compare);
}

bool hits_equal(const struct hits *a, const struct hits *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (compare(&a->items[i], &b->items[i]) != 0)
            return false;
    return true;
}

static uint8_t lower(uint8_t b)
{
    return b >= 'A' && b <= 'Z' ? (uint8_t)(b + 32) : b;
}

static bool occurs(const struct hf_literal *l, const uint8_t *at)
{
    for (size_t i = 0; i < l->bytes.len; i++) {
        uint8_t a = l->bytes.data[i], b = at[i];
        if (l->nocase ? lower(a) != lower(b) : a != b)
            return false;
    }
    return true;
}

/* Whether an earlier literal is the very same: given twice, reported once. */
static bool repeated(const struct hf_literal *literals, size_t n)
{
    const struct hf_literal *l = &literals[n];
    for (size_t i = 0; i < n; i++) {
        if (literals[i].id == l->id && literals[i].nocase == l->nocase &&
            literals[i].bytes.len == l->bytes.len && occurs(&literals[i], l->bytes.data))
            return true;
    }
    return false;
}

void naive_search(const struct hf_literal *literals, size_t count, struct hf_bytes data,
                  uint64_t base, struct hits *out)
{
    for (size_t n = 0; n < count; n++) {
        const struct hf_literal *l = &literals[n];
        if (repeated(literals, n))
            continue;
        for (size_t at = 0; at + l->bytes.len <= data.len; at++)
            if (occurs(l, data.data + at))
                hits_add(out, l->id, base + at, (uint32_t)l->bytes.len);
    }
}

uint64_t random_next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t random_below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(random_next(seed) % n);
}
