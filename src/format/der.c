#include "format/der.h"

#include <stdio.h>

static const uint8_t INDEFINITE = 0x80;

/* Tag and length. *definite false: the content ends with an end mark. */
static bool read_head(struct hf_cursor *c, uint8_t *tag, uint64_t *length, bool *definite)
{
    *tag = hf_u8(c);
    uint8_t first = hf_u8(c);
    *definite = first != INDEFINITE;
    *length = first;
    if (first > INDEFINITE) {
        unsigned bytes = first & 0x7f;
        *length = 0;
        for (unsigned i = 0; i < bytes && !c->failed; i++) {
            if (*length >> 32 != 0)
                c->failed = true; /* no value of that size is in memory */
            *length = *length << 8 | hf_u8(c);
        }
    }
    if ((*tag & 0x1f) == 0x1f || (!*definite && (*tag & HF_DER_CONSTRUCTED) == 0))
        c->failed = true;
    (void)hf_cursor_charge(c, 1);
    return !c->failed;
}

/* Stand behind the end mark that closes an indefinite length; *end is where the mark begins.
 * Values inside are stepped over, not parsed; only a count of open ones is kept. */
static void skip_indefinite(struct hf_cursor *c, size_t *end)
{
    unsigned depth = 1;
    while (depth > 0 && !c->failed) {
        uint8_t tag;
        uint64_t length;
        bool definite;
        *end = c->pos;
        if (!read_head(c, &tag, &length, &definite))
            return;
        if (!definite)
            depth++;
        else if (tag == 0 && length == 0)
            depth--;
        else
            hf_skip(c, length);
        if (depth > HF_DER_DEPTH_MAX)
            c->failed = true;
    }
}

bool hf_der_next(struct hf_cursor *c, struct hf_der *value)
{
    *value = (struct hf_der){.content = hf_cursor_open(NULL, 0, c->budget)};
    if (hf_cursor_left(c) == 0)
        return false;
    struct hf_cursor whole = *c;
    uint64_t length;
    if (!read_head(c, &value->tag, &length, &value->definite))
        return false;
    size_t begin = c->pos, end = begin;
    if (value->definite) {
        hf_skip(c, length);
        end = c->pos;
    } else {
        skip_indefinite(c, &end);
    }
    if (c->failed)
        return false;
    value->content = hf_cursor_sub(c, begin, end - begin);
    value->whole = hf_take(&whole, c->pos - whole.pos);
    return true;
}

bool hf_der_take(struct hf_cursor *c, uint8_t tag, struct hf_der *value)
{
    return hf_peek_equal(c, &tag, 1) && hf_der_next(c, value);
}

struct hf_cursor hf_der_open(struct hf_cursor *c, uint8_t tag)
{
    struct hf_der value = {.content = hf_cursor_open(NULL, 0, c->budget)};
    if (!hf_der_take(c, tag, &value))
        c->failed = value.content.failed = true;
    return value.content;
}

struct hf_bytes hf_der_bytes(const struct hf_der *value, struct hf_arena *arena)
{
    struct hf_cursor c = value->content;
    if ((value->tag & HF_DER_CONSTRUCTED) == 0)
        return hf_take_rest(&c);
    uint8_t *joined = hf_arena_alloc(arena, hf_cursor_left(&c));
    if (joined == NULL)
        return (struct hf_bytes){0};
    size_t len = 0;
    struct hf_der piece;
    while (hf_der_take(&c, HF_DER_OCTETS, &piece)) {
        size_t n = hf_cursor_left(&piece.content);
        hf_copy(&piece.content, joined + len, n);
        len += n;
    }
    if (c.failed || hf_cursor_left(&c) > 0)
        return (struct hf_bytes){0};
    return hf_bytes_of(joined, len);
}

bool hf_der_is_oid(const struct hf_der *value, const void *oid, size_t len)
{
    return value->tag == HF_DER_OID && value->content.len == len &&
           hf_peek_equal(&value->content, oid, len);
}

/* One number of an OID: seven bits a byte, the last without the top bit. */
static bool read_arc(struct hf_cursor *c, uint64_t *arc)
{
    uint8_t byte = 0x80;
    *arc = 0;
    while ((byte & 0x80) != 0 && !c->failed) {
        if (*arc >> 56 != 0)
            return false;
        byte = hf_u8(c);
        *arc = *arc << 7 | (byte & 0x7f);
    }
    return !c->failed;
}

struct hf_bytes hf_der_oid_text(struct hf_bytes content, struct hf_arena *arena)
{
    enum { ARC_TEXT = 24 }; /* digits of 2^63, dot, terminator */
    struct hf_cursor c = hf_cursor_open(content.data, content.len, NULL);
    char *text = hf_arena_array(arena, content.len + 1, ARC_TEXT);
    size_t len = 0;
    if (text == NULL || content.len == 0)
        return (struct hf_bytes){0};
    while (hf_cursor_left(&c) > 0) {
        uint64_t arc;
        if (!read_arc(&c, &arc))
            return (struct hf_bytes){0};
        if (len == 0) { /* the first byte holds two numbers */
            unsigned top = arc < 80 ? (unsigned)arc / 40 : 2;
            len += (size_t)snprintf(text, ARC_TEXT, "%u", top);
            arc -= 40 * top;
        }
        len += (size_t)snprintf(text + len, ARC_TEXT, ".%llu", (unsigned long long)arc);
    }
    return hf_bytes_of(text, len);
}

bool hf_der_uint(const struct hf_der *value, uint64_t *number)
{
    struct hf_cursor c = value->content;
    size_t len = hf_cursor_left(&c);
    *number = 0;
    if (value->tag != HF_DER_INTEGER || len == 0 || len > 8)
        return false;
    while (hf_cursor_left(&c) > 0)
        *number = *number << 8 | hf_u8(&c);
    return *number <= INT64_MAX && (len < 8 || *number >> 63 == 0) &&
           !(len < 8 && *number >> (8 * len - 1) != 0);
}

/* ---- time ---- */

static bool digits(struct hf_cursor *c, unsigned count, unsigned min, unsigned max,
                   unsigned *number)
{
    *number = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t d = hf_u8(c);
        if (d < '0' || d > '9')
            return false;
        *number = *number * 10 + (unsigned)(d - '0');
    }
    return !c->failed && *number >= min && *number <= max;
}

/* Days since 1970-01-01 in the Gregorian calendar. Years begin in March, so that the leap day is
 * the last of a year. */
static int64_t days(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Z, +hhmm, -hhmm or nothing; *shift is what local time is ahead of UTC, in seconds. */
static bool read_zone(struct hf_cursor *c, int64_t *shift)
{
    *shift = 0;
    if (hf_cursor_left(c) == 0)
        return true;
    uint8_t sign = hf_u8(c);
    if (sign == 'Z')
        return true;
    unsigned hours, minutes;
    if ((sign != '+' && sign != '-') || !digits(c, 2, 0, 23, &hours) ||
        !digits(c, 2, 0, 59, &minutes))
        return false;
    *shift = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    if (sign == '-')
        *shift = -*shift;
    return true;
}

static bool read_fraction(struct hf_cursor *c)
{
    unsigned d;
    if (!hf_peek_equal(c, ".", 1) && !hf_peek_equal(c, ",", 1))
        return true;
    hf_skip(c, 1);
    struct hf_cursor ahead = *c;
    while (digits(&ahead, 1, 0, 9, &d))
        *c = ahead;
    return true;
}

bool hf_der_time(uint8_t tag, struct hf_bytes content, int64_t *seconds)
{
    struct hf_cursor c = hf_cursor_open(content.data, content.len, NULL);
    unsigned year, month, day, hour, minute, second = 0;
    bool wide = tag == HF_DER_TIME;
    if ((!wide && tag != HF_DER_UTC_TIME) || !digits(&c, wide ? 4 : 2, 0, 9999, &year) ||
        !digits(&c, 2, 1, 12, &month) || !digits(&c, 2, 1, 31, &day) ||
        !digits(&c, 2, 0, 23, &hour) || !digits(&c, 2, 0, 59, &minute))
        return false;
    if (!wide)
        year += year < 50 ? 2000 : 1900;
    struct hf_cursor ahead = c;
    if (digits(&ahead, 2, 0, 60, &second))
        c = ahead;
    else
        second = 0;
    int64_t shift;
    if (!read_fraction(&c) || !read_zone(&c, &shift) || hf_cursor_left(&c) > 0)
        return false;
    *seconds = days(year, month, day) * 86400 + (int64_t)hour * 3600 +
               (int64_t)minute * 60 + second - shift;
    return true;
}
