#include "base/cursor.h"

#include <string.h>

static const uint8_t nothing[1];

static const uint8_t *take(struct hf_cursor *c, uint64_t n)
{
    if (c->failed || n > c->len - c->pos) { /* subtract: pos + n could wrap */
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->data + c->pos;
    c->pos += (size_t)n;
    return p;
}

struct hf_cursor hf_cursor_open(const void *data, size_t len, struct hf_budget *budget)
{
    return (struct hf_cursor){
        .data = data == NULL ? nothing : data,
        .len = data == NULL ? 0 : len,
        .budget = budget,
    };
}

enum hf_status hf_cursor_status(const struct hf_cursor *c)
{
    if (c->budget != NULL && c->budget->exhausted)
        return HF_LIMIT;
    return c->failed ? HF_TRUNCATED : HF_OK;
}

struct hf_cursor hf_cursor_at(const struct hf_cursor *c, uint64_t off)
{
    struct hf_cursor at = *c;
    at.failed = off > c->len;
    at.pos = at.failed ? c->len : (size_t)off;
    return at;
}

struct hf_cursor hf_cursor_clip(const struct hf_cursor *c, uint64_t off, uint64_t len)
{
    size_t start = off > c->len ? c->len : (size_t)off;
    size_t room = c->len - start;
    return (struct hf_cursor){
        .data = c->data + start,
        .len = len > room ? room : (size_t)len,
        .origin = c->origin + start,
        .budget = c->budget,
    };
}

struct hf_cursor hf_cursor_sub(const struct hf_cursor *c, uint64_t off, uint64_t len)
{
    struct hf_cursor sub = hf_cursor_clip(c, off, len);
    sub.failed = off > c->len || sub.len != len;
    return sub;
}

size_t hf_cursor_left(const struct hf_cursor *c)
{
    return c->failed ? 0 : c->len - c->pos;
}

uint64_t hf_cursor_where(const struct hf_cursor *c)
{
    return c->origin + c->pos;
}

bool hf_cursor_charge(struct hf_cursor *c, uint64_t units)
{
    if (!hf_budget_work(c->budget, units))
        c->failed = true;
    return !c->failed;
}

/* The bytes of an integer, least significant first, as the format orders them. */
static uint64_t read_uint(struct hf_cursor *c, unsigned width, bool big)
{
    const uint8_t *p = take(c, width);
    if (p == NULL)
        return 0;
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)p[big ? width - 1 - i : i] << (8 * i);
    return value;
}

uint8_t hf_u8(struct hf_cursor *c)
{
    return (uint8_t)read_uint(c, 1, false);
}

uint16_t hf_u16le(struct hf_cursor *c)
{
    return (uint16_t)read_uint(c, 2, false);
}

uint16_t hf_u16be(struct hf_cursor *c)
{
    return (uint16_t)read_uint(c, 2, true);
}

uint32_t hf_u24le(struct hf_cursor *c)
{
    return (uint32_t)read_uint(c, 3, false);
}

uint32_t hf_u32le(struct hf_cursor *c)
{
    return (uint32_t)read_uint(c, 4, false);
}

uint32_t hf_u32be(struct hf_cursor *c)
{
    return (uint32_t)read_uint(c, 4, true);
}

uint64_t hf_u64le(struct hf_cursor *c)
{
    return read_uint(c, 8, false);
}

uint64_t hf_u64be(struct hf_cursor *c)
{
    return read_uint(c, 8, true);
}

uint64_t hf_uint(struct hf_cursor *c, unsigned width, bool big)
{
    if (width != 2 && width != 4 && width != 8) {
        c->failed = true;
        return 0;
    }
    return read_uint(c, width, big);
}

void hf_copy(struct hf_cursor *c, void *out, size_t n)
{
    const uint8_t *p = take(c, n);
    if (p == NULL)
        memset(out, 0, n);
    else
        memcpy(out, p, n);
}

struct hf_bytes hf_take(struct hf_cursor *c, uint64_t n)
{
    const uint8_t *p = take(c, n);
    return p == NULL ? (struct hf_bytes){0} : hf_bytes_of(p, (size_t)n);
}

struct hf_bytes hf_take_rest(struct hf_cursor *c)
{
    return hf_take(c, hf_cursor_left(c));
}

static bool charge_span(struct hf_cursor *c, size_t n)
{
    return hf_cursor_charge(c, n / 1024 + 1);
}

struct hf_bytes hf_take_until(struct hf_cursor *c, uint8_t terminator, size_t max,
                              bool *found)
{
    size_t left = hf_cursor_left(c);
    size_t span = left < max ? left : max;
    if (found != NULL)
        *found = false;
    if (span == 0)
        return (struct hf_bytes){0};
    const uint8_t *start = c->data + c->pos;
    const uint8_t *end = memchr(start, terminator, span);
    size_t n = end == NULL ? span : (size_t)(end - start);
    if (!charge_span(c, n))
        return (struct hf_bytes){0};
    c->pos += end == NULL ? n : n + 1;
    if (found != NULL)
        *found = end != NULL;
    return hf_bytes_of(start, n);
}

void hf_skip(struct hf_cursor *c, uint64_t n)
{
    (void)take(c, n);
}

void hf_seek(struct hf_cursor *c, uint64_t pos)
{
    if (c->failed || pos > c->len)
        c->failed = true;
    else
        c->pos = (size_t)pos;
}

bool hf_peek_equal(const struct hf_cursor *c, const void *what, size_t n)
{
    return hf_cursor_left(c) >= n && memcmp(c->data + c->pos, what, n) == 0;
}

size_t hf_find(struct hf_cursor *c, const void *what, size_t what_len, uint64_t within)
{
    size_t left = hf_cursor_left(c);
    size_t span = within < left ? (size_t)within : left;
    if (span < what_len)
        return SIZE_MAX;
    const uint8_t *hit = memmem(c->data + c->pos, span, what, what_len);
    size_t looked = hit == NULL ? span : (size_t)(hit - (c->data + c->pos));
    if (!charge_span(c, looked) || hit == NULL)
        return SIZE_MAX;
    return (size_t)(hit - c->data);
}

size_t hf_find_last(struct hf_cursor *c, const void *what, size_t what_len, uint64_t begin,
                    uint64_t end)
{
    size_t stop = end < c->len ? (size_t)end : c->len;
    if (c->failed || begin > stop || stop - (size_t)begin < what_len)
        return SIZE_MAX;
    if (!charge_span(c, stop - (size_t)begin))
        return SIZE_MAX;
    const uint8_t *first = c->data + begin;
    size_t starts = stop - (size_t)begin - what_len + 1; /* places where it could start */
    while (starts > 0) {
        const uint8_t *hit = memrchr(first, *(const uint8_t *)what, starts);
        if (hit == NULL)
            break;
        if (memcmp(hit, what, what_len) == 0)
            return (size_t)(hit - c->data);
        starts = (size_t)(hit - first);
    }
    return SIZE_MAX;
}
