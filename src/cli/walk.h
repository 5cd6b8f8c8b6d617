/* walk.h - the opener: finds the files below the paths that the user gave and opens them, with
 * the user's rights and no others. Looks at names and file types only, never into a file.
 *
 * Depth-first, entries of a folder in byte order of their names: the order never depends on the
 * file system. Folders may be nested as deep as the file system allows: paths are never handed
 * to the kernel as a whole, and only a few folders are open at a time. Names are raw bytes. */
#ifndef HF_CLI_WALK_H
#define HF_CLI_WALK_H

#include "base/buffer.h"
#include "base/status.h"

#include <sys/stat.h>

struct hf_walk;

/* What a filter is asked about, before it is opened. */
struct hf_walk_question {
    const char *path;
    bool folder;  /* else a regular file */
    bool symlink; /* reached through one */
    size_t depth; /* folders entered above it; 0: it was given */
};

/* Whether to take it. If not, *why is what the entry says (NULL: nothing is to be said). */
typedef bool hf_walk_filter(void *user, const struct hf_walk_question *question,
                            const char **why);

struct hf_walk_entry;

/* Whether a regular file, looked at by name before it is opened, is known already: then it comes as
 * HF_WALK_KNOWN, and st is filled in. flags are for statx. */
typedef bool hf_walk_known(void *user, int at, const char *name, int flags,
                           struct hf_walk_entry *entry);

struct hf_walk_options {
    hf_walk_filter *filter; /* may be NULL */
    void *filter_user;
    hf_walk_known *known; /* may be NULL */
    void *known_user;
    bool one_file_system; /* stay on the file system of each path given */
    bool follow_symlinks; /* those given as a path are followed always */
    bool count_only;      /* do not open files: sizes are all that is wanted */
    const char *const
        *excludes; /* fnmatch patterns for whole path or last name; borrowed */
    size_t exclude_count;
    unsigned
        folders_open; /* most descriptors of folders held, at least 3; 0: by RLIMIT_NOFILE */
};

enum hf_walk_kind {
    HF_WALK_FILE,    /* a regular file */
    HF_WALK_SKIPPED, /* something that is not scanned; why says what */
    HF_WALK_ERROR,   /* something that should be scanned and cannot be: error, why */
    HF_WALK_BUSY,    /* no descriptor is left: close some and call again */
    HF_WALK_KNOWN,   /* a regular file that need not be opened */
    HF_WALK_END      /* nothing is left below the path */
};

/* Why something was skipped; the order is that of the summary. */
enum hf_walk_skip {
    HF_SKIP_SPECIAL, /* FIFO, socket, device */
    HF_SKIP_SYMLINK, /* not followed, or leading nowhere */
    HF_SKIP_EXCLUDED,
    HF_SKIP_KERNEL,      /* /proc, /sys and their like */
    HF_SKIP_FILE_SYSTEM, /* another one, with one_file_system */
    HF_SKIP_SEEN,        /* a folder that was entered by another way */
    HF_SKIP_VANISHED,    /* deleted between listing and opening */
    HF_SKIP_COUNT
};
const char *hf_walk_skip_text(enum hf_walk_skip skip); /* "special file", ... */

struct hf_walk_entry {
    struct hf_bytes path; /* borrowed until the next call */
    int fd;               /* FILE: open for reading, the caller's; -1 with count_only */
    struct stat st;       /* FILE, KNOWN */
    int error;            /* ERROR: errno */
    const char
        *why;    /* ERROR: "cannot open"; SKIPPED: as hf_walk_skip_text, or the filter's */
    bool listed; /* SKIPPED, ERROR: found in a folder, not named by the caller */
};

/* NULL when out of memory. options are copied, patterns borrowed. */
struct hf_walk *hf_walk_new(const struct hf_walk_options *options);
void hf_walk_free(struct hf_walk *walk);
void hf_walk_release(struct hf_walk **walk); /* for HF_AUTO */

/* Start with a path; what was left of the one before is dropped. It is copied. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_walk_begin(struct hf_walk *walk, struct hf_bytes path);

/* The next thing. */
enum hf_walk_kind hf_walk_next(struct hf_walk *walk, struct hf_walk_entry *entry);

/* After HF_WALK_BUSY, when there is nothing to close: do without the thing that was next. Returns
 * HF_WALK_ERROR. */
enum hf_walk_kind hf_walk_give_up(struct hf_walk *walk, struct hf_walk_entry *entry);

struct hf_walk_counts {
    uint64_t folders, errors;
    uint64_t skipped[HF_SKIP_COUNT];
};
struct hf_walk_counts hf_walk_counts(const struct hf_walk *walk);

#endif
