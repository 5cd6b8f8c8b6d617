/* text_yara.c - YARA source files: each is a namespace of its own. What does not compile is
 * reported and left out; what compiles and cannot be searched for yet is counted by kind. */
#include "base/auto.h"
#include "base/text.h"
#include "db/build_internal.h"
#include "db/text.h"
#include "rules/externals.h"
#include "rules/machine.h"
#include "rules/rule_text.h"
#include "rules/yara/yara.h"

#include <stdlib.h>

static void on_message(void *user, const struct hf_yara_message *m)
{
    if (m->warning)
        return;
    hf_build_bad_line(user, m->line, "%s%s%s", m->rule, m->rule[0] == 0 ? "" : ": ",
                      m->text);
}

/* Stands in for a rule that was not taken, so that the distances by which rules refer to earlier
 * ones stay right: private, and never true. */
static enum hf_status add_placeholder(struct hf_build *build, const char *name)
{
    static const uint8_t never[] = {HF_OP_INT, 0, 0, 0, 0, 0, 0, 0, 0, HF_OP_END};
    struct hf_rule rule = hf_rule_plain();
    rule.flags = HF_RULE_PRIVATE;
    rule.condition = HF_CONDITION_PROGRAM;
    rule.program = hf_bytes_of(never, sizeof never);
    return hf_build_add_rule(build, &rule, NULL, 0, hf_bytes_text(name));
}

/* Namespace, tags, metadata and identifiers of a rule. */
static enum hf_status add_text(struct hf_build *build, const struct hf_yara_rule *rule)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_rule_text_write(&text, hf_bytes_text(rule->name_space), rule->is_global,
                       (uint32_t)rule->tag_count, (uint32_t)rule->meta_count,
                       (uint32_t)rule->string_count);
    for (size_t i = 0; i < rule->tag_count; i++)
        hf_rule_text_write_tag(&text, hf_bytes_text(rule->tags[i]));
    for (size_t i = 0; i < rule->meta_count; i++)
        hf_rule_text_write_meta(
            &text, &(struct hf_rule_meta){.name = hf_bytes_text(rule->metas[i].name),
                                          .value = rule->metas[i].value});
    for (size_t i = 0; i < rule->string_count; i++)
        hf_rule_text_write_string(
            &text, &(struct hf_rule_string){.name = hf_bytes_text(rule->strings[i].name),
                                            .hex = rule->strings[i].hex,
                                            .is_private = (rule->strings[i].pattern.flags &
                                                           HF_PATTERN_PRIVATE) != 0});
    return text.failed ? HF_NOMEM : hf_build_add_text(build, hf_buffer_view(&text));
}

/* What a rule says of its own weight: meta severity = "suspicious" or "pua". Anything else, and
 * most public rules say nothing or give a number, is infected. (docs/verdicts.md) */
static uint32_t severity_flag(const struct hf_yara_rule *rule)
{
    static const struct {
        const char *text;
        uint32_t flag;
    } severities[] = {{"suspicious", HF_RULE_SUSPICIOUS}, {"pua", HF_RULE_PUA}};
    for (size_t m = 0; m < rule->meta_count; m++)
        for (size_t i = 0; i < sizeof severities / sizeof *severities; i++)
            if (strcmp(rule->metas[m].name, "severity") == 0 &&
                rule->metas[m].value.type == HF_FACT_STRING &&
                hf_bytes_equal(rule->metas[m].value.string,
                               hf_bytes_text(severities[i].text)))
                return severities[i].flag;
    return 0;
}

static enum hf_status add_rule(struct hf_build *build, const struct hf_yara_rule *rule,
                               struct hf_bytes gates)
{
    struct hf_pattern *patterns = calloc(rule->string_count + 1, sizeof *patterns);
    struct hf_rule gated = rule->rule;
    if (patterns == NULL)
        return HF_NOMEM;
    gated.gates = gates;
    gated.flags |= severity_flag(rule);
    for (size_t i = 0; i < rule->string_count; i++)
        patterns[i] = rule->strings[i].pattern;
    enum hf_status st = hf_build_add_rule(build, &gated, patterns, rule->string_count,
                                          hf_bytes_text(rule->name));
    free(patterns);
    if (st == HF_UNSUPPORTED) {
        hf_build_skip(build,
                      "YARA rules with a string that has no fixed bytes to search for");
        return add_placeholder(build, rule->name);
    }
    return st == HF_OK ? add_text(build, rule) : st;
}

/* The global rules of a rule's namespace, by their distance from it: whatever their order, and the
 * rule itself left out. */
static void find_gates(const struct hf_yara *yara, const size_t *globals, size_t count,
                       size_t number, struct hf_buffer *gates)
{
    const struct hf_yara_rule *rule = hf_yara_rule(yara, number);
    hf_buffer_clear(gates);
    for (size_t i = 0; i < count; i++)
        if (globals[i] != number &&
            strcmp(hf_yara_rule(yara, globals[i])->name_space, rule->name_space) == 0)
            hf_buffer_u32(gates, (uint32_t)(globals[i] - number));
}

enum hf_status hf_build_add_yara(struct hf_build *build, const struct hf_yara *yara)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer gates = {0};
    size_t count = hf_yara_count(yara), global_count = 0;
    size_t *globals = calloc(count + 1, sizeof *globals);
    enum hf_status st = globals == NULL ? HF_NOMEM : HF_OK;
    for (size_t i = 0; i < count && st == HF_OK; i++)
        if (hf_yara_rule(yara, i)->is_global)
            globals[global_count++] = i;
    for (size_t i = 0; i < count && st == HF_OK; i++) {
        find_gates(yara, globals, global_count, i, &gates);
        st = gates.failed ? HF_NOMEM
                          : add_rule(build, hf_yara_rule(yara, i), hf_buffer_view(&gates));
    }
    free(globals);
    return st;
}

enum hf_status hf_read_yara(struct hf_build *build, const char *file_name,
                            struct hf_bytes text)
{
    struct hf_yara_external externals[HF_EXTERNALS];
    for (size_t i = 0; i < HF_EXTERNALS; i++)
        externals[i] = (struct hf_yara_external){.name = hf_external_names[i],
                                                 .value = hf_external_values[i]};
    const struct hf_yara_options options = {
        .modules = build->modules,
        .module_count = build->module_count,
        .externals = externals,
        .external_count = HF_EXTERNALS,
        .message = on_message,
        .user = build,
    };
    HF_AUTO(hf_yara_release) struct hf_yara *yara = hf_yara_new(&options);
    if (yara == NULL)
        return HF_NOMEM;
    enum hf_status st = hf_yara_add(yara, file_name, NULL, text);
    return st == HF_OK || st == HF_MALFORMED ? hf_build_add_yara(build, yara) : st;
}
