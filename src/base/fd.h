/* fd.h - descriptors and mappings with an owner, and reads and writes that finish. */
#ifndef HF_BASE_FD_H
#define HF_BASE_FD_H

#include "base/buffer.h"

void hf_fd_release(int *fd); /* for HF_AUTO; -1 is empty */

/* Read size bytes at offset, through short reads and EINTR. *got is less than size only at the
 * end of the file. HF_IO with errno otherwise. */
HF_MUST_USE enum hf_status hf_fd_read_at(int fd, void *to, size_t size, uint64_t offset,
                                         size_t *got);

/* Write all of it. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_fd_write(int fd, const void *from, size_t size);

/* Read to the end, at most max bytes: HF_LIMIT when there is more. For our own files and
 * pipes. */
HF_MUST_USE enum hf_status hf_fd_read_all(int fd, size_t max, struct hf_buffer *out);

/* A read-only private mapping of a whole file. */
struct hf_map {
    const uint8_t *data; /* NULL: empty */
    size_t len;
};
HF_MUST_USE enum hf_status hf_map_open(int fd, struct hf_map *map); /* HF_IO, HF_NOMEM */
void hf_map_release(struct hf_map *map);

/* A sealed memory file with these bytes, or -1 with errno. The reader can neither write nor
 * shrink it. */
int hf_memfd_of(const char *name, struct hf_bytes bytes);

/* Bound the length of files that this process writes; bytes is a decimal number, as from a command
 * line. False with errno: it is none, or it cannot be done. */
HF_MUST_USE bool hf_fd_limit_files(const char *bytes);

#endif
