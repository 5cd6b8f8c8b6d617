#include "scan/view.h"

enum {
    TEXT_BYTES_MAX =
        20 << 20, /* ClamAV's MaxScriptNormalize; larger text is seen raw only */
    BLOCK = 65536 /* bytes between two looks at the budget */
};

static bool is_space(uint8_t c)
{
    return (c >= '\t' && c <= '\r') || c == ' ';
}

/* White space becomes one space, letters lower case, what is not printable ASCII is left out.
 * [facts/clamav.md 4.4 "Text"] */
static size_t normalise_text(struct hf_bytes in, bool *space, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        if (is_space(c)) {
            if (!*space)
                out[n++] = ' ';
            *space = true;
        } else if (c > ' ' && c < 0x7F) {
            out[n++] = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
            *space = false;
        }
    }
    return n;
}

static enum hf_status make_text(const struct hf_cursor *object, struct hf_arena *arena,
                                hf_on_view *on_view, void *user)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    if (object->len > TEXT_BYTES_MAX)
        return HF_OK; /* as ClamAV: the raw bytes are matched all the same */
    uint8_t *out = hf_arena_alloc(arena, object->len + 1);
    size_t n = 0;
    bool space = false;
    if (out == NULL)
        return HF_NOMEM;
    while (hf_cursor_left(&c) > 0) {
        size_t take = hf_cursor_left(&c) < BLOCK ? hf_cursor_left(&c) : BLOCK;
        if (!hf_cursor_charge(&c, take / 1024 + 1))
            return HF_LIMIT;
        n += normalise_text(hf_take(&c, take), &space, out + n);
    }
    (void)on_view(user, HF_VIEW_TEXT, hf_bytes_of(out, n));
    return HF_OK;
}

/* One row for each way to make views. */
static const struct {
    uint32_t views;
    enum hf_status (*make)(const struct hf_cursor *object, struct hf_arena *arena,
                           hf_on_view *on_view, void *user);
    enum hf_format formats[8];
    size_t format_count;
} rows[] = {
    {1u << HF_VIEW_TEXT,
     make_text,
     {HF_FORMAT_TEXT_ASCII, HF_FORMAT_TEXT_UTF8, HF_FORMAT_TEXT_UTF16LE,
      HF_FORMAT_TEXT_UTF16BE, HF_FORMAT_SCRIPT},
     5},
};
enum { ROWS = sizeof rows / sizeof *rows };

static bool has_format(size_t row, enum hf_format format)
{
    for (size_t i = 0; i < rows[row].format_count; i++)
        if (rows[row].formats[i] == format)
            return true;
    return false;
}

uint32_t hf_views_of(enum hf_format format)
{
    uint32_t views = 0;
    for (size_t i = 0; i < ROWS; i++)
        views |= has_format(i, format) ? rows[i].views : 0;
    return views;
}

enum hf_status hf_views_make(const struct hf_cursor *object, enum hf_format format,
                             uint32_t wanted, struct hf_arena *arena, hf_on_view *on_view,
                             void *user)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!has_format(i, format) || (wanted & rows[i].views) == 0)
            continue;
        enum hf_status st = rows[i].make(object, arena, on_view, user);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}
