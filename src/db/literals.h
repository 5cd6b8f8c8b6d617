/* literals.h - what of a pattern the matcher searches for. */
#ifndef HF_DB_LITERALS_H
#define HF_DB_LITERALS_H

#include "base/arena.h"
#include "match/matcher.h"
#include "pattern/pattern.h"

struct hf_literals {
    struct hf_literal *items;
    size_t count;
    struct hf_arena *arena; /* of the items and of bytes that had to be made */
};

void hf_literals_done(struct hf_literals *literals);

/* Add the literals of one pattern under its number. HF_UNSUPPORTED: it has none. */
HF_MUST_USE enum hf_status hf_literals_add(struct hf_literals *literals,
                                           const struct hf_pattern *pattern,
                                           uint32_t number);

#endif
