/* rules_what.h - what a signature of a database is, as far as the database keeps it: a digest with its
 * size, or a rule with its patterns. For `holdfast rules why`. */
#ifndef HF_CLI_RULES_WHAT_H
#define HF_CLI_RULES_WHAT_H

#include "base/buffer.h"
#include "db/db.h"

/* Append lines, or members of a JSON object, each with a comma before it. */
void hf_rules_what_text(struct hf_buffer *out, const struct hf_db *db,
                        struct hf_signature signature);
void hf_rules_what_json(struct hf_buffer *out, const struct hf_db *db,
                        struct hf_signature signature);

#endif
