#include "base/files.h"

#include "base/auto.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int hf_file_open(int dir, const char *path)
{
    if (dir == AT_FDCWD)
        return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) /* before Linux 5.6, or filtered away */
        fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    return fd;
}

enum hf_status hf_file_read(int dir, const char *path, size_t max, struct hf_buffer *out)
{
    HF_AUTO(hf_fd_release) int fd = hf_file_open(dir, path);
    struct stat st;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? HF_NOTFOUND : HF_IO;
    if (fstat(fd, &st) != 0)
        return HF_IO;
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return HF_IO;
    }
    return hf_fd_read_all(fd, max, out);
}

enum hf_status hf_file_make_parents(int dir, const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return HF_NOMEM;
    int failed = 0;
    for (char *slash = strchr(copy + 1, '/'); slash != NULL && !failed;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        failed = mkdirat(dir, copy, 0755) != 0 && errno != EEXIST;
        *slash = '/';
    }
    int error = errno;
    free(copy);
    errno = error;
    return failed ? HF_IO : HF_OK;
}

enum hf_status hf_file_sync_parent(int dir, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    if (parent == NULL)
        return HF_NOMEM;
    HF_AUTO(hf_fd_release) int fd = openat(dir, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(parent);
    return fd >= 0 && fsync(fd) == 0 ? HF_OK : HF_IO;
}

enum hf_status hf_file_replace(int dir, const char *path, struct hf_bytes bytes,
                               unsigned mode)
{
    char *beside = NULL;
    enum hf_status st = hf_file_make_parents(dir, path);
    if (st != HF_OK)
        return st;
    if (asprintf(&beside, "%s.new%ld", path, (long)getpid()) < 0)
        return HF_NOMEM;
    HF_AUTO(hf_fd_release)
    int fd =
        openat(dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    st = HF_IO;
    if (fd >= 0 && hf_fd_write(fd, bytes.data, bytes.len) == HF_OK && fsync(fd) == 0 &&
        renameat(dir, beside, dir, path) == 0)
        st = hf_file_sync_parent(dir, path);
    else if (fd >= 0) {
        int error = errno;
        (void)unlinkat(dir, beside, 0);
        errno = error;
    }
    int error = errno;
    free(beside);
    errno = error;
    return st;
}

enum hf_status hf_file_remove_all(int dir, const char *path)
{
    if (unlinkat(dir, path, 0) == 0 || errno == ENOENT)
        return HF_OK;
    if (errno != EISDIR && errno != EPERM)
        return HF_IO;
    int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *all = fd >= 0 ? fdopendir(fd) : NULL;
    if (all == NULL) {
        if (fd >= 0)
            close(fd);
        return HF_IO;
    }
    enum hf_status st = HF_OK;
    for (struct dirent *e; st == HF_OK && (e = readdir(all)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            st = hf_file_remove_all(dirfd(all), e->d_name);
    closedir(all);
    if (st == HF_OK && unlinkat(dir, path, AT_REMOVEDIR) != 0)
        st = HF_IO;
    return st;
}
