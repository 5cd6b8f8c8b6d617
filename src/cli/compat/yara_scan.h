/* yara_scan.h - what the files of the compat program yara share. */
#ifndef HF_CLI_COMPAT_YARA_SCAN_H
#define HF_CLI_COMPAT_YARA_SCAN_H

#include "cli/compat/yara.h"
#include "cli/scan_run.h"

enum yara_option_number {
    YA_ATOMS,
    YA_COMPILED,
    YA_COUNT,
    YA_DEFINE,
    YA_NO_CONSOLE,
    YA_FAIL,
    YA_FAST,
    YA_HELP,
    YA_IDENTIFIER,
    YA_CHUNK,
    YA_MAX_RULES,
    YA_MAX_STRINGS,
    YA_MODULE_DATA,
    YA_MODULE_NAMES,
    YA_NEGATE,
    YA_NO_FOLLOW,
    YA_NO_WARNINGS,
    YA_META,
    YA_PRINT_DATA,
    YA_NAMESPACE,
    YA_STATS,
    YA_STRINGS,
    YA_LENGTHS,
    YA_XOR,
    YA_TAGS,
    YA_RECURSIVE,
    YA_SCAN_LIST,
    YA_SKIP_LARGER,
    YA_STACK,
    YA_STRICT,
    YA_TAG,
    YA_THREADS,
    YA_TIMEOUT,
    YA_VERSION,
    YA_OPTIONS
};

struct yara_scan {
    struct yara_line line;
    struct hf_rule_set set;
    bool single; /* the target is one file: errors count, counts stand alone */
    bool failed; /* it could not be scanned */
    bool folder; /* the target is a folder, or a list */
};

/* Whether a flag was given; the number of an option, or a default. */
bool yara_given(const struct yara_scan *scan, enum yara_option_number option);
int64_t yara_number(const struct yara_scan *scan, enum yara_option_number option,
                    int64_t initial);

/* Lines of one scanned file, as yara prints them. name: as given. (yara_lines.c) */
void hf_yara_lines(struct hf_buffer *out, const struct yara_scan *scan,
                   struct hf_bytes name, const struct hf_report *report);

#endif
