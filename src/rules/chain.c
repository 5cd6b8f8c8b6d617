#include "rules/chain.h"

#include <stdlib.h>

static int compare_ends(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* Where matches end, ascending. NULL: no memory. */
static uint64_t *ends_of(const struct hf_chain_part *part, struct hf_arena *arena)
{
    uint64_t *ends = hf_arena_array(arena, part->count, sizeof *ends);
    if (ends == NULL)
        return NULL;
    bool sorted = true;
    for (size_t i = 0; i < part->count; i++) {
        ends[i] = part->matches[i].offset + part->matches[i].length;
        sorted = sorted && (i == 0 || ends[i - 1] <= ends[i]);
    }
    if (!sorted)
        qsort(ends, part->count, sizeof *ends, compare_ends);
    return ends;
}

/* Keep what starts at the link's distance behind one of the ends. The last end that lies at
 * least min before a start is the nearest that can do; if it is too far, all are. */
static void keep_following(struct hf_chain_part *part, const uint64_t *ends, size_t count)
{
    size_t kept = 0, passed = 0; /* ends at least min before the match at hand */
    for (size_t i = 0; i < part->count; i++) {
        uint64_t start = part->matches[i].offset;
        while (passed < count && ends[passed] <= start &&
               start - ends[passed] >= part->link.min)
            passed++;
        if (passed > 0 && start - ends[passed - 1] <= part->link.max)
            part->matches[kept++] = part->matches[i];
    }
    part->count = kept;
}

static enum hf_status follow(const struct hf_chain_part *before, struct hf_chain_part *part,
                             struct hf_arena *arena, struct hf_budget *budget)
{
    if (before->count == 0 || part->count == 0) {
        part->count = 0;
        return HF_OK;
    }
    if (!hf_budget_work(budget, (before->count + part->count) / 64 + 1))
        return HF_LIMIT;
    struct hf_arena_mark mark = hf_arena_mark(arena);
    uint64_t *ends = ends_of(before, arena);
    if (ends == NULL)
        return HF_NOMEM;
    keep_following(part, ends, before->count);
    hf_arena_rewind(arena, mark);
    return HF_OK;
}

enum hf_status hf_chain_join(struct hf_chain_part *parts, size_t count,
                             struct hf_arena *arena, struct hf_budget *budget)
{
    static const struct hf_chain_part nothing;
    enum hf_status st = HF_OK;
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].linked)
            continue;
        if (st == HF_OK)
            st = follow(i == 0 ? &nothing : &parts[i - 1], &parts[i], arena, budget);
        if (st != HF_OK)
            parts[i].count = 0;
    }
    return st;
}
