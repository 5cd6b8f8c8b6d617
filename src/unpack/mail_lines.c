#include "unpack/mail_lines.h"

#include <strings.h>

struct hf_mail_lines hf_mail_lines_of(const struct hf_cursor *object, size_t start,
                                      size_t end)
{
    struct hf_mail_lines lines = {.c = hf_cursor_clip(object, 0, end)};
    hf_seek(&lines.c, start <= end ? start : end);
    return lines;
}

void hf_mail_seek(struct hf_mail_lines *lines, size_t pos)
{
    lines->is_known = lines->is_known && pos >= lines->c.pos && pos <= lines->line_feed;
    hf_seek(&lines->c, pos);
}

bool hf_mail_next(struct hf_mail_lines *lines, struct hf_mail_line *line)
{
    struct hf_cursor *c = &lines->c;
    if (hf_cursor_left(c) == 0 || !hf_cursor_charge(c, 1))
        return false;
    if (!lines->is_known) {
        size_t at = hf_find(c, "\n", 1, UINT64_MAX);
        if (hf_cursor_status(c) != HF_OK)
            return false;
        lines->line_feed = at == SIZE_MAX ? c->len : at;
        lines->is_known = true;
    }
    bool found = false;
    line->start = c->pos;
    line->text = hf_take_until(c, '\r', lines->line_feed - c->pos, &found);
    if (hf_cursor_status(c) != HF_OK)
        return false;
    if (!found || c->pos == lines->line_feed) { /* LF or CR LF */
        if (c->pos < c->len)
            hf_skip(c, 1);
        lines->is_known = false;
    }
    return true;
}

bool hf_mail_peek(const struct hf_mail_lines *lines, struct hf_mail_line *line)
{
    struct hf_mail_lines ahead = *lines;
    return hf_mail_next(&ahead, line);
}

static bool is_blank(uint8_t b)
{
    return b == ' ' || b == '\t' || b == '\v' || b == '\f' || b == 0;
}

struct hf_bytes hf_mail_trim(struct hf_bytes text)
{
    while (text.len > 0 && is_blank(text.data[0]))
        text = hf_bytes_of(text.data + 1, text.len - 1);
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

bool hf_mail_begins(struct hf_bytes text, const char *word)
{
    size_t n = strlen(word);
    return text.len >= n && strncasecmp((const char *)text.data, word, n) == 0;
}

bool hf_mail_is_field(struct hf_bytes text, size_t *name_len)
{
    enum { LONGEST = 128 };
    size_t n = 0;
    while (n < text.len && n < LONGEST && text.data[n] > ' ' && text.data[n] < 0x7f &&
           text.data[n] != ':')
        n++;
    if (name_len != NULL)
        *name_len = n;
    size_t colon = n;
    while (colon < text.len && (text.data[colon] == ' ' || text.data[colon] == '\t'))
        colon++;
    return n > 0 && colon < text.len && text.data[colon] == ':';
}
