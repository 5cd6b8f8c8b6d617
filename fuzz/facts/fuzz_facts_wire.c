/* What a lying worker may send as facts: whatever is read writes the same bytes again, and is
 * JSON that ends. */
#include "base/auto.h"
#include "facts/facts_wire.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer again = {0}, text = {0};
    struct hf_fact_wire_reader r = hf_fact_wire_open(hf_bytes_of(data, size));
    struct hf_fact_wire_writer w = {.out = &again, .max = SIZE_MAX};
    struct hf_fact_json json = {.out = &text};
    struct hf_fact_event e;
    enum hf_status st;
    while ((st = hf_fact_wire_next(&r, &e)) == HF_OK) {
        assert(hf_fact_wire_visit(&w, &e));
        assert(hf_fact_json_visit(&json, &e));
        assert(w.depth == r.depth && json.depth == r.depth);
    }
    assert(again.len <= size &&
           memcmp(again.data == NULL ? data : again.data, data, again.len) == 0);
    assert(st != HF_NOTFOUND || again.len == size);
    return 0;
}
