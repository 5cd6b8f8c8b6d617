/* source.h - the bytes of a file under scan: one snapshot for small files, a mapping for large
 * ones that survives the file being cut, and which parts of a sparse file hold data. */
#ifndef HF_SCAN_SOURCE_H
#define HF_SCAN_SOURCE_H

#include "base/bytes.h"
#include "base/status.h"

struct hf_stream;

enum { HF_SOURCE_READ_MAX = 1 << 20 }; /* larger files are mapped */

/* A run of a file that is not a hole. */
struct hf_extent {
    uint64_t offset, length;
};

struct hf_source {
    struct hf_bytes bytes;
    const struct hf_extent *extents; /* ascending; NULL: all of it is data */
    size_t extent_count;
    struct hf_stream *stream; /* its digests on their way (hf_engine_expect); NULL: none */
    /* private */
    int fd; /* borrowed; -1: memory */
    void *mapping;
    struct hf_extent *owned_extents;
    uint64_t size, mtime_ns, ctime_ns;
};

/* Read buffer, reused from file to file. */
struct hf_source_buffer {
    uint8_t *data; /* HF_SOURCE_READ_MAX bytes once used */
};
void hf_source_buffer_done(struct hf_source_buffer *buffer);

/*
 * Open a regular file's bytes.
 *
 * fd  borrowed until close; its offset is not used. Small files are read into the buffer, which
 *     is theirs until close.
 * Returns HF_OK, HF_INVALID (not a regular file), HF_IO, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_source_open(struct hf_source *source, int fd,
                                          struct hf_source_buffer *buffer);

/* The same for a file that fits into room bytes at `to`; HF_LIMIT: it does not, or is one that
 * would be mapped, and nothing was opened. */
HF_MUST_USE enum hf_status hf_source_read(struct hf_source *source, int fd, uint8_t *to,
                                          size_t room);

/* Bytes that the caller keeps. */
void hf_source_memory(struct hf_source *source, struct hf_bytes bytes);

/* HF_CHANGED when size or times moved since open, or a mapped page was gone; HF_OK. */
HF_MUST_USE enum hf_status hf_source_close(struct hf_source *source);

/* Survive files that are cut while they are mapped: a fault in a source's mapping gets a zero
 * page and is remembered. Installs a SIGBUS handler: for worker programs, once, never for hosts
 * of the library. */
HF_MUST_USE enum hf_status hf_source_guard_faults(void);

#endif
