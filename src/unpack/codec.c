#include "unpack/codec.h"

#include "unpack/codec_internal.h"

#include <libdeflate.h>

enum {
    PIECE_MIN = 16 * 1024,
    PIECE_MAX = 256 * 1024,
    WINDOW_ROOM = 192 * 1024, /* history and a piece */
};

struct hf_codecs *hf_codecs_new(struct hf_arena *arena, size_t container_size)
{
    struct hf_codecs *codecs = hf_arena_alloc(arena, sizeof *codecs);
    if (codecs == NULL)
        return NULL;
    codecs->arena = arena;
    codecs->memory = hf_library_memory_of(HF_CODEC_MEMORY);
    /* Small containers are many: no large piece for them, unless it turns out to be worth it. */
    codecs->room = PIECE_MIN;
    while (codecs->room < PIECE_MAX && codecs->room / 8 < container_size)
        codecs->room *= 2;
    return codecs;
}

void hf_codecs_trim(struct hf_codecs *codecs)
{
    libdeflate_free_decompressor(codecs->whole);
    codecs->whole = NULL;
    hf_library_memory_trim(&codecs->memory);
}

void hf_codecs_release(struct hf_codecs **codecs)
{
    if (*codecs != NULL)
        hf_codecs_trim(*codecs);
    *codecs = NULL;
}

uint8_t *hf_codecs_piece(struct hf_codecs *codecs)
{
    if (codecs->piece == NULL)
        codecs->piece = hf_arena_alloc(codecs->arena, codecs->room);
    return codecs->piece;
}

void *hf_codecs_state(struct hf_codecs *codecs, size_t size)
{
    if (codecs->state_size < size) {
        codecs->state = hf_arena_alloc(codecs->arena, size);
        codecs->state_size = codecs->state == NULL ? 0 : size;
    }
    return codecs->state;
}

struct hf_window hf_codecs_window(struct hf_codecs *codecs, struct hf_pusher *out,
                                  size_t history)
{
    if (codecs->window == NULL)
        codecs->window = hf_arena_alloc(codecs->arena, WINDOW_ROOM);
    return (struct hf_window){
        .out = out, .data = codecs->window, .room = WINDOW_ROOM, .history = history};
}

struct hf_bytes hf_codec_slice(const struct hf_codec_io *io)
{
    struct hf_cursor ahead = io->in;
    size_t left = hf_cursor_left(&ahead);
    return hf_take(&ahead, left < HF_CODEC_SLICE ? left : HF_CODEC_SLICE);
}

/* A stream on its way into a child. */
struct run {
    const struct hf_codec *codec;
    void *state;
    struct hf_pusher
        *out; /* NULL: output stays where it is, and ends with the room for it */
    uint8_t *piece;
    size_t piece_room;
    struct hf_codec_io io;
};

static size_t filled(const struct run *r)
{
    return r->piece_room - r->io.room;
}

/* Hand on the piece. False when nobody takes more. */
static bool flush(struct run *r)
{
    size_t n = filled(r);
    r->io.out = r->piece;
    r->io.room = r->piece_room;
    return hf_pusher_push(r->out, r->piece, n) == HF_OK && hf_pusher_has_taker(r->out);
}

/* One frame. HF_OK when it ended well, HF_STOPPED when no more output has a place. */
static enum hf_status decode_frame(struct run *r)
{
    enum hf_status st = r->codec->begin(r->state, &r->io);
    while (st == HF_OK) {
        if (r->io.room == 0 && (r->out == NULL || !flush(r)))
            return HF_STOPPED;
        size_t before = hf_cursor_left(&r->io.in), room = r->io.room;
        st = r->codec->step(r->state, &r->io);
        size_t left = hf_cursor_left(&r->io.in);
        if (st == HF_OK && left == before && room == r->io.room)
            st = left == 0 ? HF_TRUNCATED : HF_MALFORMED;
        if (!hf_cursor_charge(&r->io.in, (before - left) / 1024 + 1))
            return HF_LIMIT;
    }
    return st == HF_STOPPED ? HF_OK : st;
}

static enum hf_status decode_and_free(struct run *r)
{
    enum hf_status st = decode_frame(r);
    if (r->codec->end != NULL)
        r->codec->end(r->state);
    return st;
}

/* Whether another frame follows; moves to it. */
static bool next_frame(struct run *r)
{
    if (r->codec->single)
        return false;
    struct hf_cursor at = r->io.in;
    while (r->codec->padded && hf_peek_equal(&at, "\0\0\0", 4) && hf_cursor_charge(&at, 1))
        hf_skip(&at, 4);
    if (hf_cursor_left(&at) == 0 || !r->codec->starts(&at))
        return false;
    r->io.in = at;
    return true;
}

static bool start_run(struct run *r, struct hf_codecs *codecs, struct hf_cursor *in)
{
    r->state = hf_codecs_state(codecs, r->codec->state_size);
    if (r->state == NULL || r->piece == NULL)
        return false;
    memset(r->state, 0, r->codec->state_size);
    r->io.in = *in;
    r->io.out = r->piece;
    r->io.room = r->piece_room;
    r->io.memory = &codecs->memory;
    r->io.arena = codecs->arena;
    return true;
}

enum hf_status hf_codec_run(struct hf_codecs *codecs, const struct hf_codec *codec,
                            struct hf_cursor *in, struct hf_codec_hint hint,
                            struct hf_pusher *out)
{
    if (codec->run != NULL)
        return codec->run(codecs, in, hint, out);
    struct run r = {.codec = codec,
                    .out = out,
                    .piece = hf_codecs_piece(codecs),
                    .piece_room = codecs->room,
                    .io.hint = hint};
    if (!start_run(&r, codecs, in))
        return HF_NOMEM;
    enum hf_status st;
    do
        st = decode_and_free(&r);
    while (st == HF_OK && hf_pusher_has_taker(out) && next_frame(&r));
    *in = r.io.in;
    if (st == HF_LIMIT || !hf_pusher_has_taker(out))
        return st == HF_STOPPED ? HF_OK : st;
    if (hf_pusher_doubts(out, st == HF_OK, filled(&r)))
        return HF_MALFORMED;
    bool taken = flush(&r); /* also what came before a damage */
    if (taken && st == HF_OK)
        (void)hf_pusher_open(out); /* an empty stream is an empty child */
    return st;
}

enum hf_status hf_codec_fill(struct hf_codecs *codecs, const struct hf_codec *codec,
                             struct hf_cursor *in, uint8_t *data, size_t room, size_t *len)
{
    struct run r = {
        .codec = codec, .piece = data, .piece_room = room, .io.hint.size = HF_UNKNOWN};
    *len = 0;
    if (!start_run(&r, codecs, in))
        return HF_NOMEM;
    enum hf_status st = decode_and_free(&r);
    *in = r.io.in;
    *len = filled(&r);
    return st == HF_STOPPED ? HF_OK : st;
}
