/* supervisor.c - starts the others, watches them, replaces those that die or hang, and does what
 * they may not: bind, start programs, reload. It talks to its own children over channels and to
 * systemd; it reads its configuration and no other file, and no client's byte but names for
 * VirusEvent, which it hands on in the environment. */
#include "daemon/supervisor.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/paths.h"
#include "daemon/listener.h"
#include "daemon/loader.h"
#include "daemon/messages.h"
#include "daemon/opener.h"
#include "daemon/rights.h"
#include "daemon/sockets.h"
#include "daemon/updater.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CONFIG_BYTES_MAX = 1 << 20,
    TICK_MS = 250,
    BEAT_MS = 1000,
    TEMPLATES_MAX = 32,
    TEMPLATE_GRACE_MS = 2000,
    EVENTS_MAX = 8,       /* commands of VirusEvent at once */
    EVENTS_WAITING = 256, /* more are dropped, and counted in the log */
    RESTART_MS = 50,      /* doubled each time, to some seconds, while it dies young */
    RESTART_MAX_MS = 5000,
    YOUNG_MS = 2000,
    STOP_MS = 3000,   /* for answers under way when all ends */
    LOOK_MS = 600000, /* how updates stand is told this often at least: they grow old */
    LEAVE_MS = 120000 /* for those of a listener that another one has replaced */
};

struct child {
    pid_t pid; /* 0: none */
    int channel;
    uint64_t started_ms, restart_ms; /* restart: not before; 0: no need */
    unsigned deaths;                 /* young ones in a row */
    uint64_t beat, beat_seen_ms, beat_sent_ms;
};

/* A listener with its opener, under one configuration. */
struct service {
    bool used, leaving, active;
    struct hf_config config;
    struct hf_log log;
    struct child listener, opener;
    uint64_t leave_ms;
};
enum { CURRENT, OLD, SERVICES };

struct template_process {
    pid_t pid;
    uint64_t token, stop_ms; /* stop_ms: to be gone by then; 0: it works */
    struct service *service;
};

struct event {
    struct hf_buffer text; /* name, zero, object */
};

struct supervisor {
    const struct hf_supervisor_setup *setup;
    struct service services[SERVICES];
    struct hf_sockets sockets;
    struct hf_buffer config_text; /* as last read */
    struct template_process templates[TEMPLATES_MAX];
    /* databases */
    pid_t loader;
    int loader_channel;
    uint64_t loader_started_ms, generation, signatures, fingerprint, checked_ms;
    bool load_again, loaded;
    int db_fds[HF_DAEMON_FDS_MAX];
    size_t db_count;
    struct hf_buffer db_text;
    /* updates */
    pid_t updater;
    int updater_channel;
    struct hf_updater_task task; /* that waits: one updater at a time */
    uint64_t update_ms, look_ms;
    uint64_t condemned; /* failures up to this generation blame nobody any more */
    struct hf_buffer standing;
    /* VirusEvent */
    pid_t running_events[EVENTS_MAX];
    struct event waiting[EVENTS_WAITING];
    size_t waiting_first, waiting_count;
    uint64_t events_dropped;
    int signals;
    bool stopping, told_ready, failed;
    uint64_t stop_ms, watchdog_ms, watchdog_told_ms;
    sigset_t old_mask;
    pid_t pid;
    struct hf_daemon_mail mail;
};

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct hf_log *log_of(struct supervisor *s)
{
    return &s->services[CURRENT].log;
}

/* ---- configuration ---- */

static enum hf_status read_text(const char *path, struct hf_buffer *text,
                                struct hf_buffer *error)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum hf_status st = fd < 0 ? HF_IO : hf_fd_read_all(fd, CONFIG_BYTES_MAX, text);
    if (st != HF_OK)
        hf_buffer_format(error, "%s: %s", path,
                         st == HF_LIMIT ? "larger than a configuration can be"
                                        : strerror(errno));
    return st;
}

static enum hf_status parse(struct hf_config *config,
                            const struct hf_supervisor_setup *setup, struct hf_bytes text,
                            hf_config_on_note *on_note, void *user, struct hf_buffer *error)
{
    enum hf_status st = hf_config_init(config);
    if (st == HF_OK)
        st = (setup->clamd ? hf_config_read_clamd : hf_config_read)(
            config, setup->config_path, text, on_note, user, error);
    if (st == HF_OK)
        st = hf_config_check(config, error);
    if (st != HF_OK)
        hf_config_done(config);
    return st;
}

enum hf_status hf_supervisor_read(struct hf_config *config,
                                  const struct hf_supervisor_setup *setup,
                                  hf_config_on_note *on_note, void *user,
                                  struct hf_buffer *error)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    enum hf_status st = read_text(setup->config_path, &text, error);
    return st == HF_OK ? parse(config, setup, hf_buffer_view(&text), on_note, user, error)
                       : st;
}

/* Names of accounts become numbers while they can be looked up. */
static void resolve_users(struct hf_config *config)
{
    for (size_t i = 0; i < config->control_users.count; i++) {
        char **item = &config->control_users.items[i], *number = NULL;
        const struct passwd *who = getpwnam(*item);
        if (who != NULL && asprintf(&number, "%u", (unsigned)who->pw_uid) >= 0) {
            free(*item);
            *item = number;
        }
    }
}

/* ---- children ---- */

/* What a child keeps of our descriptors besides standard ones; keep is sorted by this. */
static void close_others(int *keep, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && keep[j] < keep[j - 1]; j--) {
            int t = keep[j];
            keep[j] = keep[j - 1];
            keep[j - 1] = t;
        }
    unsigned from = 3;
    for (size_t i = 0; i < count; i++) {
        if (keep[i] < 3)
            continue;
        if ((unsigned)keep[i] > from)
            (void)close_range(from, (unsigned)keep[i] - 1, 0);
        from = (unsigned)keep[i] + 1;
    }
    (void)close_range(from, ~0u, 0);
}

/* In a new child: ours to end, signals as programs expect them. */
static void begin_child(struct supervisor *s, const char *name)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != s->pid)
        _exit(1);
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
    static const int ours[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        (void)signal(ours[i], ours[i] == SIGINT || ours[i] == SIGHUP ? SIG_IGN : SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
    tzset();
}

static void schedule_restart(struct child *c)
{
    uint64_t now = now_ms();
    c->deaths = now - c->started_ms < YOUNG_MS ? c->deaths + 1 : 0;
    unsigned shift = c->deaths < 7 ? c->deaths : 7;
    uint64_t wait = c->deaths == 0 ? 0 : (uint64_t)RESTART_MS << shift;
    c->restart_ms = now + (wait < RESTART_MAX_MS ? wait : RESTART_MAX_MS);
}

static void begin_beats(struct child *c, pid_t pid, int channel)
{
    c->pid = pid;
    c->channel = channel;
    c->restart_ms = 0;
    c->started_ms = c->beat_seen_ms = c->beat_sent_ms = now_ms();
}

/* Becomes User, cannot go on as somebody else. */
static void become_or_end(const struct hf_config *config)
{
    if (hf_rights_become(config->user))
        return;
    fprintf(stderr, "holdfastd: cannot become %s: %s\n", config->user, strerror(errno));
    _exit(1);
}

static bool pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

/* Start an opener; *requests is the listener's end of its channel. */
static bool start_opener(struct supervisor *s, struct service *v, int *requests)
{
    int talk[2], watch[2];
    if (!pair(talk))
        return false;
    if (!pair(watch)) {
        close(talk[0]);
        close(talk[1]);
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        begin_child(s, "holdfast-opener");
        int keep[] = {talk[1], watch[1]};
        close_others(keep, 2);
        become_or_end(&v->config);
        (void)hf_rights_seal(HF_ROLE_OPENER, NULL);
        _exit(hf_opener_run(&v->config, talk[1], watch[1]));
    }
    close(talk[1]);
    close(watch[1]);
    if (pid < 0) {
        close(talk[0]);
        close(watch[0]);
        return false;
    }
    begin_beats(&v->opener, pid, watch[0]);
    *requests = talk[0];
    return true;
}

static void send_database(struct supervisor *s, struct service *v)
{
    struct hf_daemon_message m = {.type = HF_DAEMON_DATABASE,
                                  .id = s->generation,
                                  .number = s->signatures,
                                  .text = hf_buffer_view(&s->db_text)};
    if (s->loaded && v->listener.pid > 0 &&
        hf_daemon_send(v->listener.channel, &m, s->db_fds, s->db_count, false) != HF_OK)
        (void)kill(v->listener.pid, SIGKILL); /* it does not even take its mail */
}

static void send_standing(struct supervisor *s, struct service *v)
{
    struct hf_daemon_message m = {.type = HF_DAEMON_STANDING,
                                  .text = hf_buffer_view(&s->standing)};
    if (s->standing.len > 0 && v->listener.pid > 0)
        (void)!hf_daemon_send(v->listener.channel, &m, NULL, 0, false);
}

static void run_listener(struct supervisor *s, struct service *v, int channel, int requests)
{
    struct hf_listener_setup setup = {.config = &v->config,
                                      .log = v->log,
                                      .supervisor = channel,
                                      .opener = requests,
                                      .owner = geteuid()};
    memcpy(setup.sockets, s->sockets.items, sizeof setup.sockets);
    setup.socket_count = s->sockets.count;
    int keep[HF_LISTEN_MAX + 4];
    size_t n = 0;
    for (; n < setup.socket_count; n++)
        keep[n] = setup.sockets[n].fd;
    keep[n++] = channel;
    keep[n++] = requests;
    keep[n++] = v->log.file;
    keep[n++] = v->log.syslog;
    close_others(keep, n);
    become_or_end(&v->config);
    (void)hf_rights_seal(HF_ROLE_LISTENER, v->config.temporary);
    _exit(hf_listener_run(&setup));
}

/* A listener and an opener of its own: nothing of the one before is in doubt. */
static bool start_listener(struct supervisor *s, struct service *v)
{
    int ends[2], requests = -1;
    if (v->opener.pid > 0)
        (void)kill(v->opener.pid, SIGKILL);
    hf_fd_release(&v->opener.channel);
    v->opener.pid = 0; /* reaped as one of nobody's */
    if (!start_opener(s, v, &requests))
        return false;
    if (!pair(ends)) {
        close(requests);
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        begin_child(s, "holdfast-listen");
        run_listener(s, v, ends[1], requests);
    }
    close(ends[1]);
    close(requests);
    if (pid < 0) {
        close(ends[0]);
        return false;
    }
    begin_beats(&v->listener, pid, ends[0]);
    v->active = false;
    send_database(s, v);
    send_standing(s, v);
    return true;
}

static void renew_opener(struct supervisor *s, struct service *v)
{
    int requests;
    hf_fd_release(&v->opener.channel);
    if (!start_opener(s, v, &requests)) {
        schedule_restart(&v->opener);
        return;
    }
    struct hf_daemon_message m = {.type = HF_DAEMON_OPENER};
    if (hf_daemon_send(v->listener.channel, &m, &requests, 1, false) != HF_OK)
        (void)kill(v->listener.pid, SIGKILL);
    close(requests);
}

/* ---- templates ---- */

static void exec_worker(struct supervisor *s, const struct service *v, int channel)
{
    char name[] = "holdfast-worker", *argv[] = {name, NULL}, *environment[32];
    size_t n = 0;
    for (char **e = environ; *e != NULL && n < 31; e++)
        if (strncmp(*e, "HOLDFAST_", 9) == 0 || strncmp(*e, "OPENSSL_ia32cap=", 16) == 0 ||
            strncmp(*e, "ASAN_OPTIONS=", 13) == 0 || strncmp(*e, "UBSAN_OPTIONS=", 14) == 0)
            environment[n++] = *e;
    environment[n] = NULL;
    (void)setsid();
    become_or_end(&v->config);
    if (channel == 3)
        (void)fcntl(3, F_SETFD, 0);
    else if (dup2(channel, 3) < 0)
        _exit(1);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
    execve(s->setup->worker_path, argv, environment);
    _exit(1);
}

static void start_template(struct supervisor *s, struct service *v, uint64_t token,
                           int channel)
{
    struct template_process *t = s->templates;
    while (t < s->templates + TEMPLATES_MAX && t->pid != 0)
        t++;
    if (t == s->templates + TEMPLATES_MAX)
        return; /* its channel closes, and the pool tries again */
    pid_t pid = fork();
    if (pid == 0) {
        begin_child(s, "holdfast-worker");
        exec_worker(s, v, channel);
    }
    if (pid > 0)
        *t = (struct template_process){.pid = pid, .token = token, .service = v};
}

static void stop_template(struct supervisor *s, const struct service *v, uint64_t token)
{
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (s->templates[i].pid != 0 && s->templates[i].service == v &&
            (s->templates[i].token == token || token == 0) && s->templates[i].stop_ms == 0)
            s->templates[i].stop_ms = now_ms() + TEMPLATE_GRACE_MS;
}

/* ---- databases ---- */

static void start_loader(struct supervisor *s)
{
    int ends[2];
    struct service *v = &s->services[CURRENT];
    if (s->loader > 0) {
        s->load_again = true;
        return;
    }
    s->load_again = false;
    if (!pair(ends))
        return;
    s->fingerprint = hf_loader_fingerprint(&v->config);
    /* Its cache is a place of its user's that nobody else uses. */
    char *cache = NULL;
    if (v->config.user != NULL && geteuid() == 0 &&
        asprintf(&cache, "/var/cache/holdfast/users/%s", v->config.user) >= 0) {
        const struct passwd *who = getpwnam(v->config.user);
        /* 0711 above: the user must get through to its own. */
        if (hf_path_make(cache) == HF_OK && who != NULL &&
            lchown(cache, who->pw_uid, who->pw_gid) == 0) {
            (void)chmod("/var/cache/holdfast", 0711);
            (void)chmod("/var/cache/holdfast/users", 0711);
        }
    }
    pid_t pid = fork();
    if (pid == 0) {
        begin_child(s, "holdfast-loader");
        close_others(&ends[1], 1);
        become_or_end(&v->config);
        if (cache != NULL) {
            /* Root's trust and content, as another account: base/paths.h. */
            (void)setenv("XDG_CACHE_HOME", cache, 1);
            (void)setenv("XDG_CONFIG_HOME", "/etc", 1);
            (void)setenv("XDG_DATA_HOME", "/var/lib", 1);
        }
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(hf_loader_run(&v->config, ends[1]));
    }
    free(cache);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return;
    }
    s->loader = pid;
    s->loader_channel = ends[0];
    s->loader_started_ms = now_ms();
}

static void on_loaded(struct supervisor *s)
{
    struct hf_daemon_mail *mail = &s->mail;
    const struct hf_daemon_message *m = &mail->message;
    if (m->extra != HF_OK || mail->fd_count == 0) {
        hf_log_line(log_of(s), HF_LOG_ERROR, "Database: %.*s", (int)m->text.len,
                    (const char *)m->text.data);
        /* Without one from the start nothing would be protected: that must be seen. */
        s->failed = !s->loaded;
        struct hf_daemon_message told = *m;
        told.number = 0;
        if (s->services[CURRENT].listener.pid > 0)
            (void)!hf_daemon_send(s->services[CURRENT].listener.channel, &told, NULL, 0,
                                  false);
        return;
    }
    for (size_t i = 0; i < s->db_count; i++)
        close(s->db_fds[i]);
    s->db_count = mail->fd_count;
    memcpy(s->db_fds, mail->fds, mail->fd_count * sizeof *mail->fds);
    mail->fd_count = 0;
    s->generation++;
    s->signatures = m->number;
    hf_buffer_clear(&s->db_text);
    hf_buffer_bytes(&s->db_text, m->text);
    s->loaded = true;
    for (size_t i = 0; i < SERVICES; i++)
        if (s->services[i].used)
            send_database(s, &s->services[i]);
}

static void hear_loader(struct supervisor *s)
{
    enum hf_status st;
    while ((st = hf_daemon_receive(s->loader_channel, &s->mail, false)) == HF_OK) {
        if (s->mail.message.type == HF_DAEMON_NOTE)
            hf_log_line(log_of(s),
                        s->mail.message.number != 0 ? HF_LOG_WARNING : HF_LOG_INFO,
                        "Database: %.*s", (int)s->mail.message.text.len,
                        (const char *)s->mail.message.text.data);
        else if (s->mail.message.type == HF_DAEMON_DATABASE)
            on_loaded(s);
        hf_daemon_close_fds(&s->mail);
    }
    if (st != HF_LIMIT)
        hf_fd_release(&s->loader_channel);
}

/* ---- updates ---- */

static void start_updater(struct supervisor *s)
{
    int ends[2];
    const struct hf_config *config = &s->services[CURRENT].config;
    struct hf_updater_task task = s->task;
    if (s->updater > 0 || s->stopping || !pair(ends))
        return;
    pid_t pid = fork();
    if (pid == 0) {
        begin_child(s, "holdfast-update");
        close_others(&ends[1], 1);
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(hf_updater_run(config, &task, ends[1]));
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return;
    }
    s->updater = pid;
    s->updater_channel = ends[0];
    s->task = (struct hf_updater_task){0};
    s->look_ms = now_ms() + LOOK_MS;
}

static void on_standing(struct supervisor *s)
{
    hf_buffer_clear(&s->standing);
    hf_buffer_bytes(&s->standing, s->mail.message.text);
    for (size_t i = 0; i < SERVICES; i++)
        if (s->services[i].used)
            send_standing(s, &s->services[i]);
    if (s->mail.message.number == 0)
        return;
    s->condemned = s->generation;
    s->task.crashes = s->task.delays = 0;
    start_loader(s);
}

static void hear_updater(struct supervisor *s)
{
    enum hf_status st;
    while ((st = hf_daemon_receive(s->updater_channel, &s->mail, false)) == HF_OK) {
        if (s->mail.message.type == HF_DAEMON_NOTE)
            hf_log_line(log_of(s),
                        s->mail.message.number != 0 ? HF_LOG_WARNING : HF_LOG_INFO,
                        "Update: %.*s", (int)s->mail.message.text.len,
                        (const char *)s->mail.message.text.data);
        else if (s->mail.message.type == HF_DAEMON_STANDING)
            on_standing(s);
        hf_daemon_close_fds(&s->mail);
    }
    if (st != HF_LIMIT)
        hf_fd_release(&s->updater_channel);
}

static void schedule_update(struct supervisor *s, bool first)
{
    uint64_t interval = s->services[CURRENT].config.update_s;
    s->update_ms = interval == 0 ? 0 : now_ms() + hf_updater_next_ms(interval, first);
}

static void tick_updates(struct supervisor *s, uint64_t now)
{
    bool look = now >= s->look_ms;
    if (s->update_ms != 0 && now >= s->update_ms) {
        s->task.update = true;
        schedule_update(s, false);
    }
    if (look || s->task.update || s->task.crashes > 0 || s->task.delays > 0)
        start_updater(s);
}

/* ---- VirusEvent ---- */

/* %v in the command is the name, of which only what no shell gives a meaning to is kept. */
static void put_command(struct hf_buffer *out, const char *command, const char *name)
{
    for (; *command != 0; command++) {
        if (command[0] != '%' || command[1] != 'v') {
            hf_buffer_u8(out, (uint8_t)*command);
            continue;
        }
        command++;
        for (const char *n = name; *n != 0; n++) {
            bool plain = (*n >= 'a' && *n <= 'z') || (*n >= 'A' && *n <= 'Z') ||
                         (*n >= '0' && *n <= '9') || strchr("._-+@:,/", *n) != NULL;
            hf_buffer_u8(out, plain ? (uint8_t)*n : '_');
        }
    }
    hf_buffer_u8(out, 0);
}

static pid_t run_event(struct supervisor *s, const struct event *event)
{
    const struct service *v = &s->services[CURRENT];
    const char *name = (const char *)event->text.data;
    pid_t pid = v->config.virus_event != NULL ? fork() : 0;
    if (pid != 0 || v->config.virus_event == NULL)
        return pid;
    struct hf_buffer command = {0};
    begin_child(s, "holdfast-event");
    close_others(NULL, 0);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
    (void)signal(SIGPIPE, SIG_DFL);
    become_or_end(&v->config);
    put_command(&command, v->config.virus_event, name);
    (void)setenv("CLAM_VIRUSEVENT_VIRUSNAME", name, 1);
    (void)setenv("CLAM_VIRUSEVENT_FILENAME", name + strlen(name) + 1, 1);
    if (!command.failed)
        execl("/bin/sh", "sh", "-c", (const char *)command.data, (char *)NULL);
    _exit(127);
}

static void run_events(struct supervisor *s)
{
    for (size_t i = 0; i < EVENTS_MAX && s->waiting_count > 0; i++) {
        if (s->running_events[i] != 0)
            continue;
        struct event *event = &s->waiting[s->waiting_first];
        pid_t pid = run_event(s, event);
        s->running_events[i] = pid > 0 ? pid : 0;
        hf_buffer_done(&event->text);
        s->waiting_first = (s->waiting_first + 1) % EVENTS_WAITING;
        s->waiting_count--;
    }
}

static void on_event(struct supervisor *s, struct hf_bytes text)
{
    if (memchr(text.data, 0, text.len) == NULL || s->waiting_count == EVENTS_WAITING) {
        s->events_dropped++;
        hf_log_line(log_of(s), HF_LOG_WARNING, "VirusEvent: %llu dropped, too many at once",
                    (unsigned long long)s->events_dropped);
        return;
    }
    struct event *event =
        &s->waiting[(s->waiting_first + s->waiting_count) % EVENTS_WAITING];
    hf_buffer_bytes(&event->text, text);
    hf_buffer_u8(&event->text, 0);
    if (event->text.failed)
        hf_buffer_done(&event->text);
    else
        s->waiting_count++;
}

/* ---- hearing ---- */

static void write_pid(const struct supervisor *s, const struct hf_config *config)
{
    if (config->pid_file == NULL)
        return;
    char text[32];
    int n = snprintf(text, sizeof text, "%d\n", (int)s->pid);
    int fd =
        open(config->pid_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd >= 0)
        (void)!hf_fd_write(fd, text, (size_t)n);
    hf_fd_release(&fd);
}

static void leave(struct service *v, bool hurry)
{
    struct hf_daemon_message m = {.type = HF_DAEMON_LEAVE, .number = hurry};
    v->leaving = true;
    v->leave_ms = now_ms() + (hurry ? STOP_MS : LEAVE_MS);
    if (v->listener.pid > 0 &&
        hf_daemon_send(v->listener.channel, &m, NULL, 0, false) != HF_OK)
        (void)kill(v->listener.pid, SIGKILL);
}

static void on_active(struct supervisor *s, struct service *v, uint64_t signatures)
{
    bool first = !v->active;
    v->active = true;
    if (first && v == &s->services[CURRENT] && s->services[OLD].used &&
        !s->services[OLD].leaving)
        leave(&s->services[OLD], false);
    hf_notify("READY=1\nSTATUS=%llu signatures\n", (unsigned long long)signatures);
    if (!s->told_ready)
        write_pid(s, &v->config);
    s->told_ready = true;
}

static void stop_all(struct supervisor *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->stop_ms = now_ms() + STOP_MS;
    hf_notify("STOPPING=1");
    hf_log_line(log_of(s), HF_LOG_INFO, "Stopping");
    for (size_t i = 0; i < SERVICES; i++)
        if (s->services[i].used)
            leave(&s->services[i], true);
}

/* False: it speaks nonsense. */
static bool on_listener(struct supervisor *s, struct service *v)
{
    const struct hf_daemon_message *m = &s->mail.message;
    switch (m->type) {
    case HF_DAEMON_BEAT:
        if (m->number != v->listener.beat)
            return m->number < v->listener.beat;
        v->listener.beat_seen_ms = now_ms();
        return true;
    case HF_DAEMON_START: start_template(s, v, m->id, s->mail.fds[0]); return m->id != 0;
    case HF_DAEMON_STOP: stop_template(s, v, m->id); return m->id != 0;
    case HF_DAEMON_RELOAD: start_loader(s); return true;
    case HF_DAEMON_SHUTDOWN: stop_all(s); return true;
    case HF_DAEMON_EVENT: on_event(s, m->text); return true;
    case HF_DAEMON_ACTIVE: on_active(s, v, m->number); return true;
    case HF_DAEMON_FAILED:
        if (m->id > s->condemned) { /* what was taken back already has had its share */
            s->task.crashes += m->number;
            s->task.delays += m->extra;
        }
        return true;
    default: return false;
    }
}

static void hear_listener(struct supervisor *s, struct service *v)
{
    enum hf_status st = HF_OK;
    for (unsigned i = 0;
         i < 64 && v->listener.channel >= 0 &&
         (st = hf_daemon_receive(v->listener.channel, &s->mail, false)) == HF_OK;
         i++) {
        bool good = on_listener(s, v);
        hf_daemon_close_fds(&s->mail);
        if (!good) {
            st = HF_MALFORMED;
            break;
        }
    }
    if (st == HF_OK || st == HF_LIMIT)
        return;
    if (st == HF_MALFORMED && v->listener.pid > 0)
        (void)kill(v->listener.pid, SIGKILL);
    hf_fd_release(&v->listener.channel);
}

static void hear_opener(struct supervisor *s, struct service *v)
{
    enum hf_status st;
    while ((st = hf_daemon_receive(v->opener.channel, &s->mail, false)) == HF_OK) {
        bool beat = s->mail.message.type == HF_DAEMON_BEAT;
        if (beat && s->mail.message.number == v->opener.beat)
            v->opener.beat_seen_ms = now_ms();
        hf_daemon_close_fds(&s->mail);
    }
    if (st != HF_LIMIT)
        hf_fd_release(&v->opener.channel);
}

/* ---- ends of children ---- */

static void on_listener_end(struct supervisor *s, struct service *v, int status)
{
    v->listener.pid = 0;
    hf_fd_release(&v->listener.channel);
    stop_template(s, v, 0);
    if (v->leaving)
        return;
    hf_log_line(&v->log, HF_LOG_ERROR, "The listener ended (%s %d); it is started anew",
                WIFSIGNALED(status) ? "signal" : "code",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    schedule_restart(&v->listener);
}

static void on_end(struct supervisor *s, pid_t pid, int status)
{
    for (size_t i = 0; i < SERVICES; i++) {
        struct service *v = &s->services[i];
        if (v->used && v->listener.pid == pid) {
            on_listener_end(s, v, status);
        } else if (v->used && v->opener.pid == pid) {
            v->opener.pid = 0;
            hf_fd_release(&v->opener.channel);
            if (v->listener.pid > 0 && !v->leaving) {
                hf_log_line(&v->log, HF_LOG_ERROR, "The opener ended; it is started anew");
                schedule_restart(&v->opener);
            }
        }
    }
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (s->templates[i].pid == pid)
            s->templates[i] = (struct template_process){0};
    for (size_t i = 0; i < EVENTS_MAX; i++)
        if (s->running_events[i] == pid)
            s->running_events[i] = 0;
    if (s->updater == pid) {
        if (s->updater_channel >= 0)
            hear_updater(s);
        hf_fd_release(&s->updater_channel);
        s->updater = 0;
        if (WIFSIGNALED(status))
            hf_log_line(log_of(s), HF_LOG_ERROR, "The updater ended by signal %d",
                        WTERMSIG(status));
    }
    if (s->loader == pid) {
        if (s->loader_channel >= 0)
            hear_loader(s);
        hf_fd_release(&s->loader_channel);
        s->loader = 0;
        if (WIFSIGNALED(status)) {
            hf_log_line(log_of(s), HF_LOG_ERROR, "The loader ended by signal %d",
                        WTERMSIG(status));
            s->load_again = s->load_again || !s->loaded;
        }
        if (s->load_again && !s->stopping)
            start_loader(s);
    }
}

static void reap(struct supervisor *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        on_end(s, pid, status);
}

/* ---- signals ---- */

static bool open_service(struct supervisor *s, struct service *v, struct hf_config *config)
{
    *v = (struct service){.used = true, .config = *config};
    *config = (struct hf_config){0};
    v->listener.channel = v->opener.channel = -1;
    resolve_users(&v->config);
    bool logs = hf_log_open(&v->log, &v->config);
    v->log.to_stderr = v->config.log_file == NULL && !v->config.log_syslog;
    if (!logs)
        hf_log_line(&v->log, HF_LOG_WARNING, "%s: the log cannot be opened: %s",
                    v->config.log_file != NULL ? v->config.log_file : "syslog",
                    strerror(errno));
    /* The account that scans writes nothing there itself, but owns it as with clamd. */
    const struct passwd *who =
        v->config.user != NULL && geteuid() == 0 ? getpwnam(v->config.user) : NULL;
    if (v->log.file >= 0 && who != NULL)
        (void)!fchown(v->log.file, who->pw_uid, (gid_t)-1);
    if (start_listener(s, v))
        return true;
    schedule_restart(&v->listener);
    return false;
}

static void close_service(struct service *v)
{
    hf_fd_release(&v->listener.channel);
    hf_fd_release(&v->opener.channel);
    if (v->opener.pid > 0)
        (void)kill(v->opener.pid, SIGKILL);
    hf_log_close(&v->log);
    hf_config_done(&v->config);
    *v = (struct service){0};
}

static void move_logs(struct hf_log *log, const struct hf_config *config)
{
    log->config = config;
}

/* The new configuration gets a listener and an opener of its own; those of the old one finish
 * what they have when the new ones are ready. Sockets stay as they are bound. */
static void replace_service(struct supervisor *s, struct hf_config *config)
{
    if (s->services[OLD].used) {
        hf_config_done(config);
        hf_log_line(log_of(s), HF_LOG_WARNING,
                    "The configuration was replaced a moment ago: try again later");
        return;
    }
    s->services[OLD] = s->services[CURRENT];
    move_logs(&s->services[OLD].log, &s->services[OLD].config);
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (s->templates[i].service == &s->services[CURRENT])
            s->templates[i].service = &s->services[OLD];
    (void)open_service(s, &s->services[CURRENT], config);
    schedule_update(s, true);
    hf_log_line(log_of(s), HF_LOG_INFO, "The configuration is read anew");
    start_loader(s);
}

static void reopen_logs(struct supervisor *s)
{
    struct service *v = &s->services[CURRENT];
    bool to_stderr = v->log.to_stderr;
    hf_log_close(&v->log);
    (void)hf_log_open(&v->log, &v->config);
    v->log.to_stderr = to_stderr;
    int fds[2];
    size_t n = 0;
    if (v->log.file >= 0)
        fds[n++] = v->log.file;
    if (v->log.syslog >= 0)
        fds[n++] = v->log.syslog;
    struct hf_daemon_message m = {.type = HF_DAEMON_LOGS,
                                  .number = (v->log.file >= 0 ? 1u : 0) |
                                            (v->log.syslog >= 0 ? 2u : 0)};
    if (v->listener.pid > 0)
        (void)!hf_daemon_send(v->listener.channel, &m, fds, n, false);
}

static void reread_config(struct supervisor *s)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0}, error = {0};
    struct hf_config config = {0};
    reopen_logs(s);
    enum hf_status st = read_text(s->setup->config_path, &text, &error);
    if (st == HF_OK &&
        hf_bytes_equal(hf_buffer_view(&text), hf_buffer_view(&s->config_text)))
        return;
    if (st == HF_OK)
        st = parse(&config, s->setup, hf_buffer_view(&text), NULL, NULL, &error);
    if (st != HF_OK) {
        hf_log_line(log_of(s), HF_LOG_ERROR, "The configuration is kept as it was: %.*s",
                    (int)error.len, (const char *)error.data);
        return;
    }
    hf_buffer_clear(&s->config_text);
    hf_buffer_bytes(&s->config_text, hf_buffer_view(&text));
    replace_service(s, &config);
}

static void on_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        switch ((int)info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
        case SIGQUIT: stop_all(s); break;
        case SIGHUP: reread_config(s); break;
        case SIGUSR2: start_loader(s); break;
        default: break; /* SIGCHLD: reap looks each time */
        }
    }
}

/* ---- time ---- */

/* A sign of life each second; who gives none for long is hung or stopped, and is ended. */
static void beat(struct supervisor *s, struct service *v, struct child *c, uint64_t now)
{
    uint64_t limit = v->config.hang_timeout_s * 1000;
    if (c->pid <= 0 || c->channel < 0)
        return;
    if (now - c->beat_sent_ms >= BEAT_MS) {
        c->beat_sent_ms = now;
        struct hf_daemon_message m = {.type = HF_DAEMON_BEAT, .number = c->beat + 1};
        if (hf_daemon_send(c->channel, &m, NULL, 0, false) == HF_OK)
            c->beat++;
    }
    if (limit == 0 || now - c->beat_seen_ms < limit)
        return;
    hf_log_line(log_of(s), HF_LOG_ERROR, "A process gave no sign of life and is ended: %d",
                (int)c->pid);
    (void)kill(c->pid, SIGKILL);
    c->beat_seen_ms = now; /* its end is told by a signal */
}

static void tick_service(struct supervisor *s, struct service *v, uint64_t now)
{
    if (!v->used)
        return;
    beat(s, v, &v->listener, now);
    beat(s, v, &v->opener, now);
    if (v->listener.pid == 0 && !v->leaving && now >= v->listener.restart_ms)
        if (!start_listener(s, v))
            schedule_restart(&v->listener);
    if (v->opener.pid == 0 && v->listener.pid > 0 && !v->leaving &&
        now >= v->opener.restart_ms)
        renew_opener(s, v);
    if (v->leaving && v->listener.pid > 0 && now >= v->leave_ms)
        (void)kill(v->listener.pid, SIGKILL);
    if (v->leaving && v->listener.pid == 0 && v == &s->services[OLD])
        close_service(v);
}

static void tick(struct supervisor *s)
{
    uint64_t now = now_ms();
    for (size_t i = 0; i < SERVICES; i++)
        tick_service(s, &s->services[i], now);
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (s->templates[i].pid != 0 && s->templates[i].stop_ms != 0 &&
            now >= s->templates[i].stop_ms) {
            (void)kill(s->templates[i].pid, SIGKILL);
            s->templates[i].stop_ms = now + TEMPLATE_GRACE_MS;
        }
    const struct hf_config *config = &s->services[CURRENT].config;
    if (config->self_check_s != 0 && now - s->checked_ms >= config->self_check_s * 1000) {
        s->checked_ms = now;
        if (hf_loader_fingerprint(config) != s->fingerprint)
            start_loader(s);
    }
    tick_updates(s, now);
    if (hf_log_check(log_of(s)))
        reopen_logs(s);
    if (s->watchdog_ms != 0 && now - s->watchdog_told_ms >= s->watchdog_ms) {
        s->watchdog_told_ms = now;
        hf_notify("WATCHDOG=1");
    }
    run_events(s);
}

static void hear(struct supervisor *s)
{
    struct pollfd p[3 + 2 * SERVICES];
    nfds_t n = 0;
    p[n++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = s->loader_channel, .events = POLLIN};
    for (size_t i = 0; i < SERVICES; i++) {
        const struct service *v = &s->services[i];
        p[n++] =
            (struct pollfd){.fd = v->used ? v->listener.channel : -1, .events = POLLIN};
        p[n++] = (struct pollfd){.fd = v->used ? v->opener.channel : -1, .events = POLLIN};
    }
    p[n++] = (struct pollfd){.fd = s->updater_channel, .events = POLLIN};
    if (poll(p, n, TICK_MS) <= 0)
        return;
    for (size_t i = 0; i < SERVICES; i++) {
        struct service *v = &s->services[i];
        if (p[2 + 2 * i].revents != 0 && v->listener.channel >= 0)
            hear_listener(s, v);
        if (p[3 + 2 * i].revents != 0 && v->opener.channel >= 0)
            hear_opener(s, v);
    }
    if (p[1].revents != 0 && s->loader_channel >= 0)
        hear_loader(s);
    if (p[n - 1].revents != 0 && s->updater_channel >= 0)
        hear_updater(s);
    if (p[0].revents != 0)
        on_signal(s);
    reap(s);
}

/* ---- from beginning to end ---- */

static bool all_gone(const struct supervisor *s)
{
    for (size_t i = 0; i < SERVICES; i++)
        if (s->services[i].used && s->services[i].listener.pid > 0)
            return false;
    return true;
}

static bool take_signals(struct supervisor *s)
{
    sigset_t set;
    sigemptyset(&set);
    static const int ours[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigaddset(&set, ours[i]);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, &s->old_mask) != 0)
        return false;
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->signals >= 0;
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        rlim_t most = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
        limit.rlim_cur = limit.rlim_cur > most ? limit.rlim_cur : most;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void say_note(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "holdfastd: %s\n", text);
}

static bool begin(struct supervisor *s, struct hf_buffer *error)
{
    struct hf_config config = {0};
    if (read_text(s->setup->config_path, &s->config_text, error) != HF_OK ||
        parse(&config, s->setup, hf_buffer_view(&s->config_text), say_note, NULL, error) !=
            HF_OK)
        return false;
    if (!take_signals(s)) {
        hf_buffer_format(error, "signals: %s", strerror(errno));
        hf_config_done(&config);
        return false;
    }
    raise_descriptors();
    if (hf_sockets_open(&s->sockets, &config, error) != HF_OK) {
        hf_config_done(&config);
        return false;
    }
    s->watchdog_ms = hf_notify_watchdog_ms();
    s->checked_ms = now_ms();
    (void)open_service(s, &s->services[CURRENT], &config);
    hf_log_line(log_of(s), HF_LOG_INFO, "holdfastd " HOLDFAST_VERSION " started (pid %d)",
                (int)s->pid);
    start_loader(s);
    schedule_update(s, true);
    return true;
}

static void end(struct supervisor *s)
{
    const struct service *v = &s->services[CURRENT];
    hf_log_line(log_of(s), HF_LOG_INFO, "Stopped");
    if (v->config.pid_file != NULL && s->told_ready)
        (void)unlink(v->config.pid_file);
    hf_sockets_close(&s->sockets, true);
    /* The others die with us; to be sure of the order they are told before. */
    for (size_t i = 0; i < SERVICES; i++) {
        if (s->services[i].used && s->services[i].listener.pid > 0)
            (void)kill(s->services[i].listener.pid, SIGKILL);
        close_service(&s->services[i]);
    }
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (s->templates[i].pid != 0)
            (void)kill(s->templates[i].pid, SIGKILL);
    if (s->loader > 0)
        (void)kill(s->loader, SIGKILL);
    if (s->updater > 0) /* what it has not committed has not happened */
        (void)kill(s->updater, SIGKILL);
}

int hf_supervisor_run(const struct hf_supervisor_setup *setup)
{
    static struct supervisor s; /* of the process; large */
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    s.setup = setup;
    s.pid = getpid();
    s.loader_channel = s.updater_channel = -1;
    for (size_t i = 0; i < SERVICES; i++)
        s.services[i].listener.channel = s.services[i].opener.channel = -1;
    if (!begin(&s, &error)) {
        fprintf(stderr, "holdfastd: %.*s\n", (int)error.len, (const char *)error.data);
        return 1;
    }
    while (!s.failed &&
           !(s.stopping && (all_gone(&s) || now_ms() >= s.stop_ms + TICK_MS))) {
        hear(&s);
        tick(&s);
    }
    if (s.failed)
        fprintf(stderr, "holdfastd: the databases cannot be loaded; see the log\n");
    end(&s);
    return s.failed ? 1 : 0;
}
