/* externals.h - the values from outside that public rule sets expect, by number: compilers and
 * scans share the table. A scan does not pass file names into the jail, so they are empty texts,
 * as for a file without a name. */
#ifndef HF_RULES_EXTERNALS_H
#define HF_RULES_EXTERNALS_H

#include "facts/facts.h"

enum { HF_EXTERNALS = 6 };

/* Stored as numbers in programs: append, never renumber. */
extern const char *const hf_external_names[HF_EXTERNALS];
extern const struct hf_value hf_external_values[HF_EXTERNALS];

#endif
