/* The parent's end of the template: start by posix_spawn, handshake, what it says, its end. */
#include "jail/pool_internal.h"

#include "base/auto.h"
#include "base/fd.h"
#include "jail/channel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_TIMEOUT_MS = 1000 };

#define WORKER_MEMORY (UINT64_C(2) << 30) /* private; larger children go to the spool */

static bool add_file_actions(posix_spawn_file_actions_t *actions, int channel)
{
    return posix_spawn_file_actions_adddup2(actions, channel, HF_CONTROL_FD) == 0;
}

/* Signals as a new program expects them, whatever the host blocks or ignores, and a session of
 * its own: Ctrl-C is the parent's business, and there is no terminal to type into. */
static bool add_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID;
    return posix_spawnattr_setsigmask(attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(attributes, &all) == 0 &&
           posix_spawnattr_setflags(attributes, flags) == 0;
}

/* Returns 0 or an errno. */
static int spawn(struct hf_pool *pool, struct hf_pool_template *t, int channel)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char name[] = "holdfast-worker";
    char *argv[] = {name, NULL};
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    int failed = ENOMEM;
    if (posix_spawnattr_init(&attributes) == 0) {
        if (add_file_actions(&actions, channel) && add_attributes(&attributes))
            failed = posix_spawn(&t->pid, pool->worker_path, &actions, &attributes, argv,
                                 pool->environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static enum hf_status send_config(struct hf_pool *pool, const struct hf_pool_template *t)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer values = {0};
    const struct hf_pool_options *o = &pool->options;
    int fds[HF_DB_FDS_MAX + 1];
    size_t count = t->db_count;
    memcpy(fds, t->db_fds, count * sizeof *fds);
    if (o->report_fd > 0)
        fds[count++] = o->report_fd;
    if (o->has_externals)
        hf_told_put_values(&values, o->externals, o->external_count);
    struct hf_msg_config config = {
        .limits = o->limits,
        .all_match = o->all_match,
        .inspect = o->inspect,
        .note_digests = o->note_digests,
        .flat = o->flat,
        .tell = o->tell,
        .has_report = o->report_fd > 0,
        .has_externals = o->has_externals,
        .externals = hf_buffer_view(&values),
        .form = o->form,
        .memory = WORKER_MEMORY,
    };
    hf_buffer_clear(&pool->out);
    hf_msg_put_config(&pool->out, &config);
    if (pool->out.failed || values.failed)
        return HF_NOMEM;
    if (values.len > HF_EXTERNALS_BYTES_MAX)
        return HF_LIMIT;
    return hf_channel_send(t->control, hf_buffer_view(&pool->out), fds, count, true);
}

static bool readable(int fd, int timeout_ms)
{
    uint64_t end = hf_pool_now() + (uint64_t)timeout_ms;
    for (;;) {
        uint64_t now = hf_pool_now();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = poll(&p, 1, now < end ? (int)(end - now) : 0);
        if (n > 0 || (n == 0 && now >= end) || (n < 0 && errno != EINTR))
            return n > 0;
    }
}

static enum hf_status say_wrong(const struct hf_pool *pool, struct hf_buffer *error,
                                const char *wrong)
{
    if (error != NULL)
        hf_buffer_format(error, "%s %s",
                         pool->worker_path != NULL ? pool->worker_path : "holdfast-worker",
                         wrong);
    return HF_CRASHED;
}

enum hf_status hf_pool_template_ready(struct hf_pool *pool, struct hf_pool_template *t,
                                      struct hf_buffer *error)
{
    struct hf_datagram d = {.data = pool->datagram, .room = sizeof pool->datagram};
    struct hf_message m;
    if (hf_channel_receive(t->control, &d, false) != HF_OK)
        return say_wrong(pool, error, "ended before it was ready");
    struct hf_arena_mark mark = hf_arena_mark(pool->arena);
    struct hf_cursor c = hf_cursor_open(d.data, d.len, NULL);
    bool good = hf_msg_next(&c, pool->arena, &m) == HF_OK && m.type == HF_MSG_READY &&
                hf_cursor_left(&c) == 0;
    hf_arena_rewind(pool->arena, mark);
    if (!good)
        return say_wrong(pool, error, "is of another version");
    if (m.ready.status != HF_OK && error != NULL)
        hf_buffer_bytes(error, m.ready.text);
    if (m.ready.status == HF_OK) {
        pool->stats.layers = m.ready.layers;
        t->state = TEMPLATE_READY;
        t->since = hf_pool_now();
    }
    return m.ready.status;
}

/* Returns 0 or an errno. */
static int start_process(struct hf_pool *pool, struct hf_pool_template *t, int channel)
{
    t->host = pool->options.host;
    if (t->host == NULL)
        return spawn(pool, t, channel);
    t->pid = 0;
    t->token = t->host->start(t->host->user, channel);
    return t->token != 0 ? 0 : EAGAIN;
}

enum hf_status hf_pool_template_begin(struct hf_pool *pool, struct hf_pool_template *t,
                                      struct hf_buffer *error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        if (error != NULL)
            hf_buffer_format(error, "no channel to the worker: %s", strerror(errno));
        return HF_IO;
    }
    t->control = ends[0];
    pool->stats.templates_started++;
    int failed = start_process(pool, t, ends[1]);
    close(ends[1]);
    if (failed == 0 && !hf_pool_watch(pool, t->control))
        failed = errno;
    if (failed != 0) {
        hf_fd_release(&t->control);
        if (error != NULL)
            hf_buffer_format(error, "%s cannot be started: %s",
                             pool->worker_path != NULL ? pool->worker_path
                                                       : "holdfast-worker",
                             strerror(failed));
        return failed == ENOENT ? HF_NOTFOUND : failed == ENOMEM ? HF_NOMEM : HF_CRASHED;
    }
    /* For killing it without doubt about whom; a host that collects all children may be first. */
    t->pidfd = t->pid > 0 ? (int)syscall(SYS_pidfd_open, t->pid, 0) : -1;
    t->state = TEMPLATE_LOADING;
    t->since = hf_pool_now();
    t->crashes = 0;
    enum hf_status st = send_config(pool, t);
    if (st == HF_OK || errno == EPIPE) /* it may have left a word why it ended */
        return HF_OK;
    hf_pool_template_stop(t);
    return st;
}

enum hf_status hf_pool_template_start(struct hf_pool *pool, struct hf_pool_template *t,
                                      struct hf_buffer *error)
{
    pool->template_starts++;
    enum hf_status st = hf_pool_template_begin(pool, t, error);
    if (st != HF_OK || pool->options.host != NULL)
        return st; /* with a host, READY comes when it comes */
    st = readable(t->control, HF_POOL_READY_TIMEOUT_MS)
             ? hf_pool_template_ready(pool, t, error)
             : say_wrong(pool, error, "does not answer");
    if (st != HF_OK)
        hf_pool_template_stop(t);
    return st;
}

/* The template ends when its control channel closes, and its workers with it. */
void hf_pool_template_release(struct hf_pool_template *t)
{
    hf_fd_release(&t->control);
    if (t->host != NULL && t->token != 0)
        t->host->stop(t->host->user, t->token);
    t->token = 0;
    t->state = TEMPLATE_ENDING;
    t->since = hf_pool_now();
}

/* One that is stuck in the kernel is nobody's hostage: killed, and then left behind. */
bool hf_pool_template_poll(struct hf_pool_template *t)
{
    int status;
    uint64_t waited = hf_pool_now() - t->since;
    bool gone = t->pidfd < 0 || readable(t->pidfd, 0);
    if (!gone && waited >= STOP_TIMEOUT_MS)
        (void)syscall(SYS_pidfd_send_signal, t->pidfd, SIGKILL, NULL, 0);
    if (!gone && waited < 2 * STOP_TIMEOUT_MS)
        return false;
    hf_fd_release(&t->pidfd);
    if (t->pid > 0)
        (void)waitpid(t->pid, &status, WNOHANG);
    t->pid = 0;
    t->state = TEMPLATE_NONE;
    return true;
}

void hf_pool_template_stop(struct hf_pool_template *t)
{
    if (t->state == TEMPLATE_NONE)
        return;
    if (t->state != TEMPLATE_ENDING)
        hf_pool_template_release(t);
    while (!hf_pool_template_poll(t))
        (void)readable(t->pidfd, STOP_TIMEOUT_MS);
}

static struct hf_pool_worker *find_worker(struct hf_pool *pool, uint32_t serial)
{
    for (unsigned i = 0; i < pool->options.workers; i++)
        if (pool->workers[i].state != WORKER_NONE && pool->workers[i].serial == serial)
            return &pool->workers[i];
    return NULL;
}

static void on_exited(struct hf_pool *pool, uint32_t serial, bool never_lived)
{
    struct hf_pool_worker *w = find_worker(pool, serial);
    if (w == NULL)
        return; /* its channel said so before, and that was enough */
    if (never_lived) {
        hf_pool_worker_judge(pool, w, false);
        hf_pool_slow_down(pool);
        return;
    }
    if (w->state == WORKER_LIVE)
        hf_pool_worker_receive(pool,
                               w); /* what it still said; may be all there was to do */
    if (w->state != WORKER_NONE && w->serial == serial)
        hf_pool_worker_judge(pool, w, true);
}

/* Returns false when it is no message that a template sends. */
static bool handle(struct hf_pool *pool, const struct hf_message *m, int *fd)
{
    if (m->type == HF_MSG_EXITED) {
        on_exited(pool, m->exited.serial, m->exited.wait_status == HF_NEVER_LIVED);
        return *fd < 0;
    }
    if (m->type != HF_MSG_FORKED || *fd < 0)
        return false;
    struct hf_pool_worker *w = find_worker(pool, m->forked.serial);
    if (w == NULL) /* given up already: let it not live on without anybody who watches */
        (void)syscall(SYS_pidfd_send_signal, *fd, SIGKILL, NULL, 0);
    if (w == NULL || w->pidfd >= 0)
        return w == NULL;
    w->pidfd = *fd;
    *fd = -1;
    if (w->state == WORKER_DYING)
        hf_pool_worker_kill(pool, w);
    return true;
}

enum hf_status hf_pool_template_receive(struct hf_pool *pool, struct hf_pool_template *t)
{
    for (;;) {
        HF_AUTO(hf_fd_release) int fd = -1;
        struct hf_datagram d = {.data = pool->datagram,
                                .room = sizeof pool->datagram,
                                .fds = &fd,
                                .fd_room = 1};
        enum hf_status st = hf_channel_receive(t->control, &d, false);
        if (st == HF_LIMIT)
            return HF_OK;
        if (st != HF_OK)
            return HF_NOTFOUND;
        struct hf_message m;
        struct hf_arena_mark mark = hf_arena_mark(pool->arena);
        struct hf_cursor c = hf_cursor_open(d.data, d.len, NULL);
        bool good = hf_msg_next(&c, pool->arena, &m) == HF_OK && hf_cursor_left(&c) == 0 &&
                    handle(pool, &m, &fd);
        hf_arena_rewind(pool->arena, mark);
        if (!good)
            return HF_NOTFOUND;
    }
}
