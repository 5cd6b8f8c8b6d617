/* text_yara.c - YARA source files: each is a namespace of its own. What does not compile is
 * reported and left out; what compiles and cannot be searched for yet is counted by kind. */
#include "base/auto.h"
#include "base/text.h"
#include "db/build_internal.h"
#include "db/text.h"
#include "rules/externals.h"
#include "rules/machine.h"
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

static enum hf_status add_rule(struct hf_build *build, const struct hf_yara_rule *rule)
{
    struct hf_pattern *patterns = calloc(rule->string_count + 1, sizeof *patterns);
    if (patterns == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < rule->string_count; i++)
        patterns[i] = rule->strings[i].pattern;
    enum hf_status st = hf_build_add_rule(build, &rule->rule, patterns, rule->string_count,
                                          hf_bytes_text(rule->name));
    free(patterns);
    if (st != HF_UNSUPPORTED)
        return st;
    hf_build_skip(build, "YARA rules with a string that has no fixed bytes to search for");
    return add_placeholder(build, rule->name);
}

static bool has_global(const struct hf_yara *yara)
{
    for (size_t i = 0; i < hf_yara_count(yara); i++)
        if (hf_yara_rule(yara, i)->is_global)
            return true;
    return false;
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
    if (st != HF_OK && st != HF_MALFORMED)
        return st;
    if (has_global(yara)) {
        for (size_t i = 0; i < hf_yara_count(yara); i++)
            hf_build_skip(build, "YARA rules of files with a global rule");
        return HF_OK;
    }
    st = HF_OK;
    for (size_t i = 0; i < hf_yara_count(yara) && st == HF_OK; i++)
        st = add_rule(build, hf_yara_rule(yara, i));
    return st;
}
