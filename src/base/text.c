#include "base/text.h"

size_t hf_utf8_decode(struct hf_bytes bytes, uint32_t *code_point)
{
    if (bytes.len == 0)
        return 0;
    const uint8_t *p = bytes.data;
    uint32_t cp;
    size_t n;
    if (p[0] < 0x80) {
        cp = p[0];
        n = 1;
    } else if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        cp = p[0] & 0x1Fu;
        n = 2;
    } else if ((p[0] & 0xF0) == 0xE0) {
        cp = p[0] & 0x0Fu;
        n = 3;
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        cp = p[0] & 0x07u;
        n = 4;
    } else {
        return 0;
    }
    if (bytes.len < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        cp = cp << 6 | (p[i] & 0x3Fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (cp < smallest[n] || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        return 0;
    if (code_point != NULL)
        *code_point = cp;
    return n;
}

/* Characters that are valid but invisible or reorder what a person reads. [Unicode UAX 9,
 * general categories Cc, Cf, Zl, Zp; the ranges that occur in attacks on terminals and logs] */
static bool is_deceptive(uint32_t cp)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},      {0x61C, 0x61C},
                  {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F},
                  {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return true;
    return false;
}

void hf_escape(struct hf_buffer *out, struct hf_bytes bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        uint32_t cp = 0;
        struct hf_bytes rest = hf_bytes_of(bytes.data + i, bytes.len - i);
        size_t n = hf_utf8_decode(rest, &cp);
        if (n == 0) {
            hf_buffer_format(out, "\\x%02x", rest.data[0]);
            n = 1;
        } else if (cp == '\\') {
            hf_buffer_text(out, "\\\\");
        } else if (cp == '\n' || cp == '\r' || cp == '\t') {
            hf_buffer_text(out, cp == '\n' ? "\\n" : cp == '\r' ? "\\r" : "\\t");
        } else if (is_deceptive(cp)) {
            hf_buffer_format(out, cp < 0x80 ? "\\x%02x" : "\\u{%x}", cp);
        } else {
            hf_buffer_add(out, rest.data, n);
        }
        i += n;
    }
}

void hf_json_string(struct hf_buffer *out, struct hf_bytes bytes)
{
    hf_buffer_u8(out, '"');
    for (size_t i = 0; i < bytes.len;) {
        uint32_t cp = 0;
        struct hf_bytes rest = hf_bytes_of(bytes.data + i, bytes.len - i);
        size_t n = hf_utf8_decode(rest, &cp);
        if (n == 0) {
            hf_buffer_format(out, "\\udc%02x", rest.data[0]);
            n = 1;
        } else if (cp == '"' || cp == '\\') {
            hf_buffer_u8(out, '\\');
            hf_buffer_u8(out, (uint8_t)cp);
        } else if (cp < 0x20 || cp == 0x7F || cp == 0x2028 || cp == 0x2029) {
            hf_buffer_format(out, "\\u%04x", cp);
        } else {
            hf_buffer_add(out, rest.data, n);
        }
        i += n;
    }
    hf_buffer_u8(out, '"');
}

void hf_hex(struct hf_buffer *out, struct hf_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *to = hf_buffer_reserve(out, 2 * bytes.len);
    if (to == NULL)
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        *to++ = (uint8_t)digits[bytes.data[i] >> 4];
        *to++ = (uint8_t)digits[bytes.data[i] & 15];
    }
    out->len += 2 * bytes.len;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

size_t hf_unhex(struct hf_bytes text, uint8_t *out, size_t room)
{
    if (text.len % 2 != 0 || text.len / 2 > room)
        return SIZE_MAX;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0)
            return SIZE_MAX;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return text.len / 2;
}

bool hf_parse_uint(struct hf_bytes text, uint64_t *value)
{
    uint64_t v = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(c - '0'), &v))
            return false;
    }
    *value = v;
    return true;
}

bool hf_parse_size(struct hf_bytes text, uint64_t *value)
{
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint64_t v;
    if (!hf_parse_uint(hf_bytes_of(text.data, digits), &v))
        return false;
    size_t i = digits;
    static const char units[] = "kmgt";
    if (i < text.len) {
        const char *unit = strchr(units, text.data[i] | 0x20);
        if (unit != NULL && text.data[i] != 0) {
            unsigned shift = 10 * (unsigned)(unit - units + 1);
            if (v > UINT64_MAX >> shift)
                return false;
            v <<= shift;
            i++;
            if (i < text.len && text.data[i] == 'i')
                i++;
        }
        if (i < text.len && (text.data[i] | 0x20) == 'b')
            i++;
    }
    if (i != text.len)
        return false;
    *value = v;
    return true;
}

void hf_format_size(struct hf_buffer *out, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        hf_buffer_format(out, "%u B", (unsigned)bytes);
        return;
    }
    unsigned unit = 0;
    double scaled = (double)bytes / 1024;
    while (scaled >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        scaled /= 1024;
        unit++;
    }
    hf_buffer_format(out, "%.1f %s", scaled, units[unit]);
}
