#include "view/html.h"

#include <stdio.h>

enum { PIECE = 4096, NAME_KEPT = 16, VALUE_KEPT = 1024, REFERENCE_KEPT = 32 };

enum state {
    TEXT,
    COMMENT,
    TAG_BEGINS, /* behind '<' */
    TAG_NAME,
    ATTRIBUTE_BEGINS,
    ATTRIBUTE_NAME,
    ATTRIBUTE_ENDS, /* white space behind its name */
    VALUE_BEGINS,
    VALUE_QUOTED,
    VALUE_BARE,
    RAW,     /* within script and style */
    RAW_END, /* behind '<' there */
    REFERENCE,
    REFERENCE_NUMBER
};

/* One of the two forms on its way out. */
struct form {
    const struct hf_view_out *out;
    uint8_t data[PIECE];
    size_t len;
    uint8_t last;
};

struct word {
    char text[NAME_KEPT];
    size_t len; /* all of it, kept or not */
};

struct page {
    struct form page, text;
    enum hf_status status;
    enum state state, back; /* back: where a reference stands */
    bool begun;             /* something that is no white space was seen */
    bool space;             /* owed to the page before its next character */
    bool trim;              /* white space here says nothing */
    bool tag_ended;         /* what its attributes say is written with the next character */
    struct word tag, attribute;
    uint8_t quote;
    uint8_t value[VALUE_KEPT]; /* of the first href of a, src of img */
    size_t value_len;
    bool has_value, keeps_value, drops_value;
    char held[REFERENCE_KEPT +
              1]; /* a reference's name, or the end tag of raw text so far */
    size_t held_len;
    uint32_t number;
    bool hex, digits;
    uint32_t wide; /* bytes above 0x7f, not written yet */
    unsigned wide_count;
    bool last_wide;
};

static void flush(struct page *p, struct form *f)
{
    if (f->len > 0 && f->out->write != NULL && p->status == HF_OK)
        p->status = f->out->write(f->out->user, hf_bytes_of(f->data, f->len));
    f->len = 0;
}

static void put(struct page *p, struct form *f, uint8_t c)
{
    if (f->len == sizeof f->data)
        flush(p, f);
    f->data[f->len++] = c;
    f->last = c;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\f');
}

static void put_page(struct page *p, uint8_t c)
{
    if (p->space)
        put(p, &p->page, ' ');
    p->space = false;
    put(p, &p->page, c);
}

/* The visible text: everything up to a space is one, and several are one. */
static void put_text(struct page *p, uint8_t c)
{
    if (c > ' ')
        put(p, &p->text, c);
    else if (p->text.last != ' ')
        put(p, &p->text, ' ');
}

static void add_to_word(struct word *w, uint8_t c)
{
    if (w->len < NAME_KEPT)
        w->text[w->len] = (char)lower(c);
    w->len++;
}

static bool is_word(const struct word *w, const char *text)
{
    return w->len == strlen(text) && memcmp(w->text, text, w->len) == 0;
}

static bool in_value(enum state s)
{
    return s == VALUE_QUOTED || s == VALUE_BARE;
}

static void keep_value(struct page *p, uint8_t c)
{
    if (p->keeps_value && p->value_len < VALUE_KEPT)
        p->value[p->value_len++] = c;
}

/* ---- characters of several bytes ---- */

/* Bytes above 0x7f are held up to three at a time: some stand for a full stop. The visible text
 * gets them as ClamAV writes them there, the middle one twice. */
static void put_wide(struct page *p)
{
    bool text = !in_value(p->state);
    for (unsigned i = p->wide_count; i-- > 0;)
        put_page(p, (uint8_t)(p->wide >> 8 * i));
    if (text) {
        if (p->wide_count == 3)
            put(p, &p->text, (uint8_t)(p->wide >> 16));
        if (p->wide_count >= 2)
            put(p, &p->text, (uint8_t)(p->wide >> 8));
        put(p, &p->text, (uint8_t)(p->wide >> 8));
    }
    p->wide = 0;
    p->wide_count = 0;
}

static void put_stop(struct page *p, bool two_bytes)
{
    p->wide = 0;
    p->wide_count = 0;
    if (p->state == VALUE_BARE)
        return;
    put_page(p, '.');
    if (in_value(p->state))
        return;
    put(p, &p->text, '.');
    if (two_bytes) {
        put_page(p, 0);
        put(p, &p->text, 0);
    }
}

/* True: c was taken. */
static bool take_wide(struct page *p, uint8_t c)
{
    uint32_t with = p->wide << 8 | c;
    if (c < 0x80) {
        bool stop =
            p->wide_count == 1 && (with == 0xa143 || with == 0xa144 || with == 0xa14f);
        if (stop)
            put_stop(p, true);
        else if (p->wide_count > 0 &&
                 !(in_value(p->state) && (c == p->quote || c == '>' || is_space(c))))
            put_wide(p);
        p->wide = 0;
        p->wide_count = 0;
        return stop;
    }
    p->wide = with;
    p->wide_count++;
    if (with == 0xe38082 || with == 0xefbc8e || with == 0xefb992)
        put_stop(p, false);
    else if (p->wide_count == 3)
        put_wide(p);
    return true;
}

/* ---- references ---- */

static const struct {
    char name[12];
    uint16_t code;
} entities[] = {
#include "view/entities.inc"
};

static int code_of(const char *name)
{
    size_t low = 0, high = sizeof entities / sizeof *entities;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, entities[middle].name);
        if (order == 0)
            return entities[middle].code;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

static void put_code(struct page *p, uint32_t code, bool lowered)
{
    code &= 0xffff;
    if (code == 0x3002 || code == 0xff0e || code == 0xfe52)
        code = '.';
    if (code < 0xff) {
        keep_value(p, (uint8_t)code);
        put_page(p, lowered ? lower((uint8_t)code) : (uint8_t)code);
        return;
    }
    char text[16];
    snprintf(text, sizeof text, "&#x%04x;", (unsigned)code);
    for (size_t i = 0; text[i] != 0; i++)
        put_page(p, (uint8_t)text[i]);
}

static void begin_reference(struct page *p)
{
    p->back = p->state;
    p->state = REFERENCE;
    p->held_len = 0;
    p->number = 0;
    p->hex = p->digits = false;
    if (p->back == TEXT)
        put_text(p, ' ');
}

static void put_held(struct page *p)
{
    put_page(p, '&');
    keep_value(p, '&');
    for (size_t i = 0; i < p->held_len; i++) {
        keep_value(p, (uint8_t)p->held[i]);
        put_page(p, lower((uint8_t)p->held[i]));
    }
}

/* A name ended, with or without the semicolon. True: c was taken. */
static bool end_name(struct page *p, uint8_t c)
{
    p->state = p->back;
    p->held[p->held_len] = 0;
    int code = c == ';' ? code_of(p->held) : -1;
    if (code >= 0) {
        put_code(p, (uint32_t)code, false);
        return true;
    }
    put_held(p);
    if (c == ';')
        put_page(p, c);
    return c == ';';
}

static bool take_name(struct page *p, uint8_t c)
{
    bool word = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
    if (c == '#' && p->held_len == 0) {
        p->state = REFERENCE_NUMBER;
        return true;
    }
    if (!word)
        return end_name(p, c);
    if (p->held_len == REFERENCE_KEPT) { /* no name is as long: plain text */
        p->state = p->back;
        put_held(p);
        return false;
    }
    p->held[p->held_len++] = (char)c;
    return true;
}

static bool take_number(struct page *p, uint8_t c)
{
    uint8_t l = lower(c);
    if (l == 'x' && !p->hex && !p->digits) {
        p->hex = true;
        return true;
    }
    bool decimal = c >= '0' && c <= '9', six = p->hex && l >= 'a' && l <= 'f';
    if (decimal || six) {
        p->digits = true;
        p->number =
            p->number * (p->hex ? 16 : 10) + (uint32_t)(decimal ? c - '0' : l - 'a' + 10);
        return true;
    }
    p->state = p->back;
    put_code(p, p->number, c == ';');
    return c == ';';
}

/* ---- tags ---- */

static void end_tag(struct page *p)
{
    put_page(p, '>');
    p->tag_ended = true;
    p->state = TEXT;
    p->trim = true;
}

/* What is done with a tag once something follows it. */
static void finish_tag(struct page *p)
{
    p->tag_ended = false;
    if (p->has_value && p->value_len > 0) {
        for (size_t i = 0; i < p->value_len; i++)
            put(p, &p->text, p->value[i]);
        put_text(p, ' ');
    }
    if (is_word(&p->tag, "script") || is_word(&p->tag, "style"))
        p->state = RAW;
}

static void begin_tag(struct page *p)
{
    p->state = TAG_NAME;
    p->tag.len = 0;
    p->has_value = p->keeps_value = false;
    p->value_len = 0;
    put_page(p, '<');
}

static void begin_value(struct page *p)
{
    bool address = (is_word(&p->tag, "a") && is_word(&p->attribute, "href")) ||
                   (is_word(&p->tag, "img") && is_word(&p->attribute, "src"));
    p->keeps_value = address && !p->has_value;
    p->drops_value = false;
}

static void end_value(struct page *p)
{
    p->has_value = p->has_value || (p->keeps_value && p->value_len > 0);
    p->keeps_value = false;
}

static void put_value(struct page *p, uint8_t c)
{
    static const char data[] = "data";
    bool address = is_word(&p->attribute, "href") || is_word(&p->attribute, "src");
    if (address && c == ':' && p->held_len == 4 && memcmp(p->held, data, 4) == 0) {
        p->drops_value = true; /* what it carries is an object of its own */
        p->value_len = p->keeps_value ? 0 : p->value_len;
        p->keeps_value = false;
    }
    if (p->held_len < REFERENCE_KEPT)
        p->held[p->held_len++] = (char)lower(c);
    if (p->drops_value)
        return;
    if (is_space(c)) {
        if (p->page.last != ' ' || p->space)
            put_page(p, ' ');
        keep_value(p, ' ');
        return;
    }
    keep_value(p, c);
    put_page(p, c == '\'' || c == '"' ? '"' : lower(c));
}

static bool take_value(struct page *p, uint8_t c)
{
    bool bare = p->state == VALUE_BARE;
    if (bare ? is_space(c) : c == p->quote) {
        end_value(p);
        if (!bare)
            put_page(p, '"');
        p->state = ATTRIBUTE_BEGINS;
    } else if (bare && c == '>') {
        end_value(p);
        end_tag(p);
    } else if (c == '&' && !p->drops_value) {
        begin_reference(p);
    } else {
        put_value(p, c);
    }
    return true;
}

static bool begin_of_value(struct page *p, uint8_t c)
{
    if (is_space(c))
        return true;
    begin_value(p);
    p->held_len = 0;
    if (c == '"' || c == '\'') {
        p->quote = c;
        p->state = VALUE_QUOTED;
        put_page(p, '"');
        return true;
    }
    p->quote = '>';
    p->state = VALUE_BARE;
    return false;
}

static bool take_attribute(struct page *p, uint8_t c)
{
    if (c == '>') {
        end_tag(p);
    } else if (is_space(c)) {
        if (p->state == ATTRIBUTE_NAME)
            p->state = ATTRIBUTE_ENDS;
    } else if (c == '=') {
        if (p->state == ATTRIBUTE_BEGINS)
            p->attribute.len = 0;
        put_page(p, '=');
        p->state = VALUE_BEGINS;
    } else {
        if (p->state != ATTRIBUTE_NAME) {
            put_page(p, ' ');
            p->attribute.len = 0;
            p->state = ATTRIBUTE_NAME;
        }
        add_to_word(&p->attribute, c);
        put_page(p, lower(c));
    }
    return true;
}

static bool take_tag_name(struct page *p, uint8_t c)
{
    if (c == '>') {
        end_tag(p);
    } else if (is_space(c)) {
        p->state = ATTRIBUTE_BEGINS;
    } else {
        add_to_word(&p->tag, c);
        put_page(p, lower(c));
    }
    return true;
}

static bool take_tag_begin(struct page *p, uint8_t c)
{
    if (is_space(c))
        return true;
    if (c == '!') {
        p->state = COMMENT;
        return true;
    }
    begin_tag(p);
    return false;
}

/* ---- text, script and style ---- */

static bool take_text(struct page *p, uint8_t c)
{
    if (is_space(c)) {
        if (p->begun) {
            put_text(p, ' ');
            p->space = p->space || !p->trim;
        }
        return true;
    }
    p->begun = true;
    p->trim = false;
    if (c == '<') {
        put_text(p, ' ');
        p->state = TAG_BEGINS;
    } else if (c == '&') {
        begin_reference(p);
    } else {
        put_page(p, lower(c));
        put_text(p, lower(c));
    }
    return true;
}

static bool take_raw(struct page *p, uint8_t c)
{
    if (c == '<') {
        p->state = RAW_END;
        p->held[0] = '<';
        p->held_len = 1;
    } else if (c == '&') {
        begin_reference(p);
    } else if (!is_space(c)) {
        put_page(p, c == '\'' ? '"' : lower(c));
    }
    return true;
}

static void put_raw_held(struct page *p)
{
    for (size_t i = 0; i < p->held_len; i++)
        put_page(p, (uint8_t)p->held[i]);
    p->held_len = 0;
}

/* Behind '<': "</script" and "</style" end it when '>' or white space follows. */
static bool take_raw_end(struct page *p, uint8_t c)
{
    const char *end = is_word(&p->tag, "script") ? "</script" : "</style";
    size_t n = strlen(end);
    if (p->held_len == n && (c == '>' || is_space(c))) {
        put_raw_held(p);
        p->state = TEXT;
        p->trim = true;
        p->begun = true;
        if (c == '>')
            put_page(p, '>');
        return true;
    }
    if (p->held_len < n && lower(c) == (uint8_t)end[p->held_len]) {
        p->held[p->held_len++] = (char)lower(c);
        return true;
    }
    put_raw_held(p);
    p->state = RAW;
    return false;
}

static bool take_comment(struct page *p, uint8_t c)
{
    if (c == '>') {
        p->state = TEXT;
        p->trim = true;
    }
    return true;
}

typedef bool take_char(struct page *p, uint8_t c);
static take_char *const takers[] = {
    [TEXT] = take_text,
    [COMMENT] = take_comment,
    [TAG_BEGINS] = take_tag_begin,
    [TAG_NAME] = take_tag_name,
    [ATTRIBUTE_BEGINS] = take_attribute,
    [ATTRIBUTE_NAME] = take_attribute,
    [ATTRIBUTE_ENDS] = take_attribute,
    [VALUE_BEGINS] = begin_of_value,
    [VALUE_QUOTED] = take_value,
    [VALUE_BARE] = take_value,
    [RAW] = take_raw,
    [RAW_END] = take_raw_end,
    [REFERENCE] = take_name,
    [REFERENCE_NUMBER] = take_number,
};

static void take(struct page *p, uint8_t c)
{
    if (c == 0 || c == '\r')
        return;
    if (p->tag_ended)
        finish_tag(p);
    if (p->state == VALUE_BEGINS && c >= 0x80)
        (void)begin_of_value(p, c);
    bool wide = p->state == TEXT || p->state == RAW || in_value(p->state);
    if (wide && (c >= 0x80 || p->wide_count > 0)) {
        p->begun = true;
        p->trim = false;
        if (take_wide(p, c)) {
            p->last_wide = true;
            return;
        }
    }
    bool after_wide = p->last_wide;
    p->last_wide = c >= 0x80;
    if (after_wide && c == '<' && p->state == TEXT) {
        p->state = TAG_BEGINS; /* without a space in the text, as ClamAV has it */
        return;
    }
    while (!takers[p->state](p, c)) /* each time nearer to a state that takes it */
        ;
}

/* What the end of the page leaves unfinished. */
static void finish(struct page *p)
{
    p->held[p->held_len] = 0;
    int code = p->state == REFERENCE && p->held_len > 0 ? code_of(p->held) : -1;
    if (code >= 0)
        put_code(p, (uint32_t)code, false);
    else if (p->state == REFERENCE && p->held_len > 0)
        put_held(p);
    else if (p->state == RAW_END)
        put_raw_held(p);
    else if (p->state == TAG_BEGINS)
        put_page(p, '<');
    flush(p, &p->page);
    flush(p, &p->text);
}

enum hf_status hf_view_html(struct hf_cursor *object, const struct hf_view_html_out *out)
{
    struct page p;
    memset(&p, 0, sizeof p);
    p.page.out = &out->page;
    p.text.out = &out->text;
    bool enough = true;
    for (size_t left; (left = hf_cursor_left(object)) > 0 && p.status == HF_OK;) {
        enough = hf_cursor_charge(object, PIECE / 1024);
        struct hf_bytes in =
            enough ? hf_take(object, left < PIECE ? left : PIECE) : (struct hf_bytes){0};
        for (size_t i = 0; i < in.len; i++)
            take(&p, in.data[i]);
    }
    finish(&p);
    return p.status != HF_OK ? p.status : enough ? HF_OK : HF_LIMIT;
}
