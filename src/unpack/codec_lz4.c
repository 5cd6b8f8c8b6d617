/* LZ4 frames [lz4_Frame_format.md 1.6.4], legacy frames and skippable ones. The frame is read
 * here, blocks go to liblz4: what a broken block still gives is kept, and memory is one block. */
#include "unpack/codec.h"

#include <lz4.h>

enum {
    MAGIC = 0x184D2204,
    MAGIC_LEGACY = 0x184C2102,
    SKIPPABLE = 0x184D2A5,         /* without its lowest four bits, which are free */
    HISTORY = 64 * 1024,           /* how far back a match reaches */
    LEGACY_BLOCK = 8 * 1024 * 1024 /* what each legacy block but the last unpacks to */
};

enum kind { FRAME, LEGACY, SKIP };

enum flag {
    FLAG_DICTIONARY = 1 << 0,
    FLAG_CONTENT_CHECKSUM = 1 << 2,
    FLAG_CONTENT_SIZE = 1 << 3,
    FLAG_BLOCK_CHECKSUM = 1 << 4,
    FLAG_VERSION_MASK = 0xC0,
    FLAG_VERSION = 0x40
};

struct lz4 {
    enum kind kind;
    uint8_t flags;
    uint64_t skip;
    uint8_t *window; /* HISTORY bytes, then the block; in the arena, kept between frames */
    size_t block_max, window_block;
    size_t history; /* bytes of history that are real, right before the block */
    size_t pending, pending_len; /* of the block, not yet moved out */
    enum hf_status after;        /* what comes when the block is moved out */
};

static uint32_t peek_u32(const struct hf_cursor *in)
{
    struct hf_cursor c = *in;
    return hf_u32le(&c);
}

static bool is_skippable(uint32_t magic)
{
    return magic >> 4 == SKIPPABLE;
}

static bool is_magic(uint32_t magic)
{
    return magic == MAGIC || magic == MAGIC_LEGACY || is_skippable(magic);
}

static bool lz4_starts(const struct hf_cursor *in)
{
    return is_magic(peek_u32(in));
}

static enum hf_status read_frame_header(struct lz4 *z, struct hf_cursor *in)
{
    static const size_t block_sizes[8] = {[4] = 64 << 10, 256 << 10, 1 << 20, 4 << 20};
    z->flags = hf_u8(in);
    z->block_max = block_sizes[hf_u8(in) >> 4 & 7];
    hf_skip(in, (z->flags & FLAG_CONTENT_SIZE) != 0 ? 8 : 0);
    hf_skip(in, (z->flags & FLAG_DICTIONARY) != 0 ? 4 : 0);
    hf_skip(in, 1); /* header checksum */
    if (hf_cursor_status(in) != HF_OK)
        return HF_TRUNCATED;
    if (z->block_max == 0)
        return HF_MALFORMED;
    /* With an unknown dictionary matches into it would fail; all else can be had. */
    return (z->flags & FLAG_VERSION_MASK) == FLAG_VERSION ? HF_OK : HF_UNSUPPORTED;
}

static enum hf_status lz4_begin(void *state, struct hf_codec_io *io)
{
    struct lz4 *z = state;
    uint32_t magic = hf_u32le(&io->in);
    z->kind = magic == MAGIC ? FRAME : magic == MAGIC_LEGACY ? LEGACY : SKIP;
    z->block_max = LEGACY_BLOCK;
    z->history = z->pending = z->pending_len = 0;
    z->after = HF_OK;
    z->flags = 0;
    if (z->kind == SKIP) {
        z->skip = hf_u32le(&io->in);
        return HF_OK;
    }
    enum hf_status st = z->kind == FRAME ? read_frame_header(z, &io->in) : HF_OK;
    if (st != HF_OK || z->window_block >= z->block_max)
        return st;
    z->window = hf_arena_alloc(io->arena, HISTORY + z->block_max);
    z->window_block = z->block_max;
    return z->window == NULL ? HF_NOMEM : HF_OK;
}

/* What unpacks of a block, at most target bytes of it; -1 when it breaks before. */
static int unpack_block(struct lz4 *z, struct hf_bytes block, size_t target)
{
    return LZ4_decompress_safe_partial_usingDict(
        (const char *)block.data, (char *)z->window + HISTORY, (int)block.len, (int)target,
        (int)z->block_max, (const char *)z->window + HISTORY - z->history, (int)z->history);
}

/* The longest readable start of a broken block, by bisection: some twenty times one block, once
 * a stream, for decoding ends here. */
static size_t readable_prefix(struct lz4 *z, struct hf_bytes block)
{
    size_t good = 0, bad = z->block_max;
    while (bad - good > 1) {
        size_t middle = good + (bad - good) / 2;
        if (unpack_block(z, block, middle) >= 0)
            good = middle;
        else
            bad = middle;
    }
    int n = good > 0 ? unpack_block(z, block, good) : 0;
    return n > 0 ? (size_t)n : 0;
}

/* The last HISTORY bytes of what has been unpacked move in front of the next block. */
static void keep_history(struct lz4 *z)
{
    size_t n = z->pending_len;
    memmove(z->window, z->window + n, HISTORY);
    z->history = n < HISTORY - z->history ? z->history + n : HISTORY;
    z->pending = z->pending_len = 0;
}

static void read_block(struct lz4 *z, struct hf_cursor *in, size_t size, bool stored)
{
    size_t left = hf_cursor_left(in);
    bool cut = size > left;
    struct hf_bytes block = hf_take(in, cut ? left : size);
    z->after = cut ? HF_TRUNCATED : HF_OK;
    (void)hf_cursor_charge(in, z->block_max / 1024);
    if (stored) {
        z->pending_len = block.len < z->block_max ? block.len : z->block_max;
        if (z->pending_len > 0)
            memcpy(z->window + HISTORY, block.data, z->pending_len);
        z->after = block.len > z->block_max ? HF_MALFORMED : z->after;
        return;
    }
    if (block.len > (size_t)LZ4_COMPRESSBOUND(LEGACY_BLOCK)) {
        z->after = HF_MALFORMED;
        return;
    }
    int n = unpack_block(z, block, z->block_max);
    z->pending_len = n >= 0 ? (size_t)n : readable_prefix(z, block);
    if (n < 0 && !cut)
        z->after = HF_MALFORMED;
}

static enum hf_status next_legacy_block(struct lz4 *z, struct hf_cursor *in)
{
    if (hf_cursor_left(in) == 0 || is_magic(peek_u32(in)))
        return HF_STOPPED; /* no end mark: the file or the next frame ends it */
    uint32_t size = hf_u32le(in);
    if (hf_cursor_status(in) != HF_OK)
        return HF_TRUNCATED;
    read_block(z, in, size, false);
    return HF_OK;
}

static enum hf_status next_block(struct lz4 *z, struct hf_cursor *in)
{
    if (z->kind == LEGACY)
        return next_legacy_block(z, in);
    uint32_t size = hf_u32le(in);
    if (hf_cursor_status(in) != HF_OK)
        return HF_TRUNCATED;
    if (size == 0) {
        hf_skip(in, (z->flags & FLAG_CONTENT_CHECKSUM) != 0 ? 4 : 0);
        return HF_STOPPED; /* a missing checksum at the very end takes nothing away */
    }
    read_block(z, in, size & 0x7FFFFFFF, size >> 31 != 0);
    if (z->after == HF_OK && (z->flags & FLAG_BLOCK_CHECKSUM) != 0)
        hf_skip(in, 4);
    return HF_OK;
}

static enum hf_status lz4_step(void *state, struct hf_codec_io *io)
{
    struct lz4 *z = state;
    if (z->kind == SKIP) {
        size_t left = hf_cursor_left(&io->in);
        hf_skip(&io->in, z->skip < left ? z->skip : left);
        return z->skip <= left ? HF_STOPPED : HF_TRUNCATED;
    }
    if (z->pending == z->pending_len) {
        keep_history(z);
        if (z->after != HF_OK)
            return z->after;
        enum hf_status st = next_block(z, &io->in);
        if (st != HF_OK || z->pending_len == 0)
            return st != HF_OK ? st : z->after;
    }
    size_t n = z->pending_len - z->pending;
    n = n < io->room ? n : io->room;
    memcpy(io->out, z->window + HISTORY + z->pending, n);
    z->pending += n;
    io->out += n;
    io->room -= n;
    return HF_OK;
}

const struct hf_codec hf_codec_lz4 = {
    .state_size = sizeof(struct lz4),
    .starts = lz4_starts,
    .begin = lz4_begin,
    .step = lz4_step,
};
