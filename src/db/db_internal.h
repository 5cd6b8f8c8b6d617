/* db_internal.h - what the files of the reader share: an opened segment. */
#ifndef HF_DB_DB_INTERNAL_H
#define HF_DB_DB_INTERNAL_H

#include "base/fd.h"
#include "db/db.h"
#include "db/hash_table.h"
#include "db/names.h"
#include "db/plan.h"

struct hf_db_part {
    struct hf_bytes bytes;
    uint64_t count;
    struct hf_bytes digest; /* SHA-256 of bytes, as the section table has it */
    bool present;
};

/* Sections SOURCES, RULES, PATTERNS and IGNORE are lists of records:
 *
 *   0  u32 count   4  u32 flags   8  u32 first   12  u32 wakes
 *  16  u64 ids     24 u64 wakes_at               (RULES only, as `first` and `wakes`)
 *  32  u64 offsets: count + 1 times u32, into the data
 *  40  u64 data    48 u64 data_length   56 u64 0
 */
enum { HF_RECORDS_HEADER = 64 };
enum { HF_PATTERNS_MATCH_ZEROS = 1 << 0 }; /* flags of PATTERNS; those of RULES are views */

struct hf_records {
    uint32_t count, flags, first, wakes;
    struct hf_bytes offsets, data;
    struct hf_bytes ids;    /* u64 a record */
    struct hf_bytes waking; /* u32 each */
};

struct hf_segment {
    struct hf_map map; /* owned; empty for memory */
    struct hf_bytes bytes;
    struct hf_db_part parts[HF_DB_SECTION_TYPES];
    struct hf_hash_table tables[HF_DB_SECTION_TYPES]; /* of the types that are tables */
    struct hf_names names;
    struct hf_records sources, rules, patterns, ignore, texts;
    struct hf_matcher
        matchers[HF_DB_TARGETS]; /* 0: for objects whose target has none of its own */
    bool has_matcher;            /* that one */
    uint32_t own_matchers;       /* bits 1 << target */
    struct hf_db_place place;    /* whose it is */
};

struct hf_db {
    size_t count;
    uint8_t generation[16];
    struct hf_segment segments[];
};

static inline bool hf_db_is_table(unsigned type)
{
    return type >= HF_DB_HASH_MD5 && type <= HF_DB_ALLOW_SHA256;
}

/* Open a list of records; its ids and waking rules only when with_ids. */
bool hf_records_open(struct hf_bytes section, bool with_ids, struct hf_records *records);

/* A record; {NULL, 0} past the end or damaged. */
struct hf_bytes hf_records_at(const struct hf_records *records, uint32_t number);

/* The table that holds a signature, and its entry there; NULL for rules and unknown numbers. */
const struct hf_hash_table *hf_segment_table_of(const struct hf_segment *segment,
                                                uint32_t number, enum hf_db_section *type,
                                                uint32_t *entry);

/* Whether lists (allow, ignore) of one segment count for what another one finds. */
bool hf_db_lists_reach(const struct hf_db *db, size_t lists, size_t finder);

/* Whether a segment behind this one, of its group or the owner's, withdraws the id. */
bool hf_db_id_withdrawn(const struct hf_db *db, size_t segment, uint64_t id);

/* The value behind a META line's key, for every such line; meta is advanced. False: no more. */
bool hf_db_next_meta(struct hf_bytes *meta, const char *key, struct hf_bytes *value);

/* A source's file and licence; false when there is none or the section is damaged. */
bool hf_segment_source(const struct hf_segment *segment, uint32_t number,
                       struct hf_bytes *file, struct hf_bytes *licence);

#endif
