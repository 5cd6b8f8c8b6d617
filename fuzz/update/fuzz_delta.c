/* Property: whatever the object is, exactly the bytes asked for are written, none beside them. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "update/delta.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SIZE = 3000, GUARD = 64 };
    static uint8_t out[SIZE + GUARD];
    if (size < 2)
        return 0;
    size_t from = data[0] * 4u < size - 1 ? data[0] * 4u : 0;
    memset(out, 0x5a, sizeof out);
    enum hf_refusal r =
        hf_delta_apply(hf_bytes_of(data + 1, from),
                       hf_bytes_of(data + 1 + from, size - 1 - from), out, SIZE);
    for (size_t i = SIZE; i < sizeof out; i++)
        assert(out[i] == 0x5a);
    (void)r;
    /* What was made is made again. */
    HF_AUTO(hf_buffer_done) struct hf_buffer object = {0};
    struct hf_bytes to = hf_bytes_of(data + 1 + from, size - 1 - from);
    if (to.len == 0 || to.len > SIZE)
        return 0;
    assert(hf_delta_make(hf_bytes_of(data + 1, from), to, &object) == HF_ACCEPTED);
    assert(hf_delta_apply(hf_bytes_of(data + 1, from), hf_buffer_view(&object), out,
                          to.len) == HF_ACCEPTED);
    assert(memcmp(out, to.data, to.len) == 0);
    return 0;
}
