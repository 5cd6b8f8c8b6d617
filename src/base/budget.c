#include "base/budget.h"

enum { BYTES_PER_UNIT = 1024 };

static uint64_t limit_or_none(uint64_t limit)
{
    return limit == 0 ? UINT64_MAX : limit == HF_LIMIT_NOTHING ? 0 : limit;
}

struct hf_budget hf_budget_of(const struct hf_limits *limits)
{
    return (struct hf_budget){
        .work = limit_or_none(limits->work),
        .bytes = limit_or_none(limits->scan_bytes),
        .objects = limit_or_none(limits->objects),
        .object_bytes = limit_or_none(limits->object_bytes),
        .depth = limit_or_none(limits->depth),
    };
}

struct hf_budget hf_budget_unlimited(void)
{
    return hf_budget_of(&(struct hf_limits){0});
}

static bool spend(struct hf_budget *budget, uint64_t *left, uint64_t amount)
{
    if (amount > *left) {
        *left = 0;
        budget->exhausted = true;
        return false;
    }
    *left -= amount;
    return true;
}

bool hf_budget_work(struct hf_budget *budget, uint64_t units)
{
    return budget == NULL || spend(budget, &budget->work, units);
}

bool hf_budget_bytes(struct hf_budget *budget, uint64_t bytes)
{
    return budget == NULL || (spend(budget, &budget->bytes, bytes) &&
                              spend(budget, &budget->work, bytes / BYTES_PER_UNIT + 1));
}

bool hf_budget_object(struct hf_budget *budget)
{
    return budget == NULL || spend(budget, &budget->objects, 1);
}
