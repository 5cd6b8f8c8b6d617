/* What goes through libmspack; the first byte chooses the format. */
#include "decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum hf_format formats[] = {HF_FORMAT_CAB, HF_FORMAT_CHM, HF_FORMAT_SZDD};
    if (size == 0)
        return 0;
    fuzz_decode(formats[data[0] % (sizeof formats / sizeof *formats)], data + 1, size - 1);
    return 0;
}
