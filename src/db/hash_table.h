/* hash_table.h - reader of one table of digests (sections HASH_*, SECTION_*, IMPORTS_*,
 * ALLOW_*): first by the size of what was digested, then by the digest.
 *
 *   0  u32 layout = 1
 *   4  u8  kept          bytes of a digest that are stored, 8..32
 *   5  u8  prefix_bits   of the prefix index over entries of any size, 0..28
 *   6  u16 0
 *   8  u64 sized         entries with a size come first, ordered by (size, digest)
 *  16  u64 any           then those of any size, ordered by digest
 *  24  u32 first         signature number of entry 0; entry i is signature first + i
 *  28  u32 blocks        of the size index
 *  32  u64 digests       offset of the kept digests of all entries
 *  40  u64 directory     offset of blocks + 1 times {u64 first size, u32 first entry, u32 at}
 *  48  u64 pairs         offset and length of the size blocks: for each of up to 64 sizes
 *  56  u64 pairs_length    LEB128 (size - previous size), LEB128 (number of its entries)
 *  64  u64 prefix        offset of 2^prefix_bits + 1 u32: where entries of any size whose
 *  72  zeros to 128        digest begins with these bits start, counted from `sized`
 *
 * Offsets count from the section's start. The last directory entry closes the list: {2^64 - 1,
 * sized, pairs_length}. */
#ifndef HF_DB_HASH_TABLE_H
#define HF_DB_HASH_TABLE_H

#include "base/bytes.h"

enum {
    HF_HASH_LAYOUT = 1,
    HF_HASH_HEADER = 128,
    HF_HASH_DIRECTORY_ENTRY = 16,
    HF_HASH_BLOCK_SIZES = 64,
    HF_HASH_PREFIX_BITS_MAX = 28
};

/* An opened table: extents are checked, contents are not. */
struct hf_hash_table {
    uint32_t first, sized, any, blocks;
    unsigned kept, prefix_bits;
    struct hf_bytes digests, directory, pairs, prefix;
};

/* A run of entries: [begin, end). Empty when begin == end. */
struct hf_hash_range {
    uint32_t begin, end;
};

/* False when the section cannot be a table. */
bool hf_hash_table_open(struct hf_bytes section, struct hf_hash_table *table);

/* Entries of exactly this size. */
struct hf_hash_range hf_hash_table_find_size(const struct hf_hash_table *table,
                                             uint64_t size);

/* Entries of one size, or of any size (all of them: [sized, sized + any)), with this digest. */
struct hf_hash_range hf_hash_table_find_digest(const struct hf_hash_table *table,
                                               struct hf_hash_range among,
                                               struct hf_bytes digest);

/* The kept digest of an entry; {NULL, 0} past the end. The size of an entry (UINT64_MAX: any);
 * false when the index is damaged. */
struct hf_bytes hf_hash_table_digest(const struct hf_hash_table *table, uint32_t entry);
bool hf_hash_table_size_of(const struct hf_hash_table *table, uint32_t entry,
                           uint64_t *size);

/* Calls on_size for each size in ascending order with its entries, until it returns false; entries
 * of any size are not among them. False: stopped, or the index does not cover its entries. */
typedef bool hf_hash_on_size(void *user, uint64_t size, struct hf_hash_range entries);
bool hf_hash_table_for_each_size(const struct hf_hash_table *table,
                                 hf_hash_on_size *on_size, void *user);

/* All of it: order, index, extents. Returns NULL when it is right, else what is wrong. */
const char *hf_hash_table_check(const struct hf_hash_table *table);

#endif
