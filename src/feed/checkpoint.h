/* checkpoint.h - what a log says of itself at a moment: its name, its number of entries and the
 * root of its tree, as the text of a signed note; cosigned by witnesses who saw it grow only.
 * [C2SP tlog-checkpoint v1, tlog-cosignature v1 with Ed25519] */
#ifndef HF_FEED_CHECKPOINT_H
#define HF_FEED_CHECKPOINT_H

#include "feed/merkle.h"
#include "feed/note.h"

enum { HF_ORIGIN_MAX = 255, HF_CHECKPOINT_BYTES_MAX = 64 * 1024 };

struct hf_checkpoint {
    struct hf_bytes origin; /* 1..HF_ORIGIN_MAX bytes; borrowed */
    uint64_t size;          /* entries, up to HF_TREE_MAX */
    struct hf_hash root;
    struct hf_bytes
        extensions; /* whole lines with their newlines, or empty; borrowed. What they
                                   say is vouched for by nobody. */
};

/*
 * Read the text of a note as a checkpoint. Form only; see hf_checkpoint_verify.
 *
 * Returns HF_ACCEPTED or HF_REFUSE_CHECKPOINT_* but _OTHER and _LOG. Written again
 * (hf_checkpoint_write) an accepted one gives the same bytes.
 */
HF_MUST_USE enum hf_refusal hf_checkpoint_read(struct hf_merkle *m, struct hf_bytes text,
                                               struct hf_checkpoint *checkpoint);

/* Append the text that is to be signed. HF_REFUSE_ARGUMENT when it would not be read again. */
HF_MUST_USE enum hf_refusal hf_checkpoint_write(struct hf_merkle *m, struct hf_buffer *out,
                                                const struct hf_checkpoint *checkpoint);

/* A log as we know it: its origin and the keys that it signs with (several while they rotate). */
struct hf_log {
    struct hf_bytes origin;
    const struct hf_vkey *keys; /* HF_KEY_ED25519 */
    size_t count;
};

/*
 * Verify a note as a checkpoint of a log.
 *
 * log        at least one of its keys must have signed.
 * witnesses  count of them, whose signatures must fit if they are there; how many there must be
 *            is the caller's policy. May be 0.
 * seals      log->count + count elements: first of the log's keys, then of the witnesses; all
 *            invalid unless HF_ACCEPTED.
 * out        valid on HF_ACCEPTED only.
 * Returns HF_ACCEPTED, HF_REFUSE_CHECKPOINT_*, what hf_note_verify returns, or HF_REFUSE_NOMEM.
 */
HF_MUST_USE enum hf_refusal hf_checkpoint_verify(struct hf_merkle *m,
                                                 const struct hf_signed_note *note,
                                                 const struct hf_log *log,
                                                 const struct hf_vkey *witnesses,
                                                 size_t count, struct hf_note_seal *seals,
                                                 struct hf_checkpoint *out);

/* Append a witness's signature line for a checkpoint's text, which the witness must have checked.
 * time in seconds since 1970. HF_REFUSE_KEY_ALGORITHM when the key is no cosigner's,
 * HF_REFUSE_NOTE_TIME, HF_REFUSE_CHECKPOINT_*, HF_REFUSE_CRYPTO, HF_REFUSE_NOMEM. */
HF_MUST_USE enum hf_refusal hf_checkpoint_cosign(struct hf_merkle *m, struct hf_buffer *out,
                                                 struct hf_bytes text, uint64_t time,
                                                 const struct hf_skey *key);

/* The base64 of one hash, 44 characters, as checkpoints and proofs have it on lines of its own. */
HF_MUST_USE bool hf_hash_read(struct hf_bytes line, struct hf_hash *hash);

#endif
