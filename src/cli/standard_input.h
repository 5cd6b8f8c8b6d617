/* standard_input.h - standard input as a file that a worker can map: a regular file is used as
 * it is, a short pipe becomes a sealed memory file, a long one an unlinked file. */
#ifndef HF_CLI_STANDARD_INPUT_H
#define HF_CLI_STANDARD_INPUT_H

#include "base/status.h"

#include <signal.h>

/*
 * fd    receives a descriptor open for reading only, the caller's.
 * max   most bytes taken; 0: no limit.
 * stop  reading ends when it becomes non-zero.
 * Returns HF_OK; HF_LIMIT; HF_STOPPED; HF_IO with errno: *spooling says whether it was the
 * spool file that failed, and not standard input.
 */
HF_MUST_USE enum hf_status hf_standard_input_open(int *fd, uint64_t max,
                                                  const volatile sig_atomic_t *stop,
                                                  bool *spooling);

#endif
