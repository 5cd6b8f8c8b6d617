#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

/* Blocks form a list, newest first. The first block is kept across rewinds, so that a worker
 * that scans thousands of small files asks malloc once. */
struct block {
    struct block *older;
    size_t size, used;
    alignas(max_align_t) uint8_t data[];
};

struct hf_arena {
    struct block *newest;
    size_t cap, total; /* total counts what callers asked for, rounded up */
};

enum { BLOCK_MIN = 64 * 1024, ALIGN = alignof(max_align_t) };

static struct block *block_new(struct block *older, size_t size)
{
    struct block *b = malloc(sizeof *b + size);
    if (b == NULL)
        return NULL;
    b->older = older;
    b->size = size;
    b->used = 0;
    return b;
}

struct hf_arena *hf_arena_new(size_t cap)
{
    struct hf_arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        return NULL;
    arena->cap = cap;
    arena->newest = block_new(NULL, BLOCK_MIN);
    if (arena->newest == NULL) {
        free(arena);
        return NULL;
    }
    return arena;
}

void hf_arena_free(struct hf_arena *arena)
{
    if (arena == NULL)
        return;
    for (struct block *b = arena->newest; b != NULL;) {
        struct block *older = b->older;
        free(b);
        b = older;
    }
    free(arena);
}

void hf_arena_release(struct hf_arena **arena)
{
    hf_arena_free(*arena);
    *arena = NULL;
}

void *hf_arena_alloc(struct hf_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGN)
        return NULL;
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (need > arena->cap - arena->total)
        return NULL;
    struct block *b = arena->newest;
    if (need > b->size - b->used) {
        size_t size_wanted = need > BLOCK_MIN ? need : BLOCK_MIN;
        b = block_new(arena->newest, size_wanted);
        if (b == NULL)
            return NULL;
        arena->newest = b;
    }
    void *p = b->data + b->used;
    b->used += need;
    arena->total += need;
    return memset(p, 0, need);
}

void *hf_arena_array(struct hf_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return hf_arena_alloc(arena, total);
}

struct hf_bytes hf_arena_copy(struct hf_arena *arena, struct hf_bytes bytes)
{
    uint8_t *p = hf_arena_alloc(arena, bytes.len);
    if (p == NULL)
        return (struct hf_bytes){0};
    if (bytes.len > 0)
        memcpy(p, bytes.data, bytes.len);
    return hf_bytes_of(p, bytes.len);
}

char *hf_arena_text(struct hf_arena *arena, struct hf_bytes bytes)
{
    char *p = bytes.len == SIZE_MAX ? NULL : hf_arena_alloc(arena, bytes.len + 1);
    if (p != NULL && bytes.len > 0)
        memcpy(p, bytes.data, bytes.len);
    return p;
}

void *hf_arena_grow(struct hf_arena *arena, void *items, size_t count, size_t size)
{
    enum { FIRST = 4 };
    bool full = items == NULL || (count >= FIRST && (count & (count - 1)) == 0);
    if (!full) {
        memset((uint8_t *)items + count * size, 0, size);
        return items;
    }
    if (count > SIZE_MAX / 2)
        return NULL;
    void *more = hf_arena_array(arena, count == 0 ? FIRST : 2 * count, size);
    if (more != NULL && count > 0)
        memcpy(more, items, count * size);
    return more;
}

struct hf_arena_mark hf_arena_mark(const struct hf_arena *arena)
{
    return (struct hf_arena_mark){
        .block = arena->newest, .used = arena->newest->used, .total = arena->total};
}

void hf_arena_rewind(struct hf_arena *arena, struct hf_arena_mark mark)
{
    while (arena->newest != mark.block) {
        struct block *b = arena->newest;
        arena->newest = b->older;
        free(b);
    }
    arena->newest->used = mark.used;
    arena->total = mark.total;
}

size_t hf_arena_used(const struct hf_arena *arena)
{
    return arena->total;
}
