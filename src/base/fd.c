#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void hf_fd_release(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

enum hf_status hf_fd_read_at(int fd, void *to, size_t size, uint64_t offset, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = pread(fd, (uint8_t *)to + *got, size - *got, (off_t)(offset + *got));
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return HF_IO;
        *got += (size_t)n;
    }
    return HF_OK;
}

enum hf_status hf_fd_write(int fd, const void *from, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, (const uint8_t *)from + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return HF_IO;
        done += (size_t)n;
    }
    return HF_OK;
}

enum hf_status hf_fd_read_all(int fd, size_t max, struct hf_buffer *out)
{
    size_t start = out->len;
    for (;;) {
        size_t want = 64 * 1024;
        uint8_t *to = hf_buffer_reserve(out, want);
        if (to == NULL)
            return HF_NOMEM;
        ssize_t n = read(fd, to, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return HF_IO;
        if (n == 0)
            return HF_OK;
        out->len += (size_t)n;
        if (out->len - start > max)
            return HF_LIMIT;
    }
}

enum hf_status hf_map_open(int fd, struct hf_map *map)
{
    *map = (struct hf_map){0};
    struct stat st;
    if (fstat(fd, &st) != 0)
        return HF_IO;
    if (st.st_size == 0)
        return HF_OK;
    if ((uint64_t)st.st_size > SIZE_MAX)
        return HF_NOMEM;
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return errno == ENOMEM ? HF_NOMEM : HF_IO;
    *map = (struct hf_map){.data = p, .len = (size_t)st.st_size};
    return HF_OK;
}

void hf_map_release(struct hf_map *map)
{
    if (map->data != NULL)
        munmap((void *)(uintptr_t)map->data, map->len);
    *map = (struct hf_map){0};
}

int hf_memfd_of(const char *name, struct hf_bytes bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (hf_fd_write(fd, bytes.data, bytes.len) != HF_OK ||
        fcntl(fd, F_ADD_SEALS, seals) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool hf_fd_limit_files(const char *bytes)
{
    char *end = NULL;
    errno = EINVAL;
    if (bytes == NULL || bytes[0] < '0' || bytes[0] > '9')
        return false;
    unsigned long long n = strtoull(bytes, &end, 10);
    const struct rlimit most = {n, n};
    return *end == 0 && setrlimit(RLIMIT_FSIZE, &most) == 0;
}
