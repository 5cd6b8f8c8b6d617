/* scan_run.h - a scan under way: feeds the pool with what the walk opens, prints what comes back
 * in the order of the walk, whatever the order in which workers finish. */
#ifndef HF_CLI_SCAN_RUN_H
#define HF_CLI_SCAN_RUN_H

#include "cli/lines.h"
#include "cli/path_list.h"
#include "cli/progress.h"
#include "jail/pool.h"

#include <signal.h>

struct hf_scan_run;

struct hf_scan_setup {
    struct hf_walk_options walk;
    struct hf_pool_options pool;
    struct hf_lines lines;
    struct hf_path_list *paths; /* borrowed */
    struct hf_progress *progress;
    const volatile sig_atomic_t *stop; /* non-zero: end soon */
};

/* How a scan ended. */
enum hf_scan_end {
    HF_SCAN_DONE,
    HF_SCAN_STOPPED,   /* *stop */
    HF_SCAN_NO_READER, /* standard output was closed by its reader */
    HF_SCAN_FAILED     /* error says why */
};

/*
 * Scan everything and print the lines; the summary is the caller's.
 *
 * totals  what was counted, in any case.
 * error   on HF_SCAN_FAILED a sentence.
 */
enum hf_scan_end hf_scan_run(const struct hf_scan_setup *setup, struct hf_totals *totals,
                             struct hf_buffer *error);

#endif
