/* library_memory.h - memory for decompression libraries, through the hooks that they have for it:
 * capped, and kept for the next stream. A container with thousands of members would otherwise ask
 * the system for megabytes for each. It lies outside the arena, which never frees and zeroes all
 * that it hands out: a dictionary of 64 MiB for ten bytes of data must cost nothing. */
#ifndef HF_UNPACK_LIBRARY_MEMORY_H
#define HF_UNPACK_LIBRARY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum { HF_LIBRARY_KEPT = 16 }; /* blocks kept at most */

union hf_library_block;

struct hf_library_memory {
    size_t left; /* bytes that may still be handed out */
    size_t kept_bytes;
    union hf_library_block *kept[HF_LIBRARY_KEPT]; /* given back, for the next taker */
    size_t kept_count;
};

/* Memory of at most cap bytes in all; nothing is allocated yet. */
struct hf_library_memory hf_library_memory_of(size_t cap);

/* count times size bytes, aligned for any type, not zeroed. NULL when the product overflows, the
 * cap is reached or the system has no more. */
void *hf_library_alloc(struct hf_library_memory *memory, size_t count, size_t size);

/* Give back what hf_library_alloc returned; NULL is accepted. The memory that it came from must not
 * have moved. */
void hf_library_free(void *block);

/* Free what is kept; the memory can be used again. Libraries give back the rest themselves. */
void hf_library_memory_trim(struct hf_library_memory *memory);

#endif
