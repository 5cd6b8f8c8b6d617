/* codec_internal.h - shared by the files that implement codec.h. */
#ifndef HF_UNPACK_CODEC_INTERNAL_H
#define HF_UNPACK_CODEC_INTERNAL_H

#include "unpack/codec.h"
#include "unpack/window.h"

/* Compressed bytes given to a library at once: it may count in 32 bits, and charging keeps up. */
enum { HF_CODEC_SLICE = 1 << 20 };

struct libdeflate_decompressor;

struct hf_codecs {
    struct hf_library_memory memory;
    struct hf_arena *arena;
    uint8_t *piece; /* made at the first use */
    size_t room;    /* of the piece */
    void *state;    /* of the codec that runs; the largest so far */
    size_t state_size;
    uint8_t *window;                       /* of our own decoders; made at the first use */
    struct libdeflate_decompressor *whole; /* for members that fit into a piece */
};

/* The piece, allocated; NULL when the arena is exhausted. */
uint8_t *hf_codecs_piece(struct hf_codecs *codecs);

/* Room for a codec's state, not zeroed; NULL when the arena is exhausted. */
void *hf_codecs_state(struct hf_codecs *codecs, size_t size);

/* An empty window that keeps this much history, at most 64 KiB; data is NULL when the arena is
 * exhausted. All windows of a container share their memory. */
struct hf_window hf_codecs_window(struct hf_codecs *codecs, struct hf_pusher *out,
                                  size_t history);

/* The next slice of a step's input. What a library leaves of it is said to hf_codec_took. */
struct hf_bytes hf_codec_slice(const struct hf_codec_io *io);

/* Move on behind what a library has taken of a slice, and what it has put out. */
static inline void hf_codec_took(struct hf_codec_io *io, size_t taken, size_t room_left)
{
    hf_skip(&io->in, taken);
    io->out += io->room - room_left;
    io->room = room_left;
}

#endif
