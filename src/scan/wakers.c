#include "scan/wakers.h"

#include "base/cursor.h"

#include <stdlib.h>

struct waker {
    struct hf_rule rule;
    uint32_t segment, number;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_ranges(bool has_a, struct hf_guard_range a, bool has_b,
                          struct hf_guard_range b)
{
    if (!has_a || !has_b)
        return (int)has_a - (int)has_b;
    int order = compare_numbers(a.min, b.min);
    return order != 0 ? order : compare_numbers(a.max, b.max);
}

static int compare_outer(const struct hf_guards *a, const struct hf_guards *b)
{
    int order = compare_numbers(a->outer_count, b->outer_count);
    for (unsigned i = 0; order == 0 && i < a->outer_count; i++)
        order = compare_numbers(a->outer[i], b->outer[i]);
    return order;
}

static int compare_guards(const struct hf_guards *a, const struct hf_guards *b)
{
    int order = compare_numbers(a->size_min, b->size_min);
    order = order != 0 ? order : compare_numbers(a->size_max, b->size_max);
    order = order != 0 ? order : compare_numbers(a->container, b->container);
    order = order != 0 ? order : (int)a->is_signed - (int)b->is_signed;
    order = order != 0 ? order : compare_outer(a, b);
    order =
        order != 0 ? order : compare_ranges(a->has_entry, a->entry, b->has_entry, b->entry);
    order = order != 0 ? order
                       : compare_ranges(a->has_sections, a->sections, b->has_sections,
                                        b->sections);
    order = order != 0 ? order : compare_numbers(a->magic.offset, b->magic.offset);
    order = order != 0 ? order : compare_numbers(a->magic.length, b->magic.length);
    return order != 0 ? order : memcmp(a->magic.bytes, b->magic.bytes, a->magic.length);
}

/* By what a group has in common. */
static int compare_common(const struct waker *a, const struct waker *b)
{
    int order = compare_numbers(a->segment, b->segment);
    order = order != 0 ? order : compare_numbers(a->rule.scope.views, b->rule.scope.views);
    order =
        order != 0 ? order : compare_numbers(a->rule.scope.target, b->rule.scope.target);
    order = order != 0 ? order : compare_guards(&a->rule.guards, &b->rule.guards);
    return order != 0 ? order : compare_guards(&a->rule.alone, &b->rule.alone);
}

static int compare_wakers(const void *left, const void *right)
{
    const struct waker *a = left, *b = right;
    int order = compare_common(a, b);
    return order != 0 ? order : compare_numbers(a->number, b->number);
}

static void read_segment(const struct hf_db *db, uint32_t segment, struct waker *out,
                         size_t *count)
{
    struct hf_bytes list = hf_db_rules_waking_alone(db, segment);
    struct hf_cursor c = hf_cursor_open(list.data, list.len, NULL);
    while (hf_cursor_left(&c) >= 4) {
        struct waker *w = &out[*count];
        uint32_t signature;
        w->segment = segment;
        w->number = hf_u32le(&c);
        /* Those that see no view are asked elsewhere (members.h). */
        if (hf_db_rule(db, segment, w->number, &w->rule, &signature) == HF_OK &&
            w->rule.scope.views != 0)
            (*count)++;
    }
}

static void group(struct hf_wakers *wakers, const struct waker *sorted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_common(&sorted[i - 1], &sorted[i]) != 0)
            wakers->groups[wakers->group_count++] = (struct hf_waker_group){
                .rule = sorted[i].rule,
                .segment = sorted[i].segment,
                .first = (uint32_t)i,
            };
        wakers->groups[wakers->group_count - 1].count++;
        wakers->rules[i] = sorted[i].number;
    }
    wakers->rule_count = count;
}

enum hf_status hf_wakers_make(const struct hf_db *db, struct hf_wakers *wakers)
{
    *wakers = (struct hf_wakers){0};
    size_t most = 0, count = 0;
    for (uint32_t s = 0; s < hf_db_segment_count(db); s++)
        most += hf_db_rules_waking_alone(db, s).len / 4;
    if (most == 0)
        return HF_OK;
    struct waker *all = calloc(most, sizeof *all);
    wakers->groups = calloc(most, sizeof *wakers->groups);
    wakers->rules = calloc(most, sizeof *wakers->rules);
    if (all == NULL || wakers->groups == NULL || wakers->rules == NULL) {
        free(all);
        hf_wakers_done(wakers);
        return HF_NOMEM;
    }
    for (uint32_t s = 0; s < hf_db_segment_count(db); s++)
        read_segment(db, s, all, &count);
    qsort(all, count, sizeof *all, compare_wakers);
    group(wakers, all, count);
    free(all);
    /* Groups are few: what was reserved for one each is given back. */
    struct hf_waker_group *fewer =
        realloc(wakers->groups, (wakers->group_count + 1) * sizeof *fewer);
    wakers->groups = fewer != NULL ? fewer : wakers->groups;
    return HF_OK;
}

void hf_wakers_done(struct hf_wakers *wakers)
{
    free(wakers->groups);
    free(wakers->rules);
    *wakers = (struct hf_wakers){0};
}

bool hf_guards_hold(const struct hf_guards *guards, struct hf_bytes view)
{
    if (view.len < guards->size_min || view.len > guards->size_max)
        return false;
    struct hf_cursor c = hf_cursor_open(view.data, view.len, NULL);
    c = hf_cursor_at(&c, guards->magic.offset);
    return guards->magic.length == 0 ||
           hf_peek_equal(&c, guards->magic.bytes, guards->magic.length);
}
