/* scan_command.c - `holdfast scan`: options, databases, signals, summary; the scan itself is in
 * scan_run.c. Parses no file that it scans. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/databases.h"
#include "cli/scan_run.h"
#include "cli/verdict_table.h"
#include "update/update.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SCAN_DB,
    SCAN_JOBS,
    SCAN_ALL_MATCH,
    SCAN_EXCLUDE,
    SCAN_FILES_FROM,
    SCAN_NULL,
    SCAN_FOLLOW,
    SCAN_ONE_FILE_SYSTEM,
    SCAN_CACHE,
    SCAN_NO_CACHE,
    SCAN_STRICT,
    SCAN_JSON,
    SCAN_VERBOSE,
    SCAN_QUIET,
    SCAN_NO_SUMMARY
};

static const struct hf_option scan_options[] = {
    [SCAN_DB] =
        {'d', "db", HF_OPTION_LIST, "FILE|DIR",
         "use this database: compiled (.hfdb), or text signatures, which are compiled "
         "and cached; may be given several times (default: the built-in content)",
         HF_COMPLETE_FILE},
    [SCAN_JOBS] = {'j', "jobs", HF_OPTION_NUMBER, "N",
                   "scan with N workers at once (default: as many as processors)"},
    [SCAN_ALL_MATCH] = {'a', "all-match", HF_OPTION_FLAG, NULL,
                        "report everything that matches, not only the first"},
    [SCAN_EXCLUDE] =
        {'e', "exclude", HF_OPTION_LIST, "GLOB",
         "leave out what has this path or last name; may be given several times"},
    [SCAN_FILES_FROM] = {'f', "files-from", HF_OPTION_TEXT, "FILE",
                         "scan the paths in this list too, one a line; -: standard input",
                         HF_COMPLETE_FILE},
    [SCAN_NULL] = {'0', "null", HF_OPTION_FLAG, NULL,
                   "paths in the list end with a zero byte, not with the line"},
    [SCAN_FOLLOW] = {'L', "follow-symlinks", HF_OPTION_FLAG, NULL,
                     "follow symbolic links below the paths given, each folder once"},
    [SCAN_ONE_FILE_SYSTEM] = {'x', "one-file-system", HF_OPTION_FLAG, NULL,
                              "stay on the file system of each path given"},
    [SCAN_CACHE] = {0, "cache", HF_OPTION_FLAG, NULL,
                    "do not read again what was clean and has not changed since"},
    [SCAN_NO_CACHE] = {0, "no-cache", HF_OPTION_FLAG, NULL,
                       "read everything, whatever is known of it (the default)"},
    [SCAN_STRICT] =
        {0, "strict", HF_OPTION_FLAG, NULL,
         "exit with 3 when something could not be looked at completely, and show it"},
    [SCAN_JSON] = {0, "json", HF_OPTION_FLAG, NULL,
                   "print one JSON object a line, the last one is the summary"},
    [SCAN_VERBOSE] = {'v', "verbose", HF_OPTION_FLAG, NULL,
                      "show clean, skipped and unscannable files too"},
    [SCAN_QUIET] = {'q', "quiet", HF_OPTION_FLAG, NULL, "show findings and errors only"},
    [SCAN_NO_SUMMARY] = {0, "no-summary", HF_OPTION_FLAG, NULL, "print no summary"},
};

static int run_scan(const struct hf_arguments *arguments);

const struct hf_command hf_command_scan = {
    .name = "scan",
    .operands = "[OPTION]... PATH...",
    .summary = "scan files and folders, with all that is below them; -: standard input",
    .details =
        "Exit codes: 0 nothing found, 1 found, 2 errors, 3 incomplete (--strict);\n"
        "found wins. Docs: holdfast(1), docs/cli.md, docs/json.md, docs/verdicts.md.",
    .options = scan_options,
    .option_count = sizeof scan_options / sizeof *scan_options,
    .limits = true,
    .operands_max = SIZE_MAX,
    .complete = HF_COMPLETE_FILE,
    .run = run_scan,
};

/* The first signal that asked to end; a second one ends at once. */
static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

static void catch_signals(void)
{
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old;
        /* nohup: what was ignored stays so. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &act, NULL);
    }
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool given(const struct hf_arguments *arguments, size_t option)
{
    return arguments->values[option].count > 0;
}

struct scan {
    const struct hf_arguments *arguments;
    bool verbose;
};

static void on_note(void *user, bool important, const char *text)
{
    const struct scan *scan = user;
    if (important || scan->verbose)
        hf_complain(scan->arguments, "%s", text);
}

/* Mistakes that the table cannot see. */
static bool check_arguments(const struct hf_arguments *arguments)
{
    const char *list = arguments->values[SCAN_FILES_FROM].text;
    bool from_stdin = list != NULL && strcmp(list, "-") == 0;
    for (size_t i = 0; i < arguments->operand_count; i++)
        if (from_stdin && strcmp(arguments->operands[i], "-") == 0) {
            hf_complain(arguments,
                        "standard input cannot be both the list and something to scan");
            return false;
        }
    if (arguments->operand_count == 0 && list == NULL)
        hf_complain(arguments, "nothing to scan was given; try 'holdfast scan --help'");
    else if (given(arguments, SCAN_NULL) && list == NULL)
        hf_complain(arguments, "--null has a meaning only with --files-from");
    else if (given(arguments, SCAN_JOBS) && (arguments->values[SCAN_JOBS].number < 1 ||
                                             arguments->values[SCAN_JOBS].number > 1024))
        hf_complain(arguments, "--jobs wants a number from 1 to 1024");
    else
        return true;
    return false;
}

static struct hf_scan_setup set_up(const struct hf_arguments *arguments,
                                   const struct hf_databases *databases)
{
    const struct hf_option_value *values = arguments->values;
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return (struct hf_scan_setup){
        .walk = {.one_file_system = given(arguments, SCAN_ONE_FILE_SYSTEM),
                 .follow_symlinks = given(arguments, SCAN_FOLLOW),
                 .excludes = values[SCAN_EXCLUDE].list,
                 .exclude_count = values[SCAN_EXCLUDE].count},
        .pool = {.workers = (unsigned)values[SCAN_JOBS].number,
                 .all_match = given(arguments, SCAN_ALL_MATCH),
                 .limits = arguments->limits,
                 .db_fds = databases->fds,
                 .db_count = databases->count},
        .lines = {.json = given(arguments, SCAN_JSON),
                  .verbose = given(arguments, SCAN_VERBOSE),
                  .quiet = given(arguments, SCAN_QUIET),
                  .strict = given(arguments, SCAN_STRICT),
                  .all_match = given(arguments, SCAN_ALL_MATCH),
                  .colour = isatty(STDOUT_FILENO) &&
                            (no_colour == NULL || no_colour[0] == 0) &&
                            (term == NULL || strcmp(term, "dumb") != 0),
                  .db = databases->db},
        .stop = &stop_signal,
    };
}

/* The code that the end of a scan and its totals come to. */
static int exit_code(enum hf_scan_end end, const struct hf_totals *totals, bool strict)
{
    if (end == HF_SCAN_STOPPED)
        return 128 + stop_signal;
    if (end == HF_SCAN_NO_READER)
        return 128 + SIGPIPE;
    enum hf_exit code = hf_totals_exit(totals, strict);
    return end == HF_SCAN_FAILED ? (int)hf_exit_worse(code, HF_EXIT_ERROR) : (int)code;
}

static int finish(const struct hf_arguments *arguments, const struct hf_scan_setup *setup,
                  const struct hf_databases *databases, const struct hf_totals *totals,
                  enum hf_scan_end end, double seconds)
{
    int code = exit_code(end, totals, setup->lines.strict);
    bool wanted =
        !given(arguments, SCAN_NO_SUMMARY) && (setup->lines.json || !setup->lines.quiet);
    if (!wanted || end == HF_SCAN_NO_READER)
        return code;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    const struct hf_summary summary = {
        .totals = totals,
        .database = databases->name.failed ? "" : (const char *)databases->name.data,
        .signatures = databases->signatures,
        .signatures_skipped = databases->skipped,
        .seconds = seconds,
        .exit_code = code,
        .interrupted = end != HF_SCAN_DONE,
    };
    hf_lines_summary(&out, &setup->lines, &summary);
    int printed = hf_print(arguments, &out);
    return code == HF_EXIT_OK || code == HF_EXIT_INCOMPLETE
               ? (int)hf_exit_worse((enum hf_exit)code, (enum hf_exit)printed)
               : code;
}

/* What a verdict hangs on beside the database. */
static void put_judged_by(const struct hf_arguments *arguments, struct hf_buffer *out)
{
    for (size_t i = 0; i < hf_limit_row_count; i++) {
        uint64_t value;
        memcpy(&value, (const uint8_t *)&arguments->limits + hf_limit_rows[i].offset,
               sizeof value);
        hf_buffer_u64(out, value);
    }
}

/* NULL: not wanted, or it cannot be had, which is said and no error. */
static struct hf_clean_cache *open_cache(const struct hf_arguments *arguments,
                                         const struct hf_databases *databases)
{
    if (!given(arguments, SCAN_CACHE) || given(arguments, SCAN_NO_CACHE))
        return NULL;
    (void)signal(SIGIO, SIG_IGN); /* clean_file.h: leases that are taken and given back */
    HF_AUTO(hf_buffer_done) struct hf_buffer judged_by = {0}, note = {0};
    put_judged_by(arguments, &judged_by);
    char *folder = hf_path_dir(HF_PATH_CACHE);
    struct hf_clean_cache *cache = NULL;
    const struct hf_clean_cache_options options = {
        .folder = folder, .db = databases->db, .judged_by = hf_buffer_view(&judged_by)};
    enum hf_status st =
        folder == NULL ? HF_NOTFOUND : hf_clean_cache_open(&cache, &options, &note);
    if (st != HF_OK)
        hf_complain(arguments, "goes on without the cache of clean files: %s: %s",
                    folder == NULL ? "no cache directory" : folder,
                    st == HF_IO ? strerror(errno) : hf_status_text(st));
    free(folder);
    if (note.len > 0 && given(arguments, SCAN_VERBOSE))
        hf_complain(arguments, "%.*s", (int)note.len, (const char *)note.data);
    return cache;
}

/* Workers that failed while content of publishers was in use: the fuse is told, which takes back what
 * is new and has failed twice. Root's own content is not ours to change. */
static void tell_fuse(const struct hf_arguments *arguments, const struct hf_totals *totals)
{
    const struct {
        enum hf_fuse what;
        uint64_t times;
    } failed[] = {{HF_FUSE_CRASH, totals->crashes}, {HF_FUSE_SLOW, totals->timeouts}};
    struct hf_site place = {.config_dir = -1, .content_dir = -1};
    char name[HF_CHANNEL_MAX + 1];
    bool reverted = false;
    if (given(arguments, SCAN_DB) || totals->crashes + totals->timeouts == 0)
        return;
    if (hf_site_look(&place, NULL) == HF_OK)
        for (size_t i = 0; i < 2 && !reverted; i++)
            for (uint64_t n = 0; n < failed[i].times && n < 2 && !reverted; n++)
                if (hf_update_blame(&place, failed[i].what, 0, name, &reverted) !=
                    HF_ACCEPTED)
                    break;
    hf_site_done(&place);
    if (reverted)
        hf_complain(arguments,
                    "ALARM: workers failed with the new content of '%s': it is taken back "
                    "for good; scan again",
                    name);
}

static int scan_with(const struct hf_arguments *arguments,
                     const struct hf_databases *databases)
{
    const char *list = arguments->values[SCAN_FILES_FROM].text;
    struct hf_scan_setup setup = set_up(arguments, databases);
    struct hf_path_list paths;
    if (hf_path_list_open(&paths, arguments->operands, arguments->operand_count, list,
                          given(arguments, SCAN_NULL)) != HF_OK) {
        hf_complain(arguments, "%s: %s", list, strerror(errno));
        return HF_EXIT_ERROR;
    }
    setup.paths = &paths;
    setup.cache = open_cache(arguments, databases);
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    struct hf_totals totals;
    double begun = hf_progress_clock();
    if (!setup.lines.quiet)
        setup.progress = hf_progress_start(&setup.walk, arguments->operands,
                                           list == NULL ? arguments->operand_count : 0);
    enum hf_scan_end end = hf_scan_run(&setup, &totals, &error);
    hf_progress_end(setup.progress);
    hf_path_list_done(&paths);
    hf_clean_cache_free(setup.cache);
    tell_fuse(arguments, &totals);
    if (totals.cache_errno != 0)
        hf_complain(arguments, "the cache of clean files cannot be written: %s",
                    strerror(totals.cache_errno));
    hf_buffer_u8(&error, 0);
    if (end == HF_SCAN_FAILED)
        hf_complain(arguments, "%s",
                    error.failed ? "out of memory" : (const char *)error.data);
    return finish(arguments, &setup, databases, &totals, end, hf_progress_clock() - begun);
}

static int run_scan(const struct hf_arguments *arguments)
{
    if (!check_arguments(arguments))
        return HF_EXIT_ERROR;
    raise_descriptor_limit();
    catch_signals();
    struct scan scan = {arguments, given(arguments, SCAN_VERBOSE)};
    HF_AUTO(hf_databases_done) struct hf_databases databases;
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    if (hf_databases_open(&databases, arguments->values[SCAN_DB].list,
                          arguments->values[SCAN_DB].count, on_note, &scan,
                          &error) != HF_OK) {
        hf_buffer_u8(&error, 0);
        hf_complain(arguments, "%s",
                    error.failed ? "out of memory" : (const char *)error.data);
        return HF_EXIT_ERROR;
    }
    return scan_with(arguments, &databases);
}
