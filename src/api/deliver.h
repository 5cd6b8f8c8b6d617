/* deliver.h - from a worker's report to what the public API shows: names, sources, callbacks. */
#ifndef HF_API_DELIVER_H
#define HF_API_DELIVER_H

#include "scan/report.h"

/* Fill result and call on_found (may be NULL) for each finding. HF_OK, HF_STOPPED (the callback
 * said so), HF_NOMEM. */
HF_MUST_USE enum hf_status hf_deliver(const struct hf_db *db,
                                      const struct hf_report *report,
                                      hf_on_detection *on_found, void *user,
                                      struct hf_result *result);

#endif
