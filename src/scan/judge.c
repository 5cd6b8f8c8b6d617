/* judge.c - which signatures hold for one object: digests that some signature could use, one
 * pass of the matcher over each of its views, the rules that this wakes. Allow lists are asked only
 * when something was found. */
#include "scan/judge.h"
#include "format/schema.h"
#include "rules/clamav/types.h"
#include "scan/view.h"

/* Digests of an object, computed when first needed. */
static const struct hf_digests *digests_of(struct hf_engine *engine,
                                           struct hf_object *object, unsigned wanted)
{
    if (hf_digest_add(engine->hasher, object->bytes, wanted, &object->digests) != HF_OK)
        hf_scan_incident(engine, object, HF_NOMEM);
    return &object->digests;
}

/* Whether a list that counts for a segment's findings allows the object or something that it lies
 * in: one allowed layer clears all that is in it. [facts/clamav.md 4.6] */
static bool is_allowed(struct hf_engine *engine, const struct hf_object *object,
                       uint32_t segment)
{
    for (const struct hf_object *layer = object; layer != NULL; layer = layer->parent) {
        uint64_t size = layer->bytes.len;
        unsigned wanted = hf_db_allow_wanted(engine->db, segment, size);
        if (wanted == 0)
            continue;
        struct hf_digests digests = layer->digests;
        if (hf_digest_add(engine->hasher, layer->bytes, wanted, &digests) == HF_OK &&
            hf_db_allows(engine->db, segment, size, &digests))
            return true;
    }
    return false;
}

static bool begins(struct hf_bytes name, const char *with)
{
    size_t n = strlen(with);
    return name.len >= n && memcmp(name.data, with, n) == 0;
}

/* What a name says of itself: ClamAV's prefixes for what stands back behind real names.
 * [facts/clamav.md 1.0] */
static void grade(struct hf_bytes name, struct hf_finding *finding)
{
    bool pua = begins(name, "PUA.");
    if (pua && finding->severity == HF_INFECTED)
        finding->severity = HF_PUA;
    if (pua || begins(name, "Heuristics.") || begins(name, "BC.Heuristics."))
        finding->indicator = true;
}

/* Whether a list that counts here ignores a finding by its name; if not, it is graded. */
static bool is_ignored(struct hf_engine *engine, struct hf_finding *finding)
{
    struct hf_buffer name = {0};
    bool known = hf_db_name(engine->db, finding->signature, &name) == HF_OK;
    bool ignored = known && hf_db_ignores(engine->db, finding->signature.segment,
                                          hf_buffer_view(&name));
    if (known)
        grade(hf_buffer_view(&name), finding);
    hf_buffer_done(&name);
    return ignored;
}

/* Add a finding unless policy takes it away. */
void hf_judge_found(struct hf_judging *j, struct hf_finding *finding)
{
    if (is_ignored(j->engine, finding) ||
        is_allowed(j->engine, j->object, finding->signature.segment)) {
        j->engine->report->excused = true;
        return;
    }
    hf_scan_finding(j->engine, j->object, finding);
}

static bool on_digest(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    hf_judge_found(user, &(struct hf_finding){
                             .signature = signature,
                             .kind = (enum hf_finding_kind)kind,
                             .severity = HF_INFECTED,
                             .view = HF_VIEW_RAW,
                             .offset = HF_NO_OFFSET,
                         });
    return true;
}

static void judge_digests(struct hf_judging *j)
{
    uint64_t size = j->object->bytes.len;
    if (j->object->wanted == 0) {
        hf_scan_asked(j->engine, HF_DB_OBJECT, size, &j->object->digests, 0);
        return;
    }
    hf_stream_finish(&j->engine->streams, j->object->stream, &j->object->digests);
    const struct hf_digests *digests = digests_of(j->engine, j->object, j->object->wanted);
    hf_scan_asked(j->engine, HF_DB_OBJECT, size, digests, j->object->wanted);
    hf_db_find_digests(j->engine->db, size, digests, on_digest, j);
}

/* Search a run of the object's data. */
static void search_run(const struct hf_matcher *matcher, struct hf_hits *hits,
                       uint64_t from, uint64_t to)
{
    const struct hf_bytes run = hf_bytes_of(hits->view.data + from, (size_t)(to - from));
    if (matcher != NULL && !hits->failed)
        (void)hf_matcher_search(matcher, run, from, hf_hits_on_needle, hits);
    hf_hits_find_loose(hits, from, to);
}

/* Search the data of an object; holes only when a match could lie in zeros alone. Around each
 * run of data as many zeros are searched as the longest literal can reach into. */
static void search(struct hf_engine *engine, const struct hf_object *object,
                   const struct hf_matcher *matcher, struct hf_hits *hits)
{
    const uint64_t size = object->bytes.len;
    if (object->extents == NULL || hf_db_matches_zeros(engine->db)) {
        search_run(matcher, hits, 0, size);
        return;
    }
    uint64_t reach = HF_PROGRAM_REACH, searched = 0;
    if (matcher != NULL && hf_matcher_longest(matcher) > reach)
        reach = hf_matcher_longest(matcher);
    for (size_t i = 0; i < object->extent_count && !hits->failed;) {
        uint64_t from = object->extents[i].offset;
        uint64_t to = from;
        from = from - searched > reach ? from - reach : searched;
        for (; i < object->extent_count && object->extents[i].offset <= to + 2 * reach; i++)
            to = object->extents[i].offset + object->extents[i].length;
        to = size - to > reach ? to + reach : size;
        search_run(matcher, hits, from, to);
        searched = to;
    }
}

struct hf_facts *hf_judge_facts(struct hf_judging *j)
{
    if (!j->has_facts) {
        struct hf_cursor whole =
            hf_cursor_open(j->object->bytes.data, j->object->bytes.len, &j->engine->budget);
        j->facts = hf_facts_of(hf_fact_modules, hf_fact_module_count, whole,
                               j->engine->arena, NULL);
        j->facts.hasher = j->engine->hasher;
        j->facts.outside = j->engine->options.outside;
        j->has_facts = true;
    }
    return &j->facts;
}

struct hf_layout *hf_judge_layout(struct hf_judging *j)
{
    if (!j->has_layout)
        hf_layout_read(hf_judge_facts(j), j->object->format, &j->layout);
    j->has_layout = true;
    return &j->layout;
}

static bool allow_place(void *user, const struct hf_place *place, uint64_t start)
{
    struct hf_judging *j = user;
    return hf_layout_allows(hf_judge_layout(j), hf_judge_facts(j), place, start);
}

static bool resolve_place(void *user, enum hf_place_kind kind, uint16_t section,
                          uint64_t *start)
{
    return hf_layout_start(hf_judge_layout(user), kind, section, start);
}

/* A pattern that was given up stops nothing else, and is named. */
static void report_suspended(struct hf_engine *engine, const struct hf_hits *hits)
{
    for (size_t i = 0; i < hits->suspended_count; i++) {
        const struct hf_suspended *s = &hits->suspended[i];
        struct hf_rule rule;
        struct hf_signature signature = {.segment = s->segment};
        if (hf_db_rule(engine->db, s->segment, s->rule, &rule, &signature.number) == HF_OK)
            hf_report_suspended(engine->report, signature);
    }
}

/* Match one view and look at the rules that this wakes. */
static void judge_view(struct hf_judging *j, enum hf_view_kind view, struct hf_bytes bytes)
{
    struct hf_engine *engine = j->engine;
    struct hf_hits hits = hf_hits_begin(engine->db, engine->arena, &engine->budget,
                                        engine->scratch, &engine->prepared, bytes);
    hits.admits = hf_judge_admits;
    hits.admits_user = j;
    hits.rule_work = engine->options.limits.rule_work;
    hits.target = hf_format_row(j->object->format)->target;
    hits.keep_all = engine->options.on_true_rule != NULL;
    j->view = view;
    j->bytes = bytes;
    hits.allow = allow_place;
    hits.allow_user = j;
    hits.resolve = resolve_place;
    hits.resolve_user = j;
    for (uint32_t s = 0; s < hf_db_segment_count(engine->db); s++) {
        const struct hf_matcher *matcher = hf_db_matcher(engine->db, s, hits.target);
        hits.segment = s;
        if ((hf_db_views(engine->db, s) >> view & 1u) == 0)
            continue;
        hf_hits_find_located(&hits);
        if (view == HF_VIEW_RAW)
            search(engine, j->object, matcher, &hits);
        else
            search_run(matcher, &hits, 0, bytes.len);
    }
    if (hits.failed)
        hf_scan_incident(engine, j->object, HF_LIMIT);
    report_suspended(engine, &hits);
    hf_hits_sort(&hits);
    hf_judge_rules(j, &hits);
}

static bool on_view(void *user, enum hf_view_kind view, struct hf_bytes bytes)
{
    struct hf_judging *j = user;
    judge_view(j, view, bytes);
    return !hf_scan_settled(j->engine);
}

/* Views beside the raw bytes, as far as some rule sees them. */
static void judge_views(struct hf_judging *j)
{
    struct hf_engine *engine = j->engine;
    struct hf_object *object = j->object;
    uint32_t seen = 0, there = hf_views_of(object->format);
    for (uint32_t s = 0; there != 0 && s < hf_db_segment_count(engine->db); s++)
        seen |= hf_db_views(engine->db, s);
    if ((seen & there) == 0 || hf_scan_settled(engine))
        return;
    struct hf_cursor whole =
        hf_cursor_open(object->bytes.data, object->bytes.len, &engine->budget);
    enum hf_status st =
        hf_views_make(&whole, object->format, seen & there, engine->arena, on_view, j);
    if (st != HF_OK)
        hf_scan_incident(engine, object, st);
}

/* A rule said what the object is: look again, as that, once. Then the rule is one like others, and
 * reported, as clamscan does. [facts/clamav.md 1.3 "HandlerType"] */
static void judge_again(struct hf_judging *j)
{
    const char *name = hf_clamav_type_name(j->handler);
    const struct hf_format_row *row =
        name == NULL ? NULL : hf_format_by_cl_type(hf_bytes_text(name));
    struct hf_object *object = j->object;
    if (object->retyped || hf_scan_settled(j->engine))
        return;
    object->retyped = true;
    if (row != NULL && row->id != object->format) {
        object->format = row->id;
        if (hf_scan_children(j->engine, object) == HF_STOPPED)
            return;
    }
    hf_scan_judge(j->engine, object);
}

void hf_scan_judge(struct hf_engine *engine, struct hf_object *object)
{
    struct hf_judging j = {.engine = engine, .object = object};
    judge_digests(&j);
    judge_view(&j, HF_VIEW_RAW, object->bytes);
    hf_judge_parts(&j);
    judge_views(&j);
    if (j.handler != 0)
        judge_again(&j);
}
