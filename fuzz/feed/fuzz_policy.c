/* Property: without any cosignature no policy holds but "quorum none", with all of them every one. */
#include <assert.h>
#include <stdlib.h>

#include "base/auto.h"
#include "feed/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_budget budget = hf_budget_unlimited();
    static struct hf_policy policy;
    struct hf_note_seal seals[HF_POLICY_WITNESSES_MAX] = {{0}};
    uint64_t time;
    if (hf_policy_read(hf_bytes_of(data, size), &budget, &policy) != HF_ACCEPTED)
        return 0;
    assert((hf_policy_judge(&policy, seals, &time) == HF_ACCEPTED) ==
           (policy.quorum == HF_POLICY_QUORUM_NONE));
    for (size_t i = 0; i < HF_POLICY_WITNESSES_MAX; i++)
        seals[i] = (struct hf_note_seal){true, 1000 + i};
    assert(hf_policy_judge(&policy, seals, &time) == HF_ACCEPTED);
    return 0;
}
