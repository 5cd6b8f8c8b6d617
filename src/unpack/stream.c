#include "unpack/stream.h"

#include "unpack/decoders.h"

struct run {
    const struct hf_stream_codec *codec;
    const struct hf_stream_memory *memory;
    struct hf_pusher *out;
    struct hf_child child;
    struct hf_stream_io io;
    bool begun; /* the child is open, or was refused */
};

/* The child begins with its first byte, so that what proves to be something else leaves none. */
static enum hf_status begin_child(struct run *r)
{
    if (r->begun)
        return HF_OK;
    r->begun = true;
    return hf_pusher_begin(r->out, r->child);
}

static enum hf_status flush(struct run *r)
{
    size_t n = HF_PUSHER_PIECE - r->io.room;
    r->io.out = r->memory->piece;
    r->io.room = HF_PUSHER_PIECE;
    if (n == 0)
        return HF_OK;
    enum hf_status st = begin_child(r);
    return st != HF_OK || !r->out->wanted ? st
                                          : hf_pusher_push(r->out, r->memory->piece, n);
}

/* Whether nobody takes what would still come. */
static bool unwanted(const struct run *r)
{
    return r->out->stop != HF_OK || (r->begun && !r->out->wanted);
}

/* One frame. HF_OK when it ended well. */
static enum hf_status decode_frame(struct run *r)
{
    enum hf_status st = r->codec->begin(r->memory->state, &r->io);
    while (st == HF_OK) {
        size_t before = hf_cursor_left(&r->io.in), room = r->io.room;
        st = r->codec->step(r->memory->state, &r->io);
        size_t taken = before - hf_cursor_left(&r->io.in);
        if (st == HF_OK && taken == 0 && room == r->io.room)
            st = HF_TRUNCATED;
        if (!hf_cursor_charge(&r->io.in, taken / 1024 + 1))
            return HF_LIMIT;
        if (r->io.room == 0 && (flush(r) != HF_OK || unwanted(r)))
            return HF_STOPPED;
    }
    return st == HF_STOPPED ? HF_OK : st;
}

static bool next_frame(struct run *r)
{
    if (r->codec->single)
        return false;
    while (r->codec->padded && hf_peek_equal(&r->io.in, "\0\0\0", 4) &&
           hf_cursor_charge(&r->io.in, 1))
        hf_skip(&r->io.in, 4);
    return hf_cursor_left(&r->io.in) > 0 && r->codec->starts(&r->io.in);
}

static enum hf_status decode_frames(struct run *r)
{
    enum hf_status st;
    do {
        st = decode_frame(r);
        r->codec->end(r->memory->state);
    } while (st == HF_OK && next_frame(r));
    if (st == HF_OK && hf_cursor_left(&r->io.in) > 0)
        hf_note(r->out->unpack->notes, hf_cursor_where(&r->io.in),
                "bytes after the last frame");
    return st;
}

static bool get_memory(struct hf_stream_memory *m, struct hf_arena *arena,
                       size_t state_size)
{
    if (m->piece == NULL)
        m->piece = hf_arena_alloc(arena, HF_PUSHER_PIECE);
    if (m->state_size < state_size) {
        m->state = hf_arena_alloc(arena, state_size);
        m->state_size = m->state == NULL ? 0 : state_size;
    }
    if (m->piece == NULL || m->state == NULL)
        return false;
    memset(m->state, 0, state_size);
    return true;
}

enum hf_status hf_stream_unpack(struct hf_stream_memory *memory, struct hf_pusher *out,
                                const struct hf_stream_codec *codec,
                                const struct hf_cursor *in, struct hf_child child)
{
    struct hf_arena *arena = out->unpack->arena;
    struct run r = {.codec = codec, .memory = memory, .out = out, .child = child};
    if (!codec->starts(in))
        return HF_NOTFOUND;
    if (!get_memory(memory, arena, codec->state_size))
        return HF_NOMEM;
    r.io = (struct hf_stream_io){
        .in = *in, .out = memory->piece, .room = HF_PUSHER_PIECE, .arena = arena};
    enum hf_status how = decode_frames(&r);
    if (unwanted(&r))
        return out->stop;
    if (how == HF_LIMIT)
        return how;                /* nothing is left to pay the sink with */
    enum hf_status st = flush(&r); /* also what came before a damage */
    if (st == HF_OK && how == HF_OK)
        st = begin_child(&r); /* an empty stream is an empty child */
    if (st == HF_OK)
        st = hf_pusher_end(out, how);
    return st != HF_OK ? st : how;
}

static enum hf_status unpack_stream(struct hf_unpack *unpack,
                                    const struct hf_stream_codec *codec)
{
    struct hf_pusher out = hf_pusher_of(unpack);
    struct hf_stream_memory memory = {0};
    struct hf_child child = hf_child_unknown();
    child.packed = hf_cursor_left(&unpack->object);
    child.offset = hf_cursor_where(&unpack->object);
    return hf_stream_unpack(&memory, &out, codec, &unpack->object, child);
}

enum hf_status hf_unpack_bzip2(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_stream_bzip2);
}

enum hf_status hf_unpack_xz(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_stream_xz);
}

enum hf_status hf_unpack_lzma(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_stream_lzma);
}

enum hf_status hf_unpack_lzip(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_stream_lzip);
}

enum hf_status hf_unpack_zstd(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_stream_zstd);
}

enum hf_status hf_unpack_lz4(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_stream_lz4);
}

enum hf_status hf_unpack_compress(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_stream_compress);
}
