#include "unpack/iso_views.h"

enum { SECTOR = 2048, FIRST = 16, DESCRIPTORS_MAX = 64 };

bool hf_iso_has_joliet(const struct hf_cursor *object)
{
    enum { SUPPLEMENTARY = 2, END = 255, ESCAPES_AT = 88 };
    for (uint64_t i = 0; i < DESCRIPTORS_MAX; i++) {
        struct hf_cursor c = hf_cursor_sub(object, (FIRST + i) * SECTOR, SECTOR);
        uint8_t type = hf_u8(&c);
        if (hf_cursor_status(&c) != HF_OK || !hf_peek_equal(&c, "CD001", 5) || type == END)
            return false;
        hf_seek(&c, ESCAPES_AT);
        if (type == SUPPLEMENTARY &&
            (hf_peek_equal(&c, "%/@", 3) || hf_peek_equal(&c, "%/C", 3) ||
             hf_peek_equal(&c, "%/E", 3)))
            return true;
    }
    return false;
}

bool hf_iso_has_rock_ridge(const struct hf_cursor *object)
{
    enum { ROOT_EXTENT_AT = 158, SYSTEM_USE_AT = 34 }; /* behind the record of "." */
    struct hf_cursor c = hf_cursor_at(object, FIRST * SECTOR + ROOT_EXTENT_AT);
    c = hf_cursor_at(object, (uint64_t)hf_u32le(&c) * SECTOR + SYSTEM_USE_AT);
    return hf_peek_equal(&c, "SP\7\1\xbe\xef", 6);
}

/* The extent's slot, or the free one where it belongs. There always is a free one. */
static struct hf_iso_extent *find_slot(const struct hf_iso_extents *x, uint64_t place,
                                       uint64_t size)
{
    uint64_t hash = (place ^ size << 20) * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = (size_t)(hash >> 20);; i++) {
        struct hf_iso_extent *slot = &x->slots[i & (x->slot_count - 1)];
        if (slot->size == 0 || (slot->place == place && slot->size == size))
            return slot;
    }
}

bool hf_iso_has_extent(const struct hf_iso_extents *x, uint64_t place, uint64_t size)
{
    return x->count > 0 && size > 0 && find_slot(x, place, size)->size != 0;
}

static bool grow(struct hf_iso_extents *x)
{
    enum { SLOTS_MIN = 256 };
    struct hf_iso_extents more = {.slot_count =
                                      x->slot_count == 0 ? SLOTS_MIN : 2 * x->slot_count};
    more.slots = hf_arena_array(x->arena, more.slot_count, sizeof *more.slots);
    if (more.slots == NULL)
        return false;
    for (size_t i = 0; i < x->slot_count; i++)
        if (x->slots[i].size != 0)
            *find_slot(&more, x->slots[i].place, x->slots[i].size) = x->slots[i];
    x->slots = more.slots;
    x->slot_count = more.slot_count;
    return true;
}

void hf_iso_add_extent(struct hf_iso_extents *x, uint64_t place, uint64_t size)
{
    if (size == 0 || (x->count >= x->slot_count / 2 && !grow(x)))
        return;
    struct hf_iso_extent *slot = find_slot(x, place, size);
    x->count += slot->size == 0;
    *slot = (struct hf_iso_extent){place, size};
}
