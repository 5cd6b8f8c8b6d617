#include "unpack/library_memory.h"

#include <stdint.h>
#include <stdlib.h>

/* Small blocks are the allocator's business, and giant ones cost little beside what is done with
 * them. */
enum { KEEP_FROM = 4096, KEEP_BYTES = 8 << 20 };

/* Stands in front of each block. */
union hf_library_block {
    struct {
        struct hf_library_memory *memory;
        size_t size;
    } of;
    max_align_t align;
};

struct hf_library_memory hf_library_memory_of(size_t cap)
{
    return (struct hf_library_memory){.left = cap};
}

static union hf_library_block *take_kept(struct hf_library_memory *m, size_t i)
{
    union hf_library_block *b = m->kept[i];
    m->kept[i] = m->kept[--m->kept_count];
    m->kept_bytes -= b->of.size;
    return b;
}

void hf_library_memory_trim(struct hf_library_memory *m)
{
    while (m->kept_count > 0) {
        union hf_library_block *b = take_kept(m, m->kept_count - 1);
        m->left += b->of.size;
        free(b);
    }
}

/* The smallest kept block that fits; NULL. */
static union hf_library_block *find_kept(struct hf_library_memory *m, size_t need)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < m->kept_count; i++)
        if (m->kept[i]->of.size >= need &&
            (best == SIZE_MAX || m->kept[i]->of.size < m->kept[best]->of.size))
            best = i;
    return best == SIZE_MAX ? NULL : take_kept(m, best);
}

void *hf_library_alloc(struct hf_library_memory *m, size_t count, size_t size)
{
    size_t need;
    if (__builtin_mul_overflow(count, size, &need))
        return NULL;
    union hf_library_block *b = need < KEEP_FROM ? NULL : find_kept(m, need);
    if (b != NULL)
        return b + 1;
    if (need > m->left)
        hf_library_memory_trim(m);
    if (need > m->left || need > SIZE_MAX - sizeof *b)
        return NULL;
    b = malloc(sizeof *b + need);
    if (b == NULL)
        return NULL;
    b->of.memory = m;
    b->of.size = need;
    m->left -= need;
    return b + 1;
}

void hf_library_free(void *block)
{
    if (block == NULL)
        return;
    union hf_library_block *b = (union hf_library_block *)block - 1;
    struct hf_library_memory *m = b->of.memory;
    if (b->of.size >= KEEP_FROM && m->kept_count < HF_LIBRARY_KEPT &&
        b->of.size <= KEEP_BYTES - m->kept_bytes) {
        m->kept[m->kept_count++] = b;
        m->kept_bytes += b->of.size;
        return;
    }
    m->left += b->of.size;
    free(b);
}
