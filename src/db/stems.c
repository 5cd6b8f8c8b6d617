#include "db/stems.h"
#include "db/signature_id.h"

#include <stdlib.h>

enum { DIGITS_MAX = 18 };

void hf_stems_done(struct hf_stems *stems)
{
    free(stems->items);
    free(stems->slots);
    hf_buffer_done(&stems->pool);
    *stems = (struct hf_stems){0};
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

struct hf_name_parts hf_name_split(struct hf_bytes name)
{
    struct hf_name_parts parts = {.before = name};
    size_t best = 0, best_at = 0;
    for (size_t i = 0; i < name.len;) {
        size_t end = i;
        while (end < name.len && is_digit(name.data[end]))
            end++;
        size_t run = end - i;
        bool number = run > 0 && run <= DIGITS_MAX && (run == 1 || name.data[i] != '0');
        if (number && run > best) {
            best = run;
            best_at = i;
        }
        i = end + (run == 0);
    }
    if (best == 0)
        return parts;
    parts.numbered = true;
    for (size_t i = best_at; i < best_at + best; i++)
        parts.number = parts.number * 10 + (uint64_t)(name.data[i] - '0');
    parts.before = hf_bytes_of(name.data, best_at);
    parts.after = hf_bytes_of(name.data + best_at + best, name.len - best_at - best);
    return parts;
}

struct hf_bytes hf_stem_before(const struct hf_stems *stems, const struct hf_stem *stem)
{
    return hf_bytes_of(stems->pool.data + stem->text, stem->before);
}

struct hf_bytes hf_stem_after(const struct hf_stems *stems, const struct hf_stem *stem)
{
    return hf_bytes_of(stems->pool.data + stem->text + stem->before, stem->after);
}

/* Names come from people's lists, so the hash only has to spread them; an unlucky list costs
 * time, nothing else. */
static uint64_t hash_parts(const struct hf_name_parts *parts, uint32_t source)
{
    uint64_t h = source * UINT64_C(0x9e3779b97f4a7c15) + parts->numbered;
    const struct hf_bytes texts[] = {parts->before, parts->after};
    for (unsigned t = 0; t < 2; t++) {
        for (size_t i = 0; i < texts[t].len; i += 8) {
            uint64_t word = 0;
            size_t n = texts[t].len - i < 8 ? texts[t].len - i : 8;
            memcpy(&word, texts[t].data + i, n);
            h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
            h ^= h >> 32;
        }
        h = (h ^ texts[t].len) * UINT64_C(0xc4ceb9fe1a85ec53);
        h ^= h >> 29;
    }
    return h;
}

static bool is_stem(const struct hf_stems *stems, const struct hf_stem *stem,
                    const struct hf_name_parts *parts, uint32_t source)
{
    return stem->source == source && stem->numbered == parts->numbered &&
           hf_bytes_equal(hf_stem_before(stems, stem), parts->before) &&
           hf_bytes_equal(hf_stem_after(stems, stem), parts->after);
}

bool hf_stems_same_text(const struct hf_stems *stems, uint32_t a, uint32_t b)
{
    const struct hf_stem *y = &stems->items[b];
    struct hf_name_parts parts = {.before = hf_stem_before(stems, y),
                                  .after = hf_stem_after(stems, y),
                                  .numbered = y->numbered};
    return a == b || is_stem(stems, &stems->items[a], &parts, stems->items[a].source);
}

static struct hf_name_parts parts_of(const struct hf_stems *stems,
                                     const struct hf_stem *stem)
{
    return (struct hf_name_parts){.before = hf_stem_before(stems, stem),
                                  .after = hf_stem_after(stems, stem),
                                  .numbered = stem->numbered};
}

static bool grow(struct hf_stems *stems)
{
    uint32_t room = stems->room == 0 ? 512 : stems->room * 2;
    if (stems->room > UINT32_MAX / 8)
        return false;
    struct hf_stem *items = realloc(stems->items, room * sizeof *items);
    if (items == NULL)
        return false;
    stems->items = items;
    uint32_t *slots = calloc((size_t)room * 2, sizeof *slots);
    if (slots == NULL)
        return false;
    free(stems->slots);
    stems->slots = slots;
    stems->slot_count = room * 2;
    stems->room = room;
    for (uint32_t i = 0; i < stems->count; i++) {
        struct hf_name_parts parts = parts_of(stems, &items[i]);
        uint64_t slot = hash_parts(&parts, items[i].source) & (stems->slot_count - 1);
        while (slots[slot] != 0)
            slot = (slot + 1) & (stems->slot_count - 1);
        slots[slot] = i + 1;
    }
    return true;
}

static uint32_t add_new(struct hf_stems *stems, const struct hf_name_parts *parts,
                        uint32_t source)
{
    struct hf_buffer *pool = &stems->pool;
    size_t at = pool->len;
    if (parts->before.len > UINT16_MAX || parts->after.len > UINT16_MAX ||
        at > UINT32_MAX - 2u * UINT16_MAX)
        return UINT32_MAX;
    hf_buffer_bytes(pool, parts->before);
    hf_buffer_bytes(pool, parts->after);
    if (hf_buffer_reserve(pool, 1) == NULL) /* so that the pool is never NULL */
        return UINT32_MAX;
    stems->items[stems->count] = (struct hf_stem){
        .text = (uint32_t)at,
        .before = (uint16_t)parts->before.len,
        .after = (uint16_t)parts->after.len,
        .source = source,
        .numbered = parts->numbered,
        .lowest = UINT64_MAX,
    };
    return stems->count++;
}

static uint32_t find_or_add(struct hf_stems *stems, const struct hf_name_parts *parts,
                            uint32_t source)
{
    if (stems->count == stems->room && !grow(stems))
        return UINT32_MAX;
    uint64_t slot = hash_parts(parts, source) & (stems->slot_count - 1);
    for (; stems->slots[slot] != 0; slot = (slot + 1) & (stems->slot_count - 1))
        if (is_stem(stems, &stems->items[stems->slots[slot] - 1], parts, source))
            return stems->slots[slot] - 1;
    uint32_t added = add_new(stems, parts, source);
    if (added != UINT32_MAX)
        stems->slots[slot] = added + 1;
    return added;
}

uint32_t hf_stems_add(struct hf_stems *stems, const struct hf_name_parts *parts,
                      uint32_t source)
{
    uint32_t found = stems->failed ? UINT32_MAX : find_or_add(stems, parts, source);
    if (found == UINT32_MAX) {
        stems->failed = true;
        return found;
    }
    struct hf_stem *stem = &stems->items[found];
    stem->uses++;
    if (parts->number < stem->lowest)
        stem->lowest = parts->number;
    if (parts->number > stem->highest)
        stem->highest = parts->number;
    return found;
}

void hf_stems_merge(struct hf_stems *stems, const struct hf_stems *other, uint32_t *map)
{
    for (uint32_t i = 0; i < other->count && !stems->failed; i++) {
        const struct hf_stem *from = &other->items[i];
        struct hf_name_parts parts = parts_of(other, from);
        uint32_t found = find_or_add(stems, &parts, from->source);
        if (found == UINT32_MAX) {
            stems->failed = true;
            return;
        }
        struct hf_stem *to = &stems->items[found];
        to->uses += from->uses;
        to->lowest = from->lowest < to->lowest ? from->lowest : to->lowest;
        to->highest = from->highest > to->highest ? from->highest : to->highest;
        map[i] = found;
    }
}
