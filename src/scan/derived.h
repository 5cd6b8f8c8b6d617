/* derived.h - working out what derived patterns (rules/derived.h) match in one view of an object.
 * Expressions are compiled when first needed and kept by the engine (expressions.h). */
#ifndef HF_SCAN_DERIVED_H
#define HF_SCAN_DERIVED_H

#include "rules/chain.h"
#include "rules/derived.h"
#include "scan/judge.h"

/*
 * Work out one derived pattern.
 *
 * j        the view at hand.
 * segment, number  of the pattern in the database.
 * parts    of the rule's patterns, as joined so far; count: how many.
 * which    the pattern's place in the rule: parts[which] receives its matches.
 * Returns HF_OK; HF_LIMIT, HF_NOMEM: it has no matches then.
 */
HF_MUST_USE enum hf_status hf_derive(struct hf_judging *j, uint32_t segment,
                                     uint32_t number, const struct hf_pattern *pattern,
                                     struct hf_chain_part *parts, uint32_t count,
                                     uint32_t which);

/* An expression compiled, kept by the engine under its pattern. NULL: out of memory, or it does not
 * compile (a damaged database). */
struct hf_backtrack *hf_expression_compiled(struct hf_expressions *e, uint32_t segment,
                                            uint32_t number,
                                            const struct hf_expression *text);

#endif
