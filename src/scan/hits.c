#include "scan/hits.h"

#include <stdlib.h>

struct hf_hits hf_hits_begin(const struct hf_db *db, struct hf_arena *arena,
                             struct hf_budget *budget, struct hf_machine_scratch *scratch,
                             struct hf_prepared_table *prepared, struct hf_bytes view)
{
    prepared->object++; /* what was admitted is asked anew */
    return (struct hf_hits){.db = db,
                            .arena = arena,
                            .budget = budget,
                            .scratch = scratch,
                            .prepared = prepared,
                            .view = view};
}

static size_t slot_of(const struct hf_hits *hits, uint32_t segment, uint32_t pattern)
{
    uint64_t h = (((uint64_t)segment << 32) + pattern) * UINT64_C(0x9E3779B97F4A7C15);
    size_t mask = hits->slot_count - 1, at = (size_t)(h >> 32) & mask;
    for (;; at = (at + 1) & mask) {
        uint32_t item = hits->slots[at];
        if (item == 0 || (hits->items[item - 1].segment == segment &&
                          hits->items[item - 1].pattern == pattern))
            return at;
    }
}

/* Keep the table at most half full. */
static bool make_room(struct hf_hits *hits)
{
    if (2 * (hits->count + 1) <= hits->slot_count)
        return true;
    size_t count = hits->slot_count == 0 ? 64 : 2 * hits->slot_count;
    uint32_t *slots = hf_arena_array(hits->arena, count, sizeof *slots);
    if (slots == NULL)
        return false;
    hits->slots = slots;
    hits->slot_count = count;
    for (size_t i = 0; i < hits->count; i++)
        slots[slot_of(hits, hits->items[i].segment, hits->items[i].pattern)] =
            (uint32_t)i + 1;
    return true;
}

/* The entry of a pattern, made when it is the pattern's first match; NULL when out of memory. */
static struct hf_hit *entry_of(struct hf_hits *hits, uint32_t pattern, uint32_t rule)
{
    if (!make_room(hits))
        return NULL;
    size_t slot = slot_of(hits, hits->segment, pattern);
    if (hits->slots[slot] != 0)
        return &hits->items[hits->slots[slot] - 1];
    struct hf_hit *items =
        hf_arena_grow(hits->arena, hits->items, hits->count, sizeof *hits->items);
    if (items == NULL)
        return NULL;
    hits->items = items;
    struct hf_hit *new = &items[hits->count++];
    hits->slots[slot] = (uint32_t)hits->count;
    *new = (struct hf_hit){.segment = hits->segment, .pattern = pattern, .rule = rule};
    return new;
}

static bool comes_before(const struct hf_hit *hit, struct hf_match a, struct hf_match b)
{
    if (a.offset != b.offset)
        return a.offset < b.offset;
    return hit->lazy ? a.length < b.length : a.length > b.length;
}

/* Whether a match is where the pattern wants it. */
static bool is_placed(const struct hf_hits *hits, const struct hf_place *place,
                      uint64_t start)
{
    if (place->kind < HF_PLACE_ENTRY)
        return hf_place_allows(place, hits->view.len, start);
    return hits->allow != NULL && hits->allow(hits->allow_user, place, start);
}

/* Marks a kept match as of the wide form, while the pattern has a plain one too: of two at one start
 * the plain one counts, as in YARA. Gone when matches are sorted. */
#define WIDE_FORM (UINT64_C(1) << 63)

/* One pattern whose needle was found. */
struct candidate {
    struct hf_hits *hits;
    struct hf_prepared *prepared;
};

static void unite_matches(struct hf_hit *hit);

/* Whether a pattern whose matches are counted up to a number has so many: they are united now and
 * then, for several may have one start. */
static void settle_count(struct hf_prepared *p, struct hf_hit *hit)
{
    if (hit->kept < p->wanted || hit->kept < p->look_again)
        return;
    unite_matches(hit);
    p->look_again = 2 * hit->kept;
    p->settled = hit->kept >= p->wanted;
    p->first = 0; /* wherever more would be */
}

/* An hf_on_match: a confirmed match. Returns false when no more can be taken. */
static bool keep_match(void *user, uint64_t start, uint64_t length)
{
    const struct candidate *c = user;
    struct hf_hits *hits = c->hits;
    if (!hf_budget_work(hits->budget, 1)) {
        hits->failed = true;
        return false;
    }
    const struct hf_confirm *confirm = &c->prepared->confirm;
    if (!is_placed(hits, &confirm->pattern.place, start))
        return true;
    struct hf_hit *hit = entry_of(hits, c->prepared->number, c->prepared->rule);
    if (hit == NULL) {
        hits->failed = true;
        return true;
    }
    struct hf_match match = {.offset = start, .length = length};
    if (hit->count == 0) {
        hit->lazy = confirm->lazy;
        hit->every = hf_pattern_is_every(&confirm->pattern);
    }
    if (hit->count == 0 || comes_before(hit, match, hit->first))
        hit->first = match;
    hit->count++;
    if (c->prepared->costly && c->prepared->left > HF_HITS_QUARTERS)
        c->prepared->left -= HF_HITS_QUARTERS - 1;
    /* One match is kept even if all that is asked is whether there is one. */
    const bool one = c->prepared->wanted == 1 && !hits->keep_all;
    if (one) {
        c->prepared->first =
            c->prepared->settled && c->prepared->first < start ? c->prepared->first : start;
        c->prepared->settled = true;
    }
    if (hit->kept == HF_HITS_KEPT_MAX || (one && hit->kept > 0))
        return true;
    struct hf_match *matches =
        hf_arena_grow(hits->arena, hit->matches, hit->kept, sizeof *hit->matches);
    if (matches == NULL) {
        hits->failed = true;
        return true;
    }
    hit->matches = matches;
    const uint32_t both = HF_PATTERN_ASCII | HF_PATTERN_WIDE;
    if (confirm->wide && (confirm->pattern.flags & both) == both && !hit->every)
        match.length |= WIDE_FORM;
    matches[hit->kept++] = match;
    if (c->prepared->wanted > 1 && c->prepared->wanted < HF_PREPARED_ALL && !hits->keep_all)
        settle_count(c->prepared, hit);
    return true;
}

/* What the candidates of a pattern may cost. */
static uint64_t allowance(const struct hf_hits *hits, const struct hf_prepared *p)
{
    const uint64_t bytes = hits->view.len;
    if (!p->costly)
        return HF_HITS_WORK_MIN + bytes / HF_HITS_WORK_BYTES;
    if (hits->rule_work == 0)
        return UINT64_MAX;
    const uint64_t work = hits->rule_work / HF_HITS_COSTLY_SHARE;
    const uint64_t more = /* for pieces of two bytes, as good rules have them too */
        p->confirm.plan.anchor_length == HF_PREPARED_ANCHOR_GOOD - 1 ? HF_HITS_COSTLY_PAIR
                                                                     : 1;
    return more * (work + bytes / HF_HITS_COSTLY_BYTES) + 1;
}

/* Whether the rule of a needle looks at the object at hand; asked once an object. */
static bool is_admitted(const struct hf_hits *hits, struct hf_prepared *p)
{
    if (p->object != hits->prepared->object) {
        p->object = hits->prepared->object;
        p->settled = false;
        p->look_again = 0;
        p->left = allowance(hits, p);
        p->admitted = !p->broken && (hits->admits == NULL ||
                                     hits->admits(hits->admits_user, p->segment, p->rule));
    }
    return p->admitted;
}

/* Give a pattern up for the rest of the view. */
static void suspend(struct hf_hits *hits, struct hf_prepared *p)
{
    p->left = 0;
    struct hf_suspended *all =
        hf_arena_grow(hits->arena, hits->suspended, hits->suspended_count, sizeof *all);
    if (all == NULL) {
        hits->failed = true;
        return;
    }
    hits->suspended = all;
    all[hits->suspended_count++] =
        (struct hf_suspended){.segment = p->segment, .pattern = p->number, .rule = p->rule};
}

/* A needle of a literal was found: that is the match. */
static bool confirm_literal(struct candidate *c, uint64_t start, uint32_t length)
{
    struct hf_hits *hits = c->hits;
    const enum hf_status st =
        hf_confirm_at(&c->prepared->confirm, hits->view, start, length, hits->budget,
                      hits->scratch, keep_match, c);
    hits->failed |= st == HF_LIMIT;
    return st != HF_LIMIT && st != HF_STOPPED;
}

/* What a candidate is: an occurrence of a needle, or a place where a match may start. */
#define IN_PLACE UINT32_MAX

/* Confirm within the candidate's own budget, so that one pattern that costs too much stops no
 * other. False: it is given up, or (failed) the whole search. */
static bool confirm(struct candidate *c, struct hf_prepared *p, uint64_t start,
                    uint32_t length)
{
    struct hf_hits *hits = c->hits;
    if (p->left == 0)
        return false;
    const uint64_t parts = p->costly ? HF_HITS_QUARTERS : 1;
    const uint64_t before = p->left;
    struct hf_budget own = {.work = --p->left / parts}; /* one for the candidate itself */
    const uint64_t given = own.work;
    const enum hf_status st =
        length == IN_PLACE
            ? hf_pattern_confirm_at(&p->confirm.pattern, &p->confirm.program, hits->view,
                                    start, &own, hits->scratch, keep_match, c)
            : hf_confirm_at(&p->confirm, hits->view, start, length, &own, hits->scratch,
                            keep_match, c);
    const uint64_t used = (given - own.work) * parts;
    p->left = own.exhausted || used > p->left ? 0 : p->left - used;
    if (p->left == 0 && !hits->failed)
        suspend(hits, p);
    hits->failed |= !hf_budget_work(hits->budget, (before - p->left) / (16 * parts)) ||
                    (st != HF_OK && st != HF_LIMIT && st != HF_STOPPED);
    return !hits->failed && p->left > 0;
}

bool hf_hits_on_needle(void *user, uint32_t needle, uint64_t start, uint32_t length)
{
    struct hf_hits *hits = user;
    struct hf_prepared *p =
        hf_prepared_find(hits->prepared, hits->db, hits->segment, needle);
    if (p == NULL) {
        hits->failed = true;
        return false;
    }
    if (!is_admitted(hits, p))
        return true;
    /* Candidates come in the order of their places, all but: what is left could tell nothing. */
    if (p->settled && start >= p->first)
        return true;
    struct candidate c = {.hits = hits, .prepared = p};
    if (p->confirm.pattern.kind == HF_PATTERN_LITERAL)
        return confirm_literal(&c, start, length);
    (void)confirm(&c, p, start, length);
    return !hits->failed;
}

/* An hf_on_candidate. */
static bool try_in_place(void *user, uint32_t pattern, uint64_t start)
{
    struct hf_hits *hits = user;
    struct hf_prepared *p =
        hits->failed
            ? NULL
            : hf_prepared_find_pattern(hits->prepared, hits->db, hits->segment, pattern);
    if (p == NULL) {
        hits->failed = true;
        return false;
    }
    if (!is_admitted(hits, p) || (p->settled && start >= p->first))
        return false;
    struct candidate c = {.hits = hits, .prepared = p};
    return confirm(&c, p, start, IN_PLACE);
}

void hf_hits_find_located(struct hf_hits *hits)
{
    hf_db_find_located(hits->db, hits->segment, hits->view, hits->target, hits->resolve,
                       hits->resolve_user, try_in_place, hits);
}

void hf_hits_find_loose(struct hf_hits *hits, uint64_t from, uint64_t to)
{
    const uint32_t blocks = hf_db_loose_blocks(hits->db, hits->segment);
    if (blocks == 0 || hits->failed)
        return;
    uint64_t *dropped = hf_arena_array(hits->arena, blocks, sizeof *dropped);
    if (dropped == NULL) {
        hits->failed = true;
        return;
    }
    hf_db_find_loose(hits->db, hits->segment, hits->view, from, to, dropped, try_in_place,
                     hits);
}

static int compare_matches(const void *left, const void *right)
{
    const struct hf_match *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->length > b->length) - (a->length < b->length);
}

static int compare_hits(const void *left, const void *right)
{
    const struct hf_hit *a = left, *b = right;
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    if (a->rule != b->rule)
        return a->rule < b->rule ? -1 : 1;
    return (a->pattern > b->pattern) - (a->pattern < b->pattern);
}

/* Several needles may have led to matches with one start: the longest of them counts, or the
 * shortest, or each. */
static void unite_matches(struct hf_hit *hit)
{
    bool sorted = true; /* as most are found */
    for (size_t i = 1; sorted && i < hit->kept; i++)
        sorted = compare_matches(&hit->matches[i - 1], &hit->matches[i]) <= 0;
    if (!sorted)
        qsort(hit->matches, hit->kept, sizeof *hit->matches, compare_matches);
    size_t kept = 0;
    for (size_t i = 0; i < hit->kept; i++) {
        const struct hf_match *last = kept > 0 ? &hit->matches[kept - 1] : NULL;
        bool same = last != NULL && last->offset == hit->matches[i].offset;
        if (same && hit->every)
            same = last->length == hit->matches[i].length;
        if (!same)
            hit->matches[kept++] = hit->matches[i];
        else if (!hit->lazy && ((last->length ^ hit->matches[i].length) & WIDE_FORM) == 0)
            hit->matches[kept - 1] = hit->matches[i];
    }
    hit->kept = kept;
}

static void sort_matches(struct hf_hit *hit)
{
    unite_matches(hit);
    for (size_t i = 0; i < hit->kept; i++)
        hit->matches[i].length &= ~WIDE_FORM;
}

void hf_hits_sort(struct hf_hits *hits)
{
    for (size_t i = 0; i < hits->count; i++)
        sort_matches(&hits->items[i]);
    if (hits->count > 1)
        qsort(hits->items, hits->count, sizeof *hits->items, compare_hits);
    hits->slots = NULL;
    hits->slot_count = 0;
}
