/* prepared.h - what is worked out once about a needle, for all objects of an engine: the pattern
 * and its rule, read and checked; the plan to verify it; whether the object at hand is one that
 * the rule looks at at all. Candidates come by the million, needles by the thousand. */
#ifndef HF_SCAN_PREPARED_H
#define HF_SCAN_PREPARED_H

#include "db/db.h"
#include "pattern/search.h"

struct hf_prepared {
    uint32_t segment, needle; /* the key */
    bool used;
    bool broken; /* a damaged database: this needle is not there */
    /* How many places of matches the condition can tell apart: 1: it asks only whether there is
     * one; HF_PREPARED_ALL: every match is kept for it. */
    uint32_t wanted;
    bool costly;           /* little or nothing literal helps to find it */
    bool admitted;         /* by the rule's scope and guards, for the object numbered: */
    uint64_t object;       /* 0: not asked yet */
    bool settled;          /* it has matched that object, and nobody asks for more */
    uint64_t first;        /* where, then */
    uint64_t left;         /* work that its candidates in that object may still cost */
    size_t look_again;     /* at so many kept matches: are those that are wanted there? */
    uint32_t number, rule; /* of the pattern, and whose it is */
    struct hf_confirm confirm;
};

/* Of one engine; grows with the needles that occur, and is emptied when it reaches its cap. */
struct hf_prepared_table {
    struct hf_prepared *slots; /* owned; open addressing */
    size_t room, count;        /* room is a power of two */
    uint64_t object;           /* number of the object at hand, from 1 */
};

enum {
    HF_PREPARED_MAX = 1 << 15,
    HF_PREPARED_COUNTED_MAX = 4096, /* larger counts are counted out */
    /* Pieces of so many bytes are found in one of thousands of places only, and whoever fills a
     * file with one pays for it in size. */
    HF_PREPARED_ANCHOR_GOOD = 3
};
#define HF_PREPARED_ALL UINT32_MAX

void hf_prepared_done(struct hf_prepared_table *table);

/* The entry of a needle, made when it is the first time. Borrowed until the next call. NULL: no
 * memory. */
struct hf_prepared *hf_prepared_find(struct hf_prepared_table *table,
                                     const struct hf_db *db, uint32_t segment,
                                     uint32_t needle);

/* The same for a pattern that is found without needles; its confirm is for hf_pattern_confirm_at. */
struct hf_prepared *hf_prepared_find_pattern(struct hf_prepared_table *table,
                                             const struct hf_db *db, uint32_t segment,
                                             uint32_t pattern);

#endif
