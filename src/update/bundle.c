#include "update/bundle.h"

#include "base/auto.h"
#include "base/fd.h"
#include "feed/fields.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct hf_bundle {
    int fd;
    struct hf_buffer index;
    struct hf_bundle_file *files;
    char **names;
    size_t count;
    uint64_t data; /* where the first file begins */
};

bool hf_feed_path_valid(struct hf_bytes path)
{
    if (path.len == 0 || path.len > 200)
        return false;
    size_t part = 0;
    bool dots = true;
    for (size_t i = 0; i <= path.len; i++) {
        uint8_t ch = i < path.len ? path.data[i] : '/';
        if (ch == '/') {
            if (part == 0 || dots)
                return false;
            part = 0;
            dots = true;
            continue;
        }
        if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9') && ch != '.' &&
            ch != '-')
            return false;
        dots = dots && ch == '.';
        part++;
    }
    return true;
}

enum hf_refusal hf_bundle_read_index(struct hf_bytes bytes, struct hf_bundle_file *files,
                                     size_t room, size_t *count, size_t *data)
{
    struct hf_fields f = hf_fields_begin(bytes, "holdfast-bundle v1", NULL);
    uint64_t at = 0;
    *count = 0;
    while (hf_fields_if(&f, "file")) {
        if (*count == room)
            return HF_REFUSE_FETCH_LONG;
        struct hf_bundle_file *file = &files[*count];
        file->size = hf_field_number(&f);
        file->path = hf_field_word(&f, 200);
        file->offset = at;
        if (f.failed || !hf_feed_path_valid(file->path) || file->size > INT64_MAX / 2 ||
            at > INT64_MAX / 2)
            return HF_REFUSE_FETCH;
        at += file->size;
        ++*count;
    }
    if (f.failed || f.rest.len > 0 || hf_u8(&f.c) != '\n' || f.c.failed)
        return HF_REFUSE_FETCH;
    *data = bytes.len - hf_cursor_left(&f.c);
    return HF_ACCEPTED;
}

static bool name_files(struct hf_bundle *b)
{
    b->names = calloc(b->count + 1, sizeof *b->names);
    for (size_t i = 0; b->names != NULL && i < b->count; i++) {
        b->names[i] = strndup((const char *)b->files[i].path.data, b->files[i].path.len);
        if (b->names[i] == NULL)
            return false;
    }
    return b->names != NULL;
}

enum hf_refusal hf_bundle_open(int fd, struct hf_bundle **out)
{
    struct stat st;
    struct hf_bundle *b = calloc(1, sizeof *b);
    size_t data = 0, got = 0;
    *out = NULL;
    if (b == NULL)
        return HF_REFUSE_NOMEM;
    b->fd = fcntl(fd, F_DUPFD_CLOEXEC, 5);
    b->files = calloc(HF_BUNDLE_FILES_MAX, sizeof *b->files);
    enum hf_refusal r = HF_REFUSE_NOMEM;
    if (b->fd >= 0 && b->files != NULL && fstat(b->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        size_t want =
            st.st_size < HF_BUNDLE_INDEX_MAX ? (size_t)st.st_size : HF_BUNDLE_INDEX_MAX;
        uint8_t *at = hf_buffer_reserve(&b->index, want + 1);
        if (at != NULL && hf_fd_read_at(b->fd, at, want, 0, &got) == HF_OK) {
            b->index.len = got;
            r = hf_bundle_read_index(hf_buffer_view(&b->index), b->files,
                                     HF_BUNDLE_FILES_MAX, &b->count, &data);
        }
    } else if (b->fd >= 0) {
        r = HF_REFUSE_FETCH;
    }
    if (r == HF_ACCEPTED && !name_files(b))
        r = HF_REFUSE_NOMEM;
    b->data = data;
    if (r == HF_ACCEPTED)
        *out = b;
    else
        hf_bundle_free(b);
    return r;
}

void hf_bundle_free(struct hf_bundle *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; b->names != NULL && i < b->count; i++)
        free(b->names[i]);
    free((void *)b->names);
    free(b->files);
    hf_buffer_done(&b->index);
    hf_fd_release(&b->fd);
    free(b);
}

int hf_bundle_fd(const struct hf_bundle *bundle)
{
    return bundle->fd;
}

bool hf_bundle_find(const struct hf_bundle *b, const char *path, uint64_t *offset,
                    uint64_t *size)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->names[i], path) == 0) {
            *offset = b->data + b->files[i].offset;
            *size = b->files[i].size;
            return true;
        }
    return false;
}

enum hf_refusal hf_bundle_get(const struct hf_bundle *b, const char *path, size_t max,
                              struct hf_buffer *out)
{
    uint64_t at, size;
    size_t got = 0;
    if (!hf_bundle_find(b, path, &at, &size))
        return HF_REFUSE_FETCH;
    if (size > max)
        return HF_REFUSE_FETCH_LONG;
    uint8_t *to = hf_buffer_reserve(out, (size_t)size + 1);
    if (to == NULL)
        return HF_REFUSE_NOMEM;
    if (hf_fd_read_at(b->fd, to, (size_t)size, at, &got) != HF_OK || got != size)
        return HF_REFUSE_FETCH;
    out->len += got;
    return HF_ACCEPTED;
}

const char *hf_bundle_at(const struct hf_bundle *b, size_t number, uint64_t *size)
{
    if (number >= b->count)
        return NULL;
    *size = b->files[number].size;
    return b->names[number];
}
