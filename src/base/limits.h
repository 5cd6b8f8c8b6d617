/* limits.h - the limits of a scan as people set them: one table of names, units, ranges and
 * defaults for the command line (--max-...), configuration keys and help. */
#ifndef HF_BASE_LIMITS_H
#define HF_BASE_LIMITS_H

#include "base/bytes.h"
#include "base/status.h"

struct hf_limit_row {
    const char *name;    /* option without dashes, and configuration key: "max-recursion" */
    const char *metavar; /* "SIZE", "N", "SECONDS" */
    size_t offset;       /* of the uint64_t in struct hf_limits */
    uint64_t unit;       /* the stored value is the given one times this */
    uint64_t initial;    /* default, stored form */
    const char *help;
};

extern const struct hf_limit_row hf_limit_rows[];
extern const size_t hf_limit_row_count;

/* Set a limit by its name from text such as "100M" or "0". HF_NOTFOUND: no such name;
 * HF_INVALID: not a number, or too large. */
HF_MUST_USE enum hf_status hf_limits_set(struct hf_limits *limits, const char *name,
                                         struct hf_bytes value);

#endif
