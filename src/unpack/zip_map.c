#include "unpack/zip.h"

#include <stdlib.h>

static size_t slot_of(const struct hf_zip_map *map, uint64_t start)
{
    /* Any odd multiplier spreads positions; a chosen collision costs what its headers were
     * charged for. */
    size_t i = (size_t)(start * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (map->slot_count - 1);
    while (map->slots[i] != 0 && map->spans[map->slots[i] - 1].start != start)
        i = (i + 1) & (map->slot_count - 1);
    return i;
}

struct hf_zip_span *hf_zip_map_find(const struct hf_zip_map *map, uint64_t start)
{
    if (map->count == 0 || (!map->unsorted && start > map->spans[map->count - 1].start))
        return NULL; /* the usual case: headers come in their order */
    size_t i = slot_of(map, start);
    return map->slots[i] == 0 ? NULL : &map->spans[map->slots[i] - 1];
}

static bool grow_slots(struct hf_zip_map *map)
{
    enum { FIRST = 16 };
    size_t count = map->slot_count == 0 ? FIRST : 2 * map->slot_count;
    uint32_t *slots = hf_arena_array(map->arena, count, sizeof *slots);
    if (slots == NULL || map->count >= UINT32_MAX)
        return false;
    map->slots = slots;
    map->slot_count = count;
    for (size_t i = 0; i < map->count; i++)
        slots[slot_of(map, map->spans[i].start)] = (uint32_t)i + 1;
    return true;
}

struct hf_zip_span *hf_zip_map_add(struct hf_zip_map *map, uint64_t start)
{
    if (map->count >= map->slot_count / 2 && !grow_slots(map))
        return NULL;
    struct hf_zip_span *spans =
        hf_arena_grow(map->arena, map->spans, map->count, sizeof *spans);
    if (spans == NULL)
        return NULL;
    map->spans = spans;
    if (map->count > 0 && start < spans[map->count - 1].start)
        map->unsorted = true;
    spans[map->count].start = start;
    size_t i = slot_of(map, start);
    map->slots[i] = (uint32_t)++map->count;
    return &spans[map->count - 1];
}

static int by_start(const void *a, const void *b)
{
    const struct hf_zip_span *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

const struct hf_zip_span *hf_zip_map_sorted(const struct hf_zip_map *map)
{
    if (!map->unsorted && map->spans != NULL)
        return map->spans;
    struct hf_zip_span *copy = hf_arena_array(map->arena, map->count, sizeof *copy);
    if (copy != NULL && map->count > 0) {
        memcpy(copy, map->spans, map->count * sizeof *copy);
        qsort(copy, map->count, sizeof *copy, by_start);
    }
    return copy;
}
