/* rules.c - which rules are true of an object. A rule is looked at when one of its patterns has
 * matched, or when it can be true without; facts are parsed when a condition asks for them. */
#include "rules/clamav/types.h"
#include "rules/externals.h"
#include "scan/derived.h"
#include "scan/view.h"

/* References from rule to rule go back in load order only, so they end; this bounds the stack. */
enum { REFERENCES_MAX = 32 };

/* One rule under evaluation: its hits are a run of the sorted table. */
struct rule_at_hand {
    struct hf_judging *judging;
    const struct hf_hits *hits;
    uint32_t segment, number;
    struct hf_rule rule;
    uint32_t signature;
    const struct hf_hit *items;
    size_t count;
    struct hf_chain_part
        *parts; /* of a chained rule, one a pattern: what counts of its hits */
    unsigned depth;
    struct hf_budget *steps; /* what the rule that is judged may still cost */
};

/* The type of what an object lies in, so many levels out; ANY: it lies in nothing more. */
static uint16_t type_around(const struct hf_object *object, unsigned level)
{
    while (object->parent != NULL && level-- > 0)
        object = object->parent;
    if (object->parent == NULL)
        return HF_CLAMAV_TYPE_ANY;
    return hf_clamav_type(hf_bytes_text(hf_format_row(object->inside)->cl_type));
}

/* The way from outside inwards: from the direct parent, the last, outwards. */
static bool lies_in(const struct hf_guards *g, const struct hf_object *object)
{
    unsigned level = 0;
    if (g->container != 0 && type_around(object, 0) != g->container)
        return false;
    if (object->depth < g->outer_count)
        return false; /* also when some of them may be anything */
    for (unsigned i = g->outer_count; i-- > 0;)
        if (g->outer[i] != HF_CLAMAV_TYPE_ANY &&
            type_around(object, level++) != g->outer[i])
            return false;
    return true;
}

static bool in_range(const struct hf_guard_range *range, uint64_t value)
{
    return value >= range->min && value <= range->max;
}

static bool fits_layout(const struct hf_guards *g, struct hf_judging *j)
{
    if (!g->has_entry && !g->has_sections)
        return true;
    const struct hf_layout *l = hf_judge_layout(j);
    uint64_t entry = l->entry.defined ? (uint64_t)l->entry.value : 0;
    return l->readable && (!g->has_entry || in_range(&g->entry, entry)) &&
           (!g->has_sections || in_range(&g->sections, l->section_count));
}

/* Whether an executable carries a signature; parsed once an object, and only when a rule asks. */
static bool is_signed(struct hf_judging *j)
{
    if (!j->knows_signed) {
        const struct hf_facts *facts = hf_judge_facts(j);
        for (size_t m = 0; m < facts->module_count; m++) {
            const struct hf_fact_record *record = facts->modules[m]->record;
            for (size_t f = 0;
                 strcmp(facts->modules[m]->name, "pe") == 0 && f < record->field_count; f++)
                if (strcmp(record->fields[f].name, "number_of_signatures") == 0)
                    j->is_signed = hf_facts_get(hf_judge_facts(j), m, f).integer > 0;
        }
        j->knows_signed = true;
    }
    return j->is_signed;
}

/* Whether a rule sees a view of an object. Who sees the normalised forms of markup does not see its
 * raw bytes: there one tag can be written in many ways. [facts/clamav.md 1.7] */
static bool sees_view(const struct hf_rule *rule, enum hf_view_kind view,
                      enum hf_format format)
{
    const uint32_t markup =
        1u << HF_VIEW_HTML | 1u << HF_VIEW_HTML_NOTAGS | 1u << HF_VIEW_HTML_SCRIPT;
    if (view == HF_VIEW_RAW && (hf_views_of(format) & rule->scope.views & markup) != 0)
        return false;
    return (rule->scope.views >> view & 1u) != 0;
}

/* Whether the view at hand is one that a rule looks at at all. */
static bool admits(const struct hf_rule *rule, struct hf_judging *j)
{
    const struct hf_object *object = j->object;
    const struct hf_guards *g = &rule->guards;
    if (!sees_view(rule, j->view, object->format) || !hf_guards_hold(g, j->bytes))
        return false;
    if (rule->scope.target != 0 &&
        hf_format_row(object->format)->target != rule->scope.target)
        return false;
    return lies_in(g, object) && fits_layout(g, j) && (!g->is_signed || is_signed(j));
}

bool hf_judge_admits(void *user, uint32_t segment, uint32_t number)
{
    struct hf_judging *j = user;
    struct hf_rule rule;
    uint32_t signature;
    return hf_db_rule(j->engine->db, segment, number, &rule, &signature) == HF_OK &&
           admits(&rule, j);
}

static size_t matches_of_rule(void *user, uint32_t pattern, const struct hf_match **matches)
{
    const struct rule_at_hand *r = user;
    if (r->parts != NULL) {
        *matches = r->parts[pattern].matches;
        return r->parts[pattern].count;
    }
    size_t low = 0, high = r->count; /* sorted by pattern */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->items[middle].pattern - r->rule.pattern_first < pattern)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == r->count || r->items[low].pattern - r->rule.pattern_first != pattern)
        return 0;
    *matches = r->items[low].matches;
    return r->items[low].kept;
}

/* The first hit of a rule at or behind a place in the sorted table. */
static size_t hits_from(const struct hf_hits *hits, uint32_t segment, uint32_t rule)
{
    size_t low = 0, high = hits->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct hf_hit *h = &hits->items[middle];
        if (h->segment < segment || (h->segment == segment && h->rule < rule))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What is worked out from other patterns, in order. */
static bool derive_patterns(struct rule_at_hand *r, const uint32_t *which, uint32_t count)
{
    struct hf_engine *engine = r->judging->engine;
    enum hf_status st = HF_OK;
    for (uint32_t i = 0; i < count && st == HF_OK; i++) {
        uint32_t number = r->rule.pattern_first + which[i], rule;
        struct hf_pattern pattern;
        st = hf_db_pattern(engine->db, r->segment, number, &pattern, &rule);
        if (st == HF_OK)
            st = hf_derive(r->judging, r->segment, number, &pattern, r->parts,
                           r->rule.pattern_count, which[i]);
    }
    return st == HF_OK;
}

/* Put the patterns of a chained rule together: what was found of them, then what of that follows
 * what it must follow. */
static bool join_patterns(struct rule_at_hand *r)
{
    struct hf_engine *engine = r->judging->engine;
    uint32_t count = r->rule.pattern_count, derived_count = 0;
    struct hf_chain_part *parts = hf_arena_array(engine->arena, count, sizeof *parts);
    uint32_t *derived = hf_arena_array(engine->arena, count, sizeof *derived);
    if (parts == NULL || derived == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct hf_pattern pattern;
        uint32_t rule;
        if (hf_db_pattern(engine->db, r->segment, r->rule.pattern_first + i, &pattern,
                          &rule) != HF_OK)
            return false;
        parts[i].linked = (pattern.flags & HF_PATTERN_LINKED) != 0;
        parts[i].link = pattern.link;
        if (hf_pattern_is_derived(pattern.kind))
            derived[derived_count++] = i;
    }
    for (size_t i = 0; i < r->count; i++) {
        uint32_t pattern = r->items[i].pattern - r->rule.pattern_first;
        parts[pattern].matches = r->items[i].matches;
        parts[pattern].count = r->items[i].kept;
    }
    r->parts = parts;
    return hf_chain_join(parts, count, engine->arena, &engine->budget) == HF_OK &&
           derive_patterns(r, derived, derived_count);
}

/* Take a rule in hand, with its hits. False: there is none, or it does not look at the object. */
static bool take_rule(struct hf_judging *j, const struct hf_hits *hits, uint32_t segment,
                      uint32_t number, struct rule_at_hand *r)
{
    *r = (struct rule_at_hand){
        .judging = j, .hits = hits, .segment = segment, .number = number};
    if (hf_db_rule(j->engine->db, segment, number, &r->rule, &r->signature) != HF_OK ||
        !admits(&r->rule, j))
        return false;
    size_t first = hits_from(hits, segment, number), end = first;
    while (end < hits->count && hits->items[end].segment == segment &&
           hits->items[end].rule == number)
        end++;
    r->items = hits->items + first;
    r->count = end - first;
    return true;
}

static bool is_true(struct rule_at_hand *r);

/* The answer of an earlier rule: evaluated again where it is asked for, for few rules refer to
 * others. */
static bool earlier_rule(void *user, uint32_t distance)
{
    const struct rule_at_hand *from = user;
    struct rule_at_hand r;
    if (distance == 0 || distance > from->number || from->depth == REFERENCES_MAX ||
        !take_rule(from->judging, from->hits, from->segment, from->number - distance, &r))
        return false;
    r.depth = from->depth + 1;
    r.steps = from->steps; /* else rules that refer to rules would cost their product */
    return is_true(&r);
}

static bool run_program(struct rule_at_hand *r)
{
    struct hf_judging *j = r->judging;
    const struct hf_value *values = j->engine->options.externals;
    struct hf_machine_input input = {
        .matches = matches_of_rule,
        .user = r,
        .pattern_count = r->rule.pattern_count,
        .view = hf_cursor_open(j->bytes.data, j->bytes.len, &j->engine->budget),
        .rule = earlier_rule,
        .facts = hf_judge_facts(j),
        .externals = values != NULL ? values : hf_external_values,
        .external_count = values != NULL ? j->engine->options.external_count : HF_EXTERNALS,
        .scratch = j->engine->scratch,
        .steps = r->steps,
    };
    bool answer = false;
    if (hf_machine_run(r->rule.program, &input, &answer) == HF_LIMIT &&
        j->engine->budget.exhausted)
        hf_scan_incident(j->engine, j->object, HF_LIMIT);
    return answer && !r->steps->exhausted;
}

/* What one rule may cost for the view at hand. [docs/yara-compatibility.md] */
static struct hf_budget steps_of_rule(const struct hf_judging *j)
{
    const uint64_t work = j->engine->options.limits.rule_work;
    if (work == 0)
        return hf_budget_unlimited();
    return (struct hf_budget){.work = work + j->bytes.len / 2};
}

/* Whether it is true; a rule that costs too much to tell is not, and is named. */
static bool is_true_within(struct rule_at_hand *r)
{
    struct hf_judging *j = r->judging;
    struct hf_budget steps = steps_of_rule(j);
    r->steps = &steps;
    const bool answer = is_true(r);
    r->steps = NULL;
    if (steps.exhausted)
        hf_report_suspended(
            j->engine->report,
            (struct hf_signature){.segment = r->segment, .number = r->signature});
    return answer;
}

static bool is_true(struct rule_at_hand *r)
{
    r->judging->engine->report->rules++;
    switch (r->rule.condition) {
    case HF_CONDITION_ALL: return r->count == r->rule.pattern_count;
    case HF_CONDITION_ANY: return r->count > 0;
    case HF_CONDITION_PROGRAM:
        if ((r->rule.flags & HF_RULE_CHAINED) != 0 && r->parts == NULL &&
            !join_patterns(r)) {
            hf_scan_incident(r->judging->engine, r->judging->object, HF_LIMIT);
            return false;
        }
        return run_program(r);
    }
    return false;
}

/* Whether the global rules of the rule's namespace are true too. */
static bool gates_are_open(const struct rule_at_hand *r)
{
    struct hf_cursor c = hf_cursor_open(r->rule.gates.data, r->rule.gates.len, NULL);
    while (hf_cursor_left(&c) >= 4) {
        struct rule_at_hand gate;
        uint32_t number = r->number + hf_u32le(&c); /* wraps: distances may be negative */
        if (!take_rule(r->judging, r->hits, r->segment, number, &gate) ||
            !is_true_within(&gate))
            return false;
    }
    return true;
}

size_t hf_true_rule_matches(const struct hf_true_rule *rule, uint32_t pattern,
                            const struct hf_match **matches)
{
    *matches = NULL;
    return pattern < rule->pattern_count
               ? matches_of_rule((void *)(uintptr_t)rule->hits, pattern, matches)
               : 0;
}

static void tell(const struct rule_at_hand *r)
{
    const struct hf_engine_options *o = &r->judging->engine->options;
    if (o->on_true_rule != NULL)
        o->on_true_rule(o->on_true_rule_user,
                        &(struct hf_true_rule){
                            .signature = {.segment = r->segment, .number = r->signature},
                            .segment = r->segment,
                            .rule = r->number,
                            .pattern_count = r->rule.pattern_count,
                            .view = r->judging->bytes,
                            .hits = r,
                        });
}

static enum hf_verdict severity_of(uint32_t flags)
{
    if ((flags & HF_RULE_PUA) != 0)
        return HF_PUA;
    return (flags & HF_RULE_SUSPICIOUS) != 0 ? HF_SUSPICIOUS : HF_INFECTED;
}

/* Look at one rule that is awake. */
static void judge_rule(struct hf_judging *j, const struct hf_hits *hits, uint32_t segment,
                       uint32_t number)
{
    struct rule_at_hand r;
    if (!take_rule(j, hits, segment, number, &r))
        return;
    struct hf_signature s = {.segment = segment, .number = r.signature};
    if ((r.rule.flags & HF_RULE_PRIVATE) != 0 || !is_true_within(&r) || !gates_are_open(&r))
        return;
    if (hf_db_withdrawn(j->engine->db, s)) {
        j->engine->report->excused =
            true; /* whose word may be taken back: nothing to remember */
        return;
    }
    if (r.rule.handler != 0 && !j->object->retyped) {
        j->handler = r.rule.handler;
        return;
    }
    tell(&r);
    bool body = (r.rule.flags & HF_RULE_BODY) != 0;
    bool single =
        body || (r.rule.pattern_count == 1 && r.rule.condition != HF_CONDITION_PROGRAM);
    hf_judge_found(j, &(struct hf_finding){
                          .signature = s,
                          .kind = single ? HF_FINDING_PATTERN : HF_FINDING_RULE,
                          .severity = severity_of(r.rule.flags),
                          .body = body,
                          .general = r.rule.scope.target == 0,
                          .indicator = (r.rule.flags & HF_RULE_INDICATOR) != 0,
                          .view = j->view,
                          .offset = r.count > 0 ? r.items[0].first.offset : HF_NO_OFFSET,
                          .length = r.count > 0 ? r.items[0].first.length : 0,
                      });
}

/* Rules without a hit that can be true all the same. */
static void judge_rules_waking_alone(struct hf_judging *j, const struct hf_hits *hits)
{
    const struct hf_wakers *wakers = &j->engine->wakers;
    for (size_t g = 0; g < wakers->group_count; g++) {
        const struct hf_waker_group *group = &wakers->groups[g];
        if (!admits(&group->rule, j) || !hf_guards_hold(&group->rule.alone, j->bytes) ||
            (group->rule.alone.is_signed && !is_signed(j)))
            continue;
        for (uint32_t i = 0; i < group->count; i++) {
            uint32_t rule = wakers->rules[group->first + i];
            size_t at = hits_from(hits, group->segment, rule);
            bool seen = at < hits->count && hits->items[at].segment == group->segment &&
                        hits->items[at].rule == rule;
            if (!seen)
                judge_rule(j, hits, group->segment, rule);
        }
    }
}

void hf_judge_rules(struct hf_judging *j, const struct hf_hits *hits)
{
    for (size_t i = 0; i < hits->count; i++) {
        const struct hf_hit *h = &hits->items[i];
        if (i == 0 || h[-1].segment != h->segment || h[-1].rule != h->rule)
            judge_rule(j, hits, h->segment, h->rule);
    }
    judge_rules_waking_alone(j, hits);
}
