/* schema.h - the schema: every module of facts, in the order in which databases number them. */
#ifndef HF_FORMAT_SCHEMA_H
#define HF_FORMAT_SCHEMA_H

#include "facts/facts.h"

/* Append only: a new order is a new fingerprint, and databases are compiled again. */
extern const struct hf_fact_module *const hf_fact_modules[];
extern const size_t hf_fact_module_count; /* <= HF_FACT_MODULES_MAX */

/* A module by its name; SIZE_MAX when there is none. */
size_t hf_fact_module_find(struct hf_bytes name);

#endif
