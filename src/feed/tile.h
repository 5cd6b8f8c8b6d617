/* tile.h - the static files of a log: tiles of up to 256 hashes, bundles of up to 256 entries,
 * their paths and what they hold. [C2SP tlog-tiles v1] */
#ifndef HF_FEED_TILE_H
#define HF_FEED_TILE_H

#include "base/cursor.h"
#include "feed/merkle.h"

enum {
    HF_TILE_WIDTH = 256,
    HF_TILE_LEVELS = 64,
    HF_TILE_PATH_MAX = 64,     /* longest path, without its terminator */
    HF_TILE_ENTRY_MAX = 65535, /* bytes of one entry */
    HF_BUNDLE_BYTES_MAX = HF_TILE_WIDTH * (2 + HF_TILE_ENTRY_MAX),
};

#define HF_TILE_INDEX_MAX (HF_TREE_MAX / HF_TILE_WIDTH) /* beyond it no tree has a tile */

/* Which file: hash number i of it is that of the perfect subtree of 256^level leaves with number
 * index * 256 + i; a bundle has entries instead, numbered as on level 0. */
struct hf_tile {
    bool entries;   /* a bundle; level is 0 */
    uint8_t level;  /* 0..63 */
    uint64_t index; /* up to HF_TILE_INDEX_MAX */
    uint16_t width; /* 1..256 hashes or entries; 256 is full */
};

/* How many hashes a tile has in a tree of size entries: 0 (there is no such tile) to 256. */
unsigned hf_tile_width(uint64_t size, unsigned level, uint64_t index);

/* Read or append a path such as "tile/0/x001/067.p/3", relative to the log's prefix. Reading
 * refuses all but the one spelling: HF_REFUSE_TILE_PATH, _LEVEL, _NUMBER, _WIDTH; writing refuses
 * values out of range with HF_REFUSE_ARGUMENT. */
HF_MUST_USE enum hf_refusal hf_tile_path_read(struct hf_bytes path, struct hf_tile *tile);
HF_MUST_USE enum hf_refusal hf_tile_path_write(struct hf_buffer *out,
                                               const struct hf_tile *tile);

/* Hash number i of a tile's bytes. False when it is not among them. */
HF_MUST_USE bool hf_tile_hash(struct hf_bytes data, uint64_t i, struct hf_hash *hash);

/* Whether a tile's bytes have the length that its name says: HF_REFUSE_TILE_LENGTH. They may still
 * be any hashes: only a proof made from them and checked says more. */
HF_MUST_USE enum hf_refusal hf_tile_check(const struct hf_tile *tile, struct hf_bytes data);

/* Append a tile's bytes, computed from a tree. HF_REFUSE_TREE_HASH when it has not got them,
 * HF_REFUSE_ARGUMENT for a bundle, HF_REFUSE_NOMEM. */
HF_MUST_USE enum hf_refusal hf_tile_write(struct hf_buffer *out,
                                          const struct hf_tree_source *tree,
                                          const struct hf_tile *tile);

/* The hash over the whole of a full tile: what the level above has for it. */
HF_MUST_USE enum hf_refusal hf_tile_root(struct hf_merkle *m, struct hf_bytes data,
                                         struct hf_hash *hash);

/* A tree of known size whose hashes are in tiles. */
struct hf_tile_store {
    struct hf_merkle *merkle;
    uint64_t size; /* of the tree: says how wide the last tiles are */
    /* The bytes of a tile, borrowed until the next call; false: cannot be had. They may come from
     * anywhere; a wrong length is noticed here. */
    bool (*fetch)(void *user, const struct hf_tile *tile, struct hf_bytes *data);
    void *user;
};
struct hf_tree_source hf_tile_store_as_source(struct hf_tile_store *store);

/* Append an entry to a bundle. HF_REFUSE_ARGUMENT when it is too long, HF_REFUSE_NOMEM. */
HF_MUST_USE enum hf_refusal hf_bundle_add(struct hf_buffer *out, struct hf_bytes entry);

/* The next entry of a bundle, borrowed. HF_REFUSE_BUNDLE_CUT, HF_REFUSE_BUDGET. The caller stops
 * when nothing is left of the cursor. */
HF_MUST_USE enum hf_refusal hf_bundle_next(struct hf_cursor *c, struct hf_bytes *entry);

/* Check all of a bundle against the level 0 tile of the same index and width: as many entries, and
 * each the one whose hash is there. HF_REFUSE_BUNDLE_CUT, _COUNT, _ENTRY, _TILE_LENGTH, _BUDGET,
 * _CRYPTO. */
HF_MUST_USE enum hf_refusal hf_bundle_check(struct hf_merkle *m,
                                            const struct hf_tile *bundle,
                                            struct hf_cursor *c, struct hf_bytes tile_data);

#endif
