/* db_cache.h - compiled forms of text signatures, kept between runs: one file for each set of
 * sources, named by a fingerprint of their names, sizes, times, inodes and of this program.
 * Losing the cache costs time only. Files in it that others could have written are not used. */
#ifndef HF_CLI_DB_CACHE_H
#define HF_CLI_DB_CACHE_H

#include "base/buffer.h"
#include "base/status.h"

/*
 * The path of the file for some sources, whether it exists or not; zero-ended in path.
 *
 * paths  count files and folders.
 * how    what else decides how they are compiled: any bytes.
 * Returns HF_OK; HF_NOTFOUND (no place for a cache); HF_IO (a source cannot be looked at),
 * HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_db_cache_path(const char *const *paths, size_t count,
                                            struct hf_bytes how, struct hf_buffer *path);

/* Open such a file: a descriptor, or -1 when there is none that can be trusted. Marks it as
 * used. */
int hf_db_cache_open(const char *path);

/* Make the folder of such a file, and remove those in it that nobody used for a month. HF_IO
 * with errno. */
HF_MUST_USE enum hf_status hf_db_cache_prepare(const char *path);

#endif
