#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void hf_buffer_done(struct hf_buffer *b)
{
    free(b->data);
    *b = (struct hf_buffer){0};
}

void hf_buffer_clear(struct hf_buffer *b)
{
    b->len = 0;
    b->failed = false;
}

uint8_t *hf_buffer_reserve(struct hf_buffer *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > b->room - b->len || b->data == NULL) { /* never NULL, also for nothing */
        size_t room = b->room < 256 ? 256 : b->room;
        while (room - b->len < n) {
            if (room > SIZE_MAX / 2) {
                b->failed = true;
                return NULL;
            }
            room *= 2;
        }
        uint8_t *data = realloc(b->data, room);
        if (data == NULL) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->room = room;
    }
    return b->data + b->len;
}

void hf_buffer_add(struct hf_buffer *b, const void *data, size_t n)
{
    if (n == 0)
        return;
    uint8_t *to = hf_buffer_reserve(b, n);
    if (to == NULL)
        return;
    memcpy(to, data, n);
    b->len += n;
}

void hf_buffer_bytes(struct hf_buffer *b, struct hf_bytes bytes)
{
    hf_buffer_add(b, bytes.data, bytes.len);
}

void hf_buffer_text(struct hf_buffer *b, const char *text)
{
    hf_buffer_add(b, text, strlen(text));
}

void hf_buffer_format(struct hf_buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *to = n < 0 ? NULL : hf_buffer_reserve(b, (size_t)n + 1);
    if (to == NULL) {
        b->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf((char *)to, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}

static void put_le(struct hf_buffer *b, uint64_t v, unsigned width)
{
    uint8_t *to = hf_buffer_reserve(b, width);
    if (to == NULL)
        return;
    for (unsigned i = 0; i < width; i++)
        to[i] = (uint8_t)(v >> (8 * i));
    b->len += width;
}

void hf_buffer_u8(struct hf_buffer *b, uint8_t v)
{
    put_le(b, v, 1);
}

void hf_buffer_u16(struct hf_buffer *b, uint16_t v)
{
    put_le(b, v, 2);
}

void hf_buffer_u32(struct hf_buffer *b, uint32_t v)
{
    put_le(b, v, 4);
}

void hf_buffer_u64(struct hf_buffer *b, uint64_t v)
{
    put_le(b, v, 8);
}

void hf_buffer_counted(struct hf_buffer *b, struct hf_bytes bytes)
{
    if (bytes.len > UINT32_MAX) {
        b->failed = true;
        return;
    }
    hf_buffer_u32(b, (uint32_t)bytes.len);
    hf_buffer_bytes(b, bytes);
}

void hf_buffer_align(struct hf_buffer *b, size_t alignment)
{
    while (b->len % alignment != 0 && !b->failed)
        hf_buffer_u8(b, 0);
}
