/* ndb.c - .ndb lines: Name:Target:Offset:HexSig[:MinFL[:MaxFL]], and .db lines: Name=HexSig. */
#include "base/auto.h"
#include "base/text.h"
#include "rules/clamav/internal.h"
#include "rules/machine.h"

enum hf_clamav_result clamav_check_levels(const struct hf_bytes *fields, size_t count,
                                          struct hf_clamav_signature *s)
{
    uint64_t level[2] = {0, UINT64_MAX};
    for (size_t i = 0; i < count; i++)
        if (fields[i].len > 0 && !hf_parse_uint(fields[i], &level[i]))
            return clamav_bad(s, "level is no number");
    return level[0] > HF_CLAMAV_FLEVEL || level[1] < HF_CLAMAV_FLEVEL
               ? clamav_skip(s, "other functionality levels")
               : HF_CLAMAV_RULE;
}

/* All patterns at their places is the whole condition, unless they are linked: then the matches
 * of the last one decide. */
static bool set_condition(struct hf_clamav_signature *s, struct hf_arena *arena)
{
    s->rule.flags |= HF_RULE_BODY;
    s->rule.condition = HF_CONDITION_ALL;
    if (s->pattern_count == 1)
        return true;
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    hf_buffer_u8(&program, HF_OP_MATCHED);
    hf_buffer_u32(&program, (uint32_t)s->pattern_count - 1);
    hf_buffer_u8(&program, HF_OP_END);
    s->rule.condition = HF_CONDITION_PROGRAM;
    s->rule.program = hf_arena_copy(arena, hf_buffer_view(&program));
    return !program.failed && s->rule.program.data != NULL;
}

static enum hf_clamav_result finish(struct hf_bytes hex, const struct hf_place *place,
                                    struct hf_arena *arena, struct hf_clamav_signature *out)
{
    struct hf_hexsig_options options = {0};
    struct hf_hexsig sig;
    struct hf_pattern_error error;
    if (hf_hexsig_compile(hex, &options, arena, &sig, &error) != HF_OK)
        return clamav_bad(out, error.text);
    sig.patterns[0].place = *place;
    out->patterns = sig.patterns;
    out->pattern_count = out->rule.pattern_count = (uint32_t)sig.count;
    return set_condition(out, arena) ? HF_CLAMAV_RULE : clamav_bad(out, "out of memory");
}

enum hf_clamav_result hf_clamav_read_ndb(struct hf_bytes line, struct hf_arena *arena,
                                         struct hf_clamav_signature *out)
{
    struct hf_bytes f[7];
    size_t n = clamav_split(line, ':', f, 7);
    *out = (struct hf_clamav_signature){0};
    if (n < 4 || n > 6)
        return clamav_bad(out, "4 to 6 fields are needed");
    out->name = f[0];
    if (out->name.len == 0)
        return clamav_bad(out, "no name");
    struct hf_place place;
    enum hf_clamav_result r = clamav_check_levels(f + 4, n - 4, out);
    if (r == HF_CLAMAV_RULE)
        r = clamav_read_target(f[1], out);
    if (r == HF_CLAMAV_RULE)
        r = clamav_read_place(f[2], out, &place);
    if (r != HF_CLAMAV_RULE)
        return r;
    return finish(f[3], &place, arena, out);
}

enum hf_clamav_result hf_clamav_read_db(struct hf_bytes line, struct hf_arena *arena,
                                        struct hf_clamav_signature *out)
{
    struct hf_bytes f[2];
    *out = (struct hf_clamav_signature){0};
    if (clamav_split(line, '=', f, 2) != 2)
        return clamav_bad(out, "Name=HexSig is needed");
    out->name = f[0];
    if (out->name.len == 0)
        return clamav_bad(out, "no name");
    if (clamav_begins(f[1], "="))
        return clamav_skip(out, "lines of .db that are switched off");
    struct hf_place place = {.kind = HF_PLACE_ANYWHERE};
    enum hf_clamav_result r = clamav_read_target(hf_bytes_text("0"), out);
    return r == HF_CLAMAV_RULE ? finish(f[1], &place, arena, out) : r;
}
