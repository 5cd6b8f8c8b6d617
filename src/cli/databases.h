/* databases.h - from what --db names to an opened database: compiled files as they are, text
 * signatures compiled on the fly and kept in the cache, the built-in content when none is
 * named. Reads the user's own content; hostile bytes never come here. */
#ifndef HF_CLI_DATABASES_H
#define HF_CLI_DATABASES_H

#include "db/build.h"
#include "db/db.h"
#include "db/plan.h"

struct hf_databases {
    int fds
        [HF_DB_FDS_MAX]; /* owned; oldest first; the last one may be a plan (db/plan.h) */
    size_t count;
    struct hf_db *db;      /* owned */
    struct hf_buffer name; /* for the summary, zero-ended */
    uint64_t signatures, skipped;
};
void hf_databases_done(struct hf_databases *databases);

/* Called with something that the user should know: a bad line, a cache that cannot be used. */
typedef void hf_databases_on_note(void *user, bool important, const char *text);

/*
 * Open them.
 *
 * paths    count files or folders; count 0: the built-in content.
 * out      to be released in any case.
 * pua      what of text signatures of unwanted programs is taken; compiled ones are as they are.
 * error    receives a sentence when the status is not HF_OK; names in it are as given.
 * Returns HF_OK, HF_NOTFOUND, HF_MALFORMED, HF_UNSUPPORTED, HF_IO, HF_NOMEM, HF_LIMIT.
 */
HF_MUST_USE enum hf_status hf_databases_open_pua(struct hf_databases *out,
                                                 const char *const *paths, size_t count,
                                                 const struct hf_pua *pua,
                                                 hf_databases_on_note *on_note, void *user,
                                                 struct hf_buffer *error);

/* With all that there is on potentially unwanted programs. */
HF_MUST_USE enum hf_status hf_databases_open(struct hf_databases *out,
                                             const char *const *paths, size_t count,
                                             hf_databases_on_note *on_note, void *user,
                                             struct hf_buffer *error);

/* The same where publishers' content and the owner's own are used besides, whatever paths has; home:
 * as in hf_site_open. For the daemon. */
HF_MUST_USE enum hf_status hf_databases_open_published(
    struct hf_databases *out, const char *const *paths, size_t count,
    const struct hf_pua *pua, const char *home, hf_databases_on_note *on_note, void *user,
    struct hf_buffer *error);

#endif
