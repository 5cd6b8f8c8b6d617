/* scan_run.h - a scan under way: feeds the pool with what the walk opens, prints what comes back
 * in the order of the walk, whatever the order in which workers finish. */
#ifndef HF_CLI_SCAN_RUN_H
#define HF_CLI_SCAN_RUN_H

#include "cli/lines.h"
#include "cli/path_list.h"
#include "cli/progress.h"
#include "jail/pool.h"
#include "store/clean_cache.h"

#include <signal.h>

struct hf_scan_run;

/*
 * Who makes the lines instead of hf_lines_*, for programs that speak as others do. Each call adds
 * to out what is to be printed in this path's turn, and says which stream it goes to.
 *   before    the file is about to be scanned. False: it is not, and out is all there is to it.
 *   report    it was, or *failed: it could not be read.
 *   skipped, error   as the walk says it; of a path that is no file's, entry->why only.
 */
struct hf_scan_printer {
    void *user;
    bool (*before)(void *user, struct hf_buffer *out, struct hf_bytes path,
                   const struct stat *st);
    void (*report)(void *user, struct hf_buffer *out, struct hf_bytes path,
                   const struct stat *st, const struct hf_report *report, bool failed);
    bool (*skipped)(void *user, struct hf_buffer *out, const struct hf_walk_entry *entry);
    bool (*error)(void *user, struct hf_buffer *out, const struct hf_walk_entry *entry);
    /* A path's text is about to be written. False: not to that stream. */
    bool (*printed)(void *user, struct hf_bytes text, bool to_stderr);
};

struct hf_scan_setup {
    const struct hf_scan_printer *printer; /* NULL: lines */
    struct hf_walk_options walk;
    struct hf_pool_options pool;
    struct hf_lines lines;
    struct hf_path_list *paths; /* borrowed */
    struct hf_progress *progress;
    struct hf_clean_cache *cache;      /* borrowed; NULL: none */
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
