#include "cli/path_list.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 16 << 20, READ_SIZE = 64 * 1024 };

enum hf_status hf_path_list_open(struct hf_path_list *list, const char *const *operands,
                                 size_t operand_count, const char *file, bool zero_ended)
{
    *list = (struct hf_path_list){.operands = operands,
                                  .operand_count = operand_count,
                                  .fd = -1,
                                  .ending = zero_ended ? 0 : '\n',
                                  .ended = file == NULL};
    if (file != NULL)
        list->fd = strcmp(file, "-") == 0 ? STDIN_FILENO
                                          : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return file == NULL || list->fd >= 0 ? HF_OK : HF_IO;
}

void hf_path_list_done(struct hf_path_list *list)
{
    if (list->fd != STDIN_FILENO)
        hf_fd_release(&list->fd);
    hf_buffer_done(&list->block);
}

/* Read more behind what is there. */
static enum hf_status fill(struct hf_path_list *list)
{
    struct hf_buffer *b = &list->block;
    if (list->start > 0) {
        memmove(b->data, b->data + list->start, b->len - list->start);
        b->len -= list->start;
        list->start = 0;
    }
    if (b->len > PATH_BYTES_MAX)
        return HF_LIMIT;
    uint8_t *to = hf_buffer_reserve(b, READ_SIZE);
    if (to == NULL)
        return HF_NOMEM;
    ssize_t n = read(list->fd, to, READ_SIZE);
    if (n < 0)
        return errno == EINTR ? HF_STOPPED : HF_IO;
    b->len += (size_t)n;
    list->ended = n == 0;
    return HF_OK;
}

bool hf_path_list_ready(struct hf_path_list *list, int timeout_ms)
{
    size_t left = list->block.len - list->start;
    if (list->at < list->operand_count || list->ended ||
        (left > 0 && memchr(list->block.data + list->start, list->ending, left) != NULL))
        return true;
    struct pollfd one = {.fd = list->fd, .events = POLLIN};
    int got = poll(&one, 1, timeout_ms);
    return got > 0 || (got < 0 && errno != EINTR);
}

enum hf_status hf_path_list_next(struct hf_path_list *list, struct hf_bytes *path)
{
    if (list->at < list->operand_count) {
        *path = hf_bytes_text(list->operands[list->at++]);
        return HF_OK;
    }
    for (size_t looked = 0;;) {
        const uint8_t *from = list->block.data + list->start;
        size_t left = list->block.len - list->start;
        const uint8_t *end =
            left > looked ? memchr(from + looked, list->ending, left - looked) : NULL;
        if (end == NULL && !list->ended) {
            looked = left;
            enum hf_status st = fill(list);
            if (st != HF_OK)
                return st;
            continue;
        }
        if (left == 0)
            return HF_NOTFOUND;
        size_t len =
            end != NULL ? (size_t)(end - from) : left; /* the last may lack its ending */
        list->start += len + (end != NULL);
        looked = 0;
        if (len > 0) {
            *path = hf_bytes_of(from, len);
            return HF_OK;
        }
    }
}
