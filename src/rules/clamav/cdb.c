/* cdb.c - .cdb lines: Name:ContainerType:ContainerSize:FileNameRegex:SizeInContainer:SizeReal:
 * IsEncrypted:FilePos:Res1:Res2[:MinFL[:MaxFL]]. [facts/clamav.md 1.5] */
#include "base/auto.h"
#include "base/text.h"
#include "pattern/backtrack.h"
#include "rules/clamav/internal.h"
#include "rules/clamav/types.h"
#include "rules/metadata.h"

enum { FIELDS_MIN = 10, FIELDS_MAX = 12 };

/* *, n, n-m */
static bool read_range(struct hf_bytes text, struct hf_metadata_range *range)
{
    struct hf_bytes f[2];
    *range = (struct hf_metadata_range){.any = clamav_is(text, "*")};
    if (range->any)
        return true;
    size_t n = clamav_split(text, '-', f, 2);
    if (!hf_parse_uint(f[0], &range->min))
        return false;
    range->max = range->min;
    return n == 1 || hf_parse_uint(f[1], &range->max);
}

static const char *read_fields(const struct hf_bytes *f, struct hf_metadata *m)
{
    static const struct {
        unsigned place;
        enum hf_metadata_field field;
    } rows[] = {{2, HF_METADATA_CONTAINER_SIZE}, {4, HF_METADATA_PACKED},
                {5, HF_METADATA_SIZE},           {6, HF_METADATA_ENCRYPTED},
                {7, HF_METADATA_POSITION},       {8, HF_METADATA_CHECKSUM}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!read_range(f[rows[i].place], &m->fields[rows[i].field]))
            return "a field is no number, range or *";
    if (clamav_is(f[3], "*"))
        return NULL;
    m->name = f[3];
    HF_AUTO(hf_backtrack_release) struct hf_backtrack *b = NULL;
    struct hf_pattern_error error;
    return hf_backtrack_new(m->name, 0, &b, &error) == HF_OK ? NULL : error.text;
}

enum hf_clamav_result hf_clamav_read_cdb(struct hf_bytes line, struct hf_arena *arena,
                                         struct hf_clamav_signature *out)
{
    struct hf_bytes f[FIELDS_MAX + 1];
    struct hf_metadata m = {0};
    size_t n = clamav_split(line, ':', f, FIELDS_MAX + 1);
    *out = (struct hf_clamav_signature){.rule = hf_rule_plain()};
    if (n < FIELDS_MIN || n > FIELDS_MAX)
        return clamav_bad(out, "10 to 12 fields are needed");
    out->name = f[0];
    if (out->name.len == 0)
        return clamav_bad(out, "no name");
    enum hf_clamav_result r = clamav_check_levels(f + FIELDS_MIN, n - FIELDS_MIN, out);
    if (r != HF_CLAMAV_RULE)
        return r;
    if (!clamav_is(f[1], "*") && !clamav_is(f[1], "CL_TYPE_ANY")) {
        out->rule.guards.container = hf_clamav_type(f[1]);
        if (out->rule.guards.container == 0)
            return clamav_bad(out, "unknown container type");
    }
    const char *wrong = read_fields(f, &m);
    if (wrong != NULL)
        return clamav_bad(out, wrong);
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_metadata_write(&m, &text);
    struct hf_pattern pattern = {.kind = HF_PATTERN_METADATA,
                                 .text = hf_arena_copy(arena, hf_buffer_view(&text))};
    if (text.failed || pattern.text.data == NULL ||
        !clamav_add_pattern(out, arena, &pattern))
        return clamav_bad(out, "out of memory");
    /* No view: only the list of rules that wake alone leads to it. */
    out->rule.scope.views = 0;
    out->rule.flags |= HF_RULE_WAKES_ALONE | HF_RULE_BODY;
    out->rule.condition = HF_CONDITION_ALL;
    out->rule.pattern_count = 1;
    return HF_CLAMAV_RULE;
}
