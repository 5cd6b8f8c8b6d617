/* clamscan.h - what the files of the compat program share: its options, and a scan's printer. */
#ifndef HF_CLI_COMPAT_CLAMSCAN_H
#define HF_CLI_COMPAT_CLAMSCAN_H

#include "cli/compat/arguments.h"
#include "cli/scan_run.h"

#include <regex.h>

enum clamscan_option {
    CS_HELP,
    CS_VERSION,
    CS_VERBOSE,
    CS_ARCHIVE_VERBOSE,
    CS_DEBUG,
    CS_QUIET,
    CS_STDOUT,
    CS_NO_SUMMARY,
    CS_INFECTED,
    CS_SUPPRESS_OK,
    CS_BELL,
    CS_DATABASE,
    CS_OFFICIAL_ONLY,
    CS_LOG,
    CS_RECURSIVE,
    CS_ALLMATCH,
    CS_CROSS_FS,
    CS_FOLLOW_DIRS,
    CS_FOLLOW_FILES,
    CS_FILE_LIST,
    CS_REMOVE,
    CS_MOVE,
    CS_COPY,
    CS_EXCLUDE,
    CS_EXCLUDE_DIR,
    CS_INCLUDE,
    CS_INCLUDE_DIR,
    CS_ALERT_ENCRYPTED,
    CS_ALERT_ENCRYPTED_ARCHIVE,
    CS_ALERT_ENCRYPTED_DOC,
    CS_ALERT_EXCEEDS_MAX,
    CS_MAX_SCANTIME,
    CS_MAX_FILESIZE,
    CS_MAX_SCANSIZE,
    CS_MAX_FILES,
    CS_MAX_RECURSION,
    CS_MAX_DIR_RECURSION,
    CS_SCAN_ARCHIVE,
    CS_DETECT_PUA,
    CS_EXCLUDE_PUA,
    CS_INCLUDE_PUA,
    CS_FAIL_IF_CVD_OLDER,
    CS_WITHOUT_EFFECT /* this and all behind it */
};
extern const struct hf_compat_option hf_clamscan_options[];
extern const size_t hf_clamscan_option_count;

/* POSIX extended expressions of one option. */
struct clamscan_patterns {
    regex_t *items; /* owned */
    size_t count;
};

struct clamscan {
    struct hf_compat_arguments arguments;
    const struct hf_db *db; /* for names */
    struct clamscan_patterns exclude, exclude_dir, include, include_dir;
    struct hf_limits limits;
    bool infected_only, no_ok, quiet, verbose, all_match, alert_limits, alert_encrypted;
    bool error;          /* something went wrong: exit code 2 unless something was found */
    int log;             /* descriptor, -1: none */
    const char *move_to; /* an absolute path, or NULL */
    bool copying, removing;
    uint64_t files, infected, errors, scanned_bytes, read_bytes;
};

/* An option that is yes or no: as given, else the default. */
bool clamscan_is(const struct clamscan *scan, enum clamscan_option option, bool initial);

/* The printer; user is the struct clamscan. (clamscan_lines.c) */
extern const struct hf_scan_printer hf_clamscan_printer;
hf_walk_filter hf_clamscan_filter;

/* --move, --copy, --remove: what was done, as a line. (clamscan_action.c) */
void hf_clamscan_act(const struct clamscan *scan, struct hf_buffer *out,
                     struct hf_bytes path, const struct stat *st);

#endif
