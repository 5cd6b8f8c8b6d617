#include "feed/encode.h"

#include "base/text.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hf_base64_write(struct hf_buffer *out, struct hf_bytes bytes)
{
    size_t groups = bytes.len / 3 + (bytes.len % 3 != 0);
    uint8_t *p = hf_buffer_reserve(out, groups * 4);
    if (p == NULL)
        return;
    for (size_t i = 0; i < bytes.len; i += 3, p += 4) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t v = (uint32_t)bytes.data[i] << 16;
        if (n > 1)
            v |= (uint32_t)bytes.data[i + 1] << 8;
        if (n > 2)
            v |= bytes.data[i + 2];
        p[0] = (uint8_t)digits[v >> 18];
        p[1] = (uint8_t)digits[v >> 12 & 63];
        p[2] = n > 1 ? (uint8_t)digits[v >> 6 & 63] : '=';
        p[3] = n > 2 ? (uint8_t)digits[v & 63] : '=';
    }
    out->len += groups * 4;
}

static int digit_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to one to three bytes; 0 when they are no group, or not the last one and
 * padded. */
static size_t read_group(const uint8_t in[4], bool last, uint8_t out[3])
{
    size_t n = in[3] != '=' ? 3 : in[2] != '=' ? 2 : 1;
    if (n < 3 && !last)
        return 0;
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        int d = i <= n ? digit_value(in[i]) : 0; /* behind n there is padding, seen above */
        if (d < 0)
            return 0;
        v = v << 6 | (uint32_t)d;
    }
    if ((n == 1 && (v & 0xffff) != 0) || (n == 2 && (v & 0xff) != 0))
        return 0; /* another spelling of the same bytes */
    out[0] = (uint8_t)(v >> 16);
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)v;
    return n;
}

size_t hf_base64_read(struct hf_bytes text, uint8_t *out, size_t room)
{
    if (text.len % 4 != 0)
        return SIZE_MAX;
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    size_t len = 0;
    while (hf_cursor_left(&c) > 0) {
        uint8_t in[4], bytes[3];
        hf_copy(&c, in, sizeof in);
        size_t n = read_group(in, hf_cursor_left(&c) == 0, bytes);
        if (n == 0 || n > room - len)
            return SIZE_MAX;
        memcpy(out + len, bytes, n);
        len += n;
    }
    return len;
}

bool hf_decimal_read(struct hf_bytes text, uint64_t *value)
{
    if (text.len > 1 && text.data[0] == '0')
        return false;
    return hf_parse_uint(text, value);
}

bool hf_line_read(struct hf_cursor *c, struct hf_bytes *line)
{
    bool ended;
    *line = hf_take_until(c, '\n', SIZE_MAX, &ended);
    return ended;
}

/* Unicode's property White_Space. [UCD PropList.txt] */
static bool is_space(uint32_t u)
{
    return (u >= 0x09 && u <= 0x0d) || u == 0x20 || u == 0x85 || u == 0xa0 || u == 0x1680 ||
           (u >= 0x2000 && u <= 0x200a) || u == 0x2028 || u == 0x2029 || u == 0x202f ||
           u == 0x205f || u == 0x3000;
}

bool hf_key_name_valid(struct hf_bytes name)
{
    if (name.len == 0 || name.len > HF_KEY_NAME_MAX)
        return false;
    struct hf_cursor c = hf_cursor_open(name.data, name.len, NULL);
    while (hf_cursor_left(&c) > 0) {
        struct hf_cursor ahead = c;
        uint32_t u = 0;
        size_t n = hf_utf8_decode(hf_take_rest(&ahead), &u);
        if (n == 0 || u < 0x20 || u == '+' || is_space(u))
            return false;
        hf_skip(&c, n);
    }
    return true;
}

enum hf_text_fault hf_text_check(struct hf_bytes text)
{
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    while (hf_cursor_left(&c) > 0) {
        struct hf_cursor ahead = c;
        uint32_t u = 0;
        size_t n = hf_utf8_decode(hf_take_rest(&ahead), &u);
        if (n == 0)
            return HF_TEXT_NOT_UTF8;
        if (u < 0x20 && u != '\n')
            return HF_TEXT_CONTROL;
        hf_skip(&c, n);
    }
    return HF_TEXT_GOOD;
}
