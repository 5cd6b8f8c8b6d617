/* proof.h - tlog-proof files: everything that shows offline that an entry is in a log: its index,
 * the inclusion proof and a cosigned checkpoint. Travels beside each release.
 * [C2SP tlog-proof v1] */
#ifndef HF_FEED_PROOF_H
#define HF_FEED_PROOF_H

#include "feed/checkpoint.h"

enum { HF_PROOF_BYTES_MAX = HF_CHECKPOINT_BYTES_MAX + 64 * 1024 };

struct hf_proof {
    struct hf_bytes
        extra;      /* decoded, in the arena; empty when absent. Proven by nothing. */
    uint64_t index; /* of the entry */
    struct hf_hash path[HF_PROOF_MAX];
    size_t count;
    struct hf_signed_note checkpoint; /* read, not verified */
};

/*
 * Read a file: all that is left of the cursor. Form only.
 *
 * Returns HF_ACCEPTED, HF_REFUSE_FILE_*, what hf_note_read returns. Written again
 * (hf_proof_write) an accepted one gives the same bytes.
 */
HF_MUST_USE enum hf_refusal hf_proof_read(struct hf_cursor *c, struct hf_arena *arena,
                                          struct hf_proof *proof);

/* Append the file. HF_REFUSE_ARGUMENT (too many hashes), HF_REFUSE_NOMEM. */
HF_MUST_USE enum hf_refusal hf_proof_write(struct hf_buffer *out,
                                           const struct hf_proof *proof);

/*
 * Verify that a log holds an entry.
 *
 * entry  the bytes that the log has hashed as its leaf.
 * others as hf_checkpoint_verify, which comes first; out and seals say what the checkpoint was,
 * for consistency with the last one seen and for the witness policy, which are not judged here.
 * Returns HF_ACCEPTED, what hf_checkpoint_verify returns, what hf_inclusion_check returns.
 */
HF_MUST_USE enum hf_refusal hf_proof_verify(struct hf_merkle *m,
                                            const struct hf_proof *proof,
                                            struct hf_bytes entry, const struct hf_log *log,
                                            const struct hf_vkey *witnesses, size_t count,
                                            struct hf_note_seal *seals,
                                            struct hf_checkpoint *out);

#endif
