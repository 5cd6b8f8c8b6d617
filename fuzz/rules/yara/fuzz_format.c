/* Formats hostile sources. Properties: words lie in the source one behind the other; formatting
 * twice is as formatting once; it refuses rather than change a word. */
#include "base/auto.h"
#include "rules/yara/format.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer once = {0}, twice = {0};
    struct hf_yara_words words = {.text = hf_bytes_of(data, size)};
    struct hf_yara_word word;
    size_t from = 0;
    while (hf_yara_next_word(&words, &word)) {
        assert(word.text.len > 0 || word.kind == HF_YARA_LINE_COMMENT);
        assert(word.text.data >= data + from && words.pos <= size && words.pos > from);
        from = words.pos;
    }
    if (hf_yara_format(hf_bytes_of(data, size), &once) != HF_OK)
        return 0;
    enum hf_status again = hf_yara_format(hf_buffer_view(&once), &twice);
    assert(again == HF_OK);
    assert(hf_bytes_equal(hf_buffer_view(&once), hf_buffer_view(&twice)));
    return 0;
}
