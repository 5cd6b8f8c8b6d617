#include "drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    drive(hf_unpack_cpio, data, size);
    return 0;
}
