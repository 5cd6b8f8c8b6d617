/* cvd.h - ClamAV's containers of signatures: a 512-byte header of text, then a tar, mostly in
 * gzip. Reads and verifies them; knows nothing of what the members mean.
 *
 *   .cvd  as published: MD5 of all behind the header, signed with RSA (1024 bits, no padding but
 *         zeros, digits in an alphabet of its own, lowest first)
 *   .cld  what freshclam keeps after patching: only the .info member is signed (RSA-PSS, SHA-256)
 *   .cud  anybody's: not signed at all
 *
 * In each, the .info member lists size and SHA-256 of the others. A container comes from the
 * network: everything in it is read through the cursor, nothing is believed, memory grows with
 * what is there and not with what is announced. [facts/clamav.md 1.6] */
#ifndef HF_DB_CVD_H
#define HF_DB_CVD_H

#include "base/buffer.h"
#include "base/status.h"

enum hf_cvd_kind { HF_CVD_NONE, HF_CVD_PUBLISHED, HF_CVD_LOCAL, HF_CVD_UNSIGNED };

/* By the ending of the name, in any case; HF_CVD_NONE: no container. */
enum hf_cvd_kind hf_cvd_kind_of(const char *file_name);

enum { HF_CVD_HEADER = 512 };

/* Fields borrow from the header's bytes. */
struct hf_cvd_header {
    struct hf_bytes time;    /* "24 Nov 2026 02-29 +0000": ClamAV shows the '-' as ':' */
    struct hf_bytes md5;     /* 32 digits; "X" in .info and sometimes in .cld */
    struct hf_bytes digits;  /* of the signature */
    struct hf_bytes builder; /* its name */
    uint64_t version, signatures, level;
    uint64_t seconds; /* since 1970; 0: not said */
};

/* HF_OK; HF_TRUNCATED (shorter than a header); HF_MALFORMED (*why says what, a constant). */
HF_MUST_USE enum hf_status hf_cvd_read_header(struct hf_bytes file,
                                              struct hf_cvd_header *header,
                                              const char **why);

/* Public keys as ClamAV's programs hold them: decimal digits. */
struct hf_cvd_key {
    const char *modulus, *exponent;
};
extern const struct hf_cvd_key hf_cvd_key_database; /* of .cvd headers */
extern const struct hf_cvd_key hf_cvd_key_info;     /* of .info members */
extern const struct hf_cvd_key hf_cvd_key_diff;     /* of .cdiff scripts */

/* Whether digits sign this MD5 or SHA-256 (raw bytes) with a key: the two schemes above. */
bool hf_cvd_signs_md5(const struct hf_cvd_key *key, struct hf_bytes digits,
                      const uint8_t md5[16]);
bool hf_cvd_signs_sha256(const struct hf_cvd_key *key, struct hf_bytes digits,
                         const uint8_t sha256[32]);

struct hf_cvd_keys {
    const struct hf_cvd_key *database, *info;
};
extern const struct hf_cvd_keys hf_cvd_keys_clamav;

/* What hf_cvd_read calls for every member but COPYING and .info: name is a plain file name,
 * text lives until it returns. Anything but HF_OK ends the reading and is returned. */
typedef enum hf_status hf_cvd_on_member(void *user, const char *name, struct hf_bytes text);

/*
 * Verify a container and hand out its members, in their order.
 *
 * file   all of it.
 * keys   of who may sign; hf_cvd_keys_clamav.
 * why    receives a sentence when the status is HF_MALFORMED, HF_TRUNCATED or HF_LIMIT.
 * Returns HF_OK, HF_MALFORMED (damaged, or its signature or a digest does not fit: of what was
 * handed out before nothing must be used), HF_TRUNCATED, HF_LIMIT (larger than sensible),
 * HF_NOMEM, what on_member said.
 */
HF_MUST_USE enum hf_status hf_cvd_read(struct hf_bytes file, enum hf_cvd_kind kind,
                                       const struct hf_cvd_keys *keys,
                                       hf_cvd_on_member *on_member, void *user,
                                       struct hf_buffer *why);

/* The same without looking at signatures and digests, with COPYING and .info: for `--unpack`. */
HF_MUST_USE enum hf_status hf_cvd_unpack(struct hf_bytes file, hf_cvd_on_member *on_member,
                                         void *user, struct hf_buffer *why);

#endif
