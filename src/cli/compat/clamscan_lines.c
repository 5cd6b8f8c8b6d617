/* clamscan_lines.c - the lines of clamscan 1.4. Names of files are escaped where they could forge a
 * line or steer a terminal; ClamAV prints them raw. */
#include "cli/compat/clamscan.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- what is walked ---- */

static bool matches(const struct clamscan_patterns *patterns, const char *text)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (regexec(&patterns->items[i], text, 0, NULL, 0) == 0)
            return true;
    return false;
}

static uint64_t follows(const struct clamscan *scan, bool folder)
{
    const struct hf_compat_value *v =
        &scan->arguments.values[folder ? CS_FOLLOW_DIRS : CS_FOLLOW_FILES];
    return v->count > 0 ? v->number : 1;
}

static bool wanted(const struct clamscan_patterns *exclude,
                   const struct clamscan_patterns *include, const char *text)
{
    return !matches(exclude, text) && (include->count == 0 || matches(include, text));
}

/* Folders are compared as they were named, files by their path from the root without links. */
static bool wants_file(const struct clamscan *scan, const char *path)
{
    if (scan->exclude.count + scan->include.count == 0)
        return true;
    char *real = realpath(path, NULL);
    bool wants = wanted(&scan->exclude, &scan->include, real != NULL ? real : path);
    free(real);
    return wants;
}

bool hf_clamscan_filter(void *user, const struct hf_walk_question *q, const char **why)
{
    const struct clamscan *scan = user;
    const struct hf_compat_value *deepest = &scan->arguments.values[CS_MAX_DIR_RECURSION];
    uint64_t depth = deepest->count > 0 ? deepest->number : 15;
    *why = "Symbolic link";
    if (q->symlink && follows(scan, q->folder) < (q->depth > 0 ? 2u : 1u))
        return false;
    if (q->folder && q->depth > 0 && !clamscan_is(scan, CS_RECURSIVE, false)) {
        *why = NULL;
        return false;
    }
    if (q->folder && q->depth >= depth) {
        *why = NULL;
        return false;
    }
    *why = "Excluded";
    return q->folder ? wanted(&scan->exclude_dir, &scan->include_dir, q->path)
                     : wants_file(scan, q->path);
}

/* ---- lines ---- */

static bool is_stdin(struct hf_bytes path)
{
    return path.len == 1 && path.data[0] == '-';
}

static void add_path(struct hf_buffer *out, struct hf_bytes path)
{
    if (is_stdin(path))
        hf_buffer_text(out, "stdin");
    else
        hf_escape(out, path);
}

static void add_line(struct hf_buffer *out, struct hf_bytes path, const char *text)
{
    add_path(out, path);
    hf_buffer_format(out, ": %s\n", text);
}

/* A name as ClamAV reports it: what does not come from a signed container is marked. */
static void add_name(struct hf_buffer *out, const struct hf_db *db,
                     struct hf_signature signature)
{
    static const char *const containers[] = {".cvd:", ".cld:"};
    static const char *const languages[] = {".yar", ".yara"};
    struct hf_bytes source = {0}, licence;
    struct hf_buffer name = {0};
    if (hf_db_name(db, signature, &name) != HF_OK || name.failed ||
        hf_db_source(db, signature, &source, &licence) != HF_OK) {
        hf_buffer_format(out, "(signature %u.%u)", signature.segment, signature.number);
        hf_buffer_done(&name);
        return;
    }
    bool official = false;
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(languages[i]);
        official |= memmem(source.data, source.len, containers[i], 5) != NULL;
        if (source.len > n && memcmp(source.data + source.len - n, languages[i], n) == 0)
            hf_buffer_text(out, "YARA.");
    }
    hf_escape(out, hf_buffer_view(&name));
    if (!official)
        hf_buffer_text(out, ".UNOFFICIAL");
    hf_buffer_done(&name);
}

static void add_found(struct hf_buffer *out, struct hf_bytes path, const char *name)
{
    add_path(out, path);
    hf_buffer_format(out, ": %s FOUND\n", name);
}

/* ClamAV's name for what was encrypted, by what the file is. */
static const char *encrypted_name(enum hf_format format)
{
    static const struct {
        enum hf_format format;
        const char *name;
    } names[] = {
        {HF_FORMAT_ZIP, "Heuristics.Encrypted.Zip"},
        {HF_FORMAT_RAR, "Heuristics.Encrypted.RAR"},
        {HF_FORMAT_7Z, "Heuristics.Encrypted.7Zip"},
        {HF_FORMAT_PDF, "Heuristics.Encrypted.PDF"},
        {HF_FORMAT_EGG, "Heuristics.Encrypted.EGG"},
        {HF_FORMAT_OLE2, "Heuristics.Encrypted.OLE2"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].format == format)
            return names[i].name;
    return names[0].name;
}

/* Which limit it was, from what the report counted: it does not say itself. */
static const char *limit_name(const struct clamscan *scan, const struct hf_report *report)
{
    const struct hf_limits *l = &scan->limits;
    for (size_t i = 0; i < report->incident_count; i++)
        if (report->incidents[i].reason == HF_REASON_LIMIT && l->depth > 0 &&
            report->incidents[i].path.count > 0 &&
            (l->depth == HF_LIMIT_NOTHING || report->incidents[i].path.count > l->depth))
            return "Heuristics.Limits.Exceeded.MaxRecursion";
    if (l->objects == HF_LIMIT_NOTHING || (l->objects > 0 && report->objects > l->objects))
        return "Heuristics.Limits.Exceeded.MaxFiles";
    return "Heuristics.Limits.Exceeded.MaxScanSize";
}

static bool is_document(enum hf_format format)
{
    return format == HF_FORMAT_PDF || format == HF_FORMAT_OLE2;
}

static const char *heuristic(const struct clamscan *scan, const struct hf_report *report)
{
    bool document = is_document(report->format);
    if ((report->reasons & HF_REASON_ENCRYPTED) != 0 &&
        (clamscan_is(scan, CS_ALERT_ENCRYPTED, false) ||
         clamscan_is(scan, document ? CS_ALERT_ENCRYPTED_DOC : CS_ALERT_ENCRYPTED_ARCHIVE,
                     false)))
        return encrypted_name(report->format);
    if ((report->reasons & HF_REASON_LIMIT) != 0 && scan->alert_limits)
        return limit_name(scan, report);
    if ((report->reasons & HF_REASON_TIMEOUT) != 0 && scan->alert_limits)
        return "Heuristics.Limits.Exceeded.MaxScanTime";
    return NULL;
}

/* ---- the printer ---- */

static bool before(void *user, struct hf_buffer *out, struct hf_bytes path,
                   const struct stat *st)
{
    struct clamscan *scan = user;
    uint64_t size = (uint64_t)st->st_size;
    if (scan->verbose) {
        hf_buffer_text(out, "Scanning ");
        add_path(out, path);
        hf_buffer_u8(out, '\n');
    }
    if (size == 0 && !is_stdin(path)) {
        if (!scan->infected_only)
            add_line(out, path, "Empty file");
        return false;
    }
    if (scan->limits.object_bytes == 0 || size <= scan->limits.object_bytes)
        return true;
    /* Larger than --max-filesize: ClamAV does not look at it at all. */
    scan->files++;
    scan->infected += scan->alert_limits;
    if (scan->alert_limits)
        add_found(out, path, "Heuristics.Limits.Exceeded.MaxFileSize");
    else if (!scan->infected_only && !scan->no_ok)
        add_line(out, path, "OK");
    return false;
}

static size_t add_findings(struct clamscan *scan, struct hf_buffer *out,
                           struct hf_bytes path, const struct hf_report *report)
{
    size_t count = scan->all_match ? report->finding_count : report->finding_count > 0;
    for (size_t i = 0; i < count; i++) {
        add_path(out, path);
        hf_buffer_text(out, ": ");
        add_name(out, scan->db, report->findings[i].signature);
        hf_buffer_text(out, " FOUND\n");
    }
    if (count == 0 && report->verdict > HF_UNSCANNABLE) {
        add_found(out, path, "(no evidence kept)");
        count = 1;
    }
    const char *name = heuristic(scan, report);
    if (name != NULL && (count == 0 || scan->all_match)) {
        add_found(out, path, name);
        count++;
    }
    return count;
}

static void report_file(void *user, struct hf_buffer *out, struct hf_bytes path,
                        const struct stat *st, const struct hf_report *report, bool failed)
{
    struct clamscan *scan = user;
    if (failed) {
        scan->error = true;
        scan->errors++;
        add_line(out, path, "Can't read file ERROR");
        return;
    }
    scan->files++;
    scan->scanned_bytes += report->bytes;
    scan->read_bytes += (uint64_t)st->st_size;
    if (add_findings(scan, out, path, report) > 0) {
        scan->infected++;
        if (!is_stdin(path))
            hf_clamscan_act(scan, out, path, st);
    } else if ((report->reasons & HF_REASON_CRASH) != 0) {
        scan->error = true;
        scan->errors++;
        add_line(out, path, "The file made its scanner fail ERROR");
    } else if (!scan->infected_only && !scan->no_ok) {
        add_line(out, path, "OK");
    }
}

static bool is_kernels(struct hf_bytes path)
{
    return path.len >= 5 && memcmp(path.data, "/proc", 5) == 0;
}

static bool skipped(void *user, struct hf_buffer *out, const struct hf_walk_entry *entry)
{
    struct clamscan *scan = user;
    const char *why = entry->why;
    if (why == hf_walk_skip_text(HF_SKIP_SPECIAL)) {
        if (entry->listed)
            return false;
        scan->error = true;
        hf_buffer_text(out, "WARNING: ");
        add_line(out, entry->path, "Not supported file type");
        return !clamscan_is(scan, CS_STDOUT, false);
    }
    if (scan->infected_only || why == hf_walk_skip_text(HF_SKIP_VANISHED) ||
        why == hf_walk_skip_text(HF_SKIP_SEEN))
        return false;
    if (why == hf_walk_skip_text(HF_SKIP_SYMLINK))
        why = "Symbolic link";
    else if (why == hf_walk_skip_text(HF_SKIP_KERNEL))
        why = is_kernels(entry->path) ? "Excluded (/proc)" : "Excluded (/sys)";
    else if (why == hf_walk_skip_text(HF_SKIP_FILE_SYSTEM))
        why = "Excluded (another filesystem)";
    add_line(out, entry->path, why);
    return false;
}

/* The first line goes to standard error whatever was asked for, and not into the log. */
static bool add_missing(const struct clamscan *scan, struct hf_buffer *out,
                        struct hf_bytes path)
{
    bool apart = clamscan_is(scan, CS_STDOUT, false);
    struct hf_buffer first = {0};
    add_line(apart ? &first : out, path, "No such file or directory");
    (void)!hf_fd_write(STDERR_FILENO, first.data, first.len);
    hf_buffer_done(&first);
    hf_buffer_text(out, "WARNING: ");
    add_line(out, path, "Can't access file");
    return !apart;
}

static bool went_wrong(void *user, struct hf_buffer *out, const struct hf_walk_entry *entry)
{
    struct clamscan *scan = user;
    bool folder = strcmp(entry->why, "cannot read the folder") == 0;
    struct stat st;
    char path[4096];
    bool fits = entry->path.len < sizeof path;
    memcpy(path, entry->path.data, fits ? entry->path.len : 0);
    path[fits ? entry->path.len : 0] = 0;
    if (entry->error == ENOENT && !entry->listed) {
        if (lstat(path, &st) == 0)
            return false; /* a link to nowhere: ClamAV says nothing of it */
        scan->error = true;
        return add_missing(scan, out, entry->path);
    }
    scan->error = true;
    if (scan->infected_only)
        return false;
    if (folder || (fits && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        add_line(out, entry->path, "Can't open directory.");
    else if (entry->error == EACCES || entry->error == EPERM)
        add_line(out, entry->path, "Access denied");
    else
        add_line(out, entry->path, "Can't open file or directory ERROR");
    return false;
}

static struct hf_bytes take_line(struct hf_bytes *text)
{
    const uint8_t *end = memchr(text->data, '\n', text->len);
    size_t n = end == NULL ? text->len : (size_t)(end - text->data) + 1;
    struct hf_bytes line = hf_bytes_of(text->data, n);
    *text = hf_bytes_of(text->data + n, text->len - n);
    return line;
}

/* Quiet programs give no warnings, but errors. */
static void write_quietly(struct hf_bytes text)
{
    while (text.len > 0) {
        struct hf_bytes line = take_line(&text);
        if (line.len < 9 || memcmp(line.data, "WARNING: ", 9) != 0)
            (void)!hf_fd_write(STDERR_FILENO, line.data, line.len);
    }
}

/* The log has everything but files in order, and what ClamAV's second voice says on a terminal. */
static void write_log(const struct clamscan *scan, struct hf_bytes text)
{
    static const char *const unlogged[] = {": OK", ": No such file or directory"};
    while (text.len > 0) {
        struct hf_bytes line = take_line(&text);
        bool wanted = true;
        for (size_t i = 0; i < 2; i++) {
            size_t k = strlen(unlogged[i]) + 1;
            wanted = wanted && !(line.len > k &&
                                 memcmp(line.data + line.len - k, unlogged[i], k - 1) == 0);
        }
        if (wanted)
            (void)!hf_fd_write(scan->log, line.data, line.len);
    }
}

static bool printed(void *user, struct hf_bytes text, bool to_stderr)
{
    const struct clamscan *scan = user;
    if (scan->log >= 0)
        write_log(scan, text);
    if (clamscan_is(scan, CS_BELL, false) &&
        memmem(text.data, text.len, " FOUND\n", 7) != NULL)
        (void)!hf_fd_write(STDERR_FILENO, "\a", 1);
    if (to_stderr && scan->quiet)
        write_quietly(text);
    return !scan->quiet;
}

const struct hf_scan_printer hf_clamscan_printer = {
    .before = before,
    .report = report_file,
    .skipped = skipped,
    .error = went_wrong,
    .printed = printed,
};
