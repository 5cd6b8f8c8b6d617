/* yara_own.h - what the files behind holdfast/yara.h share. */
#ifndef HF_API_YARA_OWN_H
#define HF_API_YARA_OWN_H

#include "holdfast/yara.h"

#include "db/rule_set.h"
#include "jail/pool.h"

#include <pthread.h>

/* Behind YR_RULES: the set, tables made from it, scanners that calls without one share. */
struct hf_yr_rules {
    YR_RULES rules; /* what the caller has */
    struct hf_rule_set set;
    struct hf_arena *arena; /* of the tables */
    uint32_t *rule_of;      /* by signature: number of a rule, or UINT32_MAX */
    uint32_t signature_count;
    pthread_mutex_t lock; /* of idle, and of values while they are copied */
    YR_SCANNER *idle;
    uint64_t values_version; /* counts definitions */
};

/* Settings of the process (yr_set_configuration). */
uint32_t hf_yr_max_strings(void);
uint32_t hf_yr_max_match_data(void);

/* Take a set and make rules of it. HF_NOMEM, HF_MALFORMED; the set is released then. */
HF_MUST_USE enum hf_status hf_yr_rules_take(struct hf_rule_set *set, YR_RULES **out);

void hf_yr_scanners_free(YR_SCANNER *first);

/* libyara's number for a status of reading, writing or scanning. */
int hf_yr_error(enum hf_status status);

#endif
