/* spool.h - the digests of a build: added in any order, read back sorted. */
#ifndef HF_DB_SPOOL_H
#define HF_DB_SPOOL_H

#include "base/status.h"
#include "db/format.h"

/* One digest signature. Sorted by table, size, digest, order: a total order, for no two have
 * the same order. */
struct hf_spooled {
    uint8_t table;   /* enum hf_db_section */
    uint64_t size;   /* UINT64_MAX: any */
    uint64_t order;  /* place in the sources: where it was read */
    uint64_t number; /* of its name */
    uint32_t stem;
    uint8_t digest[32]; /* the first `kept` bytes count */
};

struct hf_spool;

/* kept: bytes of each digest that matter, 12 or 32. NULL: out of memory. */
struct hf_spool *hf_spool_new(size_t kept);
void hf_spool_free(struct hf_spool *spool);

HF_MUST_USE enum hf_status hf_spool_add(struct hf_spool *spool,
                                        const struct hf_spooled *record);

/* Sort; then records come one by one. hf_spool_next returns false at the end and on failure:
 * hf_spool_status says which. Rewinding starts over. */
HF_MUST_USE enum hf_status hf_spool_sort(struct hf_spool *spool);
bool hf_spool_next(struct hf_spool *spool, struct hf_spooled *record);
enum hf_status hf_spool_status(const struct hf_spool *spool);

#endif
