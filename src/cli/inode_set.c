#include "cli/inode_set.h"

#include <stdlib.h>
#include <sys/random.h>

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
    /* Multiply-shift: the upper bits of sums of products with keys that nobody can guess. */
    uint64_t h =
        key->device * set->keys[0] + key->inode * set->keys[1] + key->stamp * set->keys[2];
    size_t i = (size_t)(h >> 32) & (set->room - 1);
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
    struct hf_inode_set bigger = {.room = room, .count = set->count};
    bigger.slots = calloc(room, sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return HF_NOMEM;
    /* Without random bytes (early at boot) the keys spread as well, but can be guessed. */
    (void)!getrandom(bigger.keys, sizeof bigger.keys, GRND_NONBLOCK);
    for (size_t i = 0; i < sizeof bigger.keys / sizeof *bigger.keys; i++)
        bigger.keys[i] = (bigger.keys[i] ^ UINT64_C(0x9E3779B97F4A7C15) * (i + 1)) | 1;
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
