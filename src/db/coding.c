#include "db/coding.h"

void hf_put_le32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

void hf_put_le64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

bool hf_extent(struct hf_bytes bytes, uint64_t offset, uint64_t length,
               struct hf_bytes *out)
{
    *out = (struct hf_bytes){0};
    if (offset > bytes.len || length > bytes.len - offset)
        return false;
    if (length > 0)
        *out = hf_bytes_of(bytes.data + offset, (size_t)length);
    return true;
}

void hf_put_varint(struct hf_buffer *b, uint64_t v)
{
    uint8_t *to = hf_buffer_reserve(b, 10);
    if (to == NULL)
        return;
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        to[n++] = (uint8_t)(v | 0x80);
    to[n++] = (uint8_t)v;
    b->len += n;
}

bool hf_get_varint(struct hf_bytes bytes, size_t *at, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*at >= bytes.len)
            return false;
        uint8_t byte = bytes.data[(*at)++];
        uint64_t bits = byte & 0x7fu;
        if (shift == 63 && bits > 1)
            return false;
        *v |= bits << shift;
        if ((byte & 0x80) == 0)
            return true;
    }
    return false;
}

void hf_put_bits(struct hf_bit_writer *w, uint64_t value, unsigned width)
{
    if (width > 32) {
        hf_put_bits(w, value >> 32, width - 32);
        width = 32;
    }
    /* At most 7 + 32 bits are pending now, so nothing is shifted out. */
    w->pending = w->pending << width | (value & ((UINT64_C(1) << width) - 1));
    w->count += width;
    while (w->count >= 8) {
        w->count -= 8;
        hf_buffer_u8(w->out, (uint8_t)(w->pending >> w->count));
    }
    w->pending &= (UINT64_C(1) << w->count) - 1;
}

void hf_end_bits(struct hf_bit_writer *w)
{
    if (w->count > 0)
        hf_put_bits(w, 0, 8 - w->count);
}

uint64_t hf_get_bits(struct hf_bit_reader *r, unsigned width)
{
    uint64_t have = (uint64_t)r->in.len * 8;
    if (r->failed || width > have - r->at) {
        r->failed = true;
        return 0;
    }
    uint64_t value = 0;
    while (width > 0) {
        unsigned skip = (unsigned)(r->at & 7), take = 8 - skip;
        if (take > width)
            take = width;
        unsigned byte = r->in.data[r->at >> 3];
        value = value << take | ((byte >> (8 - skip - take)) & ((1u << take) - 1));
        r->at += take;
        width -= take;
    }
    return value;
}
