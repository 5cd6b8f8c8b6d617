#include "unpack/mail_header.h"

#include "base/text.h"
#include "unpack/mail_decode.h"

#include <stdio.h>
#include <strings.h>

/* A place in the value that is split. */
struct place {
    const uint8_t *text;
    size_t len, pos;
    bool is_open; /* a comment that is never closed was met: none after it is either */
};

static bool is_at(const struct place *p, const char *one_of)
{
    return p->pos < p->len && p->text[p->pos] != 0 &&
           strchr(one_of, p->text[p->pos]) != NULL;
}

/* Comments nest. One that is never closed is none. [RFC 5322 3.2.2] */
static void skip_comment(struct place *p)
{
    size_t depth = 0;
    for (size_t i = p->pos; i < p->len && !p->is_open; i++) {
        if (p->text[i] == '\\')
            i++;
        else if (p->text[i] == '(')
            depth++;
        else if (p->text[i] == ')' && --depth == 0) {
            p->pos = i + 1;
            return;
        }
    }
    p->is_open = true;
    p->pos++;
}

static void skip_separators(struct place *p)
{
    while (is_at(p, " \t;,("))
        if (is_at(p, "("))
            skip_comment(p);
        else
            p->pos++;
}

/* A quoted string without its quotes and backslashes; unclosed, it goes on to the end. */
static struct hf_bytes take_quoted(struct place *p, struct hf_mail_scratch *s)
{
    uint8_t *out = s->unquoted + s->unquoted_len;
    size_t n = 0;
    for (p->pos++; p->pos < p->len && p->text[p->pos] != '"'; p->pos++) {
        if (p->text[p->pos] == '\\' && p->pos + 1 < p->len)
            p->pos++;
        if (n < sizeof s->unquoted - s->unquoted_len)
            out[n++] = p->text[p->pos];
    }
    p->pos += p->pos < p->len;
    s->unquoted_len += n;
    return hf_bytes_of(out, n);
}

static struct hf_bytes take_token(struct place *p, const char *ends)
{
    size_t start = p->pos;
    while (p->pos < p->len && !is_at(p, ends))
        p->pos++;
    return hf_mail_trim(hf_bytes_of(p->text + start, p->pos - start));
}

static void take_parameter(struct place *p, struct hf_mail_scratch *s)
{
    struct hf_mail_parameter one = {.name = take_token(p, "=; \t(")};
    while (is_at(p, " \t("))
        if (is_at(p, "("))
            skip_comment(p);
        else
            p->pos++;
    if (!is_at(p, "=")) {
        if (one.name.len == 0 && p->pos < p->len)
            p->pos++;
        return;
    }
    p->pos++;
    while (is_at(p, " \t"))
        p->pos++;
    one.quoted = is_at(p, "\"");
    one.value = one.quoted ? take_quoted(p, s) : take_token(p, ";");
    s->parameters[s->parameter_count++] = one;
}

struct hf_bytes hf_mail_split_value(struct hf_mail_scratch *scratch)
{
    struct place p = {.text = scratch->value, .len = scratch->len};
    scratch->parameter_count = scratch->unquoted_len = 0;
    skip_separators(&p);
    struct hf_bytes first =
        is_at(&p, "\"") ? take_quoted(&p, scratch) : take_token(&p, "; \t(");
    for (;;) {
        skip_separators(&p);
        if (p.pos >= p.len || scratch->parameter_count == HF_MAIL_PARAMETERS_MAX)
            return first;
        take_parameter(&p, scratch);
    }
}

/* A section of a parameter on its way into out. */
struct assembly {
    uint8_t *out;
    size_t len, room;
};

static void put(struct assembly *a, uint8_t byte)
{
    if (a->len < a->room)
        a->out[a->len++] = byte;
}

/* charset'language'text, percent signs and two digits for bytes; only the first has the prefix. */
static void put_extended(struct assembly *a, struct hf_bytes text, bool has_charset)
{
    size_t i = 0;
    if (has_charset) {
        const uint8_t *first = memchr(text.data, '\'', text.len);
        size_t n = first == NULL ? 0 : (size_t)(first - text.data) + 1;
        const uint8_t *second = n == 0 ? NULL : memchr(text.data + n, '\'', text.len - n);
        i = second == NULL ? 0 : (size_t)(second - text.data) + 1;
    }
    for (; i < text.len; i++) {
        uint8_t byte;
        bool is_code = text.data[i] == '%' && text.len - i >= 3 &&
                       hf_unhex(hf_bytes_of(text.data + i + 1, 2), &byte, 1) == 1;
        put(a, is_code ? byte : text.data[i]);
        i += is_code ? 2 : 0;
    }
}

static const struct hf_mail_parameter *find(const struct hf_mail_scratch *s,
                                            const char *name)
{
    for (size_t i = 0; i < s->parameter_count; i++)
        if (s->parameters[i].name.len == strlen(name) &&
            hf_mail_begins(s->parameters[i].name, name))
            return &s->parameters[i];
    return NULL;
}

size_t hf_mail_parameter(const struct hf_mail_scratch *scratch, const char *name,
                         uint8_t *out, size_t room)
{
    struct assembly a = {.out = out, .room = room};
    char wanted[48];
    snprintf(wanted, sizeof wanted, "%s*", name);
    const struct hf_mail_parameter *p = find(scratch, wanted);
    if (p != NULL) {
        put_extended(&a, p->value, true);
        return a.len;
    }
    for (unsigned i = 0; i < HF_MAIL_PARAMETERS_MAX; i++) {
        snprintf(wanted, sizeof wanted, "%s*%u*", name, i);
        const struct hf_mail_parameter *extended = find(scratch, wanted);
        wanted[strlen(wanted) - 1] = '\0';
        p = extended != NULL ? extended : find(scratch, wanted);
        if (p == NULL && i > 0)
            break;
        if (p != NULL && extended != NULL)
            put_extended(&a, p->value, i == 0);
        for (size_t k = 0; p != NULL && extended == NULL && k < p->value.len; k++)
            put(&a, p->value.data[k]);
    }
    if (a.len == 0 && (p = find(scratch, name)) != NULL)
        for (size_t k = 0; k < p->value.len; k++)
            put(&a, p->value.data[k]);
    return a.len;
}

/* The encoded word at text, "=?charset?B?...?=", as parts. False when there is none. */
static bool read_word(struct hf_bytes text, uint8_t *how, struct hf_bytes *inner,
                      size_t *len)
{
    enum { LONGEST = 1024 }; /* [RFC 2047 2] says 75 */
    if (text.len > LONGEST)
        text.len = LONGEST;
    if (text.len < 8 || text.data[0] != '=' || text.data[1] != '?')
        return false;
    const uint8_t *charset = memchr(text.data + 2, '?', text.len - 2);
    if (charset == NULL || text.len - (size_t)(charset - text.data) < 5 ||
        charset[2] != '?')
        return false;
    *how = charset[1] | 0x20;
    size_t start = (size_t)(charset - text.data) + 3;
    const uint8_t *end = memmem(text.data + start, text.len - start, "?=", 2);
    if (end == NULL || (*how != 'q' && *how != 'b'))
        return false;
    *inner = hf_bytes_of(text.data + start, (size_t)(end - text.data) - start);
    *len = (size_t)(end - text.data) + 2;
    return true;
}

static size_t decode_word(uint8_t how, struct hf_bytes inner, uint8_t *out)
{
    size_t n = 0;
    if (how == 'b') {
        struct hf_mail_base64 state = {0};
        return hf_mail_base64_bytes(&state, inner, out);
    }
    for (size_t i = 0; i < inner.len; i++) {
        uint8_t byte = inner.data[i] == '_' ? ' ' : inner.data[i];
        if (byte == '=' && inner.len - i >= 3 &&
            hf_unhex(hf_bytes_of(inner.data + i + 1, 2), &byte, 1) == 1)
            i += 2;
        out[n++] = byte;
    }
    return n;
}

size_t hf_mail_decode_words(uint8_t *text, size_t len)
{
    size_t n = 0;
    bool after_word = false;
    if (memmem(text, len, "=?", 2) == NULL)
        return len;
    for (size_t i = 0; i < len;) {
        uint8_t how;
        struct hf_bytes inner;
        size_t used, blanks = 0;
        while (after_word && i + blanks < len &&
               (text[i + blanks] == ' ' || text[i + blanks] == '\t'))
            blanks++; /* between two words they mean nothing */
        if (read_word(hf_bytes_of(text + i + blanks, len - i - blanks), &how, &inner,
                      &used)) {
            n += decode_word(how, inner, text + n); /* never passes inner */
            i += blanks + used;
            after_word = true;
        } else {
            text[n++] = text[i++];
            after_word = false;
        }
    }
    return n;
}
