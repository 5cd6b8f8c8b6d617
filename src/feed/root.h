/* root.h - who may sign what: the roles of a publisher, each with its keys and how many of them
 * must sign. Version N + 1 is believed when as many root keys of version N and of its own have
 * signed it; the first comes from the owner of the machine. docs/updates.md has the grammar. */
#ifndef HF_FEED_ROOT_H
#define HF_FEED_ROOT_H

#include "feed/fields.h"
#include "feed/note.h"

enum { HF_ROOT_BYTES_MAX = 64 * 1024, HF_ROLES_MAX = 8, HF_ROLE_KEYS_MAX = 16 };

struct hf_role {
    struct hf_bytes name; /* "root", "log", or the channel whose releases it signs */
    uint64_t threshold;   /* 1..count */
    struct hf_vkey keys[HF_ROLE_KEYS_MAX]; /* all of different public bytes */
    size_t count;
};

struct hf_root {
    struct hf_bytes product;            /* borrowed from the text */
    uint64_t version;                   /* from 1 on, without gaps */
    uint64_t created, expires;          /* seconds since 1970 */
    struct hf_role roles[HF_ROLES_MAX]; /* root, log, then channels by name */
    size_t role_count;                  /* at least 2 */
};

/* Read a text; form only. The log's keys have one name, which is the log's origin.
 * HF_REFUSE_ROOT_LONG, _FORM, _ROLE (roles missing, twice or out of order), _KEYS (the same key
 * twice in a role, or a threshold that its keys cannot reach), HF_REFUSE_KEY_*, _BUDGET. */
HF_MUST_USE enum hf_refusal hf_root_read(struct hf_bytes text, struct hf_budget *budget,
                                         struct hf_root *root);

/* Append the text. HF_REFUSE_ARGUMENT when it would not be read again, HF_REFUSE_NOMEM. */
HF_MUST_USE enum hf_refusal hf_root_write(struct hf_buffer *out,
                                          const struct hf_root *root);

/* A role by name; NULL. */
const struct hf_role *hf_root_role(const struct hf_root *root, struct hf_bytes name);

/* Whether enough keys of a role have signed: HF_REFUSE_ROLE_THRESHOLD, HF_REFUSE_NOTE_SIGNATURE
 * (one of them does not fit), what else hf_note_verify returns. */
HF_MUST_USE enum hf_refusal hf_role_verify(const struct hf_role *role,
                                           const struct hf_signed_note *note);

/* Whether a note, already read into next, follows a root that is believed: HF_REFUSE_ROOT_PRODUCT,
 * _VERSION, _UNCHAINED (the old root's keys), HF_REFUSE_ROLE_THRESHOLD (its own). old NULL: only
 * that its own keys have signed it, for the first one. */
HF_MUST_USE enum hf_refusal hf_root_verify(const struct hf_root *old,
                                           const struct hf_signed_note *note,
                                           const struct hf_root *next);

#endif
