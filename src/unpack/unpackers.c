#include "unpack/unpack.h"

#include "unpack/decoders.h"

/* By format; a row with no decoder is a format that is no container, or that we do not open. */
static const struct hf_unpacker_row rows[HF_FORMAT_COUNT] = {
    [HF_FORMAT_ZIP] = {HF_FORMAT_ZIP, hf_unpack_zip, false},
    [HF_FORMAT_TAR] = {HF_FORMAT_TAR, hf_unpack_tar, false},
    [HF_FORMAT_CPIO_OLD] = {HF_FORMAT_CPIO_OLD, hf_unpack_cpio, false},
    [HF_FORMAT_CPIO_ODC] = {HF_FORMAT_CPIO_ODC, hf_unpack_cpio, false},
    [HF_FORMAT_CPIO_NEWC] = {HF_FORMAT_CPIO_NEWC, hf_unpack_cpio, false},
    [HF_FORMAT_CPIO_CRC] = {HF_FORMAT_CPIO_CRC, hf_unpack_cpio, false},
    [HF_FORMAT_GZIP] = {HF_FORMAT_GZIP, hf_unpack_gzip, false},
    [HF_FORMAT_BZIP2] = {HF_FORMAT_BZIP2, hf_unpack_bzip2, false},
    [HF_FORMAT_XZ] = {HF_FORMAT_XZ, hf_unpack_xz, false},
    [HF_FORMAT_LZMA] = {HF_FORMAT_LZMA, hf_unpack_lzma, false},
    [HF_FORMAT_LZIP] = {HF_FORMAT_LZIP, hf_unpack_lzip, false},
    [HF_FORMAT_ZSTD] = {HF_FORMAT_ZSTD, hf_unpack_zstd, false},
    [HF_FORMAT_LZ4] = {HF_FORMAT_LZ4, hf_unpack_lz4, false},
    [HF_FORMAT_COMPRESS] = {HF_FORMAT_COMPRESS, hf_unpack_compress, false},
    [HF_FORMAT_AR] = {HF_FORMAT_AR, hf_unpack_ar, false},
    [HF_FORMAT_RPM] = {HF_FORMAT_RPM, hf_unpack_rpm, false},
    [HF_FORMAT_XAR] = {HF_FORMAT_XAR, hf_unpack_xar, false},
    [HF_FORMAT_MAIL] = {HF_FORMAT_MAIL, hf_unpack_mail, false},
    [HF_FORMAT_UUENCODED] = {HF_FORMAT_UUENCODED, hf_unpack_uu, false},
    [HF_FORMAT_7Z] = {HF_FORMAT_7Z, hf_unpack_7z, true},
    [HF_FORMAT_RAR] = {HF_FORMAT_RAR, hf_unpack_rar, true},
    [HF_FORMAT_ISO9660] = {HF_FORMAT_ISO9660, hf_unpack_iso9660, true},
    [HF_FORMAT_ARJ] = {HF_FORMAT_ARJ, hf_unpack_arj, true},
    [HF_FORMAT_LHA] = {HF_FORMAT_LHA, hf_unpack_lha, true},
    [HF_FORMAT_CAB] = {HF_FORMAT_CAB, hf_unpack_cab, true},
    [HF_FORMAT_CHM] = {HF_FORMAT_CHM, hf_unpack_chm, true},
    [HF_FORMAT_SZDD] = {HF_FORMAT_SZDD, hf_unpack_szdd, true},
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
