#include "unpack/codec_internal.h"
#include "unpack/huffman.h"
#include "unpack/window.h"

/*
 * Method 6, "implode" of PKZIP 1. [APPNOTE 5.3]
 *
 * Literals and matches behind a flag bit each, as LZ77 in a window of 4 or 8 KiB. Lengths, upper
 * distance bits and, if a header flag says so, literals have Shannon-Fano codes, which are stored
 * as run-lengths of code lengths and are canonical codes with all bits inverted. The stream has no
 * end mark: the size in the header tells.
 */
enum {
    LARGE_WINDOW = 1 << 1, /* general purpose flags */
    LITERAL_CODE = 1 << 2,
    LITERALS = 256,
    SMALL = 64, /* symbols of the two other codes */
};

struct explode {
    struct hf_bits bits;
    struct hf_window window;
    struct hf_code literals, lengths, distances;
    uint32_t values[LITERALS];
    unsigned low_bits;   /* of a distance, stored as they are */
    unsigned min_length; /* of a match */
    bool coded_literals;
};

static enum hf_status read_code(struct explode *z, struct hf_code *code, unsigned symbols)
{
    uint8_t lengths[LITERALS];
    unsigned runs = 1 + hf_bits_take(&z->bits, 8), n = 0;
    for (unsigned i = 0; i < runs; i++) {
        uint8_t length = (uint8_t)(1 + hf_bits_take(&z->bits, 4));
        unsigned repeat = 1 + hf_bits_take(&z->bits, 4);
        if (repeat > symbols - n)
            return HF_MALFORMED;
        memset(lengths + n, length, repeat);
        n += repeat;
    }
    if (hf_bits_overrun(&z->bits))
        return HF_TRUNCATED;
    return n == symbols && hf_code_build(code, lengths, symbols, z->values) ? HF_OK
                                                                            : HF_MALFORMED;
}

/* UINT32_MAX when the bits are no code. */
static uint32_t take_symbol(struct explode *z, const struct hf_code *code)
{
    hf_bits_refill(&z->bits);
    uint32_t entry = hf_code_find(code, ~z->bits.hold);
    hf_bits_drop(&z->bits, entry & 31);
    return (entry & 31) == 0 ? UINT32_MAX : entry >> 5;
}

static enum hf_status read_codes(struct explode *z)
{
    enum hf_status st = HF_OK;
    if (z->coded_literals)
        st = read_code(z, &z->literals, LITERALS);
    if (st == HF_OK)
        st = read_code(z, &z->lengths, SMALL);
    if (st == HF_OK)
        st = read_code(z, &z->distances, SMALL);
    return st;
}

static enum hf_status put_literal(struct explode *z)
{
    uint32_t byte =
        z->coded_literals ? take_symbol(z, &z->literals) : hf_bits_take(&z->bits, 8);
    if (byte == UINT32_MAX)
        return HF_MALFORMED;
    return hf_window_put(&z->window, (uint8_t)byte) ? HF_OK : HF_STOPPED;
}

static enum hf_status copy_match(struct explode *z, uint64_t left)
{
    uint32_t low = hf_bits_take(&z->bits, z->low_bits);
    uint32_t high = take_symbol(z, &z->distances);
    uint32_t length = take_symbol(z, &z->lengths);
    if (high == UINT32_MAX || length == UINT32_MAX)
        return HF_MALFORMED;
    if (length == SMALL - 1)
        length += hf_bits_take(&z->bits, 8);
    length += z->min_length;
    size_t distance = ((size_t)high << z->low_bits | low) + 1;
    return hf_window_copy(&z->window, distance, length < left ? length : (size_t)left)
               ? HF_OK
               : HF_STOPPED;
}

static enum hf_status explode(struct explode *z, uint64_t size)
{
    enum hf_status st = read_codes(z);
    uint64_t made = 0;
    while (st == HF_OK && made < size) {
        bool literal = hf_bits_take(&z->bits, 1) != 0;
        st = literal ? put_literal(z) : copy_match(z, size - made);
        if (hf_bits_overrun(&z->bits))
            return HF_TRUNCATED;
        made = z->window.out->total + (z->window.pos - z->window.flushed);
    }
    return st;
}

static enum hf_status run(struct hf_codecs *codecs, struct hf_cursor *in,
                          struct hf_codec_hint hint, struct hf_pusher *out)
{
    bool large = (hint.flags & LARGE_WINDOW) != 0, coded = (hint.flags & LITERAL_CODE) != 0;
    struct explode *z = hf_codecs_state(codecs, sizeof *z);
    struct hf_window window = hf_codecs_window(codecs, out, large ? 8192 : 4096);
    if (z == NULL || window.data == NULL)
        return HF_NOMEM;
    struct hf_cursor ahead = *in;
    *z = (struct explode){
        .bits = hf_bits_of(hf_take_rest(&ahead)),
        .low_bits = large ? 7 : 6,
        .min_length = coded ? 3 : 2,
        .coded_literals = coded,
        .window = window,
    };
    for (uint32_t i = 0; i < LITERALS; i++)
        z->values[i] = i << 5;
    /* Matches may reach before the start: zeros are there. */
    memset(z->window.data, 0, z->window.history);
    z->window.pos = z->window.flushed = z->window.history;
    enum hf_status st = hf_window_end(&z->window, explode(z, hint.size));
    hf_skip(in, hf_bits_used(&z->bits));
    return st;
}

const struct hf_codec hf_codec_implode = {.run = run};
