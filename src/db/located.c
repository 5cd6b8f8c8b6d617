#include "db/located.h"

#include "db/coding.h"

#include <stdlib.h>

enum {
    LAYOUT = 2,
    TARGETS = 256,
    /* A look at an offset of every object costs about what searching for this much weight does. */
    WORTH_A_LOOK = 16
};

/* ---- collecting ---- */

/* A pattern whose place is known. */
struct hf_located_item {
    struct hf_place place;
    uint32_t number, head;
    uint32_t weight;    /* what searching for it would cost, roughly */
    uint8_t head_bytes; /* of head that count */
    uint8_t target;     /* of its rule */
    bool must;          /* it cannot be searched for */
    bool taken;
};

void hf_located_done(struct hf_located_build *build)
{
    free(build->items);
    free(build->taken);
    hf_buffer_done(&build->loose);
    *build = (struct hf_located_build){0};
}

/* The one byte of a set once letters are folded; -1: several. */
static int only_byte(const uint8_t set[32])
{
    int only = -1;
    for (int b = 0; b < 256; b++) {
        const int folded = b >= 'A' && b <= 'Z' ? b | 0x20 : b;
        if ((set[b >> 3] >> (b & 7) & 1) == 0)
            continue;
        if (only >= 0 && only != folded)
            return -1;
        only = folded;
    }
    return only;
}

static void set_head(struct hf_located_item *item, const struct hf_head *head)
{
    while (item->head_bytes < HF_LOCATED_HEAD_MAX && item->head_bytes < head->length) {
        const int byte = only_byte(head->sets[item->head_bytes]);
        if (byte < 0)
            return;
        item->head |= (uint32_t)byte << (8 * item->head_bytes++);
    }
}

/* The shortest needle says what a search costs: short ones are found everywhere. */
static bool note_length(void *user, const struct hf_needle *needle)
{
    size_t *shortest = user;
    *shortest = needle->bytes.len < *shortest ? needle->bytes.len : *shortest;
    return true;
}

static uint32_t weight_of(size_t shortest)
{
    return shortest >= 9 ? 1 : shortest >= 4 ? 16 : 1024;
}

static bool add_item(struct hf_located_build *build, const struct hf_located_item *item)
{
    if (build->count == build->room) {
        const size_t room = build->room == 0 ? 256 : 2 * build->room;
        struct hf_located_item *items = realloc(build->items, room * sizeof *items);
        if (items == NULL)
            return false;
        build->items = items;
        build->room = room;
    }
    build->items[build->count++] = *item;
    return true;
}

enum hf_status hf_located_offer(struct hf_located_build *build,
                                const struct hf_pattern *pattern, uint32_t number,
                                uint8_t target)
{
    struct hf_head head;
    size_t shortest = SIZE_MAX;
    enum hf_status st = hf_pattern_needles(pattern, note_length, &shortest);
    const bool loose = st == HF_NOTFOUND;
    build->patterns = number + 1;
    if (hf_pattern_is_derived(pattern->kind))
        return HF_OK; /* worked out from others, wherever it is */
    if (st != HF_OK && !loose)
        return st;
    if (!hf_pattern_is_placed(pattern)) {
        if (loose)
            hf_buffer_add(&build->loose, &number, sizeof number);
        return build->loose.failed ? HF_NOMEM : HF_OK;
    }
    st = hf_pattern_head(pattern, &head);
    if (st != HF_OK)
        return st;
    struct hf_located_item item = {.place = pattern->place,
                                   .number = number,
                                   .weight = weight_of(shortest),
                                   .target = target,
                                   .must = loose};
    set_head(&item, &head);
    return add_item(build, &item) ? HF_OK : HF_NOMEM;
}

/* ---- choosing ---- */

static bool needs_facts(enum hf_place_kind kind)
{
    return kind != HF_PLACE_START && kind != HF_PLACE_END;
}

static int compare_places(const struct hf_place *a, const struct hf_place *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->section != b->section)
        return a->section < b->section ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->span > b->span) - (a->span < b->span);
}

static int compare_items(const void *left, const void *right)
{
    const struct hf_located_item *a = left, *b = right;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    const int order = compare_places(&a->place, &b->place);
    if (order != 0)
        return order;
    if (a->head_bytes != b->head_bytes)
        return a->head_bytes < b->head_bytes ? -1 : 1;
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static bool same_spot(const struct hf_located_item *a, const struct hf_located_item *b)
{
    return a->target == b->target && compare_places(&a->place, &b->place) == 0;
}

/* Items of one place and target: what it costs to look there, and what searching for them would. */
struct spot {
    size_t first, end;
    uint64_t offsets, weight;
    bool must;
};

/* Most saved for each offset first; the order of places decides between equals. */
static int compare_spots(const void *left, const void *right)
{
    const struct spot *a = left, *b = right;
    if (a->must != b->must)
        return a->must ? -1 : 1;
    const uint64_t x = a->weight * b->offsets, y = b->weight * a->offsets;
    if (x != y)
        return x > y ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static size_t find_spots(const struct hf_located_build *build, struct spot *spots)
{
    size_t count = 0;
    for (size_t i = 0, end; i < build->count; i = end) {
        struct spot *s = &spots[count++];
        *s = (struct spot){.first = i, .offsets = build->items[i].place.span + 1};
        for (end = i; end < build->count && same_spot(&build->items[i], &build->items[end]);
             end++) {
            s->weight += build->items[end].weight;
            s->must |= build->items[end].must;
        }
        s->end = end;
    }
    return count;
}

/* Those that are taken, in their order; note them and the loose ones. */
static bool keep_taken(struct hf_located_build *build)
{
    const uint32_t *loose = (const uint32_t *)(const void *)build->loose.data;
    size_t kept = 0;
    build->taken = calloc((size_t)build->patterns + 1, 1);
    if (build->taken == NULL)
        return false;
    for (size_t i = 0; i < build->count; i++) {
        if (!build->items[i].taken)
            continue;
        build->taken[build->items[i].number] = 1;
        build->items[kept++] = build->items[i];
    }
    build->count = kept;
    for (size_t i = 0; i < build->loose.len / sizeof *loose; i++)
        build->taken[loose[i]] = 1;
    return true;
}

enum hf_status hf_located_choose(struct hf_located_build *build)
{
    struct spot *spots = calloc(build->count + 1, sizeof *spots);
    if (spots == NULL)
        return HF_NOMEM;
    if (build->count > 1)
        qsort(build->items, build->count, sizeof *build->items, compare_items);
    const size_t count = find_spots(build, spots);
    uint64_t left[TARGETS][2];
    for (size_t t = 0; t < TARGETS; t++)
        left[t][0] = left[t][1] = HF_LOCATED_PLACES_MAX;
    if (count > 1)
        qsort(spots, count, sizeof *spots, compare_spots);
    for (size_t s = 0; s < count; s++) {
        const struct hf_located_item *item = &build->items[spots[s].first];
        uint64_t *room = &left[item->target][needs_facts(item->place.kind)];
        const bool fits =
            spots[s].offsets <= *room && spots[s].weight >= WORTH_A_LOOK * spots[s].offsets;
        for (size_t i = spots[s].first; i < spots[s].end; i++)
            build->items[i].taken = fits || build->items[i].must;
        *room -= fits ? spots[s].offsets : 0;
    }
    free(spots);
    return keep_taken(build) ? HF_OK : HF_NOMEM;
}

bool hf_located_takes(const struct hf_located_build *build, uint32_t number)
{
    return number < build->patterns && build->taken[number] != 0;
}

/* ---- writing ---- */

static bool same_group(const struct hf_located_item *a, const struct hf_located_item *b)
{
    return same_spot(a, b) && a->head_bytes == b->head_bytes;
}

enum hf_status hf_located_write(const struct hf_located_build *build, struct hf_buffer *out,
                                uint32_t *count)
{
    uint32_t groups = 0;
    *count = (uint32_t)build->count;
    if (build->count == 0)
        return HF_OK;
    for (size_t i = 0; i < build->count; i++)
        groups += i == 0 || !same_group(&build->items[i - 1], &build->items[i]);
    hf_buffer_u32(out, LAYOUT);
    hf_buffer_u32(out, groups);
    hf_buffer_u32(out, *count);
    hf_buffer_u32(out, 0);
    for (size_t i = 0, end; i < build->count; i = end) {
        const struct hf_located_item *item = &build->items[i];
        for (end = i + 1; end < build->count && same_group(item, &build->items[end]);)
            end++;
        hf_buffer_u8(out, (uint8_t)item->place.kind);
        hf_buffer_u8(out, item->head_bytes);
        hf_buffer_u16(out, item->place.section);
        hf_buffer_u32(out, (uint32_t)i);
        hf_buffer_u64(out, (uint64_t)item->place.offset);
        hf_buffer_u64(out, item->place.span);
        hf_buffer_u32(out, (uint32_t)(end - i));
        hf_buffer_u32(out, item->target);
    }
    for (size_t i = 0; i < build->count; i++) {
        hf_buffer_u32(out, build->items[i].head);
        hf_buffer_u32(out, build->items[i].number);
    }
    return out->failed ? HF_NOMEM : HF_OK;
}

static void put_in_tables(uint8_t *tables, unsigned bit, const struct hf_head *head)
{
    for (size_t k = 0; k < HF_LOOSE_HEAD; k++)
        for (unsigned b = 0; b < 256; b++)
            if ((head->sets[k][b >> 3] >> (b & 7) & 1) != 0)
                tables[(k * 256 + b) * 8 + bit / 8] |= (uint8_t)(1u << (bit & 7));
}

enum hf_status hf_loose_write(const struct hf_located_build *build,
                              hf_located_pattern_at *pattern_at, void *user,
                              struct hf_buffer *out, uint32_t *count)
{
    const uint32_t *numbers = (const uint32_t *)(const void *)build->loose.data;
    *count = (uint32_t)(build->loose.len / sizeof *numbers);
    if (*count == 0)
        return HF_OK;
    const size_t blocks = (*count + HF_LOOSE_BLOCK - 1) / HF_LOOSE_BLOCK;
    const size_t size = blocks * HF_LOOSE_HEAD * 256 * 8, base = out->len;
    hf_buffer_u32(out, LAYOUT);
    hf_buffer_u32(out, *count);
    hf_buffer_u32(out, (uint32_t)blocks);
    hf_buffer_u32(out, 0);
    for (uint32_t i = 0; i < *count; i++)
        hf_buffer_u32(out, numbers[i]);
    while (!out->failed && (out->len - base) % 16 != 0)
        hf_buffer_u8(out, 0);
    uint8_t *tables = hf_buffer_reserve(out, size);
    if (tables == NULL)
        return HF_NOMEM;
    memset(tables, 0, size);
    for (uint32_t i = 0; i < *count; i++) {
        struct hf_pattern pattern;
        struct hf_head head;
        if (!pattern_at(user, numbers[i], &pattern))
            return HF_MALFORMED;
        enum hf_status st = hf_pattern_head(&pattern, &head);
        if (st != HF_OK)
            return st;
        put_in_tables(tables + (size_t)(i / HF_LOOSE_BLOCK) * HF_LOOSE_HEAD * 256 * 8,
                      i % HF_LOOSE_BLOCK, &head);
    }
    out->len += size;
    return HF_OK;
}

/* ---- looking in place ---- */

struct located {
    const uint8_t *groups, *entries;
    uint32_t group_count, entry_count;
};

static bool open_located(struct hf_bytes section, struct located *l)
{
    struct hf_bytes part;
    if (!hf_extent(section, 0, HF_LOCATED_HEADER, &part) || hf_le32(part.data) != LAYOUT)
        return false;
    l->group_count = hf_le32(part.data + 4);
    l->entry_count = hf_le32(part.data + 8);
    const uint64_t groups = (uint64_t)l->group_count * HF_LOCATED_GROUP;
    if (!hf_extent(section, HF_LOCATED_HEADER, groups, &part))
        return false;
    l->groups = part.data;
    if (!hf_extent(section, HF_LOCATED_HEADER + groups,
                   (uint64_t)l->entry_count * HF_LOCATED_ENTRY, &part))
        return false;
    l->entries = part.data;
    return true;
}

uint32_t hf_located_pattern(struct hf_bytes section, uint32_t i)
{
    struct located l;
    return open_located(section, &l) && i < l.entry_count
               ? hf_le32(l.entries + (size_t)i * HF_LOCATED_ENTRY + 4)
               : UINT32_MAX;
}

struct group {
    enum hf_place_kind kind;
    unsigned head_bytes;
    uint16_t section;
    uint32_t first, count, target;
    int64_t offset;
    uint64_t span;
};

static struct group group_at(const struct located *l, uint32_t number)
{
    const uint8_t *p = l->groups + (size_t)number * HF_LOCATED_GROUP;
    struct group g = {.kind = (enum hf_place_kind)p[0],
                      .head_bytes = p[1],
                      .section = (uint16_t)(p[2] | p[3] << 8),
                      .first = hf_le32(p + 4),
                      .offset = (int64_t)hf_le64(p + 8),
                      .span = hf_le64(p + 16),
                      .count = hf_le32(p + 24),
                      .target = hf_le32(p + 28)};
    if (g.first > l->entry_count || g.count > l->entry_count - g.first ||
        g.head_bytes > HF_LOCATED_HEAD_MAX || g.span > HF_PLACED_SPAN_MAX)
        g.count = 0, g.span = 0; /* damaged */
    return g;
}

uint64_t hf_located_places(struct hf_bytes section)
{
    struct located l;
    uint64_t places = 0;
    for (uint32_t i = 0; open_located(section, &l) && i < l.group_count; i++)
        places += group_at(&l, i).span + 1;
    return places;
}

static uint32_t folded_head(const uint8_t *text, unsigned bytes)
{
    uint32_t head = 0;
    for (unsigned i = 0; i < bytes; i++) {
        const uint8_t b = text[i];
        head |= (uint32_t)(b >= 'A' && b <= 'Z' ? b | 0x20 : b) << (8 * i);
    }
    return head;
}

/* Entries of a group with this head: the first of them, or where they would be. */
static uint32_t first_entry(const struct located *l, const struct group *g, uint32_t head)
{
    uint32_t low = g->first, high = g->first + g->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (hf_le32(l->entries + (size_t)middle * HF_LOCATED_ENTRY) < head)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void look_at(const struct located *l, const struct group *g, struct hf_bytes view,
                    uint64_t start, hf_on_candidate *on_candidate, void *user)
{
    const uint32_t head = folded_head(view.data + start, g->head_bytes);
    for (uint32_t i = first_entry(l, g, head); i < g->first + g->count; i++) {
        const uint8_t *entry = l->entries + (size_t)i * HF_LOCATED_ENTRY;
        if (hf_le32(entry) != head)
            return;
        (void)on_candidate(user, hf_le32(entry + 4), start);
    }
}

/* Where a place's group begins, as an offset that may lie before or behind the view. */
static bool group_start(const struct group *g, uint64_t size, hf_place_resolve *resolve,
                        void *user, int64_t *start)
{
    uint64_t base = 0;
    switch (g->kind) {
    case HF_PLACE_START: *start = g->offset; return true;
    case HF_PLACE_END: /* as hf_place_allows */
        if (g->offset < 0 || (uint64_t)g->offset > size)
            return false;
        *start = (int64_t)(size - (uint64_t)g->offset);
        return true;
    case HF_PLACE_ENTRY:
    case HF_PLACE_SECTION:
    case HF_PLACE_LAST_SECTION:
        if (resolve == NULL || !resolve(user, g->kind, g->section, &base) ||
            base > INT64_MAX)
            return false;
        return !__builtin_add_overflow((int64_t)base, g->offset, start);
    default: return false;
    }
}

/* The first group of a target or of one behind it. */
static uint32_t first_group(const struct located *l, uint32_t target)
{
    uint32_t low = 0, high = l->group_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (hf_le32(l->groups + (size_t)middle * HF_LOCATED_GROUP + 28) < target)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void find_of_target(const struct located *l, uint32_t target, struct hf_bytes view,
                           hf_place_resolve *resolve, void *resolve_user,
                           hf_on_candidate *on_candidate, void *user)
{
    for (uint32_t i = first_group(l, target); i < l->group_count; i++) {
        const struct group g = group_at(l, i);
        int64_t start;
        if (g.target != target)
            return;
        if (g.count == 0 || !group_start(&g, view.len, resolve, resolve_user, &start))
            continue;
        for (uint64_t k = 0; k <= g.span && start <= INT64_MAX - (int64_t)k; k++) {
            const int64_t at = start + (int64_t)k;
            if (at >= 0 && (uint64_t)at <= view.len &&
                view.len - (uint64_t)at >= g.head_bytes)
                look_at(l, &g, view, (uint64_t)at, on_candidate, user);
        }
    }
}

void hf_located_find(struct hf_bytes section, struct hf_bytes view, uint8_t target,
                     hf_place_resolve *resolve, void *resolve_user,
                     hf_on_candidate *on_candidate, void *user)
{
    struct located l;
    if (!open_located(section, &l) || view.len > INT64_MAX)
        return;
    find_of_target(&l, 0, view, resolve, resolve_user, on_candidate, user);
    if (target != 0)
        find_of_target(&l, target, view, resolve, resolve_user, on_candidate, user);
}

/* ---- trying everywhere ---- */

struct loose {
    const uint8_t *numbers, *tables;
    uint32_t count, blocks;
};

static bool open_loose(struct hf_bytes section, struct loose *l)
{
    struct hf_bytes part;
    if (!hf_extent(section, 0, HF_LOCATED_HEADER, &part) || hf_le32(part.data) != LAYOUT)
        return false;
    l->count = hf_le32(part.data + 4);
    l->blocks = hf_le32(part.data + 8);
    const uint64_t numbers = ((uint64_t)l->count * 4 + 15) & ~UINT64_C(15);
    if (l->blocks != ((uint64_t)l->count + HF_LOOSE_BLOCK - 1) / HF_LOOSE_BLOCK ||
        !hf_extent(section, HF_LOCATED_HEADER, numbers, &part))
        return false;
    l->numbers = part.data;
    if (!hf_extent(section, HF_LOCATED_HEADER + numbers,
                   (uint64_t)l->blocks * HF_LOOSE_HEAD * 256 * 8, &part))
        return false;
    l->tables = part.data;
    return true;
}

uint32_t hf_loose_blocks(struct hf_bytes section)
{
    struct loose l;
    return open_loose(section, &l) ? l.blocks : 0;
}

uint32_t hf_loose_pattern(struct hf_bytes section, uint32_t i)
{
    struct loose l;
    return open_loose(section, &l) && i < l.count ? hf_le32(l.numbers + (size_t)i * 4)
                                                  : UINT32_MAX;
}

static uint64_t admitted(const uint8_t *tables, const uint8_t *text, size_t left)
{
    uint64_t m = UINT64_MAX;
    for (size_t k = 0; k < HF_LOOSE_HEAD && k < left; k++)
        m &= hf_le64(tables + (k * 256 + text[k]) * 8);
    return m;
}

/* One block of patterns. dropped is what nobody asks for, and grows. */
static uint64_t find_in_block(const struct loose *l, uint32_t block, struct hf_bytes view,
                              uint64_t from, uint64_t to, uint64_t dropped,
                              hf_on_candidate *on_candidate, void *user)
{
    const uint8_t *tables = l->tables + (size_t)block * HF_LOOSE_HEAD * 256 * 8;
    const uint32_t own = l->count - block * HF_LOOSE_BLOCK;
    if (own < HF_LOOSE_BLOCK)
        dropped |= UINT64_MAX << own;
    for (uint64_t at = from; at < to && dropped != UINT64_MAX; at++) {
        uint64_t m = admitted(tables, view.data + at, (size_t)(view.len - at)) & ~dropped;
        for (; m != 0; m &= m - 1) {
            const unsigned i = (unsigned)__builtin_ctzll(m);
            const uint32_t number =
                hf_le32(l->numbers + ((size_t)block * HF_LOOSE_BLOCK + i) * 4);
            if (!on_candidate(user, number, at))
                dropped |= UINT64_C(1) << i;
        }
    }
    return dropped;
}

void hf_loose_find(struct hf_bytes section, struct hf_bytes view, uint64_t from,
                   uint64_t to, uint64_t *dropped, hf_on_candidate *on_candidate,
                   void *user)
{
    struct loose l;
    to = to < view.len ? to : view.len;
    if (!open_loose(section, &l))
        return;
    for (uint32_t block = 0; block < l.blocks; block++) {
        const uint64_t d =
            find_in_block(&l, block, view, from, to, dropped == NULL ? 0 : dropped[block],
                          on_candidate, user);
        if (dropped != NULL)
            dropped[block] = d;
    }
}
