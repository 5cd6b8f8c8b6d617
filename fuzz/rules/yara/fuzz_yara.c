/* Compiles hostile sources, then evaluates what compiled. Properties: every program passes the
 * checker and runs to an answer or out of budget; stored rules read back; a failed source has an
 * error with a place in it. */
#include "base/auto.h"
#include "format/schema.h"
#include "pattern/search.h"
#include "rules/machine.h"
#include "rules/yara/yara.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t no_matches(void *user, uint32_t pattern, const struct hf_match **out)
{
    static const struct hf_match some[] = {{0, 1}, {3, 2}, {3, 9}, {7, 1}};
    (void)user;
    *out = some;
    return pattern % 5;
}

static bool earlier(void *user, uint32_t distance)
{
    (void)user;
    return distance % 2 == 0;
}

static void on_message(void *user, const struct hf_yara_message *m)
{
    (void)user;
    assert(m->line >= 1 && m->column >= 1 && m->text[0] != 0 && m->file != NULL);
    assert(strlen(m->text) < 4096);
}

static enum hf_status include(void *user, const char *path, const char *from,
                              struct hf_arena *arena, const char **name,
                              struct hf_bytes *text)
{
    (void)from;
    *name = path;
    *text = hf_arena_copy(arena, *(const struct hf_bytes *)user);
    return strlen(path) > 3 ? HF_NOTFOUND : HF_OK;
}

static void run(const struct hf_yara_rule *rule, struct hf_machine_input *input)
{
    bool answer;
    input->pattern_count = rule->rule.pattern_count;
    if (rule->rule.condition != HF_CONDITION_PROGRAM)
        return;
    assert(hf_machine_check(rule->rule.program, input->pattern_count) == HF_OK);
    enum hf_status st = hf_machine_run(rule->rule.program, input, &answer);
    assert(st == HF_OK || st == HF_LIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_yara_external externals[] = {
        {"number", hf_value_int(5)},
        {"real", hf_value_real(0.5)},
        {"text", hf_value_string(hf_bytes_text("external"))},
    };
    struct hf_bytes source = hf_bytes_of(data, size);
    struct hf_yara_options options = {.modules = hf_fact_modules,
                                      .module_count = hf_fact_module_count,
                                      .externals = externals,
                                      .external_count = 3,
                                      .include = include,
                                      .message = on_message,
                                      .user = &source};
    HF_AUTO(hf_yara_release) struct hf_yara *yara = hf_yara_new(&options);
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 22);
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    if (yara == NULL || arena == NULL || scratch == NULL)
        return 0;
    enum hf_status st = hf_yara_add(yara, "fuzz.yar", NULL, source);
    assert((st == HF_MALFORMED) == (hf_yara_errors(yara) > 0) || st == HF_NOMEM);
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 50000});
    struct hf_cursor view = hf_cursor_open(data, size, &budget);
    struct hf_facts facts =
        hf_facts_of(hf_fact_modules, hf_fact_module_count, view, arena, NULL);
    struct hf_value values[] = {externals[0].value, externals[1].value, externals[2].value};
    struct hf_machine_input input = {.matches = no_matches,
                                     .view = view,
                                     .rule = earlier,
                                     .facts = &facts,
                                     .externals = values,
                                     .external_count = 3,
                                     .scratch = scratch};
    struct hf_budget steps = hf_budget_of(&(struct hf_limits){.work = 20000});
    input.steps = size % 2 == 0 ? &steps : NULL;
    for (size_t i = 0; i < hf_yara_count(yara); i++) {
        const struct hf_yara_rule *rule = hf_yara_rule(yara, i);
        HF_AUTO(hf_buffer_done) struct hf_buffer stored = {0};
        struct hf_rule again;
        hf_rule_write(&rule->rule, &stored);
        struct hf_cursor c = hf_cursor_open(stored.data, stored.len, NULL);
        assert(hf_rule_read(&c, &again) == HF_OK);
        for (size_t s = 0; s < rule->string_count; s++) {
            struct hf_pattern pattern;
            hf_buffer_clear(&stored);
            hf_pattern_write(&rule->strings[s].pattern, &stored);
            c = hf_cursor_open(stored.data, stored.len, NULL);
            assert(hf_pattern_read(&c, &pattern) == HF_OK);
        }
        run(rule, &input);
    }
    return 0;
}
