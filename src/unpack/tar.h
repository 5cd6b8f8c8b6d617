/* tar.h - between the files of the tar decoder: headers as they are read, extended ones applied.
 * [POSIX] is pax(1p) "ustar Interchange Format" and "pax Interchange Format"; [GNU] the manual of
 * GNU tar, "Basic Tar Format" and "Storing Sparse Files". */
#ifndef HF_UNPACK_TAR_H
#define HF_UNPACK_TAR_H

#include "unpack/unpack.h"

enum { HF_TAR_BLOCK = 512, HF_TAR_PREFIX = 155, HF_TAR_NAME = 100 };

/* One header block. */
struct hf_tar_header {
    struct hf_bytes name;   /* borrowed from the container */
    struct hf_bytes prefix; /* goes in front of the name, with a slash; may be empty */
    uint64_t size; /* of the data behind the header; UINT64_MAX: no readable number */
    uint8_t type;
    bool has_magic; /* "ustar": not a block of data that adds up by chance */
    bool is_gnu;
    bool good;    /* the checksum holds */
    bool is_zero; /* nothing but zeros: end of the archive */
};

/* Read the header block that c stands at; c moves behind it, or fails when it is not whole. */
struct hf_tar_header hf_tar_read_header(struct hf_cursor *c);

/* A stretch of a sparse file that is not a hole. */
struct hf_tar_stretch {
    uint64_t offset, size;
};

enum hf_tar_sparse { HF_TAR_DENSE, HF_TAR_SPARSE_MAP, HF_TAR_SPARSE_IN_DATA };

/* What extended headers say of the next member. */
struct hf_tar_extended {
    struct hf_bytes name; /* empty: not given */
    uint64_t size;        /* of the stored data; HF_UNKNOWN: not given */
    uint64_t real_size;   /* of a sparse file; HF_UNKNOWN */
    enum hf_tar_sparse sparse;
    struct hf_tar_stretch *map; /* in the arena */
    size_t map_count;
    uint64_t pending_offset; /* a pax 0.0 offset that waits for its size */
};

/* An extended description that says nothing yet. */
struct hf_tar_extended hf_tar_extended_none(void);

/* Apply the records of a pax header. [POSIX "pax Extended Header"] HF_OK, HF_MALFORMED (records
 * before the damage are applied), HF_LIMIT. */
enum hf_status hf_tar_read_pax(struct hf_cursor records, struct hf_arena *arena,
                               struct hf_tar_extended *extended);

/* The map of an old GNU sparse member: part in its header block (at header), part in blocks behind
 * it, over which c moves. HF_OK, HF_TRUNCATED, HF_LIMIT. */
enum hf_status hf_tar_read_gnu_map(struct hf_cursor *c, uint64_t header,
                                   struct hf_arena *arena,
                                   struct hf_tar_extended *extended);

/* The map of a pax 1.0 sparse member, which stands in front of its data: text, filled up to a
 * whole block. data moves behind it. HF_OK, HF_MALFORMED, HF_LIMIT. */
enum hf_status hf_tar_read_map_in_data(struct hf_cursor *data, struct hf_arena *arena,
                                       struct hf_tar_extended *extended);

#endif
