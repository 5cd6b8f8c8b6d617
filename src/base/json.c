#include "base/json.h"

#include "base/buffer.h"

#include <errno.h>
#include <stdlib.h>

struct reader {
    struct hf_cursor c;
    struct hf_arena *arena;
    struct hf_buffer text; /* of the string at hand */
    enum hf_status status; /* first failure; reading goes no further */
};

static void fail(struct reader *r, enum hf_status status)
{
    if (r->status == HF_OK)
        r->status = status;
    r->c.failed = true;
}

/* The next byte, not taken; 0 at the end (and for a zero byte, which begins nothing). */
static uint8_t peek(const struct reader *r)
{
    struct hf_cursor c = r->c;
    return hf_cursor_left(&c) == 0 ? 0 : hf_u8(&c);
}

static void skip_space(struct reader *r)
{
    for (uint8_t b = peek(r); b == ' ' || b == '\t' || b == '\n' || b == '\r'; b = peek(r))
        hf_skip(&r->c, 1);
}

static bool take(struct reader *r, uint8_t wanted)
{
    if (peek(r) != wanted)
        return false;
    hf_skip(&r->c, 1);
    return true;
}

static void expect(struct reader *r, const char *word)
{
    for (; *word != '\0' && r->status == HF_OK; word++)
        if (!take(r, (uint8_t)*word))
            fail(r, HF_MALFORMED);
}

/* ---- strings ---- */

static uint32_t read_hex4(struct reader *r)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t b = hf_u8(&r->c);
        if (b >= '0' && b <= '9')
            value = value << 4 | (uint32_t)(b - '0');
        else if ((b | 0x20) >= 'a' && (b | 0x20) <= 'f')
            value = value << 4 | (uint32_t)((b | 0x20) - 'a' + 10);
        else
            fail(r, HF_MALFORMED);
    }
    return value;
}

static void put_utf8(struct hf_buffer *out, uint32_t code)
{
    if (code < 0x80) {
        hf_buffer_u8(out, (uint8_t)code);
        return;
    }
    if (code < 0x800) {
        hf_buffer_u8(out, (uint8_t)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            hf_buffer_u8(out, (uint8_t)(0xe0 | code >> 12));
        } else {
            hf_buffer_u8(out, (uint8_t)(0xf0 | code >> 18));
            hf_buffer_u8(out, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
        }
        hf_buffer_u8(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
    }
    hf_buffer_u8(out, (uint8_t)(0x80 | (code & 0x3f)));
}

/* Behind \u: one unit, or two that make a character beyond the first plane. */
static void read_unicode(struct reader *r)
{
    uint32_t code = read_hex4(r);
    if (code >= 0xd800 && code < 0xdc00) {
        expect(r, "\\u");
        uint32_t low = read_hex4(r);
        if (low < 0xdc00 || low > 0xdfff)
            fail(r, HF_MALFORMED);
        code = 0x10000 + ((code - 0xd800) << 10) + (low & 0x3ff);
    } else if (code >= 0xdc00 && code < 0xe000) {
        fail(r, HF_MALFORMED);
    }
    if (r->status == HF_OK)
        put_utf8(&r->text, code);
}

static void read_escape(struct reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint8_t b = hf_u8(&r->c);
    const char *at = b == 0 ? NULL : strchr(from, b);
    if (at != NULL)
        hf_buffer_u8(&r->text, (uint8_t)to[at - from]);
    else if (b == 'u')
        read_unicode(r);
    else
        fail(r, HF_MALFORMED);
}

/* A character of more than one byte: shortest form, no surrogates, at most U+10FFFF. */
static void read_multibyte(struct reader *r, uint8_t first)
{
    unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    uint32_t code = first & (0x3fu >> more);
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    for (unsigned i = 0; i < more; i++) {
        uint8_t b = hf_u8(&r->c);
        if ((b & 0xc0) != 0x80)
            fail(r, HF_MALFORMED);
        code = code << 6 | (b & 0x3f);
    }
    if (first < 0xc2 || first > 0xf4 || code < least[more] || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        fail(r, HF_MALFORMED);
    if (r->status == HF_OK)
        put_utf8(&r->text, code);
}

static struct hf_bytes read_string(struct reader *r)
{
    size_t before = r->c.pos;
    hf_buffer_clear(&r->text);
    expect(r, "\"");
    while (r->status == HF_OK) {
        uint8_t b = hf_u8(&r->c);
        if (r->c.failed || b < 0x20)
            fail(r, HF_MALFORMED);
        else if (b == '"')
            break;
        else if (b == '\\')
            read_escape(r);
        else if (b < 0x80)
            hf_buffer_u8(&r->text, b);
        else
            read_multibyte(r, b);
        if (r->c.failed)
            fail(r, HF_MALFORMED);
    }
    if (r->status == HF_OK && !hf_cursor_charge(&r->c, (r->c.pos - before) / 1024))
        fail(r, HF_LIMIT);
    struct hf_bytes copy = {(const uint8_t *)"", 0};
    if (r->status == HF_OK && r->text.len > 0)
        copy = hf_arena_copy(r->arena, hf_buffer_view(&r->text));
    if (r->text.failed || copy.data == NULL)
        fail(r, HF_NOMEM);
    return copy;
}

/* ---- numbers ---- */

static void take_digits(struct reader *r)
{
    if (peek(r) < '0' || peek(r) > '9')
        fail(r, HF_MALFORMED);
    while (peek(r) >= '0' && peek(r) <= '9') {
        hf_buffer_u8(&r->text, peek(r));
        hf_skip(&r->c, 1);
    }
}

static bool take_one(struct reader *r, const char *of)
{
    uint8_t b = peek(r);
    if (b == 0 || strchr(of, b) == NULL)
        return false;
    hf_buffer_u8(&r->text, b);
    hf_skip(&r->c, 1);
    return true;
}

static void read_number(struct reader *r, struct hf_json *value)
{
    hf_buffer_clear(&r->text);
    value->type = HF_JSON_INTEGER;
    (void)take_one(r, "-");
    if (!take_one(r, "0"))
        take_digits(r);
    if (take_one(r, ".")) {
        value->type = HF_JSON_REAL;
        take_digits(r);
    }
    if (take_one(r, "eE")) {
        value->type = HF_JSON_REAL;
        (void)take_one(r, "+-");
        take_digits(r);
    }
    value->string = hf_arena_copy(r->arena, hf_buffer_view(&r->text));
    char *text = hf_arena_text(r->arena, hf_buffer_view(&r->text));
    if (r->status != HF_OK || text == NULL) {
        fail(r, HF_NOMEM);
        return;
    }
    errno = 0;
    if (value->type == HF_JSON_INTEGER)
        value->integer = strtoll(text, NULL, 10);
    if (errno != 0)
        fail(r, HF_MALFORMED);
}

/* ---- values ---- */

static struct hf_json *read_value(struct reader *r, unsigned depth);

static void read_level(struct reader *r, struct hf_json *level, unsigned depth)
{
    bool object = level->type == HF_JSON_OBJECT;
    uint8_t end = object ? '}' : ']';
    struct hf_json **last = &level->first;
    hf_skip(&r->c, 1);
    skip_space(r);
    if (take(r, end))
        return;
    while (r->status == HF_OK) {
        struct hf_bytes name = {0};
        if (object) {
            skip_space(r);
            name = read_string(r);
            skip_space(r);
            expect(r, ":");
        }
        struct hf_json *value = read_value(r, depth + 1);
        if (value == NULL)
            return;
        value->name = name;
        *last = value;
        last = &value->next;
        skip_space(r);
        if (take(r, end))
            return;
        expect(r, ",");
    }
}

static struct hf_json *read_value(struct reader *r, unsigned depth)
{
    static const struct {
        const char *word;
        enum hf_json_type type;
    } words[] = {{"null", HF_JSON_NULL}, {"false", HF_JSON_FALSE}, {"true", HF_JSON_TRUE}};
    struct hf_json *value = hf_arena_alloc(r->arena, sizeof *value);
    if (value == NULL)
        fail(r, HF_NOMEM);
    if (depth == HF_JSON_DEPTH_MAX || !hf_cursor_charge(&r->c, 1))
        fail(r, HF_LIMIT);
    if (r->status != HF_OK)
        return NULL;
    skip_space(r);
    uint8_t first = peek(r);
    if (first == '{' || first == '[') {
        value->type = first == '{' ? HF_JSON_OBJECT : HF_JSON_ARRAY;
        read_level(r, value, depth);
    } else if (first == '"') {
        value->type = HF_JSON_STRING;
        value->string = read_string(r);
    } else if (first == '-' || (first >= '0' && first <= '9')) {
        read_number(r, value);
    } else {
        size_t i = 0;
        while (i < sizeof words / sizeof *words && words[i].word[0] != (char)first)
            i++;
        if (i == sizeof words / sizeof *words) {
            fail(r, HF_MALFORMED);
        } else {
            expect(r, words[i].word);
            value->type = words[i].type;
        }
    }
    return r->status == HF_OK ? value : NULL;
}

enum hf_status hf_json_read(const struct hf_cursor *text, struct hf_arena *arena,
                            const struct hf_json **out)
{
    struct reader r = {.c = hf_cursor_at(text, 0), .arena = arena};
    *out = NULL;
    const struct hf_json *value = read_value(&r, 0);
    skip_space(&r);
    if (r.status == HF_OK && hf_cursor_left(&r.c) > 0)
        fail(&r, HF_MALFORMED);
    hf_buffer_done(&r.text);
    if (r.status == HF_OK)
        *out = value;
    return r.status;
}

const struct hf_json *hf_json_member(const struct hf_json *object, const char *name)
{
    const struct hf_json *found = NULL;
    if (object == NULL || object->type != HF_JSON_OBJECT)
        return NULL;
    for (const struct hf_json *m = object->first; m != NULL; m = m->next)
        if (hf_bytes_equal(m->name, hf_bytes_text(name)))
            found = m;
    return found;
}

const struct hf_json *hf_json_elements(const struct hf_json *array)
{
    return array != NULL && array->type == HF_JSON_ARRAY ? array->first : NULL;
}
