/* bytes.h - a borrowed run of bytes. No terminator, no ownership, may hold anything. */
#ifndef HF_BASE_BYTES_H
#define HF_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hf_bytes {
    const uint8_t *data; /* borrowed; may be NULL only when len is 0 */
    size_t len;
};

static inline struct hf_bytes hf_bytes_of(const void *data, size_t len)
{
    return (struct hf_bytes){.data = data, .len = len};
}

/* The bytes of a C string, without its terminator. */
static inline struct hf_bytes hf_bytes_text(const char *text)
{
    return (struct hf_bytes){.data = (const uint8_t *)text, .len = strlen(text)};
}

static inline bool hf_bytes_equal(struct hf_bytes a, struct hf_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
