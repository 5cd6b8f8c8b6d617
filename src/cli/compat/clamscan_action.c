/* clamscan_action.c - what happens to an infected file when asked for. The file is taken by the
 * folder it lies in, never through a link, and only while it is the one that was scanned. */
#include "cli/compat/clamscan.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct target {
    char *real;       /* owned: its path without links */
    const char *name; /* in its folder */
    int folder;
};

static void target_release(struct target *t)
{
    hf_fd_release(&t->folder);
    free(t->real);
}

/* The file at path, if it still is the one with this device and inode. */
static bool find_target(struct target *t, struct hf_bytes path, const struct stat *st)
{
    char *given = strndup((const char *)path.data, path.len);
    t->real = given != NULL ? realpath(given, NULL) : NULL;
    free(given);
    if (t->real == NULL)
        return false;
    char *slash = strrchr(t->real, '/');
    t->name = slash + 1;
    *slash = 0;
    t->folder = open(t->real[0] == 0 ? "/" : t->real,
                     O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    *slash = '/';
    struct stat now;
    return t->folder >= 0 && fstatat(t->folder, t->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           now.st_dev == st->st_dev && now.st_ino == st->st_ino && S_ISREG(now.st_mode);
}

static bool copy_bytes(int from, int to)
{
    uint8_t block[65536];
    for (;;) {
        ssize_t n = read(from, block, sizeof block);
        if (n == 0)
            return fsync(to) == 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || hf_fd_write(to, block, (size_t)n) != HF_OK)
            return false;
    }
}

static bool copy_to(const struct target *t, const struct stat *st, int folder,
                    const char *name)
{
    HF_AUTO(hf_fd_release)
    int from = openat(t->folder, t->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat now;
    if (from < 0 || fstat(from, &now) != 0 || now.st_ino != st->st_ino ||
        now.st_dev != st->st_dev)
        return false;
    HF_AUTO(hf_fd_release)
    int to = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    now.st_mode & 0666);
    if (to < 0)
        return false;
    if (copy_bytes(from, to))
        return true;
    int error = errno;
    (void)unlinkat(folder, name, 0);
    errno = error == EEXIST ? EIO : error;
    return false;
}

static bool put_at(const struct clamscan *scan, const struct target *t,
                   const struct stat *st, int folder, const char *name)
{
    if (scan->copying)
        return copy_to(t, st, folder, name);
    if (renameat2(t->folder, t->name, folder, name, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EXDEV && errno != EINVAL)
        return false;
    return copy_to(t, st, folder, name) && unlinkat(t->folder, t->name, 0) == 0;
}

/* The first free name: "x", "x.001", ... */
static bool put_away(const struct clamscan *scan, const struct target *t,
                     const struct stat *st, struct hf_buffer *where)
{
    enum { NAMES_MAX = 1000 };
    HF_AUTO(hf_fd_release)
    int folder = open(scan->move_to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char name[NAME_MAX + 8];
    for (int i = 0; folder >= 0 && i < NAMES_MAX; i++) {
        if (i == 0)
            snprintf(name, sizeof name, "%s", t->name);
        else
            snprintf(name, sizeof name, "%s.%03d", t->name, i);
        if (put_at(scan, t, st, folder, name)) {
            hf_buffer_format(where, "%s/%s", scan->move_to, name);
            return true;
        }
        if (errno != EEXIST)
            return false;
    }
    return false;
}

void hf_clamscan_act(const struct clamscan *scan, struct hf_buffer *out,
                     struct hf_bytes path, const struct stat *st)
{
    HF_AUTO(target_release) struct target t = {.folder = -1};
    HF_AUTO(hf_buffer_done) struct hf_buffer where = {0};
    if (!scan->removing && scan->move_to == NULL)
        return;
    const char *verb = scan->removing ? "remove" : scan->copying ? "copy" : "move";
    bool done =
        find_target(&t, path, st) && (scan->removing ? unlinkat(t.folder, t.name, 0) == 0
                                                     : put_away(scan, &t, st, &where));
    hf_escape(out, path);
    if (!done) {
        hf_buffer_format(out, ": Can't %s the file: %s\n", verb,
                         t.real == NULL || errno != 0 ? strerror(errno) : "it changed");
        return;
    }
    hf_buffer_text(out, " (real path: '");
    hf_escape(out, hf_bytes_text(t.real));
    if (scan->removing) {
        hf_buffer_text(out, "'): Removed.\n");
        return;
    }
    hf_buffer_text(out, scan->copying ? "'): copied to '" : "'): moved to '");
    hf_escape(out, hf_buffer_view(&where));
    hf_buffer_text(out, "'\n");
}
