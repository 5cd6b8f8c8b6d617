/* key.h - keys of signed notes: their text forms, ids, and Ed25519 through OpenSSL. A key is its
 * name, a signature type and the public bytes; its id is a short hash of all three, so that one
 * pair of bytes under two names or types is two keys. [signed-note "Signatures"] */
#ifndef HF_FEED_KEY_H
#define HF_FEED_KEY_H

#include "base/buffer.h"
#include "feed/encode.h"
#include "feed/refusal.h"

/* Signature types with an assigned byte that we verify. Others are read in notes as unknown. */
enum hf_key_type {
    HF_KEY_ED25519 = 0x01,  /* over the note's text */
    HF_KEY_COSIGNER = 0x04, /* Ed25519 with a time, over a checkpoint [tlog-cosignature] */
};

enum { HF_ED25519_PUBLIC = 32, HF_ED25519_SEED = 32, HF_ED25519_SIGNATURE = 64 };
enum { HF_KEY_TEXT_MAX = HF_KEY_NAME_MAX + 128 }; /* longest text form of either kind */

/* A verifier key. */
struct hf_vkey {
    uint8_t name[HF_KEY_NAME_MAX];
    uint8_t name_len; /* 1..255 */
    uint8_t type;     /* enum hf_key_type */
    uint32_t id;
    uint8_t bytes[HF_ED25519_PUBLIC];
};

/* A signer key. Secret: end its life with hf_skey_done, which wipes it. */
struct hf_skey {
    struct hf_vkey verifier;
    uint8_t seed[HF_ED25519_SEED];
};

static inline struct hf_bytes hf_vkey_name(const struct hf_vkey *key)
{
    return hf_bytes_of(key->name, key->name_len);
}

/*
 * Make a verifier key from its parts; its id is computed.
 *
 * name  a valid key name. type one that we verify. bytes HF_ED25519_PUBLIC.
 * Returns HF_ACCEPTED, HF_REFUSE_KEY_NAME, _ALGORITHM, _WEAK (a point of small order, under which
 * signatures can be made without a secret) or HF_REFUSE_CRYPTO.
 */
HF_MUST_USE enum hf_refusal hf_vkey_make(struct hf_bytes name, uint8_t type,
                                         const uint8_t *bytes, struct hf_vkey *key);

/* Read and write "name+hex id+base64(type || public bytes)", the whole text and in its one
 * spelling (lower-case digits). Anything else is refused with HF_REFUSE_KEY_*. */
HF_MUST_USE enum hf_refusal hf_vkey_read(struct hf_bytes text, struct hf_vkey *key);
void hf_vkey_write(struct hf_buffer *out, const struct hf_vkey *key);

/* Make a signer from a seed of HF_ED25519_SEED bytes, or from fresh randomness when seed is NULL.
 * Refusals as hf_vkey_make. */
HF_MUST_USE enum hf_refusal hf_skey_make(struct hf_bytes name, uint8_t type,
                                         const uint8_t *seed, struct hf_skey *key);

/* Read and write "PRIVATE+KEY+name+hex id+base64(type || seed)", the form of Go's sumdb/note; for
 * cosigners (type 4) no specification has a form, and this one is used with their type byte. What
 * hf_skey_write appends is secret: wipe the buffer. */
HF_MUST_USE enum hf_refusal hf_skey_read(struct hf_bytes text, struct hf_skey *key);
void hf_skey_write(struct hf_buffer *out, const struct hf_skey *key);
void hf_skey_done(struct hf_skey *key); /* for HF_AUTO, too */

/* Ed25519 [RFC 8032] over a message. Verification refuses with HF_REFUSE_NOTE_SIGNATURE;
 * HF_REFUSE_CRYPTO means that the library did not work at all. */
HF_MUST_USE enum hf_refusal hf_ed25519_verify(const uint8_t *public_bytes,
                                              struct hf_bytes message,
                                              const uint8_t *signature);
HF_MUST_USE enum hf_refusal hf_ed25519_sign(const uint8_t *seed, struct hf_bytes message,
                                            uint8_t *signature);

#endif
