/* derived.c - sub-signatures that are worked out from others: byte comparisons and regular
 * expressions. [facts/clamav.md 1.3] */
#include "rules/derived.h"

#include "base/auto.h"
#include "base/text.h"
#include "pattern/backtrack.h"
#include "rules/clamav/internal.h"

bool clamav_add_pattern(struct hf_clamav_signature *s, struct hf_arena *arena,
                        const struct hf_pattern *pattern)
{
    struct hf_pattern *more =
        hf_arena_grow(arena, s->patterns, s->pattern_count, sizeof *more);
    if (more == NULL)
        return false;
    s->patterns = more;
    s->patterns[s->pattern_count++] = *pattern;
    return true;
}

/* Append a pattern with what was written as its text; it is what the sub-signature counts. */
static enum hf_clamav_result add_derived(enum hf_pattern_kind kind,
                                         const struct hf_place *place,
                                         const struct hf_buffer *text, size_t which,
                                         struct clamav_subsigs *subsigs,
                                         struct hf_clamav_signature *s,
                                         struct hf_arena *arena)
{
    struct hf_pattern pattern = {.kind = kind, .place = *place};
    pattern.text = hf_arena_copy(arena, hf_buffer_view(text));
    subsigs->items[which] =
        (struct clamav_subsig){.patterns = {(uint32_t)s->pattern_count}, .count = 1};
    subsigs->has_derived = true;
    return !text->failed && pattern.text.data != NULL &&
                   clamav_add_pattern(s, arena, &pattern)
               ? HF_CLAMAV_RULE
               : clamav_bad(s, "out of memory");
}

static struct hf_bytes from(struct hf_bytes text, size_t n)
{
    return hf_bytes_of(text.data + n, text.len - n);
}

static bool accept(struct hf_bytes *text, const char *what)
{
    if (!clamav_begins(*text, what))
        return false;
    *text = from(*text, strlen(what));
    return true;
}

/* ---- byte comparisons: id(>>off#[hdai][lb][e]n#cmp[,cmp]) ---- */

/* Decimal, or hexadecimal behind 0x. */
static bool read_number(struct hf_bytes text, int64_t *value)
{
    uint64_t v = 0;
    bool negative = accept(&text, "-");
    if (clamav_begins(text, "0x") || clamav_begins(text, "0X")) {
        text = from(text, 2);
        if (text.len == 0 || text.len > 16)
            return false;
        for (size_t i = 0; i < text.len; i++) {
            uint8_t c = text.data[i], letter = c | 0x20;
            if (c >= '0' && c <= '9')
                v = v << 4 | (uint64_t)(c - '0');
            else if (letter >= 'a' && letter <= 'f')
                v = v << 4 | (uint64_t)(letter - 'a' + 10);
            else
                return false;
        }
    } else if (!hf_parse_uint(text, &v)) {
        return false;
    }
    if (v > INT64_MAX)
        return false;
    *value = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

/* [hdai][lb][e]n */
static bool read_form(struct hf_bytes text, struct hf_compare *c)
{
    static const struct {
        char letter;
        enum hf_compare_form form;
    } forms[] = {{'h', HF_COMPARE_HEX},
                 {'d', HF_COMPARE_DECIMAL},
                 {'a', HF_COMPARE_AUTO},
                 {'i', HF_COMPARE_RAW}};
    int64_t bytes;
    bool known = false;
    for (size_t i = 0; text.len > 0 && i < sizeof forms / sizeof *forms; i++)
        if (text.data[0] == (uint8_t)forms[i].letter) {
            c->form = forms[i].form;
            known = true;
        }
    if (!known)
        return false;
    text = from(text, 1);
    bool little = accept(&text, "l");
    c->big = !little && accept(&text, "b");
    /* Decimal digits have one order; of others it must be said, or nothing is found. */
    if (little && c->form == HF_COMPARE_DECIMAL)
        return false;
    c->never =
        !little && !c->big && (c->form == HF_COMPARE_HEX || c->form == HF_COMPARE_AUTO);
    c->big = c->big || c->form == HF_COMPARE_DECIMAL;
    c->exact = accept(&text, "e");
    if (!read_number(text, &bytes) || bytes < 1 || bytes > UINT8_MAX)
        return false;
    c->bytes = (uint8_t)bytes;
    return c->form != HF_COMPARE_RAW || bytes == 1 || bytes == 2 || bytes == 4 ||
           bytes == 8;
}

static bool read_tests(struct hf_bytes text, struct hf_compare *c)
{
    struct hf_bytes f[HF_DERIVED_TESTS_MAX + 1];
    size_t n = clamav_split(text, ',', f, HF_DERIVED_TESTS_MAX + 1);
    if (n > HF_DERIVED_TESTS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (f[i].len < 2 || memchr("<=>", f[i].data[0], 3) == NULL ||
            !read_number(from(f[i], 1), &c->tests[i].value))
            return false;
        c->tests[i].op = (char)f[i].data[0];
    }
    c->test_count = (uint8_t)n;
    return n > 0;
}

/* The id and what stands in the parentheses. */
static bool read_frame(struct hf_bytes text, uint64_t *id, struct hf_bytes *inside)
{
    const uint8_t *open = text.len == 0 ? NULL : memchr(text.data, '(', text.len);
    if (open == NULL || text.data[text.len - 1] != ')')
        return false;
    size_t n = (size_t)(open - text.data);
    *inside = hf_bytes_of(open + 1, text.len - n - 2);
    return hf_parse_uint(hf_bytes_of(text.data, n), id) && *id < CLAMAV_SUBSIGS_MAX;
}

enum hf_clamav_result clamav_read_compare(struct hf_bytes text, size_t which,
                                          struct clamav_subsigs *subsigs,
                                          struct hf_clamav_signature *s,
                                          struct hf_arena *arena)
{
    struct hf_compare c = {0};
    struct hf_bytes inside, f[4];
    uint64_t id;
    if (!read_frame(text, &id, &inside) || id >= subsigs->count || id == which ||
        clamav_split(inside, '#', f, 4) != 3)
        return clamav_bad(s, "byte comparison not understood");
    bool back = accept(&f[0], "<<");
    if ((!back && !accept(&f[0], ">>")) || !read_number(f[0], &c.distance) ||
        !read_form(f[1], &c) || !read_tests(f[2], &c))
        return clamav_bad(s, "byte comparison not understood");
    c.distance = back ? -c.distance : c.distance;
    const struct clamav_subsig *base = &subsigs->items[id];
    c.base_count = (uint8_t)base->count;
    memcpy(c.bases, base->patterns, sizeof c.bases);
    struct hf_place anywhere = {.kind = HF_PLACE_ANYWHERE};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_compare_write(&c, &out);
    return add_derived(HF_PATTERN_COMPARE, &anywhere, &out, which, subsigs, s, arena);
}

/* ---- regular expressions: [offset:]trigger/regex/[flags] ---- */

struct parts {
    struct hf_bytes offset, trigger, regex, flags;
};

/* The first slash and the last; in between, slashes are escaped. */
static bool split_regex(struct hf_bytes text, struct parts *p)
{
    const uint8_t *first = memchr(text.data, '/', text.len);
    const uint8_t *last = memrchr(text.data, '/', text.len);
    if (first == NULL || first == last)
        return false;
    struct hf_bytes head = hf_bytes_of(text.data, (size_t)(first - text.data)), f[2];
    p->regex = hf_bytes_of(first + 1, (size_t)(last - first - 1));
    p->flags = from(text, (size_t)(last - text.data) + 1);
    bool placed = clamav_split(head, ':', f, 2) == 2;
    p->offset = placed ? f[0] : hf_bytes_text("*");
    p->trigger = placed ? f[1] : head;
    return p->regex.len > 0;
}

static bool read_flags(struct hf_bytes text, uint32_t *flags)
{
    static const struct {
        char letter;
        uint32_t flag;
    } rows[] = {
        {'g', HF_EXPRESSION_ALL},     {'r', HF_EXPRESSION_ROLLING},
        {'e', HF_EXPRESSION_INSIDE},  {'i', HF_BACKTRACK_NOCASE},
        {'s', HF_BACKTRACK_DOT_ALL},  {'m', HF_BACKTRACK_MULTI_LINE},
        {'x', HF_BACKTRACK_EXTENDED}, {'A', HF_BACKTRACK_ANCHORED},
        {'E', HF_BACKTRACK_END_ONLY}, {'U', HF_BACKTRACK_UNGREEDY},
    };
    *flags = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint32_t flag = 0;
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            flag |= text.data[i] == (uint8_t)rows[k].letter ? rows[k].flag : 0;
        if (flag == 0)
            return false;
        *flags |= flag;
    }
    return true;
}

/* Compiled once here so that a bad expression is a bad line; scans compile it again. */
static const char *try_regex(const struct hf_expression *e)
{
    HF_AUTO(hf_backtrack_release) struct hf_backtrack *b = NULL;
    struct hf_pattern_error error;
    return hf_backtrack_new(e->text, e->flags, &b, &error) == HF_OK ? NULL : error.text;
}

enum hf_clamav_result clamav_read_regex(struct hf_bytes text, size_t which,
                                        struct clamav_subsigs *subsigs,
                                        struct hf_clamav_signature *s,
                                        struct hf_arena *arena)
{
    struct parts p;
    struct hf_expression e;
    struct hf_place place;
    struct clamav_expression trigger;
    if (!split_regex(text, &p) || !read_flags(p.flags, &e.flags))
        return clamav_bad(s, "regular expression not understood");
    enum hf_clamav_result result = clamav_read_place(p.offset, s, &place);
    if (result != HF_CLAMAV_RULE)
        return result;
    const char *wrong = clamav_parse_expression(p.trigger, arena, &trigger);
    if (wrong != NULL)
        return clamav_bad(s, wrong);
    if (trigger.highest >= subsigs->count || (trigger.used >> which & 1) != 0)
        return clamav_bad(s, "a trigger names a sub-signature that there is not");
    e.text = p.regex;
    wrong = try_regex(&e);
    if (wrong != NULL)
        return clamav_bad(s, wrong);
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    clamav_emit_expression(&trigger, subsigs->items, &program);
    e.trigger = hf_buffer_view(&program);
    hf_expression_write(&e, &out);
    out.failed = out.failed || program.failed;
    subsigs->wakes_alone = subsigs->wakes_alone || clamav_holds_alone(&trigger);
    return add_derived(HF_PATTERN_BACKTRACK, &place, &out, which, subsigs, s, arena);
}

uint64_t clamav_counted_by(struct hf_bytes text, struct hf_arena *arena)
{
    struct parts p;
    struct clamav_expression trigger;
    struct hf_bytes inside;
    uint64_t id;
    if (memchr(text.data, '/', text.len) == NULL)
        return read_frame(text, &id, &inside) ? UINT64_C(1) << id : 0;
    return split_regex(text, &p) &&
                   clamav_parse_expression(p.trigger, arena, &trigger) == NULL
               ? trigger.counted
               : 0;
}
