#include "store/file_systems.h"

#include "base/auto.h"
#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U /* Linux 6.8: never used again for another mount */
#endif

enum { LAYERS_MAX = 8 };

bool hf_file_system_type_is_trusted(unsigned long type)
{
    /* tmpfs is none of them: writes through mappings leave its times alone. */
    static const unsigned long types[] = {
        0xEF53,                                         /* ext2, ext3, ext4 */
        0x58465342,                                     /* XFS */
        BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, 0xCA451A4E /* bcachefs */
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i] == type)
            return true;
    return false;
}

/* ---- disks ---- */

/* The first letter of a small file of sysfs; 0: there is none. */
static char letter_in(const char *dir, const char *name)
{
    char path[PATH_MAX], letter = 0;
    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return 0;
    if (read(fd, &letter, 1) != 1)
        letter = 0;
    close(fd);
    return letter;
}

static void close_folder(DIR **folder)
{
    if (*folder != NULL)
        closedir(*folder);
}

static bool is_fixed(const char *sys, const char *name, unsigned depth);

/* Whether all that a layer lies on is fixed. *has_parts: whether it is a layer at all. */
static bool parts_are_fixed(const char *sys, const char *dir, unsigned depth,
                            bool *has_parts)
{
    char path[PATH_MAX];
    *has_parts = false;
    if (snprintf(path, sizeof path, "%s/slaves", dir) >= (int)sizeof path)
        return false;
    HF_AUTO(close_folder) DIR *folder = opendir(path);
    bool fixed = true;
    for (struct dirent *e; folder != NULL && fixed && (e = readdir(folder)) != NULL;) {
        char part[PATH_MAX];
        if (e->d_name[0] == '.')
            continue;
        *has_parts = true;
        fixed = snprintf(part, sizeof part, "%s/%s", path, e->d_name) < (int)sizeof part &&
                is_fixed(sys, part, depth + 1);
    }
    return fixed;
}

/* What a disk's own folder in sysfs says. */
static bool disk_says_fixed(const char *dir)
{
    const char *last = strrchr(dir, '/');
    bool is_image = last != NULL && strncmp(last, "/loop", 5) == 0;
    bool is_network =
        last != NULL && (strncmp(last, "/nbd", 4) == 0 || strncmp(last, "/rbd", 4) == 0);
    return !is_image && !is_network && strstr(dir, "/usb") == NULL &&
           letter_in(dir, "removable") == '0' &&
           letter_in(dir, "device/type") != 'S'; /* SD */
}

/* link: of a disk or a partition, which lies in its disk's folder. */
static bool is_fixed(const char *sys, const char *link, unsigned depth)
{
    char dir[PATH_MAX];
    bool has_parts;
    if (depth > LAYERS_MAX || realpath(link, dir) == NULL)
        return false;
    if (letter_in(dir, "partition") != 0)
        *strrchr(dir, '/') = 0;
    bool fixed = parts_are_fixed(sys, dir, depth, &has_parts);
    return has_parts ? fixed : disk_says_fixed(dir);
}

bool hf_disk_is_fixed(const char *sys, unsigned major_number, unsigned minor_number)
{
    char link[PATH_MAX];
    if (snprintf(link, sizeof link, "%s/dev/block/%u:%u", sys, major_number,
                 minor_number) >= (int)sizeof link)
        return false;
    return is_fixed(sys, link, 0);
}

/* ---- mounts ---- */

/* The device that a mount was made from, out of its line in mountinfo; 0 when that is none.
 * [proc(5), /proc/pid/mountinfo: fields behind " - " are type and source] */
static dev_t source_of(uint64_t mount)
{
    char *line = NULL;
    size_t room = 0;
    dev_t device = 0;
    FILE *f = fopen("/proc/self/mountinfo", "re");
    while (f != NULL && getline(&line, &room, f) > 0) {
        char source[PATH_MAX];
        char *rest = strstr(line, " - ");
        struct stat st;
        if (strtoull(line, NULL, 10) != mount || rest == NULL)
            continue;
        if (sscanf(rest, " - %*s %4095s", source) == 1 && source[0] == '/' &&
            stat(source, &st) == 0 && S_ISBLK(st.st_mode))
            device = st.st_rdev;
        break;
    }
    if (f != NULL)
        (void)fclose(f);
    free(line);
    return device;
}

static void look(struct hf_file_system *row, int at, const char *name, int flags)
{
    struct statx again;
    struct statfs fs;
    int open_flags =
        O_PATH | O_CLOEXEC | ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0);
    HF_AUTO(hf_fd_release)
    int fd = (flags & AT_EMPTY_PATH) != 0 && name[0] == 0 ? fcntl(at, F_DUPFD_CLOEXEC, 0)
                                                          : openat(at, name, open_flags);
    if (fd < 0 || fstatfs(fd, &fs) != 0 ||
        statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &again) != 0 ||
        makedev(again.stx_dev_major, again.stx_dev_minor) != row->device)
        return;
    memcpy(&row->id, &fs.f_fsid, sizeof row->id);
    if (!hf_file_system_type_is_trusted((unsigned long)fs.f_type))
        return;
    dev_t disk = source_of(again.stx_mnt_id);
    if (disk == 0 && again.stx_dev_major != 0)
        disk = makedev(again.stx_dev_major, again.stx_dev_minor);
    row->trusted = disk != 0 && hf_disk_is_fixed("/sys", major(disk), minor(disk));
}

const struct hf_file_system *hf_file_system_of(struct hf_file_systems *known, int at,
                                               const char *name, int flags,
                                               const struct statx *about)
{
    if ((about->stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) == 0)
        return NULL;
    uint64_t device = makedev(about->stx_dev_major, about->stx_dev_minor);
    for (size_t i = 0; i < known->count; i++) {
        size_t at_row = (known->last + i) % known->count;
        const struct hf_file_system *row = &known->rows[at_row];
        if (row->mount == about->stx_mnt_id && row->device == device) {
            known->last = at_row;
            return row;
        }
    }
    if (known->count == HF_FILE_SYSTEMS_MAX)
        return NULL;
    struct hf_file_system *row = &known->rows[known->count++];
    *row = (struct hf_file_system){.mount = about->stx_mnt_id, .device = device};
    look(row, at, name, flags);
    return row;
}
