/* generation.h - making a proven release into a generation on disk: objects fetched or made from what
 * is there, checked by hash, looked at by the validator, tried in the jail; then, and only then, it
 * gets its name. */
#ifndef HF_UPDATE_GENERATION_H
#define HF_UPDATE_GENERATION_H

#include "update/site.h"
#include "update/source.h"

struct hf_generation_job {
    struct hf_endpoint *endpoint;
    struct hf_source *source;
    const struct hf_state_release *release;
    struct hf_bytes note, proof; /* of it, proven */
    struct hf_bytes builtin;
    bool without_validator, without_selftest;
    uint64_t selftest_memory, selftest_ms;
    struct hf_buffer *why; /* a sentence, on refusal */
};

/* HF_REFUSE_FETCH*, _OBJECT_*, _DELTA_* (and the whole file is not there either), _DISK,
 * _CONTENT_*, _TEST_*, _JAIL. */
HF_MUST_USE enum hf_refusal hf_generation_make(const struct hf_generation_job *job);

/* Whether a refusal is the release's own fault, wherever its bytes come from. */
bool hf_generation_is_fault(enum hf_refusal refusal);

#endif
