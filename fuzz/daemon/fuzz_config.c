/* Both forms of configuration: whatever is in them, a sentence or a whole configuration. */
#include "daemon/config.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct hf_config config;
    struct hf_buffer error = {0};
    if (hf_config_init(&config) != HF_OK)
        return 0;
    struct hf_bytes text = hf_bytes_of(data + 1, size - 1);
    enum hf_status st = (data[0] & 1 ? hf_config_read_clamd : hf_config_read)(
        &config, "file", text, NULL, NULL, &error);
    assert(st == HF_OK || error.len > 0 || st == HF_NOMEM);
    if (st == HF_OK)
        st = hf_config_check(&config, &error);
    assert(st == HF_OK || error.len > 0);
    hf_config_done(&config);
    hf_buffer_done(&error);
    return 0;
}
