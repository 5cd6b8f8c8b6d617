/* codec.h - decompression of one stream into a sink, in pieces: what the decoders of containers
 * share. A codec reads compressed bytes from a cursor, which then stands behind the last byte that
 * it used, and hands each full piece to an outlet. Memory: one piece and the library's state, from
 * the arena, made at the first use and kept for the next stream of the container. */
#ifndef HF_UNPACK_CODEC_H
#define HF_UNPACK_CODEC_H

#include "unpack/recycle.h"
#include "unpack/unpack.h"

/* Where unpacked bytes go: one child. */
struct hf_outlet {
    struct hf_sink *sink;
    const struct hf_child *child;
    bool is_open; /* the sink has opened the child */
    bool
        is_guess; /* perhaps no stream at all: no child unless a piece full decodes, or all of
                       it, to guess_size bytes */
    uint64_t guess_size; /* HF_UNKNOWN: any */
    uint32_t crc;        /* CRC-32 of what was written */
    uint64_t total;      /* bytes written */
    enum hf_status said; /* what the sink said last; not HF_OK: it wants no more */
};

/* An outlet whose child is opened with its first piece, or by hf_outlet_open. */
struct hf_outlet hf_outlet_of(struct hf_sink *sink, const struct hf_child *child);

/* Open the child unless that was done. Returns what the sink says. */
enum hf_status hf_outlet_open(struct hf_outlet *out);

/* Whether what was decoded so far shows that a guess was wrong: nothing is to be written then.
 * ended: as it should; count: bytes that are ready. Always false once the child is open. */
bool hf_outlet_doubts(const struct hf_outlet *out, bool ended, size_t count);

/* More bytes. False when the sink wants no more of it: see said. */
bool hf_outlet_write(struct hf_outlet *out, struct hf_bytes bytes);

/*
 * End the child.
 *
 * how  why there is no more of it. A child that the sink itself cut short ends with HF_OK: the
 *      sink knows its own limit.
 * Returns HF_OK, or HF_LIMIT or HF_STOPPED when the sink said so at any time, or the budget ran out
 * (how is HF_LIMIT): the decoder returns that at once.
 */
HF_MUST_USE enum hf_status hf_outlet_close(struct hf_outlet *out, enum hf_status how);

struct hf_codecs; /* state and buffers of all codecs of one container */

/* Made for a container of this many bytes, which tells how large pieces need to be. NULL when the
 * arena is exhausted. */
struct hf_codecs *hf_codecs_new(struct hf_arena *arena, size_t container_size);

/* Gives back what libraries allocated outside the arena. For HF_AUTO; *codecs may be NULL. */
void hf_codecs_release(struct hf_codecs **codecs);

/*
 * A codec.
 *
 * in     stands at the stream, may have bytes behind it; moved behind what was used.
 * size   unpacked size as declared, HF_UNKNOWN; only a hint, except where a format has no end of
 *        its own (implode, LZMA without end marker).
 * flags  general purpose flags of the ZIP header; 0 elsewhere.
 * out    receives the pieces.
 * Returns HF_OK (the stream ended as it should), HF_TRUNCATED, HF_MALFORMED, HF_UNSUPPORTED,
 * HF_NOMEM, HF_LIMIT (the budget's work is spent). When out->said is not HF_OK the stream was left
 * early and the result means nothing.
 */
typedef enum hf_status hf_codec(struct hf_codecs *codecs, struct hf_cursor *in,
                                uint64_t size, unsigned flags, struct hf_outlet *out);

hf_codec hf_codec_deflate; /* [RFC 1951] */
hf_codec
    hf_codec_deflate64;    /* the same with a window of 64 KiB [APPNOTE 4.4.5, method 9] */
hf_codec hf_codec_implode; /* [APPNOTE 5.3, method 6] */
hf_codec hf_codec_bzip2;
hf_codec hf_codec_lzma; /* with the header that ZIP gives it [APPNOTE 5.8] */
hf_codec hf_codec_xz;
hf_codec hf_codec_zstd; /* one or more frames */

#endif
