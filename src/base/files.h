/* files.h - whole files below a folder: read with a bound, and replaced so that at any moment, also
 * after a loss of power, either the old or the new one is there. */
#ifndef HF_BASE_FILES_H
#define HF_BASE_FILES_H

#include "base/buffer.h"

/* Read a regular file below dir (AT_FDCWD: any path), at most max bytes. No symbolic link leads out
 * of dir. HF_NOTFOUND, HF_LIMIT, HF_IO with errno, HF_NOMEM. */
HF_MUST_USE enum hf_status hf_file_read(int dir, const char *path, size_t max,
                                        struct hf_buffer *out);

/* Open for reading, as hf_file_read does; -1 with errno. */
int hf_file_open(int dir, const char *path);

/* Make the folders above a path, mode 0755 less the umask. HF_IO. */
HF_MUST_USE enum hf_status hf_file_make_parents(int dir, const char *path);

/* Write beside, synchronise, rename over path, synchronise the folder. Parents are made. HF_IO with
 * errno: the old file is as it was. */
HF_MUST_USE enum hf_status hf_file_replace(int dir, const char *path, struct hf_bytes bytes,
                                           unsigned mode);

/* Remove a file, or a folder with all that is in it; not there is fine. HF_IO. */
HF_MUST_USE enum hf_status hf_file_remove_all(int dir, const char *path);

/* Synchronise the folder that holds path, so that a rename stays. HF_IO. */
HF_MUST_USE enum hf_status hf_file_sync_parent(int dir, const char *path);

#endif
