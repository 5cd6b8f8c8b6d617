/* iso_views.h - what makes it cheap to read both trees of an ISO 9660 image: one of plain or Rock
 * Ridge names and one of Joliet names. A lying image shows each system other files; in an honest
 * one both lead to the same extents, which are remembered here and given once. */
#ifndef HF_UNPACK_ISO_VIEWS_H
#define HF_UNPACK_ISO_VIEWS_H

#include "base/arena.h"
#include "base/cursor.h"

/* Whether a volume descriptor announces a Joliet tree. [ECMA-119 8.5; Joliet 1.0] */
bool hf_iso_has_joliet(const struct hf_cursor *object);

/* Whether the plain tree says that it has Rock Ridge names. [IEEE P1281 5.3, "SP"] */
bool hf_iso_has_rock_ridge(const struct hf_cursor *object);

/* Extents of files: a hash table in the arena. */
struct hf_iso_extents {
    struct hf_arena *arena; /* borrowed */
    struct hf_iso_extent {
        uint64_t place, size; /* size 0: a free slot */
    } * slots;
    size_t slot_count, count;
};

bool hf_iso_has_extent(const struct hf_iso_extents *extents, uint64_t place, uint64_t size);

/* Remember an extent; what there is no memory for is forgotten, and its file is given twice. */
void hf_iso_add_extent(struct hf_iso_extents *extents, uint64_t place, uint64_t size);

#endif
