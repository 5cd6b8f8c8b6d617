/* What OpenSSL does for signatures: digests, public keys, certificates. Everything it gets is a
 * bounded piece of memory, and everything it gives is freed here. */
#include "format/authenticode_internal.h"

#include "base/auto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Digests that signatures use. What is not here (MD2, MD4) is unknown. */
static const struct {
    int nid;
    const char *name;
} digests[] = {
    {NID_md5, "MD5"},           {NID_sha1, "SHA1"},         {NID_sha224, "SHA2-224"},
    {NID_sha256, "SHA2-256"},   {NID_sha384, "SHA2-384"},   {NID_sha512, "SHA2-512"},
    {NID_sha3_256, "SHA3-256"}, {NID_sha3_384, "SHA3-384"}, {NID_sha3_512, "SHA3-512"},
};
enum { DIGESTS = sizeof digests / sizeof *digests };

static void free_object(ASN1_OBJECT **object)
{
    ASN1_OBJECT_free(*object);
}

static void free_md(EVP_MD **md)
{
    EVP_MD_free(*md);
}

static void free_md_ctx(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static int nid_of(const struct hf_der *oid)
{
    const uint8_t *at = oid->whole.data;
    if (oid->tag != HF_DER_OID || oid->whole.len > 256)
        return NID_undef;
    HF_AUTO(free_object)
    ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &at, (long)oid->whole.len);
    return object == NULL ? NID_undef : OBJ_obj2nid(object);
}

struct hf_bytes ac_oid_name(const struct hf_der *oid)
{
    const char *name = OBJ_nid2ln(nid_of(oid));
    return hf_bytes_text(name == NULL ? "undefined" : name);
}

/* The name to fetch a digest by; NULL: unknown. Some signers write the signature's algorithm where
 * the digest's should be. */
static const char *digest_name(const struct hf_der *oid)
{
    int nid = nid_of(oid), inner, key;
    if (nid != NID_undef && OBJ_find_sigid_algs(nid, &inner, &key) == 1)
        nid = inner;
    for (size_t i = 0; i < DIGESTS; i++)
        if (digests[i].nid == nid)
            return digests[i].name;
    return NULL;
}

bool ac_digest(const struct hf_der *oid, const struct hf_bytes *parts, size_t count,
               struct ac_digest *out)
{
    const char *name = digest_name(oid);
    unsigned len = 0;
    out->len = 0;
    if (name == NULL)
        return false;
    HF_AUTO(free_md) EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    HF_AUTO(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = md != NULL && ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    for (size_t i = 0; i < count && good; i++)
        good = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
    good = good && EVP_MD_get_size(md) <= AC_DIGEST_MAX &&
           EVP_DigestFinal_ex(ctx, out->value, &len) == 1;
    ERR_clear_error();
    out->len = good ? len : 0;
    return good;
}

/* ---- certificates ---- */

static void free_stack(STACK_OF(X509) * stack)
{
    sk_X509_pop_free(stack, X509_free);
}

void ac_certs_release(struct ac_certs *certs)
{
    free_stack(certs->stack);
    certs->stack = NULL;
}

void ac_cache_release(struct ac_cache *cache)
{
    for (size_t i = 0; i < cache->count; i++)
        X509_free(cache->entries[i].cert);
    cache->count = 0;
}

/* The certificate with a reference of the caller's own. */
static X509 *decode(struct hf_bytes der, struct ac_cache *cache)
{
    const uint8_t *at = der.data;
    for (size_t i = 0; i < cache->count; i++)
        if (hf_bytes_equal(cache->entries[i].der, der)) {
            X509_up_ref(cache->entries[i].cert);
            return cache->entries[i].cert;
        }
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    if (cert != NULL && cache->count < HF_AUTHENTICODE_CERTS_MAX &&
        X509_up_ref(cert) == 1) {
        cache->entries[cache->count].der = der;
        cache->entries[cache->count++].cert = cert;
    }
    return cert;
}

bool ac_certs_add(struct ac_certs *certs, struct hf_bytes der, struct ac_cache *cache)
{
    if (certs->stack == NULL)
        certs->stack = sk_X509_new_null();
    X509 *cert = decode(der, cache);
    if (cert != NULL && (certs->stack == NULL || sk_X509_push(certs->stack, cert) <= 0)) {
        X509_free(cert);
        cert = NULL;
    }
    ERR_clear_error();
    return cert != NULL;
}

static X509 *find_by_key_id(const struct ac_certs *certs, struct hf_bytes id)
{
    for (int i = 0; i < sk_X509_num(certs->stack); i++) {
        X509 *cert = sk_X509_value(certs->stack, i);
        const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(cert);
        if (own != NULL && hf_bytes_equal(id, hf_bytes_of(ASN1_STRING_get0_data(own),
                                                          (size_t)ASN1_STRING_length(own))))
            return cert;
    }
    return NULL;
}

X509 *ac_find_signer(const struct ac_certs *certs, const struct ac_signer *signer)
{
    if (signer->issuer.data == NULL)
        return find_by_key_id(certs, signer->key_id);
    if (signer->issuer.len > HF_AUTHENTICODE_CERT_BYTES_MAX ||
        signer->serial.len > HF_AUTHENTICODE_CERT_BYTES_MAX || certs->stack == NULL)
        return NULL;
    const uint8_t *name_at = signer->issuer.data, *serial_at = signer->serial.data;
    X509_NAME *name = d2i_X509_NAME(NULL, &name_at, (long)signer->issuer.len);
    ASN1_INTEGER *serial = d2i_ASN1_INTEGER(NULL, &serial_at, (long)signer->serial.len);
    X509 *found = NULL;
    if (name != NULL && serial != NULL)
        found = X509_find_by_issuer_and_serial(certs->stack, name, serial);
    X509_NAME_free(name);
    ASN1_INTEGER_free(serial);
    ERR_clear_error();
    return found;
}

/* Some old timestamps sign the bare digest, without the structure that PKCS #1 wants around it:
 * what OpenSSL checks when no digest is set. */
static bool verify_bare(EVP_PKEY *key, const struct hf_der *digest_oid,
                        struct hf_bytes data, struct hf_bytes signature)
{
    struct ac_digest digest;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
        !ac_digest(digest_oid, &data, 1, &digest))
        return false;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bool good =
        ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
        EVP_PKEY_verify(ctx, signature.data, signature.len, digest.value, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

bool ac_verify(X509 *cert, const struct hf_der *digest_oid, struct hf_bytes data,
               struct hf_bytes signature)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    const char *name = digest_name(digest_oid);
    if (key == NULL || name == NULL)
        return false;
    HF_AUTO(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good =
        ctx != NULL && EVP_DigestVerifyInit_ex(ctx, NULL, name, NULL, NULL, key, NULL) == 1;
    good = good &&
           EVP_DigestVerify(ctx, signature.data, signature.len, data.data, data.len) == 1;
    good = good || verify_bare(key, digest_oid, data, signature);
    ERR_clear_error();
    return good;
}

/* ---- facts of a certificate ---- */

struct hf_bytes ac_hex(struct hf_arena *arena, struct hf_bytes bytes)
{
    static const char digit[] = "0123456789abcdef";
    char *text = hf_arena_array(arena, bytes.len, 2);
    if (text == NULL)
        return (struct hf_bytes){0};
    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digit[bytes.data[i] >> 4];
        text[2 * i + 1] = digit[bytes.data[i] & 15];
    }
    return hf_bytes_of(text, 2 * bytes.len);
}

/* OpenSSL's form of names, in its 255 bytes, as YARA has it: "/C=US/CN=..". OpenSSL 3 writes a
 * slash inside a value as "\/", YARA takes that back. */
static struct hf_bytes describe_name(const X509_NAME *name, struct hf_arena *arena)
{
    char text[256];
    if (X509_NAME_oneline(name, text, sizeof text) == NULL)
        return (struct hf_bytes){0};
    char *to = text;
    for (const char *from = text; *from != '\0'; from++)
        if (from[0] != '\\' || from[1] != '/')
            *to++ = *from;
    return hf_arena_copy(arena, hf_bytes_of(text, (size_t)(to - text)));
}

static struct hf_bytes describe_serial(const ASN1_INTEGER *serial, struct hf_arena *arena)
{
    enum { BYTES_MAX = 22 }; /* tag and length included; RFC 5280 4.1.2.2 allows no more */
    uint8_t der[BYTES_MAX], *at = der;
    char text[BYTES_MAX * 3];
    size_t len = 0;
    int bytes = i2d_ASN1_INTEGER(serial, NULL);
    if (bytes <= 2 || bytes > BYTES_MAX || i2d_ASN1_INTEGER(serial, &at) != bytes)
        return (struct hf_bytes){0};
    for (int i = 2; i < bytes; i++)
        len += (size_t)snprintf(text + len, 4, i == 2 ? "%02x" : ":%02x", der[i]);
    return hf_arena_copy(arena, hf_bytes_of(text, len));
}

static struct hf_optional describe_time(const ASN1_TIME *time)
{
    int64_t seconds;
    struct hf_bytes text = {0};
    if (time != NULL)
        text = hf_bytes_of(ASN1_STRING_get0_data(time), (size_t)ASN1_STRING_length(time));
    if (time == NULL || !hf_der_time((uint8_t)ASN1_STRING_type(time), text, &seconds))
        return (struct hf_optional){0};
    return hf_optional_of(seconds);
}

bool ac_describe(X509 *cert, struct hf_arena *arena, struct hf_certificate *out)
{
    uint8_t digest[AC_DIGEST_MAX];
    char oid[256] = "";
    unsigned len = 0;
    HF_AUTO(free_md) EVP_MD *sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    if (sha1 != NULL && X509_digest(cert, sha1, digest, &len) == 1)
        out->thumbprint = ac_hex(arena, hf_bytes_of(digest, len));
    int nid = X509_get_signature_nid(cert);
    const char *name = OBJ_nid2ln(nid);
    if (nid != NID_undef)
        (void)OBJ_obj2txt(oid, sizeof oid, OBJ_nid2obj(nid), 1);
    out->issuer = describe_name(X509_get_issuer_name(cert), arena);
    out->subject = describe_name(X509_get_subject_name(cert), arena);
    out->version = X509_get_version(cert) + 1;
    out->algorithm = hf_bytes_text(name == NULL ? "undefined" : name);
    out->algorithm_oid = hf_arena_copy(arena, hf_bytes_text(oid));
    out->serial = describe_serial(X509_get0_serialNumber(cert), arena);
    out->not_before = describe_time(X509_get0_notBefore(cert));
    out->not_after = describe_time(X509_get0_notAfter(cert));
    ERR_clear_error();
    return out->thumbprint.data != NULL && out->issuer.data != NULL &&
           out->subject.data != NULL;
}

static bool describe_stack(STACK_OF(X509) * stack, struct hf_arena *arena,
                           struct hf_fact_list *out)
{
    int count = sk_X509_num(stack);
    if (count <= 0)
        return true;
    struct hf_certificate *list = hf_arena_array(arena, (size_t)count, sizeof *list);
    if (list == NULL)
        return false;
    for (int i = 0; i < count; i++)
        if (!ac_describe(sk_X509_value(stack, i), arena, &list[i]))
            return false;
    *out = (struct hf_fact_list){.items = list, .count = (size_t)count};
    return true;
}

bool ac_describe_all(const struct ac_certs *certs, struct hf_arena *arena,
                     struct hf_fact_list *out)
{
    return describe_stack(certs->stack, arena, out);
}

/* ---- chains ---- */

struct hf_roots {
    X509_STORE *store;
};

struct hf_roots *hf_roots_new(void)
{
    struct hf_roots *roots = calloc(1, sizeof *roots);
    if (roots != NULL)
        roots->store = X509_STORE_new();
    if (roots != NULL && roots->store == NULL)
        hf_roots_release(&roots);
    return roots;
}

void hf_roots_free(struct hf_roots *roots)
{
    if (roots == NULL)
        return;
    X509_STORE_free(roots->store);
    free(roots);
}

void hf_roots_release(struct hf_roots **roots)
{
    hf_roots_free(*roots);
    *roots = NULL;
}

enum hf_status hf_roots_add(struct hf_roots *roots, struct hf_bytes der)
{
    const uint8_t *at = der.data;
    if (der.len > HF_AUTHENTICODE_CERT_BYTES_MAX)
        return HF_INVALID;
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    if (cert == NULL) {
        ERR_clear_error();
        return HF_INVALID;
    }
    int added = X509_STORE_add_cert(roots->store, cert);
    X509_free(cert);
    return added == 1 ? HF_OK : HF_NOMEM;
}

static void free_store_ctx(X509_STORE_CTX **ctx)
{
    X509_STORE_CTX_free(*ctx);
}

static void free_store(X509_STORE **store)
{
    X509_STORE_free(*store);
}

/* A context for building and judging a chain: no purpose (code signing is none of OpenSSL's),
 * no lookups outside the store. */
static X509_STORE_CTX *chain_context(X509_STORE *store, X509 *cert,
                                     const struct ac_certs *certs, int64_t at)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (ctx == NULL || store == NULL ||
        X509_STORE_CTX_init(ctx, store, cert, certs->stack) != 1) {
        X509_STORE_CTX_free(ctx);
        return NULL;
    }
    X509_STORE_CTX_set_time(ctx, 0, (time_t)at);
    return ctx;
}

bool ac_chain(X509 *cert, const struct ac_certs *certs, int64_t now, struct hf_arena *arena,
              struct hf_fact_list *out)
{
    HF_AUTO(free_store) X509_STORE *store = X509_STORE_new();
    HF_AUTO(free_store_ctx)
    X509_STORE_CTX *ctx = chain_context(store, cert, certs, now);
    if (ctx == NULL)
        return false;
    (void)X509_verify_cert(ctx); /* without roots it fails, having built the chain */
    ERR_clear_error();
    return describe_stack(X509_STORE_CTX_get0_chain(ctx), arena, out);
}

static bool has_use(X509 *cert, uint32_t use)
{
    /* UINT32_MAX: no such extension, so for everything */
    return (X509_get_extended_key_usage(cert) & use) != 0;
}

bool ac_for_code(X509 *cert)
{
    return has_use(cert, XKU_CODE_SIGN | XKU_ANYEKU);
}

struct hf_bytes ac_judge(X509 *cert, const struct ac_certs *certs,
                         const struct hf_roots *roots, int64_t at, bool timestamp)
{
    if (roots == NULL)
        return hf_bytes_text("no root given");
    HF_AUTO(free_store_ctx)
    X509_STORE_CTX *ctx = chain_context(roots->store, cert, certs, at);
    if (ctx == NULL)
        return hf_bytes_text("out of memory");
    int good = X509_verify_cert(ctx);
    int error = X509_STORE_CTX_get_error(ctx);
    ERR_clear_error();
    if (good != 1)
        return hf_bytes_text(X509_verify_cert_error_string(error));
    if (!has_use(cert, timestamp ? XKU_TIMESTAMP : XKU_CODE_SIGN | XKU_ANYEKU))
        return hf_bytes_text(timestamp ? "not for timestamps" : "not for code signing");
    return hf_bytes_text("trusted");
}

/* ---- before sealing ---- */

/* Public keys whose only use is to be decoded once: RSA with a made-up modulus, and the generator
 * of P-256, whose private key is 1. [SEC 2, 2.4.2] */
static const uint8_t warm_rsa[] =
    "\x30\x5c\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x4b\x00\x30\x48"
    "\x02\x41\x00\xc5\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a"
    "\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a"
    "\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a\x5a"
    "\x5b\x02\x03\x01\x00\x01";
static const uint8_t warm_ec[] =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01"
    "\x07\x03\x42\x00\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2\x77"
    "\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96\x4f\xe3\x42\xe2\xfe\x1a\x7f"
    "\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37"
    "\xbf\x51\xf5";

/* Decode a key and let it refuse a signature. */
static bool warm_key(const uint8_t *der, size_t len)
{
    static const uint8_t nothing[64] = {1};
    EVP_PKEY *key = d2i_PUBKEY(NULL, &der, (long)len);
    HF_AUTO(free_md_ctx) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = key != NULL && ctx != NULL &&
                EVP_DigestVerifyInit_ex(ctx, NULL, "SHA2-256", NULL, NULL, key, NULL) == 1;
    if (good)
        (void)EVP_DigestVerify(ctx, nothing, sizeof nothing, nothing, sizeof nothing);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

enum hf_status hf_authenticode_prepare(void)
{
    tzset(); /* gmtime reads /etc/localtime at its first call, although it needs nothing of it */
    bool good = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) == 1;
    for (size_t i = 0; i < DIGESTS && good; i++) {
        EVP_MD *md = EVP_MD_fetch(NULL, digests[i].name, NULL);
        good =
            md != NULL || i == 0; /* MD5 is not there in FIPS mode: signatures by it fail */
        EVP_MD_free(md);
    }
    good = good && warm_key(warm_rsa, sizeof warm_rsa - 1) &&
           warm_key(warm_ec, sizeof warm_ec - 1);
    return good ? HF_OK : HF_NOMEM;
}
