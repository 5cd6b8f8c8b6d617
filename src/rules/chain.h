/* chain.h - patterns that were split at wide gaps, put together again: which matches of a linked
 * pattern follow a match of the one before (pattern/pattern.h, struct hf_link).
 *
 * A part's matches are found by the one pass over the bytes like any other pattern's; only when
 * every part has some, they are joined here, in time that their number bounds, not the gaps. */
#ifndef HF_RULES_CHAIN_H
#define HF_RULES_CHAIN_H

#include "base/arena.h"
#include "pattern/pattern.h"
#include "rules/machine.h"

/* One pattern of a rule and what was found of it. */
struct hf_chain_part {
    bool linked; /* HF_PATTERN_LINKED is set */
    struct hf_link link;
    /* Sorted by offset; of one offset all lengths that were found. Matches that do not count are
     * taken out in place. */
    struct hf_match *matches;
    size_t count;
};

/*
 * Take out the matches that follow none.
 *
 * parts   all patterns of a rule in order; the first is not linked (if it is, it never matches).
 * arena   for scratch memory, given back.
 * budget  charged a unit for each 64 matches; may be NULL.
 * Returns HF_OK, HF_LIMIT or HF_NOMEM (matches of the parts not looked at yet are all taken out,
 * so nothing counts that should not).
 */
HF_MUST_USE enum hf_status hf_chain_join(struct hf_chain_part *parts, size_t count,
                                         struct hf_arena *arena, struct hf_budget *budget);

#endif
