#include "format/format.h"

/* In the order of enum hf_format, which a static assertion and a test hold. Targets as in
 * ClamAV: 1 PE, 2 OLE2, 3 HTML, 4 mail, 5 graphics, 6 ELF, 7 text, 9 Mach-O, 10 PDF, 11 SWF,
 * 12 Java, 14 other. [facts/clamav.md 1.2, 2.1] */
static const struct hf_format_row rows[] = {
    {HF_FORMAT_BINARY, "binary", "CL_TYPE_BINARY_DATA", 14},
    {HF_FORMAT_TEXT_ASCII, "text", "CL_TYPE_TEXT_ASCII", 7},
    {HF_FORMAT_TEXT_UTF8, "utf-8", "CL_TYPE_TEXT_UTF8", 7},
    {HF_FORMAT_TEXT_UTF16LE, "utf-16le", "CL_TYPE_TEXT_UTF16LE", 7},
    {HF_FORMAT_TEXT_UTF16BE, "utf-16be", "CL_TYPE_TEXT_UTF16BE", 7},
    {HF_FORMAT_HTML, "html", "CL_TYPE_HTML", 3},
    {HF_FORMAT_SCRIPT, "script", "CL_TYPE_SCRIPT", 7},
    {HF_FORMAT_MAIL, "mail", "CL_TYPE_MAIL", 4},
    {HF_FORMAT_PE, "pe", "CL_TYPE_MSEXE", 1},
    {HF_FORMAT_ELF, "elf", "CL_TYPE_ELF", 6},
    {HF_FORMAT_MACHO, "macho", "CL_TYPE_MACHO", 9},
    {HF_FORMAT_MACHO_FAT, "macho-fat", "CL_TYPE_MACHO_UNIBIN", 9},
    {HF_FORMAT_ZIP, "zip", "CL_TYPE_ZIP", 0},
    {HF_FORMAT_TAR, "tar", "CL_TYPE_POSIX_TAR", 0},
    {HF_FORMAT_CPIO_OLD, "cpio-old", "CL_TYPE_CPIO_OLD", 0},
    {HF_FORMAT_CPIO_ODC, "cpio-odc", "CL_TYPE_CPIO_ODC", 0},
    {HF_FORMAT_CPIO_NEWC, "cpio-newc", "CL_TYPE_CPIO_NEWC", 0},
    {HF_FORMAT_CPIO_CRC, "cpio-crc", "CL_TYPE_CPIO_CRC", 0},
    {HF_FORMAT_GZIP, "gzip", "CL_TYPE_GZ", 0},
    {HF_FORMAT_BZIP2, "bzip2", "CL_TYPE_BZ", 0},
    {HF_FORMAT_XZ, "xz", "CL_TYPE_XZ", 0},
    {HF_FORMAT_LZMA, "lzma", "CL_TYPE_LZMA", 0},
    {HF_FORMAT_LZIP, "lzip", "CL_TYPE_LZIP", 0},
    {HF_FORMAT_ZSTD, "zstd", "CL_TYPE_ZSTD", 0},
    {HF_FORMAT_LZ4, "lz4", "CL_TYPE_LZ4", 0},
    {HF_FORMAT_COMPRESS, "compress", "CL_TYPE_COMPRESS", 0},
    {HF_FORMAT_7Z, "7z", "CL_TYPE_7Z", 0},
    {HF_FORMAT_RAR, "rar", "CL_TYPE_RAR", 0},
    {HF_FORMAT_CAB, "cab", "CL_TYPE_MSCAB", 0},
    {HF_FORMAT_ISO9660, "iso9660", "CL_TYPE_ISO9660", 0},
    {HF_FORMAT_UDF, "udf", "CL_TYPE_UDF", 0},
    {HF_FORMAT_AR, "ar", "CL_TYPE_AR", 0},
    {HF_FORMAT_RPM, "rpm", "CL_TYPE_RPM", 0},
    {HF_FORMAT_XAR, "xar", "CL_TYPE_XAR", 0},
    {HF_FORMAT_ARJ, "arj", "CL_TYPE_ARJ", 0},
    {HF_FORMAT_LHA, "lha", "CL_TYPE_LHA_LZH", 0},
    {HF_FORMAT_CHM, "chm", "CL_TYPE_MSCHM", 0},
    {HF_FORMAT_SZDD, "szdd", "CL_TYPE_MSSZDD", 0},
    {HF_FORMAT_OLE2, "ole2", "CL_TYPE_MSOLE2", 2},
    {HF_FORMAT_PDF, "pdf", "CL_TYPE_PDF", 10},
    {HF_FORMAT_RTF, "rtf", "CL_TYPE_RTF", 0},
    {HF_FORMAT_SWF, "swf", "CL_TYPE_SWF", 11},
    {HF_FORMAT_JAVA, "java", "CL_TYPE_JAVA", 12},
    {HF_FORMAT_PYC, "pyc", "CL_TYPE_PYTHON_COMPILED", 14},
    {HF_FORMAT_DEX, "dex", "CL_TYPE_DEX", 0},
    {HF_FORMAT_LNK, "lnk", "CL_TYPE_LNK", 0},
    {HF_FORMAT_GIF, "gif", "CL_TYPE_GIF", 5},
    {HF_FORMAT_PNG, "png", "CL_TYPE_PNG", 5},
    {HF_FORMAT_JPEG, "jpeg", "CL_TYPE_JPEG", 5},
    {HF_FORMAT_TIFF, "tiff", "CL_TYPE_TIFF", 5},
    {HF_FORMAT_RIFF, "riff", "CL_TYPE_RIFF", 0},
    {HF_FORMAT_TNEF, "tnef", "CL_TYPE_TNEF", 0},
    {HF_FORMAT_UUENCODED, "uuencoded", "CL_TYPE_UUENCODED", 0},
    {HF_FORMAT_BINHEX, "binhex", "CL_TYPE_BINHEX", 0},
    {HF_FORMAT_SIS, "sis", "CL_TYPE_SIS", 0},
    {HF_FORMAT_EGG, "egg", "CL_TYPE_EGG", 0},
    {HF_FORMAT_ALZ, "alz", "CL_TYPE_ALZ", 0},
    {HF_FORMAT_ONENOTE, "onenote", "CL_TYPE_ONENOTE", 0},
    {HF_FORMAT_SQUASHFS, "squashfs", "CL_TYPE_SQUASHFS", 0},
    {HF_FORMAT_DMG, "dmg", "CL_TYPE_DMG", 0},
};
_Static_assert(sizeof rows / sizeof *rows == HF_FORMAT_COUNT, "a row for each format");

const struct hf_format_row *hf_format_row(enum hf_format id)
{
    return (unsigned)id < HF_FORMAT_COUNT ? &rows[id] : NULL;
}

const struct hf_format_row *hf_format_by_cl_type(struct hf_bytes cl_type)
{
    for (size_t i = 0; i < HF_FORMAT_COUNT; i++)
        if (hf_bytes_equal(cl_type, hf_bytes_text(rows[i].cl_type)))
            return &rows[i];
    return NULL;
}
