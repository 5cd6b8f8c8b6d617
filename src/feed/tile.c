#include "feed/tile.h"

#include <inttypes.h>

#include "feed/encode.h"

unsigned hf_tile_width(uint64_t size, unsigned level, uint64_t index)
{
    uint64_t hashes = level >= 8 ? 0 : size >> (8 * level);
    if (index > hashes / HF_TILE_WIDTH)
        return 0;
    uint64_t left = hashes - index * HF_TILE_WIDTH;
    return left < HF_TILE_WIDTH ? (unsigned)left : HF_TILE_WIDTH;
}

/* ---- paths ---- */

static enum hf_refusal read_level(struct hf_bytes text, struct hf_tile *tile)
{
    uint64_t level;
    if (hf_bytes_equal(text, hf_bytes_text("entries"))) {
        tile->entries = true;
        return HF_ACCEPTED;
    }
    if (!hf_decimal_read(text, &level) || level >= HF_TILE_LEVELS)
        return HF_REFUSE_TILE_LEVEL;
    tile->level = (uint8_t)level;
    return HF_ACCEPTED;
}

/* Three digits, behind an x in all groups but the last. */
static bool read_group(struct hf_cursor *c, uint64_t *index, bool *last)
{
    *last = !hf_peek_equal(c, "x", 1);
    if (!*last)
        hf_skip(c, 1);
    for (int i = 0; i < 3; i++) {
        uint8_t digit = hf_u8(c);
        if (hf_cursor_status(c) != HF_OK || digit < '0' || digit > '9' ||
            *index > HF_TILE_INDEX_MAX / 10)
            return false;
        *index = *index * 10 + (uint64_t)(digit - '0');
    }
    return true;
}

static enum hf_refusal read_index(struct hf_cursor *c, struct hf_tile *tile)
{
    if (hf_peek_equal(c, "x000/", 5))
        return HF_REFUSE_TILE_NUMBER; /* a longer spelling */
    for (bool last = false; !last;) {
        if (!read_group(c, &tile->index, &last) || (!last && hf_u8(c) != '/'))
            return HF_REFUSE_TILE_NUMBER;
    }
    return tile->index <= HF_TILE_INDEX_MAX ? HF_ACCEPTED : HF_REFUSE_TILE_NUMBER;
}

static enum hf_refusal read_width(struct hf_cursor *c, struct hf_tile *tile)
{
    uint64_t width;
    tile->width = HF_TILE_WIDTH;
    if (hf_cursor_left(c) == 0)
        return HF_ACCEPTED;
    if (!hf_peek_equal(c, ".p/", 3))
        return HF_REFUSE_TILE_NUMBER;
    hf_skip(c, 3);
    if (!hf_decimal_read(hf_take_rest(c), &width) || width == 0 || width >= HF_TILE_WIDTH)
        return HF_REFUSE_TILE_WIDTH;
    tile->width = (uint16_t)width;
    return HF_ACCEPTED;
}

static enum hf_refusal read_path(struct hf_bytes path, struct hf_tile *tile)
{
    struct hf_cursor c = hf_cursor_open(path.data, path.len, NULL);
    bool parted;
    if (path.len > HF_TILE_PATH_MAX || !hf_peek_equal(&c, "tile/", 5))
        return HF_REFUSE_TILE_PATH;
    hf_skip(&c, 5);
    struct hf_bytes level = hf_take_until(&c, '/', SIZE_MAX, &parted);
    if (!parted)
        return HF_REFUSE_TILE_PATH;
    enum hf_refusal r = read_level(level, tile);
    if (r == HF_ACCEPTED)
        r = read_index(&c, tile);
    return r == HF_ACCEPTED ? read_width(&c, tile) : r;
}

enum hf_refusal hf_tile_path_read(struct hf_bytes path, struct hf_tile *tile)
{
    *tile = (struct hf_tile){0};
    enum hf_refusal r = read_path(path, tile);
    if (r != HF_ACCEPTED)
        *tile = (struct hf_tile){0};
    return r;
}

static bool tile_valid(const struct hf_tile *tile)
{
    return tile->level < HF_TILE_LEVELS && (!tile->entries || tile->level == 0) &&
           tile->index <= HF_TILE_INDEX_MAX && tile->width >= 1 &&
           tile->width <= HF_TILE_WIDTH;
}

enum hf_refusal hf_tile_path_write(struct hf_buffer *out, const struct hf_tile *tile)
{
    if (!tile_valid(tile))
        return HF_REFUSE_ARGUMENT;
    uint64_t above = 1; /* 1000 to the power of the groups before the last */
    while (tile->index / above >= 1000)
        above *= 1000;
    if (tile->entries)
        hf_buffer_text(out, "tile/entries/");
    else
        hf_buffer_format(out, "tile/%u/", tile->level);
    for (; above > 1; above /= 1000)
        hf_buffer_format(out, "x%03u/", (unsigned)(tile->index / above % 1000));
    hf_buffer_format(out, "%03u", (unsigned)(tile->index % 1000));
    if (tile->width < HF_TILE_WIDTH)
        hf_buffer_format(out, ".p/%u", tile->width);
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

/* ---- hashes ---- */

bool hf_tile_hash(struct hf_bytes data, uint64_t i, struct hf_hash *hash)
{
    struct hf_cursor c = hf_cursor_open(data.data, data.len, NULL);
    if (i >= HF_TILE_WIDTH)
        return false;
    hf_seek(&c, i * sizeof hash->bytes);
    hf_copy(&c, hash->bytes, sizeof hash->bytes);
    return hf_cursor_status(&c) == HF_OK;
}

enum hf_refusal hf_tile_check(const struct hf_tile *tile, struct hf_bytes data)
{
    return data.len == (size_t)tile->width * HF_HASH_BYTES ? HF_ACCEPTED
                                                           : HF_REFUSE_TILE_LENGTH;
}

enum hf_refusal hf_tile_write(struct hf_buffer *out, const struct hf_tree_source *tree,
                              const struct hf_tile *tile)
{
    if (!tile_valid(tile) || tile->entries)
        return HF_REFUSE_ARGUMENT;
    if (tile->level >= 8)
        return HF_REFUSE_TREE_HASH; /* beyond every tree */
    for (unsigned i = 0; i < tile->width; i++) {
        struct hf_hash hash;
        if (!tree->read(tree->user, 8u * tile->level, tile->index * HF_TILE_WIDTH + i,
                        &hash))
            return HF_REFUSE_TREE_HASH;
        hf_buffer_add(out, hash.bytes, sizeof hash.bytes);
    }
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

/* The hash over count (a power of two) hashes of a tile from number first on. */
static bool subtree(struct hf_merkle *m, struct hf_bytes data, uint64_t first,
                    uint64_t count, struct hf_hash *out)
{
    struct hf_hash row[HF_TILE_WIDTH];
    for (uint64_t i = 0; i < count; i++)
        if (!hf_tile_hash(data, first + i, &row[i]))
            return false;
    for (; count > 1; count /= 2)
        for (uint64_t i = 0; i < count / 2; i++)
            row[i] = hf_merkle_node(m, &row[2 * i], &row[2 * i + 1]);
    *out = row[0];
    return !m->failed;
}

enum hf_refusal hf_tile_root(struct hf_merkle *m, struct hf_bytes data,
                             struct hf_hash *hash)
{
    if (data.len != (size_t)HF_TILE_WIDTH * HF_HASH_BYTES)
        return HF_REFUSE_TILE_LENGTH;
    return subtree(m, data, 0, HF_TILE_WIDTH, hash) ? HF_ACCEPTED : HF_REFUSE_CRYPTO;
}

/* A perfect subtree lies within one tile: 2^(level mod 8) of its hashes. */
static bool read_tiles(void *user, unsigned level, uint64_t index, struct hf_hash *hash)
{
    struct hf_tile_store *store = user;
    uint64_t count = (uint64_t)1 << level % 8;
    if (level >= 64 || index > HF_TREE_MAX >> level % 8)
        return false;
    uint64_t first = index * count;
    struct hf_tile tile = {.level = (uint8_t)(level / 8), .index = first / HF_TILE_WIDTH};
    tile.width = (uint16_t)hf_tile_width(store->size, tile.level, tile.index);
    struct hf_bytes data;
    if (tile.width == 0 || !store->fetch(store->user, &tile, &data) ||
        hf_tile_check(&tile, data) != HF_ACCEPTED)
        return false;
    return subtree(store->merkle, data, first % HF_TILE_WIDTH, count, hash);
}

struct hf_tree_source hf_tile_store_as_source(struct hf_tile_store *store)
{
    return (struct hf_tree_source){.read = read_tiles, .user = store};
}

/* ---- entry bundles ---- */

enum hf_refusal hf_bundle_add(struct hf_buffer *out, struct hf_bytes entry)
{
    if (entry.len > HF_TILE_ENTRY_MAX)
        return HF_REFUSE_ARGUMENT;
    hf_buffer_u8(out, (uint8_t)(entry.len >> 8));
    hf_buffer_u8(out, (uint8_t)entry.len);
    hf_buffer_bytes(out, entry);
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

enum hf_refusal hf_bundle_next(struct hf_cursor *c, struct hf_bytes *entry)
{
    *entry = (struct hf_bytes){0};
    if (!hf_cursor_charge(c, 1))
        return HF_REFUSE_BUDGET;
    uint16_t len = hf_u16be(c);
    *entry = hf_take(c, len);
    return hf_cursor_status(c) == HF_OK ? HF_ACCEPTED : HF_REFUSE_BUNDLE_CUT;
}

enum hf_refusal hf_bundle_check(struct hf_merkle *m, const struct hf_tile *bundle,
                                struct hf_cursor *c, struct hf_bytes tile_data)
{
    if (hf_tile_check(bundle, tile_data) != HF_ACCEPTED)
        return HF_REFUSE_TILE_LENGTH;
    for (uint64_t i = 0; i < bundle->width; i++) {
        struct hf_bytes entry;
        struct hf_hash expected;
        if (hf_cursor_left(c) == 0)
            return HF_REFUSE_BUNDLE_COUNT;
        enum hf_refusal r = hf_bundle_next(c, &entry);
        if (r != HF_ACCEPTED)
            return r;
        struct hf_hash hash = hf_merkle_leaf(m, entry);
        if (m->failed)
            return HF_REFUSE_CRYPTO;
        if (!hf_tile_hash(tile_data, i, &expected) || !hf_hash_equal(&hash, &expected))
            return HF_REFUSE_BUNDLE_ENTRY;
    }
    return hf_cursor_left(c) == 0 ? HF_ACCEPTED : HF_REFUSE_BUNDLE_COUNT;
}
