/* listener.c - the process that talks to clients: one loop, no threads. It may accept on sockets
 * that it was given, read and write connections, make memory files and unlinked ones, and hand
 * descriptors to workers; it opens no path, starts no program, and counts as a client's from the
 * first byte on. What it cannot do itself it asks for: the opener opens, the supervisor starts. */
#include "daemon/listener_internal.h"

#include "base/fd.h"
#include "base/text.h"
#include "daemon/rights.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    EVENTS = 256,
    ACCEPT_AT_ONCE = 64,
    SWEEP_MS = 500,
    FDS_RESERVED = 96, /* databases, logs, channels, what a new worker needs for a moment */
    FDS_OF_CLIENT = 3, /* its socket, a stream or descriptor, and that of an entry */
    BATCH = 8,         /* objects given to a worker at once */
    POOL_AGAIN_MS = 50, /* doubled by each failure, to some seconds */
    POOL_AGAIN_MAX_MS = 4000
};

uint64_t hf_daemon_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t hf_daemon_ms(void)
{
    return hf_daemon_us() / 1000;
}

void hf_listener_error(struct hf_listener *l, const char *format, ...)
{
    char *to = l->errors[l->error_count++ % HF_ERRORS_KEPT];
    char stamp[24] = "", text[sizeof l->errors[0]];
    time_t now = time(NULL);
    struct tm tm;
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(stamp, sizeof stamp, "%H:%M:%S ", &tm);
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    (void)snprintf(to, sizeof l->errors[0], "%s%s", stamp, text);
    hf_log_line(&l->log, HF_LOG_WARNING, "%s", text);
}

void hf_listener_tell(struct hf_listener *l, const struct hf_daemon_message *m)
{
    if (hf_daemon_send(l->supervisor, m, NULL, 0, false) != HF_OK)
        hf_listener_error(l, "the supervisor does not take a message");
}

/* Workers that fail may have new content to blame for it: the supervisor decides. A database that
 * no template could load counts as two crashes: there is no doubt what it was. */
static void tell_failures(struct hf_listener *l, struct hf_generation *g)
{
    struct hf_daemon_message m = {
        .type = HF_DAEMON_FAILED, .id = g->id, .number = g->crashes, .extra = g->delays};
    if (g->db == NULL || (m.number == 0 && m.extra == 0))
        return;
    g->crashes = g->delays = 0;
    hf_listener_tell(l, &m);
}

/* ---- generations ---- */

struct hf_generation *hf_listener_generation(struct hf_listener *l, uint64_t number)
{
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++)
        if (l->generations[i].db != NULL && l->generations[i].number == number)
            return &l->generations[i];
    return NULL;
}

const struct hf_generation *hf_listener_active(const struct hf_listener *l)
{
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++)
        if (l->generations[i].db != NULL && l->generations[i].active)
            return &l->generations[i];
    return NULL;
}

static void drop_generation(struct hf_generation *g)
{
    hf_db_close(g->db);
    hf_buffer_done(&g->text);
    for (size_t i = 0; i < g->fd_count; i++)
        close(g->fds[i]);
    *g = (struct hf_generation){0};
}

static void activate(struct hf_listener *l, struct hf_generation *g)
{
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++)
        l->generations[i].active = false;
    g->active = true;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    g->since_ms = hf_daemon_ms();
    g->wall_s = (uint64_t)t.tv_sec;
    hf_log_line(&l->log, HF_LOG_INFO, "Database generation %llu is active: %llu signatures",
                (unsigned long long)g->id, (unsigned long long)g->signatures);
    hf_listener_tell(l, &(struct hf_daemon_message){.type = HF_DAEMON_ACTIVE,
                                                    .id = g->id,
                                                    .number = g->signatures});
}

static void on_generation(void *user, uint64_t number, enum hf_pool_event event,
                          struct hf_bytes text)
{
    struct hf_listener *l = user;
    struct hf_generation *g = hf_listener_generation(l, number);
    if (g == NULL)
        return;
    if (event == HF_POOL_ACTIVE) {
        activate(l, g);
        l->counters.reloads++;
    } else {
        if (event == HF_POOL_REFUSED) {
            l->counters.reloads_refused++;
            g->crashes += 2;
            tell_failures(l, g);
            hf_listener_error(l, "a new database cannot be used: %.*s", (int)text.len,
                              (const char *)text.data);
        }
        drop_generation(g);
    }
}

/* ---- the pool ---- */

static uint64_t start_template(void *user, int channel)
{
    struct hf_listener *l = user;
    uint64_t token = ++l->template_token;
    struct hf_daemon_message m = {.type = HF_DAEMON_START, .id = token};
    return hf_daemon_send(l->supervisor, &m, &channel, 1, false) == HF_OK ? token : 0;
}

static void stop_template(void *user, uint64_t token)
{
    struct hf_listener *l = user;
    struct hf_daemon_message m = {.type = HF_DAEMON_STOP, .id = token};
    (void)!hf_daemon_send(l->supervisor, &m, NULL, 0, false);
}

static void watch(struct hf_listener *l, int fd, void *what)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = what};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        hf_listener_error(l, "cannot watch a descriptor: %s", strerror(errno));
}

/* Open one with the databases of a generation, which becomes its number 0. */
static void open_pool(struct hf_listener *l, struct hf_generation *g)
{
    struct hf_buffer error = {0};
    l->pool_options.db_fds = g->fds;
    l->pool_options.db_count = g->fd_count;
    enum hf_status st =
        hf_pool_open(&l->pool, &l->pool_options, hf_request_on_done, l, &error);
    if (st == HF_OK) {
        l->counters.pools++;
        l->pool_again_ms = 0;
        g->number = 0;
        watch(l, hf_pool_fd(l->pool), &l->pool);
        if (!g->active)
            activate(l, g);
    } else {
        uint64_t wait = (uint64_t)POOL_AGAIN_MS
                        << (l->pool_failures < 7 ? l->pool_failures : 7);
        l->pool_failures++;
        l->pool_again_ms =
            hf_daemon_ms() + (wait < POOL_AGAIN_MAX_MS ? wait : POOL_AGAIN_MAX_MS);
        hf_listener_error(l, "workers cannot be started: %.*s", (int)error.len,
                          (const char *)error.data);
    }
    hf_buffer_done(&error);
}

static void keep_counts(struct hf_listener *l)
{
    struct hf_pool_stats s = hf_pool_stats(l->pool);
    l->counters.workers_started += s.workers_started;
    l->counters.crashes += s.crashes;
    l->counters.timeouts += s.timeouts;
    l->counters.retries += s.retries;
    l->counters.abandoned += s.abandoned;
    l->counters.templates += s.templates_started;
}

/* The newest generation, also one that was about to be loaded. The others end with their pool. */
static struct hf_generation *newest(struct hf_listener *l)
{
    struct hf_generation *best = NULL;
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++) {
        struct hf_generation *g = &l->generations[i];
        if (g->db != NULL && (best == NULL || g->id > best->id))
            best = g;
    }
    return best;
}

static void lose_pool(struct hf_listener *l)
{
    struct hf_bytes why = hf_pool_error(l->pool);
    hf_listener_error(l, "the workers are started anew: %.*s", (int)why.len,
                      (const char *)why.data);
    keep_counts(l);
    hf_pool_close(l->pool);
    l->pool = NULL;
    struct hf_generation *keep = newest(l);
    if (keep != NULL)
        keep->crashes += 2;
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++)
        if (l->generations[i].db != NULL && &l->generations[i] != keep)
            drop_generation(&l->generations[i]);
    l->pool_failures++;
    l->pool_again_ms = hf_daemon_ms() + POOL_AGAIN_MS;
}

static void turn_pool(struct hf_listener *l)
{
    if (l->pool == NULL)
        return;
    if (hf_pool_turn(l->pool) != HF_OK) {
        lose_pool(l);
        return;
    }
    if (hf_pool_state(l->pool) == HF_POOL_READY)
        l->pool_failures = 0;
}

/* ---- the supervisor ---- */

/* Give the newest database that is not loaded yet to the pool; one that is loading another may take
 * it only later. Older ones that wait are not wanted any more. */
static void load_waiting(struct hf_listener *l)
{
    struct hf_generation *g = newest(l);
    if (l->pool == NULL || g == NULL || g->number != UINT64_MAX)
        return;
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++)
        if (l->generations[i].db != NULL && l->generations[i].number == UINT64_MAX &&
            &l->generations[i] != g)
            drop_generation(&l->generations[i]);
    enum hf_status st = hf_pool_reload(l->pool, g->fds, g->fd_count, &g->number);
    if (st == HF_OK)
        return;
    g->number = UINT64_MAX;
    if (st == HF_LIMIT)
        return;
    l->counters.reloads_refused++;
    hf_listener_error(l, "a new database cannot be loaded now: %s", hf_status_text(st));
    drop_generation(g);
}

static void on_database(struct hf_listener *l, struct hf_daemon_mail *mail)
{
    const struct hf_daemon_message *m = &mail->message;
    if (m->extra != HF_OK || mail->fd_count == 0) {
        l->counters.reloads_refused++;
        hf_listener_error(l, "the databases cannot be loaded: %.*s", (int)m->text.len,
                          (const char *)m->text.data);
        return;
    }
    struct hf_generation *g = l->generations;
    while (g < l->generations + HF_GENERATIONS_HELD && g->db != NULL)
        g++;
    struct hf_db *db = NULL;
    if (g == l->generations + HF_GENERATIONS_HELD ||
        hf_db_open(mail->fds, mail->fd_count, &db) != HF_OK) {
        l->counters.reloads_refused++;
        hf_listener_error(l, "a new database cannot be opened");
        return;
    }
    *g = (struct hf_generation){.db = db,
                                .number = UINT64_MAX,
                                .id = m->id,
                                .signatures = m->number,
                                .fd_count = mail->fd_count};
    hf_buffer_bytes(&g->text, m->text);
    memcpy(g->fds, mail->fds, mail->fd_count * sizeof *g->fds);
    mail->fd_count = 0;
    if (l->pool == NULL) {
        for (size_t i = 0; i < HF_GENERATIONS_HELD; i++)
            if (l->generations[i].db != NULL && &l->generations[i] != g)
                drop_generation(&l->generations[i]);
        open_pool(l, g);
        return;
    }
    load_waiting(l);
}

static void take_opener(struct hf_listener *l, struct hf_daemon_mail *mail)
{
    if (l->opener >= 0)
        hf_request_lose_opener(l);
    l->opener = mail->fds[0];
    mail->fd_count = 0;
    watch(l, l->opener, &l->opener);
}

static void take_logs(struct hf_listener *l, struct hf_daemon_mail *mail)
{
    hf_log_close(&l->log);
    size_t n = 0;
    if ((mail->message.number & 1) != 0 && n < mail->fd_count)
        l->log.file = mail->fds[n++];
    if ((mail->message.number & 2) != 0 && n < mail->fd_count)
        l->log.syslog = mail->fds[n++];
    l->log.full = false;
    for (; n < mail->fd_count; n++)
        close(mail->fds[n]);
    mail->fd_count = 0;
}

static void stop_accepting(struct hf_listener *l)
{
    for (size_t i = 0; i < l->setup->socket_count && l->accepting; i++)
        (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->setup->sockets[i].fd, NULL);
    l->accepting = false;
}

/* False: it is gone, and so are we. */
static bool from_supervisor(struct hf_listener *l)
{
    enum hf_status st;
    while ((st = hf_daemon_receive(l->supervisor, &l->mail, false)) == HF_OK) {
        struct hf_daemon_mail *mail = &l->mail;
        bool good = true;
        switch (mail->message.type) {
        case HF_DAEMON_BEAT:
            (void)!hf_daemon_send(l->supervisor, &mail->message, NULL, 0, false);
            break;
        case HF_DAEMON_DATABASE: on_database(l, mail); break;
        case HF_DAEMON_OPENER: take_opener(l, mail); break;
        case HF_DAEMON_LOGS: take_logs(l, mail); break;
        case HF_DAEMON_STANDING:
            hf_buffer_clear(&l->standing);
            hf_buffer_bytes(&l->standing, mail->message.text);
            hf_buffer_u8(&l->standing, 0);
            break;
        case HF_DAEMON_LEAVE:
            stop_accepting(l);
            l->leaving = true;
            if (mail->message.number != 0)
                hf_client_end_idle(l);
            break;
        default: good = false;
        }
        hf_daemon_close_fds(mail);
        if (!good)
            return false;
    }
    return st == HF_LIMIT;
}

/* ---- accepting ---- */

static bool may_user_control(const struct hf_listener *l, uid_t uid)
{
    const struct hf_text_list *users = &l->config->control_users;
    if (uid == 0 || uid == l->setup->owner || uid == geteuid())
        return true;
    for (size_t i = 0; i < users->count; i++) {
        uint64_t number;
        if (hf_parse_uint(hf_bytes_text(users->items[i]), &number) && number == uid)
            return true;
    }
    return false;
}

static void know_peer(struct hf_listener *l, struct hf_client *c,
                      const struct sockaddr_storage *from)
{
    char address[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;
    if (!c->tcp) {
        struct ucred who;
        socklen_t len = sizeof who;
        (void)snprintf(c->peer, sizeof c->peer, "local");
        c->may_control = getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
                         may_user_control(l, who.uid);
        return;
    }
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)from;
        (void)inet_ntop(AF_INET, &in->sin_addr, address, sizeof address);
        port = ntohs(in->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)from;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, address, sizeof address);
        port = ntohs(in6->sin6_port);
    }
    (void)snprintf(c->peer, sizeof c->peer, "%s@%u", address, port);
    for (size_t i = 0; i < l->config->tcp_control.count; i++)
        c->may_control =
            c->may_control || strcmp(l->config->tcp_control.items[i], address) == 0;
}

static void accept_all(struct hf_listener *l, const struct hf_listen_socket *socket)
{
    for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
        if (l->client_count >= l->client_max)
            hf_client_evict(l);
        if (l->client_count >= l->client_max)
            return; /* they wait in the kernel's queue */
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(socket->fd, (struct sockaddr *)&from, &len,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE)
                hf_client_evict(l);
            return;
        }
        struct hf_client *c = hf_client_open(l, fd, socket);
        if (c == NULL)
            return;
        know_peer(l, c, &from);
        if (l->config->log_verbose)
            hf_log_line(&l->log, HF_LOG_INFO, "connection from %s", c->peer);
        hf_client_ready(l, c, 0); /* mostly the command is there already */
    }
}

/* ---- the loop ---- */

static void size_by_descriptors(struct hf_listener *l)
{
    struct rlimit limit;
    uint64_t most = 1024;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        most = limit.rlim_cur;
    uint64_t left = most > 2 * FDS_RESERVED ? most - FDS_RESERVED : FDS_RESERVED;
    left = left / 2; /* the pool takes what it wants from the other half */
    l->client_max = (size_t)(left / FDS_OF_CLIENT);
    if (l->client_max > l->config->connections_max)
        l->client_max = (size_t)l->config->connections_max;
    if (l->client_max == 0)
        l->client_max = 1;
}

static int next_timeout(const struct hf_listener *l)
{
    int timeout = SWEEP_MS;
    if (l->pool != NULL) {
        int t = hf_pool_timeout(l->pool);
        if (t >= 0 && t < timeout)
            timeout = t;
    } else if (l->pool_again_ms != 0) {
        timeout = POOL_AGAIN_MS;
    }
    return timeout;
}

static void sweep(struct hf_listener *l)
{
    uint64_t now = hf_daemon_ms();
    load_waiting(l);
    if (l->pool == NULL && l->pool_again_ms != 0 && now >= l->pool_again_ms) {
        struct hf_generation *g = newest(l);
        if (g != NULL)
            open_pool(l, g);
    }
    if (now - l->swept_ms < SWEEP_MS)
        return;
    l->swept_ms = now;
    for (size_t i = 0; i < HF_GENERATIONS_HELD; i++)
        tell_failures(l, &l->generations[i]);
    hf_client_sweep(l, now);
}

static const struct hf_listen_socket *socket_of(const struct hf_listener *l,
                                                const void *what)
{
    for (size_t i = 0; i < l->setup->socket_count; i++)
        if (what == &l->setup->sockets[i])
            return &l->setup->sockets[i];
    return NULL;
}

/* Clients first, then what may free clients, and new ones last. False: the end. */
static bool handle(struct hf_listener *l, const struct epoll_event *events, int count)
{
    bool opener = false, supervisor = false;
    const struct hf_listen_socket *ready[HF_LISTEN_MAX];
    size_t ready_count = 0;
    for (int i = 0; i < count; i++) {
        void *what = events[i].data.ptr;
        const struct hf_listen_socket *socket = socket_of(l, what);
        if (what == &l->pool)
            continue; /* it gets its turn below */
        if (what == &l->opener)
            opener = true;
        else if (what == &l->supervisor)
            supervisor = true;
        else if (socket != NULL)
            ready[ready_count++] = socket;
        else
            hf_client_ready(l, what, events[i].events);
    }
    if (supervisor && !from_supervisor(l))
        return false;
    if (opener && l->opener >= 0)
        hf_request_from_opener(l);
    for (size_t i = 0; i < ready_count && l->accepting; i++)
        accept_all(l, ready[i]);
    hf_request_give(l);
    turn_pool(l);
    hf_request_give(l); /* what became free */
    return true;
}

static bool set_up(struct hf_listener *l, const struct hf_listener_setup *setup)
{
    l->setup = setup;
    l->config = setup->config;
    l->log = setup->log;
    l->log.is_sealed = true;
    l->supervisor = setup->supervisor;
    l->opener = setup->opener;
    l->queue_last = &l->queue;
    l->accepting = true;
    l->started_ms = l->swept_ms = hf_daemon_ms();
    l->host = (struct hf_pool_host){l, start_template, stop_template};
    l->pool_options = (struct hf_pool_options){
        .workers = (unsigned)(l->config->workers < 256 ? l->config->workers : 256),
        .all_match = l->config->all_match,
        .limits = l->config->limits,
        .on_generation = on_generation,
        .batch_max = BATCH,
        .host = &l->host};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    /* More workers than processors only cost: one that waits for a disk is rare. */
    if (processors > 0 && (l->pool_options.workers == 0 ||
                           l->pool_options.workers > 2 * (unsigned long)processors))
        l->pool_options.workers = (unsigned)processors;
    size_by_descriptors(l);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        return false;
    watch(l, l->supervisor, &l->supervisor);
    if (l->opener >= 0)
        watch(l, l->opener, &l->opener);
    for (size_t i = 0; i < setup->socket_count; i++)
        watch(l, setup->sockets[i].fd, (void *)(uintptr_t)&setup->sockets[i]);
    return true;
}

int hf_listener_run(const struct hf_listener_setup *setup)
{
    static struct hf_listener l; /* of the process; large */
    struct epoll_event events[EVENTS];
    if (!set_up(&l, setup))
        return 1;
    for (;;) {
        if (l.leaving && l.client_count == 0)
            return 0;
        int n = epoll_wait(l.epoll, events, EVENTS, next_timeout(&l));
        if (n < 0 && errno != EINTR)
            return 1;
        if (!handle(&l, events, n > 0 ? n : 0))
            return 0;
        sweep(&l);
    }
}
