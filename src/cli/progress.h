/* progress.h - the line on a terminal that says how far a scan is: files, rate, time left. A
 * thread of its own walks ahead and counts, so that there is something to be far in. */
#ifndef HF_CLI_PROGRESS_H
#define HF_CLI_PROGRESS_H

#include "cli/walk.h"

struct hf_progress;

/*
 * Start. Only when standard error is a terminal: NULL otherwise, and when out of memory: every
 * call accepts that.
 *
 * walk      how the scan walks; patterns borrowed until the end.
 * operands  what it walks, or count 0 when that is not known beforehand: no time left is shown.
 */
struct hf_progress *hf_progress_start(const struct hf_walk_options *walk,
                                      const char *const *operands, size_t count);
void hf_progress_end(struct hf_progress *progress); /* takes the line away, and frees */

/* Take the line away before something else is printed; it comes back with the next show. */
void hf_progress_hide(struct hf_progress *progress);

/* Show it, at most some times a second. files and bytes: done so far. */
void hf_progress_show(struct hf_progress *progress, uint64_t files, uint64_t bytes,
                      uint64_t found);

/* Monotonic seconds. */
double hf_progress_clock(void);

/* The line's text, without terminal codes. total_files 0: not known. For tests too. */
void hf_progress_line(struct hf_buffer *out, uint64_t files, uint64_t bytes, uint64_t found,
                      uint64_t total_files, uint64_t total_bytes, double seconds);

#endif
