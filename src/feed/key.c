#include "feed/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/auto.h"
#include "base/text.h"
#include "digest/digest.h"

/* ---- Ed25519 ---- */

static void release_pkey(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void release_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

enum hf_refusal hf_ed25519_verify(const uint8_t *public_bytes, struct hf_bytes message,
                                  const uint8_t *signature)
{
    HF_AUTO(release_pkey)
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, public_bytes,
                                                   HF_ED25519_PUBLIC);
    HF_AUTO(release_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (key == NULL || context == NULL ||
        EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) != 1)
        return HF_REFUSE_CRYPTO;
    /* Every result but 1 is a refusal: 0 says "does not match", others are errors. */
    return EVP_DigestVerify(context, signature, HF_ED25519_SIGNATURE, message.data,
                            message.len) == 1
               ? HF_ACCEPTED
               : HF_REFUSE_NOTE_SIGNATURE;
}

enum hf_refusal hf_ed25519_sign(const uint8_t *seed, struct hf_bytes message,
                                uint8_t *signature)
{
    HF_AUTO(release_pkey)
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, HF_ED25519_SEED);
    HF_AUTO(release_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = HF_ED25519_SIGNATURE;
    if (key == NULL || context == NULL ||
        EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) != 1 ||
        EVP_DigestSign(context, signature, &len, message.data, message.len) != 1 ||
        len != HF_ED25519_SIGNATURE)
        return HF_REFUSE_CRYPTO;
    return HF_ACCEPTED;
}

static bool public_of_seed(const uint8_t *seed, uint8_t *public_bytes)
{
    HF_AUTO(release_pkey)
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, HF_ED25519_SEED);
    size_t len = HF_ED25519_PUBLIC;
    return key != NULL && EVP_PKEY_get_raw_public_key(key, public_bytes, &len) == 1 &&
           len == HF_ED25519_PUBLIC;
}

/* The y coordinates of the eight points of small order, little-endian, in all the spellings that
 * fit in 255 bits. The sign of x (the top bit) is ignored. With such a key one signature in eight
 * tries fits without any secret: the test shows that for every line. */
/* clang-format off */
static const uint8_t weak_points[][HF_ED25519_PUBLIC] = {
    {0}, /* y = 0, order 4 */
    {1}, /* y = 1, order 1 */
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}, /* order 8 */
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}, /* order 8 */
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, /* y = p - 1, order 2 */
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, /* y = p, is 0 */
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, /* y = p + 1, is 1 */
};
/* clang-format on */

static bool is_weak(const uint8_t *point)
{
    uint8_t y[HF_ED25519_PUBLIC];
    memcpy(y, point, sizeof y);
    y[HF_ED25519_PUBLIC - 1] &= 0x7f;
    for (size_t i = 0; i < sizeof weak_points / sizeof *weak_points; i++)
        if (memcmp(y, weak_points[i], sizeof y) == 0)
            return true;
    return false;
}

/* ---- keys ---- */

static bool type_is_known(uint8_t type)
{
    return type == HF_KEY_ED25519 || type == HF_KEY_COSIGNER;
}

/* SHA-256(name || LF || type || public bytes), its first four bytes. [signed-note "Signatures"] */
static enum hf_refusal set_id(struct hf_vkey *key)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    if (hasher == NULL)
        return HF_REFUSE_CRYPTO;
    const struct hf_bytes parts[] = {hf_vkey_name(key), hf_bytes_text("\n"),
                                     hf_bytes_of(&key->type, 1),
                                     hf_bytes_of(key->bytes, sizeof key->bytes)};
    struct hf_digests digests = {0};
    if (hf_digest_add_parts(hasher, parts, sizeof parts / sizeof *parts, 1u << HF_SHA256,
                            &digests) != HF_OK)
        return HF_REFUSE_NOMEM;
    struct hf_cursor c =
        hf_cursor_open(digests.value[HF_SHA256], sizeof digests.value[HF_SHA256], NULL);
    key->id = hf_u32be(&c);
    return HF_ACCEPTED;
}

enum hf_refusal hf_vkey_make(struct hf_bytes name, uint8_t type, const uint8_t *bytes,
                             struct hf_vkey *key)
{
    *key = (struct hf_vkey){0};
    if (!hf_key_name_valid(name))
        return HF_REFUSE_KEY_NAME;
    if (!type_is_known(type))
        return HF_REFUSE_KEY_ALGORITHM;
    if (is_weak(bytes))
        return HF_REFUSE_KEY_WEAK;
    memcpy(key->name, name.data, name.len);
    key->name_len = (uint8_t)name.len;
    key->type = type;
    memcpy(key->bytes, bytes, sizeof key->bytes);
    return set_id(key);
}

enum hf_refusal hf_skey_make(struct hf_bytes name, uint8_t type, const uint8_t *seed,
                             struct hf_skey *key)
{
    *key = (struct hf_skey){0};
    if (seed != NULL)
        memcpy(key->seed, seed, sizeof key->seed);
    else if (RAND_priv_bytes(key->seed, sizeof key->seed) != 1)
        return HF_REFUSE_CRYPTO;
    uint8_t public_bytes[HF_ED25519_PUBLIC];
    enum hf_refusal r = HF_REFUSE_CRYPTO;
    if (public_of_seed(key->seed, public_bytes))
        r = hf_vkey_make(name, type, public_bytes, &key->verifier);
    if (r != HF_ACCEPTED)
        hf_skey_done(key);
    return r;
}

void hf_skey_done(struct hf_skey *key)
{
    OPENSSL_cleanse(key, sizeof *key);
}

/* ---- text forms ---- */

static bool read_id(struct hf_bytes text, uint32_t *id)
{
    uint8_t bytes[4];
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] >= 'A' && text.data[i] <= 'F')
            return false; /* the other spelling */
    if (text.len != 8 || hf_unhex(text, bytes, sizeof bytes) != sizeof bytes)
        return false;
    struct hf_cursor c = hf_cursor_open(bytes, sizeof bytes, NULL);
    *id = hf_u32be(&c);
    return true;
}

/* name+id+base64(type || 32 bytes): what public and private keys have in common. */
static enum hf_refusal read_parts(struct hf_cursor *c, struct hf_bytes *name, uint32_t *id,
                                  uint8_t data[33])
{
    bool first, second;
    *name = hf_take_until(c, '+', SIZE_MAX, &first);
    struct hf_bytes digits = hf_take_until(c, '+', SIZE_MAX, &second);
    struct hf_bytes text = hf_take_rest(c);
    if (!first || !second || !read_id(digits, id))
        return HF_REFUSE_KEY_FORM;
    if (!hf_key_name_valid(*name))
        return HF_REFUSE_KEY_NAME;
    uint8_t decoded[HF_KEY_TEXT_MAX];
    size_t n = hf_base64_read(text, decoded, sizeof decoded);
    enum hf_refusal r = HF_ACCEPTED;
    if (n == SIZE_MAX || n == 0)
        r = HF_REFUSE_KEY_BASE64;
    else if (!type_is_known(decoded[0]))
        r = HF_REFUSE_KEY_ALGORITHM;
    else if (n != 33)
        r = HF_REFUSE_KEY_LENGTH;
    else
        memcpy(data, decoded, 33);
    OPENSSL_cleanse(decoded, sizeof decoded);
    return r;
}

enum hf_refusal hf_vkey_read(struct hf_bytes text, struct hf_vkey *key)
{
    *key = (struct hf_vkey){0};
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    struct hf_bytes name;
    uint32_t id = 0;
    uint8_t data[33];
    enum hf_refusal r = read_parts(&c, &name, &id, data);
    if (r == HF_ACCEPTED)
        r = hf_vkey_make(name, data[0], data + 1, key);
    if (r == HF_ACCEPTED && key->id != id)
        r = HF_REFUSE_KEY_ID;
    if (r != HF_ACCEPTED)
        *key = (struct hf_vkey){0};
    return r;
}

static const char private_prefix[] = "PRIVATE+KEY+";

enum hf_refusal hf_skey_read(struct hf_bytes text, struct hf_skey *key)
{
    *key = (struct hf_skey){0};
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    if (!hf_peek_equal(&c, private_prefix, sizeof private_prefix - 1))
        return HF_REFUSE_KEY_FORM;
    hf_skip(&c, sizeof private_prefix - 1);
    struct hf_bytes name;
    uint32_t id = 0;
    uint8_t data[33];
    enum hf_refusal r = read_parts(&c, &name, &id, data);
    if (r == HF_ACCEPTED)
        r = hf_skey_make(name, data[0], data + 1, key);
    OPENSSL_cleanse(data, sizeof data);
    if (r == HF_ACCEPTED && key->verifier.id != id)
        r = HF_REFUSE_KEY_ID;
    if (r != HF_ACCEPTED)
        hf_skey_done(key);
    return r;
}

static void write_parts(struct hf_buffer *out, const struct hf_vkey *key,
                        const uint8_t *bytes)
{
    uint8_t data[33] = {key->type};
    memcpy(data + 1, bytes, 32);
    hf_buffer_bytes(out, hf_vkey_name(key));
    hf_buffer_format(out, "+%08x+", (unsigned)key->id);
    hf_base64_write(out, hf_bytes_of(data, sizeof data));
    OPENSSL_cleanse(data, sizeof data);
}

void hf_vkey_write(struct hf_buffer *out, const struct hf_vkey *key)
{
    write_parts(out, key, key->bytes);
}

void hf_skey_write(struct hf_buffer *out, const struct hf_skey *key)
{
    hf_buffer_text(out, private_prefix);
    write_parts(out, &key->verifier, key->seed);
}
