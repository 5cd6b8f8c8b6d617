/* selftest.h - the last question before a generation becomes active: do workers in the jail still find
 * what must be found, leave alone what is harmless, and stay within time and memory? */
#ifndef HF_UPDATE_SELFTEST_H
#define HF_UPDATE_SELFTEST_H

#include "base/buffer.h"
#include "feed/refusal.h"

struct hf_selftest_options {
    const int *db_fds; /* the databases as they will be used, oldest first */
    size_t db_count;
    uint64_t memory;  /* bytes that a worker may take for itself */
    uint64_t time_ms; /* for one file */
};

/* HF_REFUSE_TEST_*, with a sentence in why; HF_REFUSE_JAIL when no worker can be started at all. */
HF_MUST_USE enum hf_refusal hf_selftest_run(const struct hf_selftest_options *options,
                                            struct hf_buffer *why);

#endif
