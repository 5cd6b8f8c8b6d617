#include "feed/tile.h"

#include "support.h"

static struct hf_hasher *hasher;
static struct hf_merkle merkle;

static int setup(void **state)
{
    (void)state;
    hasher = hf_hasher_new();
    merkle = (struct hf_merkle){.hasher = hasher};
    return hasher == NULL;
}

static int teardown(void **state)
{
    (void)state;
    hf_hasher_release(&hasher);
    return 0;
}

static void test_paths_of_the_specification_are_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        struct hf_tile tile;
    } paths[] = {
        {"tile/0/x001/x234/067", {.level = 0, .index = 1234067, .width = 256}},
        {"tile/4/x001/x234/067.p/1", {.level = 4, .index = 1234067, .width = 1}},
        {"tile/63/000.p/255", {.level = 63, .index = 0, .width = 255}},
        {"tile/0/000", {.width = 256}},
        {"tile/0/999", {.index = 999, .width = 256}},
        {"tile/0/x001/000", {.index = 1000, .width = 256}},
        {"tile/entries/x273/112.p/7", {.entries = true, .index = 273112, .width = 7}},
        {"tile/0/x036/x028/x797/x018/x963/967", {.index = HF_TILE_INDEX_MAX, .width = 256}},
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct hf_tile t;
        HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
        assert_accepted(hf_tile_path_read(text(paths[i].path), &t));
        assert_int_equal(t.entries, paths[i].tile.entries);
        assert_int_equal(t.level, paths[i].tile.level);
        assert_int_equal(t.index, paths[i].tile.index);
        assert_int_equal(t.width, paths[i].tile.width);
        assert_accepted(hf_tile_path_write(&out, &t));
        assert_buffer(&out, text(paths[i].path));
    }
}

static void test_other_spellings_of_paths_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum hf_refusal refusal;
    } bad[] = {
        {"", HF_REFUSE_TILE_PATH},
        {"/tile/0/000", HF_REFUSE_TILE_PATH},
        {"tile/0", HF_REFUSE_TILE_PATH},
        {"tile/64/000", HF_REFUSE_TILE_LEVEL},
        {"tile/00/000", HF_REFUSE_TILE_LEVEL},
        {"tile/-1/000", HF_REFUSE_TILE_LEVEL},
        {"tile/data/000", HF_REFUSE_TILE_LEVEL},
        {"tile/0/", HF_REFUSE_TILE_NUMBER},
        {"tile/0/00", HF_REFUSE_TILE_NUMBER},
        {"tile/0/0000", HF_REFUSE_TILE_NUMBER},
        {"tile/0/x000/001", HF_REFUSE_TILE_NUMBER},
        {"tile/0/x001", HF_REFUSE_TILE_NUMBER},
        {"tile/0/001/002", HF_REFUSE_TILE_NUMBER},
        {"tile/0/x1/002", HF_REFUSE_TILE_NUMBER},
        {"tile/0/../000", HF_REFUSE_TILE_NUMBER},
        {"tile/0/x036/x028/x797/x018/x963/968", HF_REFUSE_TILE_NUMBER},
        {"tile/0/x999/x999/x999/x999/x999/x999/999", HF_REFUSE_TILE_NUMBER},
        {"tile/0/000.p", HF_REFUSE_TILE_NUMBER},
        {"tile/0/000.p/", HF_REFUSE_TILE_WIDTH},
        {"tile/0/000.p/0", HF_REFUSE_TILE_WIDTH},
        {"tile/0/000.p/01", HF_REFUSE_TILE_WIDTH},
        {"tile/0/000.p/256", HF_REFUSE_TILE_WIDTH},
        {"tile/0/000.p/1/", HF_REFUSE_TILE_WIDTH},
        {"tile/0/x000/x000/x000/x000/x000/x000/x000/x000/x000/x000/x000/x000/000",
         HF_REFUSE_TILE_PATH},
    };
    struct hf_tile t;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refusal(hf_tile_path_read(text(bad[i].path), &t), bad[i].refusal);
}

static void test_widths_are_those_of_the_specification_s_tree(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 273; n++)
        assert_int_equal(hf_tile_width(70000, 0, n), 256);
    assert_int_equal(hf_tile_width(70000, 0, 273), 112);
    assert_int_equal(hf_tile_width(70000, 0, 274), 0);
    assert_int_equal(hf_tile_width(70000, 1, 0), 256);
    assert_int_equal(hf_tile_width(70000, 1, 1), 17);
    assert_int_equal(hf_tile_width(70000, 2, 0), 1);
    assert_int_equal(hf_tile_width(70000, 3, 0), 0);
    assert_int_equal(hf_tile_width(256, 0, 0), 256);
    assert_int_equal(hf_tile_width(256, 0, 1), 0);
    assert_int_equal(hf_tile_width(256, 1, 0), 1);
    assert_int_equal(hf_tile_width(UINT64_MAX, 63, 0), 0);
    assert_int_equal(hf_tile_width(5, 0, UINT64_MAX), 0);
}

/* A log's tiles as a publisher would write them, and a reader that has nothing else. */
struct shelf {
    const struct hf_tree_source *tree;
    struct hf_buffer data;
    uint64_t size;
    unsigned fetched;
    bool damage, cut;
};

static bool fetch(void *user, const struct hf_tile *tile, struct hf_bytes *data)
{
    struct shelf *shelf = user;
    hf_buffer_clear(&shelf->data);
    if (hf_tile_write(&shelf->data, shelf->tree, tile) != HF_ACCEPTED)
        return false;
    shelf->fetched++;
    if (shelf->damage)
        shelf->data.data[0] ^= 1;
    if (shelf->cut)
        shelf->data.len--;
    *data = hf_buffer_view(&shelf->data);
    return true;
}

static void test_proofs_from_tiles_equal_those_from_the_tree(void **state)
{
    (void)state;
    struct hf_tree tree = {0};
    test_grow(&merkle, &tree, 70000);
    struct hf_tree_source whole = hf_tree_as_source(&tree);
    struct shelf shelf = {.tree = &whole};
    struct hf_tile_store store = {.merkle = &merkle, .fetch = fetch, .user = &shelf};
    struct hf_tree_source tiles = hf_tile_store_as_source(&store);
    static const uint64_t sizes[] = {1,   255,   256,   257,   300,
                                     511, 65535, 65536, 65537, 70000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint64_t size = store.size = sizes[s];
        struct hf_hash root, again, a[HF_PROOF_MAX], b[HF_PROOF_MAX];
        size_t n, m;
        assert_accepted(hf_tree_root(&merkle, &whole, size, &root));
        assert_accepted(hf_tree_root(&merkle, &tiles, size, &again));
        assert_true(hf_hash_equal(&root, &again));
        const uint64_t some[] = {0, size / 3, size / 2, size - 1};
        for (size_t i = 0; i < 4; i++) {
            assert_accepted(hf_inclusion_make(&merkle, &whole, some[i], size, a, &n));
            assert_accepted(hf_inclusion_make(&merkle, &tiles, some[i], size, b, &m));
            assert_int_equal(n, m);
            assert_memory_equal(a, b, n * sizeof *a);
            assert_accepted(hf_consistency_make(&merkle, &whole, some[i], size, a, &n));
            assert_accepted(hf_consistency_make(&merkle, &tiles, some[i], size, b, &m));
            assert_int_equal(n, m);
            assert_memory_equal(a, b, n * sizeof *a);
        }
    }
    /* Damaged tiles give a proof that is refused, short ones none at all. */
    struct hf_hash path[HF_PROOF_MAX], leaf = test_leaf(&merkle, 1), root;
    size_t n;
    assert_accepted(hf_tree_root(&merkle, &whole, 70000, &root));
    shelf.damage = true;
    assert_accepted(hf_inclusion_make(&merkle, &tiles, 1, 70000, path, &n));
    assert_refusal(hf_inclusion_check(&merkle, &leaf, 1, 70000, &root, path, n),
                   HF_REFUSE_PROOF_INCLUSION);
    shelf.cut = true;
    assert_refusal(hf_inclusion_make(&merkle, &tiles, 1, 70000, path, &n),
                   HF_REFUSE_TREE_HASH);
    hf_buffer_done(&shelf.data);
    hf_tree_done(&tree);
}

static void test_a_full_tile_s_root_is_the_hash_one_level_above(void **state)
{
    (void)state;
    struct hf_tree tree = {0};
    test_grow(&merkle, &tree, 600);
    struct hf_tree_source source = hf_tree_as_source(&tree);
    HF_AUTO(hf_buffer_done) struct hf_buffer low = {0}, high = {0};
    struct hf_tile t0 = {.index = 1, .width = 256}, t1 = {.level = 1, .width = 2};
    assert_accepted(hf_tile_write(&low, &source, &t0));
    assert_accepted(hf_tile_write(&high, &source, &t1));
    struct hf_hash root, listed;
    assert_accepted(hf_tile_root(&merkle, hf_buffer_view(&low), &root));
    assert_true(hf_tile_hash(hf_buffer_view(&high), 1, &listed));
    assert_true(hf_hash_equal(&root, &listed));
    assert_false(hf_tile_hash(hf_buffer_view(&high), 2, &listed));
    assert_false(hf_tile_hash(hf_buffer_view(&high), UINT64_MAX, &listed));
    assert_refusal(hf_tile_root(&merkle, hf_buffer_view(&high), &root),
                   HF_REFUSE_TILE_LENGTH);
    t1.width = 3; /* beyond the tree */
    assert_refusal(hf_tile_write(&high, &source, &t1), HF_REFUSE_TREE_HASH);
    hf_tree_done(&tree);
}

static enum hf_refusal check_bundle(struct hf_bytes data, unsigned width,
                                    struct hf_bytes tile)
{
    struct hf_cursor c = hf_cursor_open(data.data, data.len, NULL);
    struct hf_tile t = {.entries = true, .width = (uint16_t)width};
    return hf_bundle_check(&merkle, &t, &c, tile);
}

static void test_bundles_must_be_what_the_log_hashed(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer bundle = {0}, tile = {0};
    static const char *const entries[] = {"one", "", "three"};
    for (size_t i = 0; i < 3; i++) {
        struct hf_hash leaf = hf_merkle_leaf(&merkle, text(entries[i]));
        assert_accepted(hf_bundle_add(&bundle, text(entries[i])));
        hf_buffer_add(&tile, leaf.bytes, sizeof leaf.bytes);
    }
    assert_buffer(&bundle, hf_bytes_of("\0\3one\0\0\0\5three", 14));
    struct hf_bytes b = hf_buffer_view(&bundle), t = hf_buffer_view(&tile);
    assert_accepted(check_bundle(b, 3, t));
    assert_refusal(check_bundle(b, 2, hf_bytes_of(t.data, 64)), HF_REFUSE_BUNDLE_COUNT);
    assert_refusal(check_bundle(hf_bytes_of(b.data, 7), 3, t), HF_REFUSE_BUNDLE_COUNT);
    assert_refusal(check_bundle(hf_bytes_of(b.data, 13), 3, t), HF_REFUSE_BUNDLE_CUT);
    assert_refusal(check_bundle(b, 4, t), HF_REFUSE_TILE_LENGTH);
    bundle.data[3] ^= 1;
    assert_refusal(check_bundle(b, 3, t), HF_REFUSE_BUNDLE_ENTRY);
    static const char big[HF_TILE_ENTRY_MAX + 1];
    assert_refusal(hf_bundle_add(&bundle, hf_bytes_of(big, sizeof big)),
                   HF_REFUSE_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_of_the_specification_are_read_and_written),
        cmocka_unit_test(test_other_spellings_of_paths_are_refused),
        cmocka_unit_test(test_widths_are_those_of_the_specification_s_tree),
        cmocka_unit_test(test_proofs_from_tiles_equal_those_from_the_tree),
        cmocka_unit_test(test_a_full_tile_s_root_is_the_hash_one_level_above),
        cmocka_unit_test(test_bundles_must_be_what_the_log_hashed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
