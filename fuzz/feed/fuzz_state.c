/* Property: an accepted state is written, read and written again as the same bytes; with a bit changed
 * it is refused: nothing but a whole state is ever believed. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    HF_AUTO(hf_buffer_done) struct hf_buffer sealed = {0}, again = {0}, third = {0};
    static struct hf_state state, other;
    static const char end[] = "\nend ";
    struct hf_hash digest;
    /* As it is, and with the digest that it would need: the rest is reached by that only. */
    const uint8_t *at = size > 0 ? memmem(data, size, end, sizeof end - 1) : NULL;
    size_t body = at != NULL ? (size_t)(at - data) + 1 : size;
    if (size == 0 || !hf_hash_of(&m, hf_bytes_of(data, body), &digest))
        return 0;
    hf_buffer_bytes(&sealed, hf_bytes_of(data, body));
    hf_buffer_text(&sealed, "end ");
    hf_put_hash(&sealed, &digest);
    hf_buffer_u8(&sealed, '\n');
    (void)!hf_state_read(&m, hf_bytes_of(data, size), &other);
    if (hf_state_read(&m, hf_buffer_view(&sealed), &state) != HF_ACCEPTED)
        return 0;
    if (hf_state_write(&m, &again, &state) != HF_ACCEPTED)
        abort(); /* what was read can be written */
    if (hf_state_read(&m, hf_buffer_view(&again), &other) != HF_ACCEPTED ||
        hf_state_write(&m, &third, &other) != HF_ACCEPTED)
        abort(); /* and what was written can be read */
    assert(hf_bytes_equal(hf_buffer_view(&again), hf_buffer_view(&third)));
    sealed.data[data[0] % sealed.len] ^= 1;
    assert(hf_state_read(&m, hf_buffer_view(&sealed), &other) != HF_ACCEPTED);
    return 0;
}
