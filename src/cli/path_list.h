/* path_list.h - the paths to scan: operands, then the entries of --files-from, read as they are
 * needed: a list may be longer than memory, or come from a pipe that is still being written. */
#ifndef HF_CLI_PATH_LIST_H
#define HF_CLI_PATH_LIST_H

#include "base/buffer.h"
#include "base/status.h"

struct hf_path_list {
    const char *const *operands; /* borrowed */
    size_t operand_count, at;
    int fd;                 /* of the list; -1: none. Owned unless it is standard input */
    uint8_t ending;         /* of an entry: '\n' or 0 */
    struct hf_buffer block; /* read and not handed out yet: from start */
    size_t start;
    bool ended; /* nothing more to read */
};

/* file: a path, "-" for standard input, or NULL. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_path_list_open(struct hf_path_list *list,
                                             const char *const *operands,
                                             size_t operand_count, const char *file,
                                             bool zero_ended);
void hf_path_list_done(struct hf_path_list *list);

/* Whether the next path (or the end) can be had without waiting; waits for that at most
 * timeout_ms, or until a signal comes. */
bool hf_path_list_ready(struct hf_path_list *list, int timeout_ms);

/* The next path, borrowed until the next call; empty lines are passed over. HF_OK; HF_NOTFOUND:
 * there is none; HF_STOPPED: a signal came, ask again; HF_IO with errno, HF_LIMIT (a path of more than 16 MiB), HF_NOMEM. */
HF_MUST_USE enum hf_status hf_path_list_next(struct hf_path_list *list,
                                             struct hf_bytes *path);

#endif
