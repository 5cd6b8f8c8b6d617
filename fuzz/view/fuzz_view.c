/* Property: a view does not depend on how its bytes are cut into pieces by the reader, and
 * normalised text normalises to itself. */
#include <assert.h>

#include "base/auto.h"
#include "base/buffer.h"
#include "view/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum hf_status append(void *user, struct hf_bytes bytes)
{
    hf_buffer_bytes(user, bytes);
    return HF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer once = {0}, twice = {0}, half = {0};
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    assert(hf_view_text(&c, &(struct hf_view_out){append, &once}) == HF_OK);
    c = hf_cursor_open(once.data, once.len, NULL);
    assert(hf_view_text(&c, &(struct hf_view_out){append, &twice}) == HF_OK);
    assert(hf_bytes_equal(hf_buffer_view(&once), hf_buffer_view(&twice)));
    c = hf_cursor_open(data, size, NULL);
    assert(hf_view_utf16(&c, &(struct hf_view_out){append, &half}) == HF_OK);
    assert(half.len == size / 2);
    /* A page is at most a little longer, and does not lose its place at the end of input. */
    HF_AUTO(hf_buffer_done) struct hf_buffer page = {0}, text = {0};
    const struct hf_view_html_out out = {{append, &page}, {append, &text}};
    c = hf_cursor_open(data, size, NULL);
    assert(hf_view_html(&c, &out) == HF_OK && hf_cursor_left(&c) == 0);
    assert(page.len <= 4 * size + 64 && text.len <= 3 * size + 64);
    return 0;
}
