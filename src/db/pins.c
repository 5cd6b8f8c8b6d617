#include "db/pins.h"

#include "base/auto.h"
#include "digest/digest.h"

#include <stdlib.h>

enum { DIGEST = 16 };

struct hf_pin {
    uint64_t name; /* a hash: the digest decides, it covers the name too */
    uint8_t digest[DIGEST];
};

/* FNV-1a. */
static uint64_t hash_of(struct hf_bytes name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.data[i]) * UINT64_C(0x100000001b3);
    return h;
}

void hf_pins_done(struct hf_pins *pins)
{
    hf_buffer_done(&pins->items);
}

void hf_pins_add(struct hf_pins *pins, struct hf_bytes name, const uint8_t *digest)
{
    struct hf_pin pin = {.name = hash_of(name)};
    memcpy(pin.digest, digest, sizeof pin.digest);
    hf_buffer_add(&pins->items, &pin, sizeof pin);
    pins->sorted = false;
}

static int compare(const void *a, const void *b)
{
    const struct hf_pin *x = a, *y = b;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return memcmp(x->digest, y->digest, sizeof x->digest);
}

void hf_pins_sort(struct hf_pins *pins)
{
    if (!pins->sorted && pins->items.len > 0)
        qsort(pins->items.data, pins->items.len / sizeof(struct hf_pin),
              sizeof(struct hf_pin), compare);
    pins->sorted = true;
}

/* The first entry of a name's hash, or where it would stand. */
static size_t find(const struct hf_pin *items, size_t count, uint64_t name)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hf_pins_hold(const struct hf_pins *pins, struct hf_bytes name, struct hf_bytes line)
{
    const struct hf_pin *items = (const struct hf_pin *)(const void *)pins->items.data;
    size_t count = pins->items.len / sizeof *items;
    uint64_t hash = count > 0 ? hash_of(name) : 0;
    size_t at = count > 0 ? find(items, count, hash) : count;
    if (at == count || items[at].name != hash)
        return false;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_digests digests = {0};
    if (hasher == NULL || hf_digest_add(hasher, line, 1u << HF_MD5, &digests) != HF_OK)
        return false;
    for (; at < count && items[at].name == hash; at++)
        if (memcmp(items[at].digest, digests.value[HF_MD5], DIGEST) == 0)
            return true;
    return false;
}
