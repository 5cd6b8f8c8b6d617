/* client_log.c - the log behind a checkpoint: its tiles are fetched once and kept, each that is
 * used is shown to lead to the checkpoint's root, and the entries are read from bundles that fit
 * proven tiles. So a source can hide no entry, whoever it shows something else. */
#include "feed/client_internal.h"

#include "base/auto.h"

#include <stdlib.h>

enum { BUNDLES_AT_ONCE = 1024 };

static bool same_tile(const struct hf_tile *a, const struct hf_tile *b)
{
    return a->level == b->level && a->index == b->index && a->width == b->width;
}

static struct hf_client_tile *find_tile(struct hf_client *c, const struct hf_tile *which)
{
    for (size_t i = c->tile_count; i > 0; i--)
        if (same_tile(&c->tiles[i - 1].which, which))
            return &c->tiles[i - 1];
    return NULL;
}

static enum hf_refusal get_file(struct hf_client *c, const struct hf_tile *which,
                                size_t max, struct hf_buffer *bytes)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer path = {0};
    enum hf_refusal r = hf_tile_path_write(&path, which);
    if (r != HF_ACCEPTED)
        return r;
    hf_buffer_u8(&path, 0);
    if (path.failed)
        return HF_REFUSE_NOMEM;
    return hf_client_get(c, (const char *)path.data, max, bytes);
}

/* A tile, from the cache or the source. NULL: c->tile_refusal says why. */
static struct hf_client_tile *get_tile(struct hf_client *c, const struct hf_tile *which)
{
    struct hf_client_tile *tile = find_tile(c, which);
    if (tile != NULL)
        return tile;
    c->tile_refusal = HF_REFUSE_BUDGET;
    if (c->tile_count == HF_CLIENT_TILES_MAX)
        return NULL;
    c->tile_refusal = HF_REFUSE_NOMEM;
    if (c->tiles == NULL)
        c->tiles = calloc(HF_CLIENT_TILES_MAX, sizeof *c->tiles);
    if (c->tiles == NULL)
        return NULL;
    tile = &c->tiles[c->tile_count];
    *tile = (struct hf_client_tile){.which = *which};
    c->tile_refusal =
        get_file(c, which, (size_t)which->width * HF_HASH_BYTES, &tile->bytes);
    if (c->tile_refusal == HF_ACCEPTED)
        c->tile_refusal = hf_tile_check(which, hf_buffer_view(&tile->bytes));
    if (c->tile_refusal != HF_ACCEPTED) {
        hf_buffer_done(&tile->bytes);
        return NULL;
    }
    c->tile_count++;
    return tile;
}

static bool fetch_tile(void *user, const struct hf_tile *which, struct hf_bytes *data)
{
    const struct hf_client_tile *tile = get_tile(user, which);
    if (tile == NULL)
        return false;
    *data = hf_buffer_view(&tile->bytes);
    return true;
}

struct hf_tree_source hf_client_tree(struct hf_client *c)
{
    c->store = (struct hf_tile_store){
        .merkle = &c->merkle, .size = c->checkpoint.size, .fetch = fetch_tile, .user = c};
    return hf_tile_store_as_source(&c->store);
}

enum hf_refusal hf_client_tree_refusal(const struct hf_client *c, enum hf_refusal r)
{
    return r == HF_REFUSE_TREE_HASH && c->tile_refusal != HF_ACCEPTED ? c->tile_refusal : r;
}

/* The last, not full tiles of all levels are what the root is computed from. */
static enum hf_refusal prove_frontier(struct hf_client *c)
{
    struct hf_hash root;
    struct hf_tree_source tree = hf_client_tree(c);
    if (c->frontier_proven)
        return HF_ACCEPTED;
    enum hf_refusal r = hf_tree_root(&c->merkle, &tree, c->checkpoint.size, &root);
    if (r != HF_ACCEPTED)
        return hf_client_tree_refusal(c, r);
    c->frontier_proven = hf_hash_equal(&root, &c->checkpoint.root);
    return c->frontier_proven ? HF_ACCEPTED : HF_REFUSE_PROOF_INCLUSION;
}

/* A full tile is proven by its hash in a proven tile of the level above. */
static enum hf_refusal prove_tile(struct hf_client *c, struct hf_client_tile *tile)
{
    struct hf_tile which = tile->which;
    struct hf_client_tile *below = tile;
    while (!below->proven && which.width == HF_TILE_WIDTH) {
        struct hf_hash above_has, is;
        struct hf_tile above = {.level = (uint8_t)(which.level + 1),
                                .index = which.index / HF_TILE_WIDTH};
        above.width = (uint16_t)hf_tile_width(c->checkpoint.size, above.level, above.index);
        if (above.width == 0)
            break;
        size_t at = (size_t)(below - c->tiles);
        struct hf_client_tile *up = get_tile(c, &above);
        if (up == NULL)
            return c->tile_refusal;
        below = &c->tiles[at];
        enum hf_refusal r = hf_tile_root(&c->merkle, hf_buffer_view(&below->bytes), &is);
        if (r != HF_ACCEPTED)
            return r;
        if (!hf_tile_hash(hf_buffer_view(&up->bytes), which.index % HF_TILE_WIDTH,
                          &above_has) ||
            !hf_hash_equal(&is, &above_has))
            return HF_REFUSE_PROOF_INCLUSION;
        below = up;
        which = above;
    }
    enum hf_refusal r = below->proven ? HF_ACCEPTED : prove_frontier(c);
    if (r == HF_ACCEPTED)
        tile->proven = true;
    return r;
}

/* The entries number*256... of the log, proven. */
static enum hf_refusal get_bundle(struct hf_client *c, uint64_t number,
                                  struct hf_buffer *bytes)
{
    struct hf_tile which = {.index = number};
    which.width = (uint16_t)hf_tile_width(c->checkpoint.size, 0, number);
    struct hf_client_tile *tile = get_tile(c, &which);
    if (tile == NULL)
        return c->tile_refusal;
    enum hf_refusal r = prove_tile(c, tile);
    struct hf_tile bundle = which;
    bundle.entries = true;
    /* No entry that we write is longer; others of the same log are bounded with them. */
    if (r == HF_ACCEPTED)
        r = get_file(c, &bundle, (size_t)which.width * (2 + HF_ENTRY_BYTES_MAX), bytes);
    if (r != HF_ACCEPTED)
        return r;
    tile = find_tile(c, &which);
    if (tile == NULL)
        return HF_REFUSE_ARGUMENT; /* it was there a moment ago */
    struct hf_cursor cursor = hf_cursor_open(bytes->data, bytes->len, &c->budget);
    return hf_bundle_check(&c->merkle, &bundle, &cursor, hf_buffer_view(&tile->bytes));
}

/* A release of our channel: the next version, or one that is known and was logged again. */
static enum hf_refusal take_entry(const struct hf_entry *e, uint64_t index,
                                  struct hf_state *s, struct hf_scan *scan)
{
    const struct hf_state_release *latest = hf_state_latest(s);
    if (latest != NULL && e->version <= latest->version) {
        struct hf_state_release *known = hf_state_release_find(s, &e->hash);
        if (!scan->restarted)
            return HF_REFUSE_UPDATE_ROLLBACK;
        if (known != NULL && known->version == e->version)
            known->index = index; /* its place in the new log */
        return known != NULL || e->version < s->releases[0].version
                   ? HF_ACCEPTED
                   : HF_REFUSE_UPDATE_ROLLBACK;
    }
    if (latest != NULL && e->version != latest->version + 1)
        return HF_REFUSE_UPDATE_JUMP;
    /* Not in the log when we last looked, says whoever vouched for that moment. */
    struct hf_state_release release = {
        .version = e->version, .index = index, .manifest = e->hash, .since = s->time};
    hf_state_add_release(s, &release);
    scan->news++;
    return HF_ACCEPTED;
}

static enum hf_refusal scan_bundle(struct hf_client *c, uint64_t number, uint64_t from,
                                   struct hf_state *s, struct hf_scan *scan)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0};
    const struct hf_settings *settings = c->options.settings;
    enum hf_refusal r = get_bundle(c, number, &bytes);
    struct hf_cursor cursor = hf_cursor_open(bytes.data, bytes.len, &c->budget);
    uint64_t index = number * HF_TILE_WIDTH;
    for (; r == HF_ACCEPTED && hf_cursor_left(&cursor) > 0; index++) {
        struct hf_bytes entry;
        struct hf_entry e;
        r = hf_bundle_next(&cursor, &entry);
        if (r == HF_ACCEPTED && index >= from)
            r = hf_entry_read(entry, &e);
        if (r != HF_ACCEPTED || index < from ||
            !hf_bytes_equal(e.product, settings->product))
            continue;
        if (hf_bytes_equal(e.channel, hf_bytes_text("root"))) {
            scan->root_version = e.version;
            scan->root_hash = e.hash;
        } else if (hf_bytes_equal(e.channel, settings->channel)) {
            r = take_entry(&e, index, s, scan);
        }
    }
    return r;
}

/* Nothing known yet: from the end backwards, until a release of the channel is found. */
static enum hf_refusal scan_backwards(struct hf_client *c, struct hf_state *s,
                                      struct hf_scan *scan)
{
    uint64_t number = (c->checkpoint.size - 1) / HF_TILE_WIDTH;
    for (unsigned n = 0; n < BUNDLES_AT_ONCE; n++, number--) {
        enum hf_refusal r = scan_bundle(c, number, 0, s, scan);
        if (r != HF_ACCEPTED || scan->news > 0 || number == 0)
            return r;
    }
    return HF_REFUSE_BUDGET;
}

enum hf_refusal hf_client_scan(struct hf_client *c, struct hf_state *s,
                               struct hf_scan *scan)
{
    if (s->size == 0 && !scan->whole && !scan->restarted)
        return scan_backwards(c, s, scan);
    uint64_t last = (c->checkpoint.size - 1) / HF_TILE_WIDTH;
    uint64_t number = s->size / HF_TILE_WIDTH;
    if (last - number >= BUNDLES_AT_ONCE)
        return HF_REFUSE_BUDGET;
    for (; number <= last; number++) {
        enum hf_refusal r = scan_bundle(c, number, s->size, s, scan);
        if (r != HF_ACCEPTED)
            return r;
    }
    return HF_ACCEPTED;
}
