/* stems.h - names while a database is built: split into stem and number, stems kept once. */
#ifndef HF_DB_STEMS_H
#define HF_DB_STEMS_H

#include "base/buffer.h"

/* A stem: what stands before and behind the number, and the source it came from. */
struct hf_stem {
    uint32_t text; /* where its bytes start in the pool: before, then after */
    uint16_t before, after;
    uint32_t source;
    bool numbered;
    uint64_t uses, lowest, highest; /* of its numbers */
};

struct hf_stems {
    struct hf_stem *items;
    uint32_t count, room;
    uint32_t *slots; /* open addressing: stem + 1, 0 empty */
    uint32_t slot_count;
    struct hf_buffer pool;
    bool failed; /* out of memory, or too many */
};

/* A name taken apart. */
struct hf_name_parts {
    struct hf_bytes before, after;
    bool numbered;
    uint64_t number;
};

void hf_stems_done(struct hf_stems *stems);

/* The number is the longest run of digits that is a number as people write it (no leading zero,
 * at most 18 digits); the first of the longest. */
struct hf_name_parts hf_name_split(struct hf_bytes name);

/* The stem of a name, new or known; counts its use. UINT32_MAX and failed: out of memory. */
uint32_t hf_stems_add(struct hf_stems *stems, const struct hf_name_parts *parts,
                      uint32_t source);

/* Add all stems of other with their uses; map[i] is where its stem i is now. */
void hf_stems_merge(struct hf_stems *stems, const struct hf_stems *other, uint32_t *map);

/* Whether two stems differ at most in their source. */
bool hf_stems_same_text(const struct hf_stems *stems, uint32_t a, uint32_t b);

struct hf_bytes hf_stem_before(const struct hf_stems *stems, const struct hf_stem *stem);
struct hf_bytes hf_stem_after(const struct hf_stems *stems, const struct hf_stem *stem);

#endif
