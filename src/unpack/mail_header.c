#include "unpack/mail_header.h"

#include <strings.h>

static void add_boundary(struct hf_mail_part *part, struct hf_bytes text)
{
    if (part->boundary_count == HF_MAIL_BOUNDARIES_MAX)
        return;
    size_t len = text.len < HF_MAIL_BOUNDARY_MAX ? text.len : HF_MAIL_BOUNDARY_MAX;
    for (size_t i = 0; i < part->boundary_count; i++)
        if (hf_bytes_equal(hf_bytes_of(part->boundaries[i].text, part->boundaries[i].len),
                           hf_bytes_of(text.data, len)))
            return;
    struct hf_mail_boundary *b = &part->boundaries[part->boundary_count++];
    if (len > 0)
        memcpy(b->text, text.data, len);
    b->len = len;
}

/* Each reading of a boundary that is not quoted as it should be. */
static void add_readings(struct hf_mail_part *part, const struct hf_mail_parameter *p)
{
    struct hf_bytes v = p->value, word = {v.data, 0};
    add_boundary(part, v);
    while (word.len < v.len && strchr(" \t(,", v.data[word.len]) == NULL)
        word.len++;
    if (!p->quoted)
        add_boundary(part, word);
    struct hf_bytes trimmed = hf_mail_trim(v);
    add_boundary(part, trimmed);
    if (trimmed.len >= 2 && trimmed.data[0] == '\'' &&
        trimmed.data[trimmed.len - 1] == '\'')
        add_boundary(part, hf_bytes_of(trimmed.data + 1, trimmed.len - 2));
}

static void find_boundaries(const struct hf_mail_scratch *s, struct hf_mail_part *part)
{
    uint8_t together[HF_MAIL_BOUNDARY_MAX];
    for (size_t i = 0; i < s->parameter_count; i++)
        if (s->parameters[i].name.len == 8 &&
            hf_mail_begins(s->parameters[i].name, "boundary"))
            add_readings(part, &s->parameters[i]);
    size_t len = hf_mail_parameter(s, "boundary", together, sizeof together);
    if (len > 0)
        add_boundary(part, hf_bytes_of(together, len));
}

/* Later names do not replace earlier ones, but the disposition's goes before the type's. */
static void name_it(const struct hf_mail_scratch *s, const char *parameter,
                    struct hf_mail_part *part, bool replace)
{
    if (part->name_len > 0 && !replace)
        return;
    uint8_t name[HF_MAIL_NAME_MAX];
    size_t len = hf_mail_parameter(s, parameter, name, sizeof name);
    if (len == 0)
        return;
    memcpy(part->name, name, len);
    part->name_len = hf_mail_decode_words(part->name, len);
}

static void read_type(struct hf_mail_scratch *s, struct hf_mail_part *part)
{
    struct hf_bytes type = hf_mail_split_value(s);
    find_boundaries(s, part);
    name_it(s, "name", part, false);
    if (hf_mail_begins(type, "message/rfc822") || hf_mail_begins(type, "message/global") ||
        hf_mail_begins(type, "message/news"))
        part->is_message = true;
    if (hf_mail_begins(type, "message/partial")) {
        /* The first piece begins with a header; the others go on somewhere inside. */
        part->is_fragment = true;
        uint8_t number[8];
        size_t len = hf_mail_parameter(s, "number", number, sizeof number);
        part->is_message = hf_bytes_equal(hf_bytes_of(number, len), hf_bytes_text("1"));
    }
    if (hf_mail_begins(type, "multipart/encrypted"))
        part->wraps_encrypted = true;
    if (hf_mail_begins(type, "application/pkcs7-mime") ||
        hf_mail_begins(type, "application/x-pkcs7-mime"))
        part->is_cms = true;
}

/* Whatever is said of encodings, in any wording: "base-64", "\"BASE64\" (comment)". */
static void read_encoding(struct hf_mail_scratch *s, struct hf_mail_part *part)
{
    static const struct {
        const char *word;
        unsigned encoding;
    } words[] = {{"base64", HF_MAIL_BASE64}, {"b64", HF_MAIL_BASE64},
                 {"quoted", HF_MAIL_QUOTED}, {"qp", HF_MAIL_QUOTED},
                 {"uue", HF_MAIL_UU},        {"uuc", HF_MAIL_UU},
                 {"yenc", HF_MAIL_YENC}};
    uint8_t letters[256];
    size_t n = 0;
    for (size_t i = 0; i < s->len && n < sizeof letters; i++) {
        uint8_t b = s->value[i];
        if (b >= 'A' && b <= 'Z')
            b |= 0x20;
        if ((b >= 'a' && b <= 'z') || (b >= '0' && b <= '9'))
            letters[n++] = b;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (memmem(letters, n, words[i].word, strlen(words[i].word)) != NULL)
            part->encodings |= words[i].encoding;
}

static void read_disposition(struct hf_mail_scratch *s, struct hf_mail_part *part)
{
    (void)hf_mail_split_value(s);
    name_it(s, "filename", part, true);
    name_it(s, "name", part, false);
}

static const struct {
    const char *name;
    void (*read)(struct hf_mail_scratch *s, struct hf_mail_part *part);
} fields[] = {
    {"content-type", read_type},
    {"content-transfer-encoding", read_encoding},
    {"content-disposition", read_disposition},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static size_t field_of(struct hf_bytes text)
{
    size_t len;
    if (!hf_mail_is_field(text, &len))
        return FIELDS;
    for (size_t i = 0; i < FIELDS; i++)
        if (len == strlen(fields[i].name) && hf_mail_begins(text, fields[i].name))
            return i;
    return FIELDS;
}

bool hf_mail_is_mime_field(struct hf_bytes text)
{
    return field_of(text) < FIELDS;
}

static void append(struct hf_mail_scratch *s, struct hf_bytes text)
{
    size_t n = text.len < sizeof s->value - s->len ? text.len : sizeof s->value - s->len;
    if (n > 0)
        memcpy(s->value + s->len, text.data, n);
    s->len += n;
}

static bool is_folded(struct hf_bytes text)
{
    return text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t') &&
           hf_mail_trim(text).len > 0;
}

/* The field's value with its folded lines; what blanks they begin with become one. */
static void take_value(struct hf_mail_lines *lines, struct hf_mail_scratch *s,
                       struct hf_bytes first)
{
    struct hf_mail_line next;
    const uint8_t *colon = memchr(first.data, ':', first.len);
    size_t from = (size_t)(colon - first.data) + 1;
    s->len = 0;
    append(s, hf_bytes_of(first.data + from, first.len - from));
    while (hf_mail_peek(lines, &next) && is_folded(next.text)) {
        append(s, hf_bytes_text(" "));
        append(s, hf_mail_trim(next.text));
        if (!hf_mail_next(lines, &next))
            return;
    }
    s->len = hf_mail_decode_words(s->value, s->len);
}

/* Whether the header goes on behind a line that is no field: then that line was put in to end
 * the header for one reader and not for another. */
static bool goes_on(const struct hf_mail_lines *lines)
{
    struct hf_mail_lines ahead = *lines;
    struct hf_mail_line line;
    return hf_mail_next(&ahead, &line) && hf_mail_next(&ahead, &line) &&
           (hf_mail_is_mime_field(line.text) || hf_mail_begins(line.text, "mime-version:"));
}

static bool is_envelope(struct hf_bytes text)
{
    return hf_mail_begins(text, "from ") || hf_mail_begins(text, ">from ");
}

void hf_mail_read_header(struct hf_mail_lines *lines, struct hf_mail_scratch *scratch,
                         struct hf_mail_part *part)
{
    struct hf_mail_line line;
    memset(part, 0, sizeof *part);
    while (hf_mail_peek(lines, &line)) {
        bool is_blank = hf_mail_trim(line.text).len == 0;
        bool is_field = hf_mail_is_field(line.text, NULL);
        bool is_strange = !is_blank && !is_field && !is_envelope(line.text);
        if (is_strange && (hf_mail_begins(line.text, "--") || !goes_on(lines)))
            return;
        bool ends = line.text.len == 0 || (is_blank && !goes_on(lines));
        if (!hf_mail_next(lines, &line) || ends)
            return;
        if (!is_field)
            continue;
        take_value(lines, scratch, line.text);
        size_t field = field_of(line.text);
        if (field < FIELDS)
            fields[field].read(scratch, part);
    }
}
