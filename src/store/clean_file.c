#include "store/clean_file.h"

#include "db/coding.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

/* Clocks of file systems tick every few milliseconds, network time may step a little. */
enum { YOUNG_SECONDS = 2 };

static void put_time(uint8_t *at, const struct statx_timestamp *t)
{
    hf_put_le64(at, (uint64_t)t->tv_sec);
    hf_put_le32(at + 8, t->tv_nsec);
}

static bool is_settled(const struct statx_timestamp *t, const struct timespec *now)
{
    int64_t limit = now->tv_sec - YOUNG_SECONDS;
    return t->tv_sec < limit || (t->tv_sec == limit && t->tv_nsec < now->tv_nsec);
}

static void fill_stat(const struct statx *about, struct stat *st)
{
    *st = (struct stat){
        .st_dev = makedev(about->stx_dev_major, about->stx_dev_minor),
        .st_ino = about->stx_ino,
        .st_mode = about->stx_mode,
        .st_nlink = about->stx_nlink,
        .st_uid = about->stx_uid,
        .st_gid = about->stx_gid,
        .st_size = (off_t)about->stx_size,
        .st_mtim = {about->stx_mtime.tv_sec, (long)about->stx_mtime.tv_nsec},
        .st_ctim = {about->stx_ctime.tv_sec, (long)about->stx_ctime.tv_nsec},
    };
}

bool hf_clean_file_look(struct hf_file_systems *known, int at, const char *name, int flags,
                        struct hf_clean_file *file, struct stat *st)
{
    struct statx about;
    struct timespec now;
    unsigned mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID | 0x4000U /* unique */;
    if (statx(at, name, flags, mask, &about) != 0 || !S_ISREG(about.stx_mode) ||
        clock_gettime(CLOCK_REALTIME, &now) != 0)
        return false;
    if (!is_settled(&about.stx_ctime, &now) || !is_settled(&about.stx_mtime, &now))
        return false;
    const struct hf_file_system *fs = hf_file_system_of(known, at, name, flags, &about);
    if (fs == NULL || !fs->trusted)
        return false;
    uint8_t *b = file->bytes;
    memset(b, 0, sizeof file->bytes);
    hf_put_le64(b, fs->id);
    hf_put_le64(b + 8, fs->device);
    hf_put_le64(b + 16, about.stx_ino);
    hf_put_le64(b + 24, about.stx_size);
    if ((about.stx_mask & STATX_BTIME) != 0)
        put_time(b + 32, &about.stx_btime);
    put_time(b + 44, &about.stx_mtime);
    put_time(b + 56, &about.stx_ctime);
    if (st != NULL)
        fill_stat(&about, st);
    return true;
}

bool hf_clean_file_has_no_writer(int fd)
{
    /* A read lease is refused while a writer exists. [fcntl(2), F_SETLEASE] */
    if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
        return false;
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return true;
}
