#include "digest/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

static const struct {
    const char *name, *openssl;
    size_t length;
} kinds[HF_DIGEST_KINDS] = {
    [HF_MD5] = {"md5", "MD5", 16},
    [HF_SHA1] = {"sha1", "SHA1", 20},
    [HF_SHA256] = {"sha256", "SHA256", 32},
};

/* Several digests of one object are fed piece by piece, so that each piece is read from memory
 * once and from the cache afterwards. */
enum { PIECE = 128 * 1024 };

struct hf_hasher {
    EVP_MD *algorithm[HF_DIGEST_KINDS];
    EVP_MD_CTX *context[HF_DIGEST_KINDS];
};

size_t hf_digest_length(enum hf_digest_kind kind)
{
    return kinds[kind].length;
}

const char *hf_digest_name(enum hf_digest_kind kind)
{
    return kinds[kind].name;
}

enum hf_digest_kind hf_digest_of_length(size_t length)
{
    int kind = 0;
    while (kind < HF_DIGEST_KINDS && kinds[kind].length != length)
        kind++;
    return (enum hf_digest_kind)kind;
}

struct hf_hasher *hf_hasher_new(void)
{
    struct hf_hasher *hasher = calloc(1, sizeof *hasher);
    if (hasher == NULL)
        return NULL;
    for (int k = 0; k < HF_DIGEST_KINDS; k++) {
        hasher->algorithm[k] = EVP_MD_fetch(NULL, kinds[k].openssl, NULL);
        hasher->context[k] = EVP_MD_CTX_new();
        if (hasher->algorithm[k] == NULL || hasher->context[k] == NULL) {
            hf_hasher_free(hasher);
            return NULL;
        }
    }
    return hasher;
}

void hf_hasher_free(struct hf_hasher *hasher)
{
    if (hasher == NULL)
        return;
    for (int k = 0; k < HF_DIGEST_KINDS; k++) {
        EVP_MD_CTX_free(hasher->context[k]);
        EVP_MD_free(hasher->algorithm[k]);
    }
    free(hasher);
}

void hf_hasher_release(struct hf_hasher **hasher)
{
    hf_hasher_free(*hasher);
    *hasher = NULL;
}

static bool selected(unsigned todo, int kind)
{
    return (todo >> kind & 1u) != 0;
}

/* Feed one run of bytes to the selected digests. */
static bool feed(struct hf_hasher *hasher, struct hf_bytes data, unsigned todo)
{
    bool good = true;
    for (size_t at = 0; at < data.len && good; at += PIECE) {
        size_t n = data.len - at < PIECE ? data.len - at : PIECE;
        for (int k = 0; k < HF_DIGEST_KINDS; k++)
            if (selected(todo, k))
                good = good && EVP_DigestUpdate(hasher->context[k], data.data + at, n) == 1;
    }
    return good;
}

enum hf_status hf_digest_add_parts(struct hf_hasher *hasher, const struct hf_bytes *parts,
                                   size_t count, unsigned wanted,
                                   struct hf_digests *digests)
{
    unsigned todo = wanted & ~digests->have & ((1u << HF_DIGEST_KINDS) - 1);
    if (todo == 0)
        return HF_OK;
    bool good = true;
    for (int k = 0; k < HF_DIGEST_KINDS; k++)
        if (selected(todo, k))
            good = good &&
                   EVP_DigestInit_ex2(hasher->context[k], hasher->algorithm[k], NULL) == 1;
    for (size_t i = 0; i < count; i++)
        good = good && feed(hasher, parts[i], todo);
    for (int k = 0; k < HF_DIGEST_KINDS; k++)
        if (selected(todo, k))
            good = good &&
                   EVP_DigestFinal_ex(hasher->context[k], digests->value[k], NULL) == 1;
    if (!good)
        return HF_NOMEM;
    digests->have |= todo;
    return HF_OK;
}

enum hf_status hf_digest_add(struct hf_hasher *hasher, struct hf_bytes data,
                             unsigned wanted, struct hf_digests *digests)
{
    return hf_digest_add_parts(hasher, &data, 1, wanted, digests);
}
