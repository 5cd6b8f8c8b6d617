/* budget.h - what one top-level scan may still spend. Carried by every cursor; work units, not
 * the clock, decide where a scan ends, so the same file ends at the same place on any machine.
 *
 * A unit is about one hostile record or one KiB of bytes touched. Loops over hostile counts
 * charge one unit a turn; copies and decompression charge by size. */
#ifndef HF_BASE_BUDGET_H
#define HF_BASE_BUDGET_H

#include "base/status.h"

struct hf_budget {
    uint64_t work;         /* units left */
    uint64_t bytes;        /* unpacked bytes left, all children of the scan together */
    uint64_t objects;      /* children left */
    uint64_t object_bytes; /* most bytes of one child; not spent */
    uint64_t depth;        /* deepest child allowed; not spent */
    bool exhausted;        /* set when any of them ran out, never cleared */
};

/* A budget with the given limits; a limit of 0 becomes "no limit", HF_LIMIT_NOTHING 0. */
struct hf_budget hf_budget_of(const struct hf_limits *limits);

/* A budget that never runs out in practice: for our own files and for tests. */
struct hf_budget hf_budget_unlimited(void);

/* Spend work. False (and exhausted) when there is not enough; what is left becomes 0, so every
 * later charge fails too. budget may be NULL: always true. */
bool hf_budget_work(struct hf_budget *budget, uint64_t units);

/* Spend unpacked bytes; also charges their work (one unit a KiB, at least one). */
bool hf_budget_bytes(struct hf_budget *budget, uint64_t bytes);

/* Spend one child. */
bool hf_budget_object(struct hf_budget *budget);

#endif
