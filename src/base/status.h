/* status.h - the statuses that calls return (declared in the public header). */
#ifndef HF_BASE_STATUS_H
#define HF_BASE_STATUS_H

#include <holdfast.h>

/* The reason that a status leaves in a verdict when it ended the look at an object: HF_LIMIT ->
 * HF_REASON_LIMIT and so on; 0 for statuses that say nothing about the object (HF_OK, HF_INVALID,
 * HF_NOTFOUND, HF_STOPPED). HF_NOMEM and HF_IO count as limits: the object asked for too much. */
unsigned hf_status_reason(enum hf_status status);

#endif
