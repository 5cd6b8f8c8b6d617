/* metadata.h - signatures that look at what a container says of its members, before and without
 * unpacking them (ClamAV's .cdb): rules of one pattern of the kind HF_PATTERN_METADATA, whose text
 * is this. They see no view, so no search wakes them. [facts/clamav.md 1.5] */
#ifndef HF_RULES_METADATA_H
#define HF_RULES_METADATA_H

#include "base/buffer.h"
#include "base/cursor.h"

/* Any when any is set; else min <= value <= max. */
struct hf_metadata_range {
    bool any;
    uint64_t min, max;
};

enum hf_metadata_field {
    HF_METADATA_CONTAINER_SIZE,
    HF_METADATA_PACKED,
    HF_METADATA_SIZE,
    HF_METADATA_ENCRYPTED, /* 0 or 1 */
    HF_METADATA_POSITION,  /* from 1 */
    HF_METADATA_CHECKSUM,
    HF_METADATA_FIELDS
};

struct hf_metadata {
    struct hf_metadata_range fields[HF_METADATA_FIELDS];
    struct hf_bytes name; /* a regular expression (pattern/backtrack.h); empty: any name */
};

void hf_metadata_write(const struct hf_metadata *m, struct hf_buffer *out);
HF_MUST_USE enum hf_status hf_metadata_read(struct hf_bytes text, struct hf_metadata *m);

/* Whether all fields agree; what is not known (UINT64_MAX) agrees with "any" only. */
bool hf_metadata_agrees(const struct hf_metadata *m,
                        const uint64_t values[HF_METADATA_FIELDS]);

/* Three bytes in a row that each name must have that a regular expression matches, as a number below
 * 2^24; UINT32_MAX: none are known. Cheap to ask of many expressions before one is tried. */
uint32_t hf_metadata_required(struct hf_bytes expression);

#endif
