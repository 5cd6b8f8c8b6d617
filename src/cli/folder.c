#include "cli/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

void hf_folder_done(struct hf_folder *folder)
{
    hf_buffer_done(&folder->text);
    free(folder->at);
    *folder = (struct hf_folder){0};
}

const char *hf_folder_name(const struct hf_folder *folder, size_t index)
{
    return (const char *)folder->text.data + folder->at[index] + 1;
}

unsigned char hf_folder_type(const struct hf_folder *folder, size_t index)
{
    return folder->text.data[folder->at[index]];
}

static enum hf_status add_entry(struct hf_folder *folder, unsigned char type,
                                const char *name)
{
    if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))
        return HF_OK;
    if (folder->text.len > UINT32_MAX)
        return HF_LIMIT;
    if (folder->count == folder->room) {
        size_t room = folder->room > 0 ? folder->room * 2 : 16;
        uint32_t *at = reallocarray(folder->at, room, sizeof *at);
        if (at == NULL)
            return HF_NOMEM;
        folder->at = at;
        folder->room = room;
    }
    uint32_t start = (uint32_t)folder->text.len;
    hf_buffer_u8(&folder->text, type);
    hf_buffer_add(&folder->text, name, strlen(name) + 1);
    if (folder->text.failed)
        return HF_NOMEM;
    folder->at[folder->count++] = start;
    return HF_OK;
}

static int compare(const void *a, const void *b, void *user)
{
    const uint8_t *text = user;
    return strcmp((const char *)text + *(const uint32_t *)a + 1,
                  (const char *)text + *(const uint32_t *)b + 1);
}

enum hf_status hf_folder_read(struct hf_folder *folder, int fd)
{
    _Alignas(struct dirent64) char block[32 * 1024];
    enum hf_status st = HF_OK;
    int error = 0;
    *folder = (struct hf_folder){0};
    while (st == HF_OK) {
        ssize_t n = getdents64(fd, block, sizeof block);
        if (n < 0) {
            error = errno;
            st = HF_IO;
        }
        if (n <= 0)
            break;
        for (ssize_t at = 0; at < n && st == HF_OK;) {
            const struct dirent64 *e = (const struct dirent64 *)(const void *)(block + at);
            st = add_entry(folder, e->d_type, e->d_name);
            at += e->d_reclen;
        }
    }
    if (folder->count > 1)
        qsort_r(folder->at, folder->count, sizeof *folder->at, compare, folder->text.data);
    errno = error;
    return st;
}

static int open_once(int fd, const char *name, int flags)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)flags,
                           .resolve = RESOLVE_NO_MAGICLINKS};
    int got = (int)syscall(SYS_openat2, fd, name, &how, sizeof how);
    if (got >= 0 || errno != ENOSYS)
        return got;
    /* Linux before 5.6. Magic links are then stopped by /proc not being walked at all. */
    return openat(fd, name, flags);
}

int hf_folder_open(int fd, const char *name, int flags)
{
    flags |= O_RDONLY | O_CLOEXEC;
    if ((flags & O_PATH) != 0)
        return open_once(fd, name, flags);
    flags |= O_NOCTTY | O_NONBLOCK;
    int got = open_once(fd, name, flags | O_NOATIME);
    /* Only the owner may leave access times alone. */
    return got < 0 && errno == EPERM ? open_once(fd, name, flags) : got;
}

bool hf_folder_is_kernels(int fd)
{
    /* Named here where <linux/magic.h> of some system lacks them. */
    enum {
        CONFIGFS = 0x62656570,
        FUSECTL = 0x65735543,
        MQUEUE = 0x19800202,
        RPC_PIPEFS = 0x67596969
    };
    static const uint32_t kernels[] = {
        PROC_SUPER_MAGIC,
        SYSFS_MAGIC,
        DEVPTS_SUPER_MAGIC,
        CGROUP_SUPER_MAGIC,
        CGROUP2_SUPER_MAGIC,
        DEBUGFS_MAGIC,
        TRACEFS_MAGIC,
        SECURITYFS_MAGIC,
        PSTOREFS_MAGIC,
        EFIVARFS_MAGIC,
        BPF_FS_MAGIC,
        SELINUX_MAGIC,
        SMACK_MAGIC,
        BINFMTFS_MAGIC,
        NSFS_MAGIC,
        CONFIGFS,
        FUSECTL,
        MQUEUE,
        RPC_PIPEFS,
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0)
        return false;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if ((uint32_t)fs.f_type == kernels[i])
            return true;
    return false;
}
