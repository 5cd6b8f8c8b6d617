/* buffer.h - a growable run of bytes that we write ourselves: messages, database sections,
 * output lines. Failure to allocate is remembered, so that a writer checks once at the end. */
#ifndef HF_BASE_BUFFER_H
#define HF_BASE_BUFFER_H

#include "base/bytes.h"
#include "base/status.h"

struct hf_buffer {
    uint8_t *data; /* owned; NULL while empty */
    size_t len, room;
    bool failed; /* out of memory at some point: contents are incomplete */
};

void hf_buffer_done(struct hf_buffer *b); /* frees; b is empty and usable again */

/* Forget the contents, keep the memory. Clears failed. */
void hf_buffer_clear(struct hf_buffer *b);

/* Make room for n more bytes and return where they go (NULL and failed when out of memory).
 * The caller fills them and adds to len itself, or uses the calls below. */
uint8_t *hf_buffer_reserve(struct hf_buffer *b, size_t n);

void hf_buffer_add(struct hf_buffer *b, const void *data, size_t n);
void hf_buffer_bytes(struct hf_buffer *b, struct hf_bytes bytes);
void hf_buffer_text(struct hf_buffer *b, const char *text);
void hf_buffer_format(struct hf_buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Little-endian integers. */
void hf_buffer_u8(struct hf_buffer *b, uint8_t v);
void hf_buffer_u16(struct hf_buffer *b, uint16_t v);
void hf_buffer_u32(struct hf_buffer *b, uint32_t v);
void hf_buffer_u64(struct hf_buffer *b, uint64_t v);

/* A u32 length followed by that many bytes. Longer than 4 GiB - 1: failed. */
void hf_buffer_counted(struct hf_buffer *b, struct hf_bytes bytes);

/* Zeros until len is a multiple of alignment (a power of two). */
void hf_buffer_align(struct hf_buffer *b, size_t alignment);

static inline struct hf_bytes hf_buffer_view(const struct hf_buffer *b)
{
    return hf_bytes_of(b->data, b->len);
}

#endif
