/* note_internal.h - between note.c and checkpoint.c: signatures with the cosigners' types. */
#ifndef HF_FEED_NOTE_INTERNAL_H
#define HF_FEED_NOTE_INTERNAL_H

#include "feed/note.h"

/* As hf_note_verify, cosigner keys admitted: the caller knows that the text is a checkpoint. */
HF_MUST_USE enum hf_refusal hf_note_verify_all(const struct hf_signed_note *note,
                                               const struct hf_vkey *keys, size_t count,
                                               struct hf_note_seal *seals);

/* Append the line of a signature's bytes. */
void hf_note_write_line(struct hf_buffer *out, const struct hf_note_signature *signature);

/* Append the bytes that a cosigner signs. [tlog-cosignature "Ed25519 signed message"] */
void hf_note_cosigned_message(struct hf_buffer *out, struct hf_bytes text, uint64_t time);

#endif
