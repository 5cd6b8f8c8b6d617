/* place.c - targets and offsets: where a signature is looked for. [facts/clamav.md 1.2] */
#include "base/text.h"
#include "rules/clamav/internal.h"

enum { TARGETS = 15, TARGET_HTML = 3, TARGET_TEXT = 7, TARGET_INTERNAL = 13 };

enum hf_clamav_result clamav_bad(struct hf_clamav_signature *s, const char *why)
{
    s->why = why;
    return HF_CLAMAV_BAD;
}

enum hf_clamav_result clamav_skip(struct hf_clamav_signature *s, const char *kind)
{
    s->why = kind;
    return HF_CLAMAV_SKIP;
}

size_t clamav_split(struct hf_bytes text, char separator, struct hf_bytes *fields,
                    size_t max)
{
    size_t n = 0;
    for (;;) {
        const uint8_t *end =
            text.len == 0 || n + 1 == max ? NULL : memchr(text.data, separator, text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        fields[n++] = hf_bytes_of(text.data, len);
        if (end == NULL)
            return n;
        text = hf_bytes_of(end + 1, text.len - len - 1);
    }
}

bool clamav_begins(struct hf_bytes text, const char *with)
{
    size_t n = strlen(with);
    return text.len >= n && memcmp(text.data, with, n) == 0;
}

bool clamav_is(struct hf_bytes text, const char *what)
{
    return hf_bytes_equal(text, hf_bytes_text(what));
}

enum hf_clamav_result clamav_read_target(struct hf_bytes text,
                                         struct hf_clamav_signature *s)
{
    uint64_t target = 0;
    if (!clamav_is(text, "*") && !hf_parse_uint(text, &target))
        return clamav_bad(s, "target is no number");
    if (target >= TARGETS)
        return clamav_skip(s, "targets that do not exist");
    if (target == TARGET_INTERNAL)
        return clamav_skip(s, "signatures for metadata documents (target 13)");
    s->rule = hf_rule_plain();
    s->rule.scope.target = (uint8_t)target;
    if (target == 0)
        s->rule.scope.views = (1u << HF_VIEW_COUNT) - 1;
    else if (target == TARGET_HTML)
        s->rule.scope.views =
            1u << HF_VIEW_HTML | 1u << HF_VIEW_HTML_NOTAGS | 1u << HF_VIEW_HTML_SCRIPT;
    else if (target == TARGET_TEXT)
        s->rule.scope.views = 1u << HF_VIEW_TEXT;
    return HF_CLAMAV_RULE;
}

bool clamav_is_executable(uint8_t target)
{
    return target == 1 || target == 6 || target == 9;
}

static struct hf_bytes behind(struct hf_bytes text, size_t n)
{
    return hf_bytes_of(text.data + n, text.len - n);
}

/* Sx+n SL+n SEx, behind the S. */
static bool read_section(struct hf_bytes text, struct hf_place *place)
{
    uint64_t number = 0, value = 0;
    if (clamav_begins(text, "E")) {
        place->kind = HF_PLACE_IN_SECTION;
        if (!hf_parse_uint(behind(text, 1), &number) || number > UINT16_MAX)
            return false;
        place->section = (uint16_t)number;
        return true;
    }
    struct hf_bytes f[2];
    if (clamav_split(text, '+', f, 2) != 2 || !hf_parse_uint(f[1], &value) ||
        value > UINT32_MAX)
        return false;
    place->offset = (int64_t)value;
    place->kind = HF_PLACE_LAST_SECTION;
    if (clamav_is(f[0], "L"))
        return true;
    place->kind = HF_PLACE_SECTION;
    if (!hf_parse_uint(f[0], &number) || number > UINT16_MAX)
        return false;
    place->section = (uint16_t)number;
    return true;
}

static bool read_base(struct hf_bytes text, struct hf_place *place)
{
    uint64_t value = 0;
    if (clamav_begins(text, "EP+") || clamav_begins(text, "EP-")) {
        place->kind = HF_PLACE_ENTRY;
        if (!hf_parse_uint(behind(text, 3), &value) || value > UINT32_MAX)
            return false;
        place->offset = text.data[2] == '-' ? -(int64_t)value : (int64_t)value;
        return true;
    }
    if (clamav_begins(text, "S"))
        return read_section(behind(text, 1), place);
    if (clamav_is(text, "VI")) {
        place->kind = HF_PLACE_VERSION_INFO;
        return true;
    }
    place->kind = HF_PLACE_START;
    if (clamav_begins(text, "EOF-")) {
        place->kind = HF_PLACE_END;
        text = behind(text, 4);
    }
    if (!hf_parse_uint(text, &value) || value > UINT32_MAX)
        return false;
    place->offset = (int64_t)value;
    return true;
}

enum hf_clamav_result clamav_read_place(struct hf_bytes text, struct hf_clamav_signature *s,
                                        struct hf_place *place)
{
    *place = (struct hf_place){.kind = HF_PLACE_ANYWHERE};
    if (clamav_is(text, "*"))
        return HF_CLAMAV_RULE;
    if (clamav_begins(text, "$"))
        return clamav_skip(s, "macro groups");
    struct hf_bytes f[2];
    size_t n = clamav_split(text, ',', f, 2);
    if (!read_base(f[0], place) ||
        (n == 2 && (!hf_parse_uint(f[1], &place->span) || place->span > UINT32_MAX)))
        return clamav_bad(s, "offset not understood");
    bool relative = place->kind != HF_PLACE_START && place->kind != HF_PLACE_END;
    if (relative && !clamav_is_executable(s->rule.scope.target))
        return clamav_bad(s, "offset needs an executable's target (1, 6 or 9)");
    return HF_CLAMAV_RULE;
}
