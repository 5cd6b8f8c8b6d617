#include "unpack/decoders.h"

#include "unpack/mail_decode.h"
#include "unpack/mail_header.h"

#include <stdio.h>

/*
 * Mail: a header, a body; the body cut by boundaries into parts that have headers again. One way
 * through the lines, with the boundaries in force on a stack; what lies between two of them is a
 * stretch, and each stretch becomes children: decoded as its header says, as it lies there, and
 * what is encoded inside (uuencode, yEnc, base64 that nobody declared).
 *
 * Nothing is left out because it is in the wrong place: text before the first and behind the last
 * boundary is a stretch as well. A header that says how something is encoded, in the middle of a
 * stretch (behind a boundary that was never declared, in a bounced message, ...), begins a part:
 * the stretch is taken whole first, then read again from there.
 */
enum { BOUNDARIES_MAX = 256 };

/* How a stretch ends. */
enum end {
    END_OF_MAIL,
    AT_PART,     /* a boundary: a header follows */
    AT_EPILOGUE, /* a closing boundary: text follows */
    AT_MESSAGE,  /* mbox: the next message */
    AT_HIDDEN,   /* a part begins here inside the stretch */
};

struct mail {
    struct hf_unpack *unpack;
    struct hf_pusher out;
    struct hf_mail_lines lines;
    struct hf_mail_scratch *scratch;
    struct hf_mail_part part; /* the one whose stretch is read */
    bool is_mbox;
    size_t first;      /* where the first line is that is not blank */
    size_t number;     /* of the part */
    char numbered[32]; /* its name, when it has no other */
    bool is_hidden;    /* the inside of a stretch is read again; then around holds: */
    struct around {
        struct hf_mail_lines lines; /* behind the stretch */
        enum end how;               /* the stretch ended */
        size_t boundary_count;      /* those below do not count meanwhile; else 0 */
    } around;
    size_t boundary_count;
    struct in_force {
        struct hf_mail_boundary boundary;
        size_t level; /* of nesting; readings of one boundary share it */
        bool is_encrypted;
    } boundaries[BOUNDARIES_MAX];
};

struct stretch {
    size_t start, end;
    size_t hidden; /* where a part begins inside; SIZE_MAX */
    enum end how;
};

static void put_in_force(struct mail *m)
{
    size_t level =
        m->boundary_count == 0 ? 1 : m->boundaries[m->boundary_count - 1].level + 1;
    for (size_t i = 0; i < m->part.boundary_count && m->boundary_count < BOUNDARIES_MAX;
         i++)
        m->boundaries[m->boundary_count++] =
            (struct in_force){.boundary = m->part.boundaries[i],
                              .level = level,
                              .is_encrypted = m->part.wraps_encrypted};
}

/* Forget the boundaries of what lies within a level. Its own stays, also when it closes: some
 * readers go on behind a closing boundary. */
static void return_to(struct mail *m, size_t level)
{
    while (m->boundary_count > 0 && m->boundaries[m->boundary_count - 1].level > level)
        m->boundary_count--;
}

/* Whether the line is this boundary: exactly, or, when it is loosely compared, begins like it. */
static bool is_boundary(struct hf_bytes line, const struct hf_mail_boundary *b, bool loose,
                        bool *closes)
{
    struct hf_bytes rest = hf_bytes_of(line.data + 2, line.len - 2);
    if (rest.len < b->len || (b->len > 0 && memcmp(rest.data, b->text, b->len) != 0))
        return false;
    rest = hf_bytes_of(rest.data + b->len, rest.len - b->len);
    *closes = rest.len >= 2 && rest.data[0] == '-' && rest.data[1] == '-';
    return hf_mail_trim(rest).len == 0 ||
           (*closes && hf_mail_trim(hf_bytes_of(rest.data + 2, rest.len - 2)).len == 0) ||
           (loose && b->len > 0);
}

/* What may follow a boundary that was matched loosely: a header or its end. */
static bool header_follows(const struct mail *m)
{
    struct hf_mail_line line;
    return !hf_mail_peek(&m->lines, &line) || hf_mail_trim(line.text).len == 0 ||
           hf_mail_is_field(line.text, NULL);
}

/* Look the line up among the boundaries, innermost first; exact ones go before loose ones. */
static bool find_boundary(struct mail *m, struct hf_bytes line, size_t *level, bool *closes)
{
    if (line.len < 2 || line.data[0] != '-' || line.data[1] != '-')
        return false;
    if (!hf_cursor_charge(&m->lines.c, m->boundary_count / 8))
        return false;
    for (unsigned loose = 0; loose < 2; loose++)
        for (size_t i = m->boundary_count; i-- > m->around.boundary_count;) {
            *level = m->boundaries[i].level;
            if (is_boundary(line, &m->boundaries[i].boundary, loose != 0, closes) &&
                (!loose || *closes || header_follows(m)))
                return true;
        }
    return false;
}

static bool is_next_message(const struct mail *m, struct hf_bytes line, bool after_blank)
{
    struct hf_mail_line next;
    return m->is_mbox && after_blank && line.len > 5 &&
           memcmp(line.data, "From ", 5) == 0 && hf_mail_peek(&m->lines, &next) &&
           hf_mail_is_field(next.text, NULL);
}

/* Whether a stretch ends where a part begins inside: when it is one itself, or cannot be text. */
static bool is_cut_by_parts(const struct mail *m)
{
    return m->is_hidden || (m->part.encodings & HF_MAIL_BASE64) != 0;
}

/* Read lines until the stretch ends. */
static struct stretch read_stretch(struct mail *m)
{
    struct stretch s = {.start = m->lines.c.pos, .hidden = SIZE_MAX, .how = END_OF_MAIL};
    struct hf_mail_line line;
    size_t level;
    bool after_blank = false, closes;
    s.end = s.start;
    while (hf_mail_next(&m->lines, &line)) {
        if (find_boundary(m, line.text, &level, &closes)) {
            return_to(m, level);
            s.how = closes ? AT_EPILOGUE : AT_PART;
            return s;
        }
        if (is_next_message(m, line.text, after_blank)) {
            s.how = AT_MESSAGE;
            hf_mail_seek(&m->lines, line.start);
            return s;
        }
        if (s.hidden == SIZE_MAX && hf_mail_is_mime_field(line.text)) {
            s.hidden = line.start;
            if (is_cut_by_parts(m)) {
                s.how = AT_HIDDEN;
                hf_mail_seek(&m->lines, line.start);
                return s;
            }
        }
        after_blank = line.text.len == 0;
        s.end = line.start + line.text.len; /* the line's end belongs to the boundary */
    }
    return s;
}

/* What a child is called: as its header says, or by number. */
static struct hf_child child_of(struct mail *m, struct hf_bytes name, size_t start,
                                size_t end)
{
    struct hf_child child = hf_child_unknown();
    if (name.len == 0)
        name = hf_bytes_of(m->part.name, m->part.name_len);
    if (name.len == 0) {
        snprintf(m->numbered, sizeof m->numbered, "part%zu", m->number);
        name = hf_bytes_text(m->numbered);
    }
    child.name = name;
    child.packed = end - start;
    child.offset = start;
    return child;
}

static struct hf_mail_lines lines_of(const struct mail *m, size_t start, size_t end)
{
    return hf_mail_lines_of(&m->unpack->object, start, end);
}

static enum hf_status begin(struct mail *m, struct hf_bytes name, size_t start, size_t end)
{
    return hf_pusher_begin(&m->out, child_of(m, name, start, end));
}

/* End a child; a decoder that ran out of budget has only said so through the budget. */
static enum hf_status finish(struct mail *m, enum hf_status st, enum hf_status how)
{
    if (st != HF_OK)
        return st;
    const struct hf_budget *budget = m->unpack->object.budget;
    return hf_pusher_end(&m->out, budget != NULL && budget->exhausted ? HF_LIMIT : how);
}

static enum hf_status push_raw(struct mail *m, const struct stretch *s, enum hf_status how)
{
    size_t end = s->end;
    if (s->start <=
        m->first) { /* no header before it: all of it would be the object again */
        if (s->hidden == SIZE_MAX || s->hidden <= m->first)
            return HF_OK;
        end = s->hidden;
    }
    struct hf_child child = child_of(m, (struct hf_bytes){0}, s->start, end);
    struct hf_cursor c = hf_cursor_clip(&m->unpack->object, s->start, end - s->start);
    return hf_pusher_whole(&m->out, child, hf_take_rest(&c), how);
}

/* Once by every digit; when there was anything strange, without it as well, and as it lies. */
static enum hf_status push_base64(struct mail *m, const struct stretch *s,
                                  enum hf_status how, bool declared)
{
    struct hf_mail_lines lines = lines_of(m, s->start, s->end);
    struct hf_mail_base64 seen = {0};
    enum hf_status st = begin(m, (struct hf_bytes){0}, s->start, s->end);
    if (st == HF_OK)
        st = hf_mail_base64(lines, HF_MAIL_ALL_DIGITS, &seen, &m->out);
    st = finish(m, st, how);
    if (st != HF_OK || !(seen.strange || seen.goes_on))
        return st;
    st = begin(m, (struct hf_bytes){0}, s->start, s->end);
    if (st == HF_OK)
        st = hf_mail_base64(lines, HF_MAIL_CLEAN_LINES, &seen, &m->out);
    st = finish(m, st, how);
    return st == HF_OK && declared ? push_raw(m, s, how) : st;
}

static enum hf_status push_quoted(struct mail *m, const struct stretch *s,
                                  enum hf_status how)
{
    enum hf_status st = begin(m, (struct hf_bytes){0}, s->start, s->end);
    if (st == HF_OK)
        st = hf_mail_quoted(lines_of(m, s->start, s->end), &m->out);
    return finish(m, st, how);
}

/* A file in lines that lines stand at. */
static enum hf_status push_lines(struct mail *m, struct hf_mail_lines *lines,
                                 struct hf_bytes name,
                                 enum hf_status (*decode)(struct hf_mail_lines *lines,
                                                          struct hf_pusher *out))
{
    enum hf_status st = begin(m, name, lines->c.pos, lines->c.len);
    if (st == HF_OK)
        st = decode(lines, &m->out);
    return finish(m, st, HF_OK);
}

/* A run of lines that are nothing but base64. */
struct run {
    size_t start, end, digits;
};

/* Lines shorter than this end a run; a run shorter than that is a word. */
enum { RUN_LINE_MIN = 20, RUN_MIN = 64 };

static enum hf_status end_run(struct mail *m, struct run *run)
{
    struct stretch s = {.start = run->start, .end = run->end};
    bool is_long = run->digits >= RUN_MIN;
    run->digits = 0;
    return is_long ? push_base64(m, &s, HF_OK, false) : HF_OK;
}

/* One line of text that may begin something encoded. */
static enum hf_status look_at(struct mail *m, struct hf_mail_lines *lines,
                              const struct hf_mail_line *line, struct run *run)
{
    struct hf_bytes name, text = hf_mail_trim(line->text);
    size_t digits =
        text.len < RUN_LINE_MIN && run->digits == 0 ? 0 : hf_mail_base64_digits(text);
    if (digits > 0) {
        if (run->digits == 0)
            run->start = line->start;
        run->end = line->start + line->text.len;
        run->digits += digits;
        return HF_OK;
    }
    enum hf_status st = text.len == 0 ? HF_OK : end_run(m, run);
    if (st == HF_OK && hf_mail_is_uu_begin(line->text, &name))
        return push_lines(m, lines, name, hf_mail_uu);
    if (st == HF_OK && hf_mail_is_yenc_begin(line->text, &name))
        return push_lines(m, lines, name, hf_mail_yenc);
    return st;
}

/* What is encoded inside a text. */
static enum hf_status push_inside(struct mail *m, const struct stretch *s)
{
    struct hf_mail_lines lines = lines_of(m, s->start, s->end);
    struct hf_mail_line line;
    struct run run = {0};
    enum hf_status st = HF_OK;
    uint64_t before = m->out.number;
    while (st == HF_OK && hf_mail_next(&lines, &line))
        st = look_at(m, &lines, &line, &run);
    if (st == HF_OK)
        st = end_run(m, &run);
    if (st != HF_OK || m->out.number != before)
        return st;
    lines = lines_of(m, s->start, s->end); /* declared, and nothing begins it */
    if ((m->part.encodings & HF_MAIL_UU) != 0)
        st = push_lines(m, &lines, (struct hf_bytes){0}, hf_mail_uu);
    lines = lines_of(m, s->start, s->end);
    if (st == HF_OK && (m->part.encodings & HF_MAIL_YENC) != 0)
        st = push_lines(m, &lines, (struct hf_bytes){0}, hf_mail_yenc);
    return st;
}

static bool is_empty(struct mail *m, const struct stretch *s)
{
    struct hf_mail_lines lines = lines_of(m, s->start, s->end);
    struct hf_mail_line line;
    while (hf_mail_next(&lines, &line))
        if (hf_mail_trim(line.text).len > 0)
            return false;
    return true;
}

/* Whether CMS content is encrypted, by the object identifiers that it begins with: envelopedData,
 * encryptedData, authEnvelopedData. [RFC 5652 4, RFC 5083 2] */
static bool is_enveloped(const struct mail *m, const struct stretch *s)
{
    enum { LOOK = 128 };
    static const struct hf_bytes kinds[] = {
        {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 9},
        {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", 9},
        {(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 11}};
    struct hf_cursor c = hf_cursor_clip(&m->unpack->object, s->start, s->end - s->start);
    uint8_t decoded[LOOK + 4];
    struct hf_bytes head = hf_take(&c, c.len < LOOK ? c.len : LOOK);
    if ((m->part.encodings & HF_MAIL_BASE64) != 0) {
        struct hf_mail_base64 state = {0};
        head = hf_bytes_of(decoded, hf_mail_base64_bytes(&state, head, decoded));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (memmem(head.data, head.len, kinds[i].data, kinds[i].len) != NULL)
            return true;
    return false;
}

/* What the end of the stretch says of its contents. */
static enum hf_status how_of(const struct mail *m, const struct stretch *s)
{
    if (m->part.is_encrypted || (m->part.is_cms && is_enveloped(m, s)))
        return HF_ENCRYPTED;
    return m->part.is_fragment ? HF_UNSUPPORTED : HF_OK;
}

static enum hf_status push_stretch(struct mail *m, const struct stretch *s)
{
    if (is_empty(m, s))
        return HF_OK;
    m->number++;
    unsigned encodings = m->part.encodings;
    enum hf_status st = HF_OK, how = how_of(m, s);
    if ((encodings & HF_MAIL_BASE64) != 0)
        st = push_base64(m, s, how, true);
    if (st == HF_OK && (encodings & HF_MAIL_QUOTED) != 0)
        st = push_quoted(m, s, how);
    if (st == HF_OK && (encodings & (HF_MAIL_BASE64 | HF_MAIL_QUOTED)) == 0)
        st = push_raw(m, s, how);
    if (st == HF_OK && encodings != HF_MAIL_BASE64)
        st = push_inside(m, s);
    return st;
}

static bool is_wrapped_encrypted(const struct mail *m)
{
    return m->boundary_count > 0 && m->boundaries[m->boundary_count - 1].is_encrypted;
}

/* Read headers until a body begins: a message in a message has one of its own. */
static void read_headers(struct mail *m)
{
    enum { NESTED_MAX = 16 };
    bool is_fragment = false, is_encrypted = is_wrapped_encrypted(m);
    for (unsigned depth = 0; depth < NESTED_MAX; depth++) {
        hf_mail_read_header(&m->lines, m->scratch, &m->part);
        is_fragment = is_fragment || m->part.is_fragment;
        put_in_force(m);
        if (!m->part.is_message || m->part.encodings != 0)
            break;
    }
    m->part.is_fragment = is_fragment;
    if (m->part.boundary_count == 0)
        m->part.is_encrypted = m->part.is_encrypted || is_encrypted;
}

/* Read the inside of a stretch again, from where a part begins in it; no boundary around it counts
 * meanwhile. */
static void enter_hidden(struct mail *m, const struct stretch *s)
{
    m->around = (struct around){m->lines, s->how, m->boundary_count};
    m->lines = lines_of(m, s->hidden, s->end);
    m->is_hidden = true;
}

static enum end leave_hidden(struct mail *m)
{
    m->lines = m->around.lines;
    m->boundary_count = m->around.boundary_count;
    m->around.boundary_count = 0;
    m->is_hidden = false;
    return m->around.how;
}

/* Get ready for the next stretch. False when there is none. */
static bool follow(struct mail *m, const struct stretch *s)
{
    enum end how = s->how;
    if (how == END_OF_MAIL && m->is_hidden) {
        how = leave_hidden(m);
    } else if (s->hidden != SIZE_MAX && how != AT_HIDDEN) {
        enter_hidden(m, s);
        how = AT_HIDDEN;
    }
    switch (how) {
    case END_OF_MAIL: return false;
    case AT_EPILOGUE: memset(&m->part, 0, sizeof m->part); return true;
    case AT_MESSAGE: m->boundary_count = 0; break;
    case AT_PART:
    case AT_HIDDEN: break;
    }
    read_headers(m);
    return true;
}

/* Blank lines and a byte order mark before the first header. */
static void skip_to_start(struct mail *m)
{
    struct hf_mail_line line;
    if (hf_peek_equal(&m->lines.c, "\xEF\xBB\xBF", 3))
        hf_mail_seek(&m->lines, 3);
    while (hf_mail_peek(&m->lines, &line) && hf_mail_trim(line.text).len == 0)
        if (!hf_mail_next(&m->lines, &line))
            return;
    m->first = m->lines.c.pos;
    m->is_mbox = hf_peek_equal(&m->lines.c, "From ", 5);
}

enum hf_status hf_unpack_mail(struct hf_unpack *unpack)
{
    struct mail *m = hf_arena_alloc(unpack->arena, sizeof *m);
    struct hf_mail_scratch *scratch = hf_arena_alloc(unpack->arena, sizeof *scratch);
    if (m == NULL || scratch == NULL)
        return HF_NOMEM;
    m->unpack = unpack;
    m->out = hf_pusher_of(unpack);
    m->lines = lines_of(m, 0, unpack->object.len);
    m->scratch = scratch;
    skip_to_start(m);
    read_headers(m);
    struct stretch s;
    do {
        s = read_stretch(m);
        enum hf_status st = push_stretch(m, &s);
        if (st != HF_OK)
            return st;
        if (unpack->object.budget != NULL && unpack->object.budget->exhausted)
            return HF_LIMIT;
    } while (follow(m, &s));
    return HF_OK;
}

enum hf_status hf_unpack_uu(struct hf_unpack *unpack)
{
    struct mail *m = hf_arena_alloc(unpack->arena, sizeof *m);
    if (m == NULL)
        return HF_NOMEM;
    m->unpack = unpack;
    m->out = hf_pusher_of(unpack);
    enum hf_status st = push_inside(m, &(struct stretch){.end = unpack->object.len});
    if (st == HF_OK && unpack->object.budget != NULL && unpack->object.budget->exhausted)
        return HF_LIMIT;
    return st == HF_OK && m->out.number == 0 ? HF_NOTFOUND : st;
}
