/* feed_bundle.c - a folder as one file: the writing side of update/bundle.h. */
#include "cli/feed_tools.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "update/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct listing {
    char **paths;
    uint64_t *sizes;
    size_t count;
};

static enum hf_status list(int dir, const char *prefix, struct listing *all)
{
    int fd = openat(dir, prefix[0] != 0 ? prefix : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
    if (entries == NULL) {
        hf_fd_release(&fd);
        return HF_IO;
    }
    enum hf_status st = HF_OK;
    for (struct dirent *e; st == HF_OK && (e = readdir(entries)) != NULL;) {
        char *path = NULL;
        struct stat about;
        if (e->d_name[0] == '.')
            continue;
        if (asprintf(&path, "%s%s%s", prefix, prefix[0] != 0 ? "/" : "", e->d_name) < 0)
            st = HF_NOMEM;
        else if (fstatat(dir, path, &about, AT_SYMLINK_NOFOLLOW) != 0)
            st = HF_IO;
        else if (S_ISDIR(about.st_mode))
            st = list(dir, path, all);
        else if (S_ISREG(about.st_mode) && all->count < HF_BUNDLE_FILES_MAX) {
            all->sizes[all->count] = (uint64_t)about.st_size;
            all->paths[all->count++] = path;
            continue;
        } else
            st = HF_LIMIT;
        free(path);
    }
    closedir(entries);
    return st;
}

static enum hf_status append(int dir, const char *path, uint64_t size, int out)
{
    struct hf_map map = {0};
    HF_AUTO(hf_fd_release) int fd = hf_file_open(dir, path);
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK)
        return HF_IO;
    enum hf_status st = map.len == size ? hf_fd_write(out, map.data, map.len) : HF_IO;
    hf_map_release(&map);
    return st;
}

enum hf_status hf_feed_bundle(int dir, int out)
{
    struct listing all = {.paths = calloc(HF_BUNDLE_FILES_MAX, sizeof(char *)),
                          .sizes = calloc(HF_BUNDLE_FILES_MAX, sizeof(uint64_t))};
    HF_AUTO(hf_buffer_done) struct hf_buffer index = {0};
    enum hf_status st =
        all.paths == NULL || all.sizes == NULL ? HF_NOMEM : list(dir, "", &all);
    hf_buffer_text(&index, "holdfast-bundle v1\n");
    for (size_t i = 0; i < all.count; i++)
        hf_buffer_format(&index, "file %" PRIu64 " %s\n", all.sizes[i], all.paths[i]);
    hf_buffer_u8(&index, '\n');
    if (st == HF_OK)
        st = index.failed || index.len > HF_BUNDLE_INDEX_MAX
                 ? HF_LIMIT
                 : hf_fd_write(out, index.data, index.len);
    for (size_t i = 0; st == HF_OK && i < all.count; i++)
        st = append(dir, all.paths[i], all.sizes[i], out);
    for (size_t i = 0; i < all.count; i++)
        free(all.paths[i]);
    free((void *)all.paths);
    free(all.sizes);
    return st;
}
