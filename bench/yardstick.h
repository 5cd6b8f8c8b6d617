/* yardstick.h - vectorscan as a second opinion on literals: the same matches, its own speed. */
#ifndef HF_BENCH_YARDSTICK_H
#define HF_BENCH_YARDSTICK_H

#include "match/matcher.h"

/* What a pass over a text found, in a form that does not depend on order. */
struct tally {
    uint64_t matches;
    uint64_t sum; /* of tally_hash(id, end) */
};

static inline uint64_t tally_hash(uint32_t id, uint64_t end)
{
    uint64_t z = (end ^ (uint64_t)id << 40) * UINT64_C(0x9e3779b97f4a7c15);
    return (z ^ z >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

struct yardstick; /* NULL throughout when built without vectorscan */

/*
 * Compile (some 26 s and 1 GiB for 410,000 literals) or take from the cache file, which is
 * written after a compilation. The cache is not checked against the literals: name it after
 * them.
 */
struct yardstick *yardstick_open(const struct hf_literal *literals, size_t count,
                                 const char *cache);
void yardstick_scan(struct yardstick *y, struct hf_bytes data, uint64_t base,
                    struct tally *tally);
void yardstick_close(struct yardstick *y);

#endif
