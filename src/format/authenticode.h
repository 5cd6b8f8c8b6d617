/* authenticode.h - Authenticode signatures of PE files and of catalogues: what they say, whether
 * their digests and signatures hold, by whose certificates, and what of the file they leave out.
 * Decides nothing about trust: chains are judged against roots that the caller gives, or not.
 *
 * The structures around the signature (certificate table, PKCS #7, attributes, timestamps) are
 * read by own code on the cursor (der.h); X.509 certificates and the cryptography are OpenSSL's,
 * on memory only. [AUTHENTICODE: Microsoft, "Windows Authenticode Portable Executable Signature
 * Format"; RFC 2315 (PKCS #7), RFC 5652, RFC 3161; YARA 4.5 for facts under YARA's names] */
#ifndef HF_FORMAT_AUTHENTICODE_H
#define HF_FORMAT_AUTHENTICODE_H

#include "facts/facts.h"

/* Most of each that is read; more is HF_LIMIT with what came before kept. */
enum {
    HF_AUTHENTICODE_SIGNATURES_MAX = 64, /* of one file, nested ones included */
    HF_AUTHENTICODE_VALUES_MAX = 16,     /* nested or counter signatures of one; as YARA */
    HF_AUTHENTICODE_DEPTH_MAX = 8,       /* signatures inside one another */
    HF_AUTHENTICODE_CERTS_MAX = 64,      /* of one signature */
    HF_AUTHENTICODE_CERT_BYTES_MAX = 64 << 10,
    HF_AUTHENTICODE_SIGNERS_MAX = 16,
    HF_AUTHENTICODE_ENTRIES_MAX = 64 /* of the certificate table */
};

struct hf_certificate {
    struct hf_bytes thumbprint;      /* SHA-1 in lower-case digits */
    struct hf_bytes issuer, subject; /* "/C=US/O=...", at most 255 bytes */
    int64_t version;
    struct hf_bytes algorithm,
        algorithm_oid;      /* of its signature: OpenSSL's long name, OID */
    struct hf_bytes serial; /* "aa:bb:..", data NULL when longer than 20 bytes */
    struct hf_optional not_before, not_after; /* seconds since 1970 */
};

struct hf_signer_info {
    struct hf_bytes program_name, url;  /* UTF-8; data NULL: none */
    struct hf_bytes digest, digest_alg; /* of the signed content */
    int64_t chain_length;
    struct hf_fact_list chain; /* struct hf_certificate, the signer's first */
};

struct hf_countersignature {
    int64_t verified; /* 1: signs this signature, by a certificate that is here */
    struct hf_optional sign_time; /* seconds since 1970, as it claims */
    struct hf_bytes digest, digest_alg;
    int64_t chain_length;
    struct hf_fact_list chain; /* struct hf_certificate */
    struct hf_bytes kind;      /* "pkcs9" or "rfc3161" */
    struct hf_bytes error;     /* why not verified; data NULL: it is */
    struct hf_bytes chain_status;
};

/* One signature. Fields up to countersignatures mean what YARA 4.5 means by them. */
struct hf_code_signature {
    struct hf_certificate certificate; /* of the signer; thumbprint.data NULL: not known */
    int64_t verified; /* 1: file's digest, content's digest and signature hold */
    struct hf_bytes digest_alg, digest; /* of the file, as signed */
    struct hf_bytes file_digest;        /* of the file, as it is; without what lies behind
                                         * the certificate table, as YARA computes it */
    int64_t certificate_count;
    struct hf_fact_list certificates; /* struct hf_certificate; of timestamps too */
    struct hf_signer_info signer;
    int64_t countersignature_count;
    struct hf_fact_list countersignatures; /* struct hf_countersignature */

    struct hf_bytes error;        /* why not verified; data NULL: it is */
    struct hf_bytes chain_status; /* "trusted", "no root given", or why not trusted */
    int64_t whole_file;   /* 1: the digest also holds with what lies behind the table, which
                         * Windows hashes */
    int64_t nested;       /* how deep in another one; 0: not nested */
    int64_t code_signing; /* 1: the signer's certificate is for code signing */
    struct hf_optional signed_at; /* time of the first verified countersignature */
    int64_t valid_when_signed;    /* 1: signer's certificate valid at that time; without
                                   * one: now */
    int64_t expired;              /* 1: signer's certificate is past its end now */
    bool hidden;                  /* not to be listed: what YARA takes for no signature */
};

/* A WIN_CERTIFICATE of the certificate table. [PE "The Attribute Certificate Table"] */
struct hf_certificate_entry {
    uint64_t offset; /* of its header in the file */
    uint32_t size;   /* as it says, header included */
    uint16_t revision, type;
};

/* Bytes that can change without the signature noticing. */
struct hf_uncovered {
    uint64_t offset, size; /* in the file */
    struct hf_bytes kind;
    struct hf_bytes oid; /* of an unsigned attribute; else data NULL */
};

struct hf_roots;

/* What the reader of a PE file tells of it. */
struct hf_authenticode_source {
    struct hf_cursor file;
    const struct hf_bytes *parts; /* what Windows hashes, in order */
    size_t part_count;
    size_t parts_before; /* of them, those that lie before the table, where YARA stops */
    uint64_t table, table_size;   /* of certificates, as the directory says; size 0: none */
    const struct hf_roots *roots; /* borrowed, NULL: none given */
    int64_t now;                  /* seconds since 1970 */
    bool yara42;                  /* list what YARA 4.2 lists */
};

struct hf_authenticode {
    struct hf_optional signature_count; /* none in YARA 4.2's reading without a directory */
    int64_t is_signed;                  /* 1: a signature is verified */
    struct hf_fact_list
        signatures; /* struct hf_code_signature; the first entry's, outer first */
    struct hf_fact_list others;    /* the same of further entries, which nobody looks at */
    struct hf_fact_list entries;   /* struct hf_certificate_entry */
    struct hf_fact_list uncovered; /* struct hf_uncovered */
};

/*
 * Read and verify all signatures of a file.
 *
 * source  borrowed during the call.
 * arena   owns all results.
 * out     zeroed; receives them.
 * Returns HF_OK, also without any signature; HF_TRUNCATED: the table runs past the file; HF_LIMIT,
 * HF_NOMEM: what came before is kept.
 */
HF_MUST_USE enum hf_status hf_authenticode_read(const struct hf_authenticode_source *source,
                                                struct hf_arena *arena,
                                                struct hf_authenticode *out);

/* Have OpenSSL load all that verification needs, so that nothing is read from files later. Call
 * before a process is sealed; without it everything works too, if files may be opened. HF_OK, or
 * HF_NOMEM: something is missing, and signatures that need it will be unverified. */
enum hf_status hf_authenticode_prepare(void);

/* ---- roots ---- */

/* Certificates that chains may end in. Not changed while scans use it. NULL: out of memory. */
struct hf_roots *hf_roots_new(void);
void hf_roots_free(struct hf_roots *roots);
void hf_roots_release(struct hf_roots **roots); /* for HF_AUTO */

/* Add a certificate in DER form. HF_OK, HF_INVALID (it is none), HF_NOMEM. */
HF_MUST_USE enum hf_status hf_roots_add(struct hf_roots *roots, struct hf_bytes der);

/* ---- catalogues ---- */

/* A member of a catalogue (.cat): a file that the catalogue's signature vouches for. */
struct hf_catalogue_member {
    struct hf_bytes tag; /* its name in the list: mostly the digest as UTF-16 digits; raw */
    struct hf_bytes digest_alg; /* OpenSSL's long name; data NULL: it gives no digest */
    struct hf_bytes digest;     /* lower-case digits */
};

struct hf_catalogue {
    int64_t is_catalogue;           /* 1 */
    struct hf_optional this_update; /* seconds since 1970 */
    struct hf_bytes identifier;     /* of the list, lower-case digits */
    int64_t member_count;
    struct hf_fact_list members; /* struct hf_catalogue_member */
    int64_t is_signed;
    int64_t signature_count;
    struct hf_fact_list
        signatures;               /* struct hf_code_signature, digests of the file unset */
    const struct hf_roots *roots; /* in: borrowed, NULL: none; set before the first group */
    int64_t now;                  /* in: seconds since 1970; 0: the clock's */
};

/* Read a catalogue: a PKCS #7 file around a certificate trust list. HF_OK; HF_NOTFOUND: it is
 * none; HF_TRUNCATED: the list is cut or damaged; HF_LIMIT, HF_NOMEM. What came before is kept. */
HF_MUST_USE enum hf_status hf_catalogue_read(const struct hf_cursor *file,
                                             struct hf_arena *arena,
                                             struct hf_catalogue *out);

/* The facts module "catalogue" (ours); its state is struct hf_catalogue. */
extern const struct hf_fact_module hf_catalogue_module;

/* ---- schema ---- */

extern const struct hf_fact_record hf_code_signature_record, hf_certificate_entry_record,
    hf_uncovered_record;

#endif
