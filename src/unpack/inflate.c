#include "unpack/codec.h"

#include "unpack/codec_internal.h"
#include "unpack/huffman.h"
#include "unpack/window.h"

/*
 * Deflate in its two forms. Plain deflate goes through libdeflate and zlib (codec.c); this is for
 * deflate64, which no packaged library has: a window of 64 KiB, two more distance codes and a last
 * length code with 16 extra bits.
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
    WINDOW = 64 * 1024,
};

struct inflate {
    struct hf_bits bits;
    struct hf_window window;
    struct hf_budget *budget;
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

/* [RFC 1951 3.2.5]; code 285 as deflate64 has it. Bases follow from the extra bits. */
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
    z->litlen_values[285] = VALUE(MATCH, 3, 16);
    base = 1;
    for (unsigned i = 0; i < DISTANCE_SYMBOLS; i++) {
        unsigned extra = i < 4 ? 0 : i / 2 - 1;
        z->distance_values[i] = VALUE(MATCH, base, extra);
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
    for (uint32_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)hf_bits_take(&z->bits, 8);
        if (hf_bits_overrun(&z->bits))
            return HF_TRUNCATED;
        if (!hf_window_put(&z->window, byte))
            return HF_STOPPED;
    }
    return HF_OK;
}

static void fixed_codes(struct inflate *z)
{
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
    if (far == 0)
        return HF_MALFORMED;
    size_t distance = (far >> 16) + hf_bits_take(&z->bits, extra_of(far));
    if (hf_bits_overrun(&z->bits))
        return HF_TRUNCATED;
    if (distance > z->window.pos)
        return HF_MALFORMED;
    return hf_window_copy(&z->window, distance, length) ? HF_OK : HF_STOPPED;
}

static enum hf_status decode_block(struct inflate *z)
{
    for (;;) {
        uint32_t entry = take_symbol(z, &z->litlen);
        if (hf_bits_overrun(&z->bits))
            return HF_TRUNCATED;
        if (entry == 0)
            return HF_MALFORMED;
        enum hf_status st = HF_OK;
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

static enum hf_status inflate_blocks(struct inflate *z)
{
    for (bool last = false; !last;) {
        last = hf_bits_take(&z->bits, 1) != 0;
        uint32_t type = hf_bits_take(&z->bits, 2);
        enum hf_status st = HF_MALFORMED;
        if (!hf_budget_work(z->budget,
                            1)) /* empty blocks yield nothing that would be charged */
            return HF_LIMIT;
        if (type == 0)
            st = copy_stored(z);
        else if (type == 1)
            fixed_codes(z), st = HF_OK;
        else if (type == 2)
            st = dynamic_codes(z);
        if (hf_bits_overrun(&z->bits))
            return HF_TRUNCATED;
        if (st == HF_OK && type != 0)
            st = decode_block(z);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}

enum hf_status hf_codec_deflate64(struct hf_codecs *codecs, struct hf_cursor *in,
                                  uint64_t size, unsigned flags, struct hf_outlet *out)
{
    (void)size;
    (void)flags;
    struct inflate *z = hf_recycle_alloc(&codecs->memory, 1, sizeof *z);
    if (z == NULL)
        return HF_NOMEM;
    struct hf_cursor ahead = *in;
    *z = (struct inflate){
        .bits = hf_bits_of(hf_take_rest(&ahead)),
        .budget = in->budget,
        .window = hf_codecs_window(codecs, out, WINDOW),
    };
    enum hf_status st = HF_NOMEM;
    if (z->window.data != NULL) {
        fill_values(z);
        st = inflate_blocks(z);
        if (out->said == HF_OK)
            (void)hf_window_flush(&z->window);
        hf_skip(in, hf_bits_used(&z->bits));
    }
    hf_recycle_free(&codecs->memory, z);
    return st;
}
