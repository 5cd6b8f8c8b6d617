#include "feed/merkle.h"

/* ---- hashing ---- */

static struct hf_hash hash_parts(struct hf_merkle *m, const struct hf_bytes *parts,
                                 size_t count)
{
    struct hf_digests digests = {0};
    struct hf_hash hash = {0};
    if (hf_digest_add_parts(m->hasher, parts, count, 1u << HF_SHA256, &digests) != HF_OK)
        m->failed = true;
    else
        memcpy(hash.bytes, digests.value[HF_SHA256], sizeof hash.bytes);
    return hash;
}

struct hf_hash hf_merkle_empty(struct hf_merkle *m)
{
    const struct hf_bytes nothing = {0};
    return hash_parts(m, &nothing, 1);
}

/* The first byte keeps leaves and nodes apart, so that no entry can pose as a subtree. */
struct hf_hash hf_merkle_leaf(struct hf_merkle *m, struct hf_bytes entry)
{
    const struct hf_bytes parts[] = {hf_bytes_of("\0", 1), entry};
    return hash_parts(m, parts, 2);
}

struct hf_hash hf_merkle_node(struct hf_merkle *m, const struct hf_hash *left,
                              const struct hf_hash *right)
{
    const struct hf_bytes parts[] = {hf_bytes_of("\1", 1),
                                     hf_bytes_of(left->bytes, sizeof left->bytes),
                                     hf_bytes_of(right->bytes, sizeof right->bytes)};
    return hash_parts(m, parts, 3);
}

/* ---- checking ---- */

enum hf_refusal hf_inclusion_check(struct hf_merkle *m, const struct hf_hash *leaf,
                                   uint64_t index, uint64_t size,
                                   const struct hf_hash *root, const struct hf_hash *path,
                                   size_t count)
{
    if (index >= size)
        return HF_REFUSE_PROOF_INDEX;
    /* node and last are the numbers of our subtree and of the rightmost one on a level. */
    uint64_t node = index, last = size - 1;
    struct hf_hash hash = *leaf;
    for (size_t i = 0; i < count; i++) {
        if (last == 0)
            return HF_REFUSE_PROOF_LONG;
        if ((node & 1) != 0 || node == last) {
            hash = hf_merkle_node(m, &path[i], &hash);
            while ((node & 1) == 0) { /* no sibling on these levels: it rises as it is */
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = hf_merkle_node(m, &hash, &path[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return HF_REFUSE_PROOF_SHORT;
    if (m->failed)
        return HF_REFUSE_CRYPTO;
    return hf_hash_equal(&hash, root) ? HF_ACCEPTED : HF_REFUSE_PROOF_INCLUSION;
}

/* The sizes that need no path. Or HF_REFUSALS: a path decides. */
static enum hf_refusal check_trivial(struct hf_merkle *m, uint64_t old_size,
                                     const struct hf_hash *old_root, uint64_t new_size,
                                     const struct hf_hash *new_root, size_t count)
{
    if (new_size < old_size)
        return HF_REFUSE_PROOF_SHRUNK;
    if (old_size != 0 && old_size != new_size)
        return HF_REFUSALS;
    if (count != 0)
        return HF_REFUSE_PROOF_LONG;
    if (old_size == 0) {
        struct hf_hash empty = hf_merkle_empty(m);
        if (m->failed)
            return HF_REFUSE_CRYPTO;
        if (!hf_hash_equal(old_root, &empty))
            return HF_REFUSE_PROOF_OLD;
    }
    if (old_size == new_size && !hf_hash_equal(old_root, new_root))
        return HF_REFUSE_PROOF_FORK;
    return HF_ACCEPTED;
}

enum hf_refusal hf_consistency_check(struct hf_merkle *m, uint64_t old_size,
                                     const struct hf_hash *old_root, uint64_t new_size,
                                     const struct hf_hash *new_root,
                                     const struct hf_hash *path, size_t count)
{
    enum hf_refusal r = check_trivial(m, old_size, old_root, new_size, new_root, count);
    if (r != HF_REFUSALS)
        return r;
    uint64_t node = old_size - 1, last = new_size - 1;
    while ((node & 1) != 0) { /* the largest perfect subtree that ends the old tree */
        node >>= 1;
        last >>= 1;
    }
    size_t i = 0;
    if (node != 0 && count == 0)
        return HF_REFUSE_PROOF_SHORT;
    /* When the old tree is perfect, its root is that subtree and not part of the path. */
    struct hf_hash start = node == 0 ? *old_root : path[i++];
    struct hf_hash old_hash = start, new_hash = start;
    for (; i < count; i++) {
        if (last == 0)
            return HF_REFUSE_PROOF_LONG;
        if ((node & 1) != 0 || node == last) {
            old_hash = hf_merkle_node(m, &path[i], &old_hash);
            new_hash = hf_merkle_node(m, &path[i], &new_hash);
            while ((node & 1) == 0 && node != 0) {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = hf_merkle_node(m, &new_hash, &path[i]);
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return HF_REFUSE_PROOF_SHORT;
    if (m->failed)
        return HF_REFUSE_CRYPTO;
    if (!hf_hash_equal(&old_hash, old_root))
        return HF_REFUSE_PROOF_OLD;
    return hf_hash_equal(&new_hash, new_root) ? HF_ACCEPTED : HF_REFUSE_PROOF_NEW;
}

/* ---- making ---- */

struct maker {
    struct hf_merkle *m;
    const struct hf_tree_source *tree;
    struct hf_hash *path;
    size_t count;
    enum hf_refusal refusal; /* the first one */
};

static void refuse(struct maker *maker, enum hf_refusal refusal)
{
    if (maker->refusal == HF_ACCEPTED)
        maker->refusal = refusal;
}

static struct hf_hash read_hash(struct maker *maker, unsigned level, uint64_t index)
{
    struct hf_hash hash = {0};
    if (!maker->tree->read(maker->tree->user, level, index, &hash))
        refuse(maker, HF_REFUSE_TREE_HASH);
    return hash;
}

static unsigned log2_floor(uint64_t n)
{
    return 63u - (unsigned)__builtin_clzll(n);
}

/* MTH(D[begin:end]) of a range that begins where its largest perfect subtree can: the perfect
 * subtrees of the binary form of its length, joined from the right. */
static struct hf_hash range_hash(struct maker *maker, uint64_t begin, uint64_t end)
{
    struct hf_hash parts[64];
    size_t n = 0;
    for (uint64_t at = begin; at < end;) {
        unsigned level = log2_floor(end - at);
        parts[n++] = read_hash(maker, level, at >> level);
        at += (uint64_t)1 << level;
    }
    struct hf_hash hash = parts[n - 1];
    while (--n > 0)
        hash = hf_merkle_node(maker->m, &parts[n - 1], &hash);
    return hash;
}

/* The largest power of two smaller than n, n > 1: where RFC 6962 splits a tree. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << log2_floor(n - 1);
}

static void add(struct maker *maker, struct hf_hash hash)
{
    maker->path[maker->count++] = hash; /* once a level: never more than HF_PROOF_MAX */
}

/* Paths are made from the root downwards and turned round at the end. */
static enum hf_refusal finish(struct maker *maker, size_t *count)
{
    for (size_t i = 0; i < maker->count / 2; i++) {
        struct hf_hash other = maker->path[i];
        maker->path[i] = maker->path[maker->count - 1 - i];
        maker->path[maker->count - 1 - i] = other;
    }
    if (maker->m->failed)
        refuse(maker, HF_REFUSE_CRYPTO);
    *count = maker->refusal == HF_ACCEPTED ? maker->count : 0;
    return maker->refusal;
}

enum hf_refusal hf_tree_root(struct hf_merkle *m, const struct hf_tree_source *tree,
                             uint64_t size, struct hf_hash *root)
{
    struct maker maker = {.m = m, .tree = tree};
    if (size > HF_TREE_MAX)
        return HF_REFUSE_PROOF_INDEX;
    *root = size == 0 ? hf_merkle_empty(m) : range_hash(&maker, 0, size);
    return m->failed ? HF_REFUSE_CRYPTO : maker.refusal;
}

enum hf_refusal hf_inclusion_make(struct hf_merkle *m, const struct hf_tree_source *tree,
                                  uint64_t index, uint64_t size, struct hf_hash *path,
                                  size_t *count)
{
    struct maker maker = {.m = m, .tree = tree, .path = path};
    *count = 0;
    if (index >= size || size > HF_TREE_MAX)
        return HF_REFUSE_PROOF_INDEX;
    uint64_t begin = 0, end = size;
    while (end - begin > 1) {
        uint64_t middle = begin + split(end - begin);
        bool left = index < middle;
        add(&maker,
            left ? range_hash(&maker, middle, end) : range_hash(&maker, begin, middle));
        if (left)
            end = middle;
        else
            begin = middle;
    }
    return finish(&maker, count);
}

enum hf_refusal hf_consistency_make(struct hf_merkle *m, const struct hf_tree_source *tree,
                                    uint64_t old_size, uint64_t new_size,
                                    struct hf_hash *path, size_t *count)
{
    struct maker maker = {.m = m, .tree = tree, .path = path};
    *count = 0;
    if (old_size > new_size || new_size > HF_TREE_MAX)
        return HF_REFUSE_PROOF_SHRUNK;
    if (old_size == 0 || old_size == new_size)
        return HF_ACCEPTED;
    uint64_t begin = 0, end = new_size;
    while (end != old_size) { /* down to the subtree with which the old tree ends */
        uint64_t middle = begin + split(end - begin);
        bool left = old_size <= middle;
        add(&maker,
            left ? range_hash(&maker, middle, end) : range_hash(&maker, begin, middle));
        if (left)
            end = middle;
        else
            begin = middle;
    }
    if (begin != 0) /* else it is the whole old tree, whose root the checker has */
        add(&maker, range_hash(&maker, begin, end));
    return finish(&maker, count);
}

/* ---- a tree in memory ---- */

enum hf_refusal hf_tree_append(struct hf_merkle *m, struct hf_tree *tree,
                               const struct hf_hash *leaf)
{
    struct hf_hash hash = *leaf;
    uint64_t index = tree->size;
    for (unsigned level = 0;; level++, index >>= 1) {
        struct hf_buffer *row = &tree->levels[level];
        hf_buffer_add(row, hash.bytes, sizeof hash.bytes);
        if (row->failed)
            return HF_REFUSE_NOMEM;
        if ((index & 1) == 0)
            break;
        struct hf_hash left;
        memcpy(left.bytes, row->data + row->len - 2 * sizeof hash.bytes, sizeof left.bytes);
        hash = hf_merkle_node(m, &left, &hash);
    }
    tree->size++;
    return m->failed ? HF_REFUSE_CRYPTO : HF_ACCEPTED;
}

static bool read_memory(void *user, unsigned level, uint64_t index, struct hf_hash *hash)
{
    const struct hf_tree *tree = user;
    if (level >= 64 || index >= tree->levels[level].len / sizeof hash->bytes)
        return false;
    memcpy(hash->bytes, tree->levels[level].data + index * sizeof hash->bytes,
           sizeof hash->bytes);
    return true;
}

struct hf_tree_source hf_tree_as_source(struct hf_tree *tree)
{
    return (struct hf_tree_source){.read = read_memory, .user = tree};
}

void hf_tree_done(struct hf_tree *tree)
{
    for (size_t i = 0; i < 64; i++)
        hf_buffer_done(&tree->levels[i]);
    tree->size = 0;
}
