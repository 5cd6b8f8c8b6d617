/* authenticode_internal.h - what the files of the Authenticode reader share. */
#ifndef HF_FORMAT_AUTHENTICODE_INTERNAL_H
#define HF_FORMAT_AUTHENTICODE_INTERNAL_H

#include "format/authenticode.h"
#include "format/der.h"

#include <openssl/x509.h>

/* ---- structure (authenticode_cms.c) ---- */

enum ac_oid {
    AC_SIGNED_DATA,
    AC_INDIRECT_DATA, /* SPC_INDIRECT_DATA: digest of the file */
    AC_OPUS_INFO,     /* SPC_SP_OPUS_INFO: program name */
    AC_NESTED,        /* nested signatures */
    AC_MS_TIMESTAMP,  /* RFC 3161 token */
    AC_MESSAGE_DIGEST,
    AC_SIGNING_TIME,
    AC_COUNTERSIGNATURE,
    AC_TST_INFO,
    AC_TRUST_LIST,
    AC_OIDS
};

bool ac_is(const struct hf_der *value, enum ac_oid oid);

/* Attributes of a signer: a SET OF (type, SET OF value). */
struct ac_attributes {
    bool present;
    bool definite;
    struct hf_bytes whole; /* with tag and length */
    struct hf_cursor content;
};

struct ac_signer {
    struct hf_bytes issuer, serial; /* whole values; data NULL: by key identifier */
    struct hf_bytes key_id;         /* content */
    struct hf_der digest_oid;
    struct ac_attributes authenticated, unauthenticated;
    struct hf_bytes signature;
};

struct ac_signed_data {
    struct hf_bytes whole;
    uint64_t version;
    struct hf_der type;    /* of the content */
    struct hf_der content; /* the value inside [0]; tag 0: there is none */
    struct hf_bytes *certs;
    size_t cert_count;
    struct ac_signer *signers;
    size_t signer_count;
    bool cut; /* a limit was reached */
};

/* Read a ContentInfo around SignedData, and move past it. HF_OK; HF_NOTFOUND: a value, but no
 * signed data; HF_TRUNCATED: damaged; HF_NOMEM. */
enum hf_status ac_read_signed_data(struct hf_cursor *c, struct hf_arena *arena,
                                   struct ac_signed_data *out);

/* Read one SignerInfo; false when it is damaged. */
bool ac_read_signer(struct hf_cursor *c, struct hf_arena *arena, struct ac_signer *out);

/* The values of the first attribute of a type; false when there is none. */
bool ac_find_attribute(const struct ac_attributes *attributes, enum ac_oid oid,
                       struct hf_cursor *values);

/* Step through attributes: their type and the cursor of their values. */
bool ac_next_attribute(struct hf_cursor *attributes, struct hf_der *attribute,
                       struct hf_der *type, struct hf_cursor *values);

/* ---- cryptography (authenticode_crypto.c) ---- */

enum { AC_DIGEST_MAX = 64, AC_CERT_WORK = 100 /* units of the budget to decode one */ };

struct ac_digest {
    uint8_t value[AC_DIGEST_MAX];
    size_t len; /* 0: unknown algorithm */
};

/* OpenSSL's long name of an OID ("sha256"; "undefined" for unknown ones); static. */
struct hf_bytes ac_oid_name(const struct hf_der *oid);

/* Digest parts with the algorithm that an OID names, that of signature algorithms too. */
bool ac_digest(const struct hf_der *oid, const struct hf_bytes *parts, size_t count,
               struct ac_digest *out);

/* Certificates as OpenSSL has them. */
struct ac_certs {
    STACK_OF(X509) * stack; /* owned */
};
void ac_certs_release(struct ac_certs *certs);

/* Certificates that were decoded already. Nested signatures and timestamps bring the same ones
 * again and again, and decoding is what signatures cost most (0.1 ms each). */
struct ac_cache {
    struct {
        struct hf_bytes der; /* borrowed */
        X509 *cert;          /* owned */
    } entries[HF_AUTHENTICODE_CERTS_MAX];
    size_t count;
};
void ac_cache_release(struct ac_cache *cache);

/* Add a certificate. False when it is none or there is no memory. */
bool ac_certs_add(struct ac_certs *certs, struct hf_bytes der, struct ac_cache *cache);

/* The certificate that a signer names; NULL: not among them. Borrowed. */
X509 *ac_find_signer(const struct ac_certs *certs, const struct ac_signer *signer);

/* Whether signature is one of data, given in parts that are one after the other. */
bool ac_verify(X509 *cert, const struct hf_der *digest_oid, struct hf_bytes data,
               struct hf_bytes signature);

/* Fill in what facts say of a certificate. False: out of memory. */
bool ac_describe(X509 *cert, struct hf_arena *arena, struct hf_certificate *out);
bool ac_describe_all(const struct ac_certs *certs, struct hf_arena *arena,
                     struct hf_fact_list *out);

/* The chain from cert as far as certs go. */
bool ac_chain(X509 *cert, const struct ac_certs *certs, int64_t now, struct hf_arena *arena,
              struct hf_fact_list *out);

/* "trusted", "no root given" or why not; static. */
struct hf_bytes ac_judge(X509 *cert, const struct ac_certs *certs,
                         const struct hf_roots *roots, int64_t at, bool timestamp);

/* Whether the certificate may sign code. */
bool ac_for_code(X509 *cert);

/* Lower-case digits in the arena. */
struct hf_bytes ac_hex(struct hf_arena *arena, struct hf_bytes bytes);

/* ---- signatures (authenticode_signature.c, authenticode_time.c) ---- */

/* What is the same for all signatures of a file. */
struct ac_context {
    const struct hf_authenticode_source *source; /* NULL: no PE file */
    struct hf_arena *arena;
    const struct hf_roots *roots;
    int64_t now;
    bool yara42;
    struct hf_code_signature *list; /* grows */
    size_t count;
    struct hf_uncovered *uncovered; /* grows */
    size_t uncovered_count;
    enum hf_status status; /* HF_OK, or the first failure */
    struct {
        struct hf_bytes name;
        struct ac_digest yara, windows;
    } digests[4]; /* of the file, by algorithm */
    size_t digest_count;
    struct ac_cache certs; /* to be released */
};

/* Read one ContentInfo and everything nested in it, and add signatures to the list. Moves past it;
 * false when there is no whole value. */
bool ac_read_signature(struct ac_context *ctx, struct hf_cursor *c, int depth);

/* Keep the first failure. */
void ac_fail(struct ac_context *ctx, enum hf_status status);

void ac_add_uncovered(struct ac_context *ctx, struct hf_uncovered what);

/* The countersignatures of a signature. Certificates of timestamps are added to more. */
bool ac_read_countersignatures(struct ac_context *ctx, const struct ac_signer *signer,
                               const struct ac_certs *certs, struct hf_fact_list *out,
                               struct ac_certs *more);

/* Whether the signed attributes hold the content's digest and the signature is of them; else
 * why not, static. digest (may be NULL) receives the digest that the attributes claim. */
const char *ac_check_signer(const struct ac_signer *signer, X509 *cert,
                            struct hf_bytes content, struct hf_bytes content_whole,
                            struct hf_arena *arena, struct hf_bytes *digest);

#endif
