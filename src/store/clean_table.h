/* clean_table.h - the entries of a clean-file cache in memory, and their form on disk:
 *
 *   0  magic[8] "HFCLEAN\n"   8  u32 version  12  u32 runs     how often the table was saved
 *  16  u32 entries           20  u32 generations              24  u64 bytes of asked digests
 *  32  generations: 16 bytes each, of the databases that entries were judged by
 *      entries: tag[16], u32 run, u16 generation, u16 asked (bytes), in the order of tags
 *      asked digests of all entries that have some, in the same order
 *      HMAC-SHA-256 over all before
 *
 * Integers are little-endian. What an entry was asked is opaque here. */
#ifndef HF_STORE_CLEAN_TABLE_H
#define HF_STORE_CLEAN_TABLE_H

#include "base/buffer.h"
#include "base/status.h"

enum {
    HF_CLEAN_TAG = 16,
    HF_CLEAN_KEY = 32,
    HF_CLEAN_GENERATIONS_MAX = 256,
    HF_CLEAN_ASKED_MAX = 4096 /* bytes of one entry */
};

struct hf_clean_entry {
    uint8_t tag[HF_CLEAN_TAG];
    uint32_t run;        /* when it was last of use; 0: a free place */
    uint32_t asked;      /* where in asked */
    uint32_t worker;     /* who said so in this run; 0: an earlier run */
    uint16_t asked_len;  /* UINT16_MAX: holds for its generation only */
    uint16_t generation; /* number in generations */
};

struct hf_clean_table {
    struct hf_clean_entry
        *entries; /* owned; open addressing by tag; room is a power of two or 0 */
    size_t room, count;
    struct hf_buffer asked; /* what entries were asked, one behind the other */
    uint8_t generations[HF_CLEAN_GENERATIONS_MAX][16];
    size_t generation_count;
    uint32_t run;
};
void hf_clean_table_done(struct hf_clean_table *table);

/* NULL when there is none. */
struct hf_clean_entry *hf_clean_table_find(const struct hf_clean_table *table,
                                           const uint8_t tag[HF_CLEAN_TAG]);

/* The entry with this tag, new (run 0) when there was none; NULL when out of memory. Pointers to
 * entries hold until the next call. */
struct hf_clean_entry *hf_clean_table_add(struct hf_clean_table *table,
                                          const uint8_t tag[HF_CLEAN_TAG]);

/* The number of a generation, added when it is new; the oldest is given up for it when there are too
 * many, with its entries. */
uint16_t hf_clean_table_generation(struct hf_clean_table *table,
                                   const uint8_t generation[16]);

/* Forget entries for which keep says false. HF_NOMEM: nothing was forgotten. */
HF_MUST_USE enum hf_status hf_clean_table_filter(
    struct hf_clean_table *table,
    bool (*keep)(void *user, const struct hf_clean_entry *entry), void *user);

/* Read a table from its form on disk: what fails the check by key is HF_MALFORMED, and then table is
 * empty. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_clean_table_read(struct hf_clean_table *table,
                                               struct hf_bytes bytes,
                                               const uint8_t key[HF_CLEAN_KEY]);

/* Write, at most max entries: those least recently of use are left out. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_clean_table_write(const struct hf_clean_table *table,
                                                size_t max, const uint8_t key[HF_CLEAN_KEY],
                                                struct hf_buffer *out);

/* What is only in other comes into table. HF_NOMEM: some of it. */
HF_MUST_USE enum hf_status hf_clean_table_merge(struct hf_clean_table *table,
                                                const struct hf_clean_table *other);

#endif
