/* walk.c - the walk is a stack of folders, each with its sorted names and the place reached in
 * them.
 *
 *   levels:   0      1 .. lowest-1        lowest .. depth-1
 *   fd:      open    -1 (given back)           open
 *
 * Folder 0 stays open. When too many are, the one nearest to it is closed; the way back into it
 * is ".." from its child, believed only when device and inode are the known ones. Where they are
 * not (the child was moved, or entered through a symbolic link), the way is walked again from
 * folder 0, each step checked in the same manner. */
#include "cli/walk.h"

#include "base/auto.h"
#include "base/fd.h"
#include "cli/folder.h"
#include "cli/inode_set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct level {
    int fd;
    dev_t device;
    ino_t inode;
    size_t path_len; /* of this folder's path at the start of walk->path */
    bool by_symlink; /* ".." leads elsewhere */
    struct hf_folder names;
    size_t next; /* the first name not visited */
};

struct hf_walk {
    struct hf_walk_options options;
    struct hf_walk_counts counts;
    struct level *levels; /* owned */
    size_t depth, room, lowest;
    struct hf_buffer path;       /* of the thing visited, a zero behind it */
    struct hf_inode_set entered; /* only when following symbolic links */
    bool begun;                  /* the path given has not been visited */
    bool unread; /* the top folder could not be read completely: say so first */
    int unread_error;
};

static const char *const skip_texts[HF_SKIP_COUNT] = {
    [HF_SKIP_SPECIAL] = "special file",
    [HF_SKIP_SYMLINK] = "symbolic link",
    [HF_SKIP_EXCLUDED] = "excluded",
    [HF_SKIP_KERNEL] = "kernel file system",
    [HF_SKIP_FILE_SYSTEM] = "other file system",
    [HF_SKIP_SEEN] = "folder seen before",
    [HF_SKIP_VANISHED] = "vanished",
};

const char *hf_walk_skip_text(enum hf_walk_skip skip)
{
    return skip_texts[skip];
}

/* An eighth of the descriptors for folders, most of the others are for files on their way. */
static unsigned folders_by_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < 32)
        return 4;
    return limit.rlim_cur / 8 < 64 ? (unsigned)limit.rlim_cur / 8 : 64;
}

struct hf_walk *hf_walk_new(const struct hf_walk_options *options)
{
    struct hf_walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL)
        return NULL;
    walk->options = *options;
    if (walk->options.folders_open == 0)
        walk->options.folders_open = folders_by_limit();
    if (walk->options.folders_open < 3)
        walk->options.folders_open = 3;
    return walk;
}

static void drop_top(struct hf_walk *walk)
{
    struct level *top = &walk->levels[--walk->depth];
    hf_fd_release(&top->fd);
    hf_folder_done(&top->names);
    if (walk->lowest > walk->depth)
        walk->lowest = walk->depth;
}

void hf_walk_free(struct hf_walk *walk)
{
    if (walk == NULL)
        return;
    while (walk->depth > 0)
        drop_top(walk);
    free(walk->levels);
    hf_buffer_done(&walk->path);
    hf_inode_set_done(&walk->entered);
    free(walk);
}

void hf_walk_release(struct hf_walk **walk)
{
    hf_walk_free(*walk);
    *walk = NULL;
}

struct hf_walk_counts hf_walk_counts(const struct hf_walk *walk)
{
    return walk->counts;
}

/* Cut the path to len bytes and, with a name, put "/name" behind them. */
static bool set_path(struct hf_walk *walk, size_t len, const char *name)
{
    walk->path.len = len;
    if (name != NULL) {
        if (len == 0 || walk->path.data[len - 1] != '/')
            hf_buffer_u8(&walk->path, '/');
        hf_buffer_text(&walk->path, name);
    }
    hf_buffer_u8(&walk->path, 0);
    if (walk->path.failed)
        return false;
    walk->path.len--; /* the zero is there, and not counted */
    return true;
}

enum hf_status hf_walk_begin(struct hf_walk *walk, struct hf_bytes path)
{
    while (walk->depth > 0)
        drop_top(walk);
    walk->unread = false;
    hf_buffer_clear(&walk->path);
    hf_buffer_bytes(&walk->path, path);
    walk->begun = true;
    return set_path(walk, walk->path.len, NULL) ? HF_OK : HF_NOMEM;
}

/* ---- answers ---- */

static enum hf_walk_kind skipped(struct hf_walk *walk, struct hf_walk_entry *entry,
                                 enum hf_walk_skip skip)
{
    walk->counts.skipped[skip]++;
    entry->path = hf_buffer_view(&walk->path);
    entry->listed = walk->depth > 0;
    entry->why = skip_texts[skip];
    return HF_WALK_SKIPPED;
}

static enum hf_walk_kind failed(struct hf_walk *walk, struct hf_walk_entry *entry,
                                int error, const char *why)
{
    walk->counts.errors++;
    entry->path = hf_buffer_view(&walk->path);
    entry->listed = walk->depth > 0;
    entry->error = error;
    entry->why = why;
    return HF_WALK_ERROR;
}

/* What a failed open comes to. Between listing and opening anything may have been deleted or
 * replaced; that is no error, unless the user named it. */
static enum hf_walk_kind not_opened(struct hf_walk *walk, struct hf_walk_entry *entry,
                                    int error)
{
    bool listed = walk->depth > 0;
    if (error == EMFILE || error == ENFILE)
        return HF_WALK_BUSY;
    if (listed && error == ENOENT)
        return skipped(walk, entry, HF_SKIP_VANISHED);
    if (listed && error == ELOOP)
        return skipped(walk, entry, HF_SKIP_SYMLINK);
    if (error == ENXIO || error == ENODEV)
        return skipped(walk, entry, HF_SKIP_SPECIAL);
    return failed(walk, entry, error, "cannot open");
}

static bool is_excluded(const struct hf_walk *walk)
{
    const char *path = (const char *)walk->path.data;
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL && slash[1] != 0 ? slash + 1 : path;
    for (size_t i = 0; i < walk->options.exclude_count; i++)
        if (fnmatch(walk->options.excludes[i], path, 0) == 0 ||
            fnmatch(walk->options.excludes[i], name, 0) == 0)
            return true;
    return false;
}

/* Whether what was opened lies where the walk may go; only a change of device can lead out. */
static bool may_enter(const struct hf_walk *walk, int fd, const struct stat *st,
                      enum hf_walk_skip *skip)
{
    const struct level *top = walk->depth > 0 ? &walk->levels[walk->depth - 1] : NULL;
    if (top != NULL && top->device == st->st_dev)
        return true;
    *skip = HF_SKIP_FILE_SYSTEM;
    if (top != NULL && walk->options.one_file_system &&
        walk->levels[0].device != st->st_dev)
        return false;
    *skip = HF_SKIP_KERNEL;
    return !hf_folder_is_kernels(fd);
}

/* ---- folders ---- */

/* Close the open folder nearest to folder 0. False when only folder 0 and the top are left. */
static bool close_one(struct hf_walk *walk)
{
    if (walk->lowest < 1)
        walk->lowest = 1;
    if (walk->depth < 2 || walk->lowest >= walk->depth - 1)
        return false;
    hf_fd_release(&walk->levels[walk->lowest].fd);
    walk->lowest++;
    return true;
}

static bool push(struct hf_walk *walk, const struct level *level)
{
    if (walk->depth == walk->room) {
        size_t room = walk->room > 0 ? walk->room * 2 : 64;
        struct level *levels = reallocarray(walk->levels, room, sizeof *levels);
        if (levels == NULL)
            return false;
        walk->levels = levels;
        walk->room = room;
    }
    walk->levels[walk->depth++] = *level;
    size_t closed = walk->lowest > 1 ? walk->lowest - 1 : 0;
    if (walk->depth - closed > walk->options.folders_open)
        close_one(walk);
    return true;
}

/* Enter the folder at walk->path, open as fd. Returns HF_WALK_END when it was entered. */
static enum hf_walk_kind enter(struct hf_walk *walk, struct hf_walk_entry *entry, int fd,
                               const struct stat *st, bool by_symlink)
{
    struct hf_inode_key key = {st->st_dev, st->st_ino, 0};
    struct level level = {.fd = fd,
                          .device = st->st_dev,
                          .inode = st->st_ino,
                          .path_len = walk->path.len,
                          .by_symlink = by_symlink};
    if (walk->options.follow_symlinks && hf_inode_set_has(&walk->entered, key)) {
        close(fd);
        return skipped(walk, entry, HF_SKIP_SEEN);
    }
    if (walk->options.follow_symlinks && hf_inode_set_add(&walk->entered, key) != HF_OK) {
        close(fd);
        return failed(walk, entry, ENOMEM, "cannot enter");
    }
    enum hf_status read = hf_folder_read(&level.names, fd);
    int error = read == HF_IO ? errno : read == HF_NOMEM ? ENOMEM : EOVERFLOW;
    if (!push(walk, &level)) {
        hf_folder_done(&level.names);
        close(fd);
        return failed(walk, entry, ENOMEM, "cannot enter");
    }
    walk->counts.folders++;
    walk->unread = read != HF_OK; /* what was read is visited all the same */
    walk->unread_error = error;
    return HF_WALK_END;
}

/* Open levels[index] again from folder 0. On failure *good is the last level still in place. */
static int open_again(struct hf_walk *walk, size_t index, size_t *good)
{
    int fd = -1;
    for (*good = 0; *good < index; (*good)++) {
        const struct level *step = &walk->levels[*good + 1];
        size_t from = walk->levels[*good].path_len;
        from += walk->path.data[from] == '/';
        int flags = O_DIRECTORY | (step->by_symlink ? 0 : O_NOFOLLOW);
        /* The name ends at a slash; it is put back at once. */
        uint8_t *end = walk->path.data + step->path_len, ended = *end;
        *end = 0;
        int next = hf_folder_open(fd < 0 ? walk->levels[0].fd : fd,
                                  (const char *)walk->path.data + from, flags);
        int error = errno;
        *end = ended;
        hf_fd_release(&fd);
        fd = next;
        errno = error;
        struct stat st;
        if (fd < 0 || fstat(fd, &st) != 0 || st.st_dev != step->device ||
            st.st_ino != step->inode)
            break;
    }
    if (*good == index)
        return fd;
    int error = fd < 0 ? errno : ESTALE;
    hf_fd_release(&fd);
    errno = error;
    return -1;
}

/* The top folder is done: go back to its parent. HF_WALK_END when that worked. */
static enum hf_walk_kind leave(struct hf_walk *walk, struct hf_walk_entry *entry)
{
    if (walk->depth < 2 || walk->levels[walk->depth - 2].fd >= 0) {
        drop_top(walk);
        return HF_WALK_END;
    }
    struct level *top = &walk->levels[walk->depth - 1];
    struct level *parent = top - 1;
    struct stat st;
    int fd = top->by_symlink ? -1 : hf_folder_open(top->fd, "..", O_DIRECTORY | O_NOFOLLOW);
    if (fd >= 0 &&
        (fstat(fd, &st) != 0 || st.st_dev != parent->device || st.st_ino != parent->inode))
        hf_fd_release(&fd);
    size_t good = 0;
    if (fd < 0) {
        set_path(walk, top->path_len, NULL);
        fd = open_again(walk, walk->depth - 2, &good);
    }
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return HF_WALK_BUSY;
    if (fd >= 0) {
        parent->fd = fd;
        walk->lowest = walk->depth - 2;
        drop_top(walk);
        return HF_WALK_END;
    }
    /* Somebody moved a folder away under our feet: what is above it in the stack is lost. */
    int error = errno;
    set_path(walk, walk->levels[good + 1].path_len, NULL);
    while (walk->depth > good + 1)
        drop_top(walk);
    if (good > 0) { /* lowest went down with the stack; this level is closed as well */
        size_t again = 0;
        walk->levels[good].fd = open_again(walk, good, &again);
        walk->lowest = good;
        if (walk->levels[good].fd < 0)
            walk->levels[good].next = walk->levels[good].names.count;
    }
    return failed(walk, entry, error, "moved while it was walked, rest not scanned");
}

/* ---- things ---- */

static enum hf_walk_kind visit_folder(struct hf_walk *walk, struct hf_walk_entry *entry,
                                      int at, const char *name, bool follow)
{
    int fd = hf_folder_open(at, name, O_DIRECTORY | (follow ? 0 : O_NOFOLLOW));
    if (fd < 0)
        return not_opened(walk, entry, errno == ENOTDIR ? ENOENT : errno);
    struct stat st;
    enum hf_walk_skip skip;
    if (fstat(fd, &st) != 0) {
        int error = errno;
        close(fd);
        return failed(walk, entry, error, "cannot look at");
    }
    if (!may_enter(walk, fd, &st, &skip)) {
        close(fd);
        return skipped(walk, entry, skip);
    }
    return enter(walk, entry, fd, &st, follow);
}

/* A file on another file system than its folder goes the whole way: whether the walk may go there is
 * asked of what is open. */
static bool is_known(const struct hf_walk *walk, struct hf_walk_entry *entry, int at,
                     const char *name, bool follow)
{
    const struct level *top = walk->depth > 0 ? &walk->levels[walk->depth - 1] : NULL;
    return walk->options.known != NULL && !walk->options.count_only &&
           walk->options.known(walk->options.known_user, at, name,
                               follow ? 0 : AT_SYMLINK_NOFOLLOW, entry) &&
           (top == NULL || top->device == entry->st.st_dev);
}

static enum hf_walk_kind visit_file(struct hf_walk *walk, struct hf_walk_entry *entry,
                                    int at, const char *name, bool follow)
{
    int fd = -1;
    if (is_known(walk, entry, at, name, follow)) {
        entry->path = hf_buffer_view(&walk->path);
        return HF_WALK_KNOWN;
    }
    if (walk->options.count_only) {
        if (fstatat(at, name, &entry->st, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
            return not_opened(walk, entry, errno);
    } else {
        fd = hf_folder_open(at, name, follow ? 0 : O_NOFOLLOW);
        if (fd < 0)
            return not_opened(walk, entry, errno);
        if (fstat(fd, &entry->st) != 0) {
            int error = errno;
            close(fd);
            return failed(walk, entry, error, "cannot look at");
        }
    }
    enum hf_walk_skip skip = HF_SKIP_SPECIAL;
    if (!S_ISREG(entry->st.st_mode) ||
        (fd >= 0 && !may_enter(walk, fd, &entry->st, &skip))) {
        hf_fd_release(&fd);
        return skipped(walk, entry, skip);
    }
    entry->path = hf_buffer_view(&walk->path);
    entry->fd = fd;
    return HF_WALK_FILE;
}

static unsigned char type_of(mode_t mode)
{
    return (unsigned char)IFTODT(mode);
}

/* Visit the thing called name below at, whose type is known or DT_UNKNOWN. HF_WALK_END: it was
 * a folder, and it was entered. */
static enum hf_walk_kind visit(struct hf_walk *walk, struct hf_walk_entry *entry, int at,
                               const char *name, unsigned char type, bool follow)
{
    if (walk->options.exclude_count > 0 && is_excluded(walk))
        return skipped(walk, entry, HF_SKIP_EXCLUDED);
    struct stat st;
    if (type == DT_UNKNOWN) {
        if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            return not_opened(walk, entry, errno);
        type = type_of(st.st_mode);
    }
    bool through = false;
    if (type == DT_LNK) {
        if (!follow)
            return skipped(walk, entry, HF_SKIP_SYMLINK);
        if (fstatat(at, name, &st, 0) != 0)
            return not_opened(walk, entry, errno);
        type = type_of(st.st_mode);
        through = true;
    }
    if (walk->options.filter != NULL && (type == DT_DIR || type == DT_REG)) {
        struct hf_walk_question question = {.path = (const char *)walk->path.data,
                                            .folder = type == DT_DIR,
                                            .symlink = through,
                                            .depth = walk->depth};
        const char *why = NULL;
        if (!walk->options.filter(walk->options.filter_user, &question, &why)) {
            enum hf_walk_kind kind = skipped(walk, entry, HF_SKIP_EXCLUDED);
            entry->why = why;
            return kind;
        }
    }
    if (type == DT_DIR)
        return visit_folder(walk, entry, at, name, through);
    if (type == DT_REG)
        return visit_file(walk, entry, at, name, through);
    return skipped(walk, entry,
                   HF_SKIP_SPECIAL); /* never opened: opening can have effects */
}

/* Go down a path that is too long for one call, as far as needed. *rest is what is left of it.
 * A descriptor to be closed (-1: none needed, *rest is all of it), or -2 with errno. */
static int shorten(const char *path, const char **rest)
{
    int fd = -1;
    *rest = path;
    while (strlen(*rest) >= PATH_MAX) {
        char part[PATH_MAX];
        size_t len = PATH_MAX - 1;
        while (len > 0 && (*rest)[len] != '/')
            len--;
        if (len == 0) {
            hf_fd_release(&fd);
            errno = ENAMETOOLONG;
            return -2;
        }
        memcpy(part, *rest, len);
        part[len] = 0;
        int next = hf_folder_open(fd < 0 ? AT_FDCWD : fd, part, O_PATH | O_DIRECTORY);
        int error = errno;
        hf_fd_release(&fd);
        if (next < 0) {
            errno = error;
            return -2;
        }
        fd = next;
        *rest += len;
        *rest += strspn(*rest, "/");
        if (**rest == 0)
            *rest = ".";
    }
    return fd;
}

static enum hf_walk_kind visit_given(struct hf_walk *walk, struct hf_walk_entry *entry)
{
    const char *rest;
    HF_AUTO(hf_fd_release) int fd = shorten((const char *)walk->path.data, &rest);
    if (fd == -2)
        return not_opened(walk, entry, errno);
    return visit(walk, entry, fd < 0 ? AT_FDCWD : fd, rest, DT_UNKNOWN, true);
}

static enum hf_walk_kind visit_next_name(struct hf_walk *walk, struct hf_walk_entry *entry)
{
    struct level *top = &walk->levels[walk->depth - 1];
    const char *name = hf_folder_name(&top->names, top->next);
    if (!set_path(walk, top->path_len, name)) {
        top->next++;
        return failed(walk, entry, ENOMEM, "cannot open");
    }
    size_t depth = walk->depth;
    unsigned char type = hf_folder_type(&top->names, top->next);
    enum hf_walk_kind kind =
        visit(walk, entry, top->fd, name, type, walk->options.follow_symlinks);
    if (kind != HF_WALK_BUSY)
        walk->levels[depth - 1].next++;
    return kind;
}

static enum hf_walk_kind step(struct hf_walk *walk, struct hf_walk_entry *entry)
{
    if (walk->begun) {
        enum hf_walk_kind kind = visit_given(walk, entry);
        walk->begun = kind == HF_WALK_BUSY;
        return kind;
    }
    struct level *top = &walk->levels[walk->depth - 1];
    if (walk->unread) {
        walk->unread = false;
        set_path(walk, top->path_len, NULL);
        return failed(walk, entry, walk->unread_error, "cannot read the folder");
    }
    return top->next < top->names.count ? visit_next_name(walk, entry) : leave(walk, entry);
}

enum hf_walk_kind hf_walk_next(struct hf_walk *walk, struct hf_walk_entry *entry)
{
    while (walk->begun || walk->depth > 0) {
        *entry = (struct hf_walk_entry){.fd = -1};
        enum hf_walk_kind kind = step(walk, entry);
        if (kind == HF_WALK_BUSY && close_one(walk))
            continue; /* a folder further up can do without its descriptor */
        if (kind != HF_WALK_END)
            return kind;
    }
    return HF_WALK_END;
}

enum hf_walk_kind hf_walk_give_up(struct hf_walk *walk, struct hf_walk_entry *entry)
{
    *entry = (struct hf_walk_entry){.fd = -1};
    struct level *top = walk->depth > 0 ? &walk->levels[walk->depth - 1] : NULL;
    if (walk->begun)
        walk->begun = false;
    else if (top != NULL && top->next < top->names.count)
        top->next++;
    else
        while (walk->depth >
               1) /* the way back is what failed: folder 0 is the one still open */
            drop_top(walk);
    return failed(walk, entry, EMFILE, "cannot open");
}
