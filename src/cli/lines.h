/* lines.h - what a scan prints: a line for each file worth one, and the summary; for people, or
 * as JSON (docs/json.md). Names of signatures come from the database, names of files and of
 * objects inside are escaped, so that no file can forge a line or steer a terminal. */
#ifndef HF_CLI_LINES_H
#define HF_CLI_LINES_H

#include "cli/options.h"
#include "cli/walk.h"
#include "db/db.h"
#include "scan/report.h"

/* Chosen once a scan. */
struct hf_lines {
    bool json;
    bool
        verbose; /* clean files and skipped things too, and where something was not looked at */
    bool quiet;  /* findings and errors only */
    bool strict; /* unscannable files are shown even without verbose */
    bool all_match;
    bool colour;
    const struct hf_db *db; /* for names */
};

/* Counted over a scan. */
struct hf_totals {
    uint64_t folders;               /* entered */
    uint64_t files, objects, bytes; /* scanned; bytes and objects with what is inside */
    uint64_t file_bytes;            /* as they lie on the disk */
    uint64_t by_verdict[HF_INFECTED + 1]; /* files */
    uint64_t incomplete;                  /* files with some reason, found or not */
    uint64_t by_reason[8];                /* those, by the bit number of enum hf_reason */
    uint64_t errors;                      /* things that could not be opened or read */
    uint64_t skipped[HF_SKIP_COUNT];
    uint64_t known;  /* files that the cache of clean files answered for */
    int cache_errno; /* why it could not be written; 0: it was, or there is none */
    uint64_t crashes, timeouts; /* of workers */
};

/* Lines for a scanned file; none when nothing is to be said. */
void hf_lines_report(struct hf_buffer *out, const struct hf_lines *lines,
                     struct hf_bytes path, const struct hf_report *report);

/* A line for what could not be opened or read; in JSON for standard output, else for standard
 * error. error is an errno, or 0. */
void hf_lines_error(struct hf_buffer *out, const struct hf_lines *lines,
                    struct hf_bytes path, const char *why, int error);

/* A line for something skipped; only when verbose. */
void hf_lines_skipped(struct hf_buffer *out, const struct hf_lines *lines,
                      struct hf_bytes path, const char *why);

/* Count a file's report. */
void hf_totals_add(struct hf_totals *totals, const struct hf_report *report);

/* The exit code that totals come to. */
enum hf_exit hf_totals_exit(const struct hf_totals *totals, bool strict);

struct hf_summary {
    const struct hf_totals *totals;
    const char *database; /* how the user knows it: "built-in", a path */
    uint64_t signatures, signatures_skipped;
    double seconds;
    int exit_code;
    bool interrupted;
};
void hf_lines_summary(struct hf_buffer *out, const struct hf_lines *lines,
                      const struct hf_summary *summary);

/* lines_json.c: the same as JSON, called by those above. */
void hf_json_report(struct hf_buffer *out, const struct hf_db *db, struct hf_bytes path,
                    const struct hf_report *report);
void hf_json_summary(struct hf_buffer *out, const struct hf_db *db,
                     const struct hf_summary *summary);

#endif
