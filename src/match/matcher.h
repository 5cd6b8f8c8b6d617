/* matcher.h - finds all literals of a database in one pass over a view.
 *
 * Built offline into a position-independent image (a database section), opened without work,
 * shared by all processes. Reports confirmed occurrences of literals: comparing the bytes
 * exactly (and their case) is the matcher's business, everything beyond is the caller's. */
#ifndef HF_MATCH_MATCHER_H
#define HF_MATCH_MATCHER_H

#include "base/buffer.h"

/* One literal to search for. */
struct hf_literal {
    struct hf_bytes bytes; /* 1..65535 bytes; borrowed during the build */
    bool nocase;           /* ASCII letters match in either case */
    uint32_t id;           /* what is reported; several literals may share one */
};

/*
 * Build an image. The same literals in any order give the same bytes on any machine.
 *
 * out  receives the image; its start must be aligned to 64 bytes when it is opened.
 * Returns HF_OK, HF_INVALID (an empty or too long literal), HF_LIMIT (more than 2^31), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_matcher_build(const struct hf_literal *literals, size_t count,
                                            struct hf_buffer *out);

/* A matcher over a mapped image: plain data, filled by open, nothing to release. */
struct hf_matcher {
    struct hf_bytes image;
    uint64_t opaque[16]; /* match/ only: resolved tables */
};

/* Check the image's header and extents, not its contents: every offset in it is checked when it
 * is used. HF_MALFORMED when it cannot be an image of this version. */
HF_MUST_USE enum hf_status hf_matcher_open(struct hf_bytes image,
                                           struct hf_matcher *matcher);

/* Check all of an image, for `db check`. */
HF_MUST_USE enum hf_status hf_matcher_check(const struct hf_matcher *matcher);

/* Called for each occurrence, in no particular order, each (id, start, length) once for each
 * literal that occurs there. Returning false stops the search. */
typedef bool hf_on_literal(void *user, uint32_t id, uint64_t start, uint32_t length);

/*
 * Search a run of bytes.
 *
 * base  is added to reported positions.
 * Returns false when on_literal stopped it. Allocates nothing; time is linear in the length for
 * any input (the share of adversarial text is in docs/matcher.md).
 */
bool hf_matcher_search(const struct hf_matcher *matcher, struct hf_bytes data,
                       uint64_t base, hf_on_literal *on_literal, void *user);

/* The longest literal, in bytes: runs that are searched piecewise overlap by this less one. */
size_t hf_matcher_longest(const struct hf_matcher *matcher);

/* Kernels by name ("portable", "avx2", "avx512"): which one is used, and forcing one (NULL: the
 * best of this machine). False when the machine cannot run it. HOLDFAST_KERNEL in the
 * environment of the worker does the same. */
const char *hf_matcher_kernel(void);
bool hf_matcher_use_kernel(const char *name);

#endif
