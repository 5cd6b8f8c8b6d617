/* note.h - signed notes: a text with signature lines by any number of keys, of which those that
 * we trust must fit and the others are ignored. [C2SP signed-note v1]
 *
 * Everything signed here is one: checkpoints, and releases with their role signatures. Reading
 * judges form only; nothing of a note may be used before hf_note_verify (or, for checkpoints,
 * hf_checkpoint_verify) has accepted it. */
#ifndef HF_FEED_NOTE_H
#define HF_FEED_NOTE_H

#include "base/arena.h"
#include "feed/key.h"

enum {
    HF_NOTE_BYTES_MAX = 512 * 1024,     /* of the whole note */
    HF_NOTE_SIGNATURES_MAX = 64,        /* the specification asks for 16 at least */
    HF_NOTE_SIGNATURE_BYTES_MAX = 8192, /* the largest in sight (post-quantum) have 5 kB */
};

/* One signature line. */
struct hf_note_signature {
    struct hf_bytes name;  /* of the key; in the note's bytes */
    uint32_t id;           /* of the key */
    struct hf_bytes bytes; /* decoded, behind the id; in the arena */
};

struct hf_signed_note {
    struct hf_bytes text; /* with its last newline, as it is signed; in the note's bytes */
    struct hf_note_signature *signatures; /* in the arena */
    size_t count;                         /* 1..HF_NOTE_SIGNATURES_MAX */
};

/* What one trusted key has to do with a note. */
struct hf_note_seal {
    bool valid;    /* it has signed */
    uint64_t time; /* of a cosigner: its newest, in seconds since 1970; else 0 */
};

/*
 * Read a note: all that is left of the cursor, which must be nothing but the note.
 *
 * c      its bytes are borrowed by *note. Lines are charged.
 * arena  owns the signatures.
 * note   filled on HF_ACCEPTED only. Writing it again (hf_note_write) gives the same bytes.
 * Returns HF_ACCEPTED, HF_REFUSE_NOTE_* but those of verification, _BUDGET, _NOMEM.
 */
HF_MUST_USE enum hf_refusal hf_note_read(struct hf_cursor *c, struct hf_arena *arena,
                                         struct hf_signed_note *note);

/*
 * Verify every signature of a note by a key in the list.
 *
 * keys   trusted, count of them (0 is refused as unknown), none twice. Cosigner keys are
 *        refused: they sign checkpoints only.
 * seals  count elements, receives which keys have signed; all invalid unless HF_ACCEPTED.
 *        Thresholds are the caller's business.
 * Returns HF_ACCEPTED when at least one key has signed and every signature line of any of them
 * fits; HF_REFUSE_NOTE_SIGNATURE or _LENGTH when one does not (the whole note is then refused,
 * whoever else signed), HF_REFUSE_NOTE_UNKNOWN, _KEY_AMBIGUOUS, _KEY_COSIGNER, _CRYPTO.
 */
HF_MUST_USE enum hf_refusal hf_note_verify(const struct hf_signed_note *note,
                                           const struct hf_vkey *keys, size_t count,
                                           struct hf_note_seal *seals);

/* Append a note as it was read: text, blank line, signature lines. */
void hf_note_write(struct hf_buffer *out, const struct hf_signed_note *note);

/*
 * Begin a note to be signed: append its text and the blank line. Signature lines follow by
 * hf_note_sign or hf_checkpoint_cosign with the same text, or as taken over from others.
 * HF_REFUSE_ARGUMENT when the text is empty, lacks its last newline or is no text for notes.
 */
HF_MUST_USE enum hf_refusal hf_note_begin(struct hf_buffer *out, struct hf_bytes text);

/* Append a signature line over text. HF_REFUSE_KEY_COSIGNER for a cosigner's key, HF_REFUSE_CRYPTO,
 * HF_REFUSE_NOMEM. */
HF_MUST_USE enum hf_refusal hf_note_sign(struct hf_buffer *out, struct hf_bytes text,
                                         const struct hf_skey *key);

#endif
