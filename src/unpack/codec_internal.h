/* codec_internal.h - shared by the files that implement codec.h. */
#ifndef HF_UNPACK_CODEC_INTERNAL_H
#define HF_UNPACK_CODEC_INTERNAL_H

#include "unpack/codec.h"
#include "unpack/window.h"

#include <bzlib.h>
#include <libdeflate.h>
#include <lzma.h>
#include <zstd.h>

struct hf_codecs {
    struct hf_recycle memory;
    uint8_t *piece; /* made at the first use */
    size_t room;
    struct libdeflate_decompressor *whole; /* for members that fit into a piece */
    ZSTD_DCtx *zstd;
    bz_stream bzip2;
    lzma_stream lzma;
    lzma_allocator lzma_memory;
    uint8_t *window;    /* of our own decoders; made at the first use */
    uint64_t size_left; /* LZMA without end marker */
};

/* One turn of a library's decompressor: it takes from in and writes to out. */
struct hf_turn {
    struct hf_bytes in;
    uint8_t *out;
    size_t room;
    size_t taken, made; /* set by the step */
};

enum hf_step { HF_STEP_MORE, HF_STEP_END, HF_STEP_BAD, HF_STEP_UNSUPPORTED, HF_STEP_NOMEM };
typedef enum hf_step hf_codec_step(struct hf_codecs *codecs, struct hf_turn *turn);

/* The piece, allocated; NULL when the arena is exhausted. */
uint8_t *hf_codecs_piece(struct hf_codecs *codecs);

/* An empty window that keeps this much history, at most 64 KiB; data is NULL when the arena is
 * exhausted. All windows of a container share their memory. */
struct hf_window hf_codecs_window(struct hf_codecs *codecs, struct hf_outlet *out,
                                  size_t history);

/* Run a started library stream to its end; see hf_codec for the result. */
enum hf_status hf_codecs_drive(struct hf_codecs *codecs, hf_codec_step *step,
                               struct hf_cursor *in, struct hf_outlet *out);

#endif
