/* Property: an accepted tile path is written again byte for byte; a bundle read to its end is
 * written again byte for byte, and checks against the tile of its own hashes only. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct hf_bytes path)
{
    struct hf_tile tile;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    if (hf_tile_path_read(path, &tile) != HF_ACCEPTED)
        return;
    if (hf_tile_path_write(&out, &tile) != HF_ACCEPTED)
        abort(); /* what was read can be written */
    assert(hf_bytes_equal(hf_buffer_view(&out), path));
}

static void check_bundle(struct hf_bytes bytes)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_merkle m = {.hasher = hasher};
    struct hf_budget budget = hf_budget_unlimited();
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, &budget);
    struct hf_tile bundle = {.entries = true};
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0}, tile = {0};
    while (hf_cursor_left(&c) > 0 && bundle.width < HF_TILE_WIDTH) {
        struct hf_bytes entry;
        if (hf_bundle_next(&c, &entry) != HF_ACCEPTED ||
            hf_bundle_add(&out, entry) != HF_ACCEPTED)
            return;
        struct hf_hash leaf = hf_merkle_leaf(&m, entry);
        hf_buffer_add(&tile, leaf.bytes, sizeof leaf.bytes);
        bundle.width++;
    }
    if (hf_cursor_left(&c) > 0 || bundle.width == 0)
        return;
    assert(hf_bytes_equal(hf_buffer_view(&out), bytes));
    c = hf_cursor_open(bytes.data, bytes.len, &budget);
    assert(hf_bundle_check(&m, &bundle, &c, hf_buffer_view(&tile)) == HF_ACCEPTED);
    tile.data[tile.len - 1] ^= 1;
    c = hf_cursor_open(bytes.data, bytes.len, &budget);
    assert(hf_bundle_check(&m, &bundle, &c, hf_buffer_view(&tile)) ==
           HF_REFUSE_BUNDLE_ENTRY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_path(hf_bytes_of(data, size));
    check_bundle(hf_bytes_of(data, size));
    return 0;
}
