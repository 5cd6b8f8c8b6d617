/* asked.h - which digests were asked of a file and all that is in it: enough to say later whether
 * digest signatures that are new can hold for it, without reading it again. A list of records, each
 * one byte scope and kinds, the size as eight bytes, then of each digest the bytes that tables
 * compare (HF_DB_DIGEST_KEPT). */
#ifndef HF_SCAN_ASKED_H
#define HF_SCAN_ASKED_H

#include "base/cursor.h"
#include "db/db.h"

enum { HF_ASKED_BYTES_MAX = 4096 }; /* of one file; more are not noted */

/* Something that digests were asked of: digests.have says which were taken, and only the first
 * bytes of each are there. */
struct hf_asked {
    enum hf_db_scope scope;
    uint64_t size;
    struct hf_digests digests;
};

/* Append a record; kinds: those of digests to put down. */
void hf_asked_put(struct hf_buffer *out, enum hf_db_scope scope, uint64_t size,
                  const struct hf_digests *digests, unsigned kinds);

/* The next record; false when it is none. */
bool hf_asked_get(struct hf_cursor *c, struct hf_asked *asked);

#endif
