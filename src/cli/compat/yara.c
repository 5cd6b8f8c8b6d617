/* yara.c - `yara` as Debian's 4.2.3 has it, with the options of 4.5: files, folders, lists. Files
 * are read by jailed workers, as in `holdfast scan`, and as they are: nothing is unpacked. */
#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/compat/compat.h"
#include "cli/compat/yara_scan.h"
#include "cli/fact_tree.h"
#include "format/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static const char operands[] = "[NAMESPACE:]RULES_FILE... FILE | DIR | PID";

enum { THREADS_MAX = 32, DATA_MAX = 512, REPORT_MAX = 256 << 20, RULES_MAX = 2000000000 };

/* clang-format off */
static const struct yara_option options[YA_OPTIONS] = {
    [YA_ATOMS] = {0, "atom-quality-table", "FILE", YARA_TEXT, 1, "path to a file with the atom quality table (without effect)"},
    [YA_COMPILED] = {'C', "compiled-rules", NULL, YARA_FLAG, 0, "load compiled rules"},
    [YA_COUNT] = {'c', "count", NULL, YARA_FLAG, 0, "print only number of matches"},
    [YA_DEFINE] = {'d', "define", "VAR=VALUE", YARA_TEXT, 512, "define external variable"},
    [YA_NO_CONSOLE] = {'q', "disable-console-logs", NULL, YARA_FLAG, 0, "disable printing console log messages"},
    [YA_FAIL] = {0, "fail-on-warnings", NULL, YARA_FLAG, 0, "fail on warnings"},
    [YA_FAST] = {'f', "fast-scan", NULL, YARA_FLAG, 0, "fast matching mode: the first match of each string is shown"},
    [YA_HELP] = {'h', "help", NULL, YARA_FLAG, 0, "show this help and exit"},
    [YA_IDENTIFIER] = {'i', "identifier", "IDENTIFIER", YARA_TEXT, 512, "print only rules named IDENTIFIER"},
    [YA_CHUNK] = {0, "max-process-memory-chunk", "NUMBER", YARA_NUMBER, 0, "set maximum chunk size while reading process memory (without effect)"},
    [YA_MAX_RULES] = {'l', "max-rules", "NUMBER", YARA_NUMBER, 0, "abort scanning after matching a NUMBER of rules"},
    [YA_MAX_STRINGS] = {0, "max-strings-per-rule", "NUMBER", YARA_NUMBER, 0, "set maximum number of strings per rule (default=10000)"},
    [YA_MODULE_DATA] = {'x', "module-data", "MODULE=FILE", YARA_TEXT, 32, "pass FILE's content as extra data to MODULE"},
    [YA_MODULE_NAMES] = {'M', "module-names", NULL, YARA_FLAG, 0, "show module names"},
    [YA_NEGATE] = {'n', "negate", NULL, YARA_FLAG, 0, "print only not satisfied rules (negate)"},
    [YA_NO_FOLLOW] = {'N', "no-follow-symlinks", NULL, YARA_FLAG, 0, "do not follow symlinks when scanning"},
    [YA_NO_WARNINGS] = {'w', "no-warnings", NULL, YARA_FLAG, 0, "disable warnings"},
    [YA_META] = {'m', "print-meta", NULL, YARA_FLAG, 0, "print metadata"},
    [YA_PRINT_DATA] = {'D', "print-module-data", NULL, YARA_FLAG, 0, "print module data"},
    [YA_NAMESPACE] = {'e', "print-namespace", NULL, YARA_FLAG, 0, "print rules' namespace"},
    [YA_STATS] = {'S', "print-stats", NULL, YARA_FLAG, 0, "print rules' statistics"},
    [YA_STRINGS] = {'s', "print-strings", NULL, YARA_FLAG, 0, "print matching strings"},
    [YA_LENGTHS] = {'L', "print-string-length", NULL, YARA_FLAG, 0, "print length of matched strings"},
    [YA_XOR] = {'X', "print-xor-key", NULL, YARA_FLAG, 0, "print xor key and plaintext of matched strings"},
    [YA_TAGS] = {'g', "print-tags", NULL, YARA_FLAG, 0, "print tags"},
    [YA_RECURSIVE] = {'r', "recursive", NULL, YARA_FLAG, 0, "recursively search directories"},
    [YA_SCAN_LIST] = {0, "scan-list", NULL, YARA_FLAG, 0, "scan files listed in FILE, one per line"},
    [YA_SKIP_LARGER] = {'z', "skip-larger", "NUMBER", YARA_NUMBER, 0, "skip files larger than the given size when scanning a directory"},
    [YA_STACK] = {'k', "stack-size", "SLOTS", YARA_NUMBER, 0, "set maximum stack size (without effect)"},
    [YA_STRICT] = {'E', "strict-escape", NULL, YARA_FLAG, 0, "warn on unknown escape sequences (without effect)"},
    [YA_TAG] = {'t', "tag", "TAG", YARA_TEXT, 512, "print only rules tagged as TAG"},
    [YA_THREADS] = {'p', "threads", "NUMBER", YARA_NUMBER, 0, "use the specified NUMBER of threads to scan a directory"},
    [YA_TIMEOUT] = {'a', "timeout", "SECONDS", YARA_NUMBER, 0, "abort scanning after the given number of SECONDS"},
    [YA_VERSION] = {'v', "version", NULL, YARA_FLAG, 0, "show version information"},
};
/* clang-format on */

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

bool yara_given(const struct yara_scan *scan, enum yara_option_number option)
{
    return scan->line.values[option].count > 0;
}

int64_t yara_number(const struct yara_scan *scan, enum yara_option_number option,
                    int64_t initial)
{
    return yara_given(scan, option) ? scan->line.values[option].number : initial;
}

/* ---- the printer ---- */

static bool before(void *user, struct hf_buffer *out, struct hf_bytes path,
                   const struct stat *st)
{
    const struct yara_scan *scan = user;
    (void)out;
    int64_t most = yara_number(scan, YA_SKIP_LARGER, 0);
    if (!scan->folder || most <= 0 || st->st_size <= most)
        return true;
    fprintf(stderr,
            "skipping %.*s (%" PRId64 " bytes) because it's larger than %" PRId64
            " bytes.\n",
            (int)path.len, (const char *)path.data, (int64_t)st->st_size, most);
    return false;
}

static void complain(struct yara_scan *scan, struct hf_bytes path, const char *text)
{
    fprintf(stderr, "error scanning %.*s: %s\n", (int)path.len, (const char *)path.data,
            text);
    scan->failed = true;
}

/* What was not looked at, and what was given up, is always said. */
static void complain_of(struct yara_scan *scan, struct hf_bytes path,
                        const struct hf_report *report)
{
    static const struct {
        enum hf_reason reason;
        const char *text;
    } reasons[] = {
        {HF_REASON_TIMEOUT, "scanning timed out"},
        {HF_REASON_CRASH, "internal error"},
        {HF_REASON_LIMIT, "a limit was reached"},
        {HF_REASON_CHANGED, "the file changed while it was read"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if ((report->reasons & (unsigned)reasons[i].reason) != 0)
            complain(scan, path, reasons[i].text);
    for (size_t i = 0; i < report->suspended_count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
        if (hf_db_name(scan->set.db, report->suspended[i], &name) == HF_OK)
            fprintf(stderr,
                    "warning: rule \"%.*s\": a string was too slow in %.*s and given up\n",
                    (int)name.len, (const char *)name.data, (int)path.len,
                    (const char *)path.data);
    }
}

/* -D: the modules that the object has something in. */
static void put_module_data(struct hf_buffer *out, const struct hf_report *report)
{
    const struct hf_fact_print how = {
        .whole = true, .list_max = 1 << 20, .string_max = 1 << 16};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)256 << 20);
    struct hf_fact_node *tree = NULL;
    if (arena == NULL || report->inspected_count == 0 ||
        hf_fact_tree_read(report->inspected[0].facts, arena, &tree) == HF_NOMEM)
        return;
    for (; tree != NULL; tree = tree->next) {
        hf_buffer_bytes(out, tree->name);
        hf_buffer_u8(out, '\n');
        for (const struct hf_fact_node *n = tree->first; n != NULL; n = n->next)
            hf_fact_tree_print(out, &how, n, 1);
    }
}

static void report_file(void *user, struct hf_buffer *out, struct hf_bytes path,
                        const struct stat *st, const struct hf_report *report, bool failed)
{
    struct yara_scan *scan = user;
    (void)st;
    if (failed) {
        complain(scan, path, "could not open file");
        return;
    }
    complain_of(scan, path, report);
    if (yara_given(scan, YA_PRINT_DATA))
        put_module_data(out, report);
    hf_yara_lines(out, scan, path, report);
}

static bool skipped(void *user, struct hf_buffer *out, const struct hf_walk_entry *entry)
{
    (void)user;
    (void)out;
    (void)entry;
    return false;
}

static bool failed_to_open(void *user, struct hf_buffer *out,
                           const struct hf_walk_entry *entry)
{
    struct yara_scan *scan = user;
    complain(scan, entry->path, "could not open file");
    if (yara_given(scan, YA_COUNT) && !scan->single) {
        hf_buffer_bytes(out, entry->path);
        hf_buffer_text(out, ": 0\n");
    }
    return false;
}

static bool printed(void *user, struct hf_bytes text, bool to_stderr)
{
    (void)user;
    (void)text;
    (void)to_stderr;
    return true;
}

/* Folders below the one that was named: only with -r. */
static bool filter(void *user, const struct hf_walk_question *question, const char **why)
{
    const struct yara_scan *scan = user;
    *why = NULL;
    return !question->folder || question->depth == 0 || yara_given(scan, YA_RECURSIVE);
}

/* ---- setting up ---- */

static bool load_compiled(struct yara_scan *scan, const char *path)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer file = {0};
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        fprintf(stderr, "could not open file\n");
        return false;
    }
    enum hf_status st = hf_fd_read_all(fd, RULES_MAX, &file);
    if (st == HF_OK)
        st = hf_rule_set_read(&scan->set, hf_buffer_view(&file));
    if (st != HF_OK)
        fprintf(stderr, "%s\n",
                st == HF_UNSUPPORTED ? "rules were compiled with a different version."
                                     : "invalid compiled rules file.");
    return st == HF_OK;
}

/* Values for rules that were compiled before. */
static bool define_all(struct yara_scan *scan, const struct yara_externals *externals)
{
    for (size_t i = 0; i < externals->count; i++) {
        enum hf_status st = hf_rule_set_define(&scan->set, externals->items[i].name,
                                               &externals->items[i].value);
        if (st == HF_OK)
            continue;
        fprintf(stderr, "error: %d\n", st == HF_NOTFOUND ? 29 : st == HF_INVALID ? 34 : 1);
        return false;
    }
    return true;
}

static bool get_rules(struct yara_scan *scan)
{
    const struct yara_line *line = &scan->line;
    size_t sources = line->operand_count - 1;
    HF_AUTO(hf_yara_externals_done) struct yara_externals externals;
    if (!hf_yara_externals_read(&externals, &line->values[YA_DEFINE]))
        return false;
    if (yara_given(scan, YA_COMPILED) && sources > 1) {
        fprintf(stderr, "error: can't accept multiple rules files if one of them is in "
                        "compiled form.\n");
        return false;
    }
    if (yara_given(scan, YA_COMPILED))
        return load_compiled(scan, line->operands[0]) && define_all(scan, &externals);
    const struct yara_compiling how = {
        .externals = &externals,
        .no_warnings = yara_given(scan, YA_NO_WARNINGS),
        .fail_on_warnings = yara_given(scan, YA_FAIL),
        .strings_per_rule = (uint32_t)yara_number(scan, YA_MAX_STRINGS, 0),
    };
    return hf_yara_compile_files(&scan->set, &how, line->operands, sources);
}

/* -x MODULE=FILE. The report's bytes go into the jail as they are. *fd: -1 when there is none. */
static bool get_module_data(const struct yara_scan *scan, int *fd)
{
    const struct yara_value *given = &scan->line.values[YA_MODULE_DATA];
    for (unsigned i = 0; i < given->count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer data = {0};
        const char *text = given->texts[i], *equals = strchr(text, '=');
        if (equals == NULL) {
            fprintf(stderr, "error: wrong syntax for `-x` option.\n");
            return false;
        }
        HF_AUTO(hf_fd_release) int file = open(equals + 1, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (file < 0 || hf_fd_read_all(file, REPORT_MAX, &data) != HF_OK) {
            fprintf(stderr, "error: could not open file \"%s\".\n", equals + 1);
            return false;
        }
        if (strncmp(text, "cuckoo=", 7) == 0) {
            hf_fd_release(fd);
            *fd = hf_memfd_of("holdfast-report", hf_buffer_view(&data));
        }
    }
    return true;
}

static unsigned worker_count(const struct yara_scan *scan)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t wanted = yara_number(scan, YA_THREADS, THREADS_MAX);
    if (scan->single || processors < 1)
        return 1;
    return (unsigned)(wanted < 1 ? 1 : wanted < processors ? wanted : processors);
}

static struct hf_scan_setup setup_of(struct yara_scan *scan, int report_fd)
{
    bool data = yara_given(scan, YA_STRINGS) || yara_given(scan, YA_XOR);
    int64_t seconds = yara_number(scan, YA_TIMEOUT, 0);
    return (struct hf_scan_setup){
        .walk = {.follow_symlinks = !yara_given(scan, YA_NO_FOLLOW),
                 .filter = filter,
                 .filter_user = scan},
        .pool = {.workers = worker_count(scan),
                 .all_match = true,
                 .inspect = yara_given(scan, YA_PRINT_DATA),
                 .flat = true,
                 .tell = {.rules = true,
                          .matches = data || yara_given(scan, YA_LENGTHS),
                          .lines = true,
                          .data_max = data ? DATA_MAX : 0},
                 .externals = scan->set.values,
                 .external_count = scan->set.count,
                 .has_externals = true,
                 .report_fd = report_fd,
                 .limits = {.time_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0},
                 .db_fds = &scan->set.fd,
                 .db_count = 1},
        .stop = &stop_signal,
    };
}

static int run_scan(struct yara_scan *scan, int report_fd)
{
    const char *target = scan->line.operands[scan->line.operand_count - 1];
    bool list = yara_given(scan, YA_SCAN_LIST);
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    struct hf_path_list paths;
    struct stat st;
    scan->folder = list || (stat(target, &st) == 0 && S_ISDIR(st.st_mode));
    scan->single = !scan->folder;
    if (hf_path_list_open(&paths, &target, list ? 0 : 1, list ? target : NULL, false) !=
        HF_OK) {
        fprintf(stderr, "error: could not open file \"%s\".\n", target);
        return 1;
    }
    const struct hf_scan_printer printer = {.user = scan,
                                            .before = before,
                                            .report = report_file,
                                            .skipped = skipped,
                                            .error = failed_to_open,
                                            .printed = printed};
    struct hf_scan_setup setup = setup_of(scan, report_fd);
    setup.printer = &printer;
    setup.paths = &paths;
    struct hf_totals totals;
    enum hf_scan_end end = hf_scan_run(&setup, &totals, &error);
    hf_path_list_done(&paths);
    hf_buffer_u8(&error, 0);
    if (end == HF_SCAN_FAILED)
        fprintf(stderr, "error: %s\n",
                error.failed ? "out of memory" : (const char *)error.data);
    if (end == HF_SCAN_STOPPED)
        return 128 + stop_signal;
    return end != HF_SCAN_DONE || (scan->single && scan->failed) ? 1 : 0;
}

static void print_stats(const struct yara_scan *scan)
{
    uint64_t patterns = 0;
    (void)hf_db_section(scan->set.db, 0, HF_DB_PATTERNS, &patterns);
    printf("number of rules                    : %u\n"
           "number of strings                  : %" PRIu64 "\n",
           hf_db_rule_count(scan->set.db, 0), patterns);
    (void)fflush(stdout);
}

static int scan_target(struct yara_scan *scan)
{
    HF_AUTO(hf_fd_release) int report = -1;
    if (!get_module_data(scan, &report) || !get_rules(scan))
        return 1;
    if (yara_given(scan, YA_STATS))
        print_stats(scan);
    return run_scan(scan, report);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(struct yara_scan *scan)
{
    if (yara_given(scan, YA_VERSION)) {
        puts(HF_COMPAT_YARA_VERSION);
        return 0;
    }
    if (yara_given(scan, YA_MODULE_NAMES)) {
        for (size_t i = 0; i < hf_fact_module_count; i++)
            puts(hf_fact_modules[i]->name);
        return 0;
    }
    if (yara_given(scan, YA_HELP)) {
        hf_yara_line_help(&scan->line,
                          "YARA " HF_COMPAT_YARA_VERSION ", as Holdfast " HOLDFAST_VERSION
                          " behaves under this name.\n",
                          operands);
        return 0;
    }
    if (yara_number(scan, YA_THREADS, 0) > THREADS_MAX) {
        fprintf(stderr, "maximum number of threads is %d\n", THREADS_MAX);
        return 1;
    }
    if (scan->line.operand_count < 2)
        return hf_yara_line_wrong_count(&scan->line, operands);
    raise_descriptor_limit();
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    return scan_target(scan);
}

int hf_yara_main(int argc, char **argv)
{
    struct yara_scan scan = {.set = {.fd = -1}};
    int code = 1;
    if (hf_yara_line_parse(&scan.line, options, YA_OPTIONS, argc, argv))
        code = run(&scan);
    hf_rule_set_done(&scan.set);
    hf_yara_line_done(&scan.line);
    return code;
}
