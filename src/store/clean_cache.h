/* clean_cache.h - files that were clean and need not be read again: a table on disk, one for a user.
 *
 * An entry is a keyed digest over what a file is recognised by (clean_file.h) and all that its
 * verdict hung on: version of the engine, options, rules of the database. Whoever does not know the
 * key can make none; the whole file is authenticated as well. Beside it stand the digests that were
 * asked of the file and all that is in it: when only digest signatures are new, they are looked up
 * here, and nothing is read again.
 *
 * The key and the table belong to their user: what is somebody else's, a link, damaged or of another
 * version is not used but made anew. Two processes may use it at once; both write. */
#ifndef HF_STORE_CLEAN_CACHE_H
#define HF_STORE_CLEAN_CACHE_H

#include "scan/report.h"
#include "store/clean_file.h"

struct hf_clean_cache;

struct hf_clean_cache_options {
    const char *folder;        /* where key and table are; made when missing */
    const struct hf_db *db;    /* borrowed; may be changed by hf_clean_cache_use */
    struct hf_bytes judged_by; /* options that verdicts hang on, in a fixed form; copied */
    size_t entries_max;        /* 0: the default, a million */
};

/*
 * Open or begin.
 *
 * note  receives a sentence when a table was there and could not be used; may be NULL.
 * Returns HF_OK; HF_IO with errno (no folder, no key: go on without), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_clean_cache_open(struct hf_clean_cache **out,
                                               const struct hf_clean_cache_options *options,
                                               struct hf_buffer *note);
void hf_clean_cache_free(
    struct hf_clean_cache *cache); /* does not save; NULL is accepted */

/* From now on judge by another database. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_clean_cache_use(struct hf_clean_cache *cache,
                                              const struct hf_db *db);

/* Whether a file is known to be clean by the database at hand. */
bool hf_clean_cache_knows(struct hf_clean_cache *cache, const struct hf_clean_file *file);

/* Note what was found clean. worker: who says so (report.h). A report with reasons, findings or
 * something that a list excused is not noted. Running out of memory loses entries, no more. */
void hf_clean_cache_add(struct hf_clean_cache *cache, const struct hf_clean_file *file,
                        const struct hf_report *report);

/* A worker misbehaved: all that it said is forgotten. */
void hf_clean_cache_withdraw(struct hf_clean_cache *cache, uint32_t worker);

/* Write what changed, together with what others have written meanwhile; replaced as a whole. HF_OK
 * (also when nothing changed), HF_IO with errno, HF_NOMEM: the old table is as it was. */
HF_MUST_USE enum hf_status hf_clean_cache_save(struct hf_clean_cache *cache);

/* How many entries there are, for tests and status. */
size_t hf_clean_cache_count(const struct hf_clean_cache *cache);

#endif
