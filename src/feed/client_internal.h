/* client_internal.h - between client.c (what is demanded) and client_log.c (the log's tiles and
 * entries). */
#ifndef HF_FEED_CLIENT_INTERNAL_H
#define HF_FEED_CLIENT_INTERNAL_H

#include "feed/client.h"
#include "feed/tile.h"

enum { HF_CLIENT_TILES_MAX = 4096 };

struct hf_client_tile {
    struct hf_tile which;
    struct hf_buffer bytes;
    bool proven; /* leads to the checkpoint's root */
};

struct hf_client {
    struct hf_client_options options;
    struct hf_budget budget;
    struct hf_arena *arena;
    struct hf_merkle merkle;
    const struct hf_root *root; /* believed */
    struct hf_buffer root_note;
    struct hf_hash root_text; /* SHA-256 of its text, as the log has it */
    struct hf_buffer checkpoint_note;
    struct hf_signed_note note; /* of the checkpoint */
    struct hf_checkpoint checkpoint;
    /* Tiles are kept, so that what was proven is what is used. */
    struct hf_client_tile *tiles;
    size_t tile_count;
    struct hf_tile_store store;
    enum hf_refusal tile_refusal; /* why a tile could not be had */
    bool frontier_proven;
};

/* What the new entries of a log say. */
struct hf_scan {
    bool whole;     /* in: look at all entries, also when nothing was known before */
    bool restarted; /* in: another log than before; known releases may come again */
    size_t news;
    uint64_t root_version; /* newest root that is logged; 0: none among these */
    struct hf_hash root_hash;
};

HF_MUST_USE enum hf_refusal hf_client_get(struct hf_client *c, const char *path, size_t max,
                                          struct hf_buffer *out);
HF_MUST_USE enum hf_refusal hf_client_check_checkpoint(const struct hf_client *client,
                                                       struct hf_merkle *m,
                                                       const struct hf_signed_note *note,
                                                       struct hf_checkpoint *checkpoint,
                                                       uint64_t *time);

/* The tree of the checkpoint, from tiles. */
struct hf_tree_source hf_client_tree(struct hf_client *c);

/* HF_REFUSE_TREE_HASH says less than why the tile could not be had. */
enum hf_refusal hf_client_tree_refusal(const struct hf_client *c, enum hf_refusal r);

/* Read the entries that are new, prove them, and add the channel's releases to the state. */
HF_MUST_USE enum hf_refusal hf_client_scan(struct hf_client *c, struct hf_state *state,
                                           struct hf_scan *scan);

#endif
