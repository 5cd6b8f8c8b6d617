/* folder.h - the names in a folder, sorted, and the calls that open what they name. */
#ifndef HF_CLI_FOLDER_H
#define HF_CLI_FOLDER_H

#include "base/buffer.h"
#include "base/status.h"

/* The entries of a folder in byte order, without "." and "..". */
struct hf_folder {
    struct hf_buffer text; /* for each entry its type (DT_*), its name, a zero */
    uint32_t *at;          /* owned: offsets in text, in order */
    size_t count, room;
};
void hf_folder_done(struct hf_folder *folder);

const char *hf_folder_name(const struct hf_folder *folder, size_t index);
unsigned char hf_folder_type(const struct hf_folder *folder, size_t index);

/*
 * Read all entries.
 *
 * fd  of the folder, at its start; stays the caller's.
 * Returns HF_OK; HF_IO with errno, HF_LIMIT (more than 4 GiB of names) or HF_NOMEM: what was
 * read before is there, and sorted.
 */
HF_MUST_USE enum hf_status hf_folder_read(struct hf_folder *folder, int fd);

/*
 * Open a path below a folder without ever following a magic link (/proc/.../fd/3) or waiting for
 * anything. flags are added to O_RDONLY. Access times stay as they are where the kernel allows.
 * The descriptor, or -1 with errno.
 */
int hf_folder_open(int fd, const char *name, int flags);

/* Whether a file system holds no files but the kernel's own state (procfs, sysfs, ...). */
bool hf_folder_is_kernels(int fd);

#endif
