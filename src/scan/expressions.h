/* expressions.h - regular expressions of signatures (pattern/backtrack.h), compiled when first
 * needed and kept by the engine; worked with in derived.c. */
#ifndef HF_SCAN_EXPRESSIONS_H
#define HF_SCAN_EXPRESSIONS_H

#include <stddef.h>

/* Zeroed at first. */
struct hf_expressions {
    struct hf_expression_slot *slots; /* owned; open addressing */
    size_t slot_count, count;
};
void hf_expressions_done(struct hf_expressions *e);

#endif
