/* merkle.h - the hash tree of a transparency log: hashing, and the two proofs about it, that an
 * entry is in the tree and that one tree is a prefix of another; checked without the tree, made
 * from any store of its hashes. [RFC 6962 section 2.1, RFC 9162 section 2.1.3-4] */
#ifndef HF_FEED_MERKLE_H
#define HF_FEED_MERKLE_H

#include "base/buffer.h"
#include "digest/digest.h"
#include "feed/refusal.h"

enum { HF_HASH_BYTES = 32, HF_PROOF_MAX = 64 }; /* hashes of a proof, at most */
#define HF_TREE_MAX ((uint64_t)INT64_MAX)       /* entries; so that sums do not wrap */

struct hf_hash {
    uint8_t bytes[HF_HASH_BYTES];
};

static inline bool hf_hash_equal(const struct hf_hash *a, const struct hf_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Hashing; a failure of the library is remembered, and every check that used it refuses. */
struct hf_merkle {
    struct hf_hasher *hasher; /* borrowed */
    bool failed;
};

struct hf_hash hf_merkle_empty(struct hf_merkle *m);
struct hf_hash hf_merkle_leaf(struct hf_merkle *m, struct hf_bytes entry);
struct hf_hash hf_merkle_node(struct hf_merkle *m, const struct hf_hash *left,
                              const struct hf_hash *right);

/*
 * Check that the entry with this leaf hash is number index of the tree.
 *
 * index  from 0. size, root  of the tree, from a verified checkpoint.
 * path   count hashes, from the leaf's sibling upwards.
 * Returns HF_ACCEPTED, HF_REFUSE_PROOF_INDEX, _SHORT, _LONG, _INCLUSION, HF_REFUSE_CRYPTO.
 */
HF_MUST_USE enum hf_refusal hf_inclusion_check(struct hf_merkle *m,
                                               const struct hf_hash *leaf, uint64_t index,
                                               uint64_t size, const struct hf_hash *root,
                                               const struct hf_hash *path, size_t count);

/*
 * Check that the older tree is a prefix of the newer one. With equal sizes or an empty older tree
 * the path must be empty; the empty tree has one root only.
 *
 * Returns HF_ACCEPTED, HF_REFUSE_PROOF_SHRUNK (newer is shorter), _FORK (equal sizes, other
 * root), _SHORT, _LONG, _OLD, _NEW, HF_REFUSE_CRYPTO.
 */
HF_MUST_USE enum hf_refusal hf_consistency_check(struct hf_merkle *m, uint64_t old_size,
                                                 const struct hf_hash *old_root,
                                                 uint64_t new_size,
                                                 const struct hf_hash *new_root,
                                                 const struct hf_hash *path, size_t count);

/* Where hashes of a tree come from: of the perfect subtree of 2^level leaves that is number index
 * of its level. False when it cannot be had. */
struct hf_tree_source {
    bool (*read)(void *user, unsigned level, uint64_t index, struct hf_hash *hash);
    void *user;
};

/*
 * Compute a root, an inclusion proof, or a consistency proof. path has room for HF_PROOF_MAX.
 * What an untrusted source yields may be wrong: check the proof against verified roots.
 *
 * Returns HF_ACCEPTED, HF_REFUSE_TREE_HASH (the source has not got a hash), HF_REFUSE_PROOF_INDEX,
 * _SHRUNK (sizes that do not fit each other), HF_REFUSE_CRYPTO.
 */
HF_MUST_USE enum hf_refusal hf_tree_root(struct hf_merkle *m,
                                         const struct hf_tree_source *tree, uint64_t size,
                                         struct hf_hash *root);
HF_MUST_USE enum hf_refusal hf_inclusion_make(struct hf_merkle *m,
                                              const struct hf_tree_source *tree,
                                              uint64_t index, uint64_t size,
                                              struct hf_hash *path, size_t *count);
HF_MUST_USE enum hf_refusal hf_consistency_make(struct hf_merkle *m,
                                                const struct hf_tree_source *tree,
                                                uint64_t old_size, uint64_t new_size,
                                                struct hf_hash *path, size_t *count);

/* A whole tree in memory, for publishers and tests: 64 bytes an entry. */
struct hf_tree {
    struct hf_buffer levels[64]; /* hashes of the perfect subtrees */
    uint64_t size;
};

/* Append an entry by its leaf hash. HF_REFUSE_NOMEM, HF_REFUSE_CRYPTO: the tree is then broken. */
HF_MUST_USE enum hf_refusal hf_tree_append(struct hf_merkle *m, struct hf_tree *tree,
                                           const struct hf_hash *leaf);
struct hf_tree_source hf_tree_as_source(struct hf_tree *tree);
void hf_tree_done(struct hf_tree *tree);

#endif
