/* format.h - which formats there are and how to recognise them: one row a format. */
#ifndef HF_FORMAT_FORMAT_H
#define HF_FORMAT_FORMAT_H

#include "base/cursor.h"

/* Numbers are stored in databases (guards, containers): append, never renumber. */
enum hf_format {
    HF_FORMAT_BINARY, /* nothing recognised */
    HF_FORMAT_TEXT_ASCII,
    HF_FORMAT_TEXT_UTF8,
    HF_FORMAT_TEXT_UTF16LE,
    HF_FORMAT_TEXT_UTF16BE,
    HF_FORMAT_HTML,
    HF_FORMAT_SCRIPT,
    HF_FORMAT_MAIL,
    HF_FORMAT_PE,
    HF_FORMAT_ELF,
    HF_FORMAT_MACHO,
    HF_FORMAT_MACHO_FAT,
    HF_FORMAT_ZIP,
    HF_FORMAT_TAR,
    HF_FORMAT_CPIO_OLD,
    HF_FORMAT_CPIO_ODC,
    HF_FORMAT_CPIO_NEWC,
    HF_FORMAT_CPIO_CRC,
    HF_FORMAT_GZIP,
    HF_FORMAT_BZIP2,
    HF_FORMAT_XZ,
    HF_FORMAT_LZMA,
    HF_FORMAT_LZIP,
    HF_FORMAT_ZSTD,
    HF_FORMAT_LZ4,
    HF_FORMAT_COMPRESS, /* .Z */
    HF_FORMAT_7Z,
    HF_FORMAT_RAR,
    HF_FORMAT_CAB,
    HF_FORMAT_ISO9660,
    HF_FORMAT_UDF,
    HF_FORMAT_AR,
    HF_FORMAT_RPM,
    HF_FORMAT_XAR,
    HF_FORMAT_ARJ,
    HF_FORMAT_LHA,
    HF_FORMAT_CHM,
    HF_FORMAT_SZDD,
    HF_FORMAT_OLE2,
    HF_FORMAT_PDF,
    HF_FORMAT_RTF,
    HF_FORMAT_SWF,
    HF_FORMAT_JAVA,
    HF_FORMAT_PYC,
    HF_FORMAT_DEX,
    HF_FORMAT_LNK,
    HF_FORMAT_GIF,
    HF_FORMAT_PNG,
    HF_FORMAT_JPEG,
    HF_FORMAT_TIFF,
    HF_FORMAT_RIFF,
    HF_FORMAT_TNEF,
    HF_FORMAT_UUENCODED,
    HF_FORMAT_BINHEX,
    HF_FORMAT_SIS,
    HF_FORMAT_EGG,
    HF_FORMAT_ALZ,
    HF_FORMAT_ONENOTE,
    HF_FORMAT_SQUASHFS,
    HF_FORMAT_DMG,
    HF_FORMAT_COUNT
};

struct hf_format_row {
    enum hf_format id;
    const char *name; /* ours, for people and JSON: "zip" */
    const char
        *cl_type;   /* the name that signature authors use: "CL_TYPE_ZIP" [clamav.md 2.1] */
    uint8_t target; /* ClamAV's target number whose signatures see it; 0: only target 0 */
};

/* The row of a format; never NULL for a valid id, NULL for others. */
const struct hf_format_row *hf_format_row(enum hf_format id);

/* A format by the name that signature authors use; NULL when there is none. */
const struct hf_format_row *hf_format_by_cl_type(struct hf_bytes cl_type);

/*
 * What an object is, by its bytes alone.
 *
 * object  the whole of it; not advanced. Looks at a bounded number of bytes at fixed places and
 *         of text at the start.
 */
enum hf_format hf_identify(const struct hf_cursor *object);

/*
 * What an object is besides: archives that are found from their end or at fixed places, so that
 * they can sit behind or inside something else (a ZIP behind a PE stub or a JPEG, an ISO image
 * that starts as something bootable).
 *
 * first  what hf_identify said; never repeated.
 * also   receives at most HF_ALSO_MAX formats.
 * Returns how many.
 */
enum { HF_ALSO_MAX = 4 };
size_t hf_identify_also(const struct hf_cursor *object, enum hf_format first,
                        enum hf_format also[HF_ALSO_MAX]);

#endif
