/* decoders.h - the decoders that the table of unpackers.c names; each keeps the promises of
 * hf_unpacker in unpack.h.
 *
 * Where what is. Up to here: unpack.h (what a decoder and its sink promise each other), unpackers.c
 * (which format has which decoder).
 *
 *   zip.c, zip_read.c, zip_map.c   ZIP: both views; records; what has been seen
 *   tar.c, tar_read.c              tar: members; headers and what extends them
 *   gzip.c cpio.c ar.c rpm.c xar.c arj.c   one format each, own code
 *   mail.c                         mail and mbox: boundaries, stretches between them; uuencode alone
 *   mail_header.c, mail_parameters.c, mail_lines.c, mail_decode.c   their headers, fields, lines,
 *                                  and encodings
 *   single_stream.c                formats that are one compressed stream
 *   lib_archive.c, iso_views.c     7z, rar, ISO 9660 through libarchive; both trees of an image
 *   lib_mspack.c, mspack_*.c       what libmspack's decoders share; CAB, CHM, SZDD and KWAJ
 *   lha.c                          LHA through liblhasa
 *
 * Below the decoders:
 *
 *   pusher.c                       a decoder's end of the sink; every child goes through it
 *   codec.h, codec.c               compressed streams: the interface and the driver
 *   codec_*.c                      one family of codecs each; deflate and implode with huffman.c
 *                                  and window.c, which are ours
 *   library_memory.c               what libraries allocate
 *   padding.h                      zeros between the parts of a container
 *
 * Beside them: tests/unpack/unpack_file.c runs a decoder over a file, measures and damages it. */
#ifndef HF_UNPACK_DECODERS_H
#define HF_UNPACK_DECODERS_H

#include "unpack/unpack.h"

/* Own code on the cursor. */
hf_unpacker hf_unpack_zip, hf_unpack_tar, hf_unpack_gzip, hf_unpack_cpio, hf_unpack_ar,
    hf_unpack_rpm, hf_unpack_xar, hf_unpack_arj, hf_unpack_mail, hf_unpack_uu;

/* Single streams: one child without a name. */
hf_unpacker hf_unpack_bzip2, hf_unpack_xz, hf_unpack_lzma, hf_unpack_lzip, hf_unpack_zstd,
    hf_unpack_lz4, hf_unpack_compress;

/* Through libarchive. */
hf_unpacker hf_unpack_7z, hf_unpack_rar, hf_unpack_iso9660;

/* Through liblhasa and libmspack. */
hf_unpacker hf_unpack_lha, hf_unpack_cab, hf_unpack_chm, hf_unpack_szdd;

/* Load the locale that libarchive converts names by. Idempotent, thread-safe. */
void hf_lib_archive_prepare(void);

#endif
