/* huffman.h - bits and canonical prefix codes as deflate and implode have them: bits come from the
 * low end of each byte, codes start with their highest bit [RFC 1951 sections 3.1.1, 3.2.2]. */
#ifndef HF_UNPACK_HUFFMAN_H
#define HF_UNPACK_HUFFMAN_H

#include "base/cursor.h"

enum { HF_CODE_BITS = 16, HF_CODE_ROOT = 11, HF_CODE_SYMBOLS = 288 };

/* Bits of a checked extent. Past its end come zeros, which are counted. */
struct hf_bits {
    const uint8_t *start, *next, *end;
    uint64_t hold;    /* the next bits, lowest first */
    unsigned count;   /* how many of them there are, zeros past the end included */
    unsigned missing; /* bytes that were not there */
};

static inline struct hf_bits hf_bits_of(struct hf_bytes bytes)
{
    return (struct hf_bits){
        .start = bytes.data, .next = bytes.data, .end = bytes.data + bytes.len};
}

/* At least 56 bits in hold. */
static inline void hf_bits_refill(struct hf_bits *b)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (b->end - b->next >= 8) {
        /* Bits above count may already be there: they are the same ones. */
        uint64_t eight;
        memcpy(&eight, b->next, sizeof eight);
        b->hold |= eight << b->count;
        b->next += (63 - b->count) >> 3;
        b->count |= 56;
        return;
    }
#endif
    for (; b->count < 56; b->count += 8) {
        if (b->next < b->end)
            b->hold |= (uint64_t)*b->next++ << b->count;
        else
            b->missing++;
    }
}

static inline void hf_bits_drop(struct hf_bits *b, unsigned n)
{
    b->hold >>= n;
    b->count -= n;
}

/* The next n bits, 0..32; refills. */
static inline uint32_t hf_bits_take(struct hf_bits *b, unsigned n)
{
    if (b->count < n)
        hf_bits_refill(b);
    uint32_t v = (uint32_t)(b->hold & ((UINT64_C(1) << n) - 1));
    hf_bits_drop(b, n);
    return v;
}

/* Whether bits past the end have been taken. */
static inline bool hf_bits_overrun(const struct hf_bits *b)
{
    return b->missing * 8 > b->count;
}

/* Bytes used so far; what was read ahead is not. */
static inline size_t hf_bits_used(const struct hf_bits *b)
{
    size_t ahead = b->count / 8;
    return (size_t)(b->next - b->start) - (ahead > b->missing ? ahead - b->missing : 0);
}

/*
 * A prefix code. An entry of the root table holds in its lowest five bits the length of the code
 * (0: longer than the root, or no code), above it what the caller gave for the symbol.
 */
struct hf_code {
    uint32_t root[1 << HF_CODE_ROOT];
    uint16_t count[HF_CODE_BITS + 1];  /* codes of each length */
    uint16_t symbols[HF_CODE_SYMBOLS]; /* in the order of their codes */
    const uint32_t *values;            /* by symbol, lowest five bits 0; borrowed */
};

/*
 * Build a code.
 *
 * lengths  of each symbol's code, 0..16; 0: none.
 * values   what decoding yields for each symbol; its lowest five bits are 0. Outlives the code.
 * Returns false when there are more codes than bits allow. Too few are accepted: the bits that
 * mean nothing are met, or not, when the data is read.
 */
bool hf_code_build(struct hf_code *code, const uint8_t *lengths, size_t count,
                   const uint32_t *values);

/* The value for a code longer than the root, with its length in the lowest five bits; 0 when the
 * bits are no code. bits: at least 16. */
uint32_t hf_code_find_long(const struct hf_code *code, uint64_t bits);

static inline uint32_t hf_code_find(const struct hf_code *code, uint64_t bits)
{
    uint32_t entry = code->root[bits & ((1 << HF_CODE_ROOT) - 1)];
    return (entry & 31) != 0 ? entry : hf_code_find_long(code, bits);
}

#endif
