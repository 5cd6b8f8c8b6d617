/* opener_walk.c - one path and what is below it, step by step. Each folder is listed at once and
 * sorted as clamd sorts: files first, then folders, by inode. Everything below the path that was
 * asked for is opened from its folder's descriptor, never through a symbolic or magic link. */
#include "daemon/opener.h"

#include "base/auto.h"
#include "base/fd.h"
#include "daemon/messages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <regex.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH_MOST = 200, ENTRIES_MOST = 4 << 20 };

struct hf_opener_rules {
    regex_t excludes[HF_CONFIG_LIST_MAX];
    size_t exclude_count;
    uint64_t depth;
    bool follow_folders, follow_files, cross;
};

struct entry {
    uint64_t inode;
    bool folder;
    char *name; /* owned */
};

struct level {
    int fd;
    size_t path_len; /* of the folder's path, without a slash at its end */
    struct entry *entries;
    size_t count, next;
};

struct hf_opener_walk {
    const struct hf_opener_rules *rules;
    bool multi, begun, ended;
    struct hf_buffer path;
    dev_t device;
    struct level *levels; /* DEPTH_MOST + 1 of them */
    size_t depth;         /* levels in use */
};

struct hf_opener_rules *hf_opener_rules_new(const struct hf_config *config)
{
    struct hf_opener_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL)
        return NULL;
    rules->depth = config->folder_depth == 0 || config->folder_depth > DEPTH_MOST
                       ? DEPTH_MOST
                       : config->folder_depth;
    rules->follow_files = config->follow_files;
    rules->follow_folders = config->follow_folders;
    rules->cross = config->cross_file_systems;
    for (size_t i = 0; i < config->excludes.count; i++)
        if (regcomp(&rules->excludes[rules->exclude_count], config->excludes.items[i],
                    REG_EXTENDED | REG_NOSUB) == 0)
            rules->exclude_count++;
    return rules;
}

void hf_opener_rules_free(struct hf_opener_rules *rules)
{
    if (rules == NULL)
        return;
    for (size_t i = 0; i < rules->exclude_count; i++)
        regfree(&rules->excludes[i]);
    free(rules);
}

/* path ends in a zero. */
static bool is_excluded(const struct hf_opener_rules *rules, const char *path)
{
    for (size_t i = 0; i < rules->exclude_count; i++)
        if (regexec(&rules->excludes[i], path, 0, NULL, 0) == 0)
            return true;
    return false;
}

/* Slashes in front come to one, those at the end to none. [facts/clamav.md 3.9] */
static void tidy(struct hf_buffer *to, struct hf_bytes path)
{
    while (path.len > 1 && path.data[0] == '/' && path.data[1] == '/')
        path = hf_bytes_of(path.data + 1, path.len - 1);
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    hf_buffer_bytes(to, path);
}

struct hf_opener_walk *hf_opener_walk_new(const struct hf_opener_rules *rules,
                                          struct hf_bytes path, bool multi)
{
    struct hf_opener_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL)
        return NULL;
    walk->rules = rules;
    walk->multi = multi;
    tidy(&walk->path, path);
    walk->levels = calloc(DEPTH_MOST + 1, sizeof *walk->levels);
    if (walk->path.failed || walk->levels == NULL) {
        hf_opener_walk_free(walk);
        return NULL;
    }
    return walk;
}

static void leave(struct hf_opener_walk *walk)
{
    struct level *l = &walk->levels[--walk->depth];
    for (size_t i = l->next; i < l->count; i++)
        free(l->entries[i].name);
    free(l->entries);
    close(l->fd);
    walk->path.len = l->path_len;
    *l = (struct level){0};
}

void hf_opener_walk_free(struct hf_opener_walk *walk)
{
    if (walk == NULL)
        return;
    while (walk->depth > 0)
        leave(walk);
    free(walk->levels);
    hf_buffer_done(&walk->path);
    free(walk);
}

/* The path as text for the kernel; NULL when out of memory or too long for a message. */
static const char *path_text(struct hf_opener_walk *walk)
{
    if (hf_buffer_reserve(&walk->path, 1) == NULL)
        return NULL;
    walk->path.data[walk->path.len] = 0;
    return (const char *)walk->path.data;
}

static struct hf_bytes path_view(const struct hf_opener_walk *walk)
{
    return hf_buffer_view(&walk->path);
}

static bool finish(struct hf_opener_walk *walk, const struct hf_opener_sink *sink,
                   enum hf_end_kind kind)
{
    walk->ended = true;
    (void)sink->end(sink->user, kind);
    return false;
}

/* Never waits for a FIFO's other end, takes no terminal, follows no magic link. */
static int open_at(int folder, const char *name, int flags, bool follow)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC | O_NOCTTY |
                                    (follow ? 0u : O_NOFOLLOW),
                           .resolve = RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) /* before Linux 5.6 */
        fd = openat(folder, name, (int)how.flags);
    return fd;
}

static bool no_descriptor(int error)
{
    return error == EMFILE || error == ENFILE;
}

/* A regular file: its descriptor, or why there is none. What was meanwhile exchanged for
 * something else is no file. */
static bool tell_file(struct hf_opener_walk *walk, const struct hf_opener_sink *sink,
                      int folder, const char *name, bool follow, bool *busy)
{
    int fd = open_at(folder, name, O_RDONLY | O_NONBLOCK, follow);
    if (fd < 0 && no_descriptor(errno)) {
        *busy = true;
        return true;
    }
    if (fd < 0)
        return sink->trouble(sink->user, path_view(walk), errno,
                             errno == EACCES || errno == EPERM ? HF_TROUBLE_ACCESS
                                                               : HF_TROUBLE_OPEN);
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return sink->trouble(sink->user, path_view(walk), 0, HF_TROUBLE_SPECIAL);
    }
    return sink->file(sink->user, path_view(walk), fd, (uint64_t)st.st_size);
}

/* ---- folders ---- */

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->folder != y->folder)
        return x->folder ? 1 : -1;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* What an entry is; by the link's target where links are followed. */
static bool is_wanted(const struct hf_opener_walk *walk, int folder, const struct dirent *e,
                      bool *is_folder)
{
    struct stat st;
    unsigned char type = e->d_type;
    if (type == DT_UNKNOWN) {
        if (fstatat(folder, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return false;
        type = (unsigned char)IFTODT(st.st_mode);
    }
    const struct hf_opener_rules *rules = walk->rules;
    if (type == DT_LNK && (rules->follow_files || rules->follow_folders)) {
        if (fstatat(folder, e->d_name, &st, 0) != 0)
            return false;
        *is_folder = S_ISDIR(st.st_mode);
        return *is_folder ? rules->follow_folders
                          : S_ISREG(st.st_mode) && rules->follow_files;
    }
    *is_folder = type == DT_DIR;
    return type == DT_DIR || type == DT_REG;
}

static bool add_entry(struct level *l, size_t *room, const struct dirent *e, bool folder)
{
    if (l->count == *room) {
        size_t more = *room == 0 ? 64 : *room * 2;
        struct entry *grown = reallocarray(l->entries, more, sizeof *grown);
        if (grown == NULL)
            return false;
        l->entries = grown;
        *room = more;
    }
    char *name = strdup(e->d_name);
    if (name == NULL)
        return false;
    l->entries[l->count++] = (struct entry){e->d_ino, folder, name};
    return true;
}

/* List a folder and make it the level at hand. fd is taken. errno on failure. */
static bool enter(struct hf_opener_walk *walk, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (dir == NULL) {
        int error = errno;
        hf_fd_release(&copy);
        close(fd);
        errno = error;
        return false;
    }
    struct level *l = &walk->levels[walk->depth++];
    *l = (struct level){.fd = fd, .path_len = walk->path.len};
    size_t room = 0;
    for (struct dirent *e; l->count < ENTRIES_MOST && (e = readdir(dir)) != NULL;) {
        bool folder;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            !is_wanted(walk, fd, e, &folder))
            continue;
        if (!add_entry(l, &room, e, folder))
            break;
    }
    closedir(dir);
    if (l->count > 0)
        qsort(l->entries, l->count, sizeof *l->entries, compare_entries);
    return true;
}

static bool tell_folder(struct hf_opener_walk *walk, const struct hf_opener_sink *sink,
                        int folder, const char *name, bool follow, bool *busy)
{
    int fd = open_at(folder, name, O_RDONLY | O_DIRECTORY, follow);
    struct stat st;
    if (fd >= 0 && !walk->rules->cross && walk->depth > 0 && fstat(fd, &st) == 0 &&
        st.st_dev != walk->device) {
        close(fd);
        return walk->multi || sink->excluded(sink->user, path_view(walk), true);
    }
    if (fd >= 0 && enter(walk, fd))
        return true;
    if (no_descriptor(errno)) {
        *busy = true;
        return true;
    }
    return sink->trouble(sink->user, path_view(walk), errno, HF_TROUBLE_PATH);
}

/* The next entry of the folder at hand. */
static bool step_folder(struct hf_opener_walk *walk, const struct hf_opener_sink *sink,
                        bool *busy)
{
    struct level *l = &walk->levels[walk->depth - 1];
    if (l->next == l->count) {
        leave(walk);
        return walk->depth > 0 || finish(walk, sink, HF_END_FOLDER);
    }
    struct entry *e = &l->entries[l->next];
    walk->path.len = l->path_len;
    if (walk->path.len == 0 || walk->path.data[walk->path.len - 1] != '/')
        hf_buffer_u8(&walk->path, '/');
    hf_buffer_text(&walk->path, e->name);
    const char *path = path_text(walk);
    size_t depth = walk->depth;
    bool follow = e->folder ? walk->rules->follow_folders : walk->rules->follow_files;
    bool go_on = true;
    if (path == NULL || walk->path.len > HF_DAEMON_TEXT_MAX)
        go_on = sink->trouble(sink->user, path_view(walk), ENAMETOOLONG, HF_TROUBLE_PATH);
    else if (is_excluded(walk->rules, path))
        go_on = walk->multi || sink->excluded(sink->user, path_view(walk), false);
    else if (!e->folder)
        go_on = tell_file(walk, sink, l->fd, e->name, follow, busy);
    else if (depth <= walk->rules->depth)
        go_on = tell_folder(walk, sink, l->fd, e->name, follow, busy);
    if (*busy)
        return true; /* the same one again */
    l->next++;
    free(e->name);
    e->name = NULL;
    if (walk->depth == depth)
        walk->path.len = l->path_len;
    return go_on;
}

/* ---- the path itself ---- */

static enum hf_end_kind kind_of_link(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? HF_END_LINK_FILE : HF_END_LINK;
}

static bool begin_special(struct hf_opener_walk *walk, const struct hf_opener_sink *sink)
{
    return sink->trouble(sink->user, path_view(walk), 0, HF_TROUBLE_SPECIAL) &&
           finish(walk, sink, HF_END_SPECIAL);
}

static bool begin(struct hf_opener_walk *walk, const struct hf_opener_sink *sink,
                  bool *busy)
{
    const char *path = path_text(walk);
    struct stat st;
    if (path != NULL && walk->path.len > 0 && is_excluded(walk->rules, path))
        return sink->excluded(sink->user, path_view(walk), false) &&
               finish(walk, sink, HF_END_NOTHING);
    if (path == NULL || lstat(path, &st) != 0)
        return sink->trouble(sink->user, path_view(walk), path == NULL ? ENOMEM : errno,
                             HF_TROUBLE_PATH) &&
               finish(walk, sink, HF_END_NOTHING);
    bool follow = false;
    if (S_ISLNK(st.st_mode)) {
        struct stat target;
        if (stat(path, &target) != 0 ||
            !(S_ISDIR(target.st_mode) ? walk->rules->follow_folders
                                      : walk->rules->follow_files))
            return finish(walk, sink, kind_of_link(path));
        st = target;
        follow = true;
    }
    walk->device = st.st_dev;
    size_t depth = walk->depth;
    bool go_on;
    if (S_ISREG(st.st_mode))
        go_on = tell_file(walk, sink, AT_FDCWD, path, follow, busy);
    else if (S_ISDIR(st.st_mode))
        go_on = tell_folder(walk, sink, AT_FDCWD, path, follow, busy);
    else
        return begin_special(walk, sink);
    if (*busy)
        return true;
    walk->begun = true;
    if (go_on && walk->depth == depth)
        return finish(walk, sink, S_ISDIR(st.st_mode) ? HF_END_FOLDER : HF_END_FILE);
    return go_on;
}

bool hf_opener_walk_step(struct hf_opener_walk *walk, const struct hf_opener_sink *sink,
                         bool *busy)
{
    *busy = false;
    if (walk->ended)
        return false;
    return walk->begun ? step_folder(walk, sink, busy) : begin(walk, sink, busy);
}
