/* inode_set.h - a set of (device, inode, stamp): folders already entered, files already known.
 * Hashed with a random key: a file system of a user's making may choose all three. */
#ifndef HF_CLI_INODE_SET_H
#define HF_CLI_INODE_SET_H

#include "base/status.h"

struct hf_inode_key {
    uint64_t device, inode, stamp; /* stamp: 0, or what changes with the file */
};

struct hf_inode_set {
    struct hf_inode_key *slots; /* owned; open addressing; inode 0 and device 0: free */
    size_t room, count;         /* room: a power of two, or 0 */
    uint64_t keys[3];           /* odd, chosen when the set gets its first member */
};
void hf_inode_set_done(struct hf_inode_set *set);

bool hf_inode_set_has(const struct hf_inode_set *set, struct hf_inode_key key);

/* Add. HF_OK (also when it was there), HF_NOMEM. */
HF_MUST_USE enum hf_status hf_inode_set_add(struct hf_inode_set *set,
                                            struct hf_inode_key key);

#endif
