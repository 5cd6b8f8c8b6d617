#include "update/source.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FETCH_TIMEOUT_MS = 3600 * 1000, COPY_STEP = 1 << 20 };

static bool begins(struct hf_bytes text, const char *word)
{
    size_t n = strlen(word);
    return text.len >= n && memcmp(text.data, word, n) == 0;
}

static enum hf_refusal open_local(struct hf_source *s)
{
    struct stat st;
    HF_AUTO(hf_fd_release) int fd = open(s->address, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        hf_buffer_format(&s->problem, "%s", strerror(errno));
        return HF_REFUSE_FETCH;
    }
    if (!S_ISDIR(st.st_mode))
        return hf_bundle_open(fd, &s->bundle);
    s->dir = fd;
    fd = -1;
    return HF_ACCEPTED;
}

enum hf_refusal hf_source_open(struct hf_source *s, struct hf_bytes address,
                               const struct hf_settings *settings)
{
    *s = (struct hf_source){.dir = -1, .fetcher = {.channel = -1}};
    size_t len = address.len;
    bool far = begins(address, "http://") || begins(address, "https://");
    if (begins(address, "file://"))
        address = hf_bytes_of(address.data + 7, len -= 7);
    while (len > 1 && address.data[len - 1] == '/')
        len--;
    s->address = strndup((const char *)address.data, len);
    if (s->address == NULL)
        return HF_REFUSE_NOMEM;
    if (!far)
        return open_local(s);
    s->rate = settings->rate;
    if (settings->proxy.len > 0) {
        s->proxy = strndup((const char *)settings->proxy.data, settings->proxy.len);
        if (s->proxy == NULL)
            return HF_REFUSE_NOMEM;
    }
    return hf_helper_start(&s->fetcher, "holdfast-fetch", -1, settings->largest);
}

void hf_source_done(struct hf_source *s)
{
    hf_fd_release(&s->dir);
    hf_bundle_free(s->bundle);
    hf_helper_end(&s->fetcher);
    free(s->address);
    free(s->proxy);
    hf_buffer_done(&s->problem);
}

/* Let the fetcher append to a file, at most to size bytes. */
static enum hf_refusal fetch(struct hf_source *s, const char *path, uint64_t size,
                             uint64_t have, int fd)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    char answer[1024];
    hf_buffer_format(&line, "get %llu %llu %llu %s %s/%s", (unsigned long long)size,
                     (unsigned long long)have, (unsigned long long)s->rate,
                     s->proxy != NULL ? s->proxy : "-", s->address, path);
    enum hf_refusal r = hf_helper_send(&s->fetcher, &line, &fd, 1);
    if (r == HF_ACCEPTED)
        r = hf_helper_receive(&s->fetcher, answer, sizeof answer, FETCH_TIMEOUT_MS);
    if (r != HF_ACCEPTED)
        return r == HF_REFUSE_JAIL ? HF_REFUSE_FETCH : r;
    unsigned long long got = 0;
    int number = 0, at = 0;
    if (sscanf(answer, "ok %llu", &got) == 1) {
        s->fetched += got;
        return HF_ACCEPTED;
    }
    hf_buffer_clear(&s->problem);
    if (sscanf(answer, "no %d %n", &number, &at) == 1 && at > 0)
        hf_escape(&s->problem, hf_bytes_text(answer + at));
    return number > 0 && number < HF_REFUSALS ? (enum hf_refusal)number : HF_REFUSE_FETCH;
}

static enum hf_refusal get_far(struct hf_source *s, const char *path, size_t max,
                               struct hf_buffer *out)
{
    HF_AUTO(hf_fd_release) int fd = memfd_create("fetched", MFD_CLOEXEC);
    if (fd < 0)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = fetch(s, path, max, 0, fd);
    if (r != HF_ACCEPTED)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return HF_REFUSE_FETCH;
    enum hf_status st = hf_fd_read_all(fd, max, out);
    return st == HF_OK      ? HF_ACCEPTED
           : st == HF_LIMIT ? HF_REFUSE_FETCH_LONG
                            : HF_REFUSE_FETCH;
}

static enum hf_refusal get(void *user, const char *path, size_t max, struct hf_buffer *out)
{
    struct hf_source *s = user;
    size_t before = out->len;
    if (s->fetcher.pid > 0)
        return get_far(s, path, max, out);
    enum hf_refusal r = HF_REFUSE_FETCH;
    if (s->bundle != NULL) {
        r = hf_bundle_get(s->bundle, path, max, out);
    } else {
        enum hf_status st = hf_file_read(s->dir, path, max, out);
        r = st == HF_OK      ? HF_ACCEPTED
            : st == HF_LIMIT ? HF_REFUSE_FETCH_LONG
                             : HF_REFUSE_FETCH;
    }
    s->fetched += out->len - before;
    return r;
}

struct hf_feed_source hf_source_as_feed(struct hf_source *source)
{
    return (struct hf_feed_source){.get = get, .user = source};
}

/* From an open file, which may be part of a bundle. */
static enum hf_refusal copy(struct hf_source *s, int from, uint64_t offset, uint64_t left,
                            int to)
{
    uint8_t *step = malloc(COPY_STEP);
    enum hf_refusal r = step == NULL ? HF_REFUSE_NOMEM : HF_ACCEPTED;
    while (r == HF_ACCEPTED && left > 0) {
        size_t got = 0, want = left < COPY_STEP ? (size_t)left : COPY_STEP;
        if (hf_fd_read_at(from, step, want, offset, &got) != HF_OK || got == 0)
            r = HF_REFUSE_FETCH;
        else if (hf_fd_write(to, step, got) != HF_OK)
            r = HF_REFUSE_DISK;
        offset += got;
        left -= got;
        s->fetched += got;
    }
    free(step);
    return r;
}

enum hf_refusal hf_source_resume(struct hf_source *s, const char *path, uint64_t size,
                                 int fd)
{
    off_t have = lseek(fd, 0, SEEK_END);
    if (have < 0 || (uint64_t)have > size)
        return HF_REFUSE_DISK;
    if ((uint64_t)have == size)
        return HF_ACCEPTED;
    if (s->fetcher.pid > 0)
        return fetch(s, path, size, (uint64_t)have, fd);
    if (s->bundle != NULL) {
        uint64_t at, length;
        if (!hf_bundle_find(s->bundle, path, &at, &length) || length != size)
            return HF_REFUSE_FETCH;
        return copy(s, hf_bundle_fd(s->bundle), at + (uint64_t)have, size - (uint64_t)have,
                    fd);
    }
    HF_AUTO(hf_fd_release) int from = hf_file_open(s->dir, path);
    struct stat st;
    if (from < 0 || fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
        return HF_REFUSE_FETCH;
    if ((uint64_t)st.st_size > size)
        return HF_REFUSE_FETCH_LONG;
    return copy(s, from, (uint64_t)have, size - (uint64_t)have, fd);
}
