#include "unpack/mail_decode.h"

#include "base/text.h"

/* Output on its way: pushed a piece at a time. */
enum { PIECE = 16 * 1024 };

struct piece {
    struct hf_pusher *out;
    size_t len;
    uint8_t data[PIECE];
};

static enum hf_status flush(struct piece *p)
{
    enum hf_status st = hf_pusher_push(p->out, p->data, p->len);
    p->len = 0;
    return st;
}

static enum hf_status add(struct piece *p, uint8_t byte)
{
    p->data[p->len++] = byte;
    return p->len == sizeof p->data ? flush(p) : HF_OK;
}

enum { STRANGE = 0x80, BLANK, PADDING };

/* The value of a digit, or what else the byte is. */
static uint8_t digit_of(uint8_t b)
{
    if (b >= 'A' && b <= 'Z')
        return b - 'A';
    if (b >= 'a' && b <= 'z')
        return b - 'a' + 26;
    if (b >= '0' && b <= '9')
        return b - '0' + 52;
    switch (b) {
    case '+': return 62;
    case '/': return 63;
    case '=': return PADDING;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case 0: return BLANK;
    default: return STRANGE;
    }
}

/* What is left of the last group: two digits are a byte, three are two. */
static size_t end_group(struct hf_mail_base64 *s, uint8_t *out)
{
    size_t n = s->digits > 1 ? s->digits - 1 : 0;
    uint32_t bits = s->bits << (6 * (4 - s->digits));
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(bits >> (16 - 8 * i));
    s->digits = 0;
    s->bits = 0;
    return n;
}

size_t hf_mail_base64_bytes(struct hf_mail_base64 *state, struct hf_bytes text,
                            uint8_t *out)
{
    struct hf_mail_base64 s = *state;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t d = digit_of(text.data[i]);
        if (d < 64) {
            s.goes_on = s.goes_on || s.padded;
            s.bits = s.bits << 6 | d;
            if (++s.digits == 4) {
                out[n] = (uint8_t)(s.bits >> 16);
                out[n + 1] = (uint8_t)(s.bits >> 8);
                out[n + 2] = (uint8_t)s.bits;
                n += 3;
                s.digits = 0;
                s.bits = 0;
            }
        } else if (d == PADDING) {
            n += end_group(&s, out + n);
            s.padded = true;
        } else if (d == STRANGE) {
            s.strange = true;
        }
    }
    *state = s;
    return n;
}

size_t hf_mail_base64_digits(struct hf_bytes text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t d = digit_of(text.data[i]);
        if (d == STRANGE || (d == BLANK && text.data[i] != '\r'))
            return 0;
        n += d < 64;
    }
    return n;
}

/* One line in stretches that fit; a stretch of n digits needs at most n bytes. */
static enum hf_status decode_line(struct piece *p, struct hf_mail_base64 *state,
                                  struct hf_bytes text)
{
    enum { STRETCH = 4096 };
    for (size_t at = 0; at < text.len;) {
        size_t n = text.len - at < STRETCH ? text.len - at : STRETCH;
        if (sizeof p->data - p->len < STRETCH + 4) {
            enum hf_status st = flush(p);
            if (st != HF_OK)
                return st;
        }
        p->len +=
            hf_mail_base64_bytes(state, hf_bytes_of(text.data + at, n), p->data + p->len);
        at += n;
    }
    return HF_OK;
}

static bool is_clean(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (digit_of(text.data[i]) == STRANGE)
            return false;
    return true;
}

enum hf_status hf_mail_base64(struct hf_mail_lines lines, enum hf_mail_strictness how,
                              struct hf_mail_base64 *state, struct hf_pusher *out)
{
    struct piece p = {.out = out};
    struct hf_mail_line line;
    enum hf_status st = HF_OK;
    *state = (struct hf_mail_base64){0};
    while (st == HF_OK && hf_mail_next(&lines, &line)) {
        if (how == HF_MAIL_CLEAN_LINES && state->padded)
            break;
        if (how == HF_MAIL_ALL_DIGITS || is_clean(line.text))
            st = decode_line(&p, state, line.text);
    }
    if (st != HF_OK)
        return st;
    st = flush(&p);
    uint8_t last[4];
    size_t n = end_group(state, last);
    return st == HF_OK ? hf_pusher_push(out, last, n) : st;
}

static enum hf_status quoted_line(struct piece *p, struct hf_bytes text, bool *is_soft)
{
    enum hf_status st = HF_OK;
    while (text.len > 0 &&
           (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--; /* put there on the way */
    *is_soft = text.len > 0 && text.data[text.len - 1] == '=';
    if (*is_soft)
        text.len--;
    for (size_t i = 0; i < text.len && st == HF_OK; i++) {
        uint8_t byte = text.data[i];
        if (byte == '=' && text.len - i >= 3 &&
            hf_unhex(hf_bytes_of(text.data + i + 1, 2), &byte, 1) == 1)
            i += 2;
        st = add(p, byte);
    }
    return st;
}

enum hf_status hf_mail_quoted(struct hf_mail_lines lines, struct hf_pusher *out)
{
    struct piece p = {.out = out};
    struct hf_mail_line line;
    enum hf_status st = HF_OK;
    bool is_soft;
    while (st == HF_OK && hf_mail_next(&lines, &line)) {
        st = quoted_line(&p, line.text, &is_soft);
        size_t end = line.start + line.text.len;
        if (is_soft)
            continue;
        struct hf_cursor c = hf_cursor_at(&lines.c, end);
        for (size_t n = lines.c.pos - end; n > 0 && st == HF_OK; n--)
            st = add(&p, hf_u8(&c));
    }
    return st == HF_OK ? flush(&p) : st;
}

static bool is_octal(uint8_t b)
{
    return b >= '0' && b <= '7';
}

bool hf_mail_is_uu_begin(struct hf_bytes text, struct hf_bytes *name)
{
    if (!hf_mail_begins(text, "begin "))
        return false;
    size_t i = 6, digits = 0;
    while (i < text.len && is_octal(text.data[i]) && digits < 6) {
        digits++;
        i++;
    }
    if (digits < 3 || i >= text.len || text.data[i] != ' ')
        return false;
    *name = hf_mail_trim(hf_bytes_of(text.data + i, text.len - i));
    return true;
}

static uint8_t sextet(uint8_t b)
{
    return (uint8_t)(b - ' ') & 0x3f;
}

/* A line says in its first character how many bytes it holds. What of it is missing counts as
 * blanks, which the way may have cut off. */
static enum hf_status uu_line(struct piece *p, struct hf_bytes text)
{
    size_t count = sextet(text.data[0]);
    enum hf_status st = HF_OK;
    for (size_t i = 0; i < count && st == HF_OK; i++) {
        size_t at = 1 + i / 3 * 4 + i % 3;
        uint8_t a = at < text.len ? sextet(text.data[at]) : 0;
        uint8_t b = at + 1 < text.len ? sextet(text.data[at + 1]) : 0;
        static const unsigned left[] = {2, 4, 6}, right[] = {4, 2, 0};
        st = add(p, (uint8_t)(a << left[i % 3] | b >> right[i % 3]));
    }
    return st;
}

enum hf_status hf_mail_uu(struct hf_mail_lines *lines, struct hf_pusher *out)
{
    struct piece p = {.out = out};
    struct hf_mail_line line;
    enum hf_status st = HF_OK;
    while (st == HF_OK && hf_mail_peek(lines, &line)) {
        struct hf_bytes text = line.text;
        bool is_data = text.len > 0 && text.data[0] >= ' ' && text.data[0] <= '`';
        if (text.len > 0 && (!is_data || hf_bytes_equal(text, hf_bytes_text("end"))))
            break;
        if (!hf_mail_next(lines, &line))
            break;
        if (text.len > 0)
            st = uu_line(&p, text);
    }
    return st == HF_OK ? flush(&p) : st;
}

bool hf_mail_is_yenc_begin(struct hf_bytes text, struct hf_bytes *name)
{
    if (!hf_mail_begins(text, "=ybegin "))
        return false;
    const uint8_t *at = memmem(text.data, text.len, " name=", 6);
    size_t from = at == NULL ? text.len : (size_t)(at - text.data) + 6;
    *name = hf_mail_trim(hf_bytes_of(text.data + from, text.len - from));
    return true;
}

enum hf_status hf_mail_yenc(struct hf_mail_lines *lines, struct hf_pusher *out)
{
    struct piece p = {.out = out};
    struct hf_mail_line line;
    enum hf_status st = HF_OK;
    while (st == HF_OK && hf_mail_next(lines, &line)) {
        if (hf_mail_begins(line.text, "=yend"))
            break;
        if (hf_mail_begins(line.text, "=ypart ") || hf_mail_begins(line.text, "=ybegin "))
            continue;
        for (size_t i = 0; i < line.text.len && st == HF_OK; i++) {
            uint8_t shift = 42;
            if (line.text.data[i] == '=' && i + 1 < line.text.len) {
                shift += 64;
                i++;
            }
            st = add(&p, (uint8_t)(line.text.data[i] - shift));
        }
    }
    return st == HF_OK ? flush(&p) : st;
}
