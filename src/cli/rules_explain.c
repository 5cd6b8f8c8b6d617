/* rules_explain.c - `holdfast rules explain`: what a scan does for a rule, from what the compiler made
 * of it: when it is looked at, what is searched for, what that costs. */
#include "base/auto.h"
#include "base/text.h"
#include "cli/rules_sources.h"

#include <inttypes.h>
#include <stdio.h>

struct explaining {
    struct hf_buffer out;
    bool json, failed;
};

static void on_message(void *user, const struct hf_yara_message *m)
{
    struct explaining *e = user;
    if (m->warning)
        return;
    e->failed = true;
    fprintf(stderr, "%s:%u: %s\n", m->file, m->line, m->text);
}

/* Bytes for people: as text where they are, else as digits. */
static void put_anchor(struct hf_buffer *out, const struct hf_rules_cost *cost)
{
    bool text = true;
    for (size_t i = 0; i < cost->anchor_shown; i++)
        text = text && cost->anchor[i] >= 0x20 && cost->anchor[i] < 0x7f;
    struct hf_bytes anchor = hf_bytes_of(cost->anchor, cost->anchor_shown);
    hf_buffer_u8(out, text ? '"' : '{');
    if (text)
        hf_escape(out, anchor);
    else
        hf_hex(out, anchor);
    hf_buffer_text(out, text ? "\"" : "}");
    if (cost->anchor_shown < cost->anchor_length)
        hf_buffer_text(out, "...");
}

static void put_guards(struct hf_buffer *out, const struct hf_guards *g)
{
    const char *comma = "";
    if (g->size_min > 0 || g->size_max != HF_GUARD_NO_MAX) {
        if (g->size_max == HF_GUARD_NO_MAX)
            hf_buffer_format(out, "size from %" PRIu64, g->size_min);
        else
            hf_buffer_format(out, "size %" PRIu64 " to %" PRIu64, g->size_min, g->size_max);
        comma = ", ";
    }
    if (g->magic.length > 0) {
        hf_buffer_format(out, "%sbytes ", comma);
        hf_hex(out, hf_bytes_of(g->magic.bytes, g->magic.length));
        hf_buffer_format(out, " at %u", g->magic.offset);
        comma = ", ";
    }
    if (comma[0] == 0)
        hf_buffer_text(out, "none");
}

static void put_guards_json(struct hf_buffer *out, const struct hf_guards *g)
{
    hf_buffer_format(out, "{\"size_min\":%" PRIu64, g->size_min);
    if (g->size_max != HF_GUARD_NO_MAX)
        hf_buffer_format(out, ",\"size_max\":%" PRIu64, g->size_max);
    if (g->magic.length > 0) {
        hf_buffer_text(out, ",\"magic\":\"");
        hf_hex(out, hf_bytes_of(g->magic.bytes, g->magic.length));
        hf_buffer_format(out, "\",\"magic_offset\":%u", g->magic.offset);
    }
    hf_buffer_u8(out, '}');
}

static const char *kind_of(const struct hf_yara_string *s)
{
    return s->hex ? "hex" : s->pattern.kind == HF_PATTERN_REGEX ? "regex" : "text";
}

static void put_string(struct explaining *e, const struct hf_yara_string *s, bool first)
{
    struct hf_rules_cost cost;
    hf_rules_cost(s, &cost);
    if (e->json) {
        hf_buffer_text(&e->out, first ? "" : ",");
        hf_buffer_text(&e->out, "{\"name\":");
        hf_json_string(&e->out, hf_bytes_text(s->name));
        hf_buffer_format(&e->out,
                         ",\"kind\":\"%s\",\"class\":\"%s\",\"needles\":%zu,\"anchor\":\"",
                         kind_of(s), cost.class, cost.needles);
        hf_hex(&e->out, hf_bytes_of(cost.anchor, cost.anchor_shown));
        hf_buffer_format(&e->out, "\",\"anchor_length\":%zu,\"slow\":%s,\"why\":",
                         cost.anchor_length, cost.slow ? "true" : "false");
        hf_json_string(&e->out, hf_bytes_text(cost.why));
        hf_buffer_u8(&e->out, '}');
        return;
    }
    hf_buffer_format(&e->out, "  %-16s %-6s %-8s", s->name, kind_of(s), cost.class);
    if (cost.needles > 0) {
        put_anchor(&e->out, &cost);
        if (cost.needles > 1)
            hf_buffer_format(&e->out, " and %zu more forms", cost.needles - 1);
    }
    if (cost.why[0] != 0)
        hf_buffer_format(&e->out, "%s%s%s", cost.needles > 0 ? "; " : "",
                         cost.slow ? "slow: " : "", cost.why);
    hf_buffer_u8(&e->out, '\n');
}

static bool wakes_alone(const struct hf_yara_rule *rule)
{
    return (rule->rule.flags & HF_RULE_WAKES_ALONE) != 0;
}

static void explain_rule_json(struct explaining *e, const struct hf_yara_rule *rule)
{
    hf_buffer_text(&e->out, "{\"file\":");
    hf_json_string(&e->out, hf_bytes_text(rule->file));
    hf_buffer_format(&e->out, ",\"line\":%u,\"rule\":", rule->line);
    hf_json_string(&e->out, hf_bytes_text(rule->name));
    hf_buffer_format(&e->out,
                     ",\"private\":%s,\"global\":%s,\"program_bytes\":%zu,\"guards\":",
                     rule->is_private ? "true" : "false",
                     rule->is_global ? "true" : "false", rule->rule.program.len);
    put_guards_json(&e->out, &rule->rule.guards);
    hf_buffer_format(&e->out, ",\"wakes_alone\":%s", wakes_alone(rule) ? "true" : "false");
    if (wakes_alone(rule)) {
        hf_buffer_text(&e->out, ",\"guards_alone\":");
        put_guards_json(&e->out, &rule->rule.alone);
    }
    hf_buffer_text(&e->out, ",\"strings\":[");
    for (size_t i = 0; i < rule->string_count; i++)
        put_string(e, &rule->strings[i], i == 0);
    hf_buffer_text(&e->out, "]}\n");
}

static void explain_rule(struct explaining *e, const struct hf_yara_rule *rule)
{
    if (e->json) {
        explain_rule_json(e, rule);
        return;
    }
    hf_buffer_format(&e->out, "%s%s%s  ", rule->is_global ? "global " : "",
                     rule->is_private ? "private " : "", rule->name);
    hf_escape(&e->out, hf_bytes_text(rule->file));
    hf_buffer_format(&e->out, ":%u\n  must hold: ", rule->line);
    put_guards(&e->out, &rule->rule.guards);
    hf_buffer_text(&e->out, "\n  looked at: ");
    if (wakes_alone(rule)) {
        hf_buffer_text(&e->out,
                       rule->string_count > 0
                           ? "also when none of its strings matches; then must hold: "
                           : "without strings; must hold: ");
        put_guards(&e->out, &rule->rule.alone);
    } else {
        hf_buffer_text(&e->out, "only when one of its strings matches");
    }
    hf_buffer_format(&e->out, "\n  condition: %zu bytes of program\n",
                     rule->rule.program.len);
    for (size_t i = 0; i < rule->string_count; i++)
        put_string(e, &rule->strings[i], i == 0);
}

int hf_rules_explain(const struct hf_arguments *arguments, bool json)
{
    HF_AUTO(hf_rules_sources_done) struct hf_rules_sources sources;
    struct explaining e = {.json = json};
    e.failed = !hf_rules_sources_read(&sources, arguments);
    for (size_t i = 0; i < sources.count; i++) {
        const struct hf_rules_source *s = &sources.items[i];
        HF_AUTO(hf_yara_release) struct hf_yara *yara = hf_rules_compiler(on_message, &e);
        if (yara == NULL ||
            hf_yara_add(yara, s->path, NULL, hf_buffer_view(&s->text)) == HF_NOMEM)
            e.out.failed = true;
        for (size_t k = 0; yara != NULL && k < hf_yara_count(yara); k++)
            explain_rule(&e, hf_yara_rule(yara, k));
    }
    int code = hf_print(arguments, &e.out);
    hf_buffer_done(&e.out);
    return e.failed ? HF_EXIT_ERROR : code;
}
