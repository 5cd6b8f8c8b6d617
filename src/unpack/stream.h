/* stream.h - compressed single streams: one driver, one codec per library. A file of several
 * frames, members or streams one after another is one child, as the tools unpack it. */
#ifndef HF_UNPACK_STREAM_H
#define HF_UNPACK_STREAM_H

#include "unpack/pusher.h"

/* Most memory that a codec's window may take; it lies outside the arena. Enough for xz -9 and
 * zstd --long=27; larger windows end in HF_NOMEM, which counts as a limit. */
enum { HF_STREAM_WINDOW_LOG = 27 };
#define HF_STREAM_MEMORY (UINT64_C(1) << HF_STREAM_WINDOW_LOG)

/* What a codec moves: input through a cursor, output into a piece of ours. */
struct hf_stream_io {
    struct hf_cursor in; /* the codec skips what it has consumed */
    uint8_t *out;
    size_t room; /* bytes free at out; the codec moves both on */
    struct hf_arena *arena;
};

/*
 * A codec. state is zeroed memory of state_size bytes.
 * starts  whether a frame starts here; does not move.
 * begin   get ready for the frame that starts here. HF_OK, HF_NOMEM, HF_UNSUPPORTED.
 * step    decode some. HF_OK: go on (no progress at all means that input is missing),
 *         HF_STOPPED: the frame ended, else what is wrong; output up to there is good.
 * end     free what the library holds; also after a failed begin, and more than once.
 */
struct hf_stream_codec {
    size_t state_size;
    bool padded; /* zeros may stand between frames */
    bool single; /* one frame a file */
    bool (*starts)(const struct hf_cursor *in);
    enum hf_status (*begin)(void *state, struct hf_stream_io *io);
    enum hf_status (*step)(void *state, struct hf_stream_io *io);
    void (*end)(void *state);
};

/* Memory that several streams of one container share, one after another. Zeroed at first. */
struct hf_stream_memory {
    uint8_t *piece;
    void *state;
    size_t state_size;
};

/*
 * Decode a stream, all its frames, into one child, which is opened with its first byte.
 *
 * in     from the stream's start to the end of what may belong to it.
 * child  its number is filled in.
 * Returns HF_OK, HF_NOTFOUND (no such stream starts here: no child), what is wrong with the
 * stream (the child has ended with that, unless nothing of it could be read), or out->stop.
 */
HF_MUST_USE enum hf_status hf_stream_unpack(struct hf_stream_memory *memory,
                                            struct hf_pusher *out,
                                            const struct hf_stream_codec *codec,
                                            const struct hf_cursor *in,
                                            struct hf_child child);

extern const struct hf_stream_codec hf_stream_zlib, hf_stream_bzip2, hf_stream_xz,
    hf_stream_lzma, hf_stream_lzip, hf_stream_zstd, hf_stream_lz4, hf_stream_compress;

#endif
