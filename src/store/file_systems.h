/* file_systems.h - which file systems keep their word: on these a file whose inode, size and change
 * time are the same as before has the same bytes as before. On others (network, FUSE, memory,
 * removable or user-made images) times can be set, or writes through mappings do not move them. */
#ifndef HF_STORE_FILE_SYSTEMS_H
#define HF_STORE_FILE_SYSTEMS_H

#include "base/status.h"

#include <sys/stat.h>

enum { HF_FILE_SYSTEMS_MAX = 64 };

/* A mounted file system that was looked at. */
struct hf_file_system {
    uint64_t mount;  /* as statx numbers it */
    uint64_t device; /* st_dev */
    uint64_t id;     /* f_fsid: stays over a restart where the file system has one */
    bool trusted;
};

/* Those seen so far; zeros to begin with. */
struct hf_file_systems {
    struct hf_file_system rows[HF_FILE_SYSTEMS_MAX];
    size_t count, last; /* last: where the previous question was answered */
};

/*
 * The file system of a file.
 *
 * at, name, flags  as statx takes them (AT_EMPTY_PATH for an open descriptor); asked only when the
 *                  mount was not seen before.
 * about            of that file, with STATX_MNT_ID.
 * Returns NULL when it cannot be told (an old kernel, too many mounts): not to be trusted.
 */
const struct hf_file_system *hf_file_system_of(struct hf_file_systems *known, int at,
                                               const char *name, int flags,
                                               const struct statx *about);

/* Whether a type of file system (statfs f_type) moves the change time with every write, through
 * mappings too, and lets nobody set it. */
bool hf_file_system_type_is_trusted(unsigned long type);

/* Whether a disk is part of the machine: not removable, no image in somebody's file; layers
 * (encryption, volumes) are as their parts. sys: where sysfs is, "/sys". */
bool hf_disk_is_fixed(const char *sys, unsigned major_number, unsigned minor_number);

#endif
