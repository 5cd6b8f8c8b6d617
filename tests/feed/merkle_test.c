/* Vectors: the eight leaves of the reference tests of Certificate Transparency's Merkle tree and
 * their roots at every size. */
#include "feed/merkle.h"

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

static void assert_hex(const struct hf_hash *hash, const char *hex)
{
    char is[65];
    for (size_t i = 0; i < 32; i++)
        snprintf(is + 2 * i, 3, "%02x", hash->bytes[i]);
    assert_string_equal(is, hex);
}

static void test_roots_of_the_reference_leaves(void **state)
{
    (void)state;
    static const struct {
        const char *leaf;
        size_t len;
        const char *root;
    } steps[] = {
        {"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {"\0", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {"\x40\x41\x42\x43", 4,
         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
        {"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    struct hf_tree tree = {0};
    struct hf_tree_source source = hf_tree_as_source(&tree);
    struct hf_hash root;
    assert_accepted(hf_tree_root(&merkle, &source, 0, &root));
    assert_hex(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct hf_hash leaf =
            hf_merkle_leaf(&merkle, hf_bytes_of(steps[i].leaf, steps[i].len));
        assert_accepted(hf_tree_append(&merkle, &tree, &leaf));
        assert_accepted(hf_tree_root(&merkle, &source, i + 1, &root));
        assert_hex(&root, steps[i].root);
    }
    hf_tree_done(&tree);
}

/* A second way to the root, as RFC 6962 writes it: recursive, without stored hashes. */
static struct hf_hash naive_root(uint64_t begin, uint64_t end)
{
    if (end - begin == 1)
        return test_leaf(&merkle, begin);
    uint64_t k = 1;
    while (k * 2 < end - begin)
        k *= 2;
    struct hf_hash left = naive_root(begin, begin + k), right = naive_root(begin + k, end);
    return hf_merkle_node(&merkle, &left, &right);
}

enum { SIZES = 300 };
static struct hf_tree big;
static struct hf_hash roots[SIZES + 1];

static void make_big(void)
{
    struct hf_tree_source source = hf_tree_as_source(&big);
    test_grow(&merkle, &big, SIZES);
    for (uint64_t n = 0; n <= SIZES; n++)
        assert_accepted(hf_tree_root(&merkle, &source, n, &roots[n]));
}

static void test_roots_equal_the_recursive_definition(void **state)
{
    (void)state;
    make_big();
    for (uint64_t n = 1; n <= SIZES; n++) {
        struct hf_hash root = naive_root(0, n);
        assert_true(hf_hash_equal(&root, &roots[n]));
    }
    hf_tree_done(&big);
}

static void flip(struct hf_hash *hash, unsigned bit)
{
    hash->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void check_all_inclusions(uint64_t size, uint64_t index, const struct hf_hash *leaf,
                                 struct hf_hash *path, size_t n)
{
    assert_accepted(hf_inclusion_check(&merkle, leaf, index, size, &roots[size], path, n));
    if (n > 0)
        assert_refusal(
            hf_inclusion_check(&merkle, leaf, index, size, &roots[size], path, n - 1),
            HF_REFUSE_PROOF_SHORT);
    path[n] = path[0];
    assert_refusal(
        hf_inclusion_check(&merkle, leaf, index, size, &roots[size], path, n + 1),
        HF_REFUSE_PROOF_LONG);
    /* One bit of each hash here; all bits in the next test. */
    for (size_t i = 0; i < n; i++) {
        unsigned bit = (unsigned)((size * 7 + index * 13 + i * 29) % 256);
        flip(&path[i], bit);
        assert_refusal(
            hf_inclusion_check(&merkle, leaf, index, size, &roots[size], path, n),
            HF_REFUSE_PROOF_INCLUSION);
        flip(&path[i], bit);
    }
    assert_int_not_equal(
        hf_inclusion_check(&merkle, leaf, index ^ 1, size, &roots[size], path, n),
        HF_ACCEPTED);
}

static void test_every_leaf_of_every_size_is_proven(void **state)
{
    (void)state;
    make_big();
    struct hf_tree_source source = hf_tree_as_source(&big);
    struct hf_hash path[HF_PROOF_MAX + 1] = {0};
    for (uint64_t size = 1; size <= SIZES; size++)
        for (uint64_t index = 0; index < size; index++) {
            size_t n;
            struct hf_hash leaf = test_leaf(&merkle, index);
            assert_accepted(hf_inclusion_make(&merkle, &source, index, size, path, &n));
            check_all_inclusions(size, index, &leaf, path, n);
        }
    hf_tree_done(&big);
}

static void test_no_flipped_bit_of_an_inclusion_proof_is_accepted(void **state)
{
    (void)state;
    make_big();
    struct hf_tree_source source = hf_tree_as_source(&big);
    struct hf_hash path[HF_PROOF_MAX];
    static const uint64_t sizes[] = {1, 2, 3, 7, 8, 9, 64, 100, 255, 256, 257, 300};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint64_t index = 0; index < sizes[s]; index += 1 + sizes[s] / 8) {
            size_t n;
            struct hf_hash leaf = test_leaf(&merkle, index), root = roots[sizes[s]];
            assert_accepted(hf_inclusion_make(&merkle, &source, index, sizes[s], path, &n));
            for (size_t i = 0; i < n + 2; i++)
                for (unsigned bit = 0; bit < 256; bit++) {
                    struct hf_hash *h = i < n ? &path[i] : i == n ? &leaf : &root;
                    flip(h, bit);
                    assert_refusal(
                        hf_inclusion_check(&merkle, &leaf, index, sizes[s], &root, path, n),
                        HF_REFUSE_PROOF_INCLUSION);
                    flip(h, bit);
                }
        }
    hf_tree_done(&big);
}

static void check_consistency(uint64_t a, uint64_t b, struct hf_hash *path, size_t n)
{
    assert_accepted(hf_consistency_check(&merkle, a, &roots[a], b, &roots[b], path, n));
    path[n] = path[0];
    assert_refusal(hf_consistency_check(&merkle, a, &roots[a], b, &roots[b], path, n + 1),
                   HF_REFUSE_PROOF_LONG);
    if (n > 0)
        assert_refusal(
            hf_consistency_check(&merkle, a, &roots[a], b, &roots[b], path, n - 1),
            HF_REFUSE_PROOF_SHORT);
    for (size_t i = 0; i < n; i++) {
        unsigned bit = (unsigned)((a * 7 + b * 13 + i * 29) % 256);
        flip(&path[i], bit);
        enum hf_refusal r =
            hf_consistency_check(&merkle, a, &roots[a], b, &roots[b], path, n);
        assert_true(r == HF_REFUSE_PROOF_OLD || r == HF_REFUSE_PROOF_NEW);
        flip(&path[i], bit);
    }
    struct hf_hash root = roots[a];
    flip(&root, (unsigned)(b % 256));
    assert_int_not_equal(hf_consistency_check(&merkle, a, &root, b, &roots[b], path, n),
                         HF_ACCEPTED);
    if (a > 0) {
        root = roots[b];
        flip(&root, (unsigned)(a % 256));
        assert_refusal(hf_consistency_check(&merkle, a, &roots[a], b, &root, path, n),
                       a == b ? HF_REFUSE_PROOF_FORK : HF_REFUSE_PROOF_NEW);
    }
}

static void test_every_pair_of_sizes_is_consistent_and_nothing_else(void **state)
{
    (void)state;
    make_big();
    struct hf_tree_source source = hf_tree_as_source(&big);
    struct hf_hash path[HF_PROOF_MAX + 1] = {0};
    for (uint64_t b = 0; b <= SIZES; b++)
        for (uint64_t a = 0; a <= b; a++) {
            size_t n;
            assert_accepted(hf_consistency_make(&merkle, &source, a, b, path, &n));
            check_consistency(a, b, path, n);
        }
    assert_refusal(hf_consistency_check(&merkle, 9, &roots[9], 8, &roots[8], path, 0),
                   HF_REFUSE_PROOF_SHRUNK);
    assert_refusal(hf_consistency_check(&merkle, 0, &roots[1], 8, &roots[8], path, 0),
                   HF_REFUSE_PROOF_OLD);
    hf_tree_done(&big);
}

static void test_indices_and_sizes_beyond_the_tree_are_refused(void **state)
{
    (void)state;
    struct hf_tree tree = {0};
    struct hf_tree_source source = hf_tree_as_source(&tree);
    test_grow(&merkle, &tree, 5);
    struct hf_hash path[HF_PROOF_MAX], leaf = test_leaf(&merkle, 0);
    size_t n;
    assert_refusal(hf_inclusion_make(&merkle, &source, 5, 5, path, &n),
                   HF_REFUSE_PROOF_INDEX);
    assert_refusal(hf_inclusion_make(&merkle, &source, 0, 9, path, &n),
                   HF_REFUSE_TREE_HASH);
    assert_refusal(hf_inclusion_make(&merkle, &source, 0, UINT64_MAX, path, &n),
                   HF_REFUSE_PROOF_INDEX);
    assert_refusal(hf_inclusion_check(&merkle, &leaf, 0, 0, &leaf, path, 0),
                   HF_REFUSE_PROOF_INDEX);
    memset(path, 0, sizeof path);
    assert_refusal(
        hf_inclusion_check(&merkle, &leaf, UINT64_MAX - 1, UINT64_MAX, &leaf, path, 64),
        HF_REFUSE_PROOF_LONG);
    assert_refusal(hf_inclusion_check(&merkle, &leaf, 0, UINT64_MAX, &leaf, path, 64),
                   HF_REFUSE_PROOF_INCLUSION);
    hf_tree_done(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roots_of_the_reference_leaves),
        cmocka_unit_test(test_roots_equal_the_recursive_definition),
        cmocka_unit_test(test_every_leaf_of_every_size_is_proven),
        cmocka_unit_test(test_no_flipped_bit_of_an_inclusion_proof_is_accepted),
        cmocka_unit_test(test_every_pair_of_sizes_is_consistent_and_nothing_else),
        cmocka_unit_test(test_indices_and_sizes_beyond_the_tree_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
