/* module_time.c - time.now(). [yara 4.5 libyara/modules/time] The only fact that is not the
 * object's: rules that use it answer differently tomorrow. */
#include "facts/modules.h"

#include <time.h>

static void now(struct hf_facts *facts, const struct hf_value *args, struct hf_value *out)
{
    (void)args;
    int64_t given = facts->outside != NULL ? facts->outside->now : 0;
    *out = hf_value_int(given != 0 ? given : (int64_t)time(NULL));
}

struct time_state {
    char none;
};

static const struct hf_fact_field time_rows[] = {
    HF_FACT_CALL("now", "", HF_FACT_INT, now, "seconds since 1970"),
};
static const struct hf_fact_record time_record =
    HF_FACT_TABLE("time", struct time_state, time_rows);
const struct hf_fact_module hf_time_module = {.name = "time", .record = &time_record};
