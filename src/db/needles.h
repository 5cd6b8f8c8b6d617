/* needles.h - what of the patterns the matcher searches for. The matcher reports a needle's
 * number; a table says which pattern it belongs to and which form of it it is
 * (pattern/search.h). Sets of plain byte strings need no table: numbers are the patterns'. */
#ifndef HF_DB_NEEDLES_H
#define HF_DB_NEEDLES_H

#include "base/arena.h"
#include "base/buffer.h"
#include "match/matcher.h"
#include "pattern/pattern.h"

/* Stored form of a table entry: u32 pattern, u16 variant, u16 0. */
enum { HF_NEEDLE_STORED = 8 };

struct hf_needles {
    struct hf_literal *items; /* for the matcher; id is the place in the table */
    size_t count;
    struct hf_buffer table;
    bool needs_table;       /* some needle is not simply the pattern of its number */
    struct hf_arena *arena; /* of items and of bytes that had to be made */
};

void hf_needles_done(struct hf_needles *needles);

/* Add the needles of one pattern under its number; its text is borrowed until the end. HF_OK;
 * HF_UNSUPPORTED: it has none; HF_LIMIT: too many; HF_MALFORMED; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_needles_add(struct hf_needles *needles,
                                          const struct hf_pattern *pattern,
                                          uint32_t number);

/* Whether a pattern can be looked for, and whether a match can lie in the holes of a sparse file:
 * when a needle of it is all zero bytes, or it has none and may begin with eight of them.
 * HF_OK; HF_LIMIT: too long; HF_MALFORMED; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_needles_look(const struct hf_pattern *pattern, bool *zeros);

/* The needles that are searched for in objects of one target: those of rules for every target and
 * those of its own rules. Targets with few needles share one matcher, that of target 0. */
struct hf_subset {
    const struct hf_needles *needles; /* borrowed */
    const uint8_t *targets;           /* of the patterns' rules; borrowed */
    uint32_t own;                     /* bits: targets that get a matcher of their own */
    struct hf_literal *items;         /* owned: what was chosen */
};

/* False when out of memory. */
HF_MUST_USE bool hf_subset_begin(struct hf_subset *set, const struct hf_needles *needles,
                                 const uint8_t *targets);
void hf_subset_done(struct hf_subset *set);

/* Put into items what the matcher of a target of own, or 0, searches for; how many. */
size_t hf_subset_choose(struct hf_subset *set, uint8_t target);

#endif
