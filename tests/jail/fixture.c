#include "fixture.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct fixture *f = user;
    assert_true(id < f->next);
    struct outcome *o = &f->outcomes[id];
    o->reports++;
    o->status = status;
    o->verdict = report->verdict;
    o->reasons = report->reasons;
    o->findings = report->finding_count;
    o->incidents = report->incident_count;
    if (report->finding_count > 0) {
        const struct hf_finding *first = &report->findings[0];
        o->number = first->signature.number;
        o->offset = first->offset;
        o->path_count = first->path.count;
        o->path_name = first->path.count > 0 ? first->path.names[0].len : 0;
    }
}

struct fixture *fixture_open(const char *jail, const struct hf_pool_options *options)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    setenv("HOLDFAST_JAIL", jail, 1);
    int db = hf_memfd_of("db", hf_bytes_text("db"));
    struct hf_pool_options o = *options;
    o.worker_path = HOSTILE_WORKER;
    o.db_fds = &db;
    o.db_count = 1;
    struct hf_buffer error = {0};
    enum hf_status st = hf_pool_open(&f->pool, &o, on_done, f, &error);
    if (st != HF_OK)
        fail_msg("no pool: %.*s", (int)error.len, (const char *)error.data);
    close(db);
    hf_buffer_done(&error);
    return f;
}

void fixture_close(struct fixture *f)
{
    hf_pool_close(f->pool);
    free(f);
}

uint64_t fixture_submit_fd(struct fixture *f, int fd)
{
    assert_true(fd >= 0 && f->next < OBJECTS_MAX);
    while (hf_pool_room(f->pool) == 0)
        assert_int_equal(hf_pool_wait(f->pool, -1), HF_OK);
    uint64_t id = f->next++;
    assert_int_equal(hf_pool_submit(f->pool, fd, id), HF_OK);
    return id;
}

uint64_t fixture_submit(struct fixture *f, const char *text)
{
    return fixture_submit_fd(f, hf_memfd_of("object", hf_bytes_text(text)));
}

void fixture_finish(struct fixture *f)
{
    hf_pool_flush(f->pool);
    while (hf_pool_pending(f->pool) > 0)
        assert_int_equal(hf_pool_wait(f->pool, -1), HF_OK);
    for (uint64_t i = 0; i < f->next; i++)
        assert_int_equal(f->outcomes[i].reports, 1);
}

const struct outcome *fixture_run(struct fixture *f, const char *text)
{
    uint64_t id = fixture_submit(f, text);
    fixture_finish(f);
    return &f->outcomes[id];
}

void assert_clean(const struct outcome *o)
{
    assert_int_equal(o->status, HF_OK);
    assert_int_equal(o->reasons, 0);
    assert_int_equal(o->verdict, HF_CLEAN);
}

void assert_unscannable(const struct outcome *o, enum hf_reason reason)
{
    assert_int_equal(o->status, HF_OK);
    assert_int_equal(o->reasons, reason);
    assert_int_equal(o->verdict, HF_UNSCANNABLE);
    assert_int_equal(o->incidents, 1);
}

size_t children_of(pid_t parent, pid_t *out, size_t room)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    size_t count = 0;
    char *end = NULL;
    for (char *word = strtok_r(text, " \n", &end); word != NULL && count < room;
         word = strtok_r(NULL, " \n", &end))
        out[count++] = (pid_t)strtol(word, NULL, 10);
    return count;
}
