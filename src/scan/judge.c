/* judge.c - which signatures hold for one object: digests that some signature could use, one
 * pass of the matcher over the raw bytes, the rules that this wakes. Allow lists are asked only
 * when something was found. */
#include "scan/hits.h"
#include "scan/object.h"

struct judging {
    struct hf_engine *engine;
    struct hf_object *object;
};

/* Digests of an object, computed when first needed. */
static const struct hf_digests *digests_of(struct hf_engine *engine,
                                           struct hf_object *object, unsigned wanted)
{
    if (hf_digest_add(engine->hasher, object->bytes, wanted, &object->digests) != HF_OK)
        hf_scan_incident(engine, object, HF_NOMEM);
    return &object->digests;
}

/* Whether a list allows the object or something that it lies in: one allowed layer clears all
 * that is in it. [facts/clamav.md 4.6] */
static bool is_allowed(struct hf_engine *engine, const struct hf_object *object)
{
    for (const struct hf_object *layer = object; layer != NULL; layer = layer->parent) {
        uint64_t size = layer->bytes.len;
        unsigned wanted = hf_db_allow_wanted(engine->db, size);
        if (wanted == 0)
            continue;
        struct hf_digests digests = layer->digests;
        if (hf_digest_add(engine->hasher, layer->bytes, wanted, &digests) == HF_OK &&
            hf_db_allows(engine->db, size, &digests))
            return true;
    }
    return false;
}

static bool is_ignored(struct hf_engine *engine, struct hf_signature signature)
{
    struct hf_buffer name = {0};
    bool ignored = hf_db_name(engine->db, signature, &name) == HF_OK &&
                   hf_db_ignores(engine->db, hf_buffer_view(&name));
    hf_buffer_done(&name);
    return ignored;
}

/* Add a finding unless policy takes it away. */
static void found(struct judging *j, struct hf_finding *finding)
{
    if (is_ignored(j->engine, finding->signature) || is_allowed(j->engine, j->object))
        return;
    hf_scan_finding(j->engine, j->object, finding);
}

static bool on_digest(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    found(user, &(struct hf_finding){
                    .signature = signature,
                    .kind = (enum hf_finding_kind)kind,
                    .severity = HF_INFECTED,
                    .view = HF_VIEW_RAW,
                    .offset = HF_NO_OFFSET,
                });
    return true;
}

static void judge_digests(struct judging *j)
{
    uint64_t size = j->object->bytes.len;
    unsigned wanted = hf_db_digests_wanted(j->engine->db, size);
    if (wanted == 0)
        return;
    const struct hf_digests *digests = digests_of(j->engine, j->object, wanted);
    hf_db_find_digests(j->engine->db, size, digests, on_digest, j);
}

/* Search the data of an object; holes only when a match could lie in zeros alone. Around each
 * run of data as many zeros are searched as the longest literal can reach into. */
static void search(struct hf_engine *engine, const struct hf_object *object,
                   const struct hf_matcher *matcher, struct hf_hits *hits)
{
    struct hf_bytes all = object->bytes;
    if (object->extents == NULL || hf_db_matches_zeros(engine->db)) {
        (void)hf_matcher_search(matcher, all, 0, hf_hits_on_needle, hits);
        return;
    }
    uint64_t reach = hf_matcher_longest(matcher), searched = 0;
    for (size_t i = 0; i < object->extent_count;) {
        uint64_t from = object->extents[i].offset;
        uint64_t to = from;
        from = from - searched > reach ? from - reach : searched;
        for (; i < object->extent_count && object->extents[i].offset <= to + 2 * reach; i++)
            to = object->extents[i].offset + object->extents[i].length;
        to = all.len - to > reach ? to + reach : all.len;
        if (!hf_matcher_search(matcher, hf_bytes_of(all.data + from, (size_t)(to - from)),
                               from, hf_hits_on_needle, hits))
            return;
        searched = to;
    }
}

/* Whether an object is one that a rule looks at at all. */
static bool admits(const struct hf_rule *rule, const struct hf_object *object)
{
    uint64_t size = object->bytes.len;
    const struct hf_guards *g = &rule->guards;
    if ((rule->scope.views & 1u << HF_VIEW_RAW) == 0 || size < g->size_min ||
        size > g->size_max)
        return false;
    if (rule->scope.target != 0 &&
        hf_format_row(object->format)->target != rule->scope.target)
        return false;
    if (g->container != 0 &&
        (object->parent == NULL || (unsigned)object->parent->format + 1 != g->container))
        return false;
    struct hf_cursor c = hf_cursor_open(object->bytes.data, object->bytes.len, NULL);
    c = hf_cursor_at(&c, g->magic.offset);
    return g->magic.length == 0 || hf_peek_equal(&c, g->magic.bytes, g->magic.length);
}

/* The hits of one rule: a run of the sorted table. */
struct rule_hits {
    const struct hf_hit *items;
    size_t count;
    uint32_t pattern_first;
};

static size_t matches_of_rule(void *user, uint32_t pattern, const struct hf_match **matches)
{
    const struct rule_hits *hits = user;
    for (size_t i = 0; i < hits->count; i++)
        if (hits->items[i].pattern - hits->pattern_first == pattern) {
            *matches = hits->items[i].matches;
            return hits->items[i].kept;
        }
    return 0;
}

static bool holds(struct judging *j, const struct hf_rule *rule, struct rule_hits *hits)
{
    bool answer = false;
    switch (rule->condition) {
    case HF_CONDITION_ALL: return hits->count == rule->pattern_count;
    case HF_CONDITION_ANY: return hits->count > 0;
    case HF_CONDITION_PROGRAM: {
        struct hf_machine_input input = {
            .matches = matches_of_rule,
            .user = hits,
            .pattern_count = rule->pattern_count,
            .view = hf_cursor_open(j->object->bytes.data, j->object->bytes.len,
                                   &j->engine->budget),
        };
        if (hf_machine_run(rule->program, &input, &answer) == HF_LIMIT)
            hf_scan_incident(j->engine, j->object, HF_LIMIT);
        return answer;
    }
    }
    return false;
}

/* Look at one rule that is awake. */
static void judge_rule(struct judging *j, uint32_t segment, uint32_t number,
                       const struct hf_hit *items, size_t count)
{
    struct hf_rule rule;
    uint32_t signature;
    if (hf_db_rule(j->engine->db, segment, number, &rule, &signature) != HF_OK ||
        !admits(&rule, j->object))
        return;
    struct rule_hits hits = {
        .items = items, .count = count, .pattern_first = rule.pattern_first};
    struct hf_signature s = {.segment = segment, .number = signature};
    if (!holds(j, &rule, &hits) || (rule.flags & HF_RULE_PRIVATE) != 0 ||
        hf_db_withdrawn(j->engine->db, s))
        return;
    bool single = rule.pattern_count == 1 && rule.condition != HF_CONDITION_PROGRAM;
    found(j, &(struct hf_finding){
                 .signature = s,
                 .kind = single ? HF_FINDING_PATTERN : HF_FINDING_RULE,
                 .severity = (rule.flags & HF_RULE_PUA) != 0 ? HF_PUA : HF_INFECTED,
                 .indicator = (rule.flags & HF_RULE_INDICATOR) != 0,
                 .view = HF_VIEW_RAW,
                 .offset = count > 0 ? items[0].first.offset : HF_NO_OFFSET,
                 .length = count > 0 ? items[0].first.length : 0,
             });
}

/* Rules without a hit that can be true all the same. */
static void judge_rules_waking_alone(struct judging *j, uint32_t segment,
                                     const struct hf_hits *hits)
{
    struct hf_bytes list = hf_db_rules_waking_alone(j->engine->db, segment);
    struct hf_cursor c = hf_cursor_open(list.data, list.len, NULL);
    while (hf_cursor_left(&c) >= 4) {
        uint32_t rule = hf_u32le(&c);
        bool seen = false;
        for (size_t i = 0; i < hits->count && !seen; i++)
            seen = hits->items[i].segment == segment && hits->items[i].rule == rule;
        if (!seen)
            judge_rule(j, segment, rule, NULL, 0);
    }
}

static void judge_patterns(struct judging *j)
{
    struct hf_engine *engine = j->engine;
    struct hf_hits hits = hf_hits_begin(engine->db, engine->arena, &engine->budget,
                                        engine->scratch, j->object->bytes);
    for (uint32_t s = 0; s < hf_db_segment_count(engine->db); s++) {
        const struct hf_matcher *matcher = hf_db_matcher(engine->db, s);
        hits.segment = s;
        if (matcher != NULL)
            search(engine, j->object, matcher, &hits);
    }
    if (hits.failed)
        hf_scan_incident(engine, j->object, HF_LIMIT);
    hf_hits_sort(&hits);
    for (size_t i = 0, end; i < hits.count; i = end) {
        const struct hf_hit *first = &hits.items[i];
        for (end = i + 1; end < hits.count && hits.items[end].segment == first->segment &&
                          hits.items[end].rule == first->rule;)
            end++;
        judge_rule(j, first->segment, first->rule, first, end - i);
    }
    for (uint32_t s = 0; s < hf_db_segment_count(engine->db); s++)
        judge_rules_waking_alone(j, s, &hits);
}

void hf_scan_judge(struct hf_engine *engine, struct hf_object *object)
{
    struct judging j = {.engine = engine, .object = object};
    judge_digests(&j);
    judge_patterns(&j);
}
