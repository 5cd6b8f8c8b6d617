/* ldb.c - .ldb lines: Name;TargetDescription;Expression;Subsig0[;Subsig1...]. */
#include "base/auto.h"
#include "base/text.h"
#include "rules/clamav/internal.h"
#include "rules/clamav/types.h"

enum {
    KEYS_MAX = 10,
    FIELDS = 3,
    EXTENDED_LEVEL = 51 /* from which keys other than Target and Engine are known */
};

struct reader {
    struct hf_clamav_signature *s;
    struct hf_arena *arena;
    struct clamav_subsigs subsigs;
    bool has_target;
    uint64_t engine_min;
    bool needs_engine; /* a key that wants EXTENDED_LEVEL was seen */
};

/* ---- target description ---- */

/* "a-b" */
static bool read_range(struct hf_bytes text, uint64_t *low, uint64_t *high)
{
    struct hf_bytes f[2];
    return clamav_split(text, '-', f, 2) == 2 && hf_parse_uint(f[0], low) &&
           hf_parse_uint(f[1], high);
}

static enum hf_clamav_result read_engine(struct reader *r, struct hf_bytes value)
{
    uint64_t high;
    if (!read_range(value, &r->engine_min, &high))
        return clamav_bad(r->s, "Engine is no range");
    return r->engine_min > HF_CLAMAV_FLEVEL || high < HF_CLAMAV_FLEVEL
               ? clamav_skip(r->s, "other functionality levels")
               : HF_CLAMAV_RULE;
}

static enum hf_clamav_result read_key_target(struct reader *r, struct hf_bytes value)
{
    const struct hf_rule before = r->s->rule;
    enum hf_clamav_result result = clamav_read_target(value, r->s);
    if (result != HF_CLAMAV_RULE)
        return result;
    r->has_target = true;
    r->s->rule.guards = before.guards; /* other keys may have come first */
    r->s->rule.handler = before.handler;
    return HF_CLAMAV_RULE;
}

static enum hf_clamav_result read_file_size(struct reader *r, struct hf_bytes value)
{
    struct hf_guards *g = &r->s->rule.guards;
    return read_range(value, &g->size_min, &g->size_max)
               ? HF_CLAMAV_RULE
               : clamav_bad(r->s, "FileSize is no range");
}

static enum hf_clamav_result read_entry(struct reader *r, struct hf_bytes value)
{
    struct hf_guards *g = &r->s->rule.guards;
    g->has_entry = read_range(value, &g->entry.min, &g->entry.max);
    return g->has_entry ? HF_CLAMAV_RULE : clamav_bad(r->s, "EntryPoint is no range");
}

static enum hf_clamav_result read_sections(struct reader *r, struct hf_bytes value)
{
    struct hf_guards *g = &r->s->rule.guards;
    g->has_sections = read_range(value, &g->sections.min, &g->sections.max);
    return g->has_sections ? HF_CLAMAV_RULE
                           : clamav_bad(r->s, "NumberOfSections is no range");
}

static enum hf_clamav_result read_type(struct reader *r, struct hf_bytes value,
                                       uint16_t *type)
{
    *type = hf_clamav_type(value);
    return *type != 0 ? HF_CLAMAV_RULE
                      : clamav_skip(r->s, "logical signatures with unknown file types");
}

static enum hf_clamav_result read_container(struct reader *r, struct hf_bytes value)
{
    return read_type(r, value, &r->s->rule.guards.container);
}

static enum hf_clamav_result read_handler(struct reader *r, struct hf_bytes value)
{
    return read_type(r, value, &r->s->rule.handler);
}

/* CL_TYPE_A>CL_TYPE_B: from outside inwards. */
static enum hf_clamav_result read_intermediates(struct reader *r, struct hf_bytes value)
{
    struct hf_guards *g = &r->s->rule.guards;
    struct hf_bytes f[HF_GUARD_OUTER_MAX + 1];
    size_t n = clamav_split(value, '>', f, HF_GUARD_OUTER_MAX + 1);
    if (n > HF_GUARD_OUTER_MAX)
        return clamav_bad(r->s, "more than 16 Intermediates");
    for (size_t i = 0; i < n; i++) {
        enum hf_clamav_result result = read_type(r, f[i], &g->outer[i]);
        if (result != HF_CLAMAV_RULE)
            return result;
    }
    g->outer_count = (uint8_t)n;
    return HF_CLAMAV_RULE;
}

struct key {
    const char *name;
    enum hf_clamav_result (*read)(struct reader *r, struct hf_bytes value);
    const char *skipped; /* kind, when it is not evaluated */
    bool always;         /* known at every level */
};

static const struct key keys[] = {
    {"Engine", read_engine, NULL, true},
    {"Target", read_key_target, NULL, true},
    {"FileSize", read_file_size, NULL, false},
    {"Container", read_container, NULL, false},
    {"EntryPoint", read_entry, NULL, false},
    {"NumberOfSections", read_sections, NULL, false},
    {"IconGroup1", NULL, "logical signatures with icons", false},
    {"IconGroup2", NULL, "logical signatures with icons", false},
    {"HandlerType", read_handler, NULL, false},
    {"Intermediates", read_intermediates, NULL, false},
};

static enum hf_clamav_result read_key(struct reader *r, struct hf_bytes text)
{
    struct hf_bytes f[2];
    if (clamav_split(text, ':', f, 2) != 2)
        return clamav_bad(r->s, "a key without a value");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!clamav_is(f[0], keys[i].name))
            continue;
        r->needs_engine = r->needs_engine || !keys[i].always;
        return keys[i].read != NULL ? keys[i].read(r, f[1])
                                    : clamav_skip(r->s, keys[i].skipped);
    }
    return clamav_skip(r->s, "logical signatures with unknown keys");
}

/* A kind that is skipped is remembered, but what is malformed is so all the same. */
static enum hf_clamav_result read_description(struct reader *r, struct hf_bytes text)
{
    struct hf_bytes f[KEYS_MAX + 1];
    size_t n = clamav_split(text, ',', f, KEYS_MAX + 1);
    if (n > KEYS_MAX)
        return clamav_bad(r->s, "more than 10 keys");
    r->s->rule = hf_rule_plain();
    const char *kind = NULL;
    for (size_t i = 0; i < n; i++) {
        enum hf_clamav_result result = read_key(r, f[i]);
        if (result == HF_CLAMAV_BAD)
            return result;
        if (result == HF_CLAMAV_SKIP && kind == NULL)
            kind = r->s->why;
        if (result == HF_CLAMAV_SKIP && clamav_begins(f[i], "Engine:"))
            break; /* the rest may be of another age's grammar */
    }
    if (kind != NULL)
        return clamav_skip(r->s, kind);
    if (!r->has_target)
        return clamav_bad(r->s, "no Target");
    if (r->needs_engine && r->engine_min < EXTENDED_LEVEL)
        return clamav_bad(r->s, "keys that need Engine:51 or later");
    const struct hf_guards *g = &r->s->rule.guards;
    if ((g->has_entry || g->has_sections) && !clamav_is_executable(r->s->rule.scope.target))
        return clamav_bad(r->s, "a key that needs an executable's target (1, 6 or 9)");
    return HF_CLAMAV_RULE;
}

/* ---- sub-signatures ---- */

static bool contains(struct hf_bytes text, const char *what)
{
    return text.len > 0 && memmem(text.data, text.len, what, strlen(what)) != NULL;
}

enum kind { KIND_FUZZY, KIND_EXPRESSION, KIND_COMPARE, KIND_MACRO, KIND_HEX };

/* By what stands in it. Between slashes can stand anything. */
static enum kind kind_of(struct hf_bytes text)
{
    static const char *const marks[] = {
        [KIND_FUZZY] = "fuzzy_img#",
        [KIND_EXPRESSION] = "/",
        [KIND_COMPARE] = "#",
        [KIND_MACRO] = "${",
    };
    for (unsigned i = 0; i < KIND_HEX; i++)
        if (contains(text, marks[i]))
            return (enum kind)i;
    return KIND_HEX;
}

static bool read_modifiers(struct hf_bytes text, struct hf_hexsig_options *options)
{
    bool ascii = false;
    for (size_t i = 0; i < text.len; i++)
        switch (text.data[i]) {
        case 'i': options->nocase = true; break;
        case 'w': options->wide = true; break;
        case 'a': ascii = true; break;
        case 'f': options->fullword = true; break;
        default: return false;
        }
    options->ascii = ascii;
    return true;
}

/* [offset:]hex[::modifiers] */
static enum hf_clamav_result read_subsig(struct reader *r, struct hf_bytes text,
                                         bool counted, struct clamav_subsig *subsig)
{
    struct hf_clamav_signature *s = r->s;
    struct hf_hexsig_options options = {.counted = counted};
    struct hf_bytes hex = text, f[2];
    const uint8_t *modifiers = text.len == 0 ? NULL : memmem(text.data, text.len, "::", 2);
    if (modifiers != NULL) {
        hex.len = (size_t)(modifiers - text.data);
        if (!read_modifiers(hf_bytes_of(modifiers + 2, text.len - hex.len - 2), &options))
            return clamav_bad(s, "unknown modifier");
    }
    struct hf_place place = {.kind = HF_PLACE_ANYWHERE};
    if (clamav_split(hex, ':', f, 2) == 2) {
        enum hf_clamav_result result = clamav_read_place(f[0], s, &place);
        if (result != HF_CLAMAV_RULE)
            return result;
        hex = f[1];
    }
    struct hf_hexsig sig;
    struct hf_pattern_error error;
    if (hf_hexsig_compile(hex, &options, r->arena, &sig, &error) != HF_OK)
        return clamav_bad(s, error.text);
    for (size_t i = 0; i < sig.form_count; i++) {
        sig.patterns[sig.forms[i].first].place = place;
        subsig->patterns[i] = (uint32_t)(s->pattern_count + sig.forms[i].last);
    }
    subsig->count = sig.form_count;
    for (size_t i = 0; i < sig.count; i++)
        if (!clamav_add_pattern(s, r->arena, &sig.patterns[i]))
            return clamav_bad(s, "out of memory");
    return HF_CLAMAV_RULE;
}

/* ---- lines ---- */

/* Split at ; but not inside of regular expressions, which stand between slashes. */
static bool split_subsigs(struct reader *r, struct hf_bytes text)
{
    bool in_regex = false;
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.data[i] == '/' && (i == 0 || text.data[i - 1] != '\\'))
            in_regex = !in_regex;
        if (i < text.len && (text.data[i] != ';' || in_regex))
            continue;
        if (r->subsigs.count == CLAMAV_SUBSIGS_MAX)
            return false;
        r->subsigs.texts[r->subsigs.count++] = hf_bytes_of(text.data + from, i - from);
        from = i + 1;
    }
    return true;
}

/* All operators alike and nothing compared: no program is needed. */
static bool is_plain(const struct clamav_node *n, char op)
{
    return n->compare == 0 &&
           (n->op == 0 || (n->op == op && is_plain(n->left, op) && is_plain(n->right, op)));
}

static bool set_condition(struct reader *r, const struct clamav_expression *e)
{
    struct hf_clamav_signature *s = r->s;
    const struct clamav_subsig *subsigs = r->subsigs.items;
    bool whole = s->pattern_count == r->subsigs.count && !r->subsigs.has_derived &&
                 (uint64_t)__builtin_popcountll(e->used) == r->subsigs.count;
    if (whole && (is_plain(e->root, '&') || is_plain(e->root, '|'))) {
        s->rule.condition = is_plain(e->root, '&') ? HF_CONDITION_ALL : HF_CONDITION_ANY;
        return true;
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    clamav_emit_expression(e, subsigs, &program);
    s->rule.condition = HF_CONDITION_PROGRAM;
    s->rule.program = hf_arena_copy(r->arena, hf_buffer_view(&program));
    if (clamav_holds_alone(e) || r->subsigs.wakes_alone)
        s->rule.flags |= HF_RULE_WAKES_ALONE;
    return !program.failed && s->rule.program.data != NULL;
}

/* What is searched for comes first: what is worked out from it names its patterns. */
static enum hf_clamav_result read_kinds(struct reader *r, enum kind kind, uint64_t counted)
{
    static const char *const skipped[] = {
        [KIND_FUZZY] = "fuzzy image hashes in .ldb",
        [KIND_MACRO] = "macros in .ldb",
    };
    const char *why = NULL;
    for (size_t i = 0; i < r->subsigs.count; i++) {
        struct hf_bytes text = r->subsigs.texts[i];
        enum hf_clamav_result result = HF_CLAMAV_RULE;
        if (kind_of(text) != kind)
            continue;
        switch (kind) {
        case KIND_HEX:
            result = read_subsig(r, text, (counted >> i & 1) != 0, &r->subsigs.items[i]);
            break;
        case KIND_COMPARE:
            result = clamav_read_compare(text, i, &r->subsigs, r->s, r->arena);
            break;
        case KIND_EXPRESSION:
            result = clamav_read_regex(text, i, &r->subsigs, r->s, r->arena);
            break;
        case KIND_FUZZY:
        case KIND_MACRO: result = clamav_skip(r->s, skipped[kind]); break;
        }
        if (result == HF_CLAMAV_BAD)
            return result;
        why = result == HF_CLAMAV_SKIP && why == NULL ? r->s->why : why;
    }
    return why == NULL ? HF_CLAMAV_RULE : clamav_skip(r->s, why);
}

static enum hf_clamav_result read_subsigs(struct reader *r,
                                          const struct clamav_expression *e)
{
    static const enum kind order[] = {KIND_HEX, KIND_FUZZY, KIND_MACRO, KIND_COMPARE,
                                      KIND_EXPRESSION};
    uint64_t counted = e->counted;
    for (size_t i = 0; i < r->subsigs.count; i++)
        if (kind_of(r->subsigs.texts[i]) == KIND_EXPRESSION ||
            kind_of(r->subsigs.texts[i]) == KIND_COMPARE)
            counted |= clamav_counted_by(r->subsigs.texts[i], r->arena);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        enum hf_clamav_result result = read_kinds(r, order[i], counted);
        if (result != HF_CLAMAV_RULE)
            return result;
    }
    r->s->rule.pattern_count = (uint32_t)r->s->pattern_count;
    return set_condition(r, e) ? HF_CLAMAV_RULE : clamav_bad(r->s, "out of memory");
}

enum hf_clamav_result hf_clamav_read_ldb(struct hf_bytes line, struct hf_arena *arena,
                                         struct hf_clamav_signature *out)
{
    struct reader r = {.s = out, .arena = arena};
    struct hf_bytes f[FIELDS + 1];
    *out = (struct hf_clamav_signature){0};
    if (clamav_split(line, ';', f, FIELDS + 1) != FIELDS + 1)
        return clamav_bad(out, "at least 4 fields are needed");
    out->name = f[0];
    if (out->name.len == 0)
        return clamav_bad(out, "no name");
    enum hf_clamav_result result = read_description(&r, f[1]);
    if (result != HF_CLAMAV_RULE)
        return result;
    struct clamav_expression e;
    const char *wrong = clamav_parse_expression(f[2], arena, &e);
    if (wrong != NULL)
        return clamav_bad(out, wrong);
    if (!split_subsigs(&r, f[3]))
        return clamav_bad(out, "more than 64 sub-signatures");
    if (r.subsigs.count != (size_t)e.highest + 1)
        return clamav_bad(
            out, "the expression does not use as many sub-signatures as there are");
    return read_subsigs(&r, &e);
}
