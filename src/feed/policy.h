/* policy.h - the owner's rule of which witnesses must have cosigned a log's checkpoint, as the
 * public text format. [C2SP tlog-policy] The keys of witnesses are Ed25519 (v1). */
#ifndef HF_FEED_POLICY_H
#define HF_FEED_POLICY_H

#include "base/arena.h"
#include "feed/note.h"

enum {
    HF_POLICY_BYTES_MAX = 256 * 1024,
    HF_POLICY_LOGS_MAX = 32,
    HF_POLICY_WITNESSES_MAX = 32,
    HF_POLICY_GROUPS_MAX = 32,
    HF_POLICY_NAMES_MAX = HF_POLICY_WITNESSES_MAX + HF_POLICY_GROUPS_MAX,
    HF_POLICY_QUORUM_NONE = -1,
};

/* A name of the policy: a witness, or a group of names before it. */
struct hf_policy_name {
    struct hf_bytes name;
    bool group;
    uint8_t witness;   /* number of the witness */
    uint8_t threshold; /* of a group: 1..count */
    uint8_t count;
    uint8_t members[HF_POLICY_NAMES_MAX]; /* numbers of names */
};

struct hf_policy {
    struct hf_vkey logs[HF_POLICY_LOGS_MAX];
    size_t log_count;
    struct hf_vkey witnesses[HF_POLICY_WITNESSES_MAX]; /* cosigners */
    size_t witness_count;
    struct hf_policy_name names[HF_POLICY_NAMES_MAX];
    size_t name_count;
    int quorum; /* number of a name, or HF_POLICY_QUORUM_NONE */
};

/* Read a policy. Names borrow from text. HF_REFUSE_POLICY_*, HF_REFUSE_KEY_*, _BUDGET. */
HF_MUST_USE enum hf_refusal hf_policy_read(struct hf_bytes text, struct hf_budget *budget,
                                           struct hf_policy *policy);

/*
 * Whether the witnesses that have cosigned are a quorum.
 *
 * seals  policy->witness_count of them, in order.
 * time   out: the newest moment at which a quorum had seen the checkpoint; 0 for "none".
 * Returns HF_ACCEPTED or HF_REFUSE_POLICY_QUORUM.
 */
HF_MUST_USE enum hf_refusal hf_policy_judge(const struct hf_policy *policy,
                                            const struct hf_note_seal *seals,
                                            uint64_t *time);

#endif
