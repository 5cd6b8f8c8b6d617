#include "format/text_kind.h"

#include "base/text.h"
#include "format/mail_kind.h"

#include <strings.h>

/* Control characters that do occur in text: BEL BS TAB LF VT FF CR ESC. */
static bool is_text_control(uint8_t c)
{
    return (c >= 7 && c <= 13) || c == 27;
}

/* ASCII, UTF-8, or binary. A multi-byte sequence cut by the end of the look counts as whole. */
static enum hf_format byte_text_kind(struct hf_bytes b, bool whole)
{
    bool ascii = true;
    for (size_t i = 0; i < b.len;) {
        uint8_t c = b.data[i];
        if (c >= 0x20 && c < 0x7F) {
            i++;
        } else if (c < 0x80) {
            if (!is_text_control(c))
                return HF_FORMAT_BINARY;
            i++;
        } else {
            size_t n = hf_utf8_decode(hf_bytes_of(b.data + i, b.len - i), NULL);
            if (n == 0 && (whole || b.len - i >= 4))
                return HF_FORMAT_BINARY;
            ascii = false;
            i += n == 0 ? b.len - i : n;
        }
    }
    return ascii ? HF_FORMAT_TEXT_ASCII : HF_FORMAT_TEXT_UTF8;
}

/* UTF-16 without a byte order mark is told by its zero bytes: Latin text has one in every pair,
 * always on the same side. */
static enum hf_format wide_text_kind(struct hf_bytes b)
{
    if (b.len < 4)
        return HF_FORMAT_BINARY;
    if (b.data[0] == 0xFF && b.data[1] == 0xFE)
        return HF_FORMAT_TEXT_UTF16LE;
    if (b.data[0] == 0xFE && b.data[1] == 0xFF)
        return HF_FORMAT_TEXT_UTF16BE;
    size_t pairs = b.len / 2, low = 0, high = 0;
    for (size_t i = 0; i < pairs; i++) {
        uint8_t first = b.data[2 * i], second = b.data[2 * i + 1];
        low += second == 0 && (first >= 0x20 || is_text_control(first)) && first < 0x7F;
        high += first == 0 && (second >= 0x20 || is_text_control(second)) && second < 0x7F;
    }
    if (low * 10 >= pairs * 9)
        return HF_FORMAT_TEXT_UTF16LE;
    if (high * 10 >= pairs * 9)
        return HF_FORMAT_TEXT_UTF16BE;
    return HF_FORMAT_BINARY;
}

static struct hf_bytes skip_space(struct hf_bytes b)
{
    while (b.len > 0 && (b.data[0] == ' ' || is_text_control(b.data[0]))) {
        b.data++;
        b.len--;
    }
    return b;
}

static bool starts_with(struct hf_bytes b, const char *word)
{
    size_t n = strlen(word);
    return b.len >= n && strncasecmp((const char *)b.data, word, n) == 0;
}

/* What kind of text, by how it begins. */
static enum hf_format refine(struct hf_bytes b, enum hf_format plain)
{
    static const char *const html[] = {"<!doctype html", "<html",  "<head", "<body",
                                       "<script",        "<title", "<!--",  "<iframe"};
    if (starts_with(b, "\xEF\xBB\xBF"))
        b = hf_bytes_of(b.data + 3, b.len - 3);
    struct hf_bytes text = skip_space(b);
    for (size_t i = 0; i < sizeof html / sizeof *html; i++)
        if (starts_with(text, html[i]))
            return HF_FORMAT_HTML;
    if (starts_with(b, "#!"))
        return HF_FORMAT_SCRIPT;
    return plain;
}

enum hf_format hf_text_kind(const struct hf_cursor *object)
{
    struct hf_cursor start = hf_cursor_clip(object, 0, HF_TEXT_LOOK);
    bool whole = start.len == object->len;
    struct hf_bytes b = hf_take_rest(&start);
    if (b.len == 0)
        return HF_FORMAT_BINARY;
    enum hf_format kind = byte_text_kind(b, whole);
    struct hf_cursor header = hf_cursor_clip(object, 0, HF_MAIL_LOOK);
    if (hf_mail_kind(hf_take_rest(&header), kind != HF_FORMAT_BINARY))
        return HF_FORMAT_MAIL;
    if (kind != HF_FORMAT_BINARY)
        return refine(b, kind);
    return wide_text_kind(b);
}
