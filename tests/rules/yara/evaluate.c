#include "evaluate.h"

#include "base/auto.h"
#include "format/schema.h"
#include "pattern/search.h"

#include <stdlib.h>

static size_t matches_of(void *user, uint32_t pattern, const struct hf_match **matches)
{
    struct evaluation *e = user;
    *matches = e->matches[pattern];
    return e->match_counts[pattern];
}

static bool earlier_rule(void *user, uint32_t distance)
{
    struct evaluation *e = user;
    return distance <= e->current && e->answers[e->current - distance];
}

/* Each form for itself: of "ascii wide" one may be no full word where the other is. */
static bool match_at(const struct hf_pattern *pattern, struct hf_bytes data, uint64_t at,
                     struct hf_machine_scratch *scratch, uint64_t *length)
{
    static const uint32_t forms[] = {HF_PATTERN_WIDE, HF_PATTERN_ASCII}; /* left out */
    uint32_t both = HF_PATTERN_ASCII | HF_PATTERN_WIDE;
    if ((pattern->flags & both) != both)
        return hf_pattern_match_at(pattern, data, at, NULL, scratch, length) == HF_OK;
    for (size_t i = 0; i < 2; i++) {
        struct hf_pattern one = *pattern;
        one.flags &= ~forms[i];
        if (hf_pattern_match_at(&one, data, at, NULL, scratch, length) == HF_OK)
            return true;
    }
    return false;
}

static void find_matches(struct evaluation *e, size_t i, const struct hf_pattern *pattern,
                         struct hf_bytes data, struct hf_machine_scratch *scratch)
{
    size_t room = 0;
    for (uint64_t at = 0; at <= data.len; at++) {
        uint64_t length;
        if (!hf_place_allows(&pattern->place, data.len, at) ||
            !match_at(pattern, data, at, scratch, &length))
            continue;
        if (e->match_counts[i] == room) {
            room = room * 2 + 16;
            e->matches[i] = realloc(e->matches[i], room * sizeof **e->matches);
            if (e->matches[i] == NULL)
                abort();
        }
        e->matches[i][e->match_counts[i]++] = (struct hf_match){at, length};
    }
}

static void find_all(struct evaluation *e, const struct hf_yara_rule *rule,
                     struct hf_bytes data, struct hf_machine_scratch *scratch)
{
    e->pattern_count = rule->string_count;
    e->matches = calloc(rule->string_count + 1, sizeof *e->matches);
    e->match_counts = calloc(rule->string_count + 1, sizeof *e->match_counts);
    if (e->matches == NULL || e->match_counts == NULL)
        abort();
    for (size_t i = 0; i < rule->string_count; i++)
        find_matches(e, i, &rule->strings[i].pattern, data, scratch);
}

static void forget_all(struct evaluation *e)
{
    for (size_t i = 0; i < e->pattern_count; i++)
        free(e->matches[i]);
    free(e->matches);
    free(e->match_counts);
}

/* Whether the engine would look at the rule at all. */
static bool would_wake(const struct evaluation *e, const struct hf_rule *rule,
                       struct hf_bytes data)
{
    const struct hf_guards *g = &rule->guards;
    if (data.len < g->size_min || data.len > g->size_max)
        return false;
    if (g->magic.length > 0 &&
        (data.len < g->magic.offset || data.len - g->magic.offset < g->magic.length ||
         memcmp(data.data + g->magic.offset, g->magic.bytes, g->magic.length) != 0))
        return false;
    bool any = (rule->flags & HF_RULE_WAKES_ALONE) != 0;
    for (size_t i = 0; i < e->pattern_count; i++)
        any = any || e->match_counts[i] > 0;
    return any;
}

static bool answer_of(struct evaluation *e, const struct hf_yara_rule *rule,
                      struct hf_machine_input *input)
{
    size_t matched = 0;
    bool answer = false;
    for (size_t i = 0; i < e->pattern_count; i++)
        matched += e->match_counts[i] > 0;
    switch (rule->rule.condition) {
    case HF_CONDITION_ALL: return matched == e->pattern_count;
    case HF_CONDITION_ANY: return matched > 0;
    case HF_CONDITION_PROGRAM: break;
    }
    enum hf_status status = hf_machine_run(rule->rule.program, input, &answer);
    if (status != HF_OK)
        abort(); /* what the compiler made runs: the budget here has no end */
    return answer;
}

/* Whether all global rules of a rule's namespace are true. */
static bool gate_is_open(const struct evaluation *e, const struct hf_yara_rule *rule)
{
    for (size_t i = 0; i < hf_yara_count(e->yara); i++) {
        const struct hf_yara_rule *other = hf_yara_rule(e->yara, i);
        if (other->is_global && !e->answers[i] && other->name_space == rule->name_space)
            return false;
    }
    return true;
}

const struct hf_fact_outside *evaluate_outside;

void evaluate(struct evaluation *e, const struct hf_yara *yara, struct hf_bytes data,
              const struct hf_value *externals, size_t external_count,
              evaluate_on_rule *on_rule, void *user)
{
    struct hf_budget budget = hf_budget_unlimited();
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)256 << 20);
    size_t count = hf_yara_count(yara);
    *e = (struct evaluation){.yara = yara, .answers = calloc(count + 1, 1)};
    if (scratch == NULL || arena == NULL || e->answers == NULL)
        abort();
    struct hf_cursor view = hf_cursor_open(data.data, data.len, &budget);
    struct hf_facts facts =
        hf_facts_of(hf_fact_modules, hf_fact_module_count, view, arena, NULL);
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    facts.hasher = hasher;
    facts.outside = evaluate_outside;
    struct hf_machine_input input = {
        .matches = matches_of,
        .user = e,
        .view = view,
        .rule = earlier_rule,
        .facts = &facts,
        .externals = externals,
        .external_count = external_count,
        .scratch = scratch,
    };
    for (unsigned pass = 0; pass < 2; pass++)
        for (e->current = 0; e->current < count; e->current++) {
            const struct hf_yara_rule *rule = hf_yara_rule(yara, e->current);
            bool shown = pass == 1 && e->answers[e->current] && !rule->is_private &&
                         gate_is_open(e, rule);
            if (pass == 1 && !shown)
                continue;
            find_all(e, rule, data, scratch);
            input.pattern_count = rule->rule.pattern_count;
            if (pass == 0) {
                e->answers[e->current] = answer_of(e, rule, &input);
                e->contradictions +=
                    e->answers[e->current] && !would_wake(e, &rule->rule, data);
            } else {
                on_rule(user, e, rule);
            }
            forget_all(e);
        }
    free(e->answers);
}
