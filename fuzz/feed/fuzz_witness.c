/* Property: a witness cosigns no request that a key has not signed, and remembers nothing of it. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/witness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_skey key, log_key;
    static struct hf_hasher *hasher;
    static const uint8_t seed[HF_ED25519_SEED] = {9}, other[HF_ED25519_SEED] = {8};
    if (hasher == NULL) {
        hasher = hf_hasher_new();
        if (hasher == NULL ||
            hf_skey_make(hf_bytes_text("w"), HF_KEY_COSIGNER, seed, &key) != HF_ACCEPTED ||
            hf_skey_make(hf_bytes_text("example.com/log"), HF_KEY_ED25519, other,
                         &log_key) != HF_ACCEPTED)
            abort();
    }
    struct hf_merkle m = {.hasher = hasher};
    struct hf_log log = {hf_vkey_name(&log_key.verifier), &log_key.verifier, 1};
    struct hf_witnessed known = {.size = 5};
    HF_AUTO(hf_buffer_done) struct hf_buffer answer = {0};
    int status =
        hf_witness_judge(&m, hf_bytes_of(data, size), &log, &key, 1, &known, &answer);
    assert(status != 200 && known.size == 5);
    return 0;
}
