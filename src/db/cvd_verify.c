/* cvd_verify.c - the two signature schemes of ClamAV's containers. Both write the signature as
 * digits of six bits, the lowest first; the number to the power of the public exponent is the
 * signed value. The keys are those in every copy of ClamAV. */
#include "db/cvd.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

enum { DIGITS_MAX = 1024, NUMBER_MAX = 512 };

const struct hf_cvd_key hf_cvd_key_database = {
    "11864099555164534260307000165845318975152777441202774374659940574324314260746414476736106"
    "06406558447497607888900222834249227624889175655510024677711096695981894104346990345322322"
    "28621591089508178591428456220796841621637175567590476666928698770143328137383952820383197"
    "532047771780196576957695822641224262693037",
    "100001027"};
const struct hf_cvd_key hf_cvd_key_info = {
    "11088894983048545473659556106627194923928941791795047620591658697413581043322715912172496"
    "80652538105588096452061840022433332053466029923398375534174067950286682990967995573439139"
    "26683783612215242053966310901051516412708572770803107343209516537005089417419168723942507"
    "89070290470270758745162169105075430785038339986534648720379846417853739221140278648135982"
    "44611972310289541509377039421666632448459393576240846851682663319214082666792349482204580"
    "53478099328484548458869717064243605586678627758760720594377033653802091016977385754769350"
    "85469455279994113145977994084618328482151013142393373316337519977244732747977",
    "100002049"};
const struct hf_cvd_key hf_cvd_key_diff = {
    "14783905874077467090262228516557917570254599638376203532031989214105552847269687489771975"
    "79212344218581728769495194980090879152754201711560050130339477861853586484523570004159005"
    "63182301024496122174585490160893133065913885907907965158196541023207257123008223563487240"
    "11232654837503241736177907784198700834440681124727060540035754699658105895050096576226753"
    "00859688169882818565242490192166875832657846200324790647098209229810678965721190548898628"
    "10783463614695244848295595608862271980919954984406766396398304635932113860550653602884223"
    "94053998134458623712540683294034953818412458362198117811990006021989844180721010947",
    "100002053"};
const struct hf_cvd_keys hf_cvd_keys_clamav = {&hf_cvd_key_database, &hf_cvd_key_info};

static int value_of(uint8_t digit)
{
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a';
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* The number that digits stand for, big-endian in exactly size bytes. False when they are no
 * digits, or it has more bytes. */
static bool number_of(struct hf_bytes digits, uint8_t *out, size_t size)
{
    if (digits.len == 0 || digits.len > DIGITS_MAX)
        return false;
    memset(out, 0, size);
    for (size_t i = 0; i < digits.len; i++) {
        int v = value_of(digits.data[i]);
        if (v < 0)
            return false;
        size_t bit = 6 * i, byte = bit / 8;
        unsigned wide = (unsigned)v << bit % 8;
        for (; wide != 0; wide >>= 8, byte++) {
            if (byte >= size)
                return false;
            out[size - 1 - byte] |= (uint8_t)wide;
        }
    }
    return true;
}

bool hf_cvd_signs_md5(const struct hf_cvd_key *key, struct hf_bytes digits,
                      const uint8_t md5[16])
{
    uint8_t number[NUMBER_MAX];
    if (!number_of(digits, number, sizeof number))
        return false;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = NULL, *e = NULL, *s = BN_bin2bn(number, sizeof number, NULL);
    BIGNUM *plain = BN_new(), *wanted = BN_bin2bn(md5, 16, NULL);
    bool signs = ctx != NULL && s != NULL && plain != NULL && wanted != NULL &&
                 BN_dec2bn(&n, key->modulus) > 0 && BN_dec2bn(&e, key->exponent) > 0 &&
                 BN_ucmp(s, n) < 0 && BN_mod_exp(plain, s, e, n, ctx) == 1 &&
                 BN_ucmp(plain, wanted) == 0;
    BN_free(n);
    BN_free(e);
    BN_free(s);
    BN_free(plain);
    BN_free(wanted);
    BN_CTX_free(ctx);
    return signs;
}

static EVP_PKEY *public_key(const struct hf_cvd_key *key)
{
    BIGNUM *n = NULL, *e = NULL;
    EVP_PKEY *out = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (builder != NULL && ctx != NULL && BN_dec2bn(&n, key->modulus) > 0 &&
        BN_dec2bn(&e, key->exponent) > 0 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        params = OSSL_PARAM_BLD_to_param(builder);
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &out, EVP_PKEY_PUBLIC_KEY, params) != 1)
        out = NULL;
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(ctx);
    BN_free(n);
    BN_free(e);
    return out;
}

bool hf_cvd_signs_sha256(const struct hf_cvd_key *key, struct hf_bytes digits,
                         const uint8_t sha256[32])
{
    EVP_PKEY *rsa = public_key(key);
    uint8_t number[NUMBER_MAX];
    int size = rsa == NULL ? 0 : EVP_PKEY_get_size(rsa);
    bool signs = false;
    EVP_PKEY_CTX *ctx = NULL;
    if (size > 0 && size <= NUMBER_MAX && number_of(digits, number, (size_t)size))
        ctx = EVP_PKEY_CTX_new(rsa, NULL);
    if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
        EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 32) == 1)
        signs = EVP_PKEY_verify(ctx, number, (size_t)size, sha256, 32) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(rsa);
    return signs;
}
