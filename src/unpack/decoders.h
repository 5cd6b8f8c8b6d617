/* decoders.h - the decoders that the table of unpackers.c names; each keeps the promises of
 * hf_unpacker in unpack.h. */
#ifndef HF_UNPACK_DECODERS_H
#define HF_UNPACK_DECODERS_H

#include "unpack/unpack.h"

/* Own code on the cursor. */
hf_unpacker hf_unpack_zip, hf_unpack_tar, hf_unpack_gzip, hf_unpack_cpio;

/* Single streams: one child without a name. */
hf_unpacker hf_unpack_bzip2, hf_unpack_xz, hf_unpack_lzma, hf_unpack_lzip, hf_unpack_zstd,
    hf_unpack_lz4, hf_unpack_compress;

hf_unpacker hf_unpack_ar, hf_unpack_rpm, hf_unpack_xar, hf_unpack_arj;

/* Through libarchive. */
hf_unpacker hf_unpack_7z, hf_unpack_rar, hf_unpack_iso9660;

/* Through liblhasa and libmspack. */
hf_unpacker hf_unpack_lha, hf_unpack_cab, hf_unpack_chm, hf_unpack_szdd;

/* Load the locale that libarchive converts names by. Idempotent, thread-safe. */
void hf_lib_archive_prepare(void);

#endif
