/* build.h - between the parts of the image writer; match/ only. */
#ifndef HF_MATCH_BUILD_H
#define HF_MATCH_BUILD_H

#include "match/image.h"

/* Windows of a class with shuffle tables: with more, eight buckets let too much through. */
enum { BUILD_SHUFFLE_MOST = 128 };

/* A class to be. */
struct match_shape {
    uint8_t stride, window;
};

struct build_literal {
    struct hf_bytes bytes;
    uint32_t id;
    uint32_t run;   /* where the indexed run starts */
    uint32_t where; /* of its record, once written */
    uint8_t shape;  /* number in the plan */
    bool nocase;
};

/* The folded window of a literal at a place, as a loaded and masked word. */
static inline uint64_t build_window(const struct build_literal *l, size_t at,
                                    unsigned window)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < window; i++)
        x |= (uint64_t)match_fold(l->bytes.data[at + i]) << (8 * i);
    return x;
}

/* Zeros until len - base is a multiple of alignment. */
void hf_match_align(struct hf_buffer *out, size_t base, size_t alignment);

/*
 * Append the filter, shuffle tables, starts and entries of literals of one shape to an image that
 * begins at base, and the class's header to head.
 *
 * Returns HF_OK, HF_LIMIT (more than 2^32 windows), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_match_write_class(const struct build_literal *literals,
                                                size_t count, struct match_shape shape,
                                                size_t base, struct hf_buffer *head,
                                                struct hf_buffer *out);

#endif
