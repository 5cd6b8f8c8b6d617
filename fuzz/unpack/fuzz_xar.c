/* xar archives. */
#include "decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_decode(HF_FORMAT_XAR, data, size);
    return 0;
}
