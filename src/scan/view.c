#include "scan/view.h"
#include "view/html.h"

enum {
    TEXT_BYTES_MAX =
        20 << 20, /* ClamAV's MaxScriptNormalize; larger text is seen raw only */
    HTML_BYTES_MAX = 40 << 20, /* MaxHTMLNormalize; larger pages have no views */
    HTML_TEXT_MAX = 8 << 20    /* MaxHTMLNoTags */
};

/* Bytes of a view on their way into the arena. */
struct collected {
    uint8_t *data;
    size_t len, room;
};

static enum hf_status collect(void *user, struct hf_bytes bytes)
{
    struct collected *c = user;
    if (bytes.len > c->room - c->len)
        return HF_LIMIT;
    memcpy(c->data + c->len, bytes.data, bytes.len);
    c->len += bytes.len;
    return HF_OK;
}

static enum hf_status make_text(const struct hf_cursor *object, struct hf_arena *arena,
                                hf_on_view *on_view, void *user)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    if (object->len > TEXT_BYTES_MAX)
        return HF_OK; /* as ClamAV: the raw bytes are matched all the same */
    struct collected text = {.data = hf_arena_alloc(arena, object->len + 1),
                             .room = object->len + 1};
    if (text.data == NULL)
        return HF_NOMEM;
    enum hf_status st =
        hf_view_text(&c, &(struct hf_view_out){.write = collect, .user = &text});
    (void)on_view(user, HF_VIEW_TEXT, hf_bytes_of(text.data, text.len));
    return st;
}

/* References to characters and quotes may make a page longer, hardly ever twice as long. */
static enum hf_status make_html(const struct hf_cursor *object, struct hf_arena *arena,
                                hf_on_view *on_view, void *user)
{
    struct hf_cursor c = hf_cursor_at(object, 0);
    if (object->len > HTML_BYTES_MAX)
        return HF_LIMIT;
    size_t room = 2 * object->len + 64;
    bool both = object->len <= HTML_TEXT_MAX;
    struct collected page = {.data = hf_arena_alloc(arena, room), .room = room};
    struct collected text = {.data = both ? hf_arena_alloc(arena, room) : NULL,
                             .room = both ? room : 0};
    if (page.data == NULL || (both && text.data == NULL))
        return HF_NOMEM;
    const struct hf_view_html_out out = {.page = {collect, &page},
                                         .text = {both ? collect : NULL, &text}};
    enum hf_status st = hf_view_html(&c, &out);
    if (on_view(user, HF_VIEW_HTML, hf_bytes_of(page.data, page.len)) && both)
        (void)on_view(user, HF_VIEW_HTML_NOTAGS, hf_bytes_of(text.data, text.len));
    return st;
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
    {1u << HF_VIEW_HTML | 1u << HF_VIEW_HTML_NOTAGS, make_html, {HF_FORMAT_HTML}, 1},
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
