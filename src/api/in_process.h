/* in_process.h - scanning in the caller's own process: loads the engine module on first use. */
#ifndef HF_API_IN_PROCESS_H
#define HF_API_IN_PROCESS_H

#include "scan/report.h"

struct hf_in_process;

/* Load the module: $HOLDFAST_ENGINE, beside the worker program, or the installed one.
 * HF_NOTFOUND, HF_UNSUPPORTED (of another version), HF_NOMEM; hf_last_error says more. */
HF_MUST_USE enum hf_status hf_in_process_new(const char *worker_path,
                                             struct hf_in_process **out);
void hf_in_process_free(struct hf_in_process *in_process);

/* Scan; from any thread, each call with an engine of its own. */
HF_MUST_USE enum hf_status hf_in_process_scan(struct hf_in_process *in_process,
                                              const struct hf_db *db,
                                              const struct hf_options *options,
                                              struct hf_bytes bytes,
                                              hf_on_detection *on_found, void *user,
                                              struct hf_result *result);

#endif
