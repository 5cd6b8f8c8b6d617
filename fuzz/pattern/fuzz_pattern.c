/* The stored form of a pattern: what reads well is written back to the same bytes. */
#include "base/auto.h"
#include "pattern/pattern.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    struct hf_pattern p;
    while (hf_cursor_left(&c) > 0) {
        const size_t from = c.pos;
        if (hf_pattern_read(&c, &p) != HF_OK) {
            assert(c.failed);
            break;
        }
        HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
        hf_pattern_write(&p, &out);
        assert(
            hf_bytes_equal(hf_buffer_view(&out), hf_bytes_of(data + from, c.pos - from)));
        (void)hf_place_allows(&p.place, p.place.span, size);
    }
    return 0;
}
