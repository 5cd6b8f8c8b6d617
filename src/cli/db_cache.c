#include "cli/db_cache.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/paths.h"
#include "base/text.h"
#include "cli/walk.h"
#include "digest/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { KEEP_SECONDS = 30 * 24 * 3600 };
#define PREFIX "text-"
#define ENDING ".hfdb"

static void add_file(struct hf_buffer *out, struct hf_bytes path, const struct stat *st)
{
    hf_buffer_counted(out, path);
    hf_buffer_u64(out, (uint64_t)st->st_dev);
    hf_buffer_u64(out, (uint64_t)st->st_ino);
    hf_buffer_u64(out, (uint64_t)st->st_size);
    hf_buffer_u64(out, (uint64_t)st->st_mtim.tv_sec);
    hf_buffer_u64(out, (uint64_t)st->st_mtim.tv_nsec);
    hf_buffer_u64(out, (uint64_t)st->st_ctim.tv_sec);
    hf_buffer_u64(out, (uint64_t)st->st_ctim.tv_nsec);
}

/* All that decides what comes out of the compiler, short of reading the sources. */
static enum hf_status describe(struct hf_buffer *out, const char *const *paths,
                               size_t count)
{
    struct stat st;
    hf_buffer_text(out, HOLDFAST_VERSION);
    /* The compiler itself: a program of the same version may have been built anew. */
    if (stat("/proc/self/exe", &st) == 0)
        add_file(out, hf_bytes_text("program"), &st);
    struct hf_walk_options options = {.count_only = true, .follow_symlinks = true};
    HF_AUTO(hf_walk_release) struct hf_walk *walk = hf_walk_new(&options);
    if (walk == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct hf_walk_entry entry;
        if (hf_walk_begin(walk, hf_bytes_text(paths[i])) != HF_OK)
            return HF_NOMEM;
        hf_buffer_text(out, "source");
        for (enum hf_walk_kind kind; (kind = hf_walk_next(walk, &entry)) != HF_WALK_END;) {
            if (kind == HF_WALK_ERROR || kind == HF_WALK_BUSY) {
                errno = entry.error;
                return HF_IO;
            }
            if (kind == HF_WALK_FILE)
                add_file(out, entry.path, &entry.st);
        }
    }
    return out->failed ? HF_NOMEM : HF_OK;
}

enum hf_status hf_db_cache_path(const char *const *paths, size_t count, struct hf_bytes how,
                                struct hf_buffer *path)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_buffer_counted(&text, how);
    enum hf_status st = describe(&text, paths, count);
    if (st != HF_OK)
        return st;
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_digests digests = {0};
    if (hasher == NULL ||
        hf_digest_add(hasher, hf_buffer_view(&text), 1u << HF_SHA256, &digests) != HF_OK)
        return HF_NOMEM;
    char *dir = hf_path_dir(HF_PATH_CACHE);
    if (dir == NULL)
        return HF_NOTFOUND;
    hf_buffer_format(path, "%s/" PREFIX, dir);
    free(dir);
    hf_hex(path, hf_bytes_of(digests.value[HF_SHA256], 20));
    hf_buffer_text(path, ENDING);
    hf_buffer_u8(path, 0);
    return path->failed ? HF_NOMEM : HF_OK;
}

int hf_db_cache_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        close(fd);
        return -1;
    }
    /* Access times may be off; the month counts from here. It is not read to the minute. */
    const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_OMIT}};
    (void)futimens(fd, now);
    return fd;
}

static bool is_ours(const char *name)
{
    size_t len = strlen(name), ending = sizeof ENDING - 1;
    return len > ending && strncmp(name, PREFIX, sizeof PREFIX - 1) == 0 &&
           strcmp(name + len - ending, ENDING) == 0;
}

static void remove_unused(const char *dir)
{
    DIR *all = opendir(dir);
    if (all == NULL)
        return;
    time_t now = time(NULL);
    for (struct dirent *e; (e = readdir(all)) != NULL;) {
        struct stat st;
        if (is_ours(e->d_name) &&
            fstatat(dirfd(all), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_atim.tv_sec < now - KEEP_SECONDS &&
            st.st_mtim.tv_sec < now - KEEP_SECONDS)
            (void)unlinkat(dirfd(all), e->d_name, 0);
    }
    closedir(all);
}

enum hf_status hf_db_cache_prepare(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *dir = strndup(path, slash != NULL ? (size_t)(slash - path) : 0);
    if (dir == NULL)
        return HF_NOMEM;
    enum hf_status st = hf_path_make(dir);
    int error = errno;
    if (st == HF_OK)
        remove_unused(dir);
    free(dir);
    errno = error;
    return st;
}
