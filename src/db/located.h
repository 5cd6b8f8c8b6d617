/* located.h - patterns that are not searched for: those whose place is known are looked at there
 * (LOCATED), and those without a literal piece are tried wherever their first bytes fit (LOOSE).
 * Both yield candidates; what a candidate means is hf_pattern_confirm_at's business.
 *
 * LOCATED: u32 layout, u32 groups, u32 entries, u32 0; then groups, 32 bytes each:
 *   u8 place kind, u8 head bytes (0..4), u16 section, u32 first entry, i64 offset, u64 span,
 *   u32 entries, u32 target
 * then entries: u32 head, u32 pattern. Groups ascend by target, kind, section, offset, span, head
 * bytes; entries of a group by head, then pattern. Only groups of target 0 and of the object's own
 * target (rules/rule.h) are looked at. A head is what every match begins with, folded, as a
 * little-endian number.
 *
 * LOOSE: u32 layout, u32 patterns, u32 blocks, u32 0; then the patterns' numbers (u32), zeros up to
 * 16 bytes; then for each block of 64 patterns HF_LOOSE_HEAD tables of 256 u64: bit i of number b
 * of table k: byte b may stand at place k of a match of pattern i of the block. */
#ifndef HF_DB_LOCATED_H
#define HF_DB_LOCATED_H

#include "base/buffer.h"
#include "pattern/search.h"

enum {
    HF_LOCATED_HEADER = 16,
    HF_LOCATED_GROUP = 32,
    HF_LOCATED_ENTRY = 8,
    HF_LOCATED_HEAD_MAX = 4,
    HF_LOOSE_BLOCK = 64, /* patterns */
    HF_LOOSE_HEAD = 4
};

/* What the builder collects. */
struct hf_located_build {
    struct hf_located_item *items;
    size_t count, room;
    struct hf_buffer loose; /* uint32_t each */
    uint8_t *taken;         /* by pattern, once chosen: needs no search */
    uint32_t patterns;      /* numbers seen are below this */
    bool failed;            /* out of memory */
};
void hf_located_done(struct hf_located_build *build);

/* Offer a pattern under its number; target: of its rule. It is noted when it is placed or has no needle. Numbers
 * ascend. HF_OK; HF_MALFORMED; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_located_offer(struct hf_located_build *build,
                                            const struct hf_pattern *pattern,
                                            uint32_t number, uint8_t target);

/*
 * Choose what is looked at in place: places are taken in the order of how much searching they
 * save, as far as it is worth it, up to HF_LOCATED_PLACES_MAX offsets of a target that need no facts and as many that do, for
 * each costs every object of the target a look. Patterns without needles are always taken when they are placed.
 * Afterwards hf_located_takes says of a pattern whether it needs no search. HF_OK; HF_NOMEM.
 */
enum { HF_LOCATED_PLACES_MAX = 1024 };
HF_MUST_USE enum hf_status hf_located_choose(struct hf_located_build *build);
bool hf_located_takes(const struct hf_located_build *build, uint32_t number);

/* Append the sections' contents; how many patterns each has. Nothing for none. */
HF_MUST_USE enum hf_status hf_located_write(const struct hf_located_build *build,
                                            struct hf_buffer *out, uint32_t *count);
/* pattern_at reads a pattern by number. */
typedef bool hf_located_pattern_at(void *user, uint32_t number, struct hf_pattern *pattern);
HF_MUST_USE enum hf_status hf_loose_write(const struct hf_located_build *build,
                                          hf_located_pattern_at *pattern_at, void *user,
                                          struct hf_buffer *out, uint32_t *count);

/* Where a place begins in the object under scan: kind ENTRY, SECTION (of this number),
 * LAST_SECTION. False: it has none. */
typedef bool hf_place_resolve(void *user, enum hf_place_kind kind, uint16_t section,
                              uint64_t *start);

/* A pattern may match at start. Returns false: nothing more of this pattern (LOOSE only; of
 * LOCATED there is little). */
typedef bool hf_on_candidate(void *user, uint32_t pattern, uint64_t start);

/* Candidates of a LOCATED section in a view of an object of this target. resolve may be NULL: places that need facts are left
 * out. Damaged sections yield nothing or nonsense, never a bad access. */
void hf_located_find(struct hf_bytes section, struct hf_bytes view, uint8_t target,
                     hf_place_resolve *resolve, void *resolve_user,
                     hf_on_candidate *on_candidate, void *user);

/* Candidates of a LOOSE section in view[from, to), ascending for each pattern; matches may reach
 * behind to. One table look-up a place and byte for each 64 patterns. dropped: one u64 a block of
 * patterns that are not asked for any more, kept between calls; NULL: none. */
void hf_loose_find(struct hf_bytes section, struct hf_bytes view, uint64_t from,
                   uint64_t to, uint64_t *dropped, hf_on_candidate *on_candidate,
                   void *user);

/* Blocks of a LOOSE section; pattern number i, UINT32_MAX past the end. */
uint32_t hf_loose_blocks(struct hf_bytes section);
uint32_t hf_loose_pattern(struct hf_bytes section, uint32_t i);

/* Number i of the patterns of a LOCATED section, UINT32_MAX past the end; for db info. */
uint32_t hf_located_pattern(struct hf_bytes section, uint32_t i);

/* Offsets that a LOCATED section has each object looked at, if it has all the places. */
uint64_t hf_located_places(struct hf_bytes section);

#endif
