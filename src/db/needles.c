#include "db/needles.h"

#include "db/coding.h"
#include "db/format.h"

#include "pattern/search.h"

#include <stdlib.h>

enum {
    LENGTH_MAX = 65535,
    OWN_MIN = 1024 /* needles that are worth a matcher of their own */
};

void hf_needles_done(struct hf_needles *needles)
{
    hf_arena_free(needles->arena);
    hf_buffer_done(&needles->table);
    *needles = (struct hf_needles){0};
}

struct adding {
    struct hf_needles *needles;
    const struct hf_pattern *pattern;
    uint32_t number;
    enum hf_status status;
};

/* The plain form of a literal is its text, which stays; everything else is made for the moment. */
static struct hf_bytes lasting(struct hf_needles *n, const struct hf_pattern *pattern,
                               struct hf_bytes bytes)
{
    if (pattern->kind == HF_PATTERN_LITERAL && hf_bytes_equal(pattern->text, bytes))
        return pattern->text;
    return hf_arena_copy(n->arena, bytes);
}

static bool on_needle(void *user, const struct hf_needle *needle)
{
    struct adding *a = user;
    struct hf_needles *n = a->needles;
    struct hf_literal *items = hf_arena_grow(n->arena, n->items, n->count, sizeof *items);
    struct hf_bytes bytes = lasting(n, a->pattern, needle->bytes);
    a->status = items == NULL || bytes.data == NULL               ? HF_NOMEM
                : bytes.len > LENGTH_MAX || n->count >= INT32_MAX ? HF_LIMIT
                                                                  : HF_OK;
    if (a->status != HF_OK)
        return false;
    n->items = items;
    n->needs_table |= n->count != a->number || needle->variant != 0;
    items[n->count] = (struct hf_literal){
        .bytes = bytes, .nocase = needle->nocase, .id = (uint32_t)n->count};
    n->count++;
    hf_buffer_u32(&n->table, a->number);
    hf_buffer_u16(&n->table, needle->variant);
    hf_buffer_u16(&n->table, 0);
    return true;
}

enum hf_status hf_needles_add(struct hf_needles *needles, const struct hf_pattern *pattern,
                              uint32_t number)
{
    if (needles->arena == NULL)
        needles->arena = hf_arena_new(SIZE_MAX / 2);
    if (needles->arena == NULL)
        return HF_NOMEM;
    struct adding a = {.needles = needles, .pattern = pattern, .number = number};
    enum hf_status st = hf_pattern_needles(pattern, on_needle, &a);
    if (st == HF_STOPPED)
        return a.status;
    if (st == HF_NOTFOUND)
        return HF_UNSUPPORTED;
    return needles->table.failed ? HF_NOMEM : st;
}

static bool look_at_needle(void *user, const struct hf_needle *needle)
{
    bool *zeros = user;
    size_t i = 0;
    while (i < needle->bytes.len && needle->bytes.data[i] == 0)
        i++;
    *zeros = *zeros || i == needle->bytes.len;
    return true;
}

/* Without needles: a match can be all zeros when it can begin with them. */
static enum hf_status look_at_head(const struct hf_pattern *pattern, bool *zeros)
{
    struct hf_head head;
    enum hf_status st = hf_pattern_head(pattern, &head);
    bool can = true;
    for (size_t i = 0; i < HF_HEAD_MAX; i++)
        can = can && (head.sets[i][0] & 1) != 0;
    *zeros = *zeros || can;
    return st;
}

enum hf_status hf_needles_look(const struct hf_pattern *pattern, bool *zeros)
{
    enum hf_status st = hf_pattern_needles(pattern, look_at_needle, zeros);
    if (pattern->kind == HF_PATTERN_LITERAL && pattern->text.len > LENGTH_MAX)
        return HF_LIMIT;
    return st == HF_NOTFOUND ? look_at_head(pattern, zeros) : st;
}

static uint8_t target_of(const struct hf_subset *set, size_t needle)
{
    const uint8_t target =
        set->targets[hf_le32(set->needles->table.data + needle * HF_NEEDLE_STORED)];
    return target < HF_DB_TARGETS ? target : 0;
}

bool hf_subset_begin(struct hf_subset *set, const struct hf_needles *needles,
                     const uint8_t *targets)
{
    size_t counts[HF_DB_TARGETS] = {0};
    *set = (struct hf_subset){.needles = needles, .targets = targets};
    set->items = calloc(needles->count + 1, sizeof *set->items);
    for (size_t i = 0; i < needles->count; i++)
        counts[target_of(set, i)]++;
    for (unsigned target = 1; target < HF_DB_TARGETS; target++)
        set->own |= (counts[target] >= OWN_MIN ? 1u : 0u) << target;
    return set->items != NULL;
}

void hf_subset_done(struct hf_subset *set)
{
    free(set->items);
    set->items = NULL;
}

size_t hf_subset_choose(struct hf_subset *set, uint8_t target)
{
    size_t count = 0;
    for (size_t i = 0; i < set->needles->count; i++) {
        const uint8_t t = target_of(set, i);
        if (t == 0 || t == target || (target == 0 && (set->own >> t & 1u) == 0))
            set->items[count++] = set->needles->items[i];
    }
    return count;
}
