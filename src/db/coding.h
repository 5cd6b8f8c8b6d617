/* coding.h - the small codes inside database sections: little-endian integers, LEB128 numbers,
 * bit streams. Readers take bounded extents and fail at their ends. */
#ifndef HF_DB_CODING_H
#define HF_DB_CODING_H

#include "base/buffer.h"

static inline uint32_t hf_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static inline uint64_t hf_le64(const uint8_t *p)
{
    return (uint64_t)hf_le32(p) | (uint64_t)hf_le32(p + 4) << 32;
}

void hf_put_le32(uint8_t *p, uint32_t v);
void hf_put_le64(uint8_t *p, uint64_t v);

/* [offset, offset + length) of bytes; false, and empty, when it is not wholly inside. */
bool hf_extent(struct hf_bytes bytes, uint64_t offset, uint64_t length,
               struct hf_bytes *out);

/* LEB128: seven bits a byte, least significant first, at most ten bytes. [DWARF 5, 7.6] */
void hf_put_varint(struct hf_buffer *b, uint64_t v);

/* Read one at *at and move on; false at the end, or when it does not fit 64 bits. */
bool hf_get_varint(struct hf_bytes bytes, size_t *at, uint64_t *v);

/* Bits, most significant first, as prefix codes want them. */
struct hf_bit_writer {
    struct hf_buffer *out;
    uint64_t pending; /* the low `count` bits wait to be written; the rest is 0 */
    unsigned count;   /* 0..7 between calls */
};
void hf_put_bits(struct hf_bit_writer *w, uint64_t value, unsigned width); /* width 0..64 */
void hf_end_bits(struct hf_bit_writer *w); /* zeros up to a whole byte */

struct hf_bit_reader {
    struct hf_bytes in;
    uint64_t at; /* in bits */
    bool failed;
};
uint64_t hf_get_bits(struct hf_bit_reader *r, unsigned width); /* 0 past the end */

/* How many bits v needs: 0 for 0. */
static inline unsigned hf_bit_width(uint64_t v)
{
    return v == 0 ? 0 : 64u - (unsigned)__builtin_clzll(v);
}

#endif
