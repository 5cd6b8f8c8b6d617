#include "base/limits.h"

#include "base/text.h"

#include <stddef.h>

#define GIB (UINT64_C(1) << 30)

const struct hf_limit_row hf_limit_rows[] = {
    {"max-filesize", "SIZE", offsetof(struct hf_limits, object_bytes), 1, 1 * GIB,
     "largest object to unpack from a container; 0: no limit"},
    {"max-scansize", "SIZE", offsetof(struct hf_limits, scan_bytes), 1, 4 * GIB,
     "most bytes to unpack from one file, all layers together; 0: no limit"},
    {"max-files", "N", offsetof(struct hf_limits, objects), 1, 100000,
     "most objects to unpack from one file; 0: no limit"},
    {"max-recursion", "N", offsetof(struct hf_limits, depth), 1, 17,
     "deepest nesting of containers to open; 0: no limit"},
    {"max-work", "N", offsetof(struct hf_limits, work), 1, 200000000,
     "most work units (about one per record or KiB) for one file; 0: no limit"},
    {"max-rule-work", "N", offsetof(struct hf_limits, rule_work), 1, 16384,
     "steps one rule may cost in one object, besides one for 2 bytes; 0: no limit"},
    {"max-scantime", "SECONDS", offsetof(struct hf_limits, time_ms), 1000, 120000,
     "give up on a file after this time, as a backstop; 0: never"},
};
const size_t hf_limit_row_count = sizeof hf_limit_rows / sizeof *hf_limit_rows;

static uint64_t *field_of(struct hf_limits *limits, const struct hf_limit_row *row)
{
    return (uint64_t *)(void *)((uint8_t *)limits + row->offset);
}

void hf_limits_default(struct hf_limits *limits)
{
    *limits = (struct hf_limits){0};
    for (size_t i = 0; i < hf_limit_row_count; i++)
        *field_of(limits, &hf_limit_rows[i]) = hf_limit_rows[i].initial;
}

enum hf_status hf_limits_set(struct hf_limits *limits, const char *name,
                             struct hf_bytes value)
{
    for (size_t i = 0; i < hf_limit_row_count; i++) {
        const struct hf_limit_row *row = &hf_limit_rows[i];
        if (strcmp(row->name, name) != 0)
            continue;
        uint64_t v;
        if (!hf_parse_size(value, &v) || v > UINT64_MAX / row->unit)
            return HF_INVALID;
        *field_of(limits, row) = v * row->unit;
        return HF_OK;
    }
    return HF_NOTFOUND;
}
