#include "cli/standard_input.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMORY_MAX = 4 << 20, PIECE = 256 * 1024 };

/* The worker gets no right to write: a second descriptor of the spool file, for reading. Where
 * /proc is missing its jail alone must forbid that. */
static int read_only(int spool)
{
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", spool);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    return fd >= 0 || errno != ENOENT ? fd : fcntl(spool, F_DUPFD_CLOEXEC, 0);
}

/* One read. HF_OK with *n 0 at the end. */
static enum hf_status read_piece(uint8_t *to, size_t size,
                                 const volatile sig_atomic_t *stop, size_t *n)
{
    for (;;) {
        if (*stop != 0)
            return HF_STOPPED;
        ssize_t got = read(STDIN_FILENO, to, size);
        if (got < 0 && errno == EINTR)
            continue;
        *n = got < 0 ? 0 : (size_t)got;
        return got < 0 ? HF_IO : HF_OK;
    }
}

/* Copy what has been read and the rest into an unlinked file. */
static enum hf_status spool(const struct hf_buffer *begun, uint64_t max,
                            const volatile sig_atomic_t *stop, int *fd, bool *spooling)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer piece = {0};
    *spooling = true;
    HF_AUTO(hf_fd_release) int file = hf_path_spool_open();
    if (file < 0 || hf_fd_write(file, begun->data, begun->len) != HF_OK)
        return HF_IO;
    uint64_t total = begun->len;
    uint8_t *to = hf_buffer_reserve(&piece, PIECE);
    if (to == NULL)
        return HF_NOMEM;
    for (size_t n = 1; n > 0; total += n) {
        *spooling = false;
        enum hf_status st = read_piece(to, PIECE, stop, &n);
        if (st != HF_OK)
            return st;
        if (max != 0 && n > max - total)
            return HF_LIMIT;
        *spooling = true;
        if (hf_fd_write(file, to, n) != HF_OK)
            return HF_IO;
    }
    *fd = read_only(file);
    return *fd >= 0 ? HF_OK : HF_IO;
}

enum hf_status hf_standard_input_open(int *fd, uint64_t max,
                                      const volatile sig_atomic_t *stop, bool *spooling)
{
    struct stat st;
    *spooling = false;
    *fd = -1;
    if (fstat(STDIN_FILENO, &st) != 0)
        return HF_IO;
    if (S_ISREG(st.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0 &&
        (fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY) {
        *fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        return *fd >= 0 ? HF_OK : HF_IO;
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer begun = {0};
    while (begun.len < MEMORY_MAX) {
        size_t n;
        uint8_t *to = hf_buffer_reserve(&begun, PIECE);
        if (to == NULL)
            return HF_NOMEM;
        enum hf_status got = read_piece(to, PIECE, stop, &n);
        if (got != HF_OK)
            return got;
        begun.len += n;
        if (max != 0 && begun.len > max)
            return HF_LIMIT;
        if (n == 0) {
            *fd = hf_memfd_of("holdfast-stdin", hf_buffer_view(&begun));
            *spooling = *fd < 0;
            return *fd >= 0 ? HF_OK : HF_IO;
        }
    }
    return spool(&begun, max, stop, fd, spooling);
}
