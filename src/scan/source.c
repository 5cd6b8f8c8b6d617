#include "scan/source.h"

#include "base/fd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXTENTS_MAX = 65536, PAGE = 4096 };

/* The mapping of the source that is open, for the fault handler. A worker scans one object at a
 * time; a signal handler has no other way to its data. */
static struct {
    volatile uintptr_t start, end;
    volatile sig_atomic_t faulted;
} guarded;

void hf_source_buffer_done(struct hf_source_buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
}

/* By number: the libc's fstat may be newfstatat, which the jail refuses because it takes paths. */
static int status_of(int fd, struct stat *st)
{
    return (int)syscall(SYS_fstat, fd, st);
}

static uint64_t nanoseconds(struct timespec t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static enum hf_status read_small(struct hf_source *source, uint8_t *to)
{
    size_t got;
    enum hf_status st = hf_fd_read_at(source->fd, to, (size_t)source->size, 0, &got);
    source->bytes = hf_bytes_of(to, got);
    return st;
}

static enum hf_status read_buffered(struct hf_source *source,
                                    struct hf_source_buffer *buffer)
{
    if (buffer->data == NULL)
        buffer->data = malloc(HF_SOURCE_READ_MAX);
    return buffer->data == NULL ? HF_NOMEM : read_small(source, buffer->data);
}

/* Collect the runs of data of a sparse file. Returns whether all of them were found. */
static bool collect_extents(int fd, struct hf_extent **extents, size_t *count)
{
    size_t room = 1;
    for (off_t at = 0; *count < EXTENTS_MAX;) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0)
            return errno == ENXIO; /* no more data */
        off_t hole = lseek(fd, data, SEEK_HOLE);
        if (hole <= data)
            return false;
        if (*count == room) {
            room *= 2;
            struct hf_extent *more = realloc(*extents, room * sizeof *more);
            if (more == NULL)
                return false;
            *extents = more;
        }
        (*extents)[(*count)++] =
            (struct hf_extent){(uint64_t)data, (uint64_t)(hole - data)};
        at = hole;
    }
    return false;
}

/* Which parts of a sparse file hold data. Failing means only that holes are read as zeros. */
static void find_extents(struct hf_source *source)
{
    off_t kept = lseek(source->fd, 0, SEEK_CUR);
    struct hf_extent *extents =
        calloc(1, sizeof *extents); /* not NULL: a file of one hole */
    size_t count = 0;
    if (extents != NULL && collect_extents(source->fd, &extents, &count)) {
        source->extents = source->owned_extents = extents;
        source->extent_count = count;
    } else {
        free(extents);
    }
    if (kept >= 0)
        (void)lseek(source->fd, kept, SEEK_SET);
}

static enum hf_status map_large(struct hf_source *source, const struct stat *st)
{
    if (source->size > SIZE_MAX)
        return HF_NOMEM;
    void *p = mmap(NULL, (size_t)source->size, PROT_READ, MAP_PRIVATE, source->fd, 0);
    if (p == MAP_FAILED)
        return errno == ENOMEM ? HF_NOMEM : HF_IO;
    (void)madvise(p, (size_t)source->size, MADV_SEQUENTIAL);
    source->mapping = p;
    source->bytes = hf_bytes_of(p, (size_t)source->size);
    guarded.faulted = 0;
    guarded.start = (uintptr_t)p;
    guarded.end = (uintptr_t)p + (uintptr_t)source->size;
    if ((uint64_t)st->st_blocks * 512 < source->size)
        find_extents(source);
    return HF_OK;
}

static enum hf_status begin(struct hf_source *source, int fd, struct stat *st)
{
    *source = (struct hf_source){.fd = fd};
    if (status_of(fd, st) != 0)
        return HF_IO;
    if (!S_ISREG(st->st_mode))
        return HF_INVALID;
    source->size = (uint64_t)st->st_size;
    source->mtime_ns = nanoseconds(st->st_mtim);
    source->ctime_ns = nanoseconds(st->st_ctim);
    return HF_OK;
}

enum hf_status hf_source_open(struct hf_source *source, int fd,
                              struct hf_source_buffer *buffer)
{
    struct stat about;
    enum hf_status st = begin(source, fd, &about);
    if (st != HF_OK)
        return st;
    return source->size <= HF_SOURCE_READ_MAX ? read_buffered(source, buffer)
                                              : map_large(source, &about);
}

enum hf_status hf_source_read(struct hf_source *source, int fd, uint8_t *to, size_t room)
{
    struct stat about;
    enum hf_status st = begin(source, fd, &about);
    if (st != HF_OK)
        return st;
    return source->size > HF_SOURCE_READ_MAX || source->size > room
               ? HF_LIMIT
               : read_small(source, to);
}

void hf_source_memory(struct hf_source *source, struct hf_bytes bytes)
{
    *source = (struct hf_source){.fd = -1, .bytes = bytes, .size = bytes.len};
}

enum hf_status hf_source_close(struct hf_source *source)
{
    bool changed = source->bytes.len != source->size;
    if (source->mapping != NULL) {
        changed = changed || guarded.faulted != 0;
        guarded.start = guarded.end = 0;
        munmap(source->mapping, (size_t)source->size);
    }
    free(source->owned_extents);
    struct stat st;
    if (source->fd >= 0)
        changed = changed || status_of(source->fd, &st) != 0 ||
                  (uint64_t)st.st_size != source->size ||
                  nanoseconds(st.st_mtim) != source->mtime_ns ||
                  nanoseconds(st.st_ctim) != source->ctime_ns;
    *source = (struct hf_source){.fd = -1};
    return changed ? HF_CHANGED : HF_OK;
}

/* Where a file was cut, the rest of its mapping becomes zeros, for good: the parser that stands
 * in it goes on with what it would have read from a hole. All of the rest at once, for a fault a
 * page would cost seconds on a large file. Anything else dies as it would have. */
static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr;
    uintptr_t page = at / PAGE * PAGE;
    if (at >= guarded.start && at < guarded.end &&
        mmap((void *)page, guarded.end - page, PROT_READ,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
        guarded.faulted = 1;
        return;
    }
    signal(signal_number, SIG_DFL);
}

enum hf_status hf_source_guard_faults(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    return sigaction(SIGBUS, &action, NULL) == 0 ? HF_OK : HF_IO;
}
