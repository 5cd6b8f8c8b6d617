#include "format/format.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    enum hf_format first = hf_identify(&c);
    assert(hf_format_row(first) != NULL);
    enum hf_format also[HF_ALSO_MAX];
    size_t n = hf_identify_also(&c, first, also);
    assert(n <= HF_ALSO_MAX);
    for (size_t i = 0; i < n; i++)
        assert(also[i] != first && hf_format_row(also[i]) != NULL);
    return 0;
}
