/* lib_mspack.h - what the decoders that use libmspack share: its window to the system, made of
 * memory. Input is read through cursors, output goes to a pusher, allocation is capped. */
#ifndef HF_UNPACK_LIB_MSPACK_H
#define HF_UNPACK_LIB_MSPACK_H

#include "unpack/library_memory.h"
#include "unpack/pusher.h"

#include <mspack.h>

/* Most that the library may hold at once; LZX and Quantum windows are at most 32 MiB, the rest
 * is lists of files. */
#define HF_MSPACK_MEMORY ((size_t)256 << 20)

struct hf_mspack {
    struct mspack_system system;
    struct hf_unpack *unpack;
    struct hf_pusher out;
    struct hf_library_memory memory;
    struct hf_mspack *outside; /* whose child is being decoded */
};

/* Ready a system over the object, for this thread, until done. m must not move meanwhile. */
void hf_mspack_init(struct hf_mspack *m, struct hf_unpack *unpack);
void hf_mspack_done(struct hf_mspack *m);

/* The names under which the library opens the object and the child. */
extern const char hf_mspack_object[], hf_mspack_child[];

/* Why a call failed: an MSPACK_ERR code as a status. HF_LIMIT and HF_STOPPED go first. */
enum hf_status hf_mspack_status(const struct hf_mspack *m, int error);

/* A file in a container, before it is extracted. */
struct hf_mspack_item {
    const char *name;        /* borrowed from the library */
    uint64_t stream;         /* which compressed stream it is part of */
    uint64_t offset, length; /* of its bytes in the unpacked stream */
    uint64_t number;         /* place in the container's list */
    bool is_folder;
    void *file; /* what the library knows it by */
};

/* Extract a file under the name hf_mspack_child. Returns an MSPACK_ERR code. */
typedef int hf_mspack_extract(void *user, void *file);

/*
 * Push all items as children, in the order of their places, so that each stream is decoded once;
 * where hostile places overlap and the library has to start again, that is charged as unpacked.
 * items are reordered. Returns HF_OK, the first item's trouble, HF_LIMIT or HF_STOPPED.
 */
enum hf_status hf_mspack_push_items(struct hf_mspack *m, struct hf_mspack_item *items,
                                    size_t count, hf_mspack_extract *extract, void *user);

#endif
