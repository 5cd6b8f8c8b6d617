/* naive.h - the matcher that cannot be wrong: every literal tried at every position. */
#ifndef HF_TESTS_MATCH_NAIVE_H
#define HF_TESTS_MATCH_NAIVE_H

#include "match/matcher.h"

struct hit {
    uint64_t start;
    uint32_t id, length;
};

struct hits {
    struct hit *items; /* owned */
    size_t count, room;
};

void hits_done(struct hits *hits);
bool hits_add(void *hits, uint32_t id, uint64_t start, uint32_t length); /* hf_on_literal */
void hits_sort(struct hits *hits);
bool hits_equal(const struct hits *a, const struct hits *b); /* both sorted */

void naive_search(const struct hf_literal *literals, size_t count, struct hf_bytes data,
                  uint64_t base, struct hits *out);

/* A small generator with the same numbers everywhere. */
uint64_t random_next(uint64_t *seed);
uint32_t random_below(uint64_t *seed, uint32_t n);

#endif
