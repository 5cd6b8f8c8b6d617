/* names_walk.h - all names of a segment in the order of their numbers, each for the price of its
 * own bits: for merging, where names.h would take a name's whole block apart for each. */
#ifndef HF_DB_NAMES_WALK_H
#define HF_DB_NAMES_WALK_H

#include "base/arena.h"
#include "db/names.h"
#include "db/stems.h"

struct hf_walk_stem {
    struct hf_bytes before, after;
    uint64_t base;
    uint32_t source;
    bool numbered;
};

struct hf_names_walk {
    const struct hf_names *names; /* borrowed */
    struct hf_bit_reader bits;
    uint32_t number; /* of the next name */
    struct hf_arena *arena;
    struct hf_walk_stem *stems; /* by number */
};

/* HF_OK, HF_MALFORMED, HF_NOMEM; done is called in any case. */
HF_MUST_USE enum hf_status hf_names_walk_begin(struct hf_names_walk *walk,
                                               const struct hf_names *names);
void hf_names_walk_done(struct hf_names_walk *walk);

/* The next name and its source; parts borrow from the walk. False at the end, or damaged. */
bool hf_names_walk_next(struct hf_names_walk *walk, struct hf_name_parts *parts,
                        uint32_t *source);

/* Append the name that parts were split from. */
void hf_name_join(const struct hf_name_parts *parts, struct hf_buffer *out);

#endif
