#include "rules/yara/format.h"

#include "base/auto.h"

enum { INDENT = 4, SECTION = 4, CONTENT = 8, BLANKS_MAX = 120 };

/* ---- words ---- */

static uint8_t look(const struct hf_yara_words *w, size_t ahead)
{
    return ahead < w->text.len - w->pos ? w->text.data[w->pos + ahead] : 0;
}

static bool at_end(const struct hf_yara_words *w)
{
    return w->pos >= w->text.len;
}

static void step(struct hf_yara_words *w)
{
    w->lines += look(w, 0) == '\n';
    w->pos++;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '_';
}

static void take_line_comment(struct hf_yara_words *w)
{
    while (!at_end(w) && look(w, 0) != '\n')
        step(w);
}

static void take_block_comment(struct hf_yara_words *w)
{
    w->pos += 2;
    while (!at_end(w) && !(look(w, 0) == '*' && look(w, 1) == '/'))
        step(w);
    for (int i = 0; i < 2 && !at_end(w); i++)
        step(w);
}

/* A text or a regular expression, up to its end or that of the line. */
static void take_quoted(struct hf_yara_words *w, uint8_t quote)
{
    step(w);
    while (!at_end(w) && look(w, 0) != quote && look(w, 0) != '\n') {
        if (look(w, 0) == '\\' && look(w, 1) != '\n')
            step(w);
        if (!at_end(w))
            step(w);
    }
    if (look(w, 0) == quote)
        step(w);
    for (int i = 0; quote == '/' && i < 2 && (look(w, 0) == 'i' || look(w, 0) == 's'); i++)
        step(w);
}

static void take_hex(struct hf_yara_words *w)
{
    while (!at_end(w) && look(w, 0) != '}') {
        if (look(w, 0) == '/' && look(w, 1) == '/')
            take_line_comment(w);
        else if (look(w, 0) == '/' && look(w, 1) == '*')
            take_block_comment(w);
        else
            step(w);
    }
    if (!at_end(w))
        step(w);
}

static enum hf_yara_word_kind take_name(struct hf_yara_words *w)
{
    step(w);
    while (!at_end(w) &&
           (is_name(look(w, 0)) || (look(w, 0) == '.' && is_name(look(w, 1)) &&
                                    look(w, 1) <= '9' && w->text.data[w->pos - 1] <= '9')))
        step(w);
    return HF_YARA_WORD;
}

static enum hf_yara_word_kind take_sign(struct hf_yara_words *w)
{
    static const char pairs[][3] = {"==", "!=", "<=", ">=", "<<", ">>", ".."};
    uint8_t a = look(w, 0), b = look(w, 1);
    step(w);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (a == pairs[i][0] && b == pairs[i][1]) {
            step(w);
            break;
        }
    return HF_YARA_SIGN;
}

static enum hf_yara_word_kind take(struct hf_yara_words *w)
{
    uint8_t a = look(w, 0), b = look(w, 1);
    if (a == '/' && b == '/') {
        take_line_comment(w);
        return HF_YARA_LINE_COMMENT;
    }
    if (a == '/' && b == '*') {
        take_block_comment(w);
        return HF_YARA_BLOCK_COMMENT;
    }
    if (a == '"' || a == '/') {
        take_quoted(w, a);
        return a == '"' ? HF_YARA_TEXT : HF_YARA_REGEX;
    }
    if (a == '{' && w->after_equals) {
        take_hex(w);
        return HF_YARA_HEX;
    }
    if (is_name(a) || a == '$' || a == '#' || a == '@' || (a == '!' && b != '='))
        return take_name(w);
    return take_sign(w);
}

bool hf_yara_next_word(struct hf_yara_words *w, struct hf_yara_word *word)
{
    unsigned before = w->lines;
    size_t from = w->pos;
    while (!at_end(w) && is_blank(look(w, 0)))
        step(w);
    if (at_end(w))
        return false;
    *word = (struct hf_yara_word){
        .line = w->lines + 1, .newlines = w->lines - before, .blank = w->pos > from};
    size_t start = w->pos;
    word->kind = take(w);
    word->text = hf_bytes_of(w->text.data + start, w->pos - start);
    while (word->kind == HF_YARA_LINE_COMMENT && word->text.len > 0 &&
           is_blank(word->text.data[word->text.len - 1]))
        word->text.len--; /* a carriage return belongs to the end of the line */
    if (word->kind < HF_YARA_LINE_COMMENT)
        w->after_equals =
            word->kind == HF_YARA_SIGN && word->text.len == 1 && word->text.data[0] == '=';
    return true;
}

/* ---- the shape ---- */

enum place { OUTSIDE, HEAD, BODY, META, STRINGS, CONDITION };

struct shape {
    struct hf_buffer *out;
    struct hf_yara_words words; /* stands behind the word at hand */
    enum place place;
    struct hf_yara_word last; /* written; kind counts only when begun */
    bool begun;
    bool opened;    /* the word before opened a rule or a section */
    bool closed;    /* it closed a rule */
    unsigned depth; /* of parentheses */
};

static bool is(const struct hf_yara_word *w, const char *text)
{
    return w->kind <= HF_YARA_SIGN && hf_bytes_equal(w->text, hf_bytes_text(text));
}

/* The word behind, comments passed over. */
static bool next_is(const struct shape *s, const char *text)
{
    struct hf_yara_words ahead = s->words;
    struct hf_yara_word w;
    while (hf_yara_next_word(&ahead, &w))
        if (w.kind < HF_YARA_LINE_COMMENT)
            return is(&w, text);
    return false;
}

static bool is_comment(const struct hf_yara_word *w)
{
    return w->kind >= HF_YARA_LINE_COMMENT;
}

/* meta: strings: condition: */
static bool begins_section(const struct shape *s, const struct hf_yara_word *w,
                           enum place *place)
{
    static const struct {
        const char *name;
        enum place place;
    } sections[] = {{"meta", META}, {"strings", STRINGS}, {"condition", CONDITION}};
    if (s->place < BODY || s->depth > 0)
        return false;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (is(w, sections[i].name) && next_is(s, ":")) {
            *place = sections[i].place;
            return true;
        }
    return false;
}

static bool begins_declaration(const struct shape *s, const struct hf_yara_word *w)
{
    if (s->place != OUTSIDE)
        return false;
    bool modifier = s->begun && (is(&s->last, "private") || is(&s->last, "global"));
    return !modifier && (is(w, "rule") || is(w, "private") || is(w, "global") ||
                         is(w, "import") || is(w, "include"));
}

/* A name with an equals sign, in sections that list them. */
static bool begins_entry(const struct shape *s, const struct hf_yara_word *w)
{
    return (s->place == META || s->place == STRINGS) && w->kind == HF_YARA_WORD &&
           next_is(s, "=");
}

static unsigned indent_of(const struct shape *s, const struct hf_yara_word *w)
{
    unsigned depth = s->depth - (s->depth > 0 && is(w, ")"));
    unsigned indent = CONTENT + INDENT * depth;
    switch (s->place) {
    case OUTSIDE: return 0;
    case HEAD:
    case BODY: return SECTION;
    case META:
    case STRINGS: return is_comment(w) || begins_entry(s, w) ? CONTENT : CONTENT + INDENT;
    default: return indent < BLANKS_MAX ? indent : BLANKS_MAX;
    }
}

static void new_line(struct shape *s, unsigned indent, bool empty_line)
{
    if (!s->begun)
        return;
    hf_buffer_text(s->out, empty_line ? "\n\n" : "\n");
    for (unsigned i = 0; i < indent; i++)
        hf_buffer_u8(s->out, ' ');
}

static void put_hex(struct hf_buffer *out, struct hf_bytes text)
{
    bool plain = memchr(text.data, '/', text.len) == NULL;
    bool gap = false, line = false;
    if (!plain) {
        hf_buffer_bytes(out, text); /* comments in it: as it is */
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (is_blank(c)) {
            gap = true;
            line = line || c == '\n';
            continue;
        }
        bool edge = i == text.len - 1 && c == '}';
        if (line)
            hf_buffer_text(out, edge ? "\n        " : "\n            ");
        else if (gap || edge || i == 1)
            hf_buffer_u8(out, ' ');
        hf_buffer_u8(out, c);
        gap = line = false;
        if (i == 0)
            gap = true;
    }
}

/* Whether a blank goes between two words of a line. */
static bool wants_blank(const struct shape *s, const struct hf_yara_word *w)
{
    if (is(w, "=") || is(&s->last, "=") || is_comment(w) || is_comment(&s->last))
        return true;
    if (s->place == HEAD && (is(w, "{") || is(w, ":") || is(&s->last, ":")))
        return true;
    if (s->opened || (s->place == BODY && is(w, ":")))
        return s->opened && !is(w, ":");
    return w->blank;
}

static void put_break(struct shape *s, const struct hf_yara_word *w, bool structural,
                      unsigned indent)
{
    bool after_line_comment = s->begun && s->last.kind == HF_YARA_LINE_COMMENT;
    bool wraps = w->newlines > 0 && (s->place != HEAD || is_comment(w)) &&
                 !(is(w, ":") && s->opened);
    if (!s->begun)
        return;
    if (structural || wraps || after_line_comment) {
        bool empty = w->newlines > 1 && !s->opened && !(s->place > HEAD && is(w, "}"));
        new_line(s, indent,
                 empty || (s->closed && w->newlines > 0) || (s->closed && structural));
    } else if (wants_blank(s, w)) {
        hf_buffer_u8(s->out, ' ');
    }
}

static void follow(struct shape *s, const struct hf_yara_word *w, bool section,
                   enum place place)
{
    bool was_section = s->opened && is(w, ":");
    if (is_comment(w)) {
        s->closed = false; /* the comment has the empty line; what was opened still is */
        return;
    }
    s->closed = s->opened = false;
    if (section) {
        s->place = place;
        s->depth = 0;
        s->opened = true;
    } else if (was_section) {
        s->opened = true;
    } else if (s->place == OUTSIDE && is(w, "rule")) {
        s->place = HEAD;
    } else if (s->place == HEAD && is(w, "{")) {
        s->place = BODY;
        s->opened = true;
    } else if (s->place >= BODY && is(w, "}")) {
        s->place = OUTSIDE;
        s->depth = 0;
        s->closed = true;
    } else if (is(w, "(")) {
        s->depth++;
    } else if (is(w, ")")) {
        s->depth -= s->depth > 0;
    }
}

static void put_word(struct shape *s, const struct hf_yara_word *w)
{
    enum place place = s->place;
    bool section = begins_section(s, w, &place);
    bool closes = s->place >= BODY && is(w, "}");
    bool content = s->place == CONDITION && s->opened && !is(w, ":") && !is_comment(w);
    bool structural =
        section || closes || content || begins_declaration(s, w) || begins_entry(s, w);
    unsigned indent = section ? SECTION : closes ? 0 : indent_of(s, w);
    put_break(s, w, structural, indent);
    if (w->kind == HF_YARA_HEX)
        put_hex(s->out, w->text);
    else
        hf_buffer_bytes(s->out, w->text);
    follow(s, w, section, place);
    s->last = *w;
    s->begun = true;
}

/* Whether both are the same words; blanks in hex strings do not count. */
static bool same_word(const struct hf_yara_word *a, const struct hf_yara_word *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind != HF_YARA_HEX)
        return hf_bytes_equal(a->text, b->text);
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a->text.len && is_blank(a->text.data[i]))
            i++;
        while (k < b->text.len && is_blank(b->text.data[k]))
            k++;
        if (i == a->text.len || k == b->text.len)
            return i == a->text.len && k == b->text.len;
        if (a->text.data[i++] != b->text.data[k++])
            return false;
    }
}

static bool same_words(struct hf_bytes a, struct hf_bytes b)
{
    struct hf_yara_words x = {.text = a}, y = {.text = b};
    struct hf_yara_word one, other;
    for (;;) {
        bool more = hf_yara_next_word(&x, &one);
        if (more != hf_yara_next_word(&y, &other))
            return false;
        if (!more)
            return true;
        if (!same_word(&one, &other))
            return false;
    }
}

static void format_once(struct hf_bytes source, struct hf_buffer *out)
{
    struct shape s = {.out = out, .words = {.text = source}};
    struct hf_yara_word word;
    while (hf_yara_next_word(&s.words, &word))
        put_word(&s, &word);
    if (s.begun)
        hf_buffer_u8(out, '\n');
}

/* Sources that are none (rules that do not end, words in odd places) can take some rounds until
 * nothing changes any more. */
enum hf_status hf_yara_format(struct hf_bytes source, struct hf_buffer *out)
{
    enum { ROUNDS_MAX = 8 };
    HF_AUTO(hf_buffer_done) struct hf_buffer now = {0}, next = {0};
    if (source.len >= 3 && memcmp(source.data, "\xEF\xBB\xBF", 3) == 0)
        source = hf_bytes_of(source.data + 3, source.len - 3);
    format_once(source, &now);
    for (int round = 0; round < ROUNDS_MAX; round++) {
        hf_buffer_clear(&next);
        format_once(hf_buffer_view(&now), &next);
        if (now.failed || next.failed)
            return HF_NOMEM;
        if (!hf_bytes_equal(hf_buffer_view(&now), hf_buffer_view(&next))) {
            struct hf_buffer swap = now;
            now = next;
            next = swap;
            continue;
        }
        if (!same_words(source, hf_buffer_view(&now)))
            return HF_INVALID;
        hf_buffer_bytes(out, hf_buffer_view(&now));
        return out->failed ? HF_NOMEM : HF_OK;
    }
    return HF_INVALID;
}
