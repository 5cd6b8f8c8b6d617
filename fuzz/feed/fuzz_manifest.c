/* Property: an accepted manifest, entry or settings text is written again byte for byte (settings:
 * to the same settings). */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0}, line = {0}, text = {0}, again = {0};
    struct hf_bytes input = hf_bytes_of(data, size);
    struct hf_budget budget = hf_budget_unlimited();
    static struct hf_manifest manifest;
    struct hf_entry entry;
    struct hf_settings settings;
    if (hf_manifest_read(input, &budget, &manifest) == HF_ACCEPTED) {
        assert(hf_manifest_write(&out, &manifest) == HF_ACCEPTED);
        assert(hf_bytes_equal(hf_buffer_view(&out), input));
    }
    if (hf_entry_read(input, &entry) == HF_ACCEPTED) {
        hf_entry_write(&line, &entry);
        assert(hf_bytes_equal(hf_buffer_view(&line), input));
    }
    if (hf_settings_read(input, &settings, NULL) == HF_ACCEPTED) {
        hf_settings_write(&text, &settings);
        assert(hf_settings_read(hf_buffer_view(&text), &settings, NULL) == HF_ACCEPTED);
        hf_settings_write(&again, &settings);
        assert(hf_bytes_equal(hf_buffer_view(&again), hf_buffer_view(&text)));
    }
    return 0;
}
