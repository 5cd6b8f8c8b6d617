/* codec.h - compressed streams: one interface for all codecs, one driver. A codec reads from a
 * cursor, which then stands behind the last byte that it used; what comes out goes to a pusher in
 * pieces. State and buffers are made at the first use and shared by all streams of a container. */
#ifndef HF_UNPACK_CODEC_H
#define HF_UNPACK_CODEC_H

#include "unpack/library_memory.h"
#include "unpack/pusher.h"

/* Most memory that a library may take for one container's streams: enough for the windows of xz -9
 * and zstd --long=27. Larger windows end in HF_NOMEM, which counts as a limit. */
enum { HF_CODEC_WINDOW_LOG = 27 };
#define HF_CODEC_MEMORY (UINT64_C(1) << HF_CODEC_WINDOW_LOG)

/* What a container says of a stream, and few codecs ask for. */
struct hf_codec_hint {
    uint64_t
        size; /* unpacked, as declared; HF_UNKNOWN. Only a hint, except where a format has no
                       end of its own (implode, LZMA without end marker) */
    unsigned flags; /* general purpose flags of the ZIP header; 0 elsewhere */
};

/* What a step moves: input through a cursor, output into a piece of ours. */
struct hf_codec_io {
    struct hf_cursor in; /* the codec skips what it has consumed */
    uint8_t *out;
    size_t room; /* bytes free at out; the codec moves both on */
    struct hf_codec_hint hint;
    struct hf_library_memory *memory; /* for the library */
    struct hf_arena *arena;           /* for our own tables */
};

struct hf_codecs; /* state and buffers of the codecs of one container */

/*
 * A codec. Either by steps; state is memory of state_size bytes, zeroed before each stream:
 *
 * starts  whether a frame starts here; does not move. NULL where nothing shows it.
 * begin   get ready for the frame that starts here. HF_OK or what is wrong.
 * step    decode some. HF_OK: go on (no progress at all means that input is missing),
 *         HF_STOPPED: the frame ended, else what is wrong; output up to there is good.
 * end     free what the library holds; also after a failed begin, and more than once. NULL: nothing.
 *
 * or by itself, when it keeps its own window: run is hf_codec_run for it.
 */
struct hf_codec {
    size_t state_size;
    bool padded; /* zeros may stand between frames */
    bool single; /* one frame a stream */
    bool (*starts)(const struct hf_cursor *in);
    enum hf_status (*begin)(void *state, struct hf_codec_io *io);
    enum hf_status (*step)(void *state, struct hf_codec_io *io);
    void (*end)(void *state);
    enum hf_status (*run)(struct hf_codecs *codecs, struct hf_cursor *in,
                          struct hf_codec_hint hint, struct hf_pusher *out);
};

/* Made for a container of this many bytes, which tells how large pieces need to be. NULL when the
 * arena is exhausted. Sinks run while it lives. */
struct hf_codecs *hf_codecs_new(struct hf_arena *arena, size_t container_size);

/* Gives back what lies outside the arena. For HF_AUTO; *codecs may be NULL. */
void hf_codecs_release(struct hf_codecs **codecs);

/* Give back at once what libraries hold, as before a child is scanned that no sibling follows. */
void hf_codecs_trim(struct hf_codecs *codecs);

/*
 * Decode a stream, all its frames, into the child that out has begun or announced; ending it is
 * left to the caller.
 *
 * in  stands at the stream, may have bytes behind it; moved behind what was used.
 * Returns HF_OK (the stream ended as it should; its child is open, even if empty), HF_TRUNCATED,
 * HF_MALFORMED, HF_UNSUPPORTED, HF_NOMEM, HF_LIMIT (the budget's work is spent). When out has no
 * taker any more, the stream was left early and the result means nothing.
 */
HF_MUST_USE enum hf_status hf_codec_run(struct hf_codecs *codecs,
                                        const struct hf_codec *codec, struct hf_cursor *in,
                                        struct hf_codec_hint hint, struct hf_pusher *out);

/*
 * Decode one frame into memory.
 *
 * data, room  where to; *len: bytes that came out.
 * Returns as hf_codec_run; HF_OK also when room was not enough.
 */
HF_MUST_USE enum hf_status hf_codec_fill(struct hf_codecs *codecs,
                                         const struct hf_codec *codec, struct hf_cursor *in,
                                         uint8_t *data, size_t room, size_t *len);

extern const struct hf_codec hf_codec_deflate; /* [RFC 1951] */
extern const struct hf_codec
    hf_codec_deflate64; /* with a window of 64 KiB [APPNOTE 4.4.5, method 9] */
extern const struct hf_codec hf_codec_implode; /* [APPNOTE 5.3, method 6] */
extern const struct hf_codec hf_codec_zlib;    /* [RFC 1950] */
extern const struct hf_codec hf_codec_bzip2, hf_codec_xz, hf_codec_lzip, hf_codec_zstd,
    hf_codec_lz4, hf_codec_compress;
extern const struct hf_codec hf_codec_lzma;     /* with its own header ("alone") */
extern const struct hf_codec hf_codec_zip_lzma; /* with that of ZIP [APPNOTE 5.8] */

#endif
