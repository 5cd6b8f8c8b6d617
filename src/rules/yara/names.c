#include "rules/yara/names.h"

#include <stdlib.h>

enum { ROOM_FIRST = 64 };

void names_done(struct names *n)
{
    free(n->entries);
    *n = (struct names){0};
}

void names_clear(struct names *n)
{
    n->count = 0;
    n->round++;
    if (n->round == 0 && n->entries != NULL) /* came round: old entries would live again */
        memset(n->entries, 0, n->room * sizeof *n->entries);
}

static size_t hash(uint32_t space, struct hf_bytes name)
{
    uint64_t h = 0xcbf29ce484222325u ^ space;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.data[i]) * 0x100000001b3u; /* FNV-1a */
    return (size_t)(h ^ h >> 29);
}

static bool used(const struct names *n, const struct name_entry *e)
{
    return e->name.data != NULL && e->round == n->round;
}

/* The entry of a name, or the empty one where it would go. */
static struct name_entry *place(const struct names *n, uint32_t space, struct hf_bytes name)
{
    size_t i = hash(space, name) & (n->room - 1);
    for (;; i = (i + 1) & (n->room - 1)) {
        struct name_entry *e = &n->entries[i];
        if (!used(n, e) || (e->space == space && hf_bytes_equal(e->name, name)))
            return e;
    }
}

uint32_t *names_find(const struct names *n, uint32_t space, struct hf_bytes name)
{
    if (n->room == 0)
        return NULL;
    struct name_entry *e = place(n, space, name);
    return used(n, e) ? &e->value : NULL;
}

static bool grow(struct names *n)
{
    struct names larger = {.room = n->room == 0 ? ROOM_FIRST : n->room * 2,
                           .round = n->round};
    larger.entries = calloc(larger.room, sizeof *larger.entries);
    if (larger.entries == NULL)
        return false;
    for (size_t i = 0; i < n->room; i++)
        if (used(n, &n->entries[i]))
            *place(&larger, n->entries[i].space, n->entries[i].name) = n->entries[i];
    larger.count = n->count;
    free(n->entries);
    *n = larger;
    return true;
}

bool names_add(struct names *n, uint32_t space, struct hf_bytes name, uint32_t value)
{
    if (n->count >= n->room / 2 && !grow(n))
        return false;
    *place(n, space, name) = (struct name_entry){
        .name = {name.data != NULL ? name.data : (const uint8_t *)"", name.len},
        .space = space,
        .value = value,
        .round = n->round};
    n->count++;
    return true;
}
