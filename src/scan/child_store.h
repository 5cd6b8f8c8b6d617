/* child_store.h - where the bytes of an unpacked child are kept until it is scanned: private
 * memory while it is small, a mapped region of the spool file when it grows. Stores nest with the
 * containers and are released in reverse order. */
#ifndef HF_SCAN_CHILD_STORE_H
#define HF_SCAN_CHILD_STORE_H

#include "base/buffer.h"

enum {
    HF_SPOOL_FROM = 16 << 20
}; /* a child larger than this goes to the spool, if there is one */

/* The spool file of a worker: regions are taken from its end. */
struct hf_spool {
    int fd;       /* -1: none */
    uint64_t top; /* first free byte, a multiple of the page size */
};

struct hf_child_store {
    struct hf_spool *spool;  /* borrowed */
    struct hf_buffer memory; /* while small; kept for the next child */
    uint8_t *region;         /* mapped spool, or NULL */
    size_t region_size;      /* mapped */
    size_t region_backed;    /* of it, bytes that the file system has promised */
    size_t region_used;
    uint64_t region_offset;
};

/* Add bytes. max is the most that this child may come to (for the size of the region).
 * HF_LIMIT when memory or the file system have no more to give; what was added stays. */
HF_MUST_USE enum hf_status hf_child_store_add(struct hf_child_store *store,
                                              struct hf_bytes bytes, uint64_t max);

struct hf_bytes hf_child_store_bytes(const struct hf_child_store *store);

/* Forget the child; large memory and the spool region are given back. */
void hf_child_store_clear(struct hf_child_store *store);
void hf_child_store_done(struct hf_child_store *store);

#endif
