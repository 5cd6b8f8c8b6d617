/* Tables of the clean-file cache whose authenticity is right and whose contents are anything: at
 * worst refused. What is read can be written and read again, with the same entries. */
#include "base/auto.h"
#include "store/clean_table.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[HF_CLEAN_KEY] = {1, 2, 3};
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0}, again = {0};
    HF_AUTO(hf_clean_table_done) struct hf_clean_table table = {0}, second = {0};
    uint8_t mac[32];
    unsigned mac_len = 0;
    hf_buffer_add(&bytes, data, size);
    check(HMAC(EVP_sha256(), key, sizeof key, data, size, mac, &mac_len) != NULL);
    hf_buffer_add(&bytes, mac, mac_len);
    if (hf_clean_table_read(&table, hf_buffer_view(&bytes), key) != HF_OK) {
        check(table.count == 0);
        return 0;
    }
    check(hf_clean_table_write(&table, SIZE_MAX, key, &again) == HF_OK);
    check(hf_clean_table_read(&second, hf_buffer_view(&again), key) == HF_OK);
    check(second.count == table.count && second.run == table.run + 1);
    for (size_t i = 0; i < table.room; i++) {
        const struct hf_clean_entry *a = &table.entries[i], *b;
        if (a->run == 0)
            continue;
        b = hf_clean_table_find(&second, a->tag);
        check(b != NULL && b->run == a->run && b->generation == a->generation &&
              b->asked_len == a->asked_len);
    }
    return 0;
}
