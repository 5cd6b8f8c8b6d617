/* clamscan.c - `clamscan` as version 1.4 has it: options, databases, summary, exit codes. What it
 * prints of files is in clamscan_lines.c. The scan itself is that of `holdfast scan`: in jailed
 * workers, several files at once, printed in the order of the walk. */
#include "cli/compat/compat.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/compat/clamscan.h"
#include "cli/databases.h"
#include "db/cvd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
const struct hf_compat_option hf_clamscan_options[] = {
    [CS_HELP] = {"help", HF_COMPAT_FLAG, 'h'},
    [CS_VERSION] = {"version", HF_COMPAT_FLAG, 'V'},
    [CS_VERBOSE] = {"verbose", HF_COMPAT_FLAG, 'v'},
    [CS_ARCHIVE_VERBOSE] = {"archive-verbose", HF_COMPAT_FLAG, 'a'},
    [CS_DEBUG] = {"debug", HF_COMPAT_FLAG},
    [CS_QUIET] = {"quiet", HF_COMPAT_FLAG},
    [CS_STDOUT] = {"stdout", HF_COMPAT_FLAG},
    [CS_NO_SUMMARY] = {"no-summary", HF_COMPAT_FLAG},
    [CS_INFECTED] = {"infected", HF_COMPAT_FLAG, 'i'},
    [CS_SUPPRESS_OK] = {"suppress-ok-results", HF_COMPAT_FLAG, 'o'},
    [CS_BELL] = {"bell", HF_COMPAT_FLAG},
    [CS_DATABASE] = {"database", HF_COMPAT_TEXT, 'd'},
    [CS_OFFICIAL_ONLY] = {"official-db-only", HF_COMPAT_FLAG},
    [CS_LOG] = {"log", HF_COMPAT_TEXT, 'l'},
    [CS_RECURSIVE] = {"recursive", HF_COMPAT_FLAG, 'r'},
    [CS_ALLMATCH] = {"allmatch", HF_COMPAT_FLAG, 'z'},
    [CS_CROSS_FS] = {"cross-fs", HF_COMPAT_FLAG},
    [CS_FOLLOW_DIRS] = {"follow-dir-symlinks", HF_COMPAT_NUMBER},
    [CS_FOLLOW_FILES] = {"follow-file-symlinks", HF_COMPAT_NUMBER},
    [CS_FILE_LIST] = {"file-list", HF_COMPAT_TEXT, 'f'},
    [CS_REMOVE] = {"remove", HF_COMPAT_FLAG},
    [CS_MOVE] = {"move", HF_COMPAT_TEXT},
    [CS_COPY] = {"copy", HF_COMPAT_TEXT},
    [CS_EXCLUDE] = {"exclude", HF_COMPAT_TEXT},
    [CS_EXCLUDE_DIR] = {"exclude-dir", HF_COMPAT_TEXT},
    [CS_INCLUDE] = {"include", HF_COMPAT_TEXT},
    [CS_INCLUDE_DIR] = {"include-dir", HF_COMPAT_TEXT},
    [CS_ALERT_ENCRYPTED] = {"alert-encrypted", HF_COMPAT_FLAG},
    [CS_ALERT_ENCRYPTED_ARCHIVE] = {"alert-encrypted-archive", HF_COMPAT_FLAG},
    [CS_ALERT_ENCRYPTED_DOC] = {"alert-encrypted-doc", HF_COMPAT_FLAG},
    [CS_ALERT_EXCEEDS_MAX] = {"alert-exceeds-max", HF_COMPAT_FLAG},
    [CS_MAX_SCANTIME] = {"max-scantime", HF_COMPAT_NUMBER},
    [CS_MAX_FILESIZE] = {"max-filesize", HF_COMPAT_SIZE},
    [CS_MAX_SCANSIZE] = {"max-scansize", HF_COMPAT_SIZE},
    [CS_MAX_FILES] = {"max-files", HF_COMPAT_NUMBER},
    [CS_MAX_RECURSION] = {"max-recursion", HF_COMPAT_NUMBER},
    [CS_MAX_DIR_RECURSION] = {"max-dir-recursion", HF_COMPAT_NUMBER},
    [CS_SCAN_ARCHIVE] = {"scan-archive", HF_COMPAT_FLAG},
    [CS_DETECT_PUA] = {"detect-pua", HF_COMPAT_FLAG},
    [CS_EXCLUDE_PUA] = {"exclude-pua", HF_COMPAT_TEXT},
    [CS_INCLUDE_PUA] = {"include-pua", HF_COMPAT_TEXT},
    [CS_FAIL_IF_CVD_OLDER] = {"fail-if-cvd-older-than", HF_COMPAT_NUMBER},
    /* Accepted, without effect here: docs/compat-programs.md. */
    [CS_WITHOUT_EFFECT] = {"tempdir", HF_COMPAT_TEXT},
    {"leave-temps", HF_COMPAT_FLAG}, {"force-to-disk", HF_COMPAT_FLAG},
    {"gen-json", HF_COMPAT_FLAG}, {"bytecode", HF_COMPAT_FLAG},
    {"bytecode-unsigned", HF_COMPAT_FLAG}, {"bytecode-timeout", HF_COMPAT_NUMBER},
    {"bytecode-mode", HF_COMPAT_TEXT}, {"statistics", HF_COMPAT_TEXT},
    {"detect-structured", HF_COMPAT_FLAG},
    {"structured-ssn-format", HF_COMPAT_NUMBER}, {"structured-ssn-count", HF_COMPAT_NUMBER},
    {"structured-cc-count", HF_COMPAT_NUMBER}, {"structured-cc-mode", HF_COMPAT_NUMBER},
    {"scan-mail", HF_COMPAT_FLAG}, {"phishing-sigs", HF_COMPAT_FLAG},
    {"phishing-scan-urls", HF_COMPAT_FLAG}, {"heuristic-alerts", HF_COMPAT_FLAG},
    {"heuristic-scan-precedence", HF_COMPAT_FLAG}, {"normalize", HF_COMPAT_FLAG},
    {"scan-pe", HF_COMPAT_FLAG}, {"scan-elf", HF_COMPAT_FLAG}, {"scan-ole2", HF_COMPAT_FLAG},
    {"scan-pdf", HF_COMPAT_FLAG}, {"scan-swf", HF_COMPAT_FLAG}, {"scan-html", HF_COMPAT_FLAG},
    {"scan-xmldocs", HF_COMPAT_FLAG}, {"scan-hwp3", HF_COMPAT_FLAG},
    {"scan-onenote", HF_COMPAT_FLAG}, {"scan-image", HF_COMPAT_FLAG},
    {"scan-image-fuzzy-hash", HF_COMPAT_FLAG}, {"alert-broken", HF_COMPAT_FLAG},
    {"alert-broken-media", HF_COMPAT_FLAG}, {"alert-macros", HF_COMPAT_FLAG},
    {"alert-phishing-ssl", HF_COMPAT_FLAG}, {"alert-phishing-cloak", HF_COMPAT_FLAG},
    {"alert-partition-intersection", HF_COMPAT_FLAG}, {"nocerts", HF_COMPAT_FLAG},
    {"dumpcerts", HF_COMPAT_FLAG}, {"max-embeddedpe", HF_COMPAT_SIZE},
    {"max-htmlnormalize", HF_COMPAT_SIZE}, {"max-htmlnotags", HF_COMPAT_SIZE},
    {"max-scriptnormalize", HF_COMPAT_SIZE}, {"max-ziptypercg", HF_COMPAT_SIZE},
    {"max-partitions", HF_COMPAT_NUMBER}, {"max-iconspe", HF_COMPAT_NUMBER},
    {"max-rechwp3", HF_COMPAT_NUMBER}, {"pcre-match-limit", HF_COMPAT_NUMBER},
    {"pcre-recmatch-limit", HF_COMPAT_NUMBER}, {"pcre-max-filesize", HF_COMPAT_SIZE},
    {"disable-cache", HF_COMPAT_FLAG}, {"yara-rules", HF_COMPAT_TEXT},
    {"algorithmic-detection", HF_COMPAT_FLAG}, {"block-encrypted", HF_COMPAT_FLAG},
    {"block-macros", HF_COMPAT_FLAG}, {"block-max", HF_COMPAT_FLAG},
    {"phishing-ssl", HF_COMPAT_FLAG}, {"phishing-cloak", HF_COMPAT_FLAG},
    {"partition-intersection", HF_COMPAT_FLAG},
    {"detect-broken", HF_COMPAT_FLAG, 0, true}, {"max-ratio", HF_COMPAT_NUMBER, 0, true},
    {"unrar", HF_COMPAT_PERHAPS, 0, true}, {"disable-archive", HF_COMPAT_FLAG, 0, true},
    {"max-space", HF_COMPAT_SIZE, 0, true}, {"mbox", HF_COMPAT_FLAG, 0, true},
    {"no-recursive", HF_COMPAT_FLAG, 0, true}, {"disable-summary", HF_COMPAT_FLAG, 0, true},
};
/* clang-format on */
const size_t hf_clamscan_option_count =
    sizeof hf_clamscan_options / sizeof *hf_clamscan_options;

bool clamscan_is(const struct clamscan *scan, enum clamscan_option option, bool initial)
{
    const struct hf_compat_value *v = &scan->arguments.values[option];
    return v->count > 0 ? v->on : initial;
}

static const char *text_of(const struct clamscan *scan, enum clamscan_option option)
{
    return scan->arguments.values[option].text;
}

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* ---- version, help ---- */

/* The header of the newest daily.cvd or daily.cld below a folder. */
static bool find_daily(const char *folder, struct hf_cvd_header *header, uint8_t *bytes)
{
    static const char *const names[] = {"daily.cvd", "daily.cld"};
    bool found = false;
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_MAX];
        uint8_t head[HF_CVD_HEADER];
        size_t got = 0;
        const char *why;
        struct hf_cvd_header h;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || hf_fd_read_at(fd, head, sizeof head, 0, &got) != HF_OK ||
            hf_cvd_read_header(hf_bytes_of(head, got), &h, &why) != HF_OK ||
            (found && h.version <= header->version))
            continue;
        memcpy(bytes, head, sizeof head);
        found =
            hf_cvd_read_header(hf_bytes_of(bytes, HF_CVD_HEADER), header, &why) == HF_OK;
    }
    return found;
}

static int show_version(const struct clamscan *scan)
{
    uint8_t bytes[HF_CVD_HEADER];
    struct hf_cvd_header daily;
    const char *folder = text_of(scan, CS_DATABASE);
    if (!find_daily(folder != NULL ? folder : HF_COMPAT_DATABASES, &daily, bytes)) {
        puts("ClamAV " HF_COMPAT_VERSION);
        return 0;
    }
    time_t seconds = (time_t)daily.seconds;
    char text[64] = "\n";
    (void)ctime_r(&seconds, text);
    printf("ClamAV " HF_COMPAT_VERSION "/%llu/%s", (unsigned long long)daily.version, text);
    return 0;
}

static int show_help(void)
{
    puts("\n"
         "                       Clam AntiVirus: Scanner " HF_COMPAT_VERSION "\n"
         "           as Holdfast " HOLDFAST_VERSION " behaves under this name\n"
         "\n"
         "    clamscan [options] [file/directory/-]\n"
         "\n"
         "Options that have an effect; all others of ClamAV are accepted:\n");
    for (size_t i = 0; i < CS_WITHOUT_EFFECT; i++) {
        const struct hf_compat_option *o = &hf_clamscan_options[i];
        char letter[16] = "";
        if (o->letter != 0)
            snprintf(letter, sizeof letter, "-%c", o->letter);
        static const char *const values[] = {[HF_COMPAT_FLAG] = "[=yes/no]",
                                             [HF_COMPAT_NUMBER] = "=#n",
                                             [HF_COMPAT_SIZE] = "=#n[K|M]",
                                             [HF_COMPAT_TEXT] = "=TEXT",
                                             [HF_COMPAT_PERHAPS] = "[=TEXT]"};
        printf("    %-4s --%s%s\n", letter, o->name, values[o->kind]);
    }
    puts("\nPass in - as the filename for stdin. docs/compat-programs.md says more.");
    return 0;
}

/* ---- setting up ---- */

static void patterns_release(struct clamscan_patterns *p)
{
    for (size_t i = 0; i < p->count; i++)
        regfree(&p->items[i]);
    free(p->items);
}

/* An expression that does not compile is ignored, as ClamAV does, but not silently. */
static bool compile(struct clamscan_patterns *out, const struct hf_compat_value *value)
{
    out->items = calloc(value->count + 1, sizeof *out->items);
    if (out->items == NULL)
        return false;
    for (size_t i = 0; i < value->count; i++) {
        char why[256];
        int error =
            regcomp(&out->items[out->count], value->list[i], REG_EXTENDED | REG_NOSUB);
        if (error == 0) {
            out->count++;
            continue;
        }
        regerror(error, &out->items[out->count], why, sizeof why);
        fprintf(stderr, "WARNING: '%s': %s\n", value->list[i], why);
    }
    return true;
}

static uint64_t limit_of(const struct clamscan *scan, enum clamscan_option option,
                         uint64_t initial)
{
    const struct hf_compat_value *v = &scan->arguments.values[option];
    return v->count > 0 ? v->number : initial;
}

static uint64_t one_less(uint64_t limit)
{
    return limit == 1 ? HF_LIMIT_NOTHING : limit == 0 ? 0 : limit - 1;
}

/* ClamAV's defaults. [facts/clamav.md 4.1] */
static void set_limits(struct clamscan *scan)
{
    hf_limits_default(&scan->limits);
    scan->limits.object_bytes = limit_of(scan, CS_MAX_FILESIZE, 100 << 20);
    scan->limits.scan_bytes = limit_of(scan, CS_MAX_SCANSIZE, 400 << 20);
    scan->limits.objects = limit_of(scan, CS_MAX_FILES, 10000);
    scan->limits.depth = limit_of(scan, CS_MAX_RECURSION, 17);
    scan->limits.time_ms = limit_of(scan, CS_MAX_SCANTIME, 120000);
    if (scan->limits.depth == 0) {
        fprintf(stderr, "LibClamAV Warning: MaxRecursion: the value of 0 is not allowed, "
                        "using default: 17\n");
        scan->limits.depth = 17;
    }
    /* ClamAV counts the file itself, too. */
    scan->limits.depth = one_less(scan->limits.depth);
    scan->limits.objects = one_less(scan->limits.objects);
    if (!clamscan_is(scan, CS_SCAN_ARCHIVE, true)) {
        scan->limits.objects = HF_LIMIT_NOTHING;
        scan->alert_limits = false;
    }
}

static bool open_log(struct clamscan *scan)
{
    static const char rule[] =
        "\n-----------------------------------------------------------"
        "--------------------\n\n";
    const char *path = text_of(scan, CS_LOG);
    scan->log = -1;
    if (path == NULL)
        return true;
    scan->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    if (scan->log >= 0 && hf_fd_write(scan->log, rule, sizeof rule - 1) == HF_OK)
        return true;
    printf("ERROR: Failed to open log file %s: %s\n", path, strerror(errno));
    fflush(stdout);
    fprintf(stderr, "ERROR: Problem with internal logger.\n");
    return false;
}

static bool set_up_action(struct clamscan *scan)
{
    const char *to = text_of(scan, CS_MOVE);
    scan->removing = clamscan_is(scan, CS_REMOVE, false);
    scan->copying = to == NULL;
    if (to == NULL)
        to = text_of(scan, CS_COPY);
    if (to == NULL)
        return true;
    scan->move_to = realpath(to, NULL);
    struct stat st;
    if (scan->move_to != NULL && stat(scan->move_to, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    printf("action_setup: Failed to get realpath of %s\n", to);
    return false;
}

static bool set_up(struct clamscan *scan)
{
    const struct hf_compat_value *values = scan->arguments.values;
    scan->infected_only = clamscan_is(scan, CS_INFECTED, false);
    scan->no_ok = clamscan_is(scan, CS_SUPPRESS_OK, false);
    scan->quiet = clamscan_is(scan, CS_QUIET, false);
    scan->verbose = clamscan_is(scan, CS_VERBOSE, false);
    scan->all_match = clamscan_is(scan, CS_ALLMATCH, false);
    scan->alert_limits = clamscan_is(scan, CS_ALERT_EXCEEDS_MAX, false);
    set_limits(scan);
    return compile(&scan->exclude, &values[CS_EXCLUDE]) &&
           compile(&scan->exclude_dir, &values[CS_EXCLUDE_DIR]) &&
           compile(&scan->include, &values[CS_INCLUDE]) &&
           compile(&scan->include_dir, &values[CS_INCLUDE_DIR]);
}

/* ---- databases ---- */

/* Paths of databases; owned. */
struct paths {
    char **items;
    size_t count;
};

static void paths_release(struct paths *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->items[i]);
    free((void *)p->items);
}

static bool add_copy(struct paths *p, const char *path)
{
    char **items = reallocarray((void *)p->items, p->count + 1, sizeof *items);
    if (items == NULL)
        return false;
    p->items = items;
    items[p->count] = strdup(path);
    return items[p->count++] != NULL;
}

static bool is_official(const char *path)
{
    enum hf_cvd_kind kind = hf_cvd_kind_of(path);
    return kind == HF_CVD_PUBLISHED || kind == HF_CVD_LOCAL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What ClamAV loads from folders; the endings of our own lists are not among them. */
static bool is_database(const char *name)
{
    static const char *const endings[] = {
        ".db",  ".hdb", ".hdu", ".fp",   ".mdb",  ".mdu", ".hsb",  ".hsu", ".sfp", ".msb",
        ".msu", ".ndb", ".ndu", ".ldb",  ".ldu",  ".sdb", ".zmd",  ".rmd", ".pdb", ".gdb",
        ".wdb", ".cbc", ".ftm", ".cfg",  ".cvd",  ".cld", ".cud",  ".cdb", ".cat", ".crb",
        ".idb", ".ioc", ".yar", ".yara", ".pwdb", ".ign", ".ign2", ".imp", ".hfdb"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t k = strlen(endings[i]);
        if (n > k && strcasecmp(name + n - k, endings[i]) == 0)
            return true;
    }
    return false;
}

/* The databases in a folder, not below it, in the order of their names. */
static bool add_folder(struct paths *p, const char *folder, bool official_only)
{
    DIR *all = opendir(folder);
    bool good = true;
    size_t first = p->count;
    for (struct dirent *e; good && all != NULL && (e = readdir(all)) != NULL;) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (official_only ? is_official(path) : is_database(path))
            good = add_copy(p, path);
    }
    if (all != NULL)
        closedir(all);
    if (p->count > first)
        qsort((void *)(p->items + first), p->count - first, sizeof *p->items, by_name);
    return good;
}

static bool name_databases(const struct clamscan *scan, struct paths *p)
{
    const struct hf_compat_value *given = &scan->arguments.values[CS_DATABASE];
    static const char *const standard[] = {HF_COMPAT_DATABASES};
    const char *const *list = given->count > 0 ? given->list : standard;
    size_t count = given->count > 0 ? given->count : 1;
    bool only = clamscan_is(scan, CS_OFFICIAL_ONLY, false), good = true;
    for (size_t i = 0; good && i < count; i++) {
        struct stat st;
        bool folder = stat(list[i], &st) == 0 && S_ISDIR(st.st_mode);
        if (folder)
            good = add_folder(p, list[i], only);
        else if (!only || is_official(list[i]))
            good = add_copy(p, list[i]);
    }
    return good;
}

static void on_note(void *user, bool important, const char *text)
{
    const struct clamscan *scan = user;
    if (important && !scan->quiet)
        fprintf(stderr, "LibClamAV Warning: %s\n", text);
}

/* The daily database must be fresh, when somebody wants to know. */
static bool is_fresh(const struct clamscan *scan)
{
    const struct hf_compat_value *days = &scan->arguments.values[CS_FAIL_IF_CVD_OLDER];
    const char *folder = text_of(scan, CS_DATABASE);
    uint8_t bytes[HF_CVD_HEADER];
    struct hf_cvd_header daily;
    if (days->count == 0 ||
        !find_daily(folder != NULL ? folder : HF_COMPAT_DATABASES, &daily, bytes) ||
        difftime(time(NULL), (time_t)daily.seconds) / 86400 <= (double)days->number)
        return true;
    fprintf(stderr, "LibClamAV Error: Virus database is older than %llu days!\n",
            (unsigned long long)days->number);
    return false;
}

/* What is wrong with the place that was named for databases, as ClamAV says it. */
static void complain_of_databases(const struct clamscan *scan,
                                  const struct hf_buffer *error, bool none)
{
    const char *given = text_of(scan, CS_DATABASE);
    const char *place = given != NULL ? given : HF_COMPAT_DATABASES;
    struct stat st;
    if (stat(place, &st) != 0)
        fprintf(stderr,
                "LibClamAV Error: cl_load(): %s: %s\nERROR: Can't get file status\n",
                strerror(errno), place);
    else if (none)
        fprintf(stderr,
                "LibClamAV Error: cli_loaddbdir: No supported database files found in %s\n"
                "ERROR: Can't open file or directory\n",
                place);
    else
        fprintf(stderr, "LibClamAV Error: %s\nERROR: Malformed database\n",
                error->failed || error->len == 0 ? "out of memory"
                                                 : (const char *)error->data);
}

/* Of unwanted programs nothing is told unless somebody asks. */
static struct hf_pua pua_of(const struct clamscan *scan)
{
    const struct hf_compat_value *without = &scan->arguments.values[CS_EXCLUDE_PUA],
                                 *only = &scan->arguments.values[CS_INCLUDE_PUA];
    const struct hf_compat_value *named = without->count > 0 ? without : only;
    return (struct hf_pua){.none = !clamscan_is(scan, CS_DETECT_PUA, false),
                           .all_but = without->count > 0,
                           .kinds = named->list,
                           .count = named->count};
}

static bool open_databases(struct clamscan *scan, struct hf_databases *databases)
{
    HF_AUTO(paths_release) struct paths p = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    *databases = (struct hf_databases){0};
    struct hf_pua pua = pua_of(scan);
    if (!pua.none && scan->arguments.values[CS_EXCLUDE_PUA].count > 0 &&
        scan->arguments.values[CS_INCLUDE_PUA].count > 0) {
        fputs("ERROR: --exclude-pua and --include-pua cannot be used at the same time\n",
              stderr);
        return false;
    }
    if (!name_databases(scan, &p) || !is_fresh(scan))
        return false;
    if (p.count > 0 &&
        hf_databases_open_pua(databases, (const char *const *)p.items, p.count, &pua,
                              on_note, scan, &error) == HF_OK) {
        scan->db = databases->db;
        return true;
    }
    hf_buffer_u8(&error, 0);
    complain_of_databases(scan, &error, p.count == 0);
    return false;
}

/* ---- the scan ---- */

/* Folders are named without slashes at the end; no operand: this folder, by its whole path. */
static bool tidy_operands(struct clamscan *scan, struct paths *p)
{
    char here[PATH_MAX];
    for (size_t i = 0; i < scan->arguments.operand_count; i++) {
        struct stat st;
        if (!add_copy(p, scan->arguments.operands[i]))
            return false;
        char *path = p->items[p->count - 1];
        size_t n = strlen(path);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            while (n > 1 && path[n - 1] == '/')
                path[--n] = 0;
    }
    bool none = p->count == 0 && text_of(scan, CS_FILE_LIST) == NULL;
    return !none || (getcwd(here, sizeof here) != NULL && add_copy(p, here));
}

static struct hf_scan_setup setup_of(struct clamscan *scan,
                                     const struct hf_databases *databases)
{
    return (struct hf_scan_setup){
        .walk = {.one_file_system = !clamscan_is(scan, CS_CROSS_FS, true),
                 .follow_symlinks = limit_of(scan, CS_FOLLOW_DIRS, 1) == 2 ||
                                    limit_of(scan, CS_FOLLOW_FILES, 1) == 2,
                 .filter = hf_clamscan_filter,
                 .filter_user = scan},
        .pool = {.all_match = scan->all_match,
                 .limits = scan->limits,
                 .db_fds = databases->fds,
                 .db_count = databases->count},
        .lines = {.all_match = scan->all_match, .db = databases->db},
        .stop = &stop_signal,
    };
}

static bool run_scan(struct clamscan *scan, const struct hf_databases *databases,
                     struct hf_totals *totals)
{
    HF_AUTO(paths_release) struct paths p = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    const char *list = text_of(scan, CS_FILE_LIST);
    struct hf_path_list paths;
    if (!tidy_operands(scan, &p))
        return false;
    if (list != NULL && p.count > 0 && !scan->quiet)
        fprintf(stderr, "WARNING: Only scanning files from --file-list (files passed at "
                        "cmdline are ignored)\n");
    if (hf_path_list_open(&paths, (const char *const *)p.items, list != NULL ? 0 : p.count,
                          list, false) != HF_OK)
        return false;
    struct hf_scan_setup setup = setup_of(scan, databases);
    struct hf_scan_printer printer = hf_clamscan_printer;
    printer.user = scan;
    setup.printer = &printer;
    setup.paths = &paths;
    enum hf_scan_end end = hf_scan_run(&setup, totals, &error);
    hf_path_list_done(&paths);
    hf_buffer_u8(&error, 0);
    if (end == HF_SCAN_FAILED)
        fprintf(stderr, "ERROR: %s\n",
                error.failed ? "out of memory" : (const char *)error.data);
    return end == HF_SCAN_DONE;
}

static void put(const struct clamscan *scan, struct hf_buffer *text)
{
    if (scan->log >= 0)
        (void)!hf_fd_write(scan->log, text->data, text->len);
    if (!scan->quiet)
        (void)!hf_fd_write(STDOUT_FILENO, text->data, text->len);
}

static void add_date(struct hf_buffer *out, const char *title, time_t when)
{
    struct tm tm;
    char text[64] = "";
    if (localtime_r(&when, &tm) != NULL)
        (void)strftime(text, sizeof text, "%Y:%m:%d %H:%M:%S", &tm);
    hf_buffer_format(out, "%s%s\n", title, text);
}

static void print_summary(const struct clamscan *scan, const struct hf_databases *databases,
                          const struct hf_totals *totals, time_t begun, double seconds)
{
    const double mib = 1 << 20;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    unsigned long ms = (unsigned long)(seconds * 1000);
    double read = (double)scan->read_bytes / mib, seen = (double)scan->scanned_bytes / mib;
    hf_buffer_format(&out,
                     "\n----------- SCAN SUMMARY -----------\nKnown viruses: %llu\n"
                     "Engine version: " HF_COMPAT_VERSION "\nScanned directories: %llu\n"
                     "Scanned files: %llu\nInfected files: %llu\n",
                     (unsigned long long)databases->signatures,
                     (unsigned long long)totals->folders, (unsigned long long)scan->files,
                     (unsigned long long)scan->infected);
    if (scan->errors > 0)
        hf_buffer_format(&out, "Total errors: %llu\n", (unsigned long long)scan->errors);
    hf_buffer_format(&out,
                     "Data scanned: %2.2f MB\nData read: %2.2f MB (ratio %.2f:1)\n"
                     "Time: %lu.%03lu sec (%lu m %lu s)\n",
                     seen, read, read > 0 ? seen / read : 0.0, ms / 1000, ms % 1000,
                     ms / 60000, ms / 1000 % 60);
    add_date(&out, "Start Date: ", begun);
    add_date(&out, "End Date:   ", time(NULL));
    put(scan, &out);
}

static int scan_and_tell(struct clamscan *scan)
{
    struct hf_totals totals = {0};
    HF_AUTO(hf_databases_done) struct hf_databases databases;
    time_t begun = time(NULL);
    double start = hf_progress_clock();
    bool good = open_databases(scan, &databases) && run_scan(scan, &databases, &totals);
    if (!clamscan_is(scan, CS_NO_SUMMARY, false))
        print_summary(scan, &databases, &totals, begun, hf_progress_clock() - start);
    if (stop_signal != 0)
        return 128 + stop_signal;
    return scan->infected > 0 ? 1 : scan->error || !good ? 2 : 0;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(struct clamscan *scan)
{
    if (clamscan_is(scan, CS_HELP, false))
        return show_help();
    if (clamscan_is(scan, CS_VERSION, false))
        return show_version(scan);
    if (!open_log(scan) || !set_up(scan) || !set_up_action(scan))
        return 2;
    const char *list = text_of(scan, CS_FILE_LIST);
    if (list != NULL && strcmp(list, "-") != 0 && access(list, R_OK) != 0) {
        fprintf(stderr, "ERROR: --file-list: Can't open file %s\n", list);
        return 54; /* as ClamAV does */
    }
    raise_descriptor_limit();
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &act, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    return scan_and_tell(scan);
}

int hf_clamscan_main(int argc, char **argv)
{
    struct clamscan scan = {.log = -1};
    int code = 2;
    if (hf_compat_parse(&scan.arguments, "clamscan", hf_clamscan_options,
                        hf_clamscan_option_count, argc, argv))
        code = run(&scan);
    hf_fd_release(&scan.log);
    free((char *)(uintptr_t)scan.move_to);
    patterns_release(&scan.exclude);
    patterns_release(&scan.exclude_dir);
    patterns_release(&scan.include);
    patterns_release(&scan.include_dir);
    hf_compat_done(&scan.arguments);
    return code;
}
