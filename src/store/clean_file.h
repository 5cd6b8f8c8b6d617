/* clean_file.h - by what the content of a file is recognised without reading it: where it lies and
 * when it changed. */
#ifndef HF_STORE_CLEAN_FILE_H
#define HF_STORE_CLEAN_FILE_H

#include "store/file_systems.h"

enum { HF_CLEAN_FILE_BYTES = 80 };

/* File system, device, inode, size, times of birth, modification and change, in a fixed order. */
struct hf_clean_file {
    uint8_t bytes[HF_CLEAN_FILE_BYTES];
};

/*
 * Look at a file, without opening it when a name is given.
 *
 * at, name, flags  as statx takes them.
 * st               what fstat would say, as far as an opener asks: may be NULL.
 * Returns false when it is not one whose content is told by this: not a regular file, a file system
 * that is not trusted, or times too close to now (or ahead of it): another write would fall into
 * the same tick of the clock.
 */
bool hf_clean_file_look(struct hf_file_systems *known, int at, const char *name, int flags,
                        struct hf_clean_file *file, struct stat *st);

/*
 * Whether nobody has an open file open for writing or mapped for it. Whoever has could go on
 * changing bytes without moving the time again. Only the owner of a file (and root) may ask; for
 * others the answer is false.
 *
 * fd  opened read-only. A lease is taken and given back, so SIGIO may be sent to the caller, who
 *     should ignore it.
 */
bool hf_clean_file_has_no_writer(int fd);

#endif
