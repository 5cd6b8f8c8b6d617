#include "scan/derived.h"

#include "pattern/backtrack.h"
#include "rules/derived.h"

#include <stdlib.h>

/* ---- compiled expressions ---- */

enum { SLOTS_FIRST = 64, KEPT_MAX = 4096 };

struct hf_expression_slot {
    uint64_t key; /* segment and pattern + 1; 0: free */
    struct hf_backtrack *compiled;
};

void hf_expressions_done(struct hf_expressions *e)
{
    for (size_t i = 0; i < e->slot_count; i++)
        hf_backtrack_free(e->slots[i].compiled);
    free(e->slots);
    *e = (struct hf_expressions){0};
}

static struct hf_expression_slot *slot_of(struct hf_expression_slot *slots, size_t count,
                                          uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (count - 1);
    while (slots[at].key != 0 && slots[at].key != key)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static bool make_room(struct hf_expressions *e)
{
    if (e->count >= KEPT_MAX)
        hf_expressions_done(e); /* a rare crowd: begin anew */
    if (2 * (e->count + 1) <= e->slot_count)
        return true;
    size_t count = e->slot_count == 0 ? SLOTS_FIRST : 2 * e->slot_count;
    struct hf_expression_slot *slots = calloc(count, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < e->slot_count; i++)
        if (e->slots[i].key != 0)
            *slot_of(slots, count, e->slots[i].key) = e->slots[i];
    free(e->slots);
    e->slots = slots;
    e->slot_count = count;
    return true;
}

struct hf_backtrack *hf_expression_compiled(struct hf_expressions *e, uint32_t segment,
                                            uint32_t number,
                                            const struct hf_expression *text)
{
    if (!make_room(e))
        return NULL;
    uint64_t key = ((uint64_t)segment << 32 | number) + 1;
    struct hf_expression_slot *slot = slot_of(e->slots, e->slot_count, key);
    struct hf_pattern_error error;
    if (slot->key == 0) {
        slot->key = key;
        e->count++;
        if (hf_backtrack_new(text->text, text->flags, &slot->compiled, &error) != HF_OK)
            slot->compiled = NULL;
    }
    return slot->compiled;
}

/* ---- working out ---- */

struct deriving {
    struct hf_judging *j;
    struct hf_chain_part *parts;
    uint32_t count, which;
};

static bool add_match(const struct deriving *d, uint64_t start, uint64_t length)
{
    struct hf_chain_part *part = &d->parts[d->which];
    struct hf_match *matches =
        hf_arena_grow(d->j->engine->arena, part->matches, part->count, sizeof *matches);
    if (matches == NULL)
        return false;
    part->matches = matches;
    matches[part->count++] = (struct hf_match){.offset = start, .length = length};
    return true;
}

static enum hf_status derive_compare(const struct deriving *d,
                                     const struct hf_pattern *pattern)
{
    struct hf_compare c;
    uint64_t last = 0;
    bool any = false;
    if (hf_compare_read(pattern->text, &c) != HF_OK)
        return HF_OK; /* a damaged database: this pattern matches nothing */
    for (unsigned i = 0; i < c.base_count; i++) {
        if (c.bases[i] >= d->count || d->parts[c.bases[i]].count == 0)
            continue;
        const struct hf_chain_part *base = &d->parts[c.bases[i]];
        uint64_t at = base->matches[base->count - 1].offset;
        last = any && last > at ? last : at;
        any = true;
    }
    if (any && hf_compare_holds(&c, d->j->bytes, last))
        return add_match(d, last, 0) ? HF_OK : HF_NOMEM;
    return HF_OK;
}

/* Matches as the trigger sees them: of the patterns before this one and of those that are
 * searched for. */
static size_t matches_for_trigger(void *user, uint32_t pattern,
                                  const struct hf_match **matches)
{
    const struct deriving *d = user;
    *matches = d->parts[pattern].matches;
    return d->parts[pattern].count;
}

static enum hf_status is_triggered(struct deriving *d, const struct hf_expression *e,
                                   bool *answer)
{
    struct hf_engine *engine = d->j->engine;
    struct hf_machine_input input = {
        .matches = matches_for_trigger,
        .user = d,
        .pattern_count = d->count,
        .view = hf_cursor_open(d->j->bytes.data, d->j->bytes.len, &engine->budget),
        .scratch = engine->scratch,
    };
    return hf_machine_run(e->trigger, &input, answer);
}

/* Where an expression is tried. */
struct region {
    uint64_t first; /* of the view */
    struct hf_bytes bytes;
    uint64_t reach; /* how far behind first a match may start */
    bool anchored;  /* at first only */
};

/* A place without a span binds the match's start, unless it rolls; one with a span is where the
 * start may lie, or, when asked for, all that is seen. As clamscan 1.4.6 does. False: the place is
 * nowhere. */
static bool find_region(struct hf_judging *j, const struct hf_place *place, uint32_t flags,
                        struct region *r)
{
    uint64_t last, size = j->bytes.len;
    *r = (struct region){.bytes = j->bytes, .reach = UINT64_MAX};
    if (place->kind == HF_PLACE_ANYWHERE)
        return true;
    if (!hf_layout_span(hf_judge_layout(j), place, size, &r->first, &last) ||
        r->first > size)
        return false;
    uint64_t span = last - r->first, left = size - r->first;
    r->anchored = span == 0 && (flags & HF_EXPRESSION_ROLLING) == 0;
    if (span > 0 && (flags & HF_EXPRESSION_INSIDE) != 0)
        left = left < span ? left : span;
    else if (span > 0)
        r->reach = span;
    r->bytes = hf_bytes_of(j->bytes.data + r->first, (size_t)left);
    return true;
}

static enum hf_status derive_expression(struct deriving *d, uint32_t segment,
                                        uint32_t number, const struct hf_pattern *pattern)
{
    struct hf_judging *j = d->j;
    struct hf_expression e;
    struct region r;
    bool triggered = false;
    if (j->bytes.len > HF_BACKTRACK_BYTES || hf_expression_read(pattern->text, &e) != HF_OK)
        return HF_OK;
    enum hf_status st = is_triggered(d, &e, &triggered);
    if (st != HF_OK || !triggered || !find_region(j, &pattern->place, e.flags, &r))
        return st == HF_MALFORMED ? HF_OK : st;
    struct hf_backtrack *b =
        hf_expression_compiled(&j->engine->expressions, segment, number, &e);
    if (b == NULL)
        return HF_NOMEM;
    for (size_t from = 0, start, length; from <= r.bytes.len;) {
        if (!hf_budget_work(&j->engine->budget, (r.bytes.len - from) / 256 + 1))
            return HF_LIMIT;
        st = hf_backtrack_match(b, r.bytes, from, r.anchored, &start, &length);
        if (st != HF_OK)
            return st == HF_NOTFOUND ? HF_OK : st;
        if (start > r.reach)
            break;
        if (!add_match(d, r.first + start, length))
            return HF_NOMEM;
        if ((e.flags & HF_EXPRESSION_ALL) == 0)
            break;
        from = start + length > from ? start + length : from + 1;
    }
    return HF_OK;
}

enum hf_status hf_derive(struct hf_judging *j, uint32_t segment, uint32_t number,
                         const struct hf_pattern *pattern, struct hf_chain_part *parts,
                         uint32_t count, uint32_t which)
{
    struct deriving d = {.j = j, .parts = parts, .count = count, .which = which};
    enum hf_status st = pattern->kind == HF_PATTERN_COMPARE
                            ? derive_compare(&d, pattern)
                            : derive_expression(&d, segment, number, pattern);
    if (st != HF_OK)
        parts[which].count = 0;
    return st;
}
