/* run_rule.h - a compiled rule over some bytes, slowly: every needle is looked for at every offset,
 * then what the pipeline does: places, chains, condition. */
#ifndef HF_TESTS_RULES_CLAMAV_RUN_RULE_H
#define HF_TESTS_RULES_CLAMAV_RUN_RULE_H

#include "rules/clamav/clamav.h"

/* Whether the rule holds. counts (may be NULL) receives the matches of each pattern. */
bool run_rule(const struct hf_clamav_signature *s, struct hf_bytes data, size_t *counts);

#endif
