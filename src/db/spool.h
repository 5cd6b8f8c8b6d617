/* spool.h - the digests of a build: added in batches, read back sorted. Batches that memory
 * should not hold are sorted and go to an unlinked file, so that a build of any size needs a
 * bounded amount of memory. */
#ifndef HF_DB_SPOOL_H
#define HF_DB_SPOOL_H

#include "base/status.h"
#include "db/format.h"

/* One digest signature. Sorted by table, size, digest, then the order in which they were
 * added. */
struct hf_spooled {
    uint8_t table;   /* enum hf_db_section */
    uint64_t size;   /* below HF_SPOOL_SIZE_ANY; or UINT64_MAX: any */
    uint64_t number; /* of its name */
    uint32_t stem;
    uint8_t digest[32]; /* the first `kept` bytes count, the rest is 0 */
};
#define HF_SPOOL_SIZE_ANY ((UINT64_C(1) << 56) - 1)

/* Records as they are kept: table and size, digest, stem and number in four or seven words. */
struct hf_batch {
    uint64_t *words;
    size_t count, room; /* in records */
    bool failed;        /* out of memory */
};

struct hf_spool;

/* kept: bytes of each digest that matter, 12 or 32. NULL: out of memory. */
struct hf_spool *hf_spool_new(size_t kept);
void hf_spool_free(struct hf_spool *spool);

/* Add to a batch (any thread, its own batch). Change the stems of all records: stem -> map. */
void hf_batch_add(const struct hf_spool *spool, struct hf_batch *batch,
                  const struct hf_spooled *record);
void hf_batch_map_stems(const struct hf_spool *spool, struct hf_batch *batch,
                        const uint32_t *map);
void hf_batch_done(struct hf_batch *batch);

/*
 * Sort a batch and take it over; the batch is empty afterwards. From any thread.
 *
 * sequence  orders batches: of equal records those of lower ones come first.
 * Returns HF_OK, HF_NOMEM, HF_IO (no room for the spool file; errno).
 */
HF_MUST_USE enum hf_status hf_spool_take(struct hf_spool *spool, struct hf_batch *batch,
                                         uint64_t sequence);

/* Begin to read everything in order. Then take up to count records; *got fewer: the end. */
HF_MUST_USE enum hf_status hf_spool_begin(struct hf_spool *spool);
HF_MUST_USE enum hf_status hf_spool_read(struct hf_spool *spool, struct hf_spooled *records,
                                         size_t count, size_t *got);

#endif
