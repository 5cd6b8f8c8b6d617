/* manifest.h - what a release is: one canonical text that names its files by hash and says for
 * whom, from when and with which abilities it is meant. Signed as a note by the keys of its
 * channel's role; its hash is an entry of the publisher's log. docs/updates.md has the grammar. */
#ifndef HF_FEED_MANIFEST_H
#define HF_FEED_MANIFEST_H

#include "feed/fields.h"

enum {
    HF_MANIFEST_BYTES_MAX = 64 * 1024,
    HF_MANIFEST_CAPABILITIES_MAX = 16,
    HF_MANIFEST_RINGS_MAX = 16,
    HF_MANIFEST_FILES_MAX = 64,
    HF_MANIFEST_DELTAS_MAX = 256,
    HF_RELEASE_DATABASES_MAX = 12, /* of one publisher: there is room for others besides */
};
#define HF_MANIFEST_FILE_SIZE_MAX (UINT64_C(1) << 40)

/* From publication on plus delay seconds, percent of all endpoints may take the release. */
struct hf_manifest_ring {
    uint64_t percent; /* 1..100, ascending; the last is 100 */
    uint64_t delay;   /* seconds, not descending */
};

struct hf_manifest_file {
    struct hf_bytes name; /* hf_file_name_valid */
    uint64_t size;
    struct hf_hash hash; /* SHA-256; also the name of its object */
};

/* An object from which a file is made: compressed, against a file that the endpoint has. */
struct hf_manifest_delta {
    uint64_t file;       /* index into files */
    struct hf_hash from; /* SHA-256 of the other file; all zeros: of nothing */
    uint64_t size;       /* of the object */
    struct hf_hash hash; /* of the object, and its name */
};

struct hf_manifest {
    struct hf_bytes product, channel; /* borrowed from the text */
    uint64_t version;                 /* from 1 on, without gaps */
    struct hf_hash previous;          /* SHA-256 of the text before; zeros for the first */
    uint64_t created, expires;        /* seconds since 1970; created < expires */
    uint64_t engine_min, engine_max;  /* database formats that can use it */
    struct hf_bytes capabilities[HF_MANIFEST_CAPABILITIES_MAX]; /* ascending */
    size_t capability_count;
    struct hf_manifest_ring rings[HF_MANIFEST_RINGS_MAX];
    size_t ring_count;                                    /* at least one */
    struct hf_manifest_file files[HF_MANIFEST_FILES_MAX]; /* by name */
    size_t file_count;                                    /* at least one */
    struct hf_manifest_delta deltas[HF_MANIFEST_DELTAS_MAX];
    size_t delta_count; /* by file, then from */
};

/* Read a text. Form only: whether it may be believed is judged elsewhere. Borrows from it.
 * HF_REFUSE_MANIFEST_LONG, _FORM, _ORDER, _BUDGET. */
HF_MUST_USE enum hf_refusal hf_manifest_read(struct hf_bytes text, struct hf_budget *budget,
                                             struct hf_manifest *manifest);

/* Append the text. HF_REFUSE_ARGUMENT when it would not be read again, HF_REFUSE_NOMEM. */
HF_MUST_USE enum hf_refusal hf_manifest_write(struct hf_buffer *out,
                                              const struct hf_manifest *manifest);

/* A release as the log has it: one line "holdfast/1 product channel version hash". Roots are
 * logged the same way under the channel "root". */
struct hf_entry {
    struct hf_bytes product, channel; /* borrowed */
    uint64_t version;
    struct hf_hash hash; /* SHA-256 of the text of the manifest or root */
};
enum { HF_ENTRY_BYTES_MAX = 320 };

/* HF_REFUSE_ENTRY_FORM. */
HF_MUST_USE enum hf_refusal hf_entry_read(struct hf_bytes bytes, struct hf_entry *entry);
void hf_entry_write(struct hf_buffer *out, const struct hf_entry *entry);

/* Paths of a feed's immutable files, relative to its address. */
void hf_object_path(struct hf_buffer *out, const struct hf_hash *hash);
void hf_release_path(struct hf_buffer *out, const struct hf_hash *hash);
void hf_root_path(struct hf_buffer *out, uint64_t version);

#endif
