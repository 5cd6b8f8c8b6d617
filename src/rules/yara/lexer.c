#include "rules/yara/lexer.h"

#include <errno.h>
#include <stdlib.h>

struct lexer lexer_open(struct hf_bytes text, struct hf_arena *arena)
{
    struct lexer l = {.text = text, .line = 1, .arena = arena};
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
        l.pos = l.line_start = 3; /* byte order mark */
    return l;
}

/* The one place where the text is read: zero past its end. */
static uint8_t look(const struct lexer *l, size_t ahead)
{
    return ahead < l->text.len - l->pos ? l->text.data[l->pos + ahead] : 0;
}

static bool at_end(const struct lexer *l)
{
    return l->pos == l->text.len;
}

static struct hf_bytes slice(const struct lexer *l, size_t start, size_t end)
{
    return hf_bytes_of(l->text.data + start, end - start);
}

static void new_line(struct lexer *l)
{
    l->pos++;
    l->line++;
    l->line_start = l->pos;
    l->line_has_word = false;
}

static struct token bad(struct lexer *l, struct token t, const char *message)
{
    l->message = message;
    t.kind = TOKEN_BAD;
    return t;
}

/* Over blanks and comments. False: a comment does not end. */
static bool skip_blanks(struct lexer *l)
{
    for (;;) {
        uint8_t c = look(l, 0);
        if (c == '\n') {
            new_line(l);
        } else if (c == ' ' || c == '\t' || c == '\r') {
            l->pos++;
        } else if (c == '/' && look(l, 1) == '/') {
            while (!at_end(l) && look(l, 0) != '\n')
                l->pos++;
        } else if (c == '/' && look(l, 1) == '*') {
            l->pos += 2;
            while (!at_end(l) && !(look(l, 0) == '*' && look(l, 1) == '/'))
                look(l, 0) == '\n' ? new_line(l) : (void)l->pos++;
            if (at_end(l))
                return false; /* an open comment runs to the end */
            l->pos += 2;
        } else {
            return true;
        }
    }
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_digit(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct keyword {
    const char *text;
    uint8_t kind, width, flags;
};

/* Sorted, so that those of one first letter are together. */
static const struct keyword keywords[] = {
    {"all", TOKEN_ALL},
    {"and", TOKEN_AND},
    {"any", TOKEN_ANY},
    {"ascii", TOKEN_ASCII},
    {"at", TOKEN_AT},
    {"base64", TOKEN_BASE64},
    {"base64wide", TOKEN_BASE64WIDE},
    {"condition", TOKEN_CONDITION},
    {"contains", TOKEN_CONTAINS},
    {"defined", TOKEN_DEFINED},
    {"endswith", TOKEN_ENDSWITH},
    {"entrypoint", TOKEN_ENTRYPOINT},
    {"false", TOKEN_FALSE},
    {"filesize", TOKEN_FILESIZE},
    {"for", TOKEN_FOR},
    {"fullword", TOKEN_FULLWORD},
    {"global", TOKEN_GLOBAL},
    {"icontains", TOKEN_ICONTAINS},
    {"iendswith", TOKEN_IENDSWITH},
    {"iequals", TOKEN_IEQUALS},
    {"import", TOKEN_IMPORT},
    {"in", TOKEN_IN},
    {"include", TOKEN_INCLUDE},
    {"int16", TOKEN_READ, 2, 1},
    {"int16be", TOKEN_READ, 2, 3},
    {"int32", TOKEN_READ, 4, 1},
    {"int32be", TOKEN_READ, 4, 3},
    {"int8", TOKEN_READ, 1, 1},
    {"int8be", TOKEN_READ, 1, 3},
    {"istartswith", TOKEN_ISTARTSWITH},
    {"matches", TOKEN_MATCHES},
    {"meta", TOKEN_META},
    {"nocase", TOKEN_NOCASE},
    {"none", TOKEN_NONE},
    {"not", TOKEN_NOT},
    {"of", TOKEN_OF},
    {"or", TOKEN_OR},
    {"private", TOKEN_PRIVATE},
    {"rule", TOKEN_RULE},
    {"startswith", TOKEN_STARTSWITH},
    {"strings", TOKEN_STRINGS},
    {"them", TOKEN_THEM},
    {"true", TOKEN_TRUE},
    {"uint16", TOKEN_READ, 2, 0},
    {"uint16be", TOKEN_READ, 2, 2},
    {"uint32", TOKEN_READ, 4, 0},
    {"uint32be", TOKEN_READ, 4, 2},
    {"uint8", TOKEN_READ, 1, 0},
    {"uint8be", TOKEN_READ, 1, 2},
    {"wide", TOKEN_WIDE},
    {"xor", TOKEN_XOR},
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

static const struct keyword *find_keyword(struct hf_bytes word)
{
    size_t low = 0, high = KEYWORDS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *text = keywords[middle].text;
        size_t len = strlen(text), shorter = len < word.len ? len : word.len;
        int order = memcmp(text, word.data, shorter);
        if (order == 0)
            order = len < word.len ? -1 : len > word.len;
        if (order == 0)
            return &keywords[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static size_t take_word(struct lexer *l)
{
    size_t start = l->pos;
    while (is_word(look(l, 0)))
        l->pos++;
    return l->pos - start;
}

static struct token word(struct lexer *l, struct token t)
{
    size_t len = take_word(l);
    t.text = slice(l, t.start, l->pos);
    if (len > LEXER_NAME_MAX)
        return bad(l, t, "identifier too long");
    t.kind = TOKEN_IDENTIFIER;
    const struct keyword *k = find_keyword(t.text);
    if (k != NULL) {
        t.kind = (enum token_kind)k->kind;
        t.integer = k->width;
        t.flags = k->flags;
    }
    return t;
}

/* $a $a* #a @a !a. A lone ! is no token of ours but of "!=". */
static struct token string_name(struct lexer *l, struct token t, enum token_kind kind)
{
    l->pos++;
    if (take_word(l) > LEXER_NAME_MAX)
        return bad(l, t, "identifier too long");
    t.kind = kind;
    t.text = slice(l, t.start + 1, l->pos);
    if (kind == TOKEN_STRING_ID && look(l, 0) == '*') {
        l->pos++;
        t.kind = TOKEN_STRING_SET;
    }
    return t;
}

/* Digits of a base; false on overflow. */
static bool digits(struct lexer *l, unsigned base, int64_t *value)
{
    bool fits = true;
    *value = 0;
    for (int d; (d = hex_digit(look(l, 0))) >= 0 && (unsigned)d < base; l->pos++)
        fits = fits && !__builtin_mul_overflow(*value, (int64_t)base, value) &&
               !__builtin_add_overflow(*value, (int64_t)d, value);
    return fits;
}

static struct token real_number(struct lexer *l, struct token t)
{
    char copy[64];
    while (is_digit(look(l, 0)))
        l->pos++;
    struct hf_bytes text = slice(l, t.start, l->pos);
    if (text.len >= sizeof copy)
        return bad(l, t, "number too long");
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    t.kind = TOKEN_REAL;
    t.real = strtod(copy, NULL); /* the C locale's point: programs do not call setlocale */
    t.text = text;
    return t;
}

static struct token number(struct lexer *l, struct token t)
{
    unsigned base = 10;
    if (look(l, 0) == '0' && (look(l, 1) == 'x' || look(l, 1) == 'o')) {
        unsigned wanted = look(l, 1) == 'x' ? 16 : 8;
        int first = hex_digit(look(l, 2));
        if (first >= 0 && (unsigned)first < wanted) {
            base = wanted;
            l->pos += 2;
        }
    }
    bool fits = digits(l, base, &t.integer);
    if (base == 10 && look(l, 0) == '.' && is_digit(look(l, 1))) {
        l->pos++;
        return real_number(l, t);
    }
    if (base == 10 && look(l, 1) == 'B' && (look(l, 0) == 'K' || look(l, 0) == 'M')) {
        fits = fits && !__builtin_mul_overflow(
                           t.integer, look(l, 0) == 'K' ? INT64_C(1024) : INT64_C(1048576),
                           &t.integer);
        l->pos += 2;
    }
    t.text = slice(l, t.start, l->pos);
    t.kind = TOKEN_INTEGER;
    return fits ? t : bad(l, t, "integer overflow");
}

/* One escape behind its backslash; -1: none that exists. */
static int escape(struct lexer *l)
{
    uint8_t c = look(l, 0);
    l->pos++;
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'x': {
        int high = hex_digit(look(l, 0)), low = high < 0 ? -1 : hex_digit(look(l, 1));
        if (low < 0)
            return -1;
        l->pos += 2;
        return high << 4 | low;
    }
    default: l->pos--; return -1;
    }
}

/* Behind the opening quote. Borrowed from the source unless an escape is in it. */
static struct token text_string(struct lexer *l, struct token t)
{
    size_t start = ++l->pos, escapes = 0;
    while (!at_end(l) && look(l, 0) != '"' && look(l, 0) != '\n') {
        bool escaped = look(l, 0) == '\\' && l->text.len - l->pos > 1;
        escapes += escaped;
        l->pos += escaped ? 2 : 1;
    }
    if (look(l, 0) != '"')
        return bad(l, t, "unterminated string");
    size_t end = l->pos;
    t.kind = TOKEN_TEXT;
    t.text = slice(l, start, end);
    l->pos++;
    if (escapes == 0)
        return t;
    uint8_t *out = hf_arena_alloc(l->arena, end - start);
    if (out == NULL)
        return bad(l, t, "out of memory");
    size_t n = 0;
    for (l->pos = start; l->pos < end;) {
        int c = look(l, 0);
        l->pos++;
        if (c == '\\' && (c = escape(l)) < 0) {
            l->pos = end + 1;
            return bad(l, t, "illegal escape sequence");
        }
        out[n++] = (uint8_t)c;
    }
    l->pos = end + 1;
    t.text = hf_bytes_of(out, n);
    return t;
}

static struct token regex(struct lexer *l, struct token t)
{
    size_t start = ++l->pos;
    while (!at_end(l) && look(l, 0) != '/' && look(l, 0) != '\n')
        l->pos +=
            look(l, 0) == '\\' && look(l, 1) != '\n' && l->text.len - l->pos > 1 ? 2 : 1;
    if (look(l, 0) != '/')
        return bad(l, t, "unterminated regular expression");
    t.kind = TOKEN_REGEX;
    t.text = slice(l, start, l->pos);
    l->pos++;
    if (t.text.len == 0)
        return bad(l, t, "empty regular expression");
    if (look(l, 0) == 'i') {
        t.flags |= 1;
        l->pos++;
    }
    if (look(l, 0) == 's') {
        t.flags |= 2;
        l->pos++;
    }
    return t;
}

static struct token sign(struct lexer *l, struct token t)
{
    static const struct {
        char text[3];
        uint8_t kind;
    } pairs[] = {{"==", TOKEN_EQ},  {"!=", TOKEN_NE},  {"<=", TOKEN_LE},  {">=", TOKEN_GE},
                 {"<<", TOKEN_SHL}, {">>", TOKEN_SHR}, {"..", TOKEN_DOTS}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (look(l, 0) == pairs[i].text[0] && look(l, 1) == pairs[i].text[1]) {
            l->pos += 2;
            t.kind = (enum token_kind)pairs[i].kind;
            return t;
        }
    t.kind = TOKEN_SIGN;
    t.sign = (char)look(l, 0);
    l->pos++;
    if (t.sign < 32 || t.sign > 126)
        return bad(l, t, "non-ascii character");
    return t;
}

struct token lexer_next(struct lexer *l)
{
    bool ends = skip_blanks(l);
    struct token t = {.line = l->line,
                      .column = (unsigned)(l->pos - l->line_start) + 1,
                      .first = !l->line_has_word,
                      .start = l->pos};
    l->line_has_word = true;
    if (!ends || at_end(l)) /* yarac too takes a comment that does not end */
        return t;
    uint8_t c = look(l, 0);
    if (is_digit(c))
        return number(l, t);
    if (is_word(c))
        return word(l, t);
    switch (c) {
    case '$': return string_name(l, t, TOKEN_STRING_ID);
    case '#': return string_name(l, t, TOKEN_COUNT);
    case '@': return string_name(l, t, TOKEN_OFFSET);
    case '!': return look(l, 1) == '=' ? sign(l, t) : string_name(l, t, TOKEN_LENGTH);
    case '"': return text_string(l, t);
    case '/': return regex(l, t);
    default: return sign(l, t);
    }
}

bool lexer_hex(struct lexer *l, struct hf_bytes *inside)
{
    size_t start = l->pos;
    while (!at_end(l) && look(l, 0) != '}') {
        uint8_t c = look(l, 0);
        if (c == '/' && (look(l, 1) == '/' || look(l, 1) == '*')) {
            if (!skip_blanks(l))
                return false;
        } else if (c == '\n') {
            new_line(l);
        } else {
            l->pos++;
        }
    }
    if (at_end(l))
        return false;
    *inside = slice(l, start, l->pos);
    l->pos++;
    return true;
}

struct hf_bytes lexer_line(const struct lexer *l, size_t pos)
{
    enum { SHOWN_MAX = 200 };
    size_t start = pos < l->text.len ? pos : l->text.len, end = start;
    while (start > 0 && l->text.data[start - 1] != '\n' && pos - start < SHOWN_MAX)
        start--;
    while (end < l->text.len && l->text.data[end] != '\n' && end - start < SHOWN_MAX)
        end++;
    return slice(l, start, end);
}

const char *token_text(const struct token *t)
{
    static const char *const names[TOKEN_FIRST_KEYWORD] = {
        [TOKEN_END] = "end of file",
        [TOKEN_BAD] = "unknown text",
        [TOKEN_IDENTIFIER] = "identifier",
        [TOKEN_STRING_ID] = "string identifier",
        [TOKEN_STRING_SET] = "string identifier with wildcard",
        [TOKEN_COUNT] = "string count",
        [TOKEN_OFFSET] = "string offset",
        [TOKEN_LENGTH] = "string length",
        [TOKEN_INTEGER] = "integer number",
        [TOKEN_REAL] = "floating point number",
        [TOKEN_TEXT] = "text string",
        [TOKEN_REGEX] = "regular expression",
        [TOKEN_EQ] = "\"==\"",
        [TOKEN_NE] = "\"!=\"",
        [TOKEN_LE] = "\"<=\"",
        [TOKEN_GE] = "\">=\"",
        [TOKEN_SHL] = "\"<<\"",
        [TOKEN_SHR] = "\">>\"",
        [TOKEN_DOTS] = "\"..\"",
    };
    if (t->kind < TOKEN_FIRST_KEYWORD)
        return names[t->kind]; /* NULL for SIGN: the caller shows the character */
    for (size_t i = 0; i < KEYWORDS; i++)
        if (keywords[i].kind == t->kind)
            return keywords[i].text;
    return "number function";
}
