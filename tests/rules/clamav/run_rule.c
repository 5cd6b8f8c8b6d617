#include "run_rule.h"

#include "base/auto.h"
#include "pattern/search.h"
#include "rules/chain.h"

#include <assert.h>
#include <stdlib.h>

struct found {
    struct hf_arena *arena;
    const struct hf_pattern *pattern;
    struct hf_bytes data;
    struct hf_machine_scratch *scratch;
    struct hf_chain_part *part;
    bool every, lazy;
};

static bool on_match(void *user, uint64_t start, uint64_t length)
{
    struct found *f = user;
    struct hf_chain_part *part = f->part;
    if (!hf_place_allows(&f->pattern->place, f->data.len, start))
        return true;
    for (size_t i = 0; i < part->count; i++) {
        struct hf_match *m = &part->matches[i];
        if (m->offset != start || (f->every && m->length != length))
            continue;
        if (!f->every && (f->lazy ? length < m->length : length > m->length))
            m->length = length;
        return true;
    }
    part->matches =
        hf_arena_grow(f->arena, part->matches, part->count, sizeof *part->matches);
    part->matches[part->count++] = (struct hf_match){start, length};
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool on_needle(void *user, const struct hf_needle *n)
{
    struct found *f = user;
    for (size_t at = 0; at + n->bytes.len <= f->data.len; at++) {
        bool same = true;
        for (size_t i = 0; i < n->bytes.len && same; i++) {
            uint8_t a = n->bytes.data[i], b = f->data.data[at + i];
            same = a == b || (n->nocase && lower(a) == lower(b));
        }
        if (same &&
            hf_pattern_confirm(f->pattern, n->variant, f->data, at, (uint32_t)n->bytes.len,
                               NULL, f->scratch, on_match, f) != HF_OK)
            abort();
    }
    return true;
}

static int compare(const void *left, const void *right)
{
    const struct hf_match *a = left, *b = right;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->length > b->length) - (a->length < b->length);
}

static void find(const struct hf_pattern *pattern, struct hf_bytes data,
                 struct hf_arena *arena, struct hf_chain_part *part)
{
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    struct found f = {.arena = arena,
                      .pattern = pattern,
                      .data = data,
                      .scratch = scratch,
                      .part = part,
                      .lazy = hf_pattern_is_lazy(pattern)};
    struct hf_program program;
    f.every = pattern->kind != HF_PATTERN_LITERAL &&
              hf_program_open(pattern->text, &program) == HF_OK &&
              (program.flags & HF_PROGRAM_EVERY) != 0;
    part->linked = (pattern->flags & HF_PATTERN_LINKED) != 0;
    part->link = pattern->link;
    if (hf_pattern_needles(pattern, on_needle, &f) != HF_OK)
        abort();
    if (part->count > 1)
        qsort(part->matches, part->count, sizeof *part->matches, compare);
}

static size_t matches_of(void *user, uint32_t pattern, const struct hf_match **matches)
{
    const struct hf_chain_part *parts = user;
    *matches = parts[pattern].matches;
    return parts[pattern].count;
}

static bool holds(const struct hf_clamav_signature *s, struct hf_chain_part *parts,
                  struct hf_bytes data)
{
    size_t matched = 0;
    for (size_t i = 0; i < s->pattern_count; i++)
        matched += parts[i].count > 0 ? 1 : 0;
    if (s->rule.condition == HF_CONDITION_ALL)
        return matched == s->pattern_count;
    if (s->rule.condition == HF_CONDITION_ANY)
        return matched > 0;
    struct hf_machine_input input = {.matches = matches_of,
                                     .user = parts,
                                     .pattern_count = (uint32_t)s->pattern_count,
                                     .view = hf_cursor_open(data.data, data.len, NULL)};
    bool answer = false;
    if (hf_machine_check(s->rule.program, (uint32_t)s->pattern_count) != HF_OK ||
        hf_machine_run(s->rule.program, &input, &answer) != HF_OK)
        abort();
    return answer;
}

bool run_rule(const struct hf_clamav_signature *s, struct hf_bytes data, size_t *counts)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(256 << 20);
    struct hf_chain_part *parts = hf_arena_array(arena, s->pattern_count, sizeof *parts);
    if (data.len < s->rule.guards.size_min || data.len > s->rule.guards.size_max)
        return false;
    for (size_t i = 0; i < s->pattern_count; i++)
        find(&s->patterns[i], data, arena, &parts[i]);
    if (hf_chain_join(parts, s->pattern_count, arena, NULL) != HF_OK)
        abort();
    for (size_t i = 0; counts != NULL && i < s->pattern_count; i++)
        counts[i] = parts[i].count;
    return holds(s, parts, data);
}
