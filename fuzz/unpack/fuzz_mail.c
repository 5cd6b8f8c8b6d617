#include "decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(HF_FORMAT_MAIL, data, size);
    fuzz_decode(HF_FORMAT_UUENCODED, data, size);
    return 0;
}
