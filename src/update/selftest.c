#include "update/selftest.h"

#include "base/auto.h"
#include "base/fd.h"
#include "jail/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 32, WHOLE_FACTOR = 4, WHY_MAX = 400 };

struct sample {
    const char *name;
    int fd;
    bool bad; /* must be found */
};

struct test {
    struct sample samples[SAMPLES_MAX];
    size_t count, done;
    enum hf_refusal refusal;
    struct hf_buffer why;
};

static void add(struct test *t, const char *name, int fd, bool bad)
{
    if (fd >= 0 && t->count < SAMPLES_MAX)
        t->samples[t->count++] = (struct sample){name, fd, bad};
    else
        hf_fd_release(&fd);
}

/* The public test file, never whole in a program's bytes. [eicar.org] */
static int make_eicar(void)
{
    static const char first[] = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$";
    HF_AUTO(hf_buffer_done) struct hf_buffer b = {0};
    hf_buffer_text(&b, first);
    hf_buffer_text(&b, "EICAR-STANDARD-");
    hf_buffer_text(&b, "ANTIVIRUS-TEST-FILE!$H+H*");
    return hf_memfd_of("known-bad", hf_buffer_view(&b));
}

static void collect(struct test *t)
{
    static const struct {
        const char *name, *text;
    } texts[] = {
        {"a line of text", "The quick brown fox jumps over the lazy dog.\n"},
        {"a script", "#!/bin/sh\nset -eu\nfor f in *.txt; do wc -l \"$f\"; done\n"},
        {"a web page", "<!DOCTYPE html><html><head><title>Hello</title></head><body>"
                       "<p>Nothing to see.</p></body></html>\n"},
        {"some JSON", "{\"name\": \"holdfast\", \"list\": [1, 2, 3], \"on\": true}\n"},
    };
    /* Programs that every system has. Not our own: they hold the test signatures as text. */
    static const char *const files[] = {
        "/bin/sh",  "/bin/ls",       "/usr/bin/env", "/bin/cat",      "/usr/bin/sort",
        "/bin/tar", "/usr/bin/gpgv", "/bin/mount",   "/usr/bin/perl", "/usr/bin/python3"};
    static const uint8_t zeros[4096];
    add(t, "the EICAR test file", make_eicar(), true);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add(t, texts[i].name, hf_memfd_of("known-good", hf_bytes_text(texts[i].text)),
            false);
    add(t, "zeros", hf_memfd_of("known-good", hf_bytes_of(zeros, sizeof zeros)), false);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        add(t, files[i], open(files[i], O_RDONLY | O_CLOEXEC), false);
}

static void refuse(struct test *t, enum hf_refusal r, const struct sample *sample)
{
    if (t->refusal != HF_ACCEPTED)
        return;
    t->refusal = r;
    hf_buffer_text(&t->why, sample->name);
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct test *t = user;
    const struct sample *sample = &t->samples[id];
    t->done++;
    if (status != HF_OK)
        return; /* the file itself could not be read */
    if ((report->reasons & HF_REASON_CRASH) != 0)
        refuse(t, HF_REFUSE_TEST_CRASH, sample);
    else if ((report->reasons & HF_REASON_TIMEOUT) != 0)
        refuse(t, HF_REFUSE_TEST_TIME, sample);
    else if ((report->reasons & HF_REASON_LIMIT) != 0)
        refuse(t, HF_REFUSE_TEST_MEMORY, sample);
    else if (sample->bad && report->verdict != HF_INFECTED)
        refuse(t, HF_REFUSE_TEST_BAD, sample);
    else if (!sample->bad && report->finding_count > 0)
        refuse(t, HF_REFUSE_TEST_GOOD, sample);
}

static uint64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void scan_all(struct test *t, struct hf_pool *pool, uint64_t time_ms)
{
    uint64_t end = clock_ms() + time_ms * WHOLE_FACTOR;
    size_t next = 0;
    while (t->refusal == HF_ACCEPTED && t->done < t->count) {
        while (next < t->count && hf_pool_room(pool) > 0) {
            int fd = t->samples[next].fd;
            t->samples[next].fd = -1;
            if (hf_pool_submit(pool, fd, next) != HF_OK)
                break;
            next++;
        }
        hf_pool_flush(pool);
        uint64_t now = clock_ms();
        if (now >= end) {
            t->refusal = HF_REFUSE_TEST_TIME;
            hf_buffer_text(&t->why, "all files together");
        } else if (hf_pool_wait(pool, (int)(end - now)) != HF_OK) {
            t->refusal = HF_REFUSE_TEST_CRASH;
            hf_buffer_text(&t->why, "no worker comes up any more");
        }
    }
}

/* In a process of its own, so that the bound on memory is inherited by template and workers. */
static void run(const struct hf_selftest_options *options, struct test *t)
{
    const struct rlimit memory = {options->memory, options->memory};
    struct hf_pool_options pool_options = {
        .workers = 1, .db_fds = options->db_fds, .db_count = options->db_count};
    struct hf_pool *pool = NULL;
    hf_limits_default(&pool_options.limits);
    pool_options.limits.time_ms = options->time_ms;
    collect(t);
    if (setrlimit(RLIMIT_DATA, &memory) != 0)
        t->refusal = HF_REFUSE_JAIL;
    enum hf_status st = t->refusal != HF_ACCEPTED
                            ? HF_OK
                            : hf_pool_open(&pool, &pool_options, on_done, t, &t->why);
    if (st == HF_NOTFOUND)
        t->refusal = HF_REFUSE_JAIL;
    else if (st != HF_OK)
        t->refusal = HF_REFUSE_TEST_CRASH;
    if (pool != NULL)
        scan_all(t, pool, options->time_ms);
    hf_pool_close(pool);
}

enum hf_refusal hf_selftest_run(const struct hf_selftest_options *options,
                                struct hf_buffer *why)
{
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return HF_REFUSE_JAIL;
    pid_t pid = fork();
    if (pid == 0) {
        struct test t = {.refusal = HF_ACCEPTED};
        close(ends[0]);
        run(options, &t);
        (void)!hf_fd_write(ends[1], t.why.data, t.why.len < WHY_MAX ? t.why.len : WHY_MAX);
        _exit((int)t.refusal);
    }
    close(ends[1]);
    if (pid > 0)
        (void)!hf_fd_read_all(ends[0], WHY_MAX, why);
    close(ends[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) >= HF_REFUSALS)
        return HF_REFUSE_JAIL;
    return (enum hf_refusal)WEXITSTATUS(status);
}
