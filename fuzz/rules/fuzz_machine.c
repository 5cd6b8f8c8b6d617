/* Runs stored rules and programs. Property: what the checker accepts runs to an answer or out
 * of budget, never into a refusal. */
#include "base/auto.h"
#include "facts/bytes.h"
#include "pattern/program.h"
#include "rules/machine.h"
#include "rules/rule.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t matches(void *user, uint32_t pattern, const struct hf_match **out)
{
    static const struct hf_match some[] = {{0, 1}, {3, 2}, {3, 9}, {700, 1}};
    (void)user;
    *out = some;
    return pattern % 5;
}

static bool earlier(void *user, uint32_t distance)
{
    (void)user;
    return distance % 2 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_fact_module *const modules[] = {&hf_hash_module, &hf_math_module,
                                                           &hf_string_module};
    struct hf_budget budget = hf_budget_of(&(struct hf_limits){.work = 20000});
    struct hf_value externals[] = {hf_value_int(5), hf_value_real(0.5),
                                   hf_value_string(hf_bytes_text("external"))};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    if (arena == NULL || scratch == NULL)
        return 0;
    struct hf_facts facts =
        hf_facts_of(modules, 3, hf_cursor_open(data, size, &budget), arena, NULL);
    struct hf_machine_input input = {.matches = matches,
                                     .pattern_count = 7,
                                     .view = hf_cursor_open(data, size, &budget),
                                     .rule = earlier,
                                     .facts = &facts,
                                     .externals = externals,
                                     .external_count = 3,
                                     .scratch = scratch};
    bool answer;
    enum hf_status checked = hf_machine_check(hf_bytes_of(data, size), 7);
    enum hf_status ran = hf_machine_run(hf_bytes_of(data, size), &input, &answer);
    assert(checked != HF_OK || ran == HF_OK || ran == HF_LIMIT);

    struct hf_rule rule, again;
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    if (hf_rule_read(&c, &rule) == HF_OK) {
        HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
        hf_rule_write(&rule, &b);
        struct hf_cursor back = hf_cursor_open(b.data, b.len, NULL);
        assert(hf_rule_read(&back, &again) == HF_OK);
    }
    return 0;
}
