/* members.h - signatures of what containers say of their members (rules/metadata.h): asked for each
 * member as a decoder announces it, before it is unpacked. */
#ifndef HF_SCAN_MEMBERS_H
#define HF_SCAN_MEMBERS_H

#include "db/db.h"

/* All of a database's, opened once an engine. */
struct hf_member_rules {
    struct hf_member_rule *items; /* owned */
    size_t count;
};

/* HF_OK; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_member_rules_make(const struct hf_db *db,
                                                struct hf_member_rules *rules);
void hf_member_rules_done(struct hf_member_rules *rules);

#endif
