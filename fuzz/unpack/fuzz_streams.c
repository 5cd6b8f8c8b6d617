/* Single compressed streams; the first byte chooses the format. */
#include "decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum hf_format formats[] = {
        HF_FORMAT_BZIP2, HF_FORMAT_XZ,  HF_FORMAT_LZMA,    HF_FORMAT_LZIP,
        HF_FORMAT_ZSTD,  HF_FORMAT_LZ4, HF_FORMAT_COMPRESS};
    if (size == 0)
        return 0;
    fuzz_decode(formats[data[0] % (sizeof formats / sizeof *formats)], data + 1, size - 1);
    return 0;
}
