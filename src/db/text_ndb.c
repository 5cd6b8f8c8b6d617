/* text_ndb.c - .ndb lines: Name:Target:Offset:HexSig[:minimum level[:maximum level]]. Fixed
 * bytes at places that need no facts; the rest is skipped by kind. */
#include "base/text.h"
#include "db/text.h"

enum {
    TARGETS = 15,
    TARGET_HTML = 3,
    TARGET_TEXT = 7,
    TARGET_INTERNAL = 13,
    BYTES_MIN = 2
};

static enum hf_line_result bad(struct hf_line *line, const char *why)
{
    line->why = why;
    return HF_LINE_BAD;
}

static enum hf_line_result skip(struct hf_line *line, const char *kind)
{
    line->why = kind;
    return HF_LINE_SKIP;
}

static bool begins(struct hf_bytes text, const char *with)
{
    size_t n = strlen(with);
    return text.len >= n && memcmp(text.data, with, n) == 0;
}

/* Offsets that are resolved from facts of an executable, by how they begin. */
static const char *needs_facts(struct hf_bytes offset)
{
    static const struct {
        const char *begins, *kind;
    } rows[] = {
        {"EP", "offsets from the entry point in .ndb"},
        {"S", "offsets from sections in .ndb"},
        {"VI", "offsets in version information in .ndb"},
        {"$", "macro groups in .ndb"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (begins(offset, rows[i].begins))
            return rows[i].kind;
    return NULL;
}

/* `*`, n, EOF-n; the last two with an optional ,span. */
static enum hf_line_result read_offset(struct hf_bytes text, struct hf_line *line)
{
    struct hf_place *place = &line->pattern.place;
    *place = (struct hf_place){.kind = HF_PLACE_ANYWHERE};
    if (text.len == 1 && text.data[0] == '*')
        return HF_LINE_NOTHING;
    const char *kind = needs_facts(text);
    if (kind != NULL)
        return skip(line, kind);
    struct hf_bytes f[2];
    uint64_t value, span = 0;
    place->kind = HF_PLACE_START;
    if (begins(text, "EOF-")) {
        place->kind = HF_PLACE_END;
        text = hf_bytes_of(text.data + 4, text.len - 4);
    }
    size_t n = hf_split(text, ',', f, 2);
    if (!hf_parse_uint(f[0], &value) || value > INT64_MAX ||
        (n == 2 && !hf_parse_uint(f[1], &span)))
        return bad(line, "offset not understood");
    place->offset = (int64_t)value;
    place->span = span;
    return HF_LINE_NOTHING;
}

static enum hf_line_result read_target(struct hf_bytes text, struct hf_line *line)
{
    uint64_t target = 0;
    bool any = text.len == 1 && text.data[0] == '*';
    if (!any && !hf_parse_uint(text, &target))
        return bad(line, "target is no number");
    if (target >= TARGETS)
        return skip(line, "targets that do not exist");
    if (target == TARGET_HTML || target == TARGET_TEXT || target == TARGET_INTERNAL)
        return skip(line, "signatures for normalised text (targets 3, 7, 13)");
    line->rule = hf_rule_plain();
    line->rule.scope.target = (uint8_t)target;
    if (target == 0)
        line->rule.scope.views = (1u << HF_VIEW_COUNT) - 1;
    return HF_LINE_NOTHING;
}

static enum hf_line_result read_hex(struct hf_bytes text, struct hf_line *line)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (memchr("?*{}[]()!|-", c, 11) != NULL)
            return skip(line, "wildcards in .ndb");
    }
    size_t n = hf_unhex(text, line->scratch, text.len / 2);
    if (n == SIZE_MAX)
        return bad(line, "no hexadecimal bytes");
    if (n < BYTES_MIN)
        return bad(line, "fewer than 2 bytes");
    if (n > UINT16_MAX)
        return skip(line, "byte strings longer than 65535");
    line->pattern.kind = HF_PATTERN_LITERAL;
    line->pattern.text = hf_bytes_of(line->scratch, n);
    return HF_LINE_NOTHING;
}

enum hf_line_result hf_read_ndb(const struct hf_text_format *format, struct hf_bytes text,
                                struct hf_line *line)
{
    (void)format;
    struct hf_bytes f[7];
    size_t n = hf_split(text, ':', f, 7);
    if (n < 4 || n > 6)
        return bad(line, "4 to 6 fields are needed");
    line->name = f[0];
    line->pattern = (struct hf_pattern){0};
    if (line->name.len == 0)
        return bad(line, "no name");
    uint64_t level_min;
    enum hf_line_result r = hf_check_levels(f + 4, n - 4, line, &level_min);
    if (r == HF_LINE_NOTHING)
        r = read_target(f[1], line);
    if (r == HF_LINE_NOTHING)
        r = read_offset(f[2], line);
    if (r == HF_LINE_NOTHING)
        r = read_hex(f[3], line);
    return r == HF_LINE_NOTHING ? HF_LINE_RULE : r;
}
