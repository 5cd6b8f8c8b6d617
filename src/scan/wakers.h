/* wakers.h - rules that can be true without a match, grouped by what must hold of an object first:
 * a thousand rules about signed executables cost an object that is none one comparison. */
#ifndef HF_SCAN_WAKERS_H
#define HF_SCAN_WAKERS_H

#include "db/db.h"

/* Rules with the same scope and guards. */
struct hf_waker_group {
    struct hf_rule rule; /* any of them: for scope and both guards */
    uint32_t segment;
    uint32_t first, count; /* in rules */
};

struct hf_wakers {
    struct hf_waker_group *groups; /* owned */
    size_t group_count;
    uint32_t *rules; /* owned: numbers in their segment, ascending in each group */
    size_t rule_count;
};

/* Group those of all segments. HF_OK; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_wakers_make(const struct hf_db *db, struct hf_wakers *wakers);
void hf_wakers_done(struct hf_wakers *wakers);

/* Whether sizes and magic of guards hold for a view's bytes. */
bool hf_guards_hold(const struct hf_guards *guards, struct hf_bytes view);

#endif
