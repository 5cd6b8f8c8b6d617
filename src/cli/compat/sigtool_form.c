/* sigtool_form.c - what sigtool makes of files of others: normalised texts, decoded text, digests of
 * the parts of programs. Files are opened here and parsed in a jailed worker; what it sends is
 * bounded, and printed only when it has the form that was asked for. */
#include "cli/compat/sigtool.h"

#include "base/auto.h"
#include "base/fd.h"
#include "cli/databases.h"
#include "jail/pool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the parts of a form go, and how it ended. */
struct sink {
    int fd[HF_FORM_PARTS];  /* -1: to text */
    struct hf_buffer *text; /* of part 0 */
    uint64_t most;          /* bytes of a part: a worker may send without end */
    bool write_failed;
    enum hf_status status;
    unsigned reasons;
};

static bool on_form(void *user, uint64_t id, unsigned part, uint64_t offset,
                    struct hf_bytes piece)
{
    struct sink *s = user;
    (void)id;
    if (offset > s->most || piece.len > s->most - offset)
        return false;
    if (s->fd[part] < 0) {
        if (offset == 0)
            hf_buffer_clear(s->text);
        hf_buffer_bytes(s->text, piece);
        return true;
    }
    if (offset == 0 && lseek(s->fd[part], 0, SEEK_CUR) > 0) /* a second try */
        s->write_failed =
            lseek(s->fd[part], 0, SEEK_SET) != 0 || ftruncate(s->fd[part], 0) != 0;
    s->write_failed =
        s->write_failed || hf_fd_write(s->fd[part], piece.data, piece.len) != HF_OK;
    return true;
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct sink *s = user;
    (void)id;
    s->status = status;
    s->reasons = report->reasons;
}

static void on_note(void *user, bool important, const char *text)
{
    (void)user;
    (void)important;
    (void)text;
}

/* One file through one worker. fd is taken. False: no worker can be had, and that was said. */
static bool form_of(enum hf_form form, int fd, struct sink *sink)
{
    HF_AUTO(hf_fd_release) int file = fd;
    HF_AUTO(hf_databases_done) struct hf_databases databases; /* the built-in content */
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    enum hf_status st = hf_databases_open(&databases, NULL, 0, on_note, NULL, &error);
    struct hf_pool_options options = {.workers = 1, .form = form, .on_form = on_form};
    hf_limits_default(&options.limits);
    struct hf_pool *pool = NULL;
    if (st == HF_OK) {
        options.db_fds = databases.fds;
        options.db_count = databases.count;
        st = hf_pool_open(&pool, &options, on_done, sink, &error);
    }
    sink->status = HF_CRASHED;
    if (st == HF_OK)
        st = hf_pool_submit(pool, dup(file), 0);
    if (st == HF_OK)
        hf_pool_flush(pool);
    while (st == HF_OK && hf_pool_pending(pool) > 0)
        st = hf_pool_wait(pool, -1);
    hf_pool_close(pool);
    if (st != HF_OK)
        fprintf(stderr, "ERROR: no worker: %.*s\n", (int)error.len,
                error.len > 0 ? (const char *)error.data : "");
    return st == HF_OK;
}

static int complain(const char *what, const char *text, const char *path)
{
    fflush(stdout);
    fprintf(stderr, "ERROR: %s: %s%s\n", what, text, path);
    return 1;
}

static int create(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
}

/* Most bytes of a part. What the normalisers add (quotes, decoded references) is less than what
 * they read; a section line is longer than half of its header. */
static uint64_t most_of(const struct stat *st)
{
    uint64_t size = (uint64_t)st->st_size;
    return size < UINT64_MAX / 8 ? 4 * size + 65536 : size;
}

int hf_sigtool_write_forms(const char *what, enum hf_form form, const char *path,
                           const char *const names[], size_t count)
{
    struct stat st;
    struct sink sink = {.fd = {-1, -1}};
    HF_AUTO(hf_buffer_done) struct hf_buffer unused = {0};
    sink.text = &unused;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return complain(what, "Can't open file ", path);
    if (form == HF_FORM_TEXT && fstat(fd, &st) == 0 && st.st_size == 0) {
        fprintf(stderr, "ERROR: fmap: Could not map fd %d\n", fd);
        close(fd);
        return 1;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return complain(what, "Can't read file ", path);
    }
    sink.most = most_of(&st);
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++)
        if ((sink.fd[i] = create(names[i])) < 0)
            code = complain(what, "Can't create file ", names[i]);
    if (code != 0)
        close(fd);
    else if (!form_of(form, fd, &sink))
        code = 1;
    else if (sink.status != HF_OK || sink.reasons != 0)
        code = complain(what, "Not completely read: ", path);
    else if (sink.write_failed)
        code = complain(what, "Can't write to ", names[0]);
    for (size_t i = 0; i < count; i++)
        hf_fd_release(&sink.fd[i]);
    return code;
}

/* ---- parts of programs ---- */

/* A worker's line may be shown: digits, hex and a colon. */
static bool is_plain(struct hf_bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!isxdigit(line.data[i]) && line.data[i] != ':')
            return false;
    return line.len <= 64;
}

/* As the debug output of ClamAV has it, for that is where its sigtool shows them. */
static void show_parts(enum hf_form form, struct hf_bytes text)
{
    unsigned number = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
        struct hf_bytes line = hf_bytes_of(text.data, len);
        text = hf_bytes_of(text.data + len + (end != NULL), text.len - len - (end != NULL));
        if (!is_plain(line))
            return;
        fputs("LibClamAV debug: ", stderr);
        if (form == HF_FORM_IMPORTS)
            fputs("Imphash: ", stderr);
        else
            fprintf(stderr, "Section{%u}: ", number++);
        if (line.len > 0)
            fprintf(stderr, "%.*s\n", (int)line.len, (const char *)line.data);
        else
            fputs(form == HF_FORM_IMPORTS
                      ? "failed to generate hash for import table (22)\n"
                      : "section contains no data\n",
                  stderr);
    }
}

static int show_parts_of(const char *path, enum hf_form form)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        fprintf(stderr, "hashsig: %s\n", strerror(errno));
        return complain("hashsig", "Can't access file ", path);
    }
    if (!S_ISREG(st.st_mode))
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return complain("hashsig", "Can't open file ", path);
    if (st.st_size == 0) {
        close(fd);
        (void)complain("hashpe", "Can't create fmap for open file", "");
        return complain("hashsig", "Can't generate hash for ", path);
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    struct sink sink = {.fd = {-1, -1}, .text = &text, .most = most_of(&st)};
    if (!form_of(form, fd, &sink))
        return 1;
    if ((sink.reasons & HF_REASON_UNSUPPORTED) != 0 ||
        sink.status == HF_INVALID) /* no error for ClamAV */
        (void)complain("hashpe", "Not a valid PE file!", "");
    else if (sink.status != HF_OK || sink.reasons != 0 || text.failed)
        return complain("hashsig", "Can't generate hash for ", path);
    show_parts(form, hf_buffer_view(&text));
    return 0;
}

int hf_sigtool_show_parts(enum hf_form form, const char *const *paths, size_t count)
{
    if (count == 0)
        return complain("hashsig", "Can't generate requested hash for input stream", "");
    for (size_t i = 0; i < count; i++)
        if (show_parts_of(paths[i], form) != 0)
            return 1;
    return 0;
}
