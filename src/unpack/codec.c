#include "unpack/codec.h"

#include "unpack/codec_internal.h"

#include <zstd_errors.h>

enum {
    PIECE_MIN = 16 * 1024,
    PIECE_MAX = 256 * 1024,
    WINDOW_ROOM = 192 * 1024, /* history and a piece */
    SLICE =
        1024 * 1024, /* compressed bytes given to a library at once: it counts in 32 bits */
    ZSTD_WINDOW_LOG_MAX = 27, /* what the zstd program accepts unless told otherwise */
};

struct hf_outlet hf_outlet_of(struct hf_sink *sink, const struct hf_child *child)
{
    return (struct hf_outlet){
        .sink = sink, .child = child, .guess_size = HF_UNKNOWN, .said = HF_OK};
}

enum hf_status hf_outlet_open(struct hf_outlet *out)
{
    if (!out->is_open && out->said == HF_OK) {
        out->said = out->sink->open(out->sink, out->child);
        out->is_open = out->said == HF_OK;
    }
    return out->said;
}

bool hf_outlet_doubts(const struct hf_outlet *out, bool ended, size_t count)
{
    if (!out->is_guess || out->is_open)
        return false;
    return !ended || (out->guess_size != HF_UNKNOWN && out->guess_size != count);
}

bool hf_outlet_write(struct hf_outlet *out, struct hf_bytes bytes)
{
    if (hf_outlet_open(out) != HF_OK)
        return false;
    if (bytes.len == 0)
        return true;
    out->crc = libdeflate_crc32(out->crc, bytes.data, bytes.len);
    out->total += bytes.len;
    out->said = out->sink->write(out->sink, bytes);
    return out->said == HF_OK;
}

enum hf_status hf_outlet_close(struct hf_outlet *out, enum hf_status how)
{
    if (out->said != HF_OK && out->said != HF_UNSUPPORTED)
        return out->said;
    if (how == HF_LIMIT)
        return HF_LIMIT;
    if (!out->is_open)
        return HF_OK;
    out->is_open = false;
    enum hf_status st = out->sink->close(out->sink, out->said == HF_OK ? how : HF_OK);
    return st == HF_UNSUPPORTED ? HF_OK : st;
}

struct hf_codecs *hf_codecs_new(struct hf_arena *arena, size_t container_size)
{
    struct hf_codecs *codecs = hf_arena_alloc(arena, sizeof *codecs);
    if (codecs == NULL)
        return NULL;
    codecs->memory.arena = arena;
    /* Small containers are many: no large piece for them, unless it turns out to be worth it. */
    codecs->room = PIECE_MIN;
    while (codecs->room < PIECE_MAX && codecs->room / 8 < container_size)
        codecs->room *= 2;
    return codecs;
}

void hf_codecs_release(struct hf_codecs **codecs)
{
    if (*codecs == NULL)
        return;
    libdeflate_free_decompressor((*codecs)->whole);
    ZSTD_freeDCtx((*codecs)->zstd);
    *codecs = NULL;
}

uint8_t *hf_codecs_piece(struct hf_codecs *codecs)
{
    if (codecs->piece == NULL)
        codecs->piece = hf_arena_alloc(codecs->memory.arena, codecs->room);
    return codecs->piece;
}

struct hf_window hf_codecs_window(struct hf_codecs *codecs, struct hf_outlet *out,
                                  size_t history)
{
    if (codecs->window == NULL)
        codecs->window = hf_arena_alloc(codecs->memory.arena, WINDOW_ROOM);
    return (struct hf_window){
        .out = out, .data = codecs->window, .room = WINDOW_ROOM, .history = history};
}

static enum hf_status status_of(enum hf_step step)
{
    static const enum hf_status of[] = {
        [HF_STEP_MORE] = HF_TRUNCATED, [HF_STEP_END] = HF_OK,
        [HF_STEP_BAD] = HF_MALFORMED,  [HF_STEP_UNSUPPORTED] = HF_UNSUPPORTED,
        [HF_STEP_NOMEM] = HF_NOMEM,
    };
    return of[step];
}

enum hf_status hf_codecs_drive(struct hf_codecs *codecs, hf_codec_step *step,
                               struct hf_cursor *in, struct hf_outlet *out)
{
    uint8_t *piece = hf_codecs_piece(codecs);
    if (piece == NULL)
        return HF_NOMEM;
    size_t fill = 0;
    for (;;) {
        size_t left = hf_cursor_left(in);
        struct hf_cursor ahead = *in;
        struct hf_turn turn = {.in = hf_take(&ahead, left < SLICE ? left : SLICE),
                               .out = piece + fill,
                               .room = codecs->room - fill};
        enum hf_step came = step(codecs, &turn);
        hf_skip(in, turn.taken);
        fill += turn.made;
        bool stuck = came == HF_STEP_MORE && turn.taken == 0 && turn.made == 0;
        if (came != HF_STEP_MORE || stuck || fill == codecs->room) {
            bool is_last = stuck || came != HF_STEP_MORE;
            if (is_last && hf_outlet_doubts(out, came == HF_STEP_END, fill))
                return HF_MALFORMED;
            if (!hf_outlet_write(out, hf_bytes_of(piece, fill)))
                return HF_OK;
            fill = 0;
        }
        if (stuck)
            return left == 0 ? HF_TRUNCATED : HF_MALFORMED;
        if (came != HF_STEP_MORE)
            return status_of(came);
        if (!hf_cursor_charge(in, 1 + turn.taken / 1024))
            return HF_LIMIT;
    }
}

static void bzip2_free(void *memory, void *block)
{
    hf_recycle_free(memory, block);
}

static void *bzip2_alloc(void *memory, int count, int size)
{
    return count < 0 || size < 0 ? NULL
                                 : hf_recycle_alloc(memory, (size_t)count, (size_t)size);
}

static enum hf_step step_bzip2(struct hf_codecs *codecs, struct hf_turn *turn)
{
    bz_stream *z = &codecs->bzip2;
    z->next_in =
        (char *)(uintptr_t)turn->in.data; /* not written to: an interface without const */
    z->avail_in = (unsigned)turn->in.len;
    z->next_out = (char *)turn->out;
    z->avail_out = (unsigned)turn->room;
    int r = BZ2_bzDecompress(z);
    turn->taken = turn->in.len - z->avail_in;
    turn->made = turn->room - z->avail_out;
    switch (r) {
    case BZ_STREAM_END: return HF_STEP_END;
    case BZ_OK: return HF_STEP_MORE;
    case BZ_MEM_ERROR: return HF_STEP_NOMEM;
    default: return HF_STEP_BAD;
    }
}

enum hf_status hf_codec_bzip2(struct hf_codecs *codecs, struct hf_cursor *in, uint64_t size,
                              unsigned flags, struct hf_outlet *out)
{
    (void)size;
    (void)flags;
    codecs->bzip2 = (bz_stream){
        .bzalloc = bzip2_alloc, .bzfree = bzip2_free, .opaque = &codecs->memory};
    if (BZ2_bzDecompressInit(&codecs->bzip2, 0, 0) != BZ_OK)
        return HF_NOMEM;
    enum hf_status st = hf_codecs_drive(codecs, step_bzip2, in, out);
    BZ2_bzDecompressEnd(&codecs->bzip2);
    return st;
}

static enum hf_step step_zstd(struct hf_codecs *codecs, struct hf_turn *turn)
{
    ZSTD_inBuffer in = {.src = turn->in.data, .size = turn->in.len};
    ZSTD_outBuffer out = {.dst = turn->out, .size = turn->room};
    size_t r = ZSTD_decompressStream(codecs->zstd, &out, &in);
    turn->taken = in.pos;
    turn->made = out.pos;
    if (ZSTD_isError(r))
        return ZSTD_getErrorCode(r) == ZSTD_error_frameParameter_windowTooLarge
                   ? HF_STEP_NOMEM
                   : HF_STEP_BAD;
    return r == 0 ? HF_STEP_END : HF_STEP_MORE;
}

static bool zstd_frame_follows(const struct hf_cursor *in)
{
    struct hf_cursor ahead = *in;
    uint32_t magic = hf_u32le(&ahead);
    return !ahead.failed &&
           (magic == ZSTD_MAGICNUMBER ||
            (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START);
}

enum hf_status hf_codec_zstd(struct hf_codecs *codecs, struct hf_cursor *in, uint64_t size,
                             unsigned flags, struct hf_outlet *out)
{
    (void)size;
    (void)flags;
    if (codecs->zstd == NULL) {
        codecs->zstd = ZSTD_createDCtx();
        if (codecs->zstd == NULL)
            return HF_NOMEM;
        ZSTD_DCtx_setParameter(codecs->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
    }
    enum hf_status st;
    do {
        ZSTD_DCtx_reset(codecs->zstd, ZSTD_reset_session_only);
        st = hf_codecs_drive(codecs, step_zstd, in, out);
    } while (st == HF_OK && out->said == HF_OK && zstd_frame_follows(in));
    return st;
}
