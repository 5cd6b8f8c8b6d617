/* The .Z files of compress: LZW with codes of 9 to 16 bits, least significant bit first. Codes
 * are written in groups of eight, so a group is as many bytes as a code has bits; when the width
 * changes, what is left of the group is padding. There is no end mark and no checksum. */
#include "unpack/codec.h"

enum {
    MAGIC_LEN = 3,
    CODE_BITS_MIN = 9,
    CODE_BITS_MAX = 16,
    CODE_CLEAR = 256, /* in block mode only */
    CODES = 1 << CODE_BITS_MAX,
    FLAG_BLOCK = 0x80,
    NO_CODE = CODES
};

struct lzw {
    uint64_t bits; /* read ahead, the next code lowest */
    unsigned nbits;
    unsigned width, width_max; /* of a code */
    unsigned in_group;         /* codes of this group that were read */
    unsigned next;             /* the code that the next entry gets */
    unsigned previous;         /* code; NO_CODE at the start */
    uint8_t first;             /* byte of what previous stands for */
    bool block_mode;
    unsigned depth; /* of the stack: bytes that are decoded, last one first */
    uint16_t prefix[CODES];
    uint8_t suffix[CODES];
    uint8_t stack[CODES + 1];
};

static bool lzw_starts(const struct hf_cursor *in)
{
    struct hf_cursor c = *in;
    if (!hf_peek_equal(&c, "\x1f\x9d", 2))
        return false;
    hf_skip(&c, 2);
    unsigned width = hf_u8(&c) & 31U;
    return width >= CODE_BITS_MIN && width <= CODE_BITS_MAX;
}

static enum hf_status lzw_begin(void *state, struct hf_codec_io *io)
{
    struct lzw *z = state;
    hf_skip(&io->in, MAGIC_LEN - 1);
    uint8_t flags = hf_u8(&io->in);
    z->width = CODE_BITS_MIN;
    z->width_max = flags & 31U;
    z->block_mode = (flags & FLAG_BLOCK) != 0;
    z->next = z->block_mode ? CODE_CLEAR + 1 : CODE_CLEAR;
    z->previous = NO_CODE;
    return HF_OK;
}

/* Read a code. False at the end of the input. */
static bool read_code(struct lzw *z, struct hf_cursor *in, unsigned *code)
{
    while (z->nbits < z->width) {
        if (hf_cursor_left(in) == 0)
            return false;
        z->bits |= (uint64_t)hf_u8(in) << z->nbits;
        z->nbits += 8;
    }
    *code = (unsigned)(z->bits & ((1U << z->width) - 1));
    z->bits >>= z->width;
    z->nbits -= z->width;
    z->in_group = (z->in_group + 1) % 8;
    return true;
}

/* Codes of another width follow: pass the padding of the group. */
static void change_width(struct lzw *z, struct hf_cursor *in, unsigned width)
{
    unsigned ignored;
    while (z->in_group != 0 && read_code(z, in, &ignored)) {}
    z->in_group = 0;
    z->width = width;
}

static enum hf_status clear(struct lzw *z, struct hf_cursor *in)
{
    change_width(z, in, CODE_BITS_MIN);
    z->next = CODE_CLEAR; /* as compress does it: the entry made next is never used */
    return HF_OK;
}

/* Put what a code stands for on the stack, and make the entry that the code completes. */
static enum hf_status expand(struct lzw *z, unsigned code)
{
    if (z->previous == NO_CODE) {
        if (code >= CODE_CLEAR)
            return HF_MALFORMED;
        z->stack[z->depth++] = z->first = (uint8_t)code;
        z->previous = code;
        return HF_OK;
    }
    unsigned c = code;
    if (c >= z->next) {
        if (c > z->next)
            return HF_MALFORMED;
        z->stack[z->depth++] = z->first; /* the entry that is just being made */
        c = z->previous;
    }
    /* An entry's prefix is an older one, so this ends; after a clear the stale table could loop. */
    for (; c >= CODE_CLEAR; c = z->prefix[c]) {
        if (z->depth >= CODES)
            return HF_MALFORMED;
        z->stack[z->depth++] = z->suffix[c];
    }
    z->stack[z->depth++] = z->first = (uint8_t)c;
    if (z->next < 1U << z->width_max) {
        z->prefix[z->next] = (uint16_t)z->previous;
        z->suffix[z->next] = z->first;
        z->next++;
    }
    z->previous = code;
    return HF_OK;
}

static enum hf_status next_code(struct lzw *z, struct hf_cursor *in)
{
    if (z->next >= 1U << z->width && z->width < z->width_max)
        change_width(z, in, z->width + 1);
    unsigned code;
    if (!read_code(z, in, &code))
        return HF_STOPPED;
    return code == CODE_CLEAR && z->block_mode ? clear(z, in) : expand(z, code);
}

static enum hf_status lzw_step(void *state, struct hf_codec_io *io)
{
    struct lzw *z = state;
    for (;;) {
        for (; z->depth > 0 && io->room > 0; io->room--)
            *io->out++ = z->stack[--z->depth];
        if (io->room == 0)
            return HF_OK;
        enum hf_status st = next_code(z, &io->in);
        if (st != HF_OK)
            return st;
    }
}

const struct hf_codec hf_codec_compress = {
    .state_size = sizeof(struct lzw),
    .single = true,
    .starts = lzw_starts,
    .begin = lzw_begin,
    .step = lzw_step,
};
