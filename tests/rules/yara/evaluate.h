/* evaluate.h - runs compiled YARA rules over bytes in memory, the slow and plain way: every string
 * is tried at every offset, every rule is evaluated. What the engine's results are held against. */
#ifndef HF_TESTS_RULES_YARA_EVALUATE_H
#define HF_TESTS_RULES_YARA_EVALUATE_H

#include "rules/machine.h"
#include "rules/yara/yara.h"

struct evaluation {
    const struct hf_yara *yara;
    bool *answers;             /* of each rule, plain: without global rules */
    struct hf_match **matches; /* of the last evaluated rule's strings; owned */
    size_t *match_counts;
    size_t pattern_count;
    size_t current;
    unsigned contradictions; /* rules that are true against their guards or wake flag */
};

typedef void evaluate_on_rule(void *user, const struct evaluation *e,
                              const struct hf_yara_rule *rule);

/* What modules learn from elsewhere; NULL: nothing. */
extern const struct hf_fact_outside *evaluate_outside;

/* Evaluate all rules; calls back for each rule that yara would report, its matches at hand. */
void evaluate(struct evaluation *e, const struct hf_yara *yara, struct hf_bytes data,
              const struct hf_value *externals, size_t external_count,
              evaluate_on_rule *on_rule, void *user);

#endif
