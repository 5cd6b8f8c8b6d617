/* Property: an accepted root is written again byte for byte, and no note without signatures of its
 * keys verifies it. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_bytes input = hf_bytes_of(data, size);
    struct hf_budget budget = hf_budget_unlimited();
    static struct hf_root root;
    if (hf_root_read(input, &budget, &root) != HF_ACCEPTED)
        return 0;
    assert(hf_root_write(&out, &root) == HF_ACCEPTED);
    assert(hf_bytes_equal(hf_buffer_view(&out), input));
    struct hf_note_signature none = {.name = hf_bytes_text("x")};
    struct hf_signed_note note = {.text = input, .signatures = &none, .count = 1};
    assert(hf_root_verify(NULL, &note, &root) != HF_ACCEPTED);
    return 0;
}
