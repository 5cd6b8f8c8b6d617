#include "format/format.h"

#include "format/text_kind.h"

/* Magic numbers at fixed places, in the order in which they are tried: longer and more certain
 * ones first. `mask` (NULL: all bits) says which bits count. Sources: the formats' own
 * specifications; for archives the documents of their makers. */
struct magic {
    enum hf_format format;
    uint32_t offset;
    uint8_t length;
    const char *bytes;
    const char *mask;
};

static const struct magic magics[] = {
    {HF_FORMAT_ELF, 0, 4,
     "\x7f"
     "ELF",
     NULL},
    {HF_FORMAT_PE, 0, 2, "MZ", NULL},
    {HF_FORMAT_PE, 0, 2, "ZM", NULL},
    {HF_FORMAT_ZIP, 0, 4, "PK\3\4", NULL},
    {HF_FORMAT_ZIP, 0, 4, "PK\5\6", NULL},
    {HF_FORMAT_ZIP, 0, 8, "PK00PK\3\4", NULL},
    {HF_FORMAT_ZIP, 0, 8, "PK\7\10PK\3\4", NULL},
    {HF_FORMAT_GZIP, 0, 3, "\x1f\x8b\x08", NULL},
    {HF_FORMAT_7Z, 0, 6, "7z\xbc\xaf\x27\x1c", NULL},
    {HF_FORMAT_XZ, 0, 6,
     "\xfd"
     "7zXZ\0",
     NULL},
    {HF_FORMAT_BZIP2, 0, 3, "BZh", NULL},
    {HF_FORMAT_ZSTD, 0, 4, "\x28\xb5\x2f\xfd", NULL},
    {HF_FORMAT_ZSTD, 0, 4, "\x50\x2a\x4d\x18", "\xf0\xff\xff\xff"}, /* skippable frame */
    {HF_FORMAT_LZ4, 0, 4, "\x04\x22\x4d\x18", NULL},
    {HF_FORMAT_LZ4, 0, 4, "\x02\x21\x4c\x18", NULL}, /* legacy frame */
    {HF_FORMAT_LZIP, 0, 4, "LZIP", NULL},
    {HF_FORMAT_COMPRESS, 0, 2, "\x1f\x9d", NULL},
    {HF_FORMAT_RAR, 0, 6, "Rar!\x1a\x07", NULL},
    {HF_FORMAT_RAR, 0, 4, "RE~^", NULL},
    {HF_FORMAT_CAB, 0, 4, "MSCF", NULL},
    {HF_FORMAT_AR, 0, 8, "!<arch>\n", NULL},
    {HF_FORMAT_AR, 0, 8, "!<thin>\n", NULL},
    {HF_FORMAT_RPM, 0, 4, "\xed\xab\xee\xdb", NULL},
    {HF_FORMAT_XAR, 0, 4, "xar!", NULL},
    {HF_FORMAT_CHM, 0, 4, "ITSF", NULL},
    {HF_FORMAT_SZDD, 0, 8, "SZDD\x88\xf0\x27\x33", NULL},
    {HF_FORMAT_SZDD, 0, 8, "KWAJ\x88\xf0\x27\xd1", NULL},
    {HF_FORMAT_SZDD, 0, 8, "SZ \x88\xf0\x27\x33\xd1", NULL},
    {HF_FORMAT_CPIO_NEWC, 0, 6, "070701", NULL},
    {HF_FORMAT_CPIO_CRC, 0, 6, "070702", NULL},
    {HF_FORMAT_CPIO_ODC, 0, 6, "070707", NULL},
    {HF_FORMAT_OLE2, 0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", NULL},
    {HF_FORMAT_PDF, 0, 5, "%PDF-", NULL},
    {HF_FORMAT_RTF, 0, 5, "{\\rtf", NULL},
    {HF_FORMAT_SWF, 0, 3, "FWS", NULL},
    {HF_FORMAT_SWF, 0, 3, "CWS", NULL},
    {HF_FORMAT_SWF, 0, 3, "ZWS", NULL},
    {HF_FORMAT_DEX, 0, 4, "dex\n", NULL},
    {HF_FORMAT_LNK, 0, 8, "\x4c\0\0\0\x01\x14\x02\0", NULL},
    {HF_FORMAT_GIF, 0, 4, "GIF8", NULL},
    {HF_FORMAT_PNG, 0, 8, "\x89PNG\r\n\x1a\n", NULL},
    {HF_FORMAT_JPEG, 0, 3, "\xff\xd8\xff", NULL},
    {HF_FORMAT_TIFF, 0, 4, "II*\0", NULL},
    {HF_FORMAT_TIFF, 0, 4, "MM\0*", NULL},
    {HF_FORMAT_RIFF, 0, 4, "RIFF", NULL},
    {HF_FORMAT_TNEF, 0, 4, "\x78\x9f\x3e\x22", NULL},
    {HF_FORMAT_EGG, 0, 4, "EGGA", NULL},
    {HF_FORMAT_ALZ, 0, 4, "ALZ\1", NULL},
    {HF_FORMAT_SQUASHFS, 0, 4, "hsqs", NULL},
    {HF_FORMAT_SIS, 0, 4, "\x7a\x1a\x20\x10", NULL},
    {HF_FORMAT_SIS, 8, 4, "\x19\x04\x00\x10", NULL},
    {HF_FORMAT_ONENOTE, 0, 8, "\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", NULL},
    {HF_FORMAT_UUENCODED, 0, 6, "begin ", NULL},
    {HF_FORMAT_BINHEX, 0, 44, "(This file must be converted with BinHex 4.0", NULL},
    {HF_FORMAT_MACHO, 0, 4, "\xfe\xed\xfa\xce", NULL},
    {HF_FORMAT_MACHO, 0, 4, "\xfe\xed\xfa\xcf", NULL},
    {HF_FORMAT_MACHO, 0, 4, "\xce\xfa\xed\xfe", NULL},
    {HF_FORMAT_MACHO, 0, 4, "\xcf\xfa\xed\xfe", NULL},
    {HF_FORMAT_ISO9660, 0x8001, 5, "CD001", NULL},
    {HF_FORMAT_UDF, 0x8001, 5, "NSR02", NULL},
    {HF_FORMAT_UDF, 0x8001, 5, "BEA01", NULL},
};

static bool magic_holds(const struct hf_cursor *object, const struct magic *m)
{
    struct hf_cursor at = hf_cursor_at(object, m->offset);
    if (m->mask == NULL)
        return hf_peek_equal(&at, m->bytes, m->length);
    for (unsigned i = 0; i < m->length; i++)
        if ((hf_u8(&at) & (uint8_t)m->mask[i]) != (uint8_t)m->bytes[i])
            return false;
    return !at.failed;
}

/* A header whose checksum holds, in octal, of 512 bytes with the checksum field read as spaces.
 * Some writers sum signed bytes. [POSIX pax "ustar"; star, GNU tar manuals] */
static bool is_tar(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    struct hf_bytes block = hf_take(&c, 512);
    if (block.len == 0)
        return false;
    uint32_t wanted = 0, digits = 0, sum = 0;
    int32_t signed_sum = 0;
    for (size_t i = 148; i < 156; i++) {
        uint8_t b = block.data[i];
        if (b >= '0' && b <= '7') {
            wanted = wanted * 8 + (uint32_t)(b - '0');
            digits++;
        } else if (digits > 0 || (b != ' ' && b != 0)) {
            break;
        }
    }
    if (digits == 0)
        return false;
    for (size_t i = 0; i < 512; i++) {
        uint8_t b = i >= 148 && i < 156 ? ' ' : block.data[i];
        sum += b;
        signed_sum += (int8_t)b;
    }
    return wanted == sum || (signed_sum >= 0 && wanted == (uint32_t)signed_sum);
}

/* 0xCAFEBABE begins Java classes and universal Mach-O files: the next word is a version
 * (minor, major >= 45) or a small number of architectures. */
static enum hf_format cafebabe(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    uint32_t magic = hf_u32be(&c), word = hf_u32be(&c);
    if (c.failed || (magic != 0xCAFEBABE && magic != 0xCAFEBABF))
        return HF_FORMAT_BINARY;
    return (word & 0xFFFF) < 45 && word >> 16 == 0 ? HF_FORMAT_MACHO_FAT : HF_FORMAT_JAVA;
}

/* Old binary cpio: the magic 070707 as a 16-bit number in either byte order. [cpio(5)] */
static bool is_old_cpio(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    uint64_t magic = hf_uint(&c, 2, false);
    bool big = magic == 0xC771; /* 070707 is 0x71C7 */
    hf_seek(&c, 20);
    uint64_t name_size = hf_uint(&c, 2, big);
    return !c.failed && (big || magic == 0x71C7) && name_size >= 1 && name_size <= 4096;
}

/* LHA: "-lh5-" and kin at 2. [LHA header levels 0 to 3] */
static bool is_lha(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 2);
    bool head = hf_peek_equal(&c, "-lh", 3) || hf_peek_equal(&c, "-lz", 3) ||
                hf_peek_equal(&c, "-pm", 3);
    hf_skip(&c, 4);
    return head && hf_u8(&c) == '-';
}

/* ARJ: 60 EA, then a main header of 30..2600 bytes. [ARJ technical note] */
static bool is_arj(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    uint16_t magic = hf_u16le(&c), size = hf_u16le(&c);
    uint8_t first = hf_u8(&c);
    return !c.failed && magic == 0xEA60 && size >= 30 && size <= 2600 && first >= 30 &&
           first < size;
}

/* LZMA alone has no magic: properties below 225, a dictionary size that encoders make, and an
 * unpacked size that is unknown or credible. [LZMA specification, lzma(1)] */
static bool is_lzma(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    uint8_t properties = hf_u8(&c);
    uint32_t dictionary = hf_u32le(&c);
    uint64_t size = hf_u64le(&c);
    uint8_t first = hf_u8(&c); /* the range coder starts with a zero byte */
    if (c.failed || properties >= 225 || first != 0)
        return false;
    uint32_t low = dictionary & (dictionary - 1); /* 2^n, or 2^n + 2^(n-1) */
    bool made = dictionary >= 4096 && (low == 0 || (low & (low - 1)) == 0);
    return made && (size == UINT64_MAX || size < (UINT64_C(1) << 38));
}

/* Compiled Python: a version number, CR LF, and flags or a plausible time. */
static bool is_pyc(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    uint16_t version = hf_u16le(&c);
    uint16_t crlf = hf_u16be(&c);
    uint32_t flags = hf_u32le(&c);
    hf_skip(&c, 8);
    uint8_t code =
        hf_u8(&c); /* a marshalled code object, with or without a reference flag */
    return !c.failed && crlf == 0x0D0A && version >= 3390 && version < 3800 && flags <= 3 &&
           (code & 0x7F) == 'c';
}

static const struct {
    enum hf_format format;
    bool (*probe)(const struct hf_cursor *object);
} probes[] = {
    {HF_FORMAT_TAR, is_tar}, {HF_FORMAT_CPIO_OLD, is_old_cpio}, {HF_FORMAT_LHA, is_lha},
    {HF_FORMAT_ARJ, is_arj}, {HF_FORMAT_PYC, is_pyc},           {HF_FORMAT_LZMA, is_lzma},
};

enum hf_format hf_identify(const struct hf_cursor *object)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (magic_holds(object, &magics[i]))
            return magics[i].format;
    enum hf_format format = cafebabe(object);
    for (size_t i = 0; i < sizeof probes / sizeof *probes && format == HF_FORMAT_BINARY;
         i++)
        if (probes[i].probe(object))
            format = probes[i].format;
    return format != HF_FORMAT_BINARY ? format : hf_text_kind(object);
}

/* The end-of-central-directory record, within the 64 KiB of comment that may follow it. */
static bool ends_as_zip(const struct hf_cursor *object)
{
    enum { REACH = 65535 + 22 };
    struct hf_cursor c = hf_cursor_at(object, 0);
    uint64_t begin = object->len > REACH ? object->len - REACH : 0;
    size_t at = hf_find_last(&c, "PK\5\6", 4, begin, object->len);
    if (at == SIZE_MAX)
        return false;
    hf_seek(&c, at);
    hf_skip(&c, 10);
    uint16_t entries = hf_u16le(&c);
    uint32_t directory_size = hf_u32le(&c);
    return !c.failed && entries > 0 && directory_size >= 46 && directory_size <= at;
}

static bool is_iso_inside(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 0x8001);
    return hf_peek_equal(&c, "CD001", 5);
}

static bool is_tar_inside(const struct hf_cursor *object)
{
    struct hf_cursor c = hf_cursor_at(object, 257);
    return hf_peek_equal(&c, "ustar", 5) && is_tar(object);
}

size_t hf_identify_also(const struct hf_cursor *object, enum hf_format first,
                        enum hf_format also[HF_ALSO_MAX])
{
    static const struct {
        enum hf_format format;
        bool (*probe)(const struct hf_cursor *object);
    } behind[] = {{HF_FORMAT_ZIP, ends_as_zip},
                  {HF_FORMAT_ISO9660, is_iso_inside},
                  {HF_FORMAT_TAR, is_tar_inside}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof behind / sizeof *behind; i++)
        if (behind[i].format != first && behind[i].probe(object))
            also[n++] = behind[i].format;
    return n;
}
