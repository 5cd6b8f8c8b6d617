/* digest.h - MD5, SHA-1 and SHA-256 of bytes in one pass over cache-sized pieces, with the
 * algorithms of OpenSSL, fetched once before a worker seals itself. */
#ifndef HF_DIGEST_DIGEST_H
#define HF_DIGEST_DIGEST_H

#include "base/bytes.h"
#include "base/status.h"

enum hf_digest_kind { HF_MD5, HF_SHA1, HF_SHA256, HF_DIGEST_KINDS };
enum { HF_DIGEST_MAX = 32 };

/* Length in bytes: 16, 20, 32. Name: "md5", "sha1", "sha256". */
size_t hf_digest_length(enum hf_digest_kind kind);
const char *hf_digest_name(enum hf_digest_kind kind);

/* The kind with this many bytes; HF_DIGEST_KINDS when there is none. */
enum hf_digest_kind hf_digest_of_length(size_t length);

/* Digests of one byte stream, as far as they were asked for. */
struct hf_digests {
    unsigned have; /* bit 1 << kind for each that is valid */
    uint8_t value[HF_DIGEST_KINDS][HF_DIGEST_MAX];
};

static inline struct hf_bytes hf_digest_bytes(const struct hf_digests *d,
                                              enum hf_digest_kind kind)
{
    return hf_bytes_of(d->value[kind], hf_digest_length(kind));
}

struct hf_hasher; /* algorithms and contexts, reused; one per thread */

/* NULL when out of memory or an algorithm cannot be fetched (MD5 in FIPS mode, say). */
struct hf_hasher *hf_hasher_new(void);
void hf_hasher_free(struct hf_hasher *hasher);
void hf_hasher_release(struct hf_hasher **hasher); /* for HF_AUTO */

/* Add to *digests what is wanted (bits 1 << kind) and not there yet. HF_OK or HF_NOMEM. */
HF_MUST_USE enum hf_status hf_digest_add(struct hf_hasher *hasher, struct hf_bytes data,
                                         unsigned wanted, struct hf_digests *digests);

/* The same over several runs of bytes as if they were one. */
HF_MUST_USE enum hf_status hf_digest_add_parts(struct hf_hasher *hasher,
                                               const struct hf_bytes *parts, size_t count,
                                               unsigned wanted, struct hf_digests *digests);

#endif
