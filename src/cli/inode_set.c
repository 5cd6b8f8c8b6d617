#include "cli/inode_set.h"

#include <stdlib.h>

void hf_inode_set_done(struct hf_inode_set *set)
{
    free(set->slots);
    *set = (struct hf_inode_set){0};
}

static bool is_free(const struct hf_inode_key *slot)
{
    return slot->device == 0 && slot->inode == 0 && slot->stamp == 0;
}

static bool equal(const struct hf_inode_key *a, const struct hf_inode_key *b)
{
    return a->device == b->device && a->inode == b->inode && a->stamp == b->stamp;
}

/* The key's slot, or the free one where it belongs. There is always a free one. */
static struct hf_inode_key *slot_of(const struct hf_inode_set *set,
                                    const struct hf_inode_key *key)
{
    /* Inodes count up, so multiplying by an odd constant spreads them over the upper bits. Whoever
     * chooses inode numbers to collide makes his own scan slower, and no other. */
    uint64_t h =
        (key->inode ^ key->device << 32 ^ key->stamp) * UINT64_C(0x9E3779B97F4A7C15);
    size_t i = (size_t)(h >> 20) & (set->room - 1);
    while (!is_free(&set->slots[i]) && !equal(&set->slots[i], key))
        i = (i + 1) & (set->room - 1);
    return &set->slots[i];
}

bool hf_inode_set_has(const struct hf_inode_set *set, struct hf_inode_key key)
{
    return set->room > 0 && !is_free(slot_of(set, &key));
}

static enum hf_status grow(struct hf_inode_set *set)
{
    size_t room = set->room > 0 ? set->room * 2 : 256;
    struct hf_inode_set bigger = {calloc(room, sizeof *bigger.slots), room, set->count};
    if (bigger.slots == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < set->room; i++)
        if (!is_free(&set->slots[i]))
            *slot_of(&bigger, &set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = bigger;
    return HF_OK;
}

enum hf_status hf_inode_set_add(struct hf_inode_set *set, struct hf_inode_key key)
{
    if (is_free(&key))
        return HF_OK; /* no file has this key */
    if (set->count >= set->room - set->room / 4 && grow(set) != HF_OK)
        return HF_NOMEM;
    struct hf_inode_key *slot = slot_of(set, &key);
    set->count += is_free(slot);
    *slot = key;
    return HF_OK;
}
