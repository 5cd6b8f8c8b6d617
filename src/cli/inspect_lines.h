/* inspect_lines.h - what `holdfast inspect` prints of a file: every object in it, with type,
 * size, digests and facts; for people, or as JSON (docs/json.md). */
#ifndef HF_CLI_INSPECT_LINES_H
#define HF_CLI_INSPECT_LINES_H

#include "cli/lines.h"

struct hf_inspect_lines {
    bool json;
    bool all; /* long lists and strings too; JSON always has them */
    bool colour;
    const struct hf_db *db;
};

/* HF_OK, or HF_NOMEM (part of it is missing). */
HF_MUST_USE enum hf_status hf_inspect_report(struct hf_buffer *out,
                                             const struct hf_inspect_lines *lines,
                                             struct hf_bytes path,
                                             const struct hf_report *report);

#endif
