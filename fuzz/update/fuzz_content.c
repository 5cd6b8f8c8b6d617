/* Property: what the second reader accepts the first one opens, and its digests hold (fixed up here, so
 * that fuzzing gets behind them). */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "digest/digest.h"
#include "update/content_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer why = {0}, file = {0};
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    unsigned abilities;
    hf_buffer_add(&file, data, size);
    if (hasher == NULL || file.failed)
        return 0;
    uint64_t table = 0;
    uint32_t count = 0;
    if (size >= 64) {
        memcpy(&table, file.data + 24, 8);
        memcpy(&count, file.data + 12, 4);
    }
    for (uint32_t i = 0; count <= 64 && table <= size && i < count; i++) {
        uint64_t at = table + i * 64u, offset, length;
        struct hf_digests d = {0};
        if (size - table < (i + 1) * 64u)
            break;
        memcpy(&offset, file.data + at + 8, 8);
        memcpy(&length, file.data + at + 16, 8);
        if (offset > size || length > size - offset ||
            hf_digest_add(hasher, hf_bytes_of(file.data + offset, (size_t)length),
                          1u << HF_SHA256, &d) != HF_OK)
            break;
        memcpy(file.data + at + 32, d.value[HF_SHA256], 32);
    }
    if (size >= 64 && count <= 64 && table <= size && (size - table) / 64 >= count) {
        struct hf_digests d = {0};
        if (hf_digest_add(hasher, hf_bytes_of(file.data + table, count * (size_t)64),
                          1u << HF_SHA256, &d) == HF_OK)
            memcpy(file.data + 48, d.value[HF_SHA256], 16);
    }
    enum hf_refusal r = hf_content_check(hf_buffer_view(&file), &abilities, &why);
    assert(r != HF_ACCEPTED || why.len == 0);
    return 0;
}
