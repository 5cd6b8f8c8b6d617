#include "unpack/codec_internal.h"
#include "unpack/huffman.h"

#include <libdeflate.h>

/*
 * Deflate in its two forms. [RFC 1951; APPNOTE 4.4.5 method 9]
 *
 * Own code for three reasons: no packaged library has deflate64 (a window of 64 KiB, two more
 * distance codes, a last length code with 16 extra bits); what comes out of damaged data is exactly
 * what was whole in it; and writing straight into the window is faster than zlib.
 *
 * A symbol's value: bits 5..9 extra bits, 10..11 kind, 16..31 base; the lowest five are for the
 * code's length (huffman.h).
 */
enum kind { LITERAL, MATCH, END, INVALID };
#define VALUE(kind, base, extra)                                                           \
    ((uint32_t)(base) << 16 | (uint32_t)(kind) << 10 | (uint32_t)(extra) << 5)

enum {
    LITLEN_SYMBOLS = 288,
    DISTANCE_SYMBOLS = 32,
    ORDER_SYMBOLS = 19,
    LONGEST = 258, /* match of plain deflate */
    WORD = 8,
};

enum tables { NO_TABLES, FIXED_TABLES, OWN_TABLES };

struct inflate {
    struct hf_bits bits;
    struct hf_window window;
    struct hf_budget *budget;
    bool is_64;
    enum tables built; /* what litlen and distance hold */
    uint32_t litlen_values[LITLEN_SYMBOLS], distance_values[DISTANCE_SYMBOLS];
    uint32_t order_values[ORDER_SYMBOLS];
    struct hf_code litlen, distance;
    uint8_t lengths[LITLEN_SYMBOLS + DISTANCE_SYMBOLS];
};

static unsigned extra_of(uint32_t value)
{
    return value >> 5 & 31;
}

static enum kind kind_of(uint32_t value)
{
    return (enum kind)(value >> 10 & 3);
}

/* [RFC 1951 3.2.5] Bases follow from the extra bits, but for the last length. */
static void fill_values(struct inflate *z)
{
    for (unsigned i = 0; i < LITLEN_SYMBOLS; i++)
        z->litlen_values[i] =
            i < 256 ? VALUE(LITERAL, i, 0) : VALUE(i == 256 ? END : INVALID, 0, 0);
    unsigned base = 3;
    for (unsigned i = 0; i < 28; i++) {
        unsigned extra = i < 8 ? 0 : i / 4 - 1;
        z->litlen_values[257 + i] = VALUE(MATCH, base, extra);
        base += 1u << extra;
    }
    z->litlen_values[285] = z->is_64 ? VALUE(MATCH, 3, 16) : VALUE(MATCH, LONGEST, 0);
    base = 1;
    for (unsigned i = 0; i < DISTANCE_SYMBOLS; i++) {
        unsigned extra = i < 4 ? 0 : i / 2 - 1;
        z->distance_values[i] = VALUE(i < 30 || z->is_64 ? MATCH : INVALID, base, extra);
        base += 1u << extra;
    }
    for (unsigned i = 0; i < ORDER_SYMBOLS; i++)
        z->order_values[i] = VALUE(LITERAL, i, 0);
}

static enum hf_status copy_stored(struct inflate *z)
{
    hf_bits_drop(&z->bits, z->bits.count % 8);
    uint32_t length = hf_bits_take(&z->bits, 16), inverse = hf_bits_take(&z->bits, 16);
    if (hf_bits_overrun(&z->bits))
        return HF_TRUNCATED;
    if ((length ^ inverse) != 0xffff)
        return HF_MALFORMED;
    /* Bytes read ahead go back, so that the rest can be copied at once. */
    struct hf_bits *b = &z->bits;
    b->next = b->start + hf_bits_used(b);
    b->hold = 0;
    b->count = b->missing = 0;
    size_t there = (size_t)(b->end - b->next), n = length < there ? length : there;
    if (!hf_window_append(&z->window, b->next, n))
        return HF_STOPPED;
    b->next += n;
    return n < length ? HF_TRUNCATED : HF_OK;
}

static void fixed_codes(struct inflate *z)
{
    if (z->built == FIXED_TABLES)
        return;
    z->built = FIXED_TABLES;
    for (unsigned i = 0; i < LITLEN_SYMBOLS; i++)
        z->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(z->lengths + LITLEN_SYMBOLS, 5, DISTANCE_SYMBOLS);
    (void)hf_code_build(&z->litlen, z->lengths, LITLEN_SYMBOLS, z->litlen_values);
    (void)hf_code_build(&z->distance, z->lengths + LITLEN_SYMBOLS, DISTANCE_SYMBOLS,
                        z->distance_values);
}

/* One symbol; 0 when the bits are no code. */
static uint32_t take_symbol(struct inflate *z, const struct hf_code *code)
{
    hf_bits_refill(&z->bits);
    uint32_t entry = hf_code_find(code, z->bits.hold);
    hf_bits_drop(&z->bits, entry & 31);
    return (entry & 31) == 0 ? 0 : entry;
}

/* The lengths of both codes, run-length coded. [RFC 1951 3.2.7] */
static enum hf_status read_lengths(struct inflate *z, unsigned total)
{
    for (unsigned n = 0; n < total;) {
        uint32_t entry = take_symbol(z, &z->distance);
        if (entry == 0)
            return HF_MALFORMED;
        unsigned symbol = entry >> 16, repeat = 1;
        uint8_t length = (uint8_t)symbol;
        if (symbol >= 16) {
            length = symbol == 16 && n > 0 ? z->lengths[n - 1] : 0;
            repeat = symbol == 16   ? 3 + hf_bits_take(&z->bits, 2)
                     : symbol == 17 ? 3 + hf_bits_take(&z->bits, 3)
                                    : 11 + hf_bits_take(&z->bits, 7);
            if (repeat > total - n || (symbol == 16 && n == 0))
                return HF_MALFORMED;
        }
        memset(z->lengths + n, length, repeat);
        n += repeat;
    }
    return hf_bits_overrun(&z->bits) ? HF_TRUNCATED : HF_OK;
}

static enum hf_status dynamic_codes(struct inflate *z)
{
    static const uint8_t order[ORDER_SYMBOLS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                 11, 4,  12, 3, 13, 2, 14, 1, 15};
    unsigned litlens = 257 + hf_bits_take(&z->bits, 5);
    unsigned distances = 1 + hf_bits_take(&z->bits, 5);
    unsigned orders = 4 + hf_bits_take(&z->bits, 4);
    if (litlens > LITLEN_SYMBOLS)
        return HF_MALFORMED;
    z->built = OWN_TABLES;
    uint8_t order_lengths[ORDER_SYMBOLS] = {0};
    for (unsigned i = 0; i < orders; i++)
        order_lengths[order[i]] = (uint8_t)hf_bits_take(&z->bits, 3);
    if (!hf_code_build(&z->distance, order_lengths, ORDER_SYMBOLS, z->order_values))
        return HF_MALFORMED;
    enum hf_status st = read_lengths(z, litlens + distances);
    if (st != HF_OK)
        return st;
    bool built =
        hf_code_build(&z->litlen, z->lengths, litlens, z->litlen_values) &&
        hf_code_build(&z->distance, z->lengths + litlens, distances, z->distance_values);
    return built ? HF_OK : HF_MALFORMED;
}

static enum hf_status copy_match(struct inflate *z, uint32_t entry)
{
    size_t length = (entry >> 16) + hf_bits_take(&z->bits, extra_of(entry));
    uint32_t far = take_symbol(z, &z->distance);
    if (far == 0 || kind_of(far) != MATCH)
        return hf_bits_overrun(&z->bits) ? HF_TRUNCATED : HF_MALFORMED;
    size_t distance = (far >> 16) + hf_bits_take(&z->bits, extra_of(far));
    if (hf_bits_overrun(&z->bits))
        return HF_TRUNCATED;
    if (distance > z->window.pos)
        return HF_MALFORMED;
    return hf_window_copy(&z->window, distance, length) ? HF_OK : HF_STOPPED;
}

/* Copy a match where there is room behind it: whole words, which may write past its end. */
static void copy_words(uint8_t *to, size_t distance, size_t length)
{
    const uint8_t *from = to - distance, *end = to + length;
    if (distance >= WORD) {
        for (; to < end; to += WORD, from += WORD)
            memcpy(to, from, WORD);
    } else if (distance == 1) {
        memset(to, *from, length);
    } else {
        while (to < end)
            *to++ = *from++;
    }
}

/* The rest of a match whose length code has been taken. HF_NOTFOUND: copied, go on. */
static inline enum hf_status match_fast(struct inflate *z, struct hf_bits *b,
                                        uint32_t entry)
{
    size_t length = (entry >> 16) + hf_bits_take(b, extra_of(entry));
    uint32_t far = hf_code_find(&z->distance, b->hold);
    if ((far & 31) == 0 || kind_of(far) != MATCH)
        return HF_MALFORMED;
    hf_bits_drop(b, far & 31);
    size_t distance = (far >> 16) + hf_bits_take(b, extra_of(far));
    if (distance > z->window.pos)
        return HF_MALFORMED;
    if (length > LONGEST)
        return hf_window_copy(&z->window, distance, length) ? HF_NOTFOUND : HF_STOPPED;
    copy_words(z->window.data + z->window.pos, distance, length);
    z->window.pos += length;
    return HF_NOTFOUND;
}

static inline bool is_literal(uint32_t entry)
{
    return (entry & 31) != 0 && kind_of(entry) == LITERAL;
}

/*
 * Decode while neither the input nor the window is near its end, so that not every step needs a
 * check: a turn takes at most two refills of input and writes three literals or two and a match.
 * Returns HF_NOTFOUND to go on with care, HF_OK at the end of the block, HF_MALFORMED, HF_STOPPED.
 */
static enum hf_status decode_fast(struct inflate *z)
{
    struct hf_bits b = z->bits;
    struct hf_window *w = &z->window;
    const uint32_t *root = z->litlen.root;
    const size_t mask = (1 << HF_CODE_ROOT) - 1, safe = w->room - 4 - LONGEST - WORD;
    enum hf_status st = HF_NOTFOUND;
    while (st == HF_NOTFOUND && b.end - b.next >= 2 * WORD && w->pos < safe) {
        hf_bits_refill(&b);
        uint32_t entry = root[b.hold & mask];
        for (int i = 0; i < 2 && is_literal(entry); i++) {
            w->data[w->pos++] = (uint8_t)(entry >> 16);
            hf_bits_drop(&b, entry & 31);
            entry = root[b.hold & mask];
        }
        if ((entry & 31) == 0)
            entry = hf_code_find_long(&z->litlen, b.hold);
        hf_bits_drop(&b, entry & 31);
        if (is_literal(entry)) {
            w->data[w->pos++] = (uint8_t)(entry >> 16);
        } else if ((entry & 31) != 0 && kind_of(entry) == MATCH) {
            hf_bits_refill(&b);
            st = match_fast(z, &b, entry);
        } else {
            st = (entry & 31) != 0 && kind_of(entry) == END ? HF_OK : HF_MALFORMED;
        }
    }
    z->bits = b;
    return st;
}

static enum hf_status decode_block(struct inflate *z)
{
    for (;;) {
        enum hf_status st = decode_fast(z);
        if (st != HF_NOTFOUND)
            return st;
        uint32_t entry = take_symbol(z, &z->litlen);
        if (hf_bits_overrun(&z->bits))
            return HF_TRUNCATED;
        if (entry == 0)
            return HF_MALFORMED;
        st = HF_OK;
        switch (kind_of(entry)) {
        case LITERAL:
            if (!hf_window_put(&z->window, (uint8_t)(entry >> 16)))
                st = HF_STOPPED;
            break;
        case MATCH: st = copy_match(z, entry); break;
        case END: return HF_OK;
        case INVALID: st = HF_MALFORMED; break;
        }
        if (st != HF_OK)
            return st;
    }
}

/* Building codes costs more than a unit. */
static const uint64_t block_work[] = {1, 1, 4, 1};

static enum hf_status inflate_block(struct inflate *z, uint32_t type)
{
    enum hf_status st = HF_OK;
    switch (type) {
    case 0: return copy_stored(z);
    case 1: fixed_codes(z); break;
    case 2: st = dynamic_codes(z); break;
    default: st = HF_MALFORMED; break;
    }
    if (hf_bits_overrun(&z->bits))
        return HF_TRUNCATED;
    return st == HF_OK ? decode_block(z) : st;
}

static enum hf_status inflate_blocks(struct inflate *z)
{
    for (bool last = false; !last;) {
        last = hf_bits_take(&z->bits, 1) != 0;
        uint32_t type = hf_bits_take(&z->bits, 2);
        if (hf_bits_overrun(&z->bits))
            return HF_TRUNCATED;
        if (!hf_budget_work(z->budget, block_work[type]))
            return HF_LIMIT;
        enum hf_status st = inflate_block(z, type);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}

static enum hf_status run(struct hf_codecs *codecs, struct hf_cursor *in, bool is_64,
                          struct hf_pusher *out)
{
    struct inflate *z = hf_codecs_state(codecs, sizeof *z);
    struct hf_window window = hf_codecs_window(codecs, out, is_64 ? 64 * 1024 : 32 * 1024);
    if (z == NULL || window.data == NULL)
        return HF_NOMEM;
    struct hf_cursor ahead = *in;
    z->bits = hf_bits_of(hf_take_rest(&ahead));
    z->window = window;
    z->budget = in->budget;
    z->is_64 = is_64;
    z->built = NO_TABLES;
    fill_values(z);
    enum hf_status st = hf_window_end(&z->window, inflate_blocks(z));
    size_t used = hf_bits_used(&z->bits);
    hf_skip(in, used);
    return hf_cursor_charge(in, 1 + used / 1024) ? st : HF_LIMIT;
}

/*
 * A member that says it fits into a piece, and does, is done in one call of libdeflate. Anything
 * else, damaged data above all, is left to the code above: nothing has been written then.
 */
static bool inflate_whole(struct hf_codecs *codecs, struct hf_cursor *in, uint64_t size,
                          struct hf_pusher *out)
{
    if (size > codecs->room || hf_codecs_piece(codecs) == NULL)
        return false;
    if (codecs->whole == NULL)
        codecs->whole = libdeflate_alloc_decompressor();
    if (codecs->whole == NULL)
        return false;
    struct hf_cursor ahead = *in;
    struct hf_bytes packed = hf_take_rest(&ahead);
    size_t used = 0, made = 0;
    if (libdeflate_deflate_decompress_ex(codecs->whole, packed.data, packed.len,
                                         codecs->piece, codecs->room, &used,
                                         &made) != LIBDEFLATE_SUCCESS)
        return false;
    hf_skip(in, used);
    if (hf_cursor_charge(in, 1 + used / 1024) && !hf_pusher_doubts(out, true, made) &&
        hf_pusher_open(out) == HF_OK)
        (void)hf_pusher_push(out, codecs->piece, made);
    return true;
}

static enum hf_status run_plain(struct hf_codecs *codecs, struct hf_cursor *in,
                                struct hf_codec_hint hint, struct hf_pusher *out)
{
    if (inflate_whole(codecs, in, hint.size, out))
        return hf_cursor_status(in);
    return run(codecs, in, false, out);
}

static enum hf_status run_64(struct hf_codecs *codecs, struct hf_cursor *in,
                             struct hf_codec_hint hint, struct hf_pusher *out)
{
    (void)hint;
    return run(codecs, in, true, out);
}

const struct hf_codec hf_codec_deflate = {.run = run_plain};
const struct hf_codec hf_codec_deflate64 = {.run = run_64};
