#include "unpack/unpack.h"

#include "unpack/decoders.h"

/* By format; a row with no decoder is a format that is no container, or that we do not open. */
static const struct hf_unpacker_row rows[HF_FORMAT_COUNT] = {
    [HF_FORMAT_ZIP] = {.format = HF_FORMAT_ZIP, .unpack = hf_unpack_zip},
    [HF_FORMAT_BZIP2] = {HF_FORMAT_BZIP2, hf_unpack_bzip2, false},
    [HF_FORMAT_XZ] = {HF_FORMAT_XZ, hf_unpack_xz, false},
    [HF_FORMAT_LZMA] = {HF_FORMAT_LZMA, hf_unpack_lzma, false},
    [HF_FORMAT_LZIP] = {HF_FORMAT_LZIP, hf_unpack_lzip, false},
    [HF_FORMAT_ZSTD] = {HF_FORMAT_ZSTD, hf_unpack_zstd, false},
    [HF_FORMAT_LZ4] = {HF_FORMAT_LZ4, hf_unpack_lz4, false},
    [HF_FORMAT_COMPRESS] = {HF_FORMAT_COMPRESS, hf_unpack_compress, false},
    [HF_FORMAT_AR] = {HF_FORMAT_AR, hf_unpack_ar, false},
    [HF_FORMAT_RPM] = {HF_FORMAT_RPM, hf_unpack_rpm, false},
    [HF_FORMAT_7Z] = {HF_FORMAT_7Z, hf_unpack_7z, true},
    [HF_FORMAT_RAR] = {HF_FORMAT_RAR, hf_unpack_rar, true},
    [HF_FORMAT_ISO9660] = {HF_FORMAT_ISO9660, hf_unpack_iso9660, true},
};

const struct hf_unpacker_row *hf_unpacker_of(enum hf_format format)
{
    if ((unsigned)format >= HF_FORMAT_COUNT || rows[format].unpack == NULL)
        return NULL;
    return &rows[format];
}

void hf_unpack_prepare(void)
{
    hf_lib_archive_prepare();
}
