/* bytes.h - fact modules that compute from the object's bytes or from given strings rather than
 * from a format: hash, math, string, under YARA's names and with its rules.
 *
 * A range (offset, length) is undefined when either is negative or the offset is not inside the
 * object; it is cut at the object's end. [yara 4.5 libyara/modules/{hash,math,string}] */
#ifndef HF_FACTS_BYTES_H
#define HF_FACTS_BYTES_H

#include "facts/facts.h"

extern const struct hf_fact_module hf_hash_module, hf_math_module, hf_string_module;

/* The bytes of a range by the rule above, charged by length. False: undefined, or no budget. */
bool hf_facts_range(const struct hf_facts *facts, int64_t offset, int64_t length,
                    struct hf_bytes *out);

#endif
