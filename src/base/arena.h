/* arena.h - memory that is born in a scan and dies with it: bump allocation under a byte cap,
 * released all at once. Parsers allocate here and nowhere else, and never free. */
#ifndef HF_BASE_ARENA_H
#define HF_BASE_ARENA_H

#include "base/bytes.h"
#include "base/status.h"

struct hf_arena;

/* An arena that hands out at most cap bytes. NULL when out of memory. */
struct hf_arena *hf_arena_new(size_t cap);
void hf_arena_free(struct hf_arena *arena);
void hf_arena_release(struct hf_arena **arena); /* for HF_AUTO */

/* Zeroed, aligned for any type. NULL when the cap or memory is exhausted. size 0 gives a valid
 * pointer to nothing. */
void *hf_arena_alloc(struct hf_arena *arena, size_t size);

/* count elements of size bytes, zeroed; NULL also when the product overflows. */
void *hf_arena_array(struct hf_arena *arena, size_t count, size_t size);

/* A copy of bytes (data NULL when out of memory), or of a text with its terminator (or NULL). */
struct hf_bytes hf_arena_copy(struct hf_arena *arena, struct hf_bytes bytes);
char *hf_arena_text(struct hf_arena *arena, struct hf_bytes bytes);

/*
 * Grow an array by one element; for lists whose length no header tells.
 *
 * items  the array, or NULL at first; count its length, size an element's bytes.
 * Returns the array (moved or not) with room for one more zeroed element, or NULL (the old array
 * stays valid). Capacity doubles, so n calls cost O(n).
 */
void *hf_arena_grow(struct hf_arena *arena, void *items, size_t count, size_t size);

/* Where the arena stands; rewinding to it gives back all that was allocated since. Objects of a
 * scan nest, so marks are used last in, first out. */
struct hf_arena_mark {
    void *block;
    size_t used, total;
};
struct hf_arena_mark hf_arena_mark(const struct hf_arena *arena);
void hf_arena_rewind(struct hf_arena *arena, struct hf_arena_mark mark);

/* Bytes handed out since the beginning or the last rewind. */
size_t hf_arena_used(const struct hf_arena *arena);

#endif
