/* The template process. Maps the databases and loads what libraries need, seals itself, then
 * forks a worker for each FORK that its parent sends and says how each of them ended. It never
 * sees an object, nor a byte of one. It talks to its parent only, over descriptor 3; when that
 * closes it ends, and its workers with it (their parent-death signal).
 *
 * What it may do after sealing: messages on descriptor 3, fork, wait, set up a child. */
#include "jail/template.h"

#include "base/fd.h"
#include "format/authenticode.h"
#include "format/libmagic.h"
#include "jail/channel.h"
#include "unpack/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 1024, SPOOL_SLACK = 1 << 30 };

struct child {
    pid_t pid; /* 0: free */
    uint32_t serial;
};

struct template
{
    struct hf_seal seal;
    struct hf_engine *engine;
    struct hf_teller teller;
    struct hf_fact_outside outside;
    struct hf_buffer report; /* for the module cuckoo */
    struct hf_value *externals;
    struct hf_arena *arena;
    struct hf_buffer out;
    pid_t pid;
    struct child children[WORKERS_MAX];
    uint8_t datagram[HF_MESSAGE_MAX];
};

/* A received message and its descriptors. */
struct request {
    struct hf_message message;
    int fds[HF_CHANNEL_FDS_MAX];
    size_t fd_count;
};

/* Descriptors 0 to 2 lead nowhere and 4 is taken, so that none that is received later gets a
 * number that means something; all others that may have been inherited are closed. */
static bool clean_descriptors(void)
{
    hf_close_from(HF_CONTROL_FD + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) /* a bare chroot: a pipe's end is as good */
        null = (int)syscall(SYS_memfd_create, "null", 0);
    if (null < 0 || dup3(null, HF_SPOOL_FD, O_CLOEXEC) < 0)
        if (null != HF_SPOOL_FD)
            return false;
    int last = HF_SEAL_SANITIZER ? 1 : 2; /* sanitizers report to standard error */
    for (int fd = 0; fd <= last; fd++)
        if (dup2(null, fd) < 0)
            return false;
    if (null > HF_SPOOL_FD)
        close(null);
    return true;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

/* The next message of the parent; exactly one in a datagram. HF_NOTFOUND: the parent is gone. */
static enum hf_status receive(struct template *t, struct request *request, bool wait)
{
    struct hf_datagram d = {.data = t->datagram,
                            .room = sizeof t->datagram,
                            .fds = request->fds,
                            .fd_room = HF_CHANNEL_FDS_MAX};
    request->fd_count = 0;
    enum hf_status st = hf_channel_receive(HF_CONTROL_FD, &d, wait);
    if (st != HF_OK)
        return st;
    struct hf_cursor c = hf_cursor_open(d.data, d.len, NULL);
    st = hf_msg_next(&c, t->arena, &request->message);
    if (st == HF_OK && hf_cursor_left(&c) == 0) {
        request->fd_count = d.fd_count;
        return HF_OK;
    }
    close_all(d.fds, d.fd_count);
    return HF_MALFORMED;
}

/* Descriptors on their way between processes are counted for a user: other scans may have used up
 * what this process may have of them, and give it back soon. */
static bool wait_for_quota(unsigned tries)
{
    const struct timespec soon = {.tv_nsec = 5 * 1000 * 1000};
    return errno == ETOOMANYREFS && tries < 600 && (ppoll(NULL, 0, &soon, NULL), true);
}

static bool send_out(struct template *t, int fd)
{
    bool sent = false;
    for (unsigned tries = 0; !t->out.failed && !sent; tries++) {
        sent = hf_channel_send(HF_CONTROL_FD, hf_buffer_view(&t->out), &fd, fd >= 0,
                               true) == HF_OK;
        if (!sent && !wait_for_quota(tries))
            break;
    }
    hf_buffer_clear(&t->out);
    return sent;
}

static int refuse(struct template *t, enum hf_status status, const char *text)
{
    struct hf_msg_ready ready = {
        .status = status, .layers = t->seal.layers, .text = hf_bytes_text(text)};
    hf_msg_put_ready(&t->out, &ready);
    (void)send_out(t, -1);
    return HF_WORKER_EXIT_SETUP;
}

enum { REPORT_FILE_MAX = 256 << 20 };

/* What rules get from outside. The report is hostile: here its bytes are only copied, parsed they
 * are in a worker, when a rule asks. */
static bool take_outside(struct template *t, const struct request *request, int report)
{
    const struct hf_msg_config *config = &request->message.config;
    t->teller.options = config->tell;
    t->outside = (struct hf_fact_outside){.describe = hf_libmagic_describe};
    if (config->tell.lines) {
        t->outside.log = hf_teller_line;
        t->outside.user = &t->teller;
    }
    if (report >= 0) {
        if (lseek(report, 0, SEEK_SET) != 0 ||
            hf_fd_read_all(report, REPORT_FILE_MAX, &t->report) != HF_OK)
            return false;
        t->outside.cuckoo = hf_buffer_view(&t->report);
    }
    return true;
}

/* Values given in a CONFIG; they live as long as the process. */
static bool take_externals(struct template *t, const struct hf_msg_config *config,
                           struct hf_engine_options *options)
{
    if (!config->has_externals)
        return true;
    struct hf_arena *arena = hf_arena_new(4 * HF_EXTERNALS_BYTES_MAX);
    struct hf_bytes kept = {0};
    if (arena != NULL)
        kept = hf_arena_copy(arena, config->externals);
    if (arena == NULL || (kept.data == NULL && kept.len > 0))
        return false;
    struct hf_cursor c = hf_cursor_open(kept.data, kept.len, NULL);
    options->external_count = hf_told_get_values(&c, arena, &t->externals);
    options->externals = t->externals;
    return t->externals != NULL;
}

/* Databases, libraries, engine. Returns NULL, or what failed. */
static const char *prepare(struct template *t, const struct request *config,
                           enum hf_status *status)
{
    struct hf_db *db;
    bool has_report = config->message.config.has_report && config->fd_count > 0;
    size_t segments = config->fd_count - has_report;
    *status = hf_db_open(config->fds, segments, &db);
    bool outside = take_outside(t, config, has_report ? config->fds[segments] : -1);
    close_all(config->fds, config->fd_count);
    if (*status != HF_OK)
        return "the database cannot be opened";
    *status = HF_IO;
    if (!outside)
        return "the report for the module cuckoo cannot be read";
    (void)setlocale(LC_ALL, "C.UTF-8"); /* without it libraries keep names as bytes */
    /* mktime of the ISO decoder would open /etc/localtime again and again; a zone that is set and
     * known is not looked up. */
    (void)setenv("TZ", "UTC0", 1);
    tzset();
    hf_unpack_prepare();
    /* What is missing makes signatures unverified, no more. */
    (void)hf_authenticode_prepare();
    (void)hf_libmagic_prepare();
    struct hf_engine_options options = {
        .limits = config->message.config.limits,
        .all_match = config->message.config.all_match,
        .inspect = config->message.config.inspect,
        .note_digests = config->message.config.note_digests,
        .flat = config->message.config.flat,
        .on_true_rule = t->teller.options.rules ? hf_teller_rule : NULL,
        .on_true_rule_user = &t->teller,
        .outside = &t->outside,
        .form = config->message.config.form,
        .spool_fd = HF_SPOOL_FD,
    };
    *status = HF_NOMEM;
    if (!take_externals(t, &config->message.config, &options))
        return "the values for rules cannot be read";
    *status = hf_engine_new(db, &options, &t->engine);
    if (*status != HF_OK)
        return "the engine cannot be prepared";
    *status = hf_source_guard_faults();
    return *status == HF_OK ? NULL : "signals cannot be handled";
}

static void set_child_signal(void (*handler)(int), int how)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NOCLDSTOP};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaction(SIGCHLD, &action, NULL);
    sigprocmask(how, &set, NULL);
}

static void on_child(int signal_number)
{
    (void)signal_number; /* only wakes ppoll */
}

/* In the child: nothing of the template's business may go on here. */
static int become_worker(struct template *t, const struct request *request)
{
    /* Our end closes when the template dies, but a worker in the middle of an object would not
     * look; this ends it in any case. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != t->pid)
        return HF_WORKER_EXIT_SETUP;
    set_child_signal(SIG_DFL, SIG_UNBLOCK);
    struct hf_worker_start start = {
        .seal = &t->seal,
        .engine = t->engine,
        .teller = &t->teller,
        .channel = request->fds[0],
        .page = request->fds[1],
        .spool = request->message.fork.has_spool ? request->fds[2] : -1,
    };
    return hf_worker_run(&start);
}

/* Tell the parent about a child: its descriptor, so that it can end it, or that there is none. */
static bool announce(struct template *t, struct child *child, uint32_t serial, pid_t pid)
{
    int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    bool sent;
    if (pidfd < 0) {
        /* A worker that nobody could stop is not let live. Closing its channel ends it. */
        struct hf_msg_exited exited = {.serial = serial, .wait_status = HF_NEVER_LIVED};
        hf_msg_put_exited(&t->out, &exited);
        sent = send_out(t, -1);
    } else {
        struct hf_msg_forked forked = {.serial = serial, .pid = pid};
        *child = (struct child){.pid = pid, .serial = serial};
        hf_msg_put_forked(&t->out, &forked);
        sent = send_out(t, pidfd);
        close(pidfd);
    }
    return sent;
}

static struct child *find_child(struct template *t, pid_t pid)
{
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (t->children[i].pid == pid)
            return &t->children[i];
    return NULL;
}

/* Returns whether the template should go on. */
static bool serve_fork(struct template *t, struct request *request)
{
    const struct hf_msg_fork *fork_message = &request->message.fork;
    bool good = request->message.type == HF_MSG_FORK &&
                request->fd_count == (fork_message->has_spool ? 3u : 2u);
    struct child *slot = find_child(t, 0);
    bool sent = false;
    if (good) {
        pid_t pid = slot == NULL ? -1 : fork();
        if (pid == 0)
            _exit(become_worker(t, request));
        sent = announce(t, slot, fork_message->serial, pid);
    }
    close_all(request->fds, request->fd_count);
    return good && sent;
}

static bool reap(struct template *t)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        struct child *child = find_child(t, pid);
        if (child == NULL)
            continue;
        struct hf_msg_exited exited = {.serial = child->serial, .wait_status = status};
        *child = (struct child){0};
        hf_msg_put_exited(&t->out, &exited);
        if (!send_out(t, -1))
            return false;
    }
    return true;
}

static int serve(struct template *t)
{
    sigset_t none;
    sigemptyset(&none);
    for (;;) {
        struct pollfd p = {.fd = HF_CONTROL_FD, .events = POLLIN};
        int n = ppoll(&p, 1, NULL, &none); /* SIGCHLD comes in here only */
        if (n < 0 && errno != EINTR)
            return HF_WORKER_EXIT_SETUP;
        if (!reap(t))
            return HF_WORKER_EXIT_OK;
        if (n <= 0)
            continue;
        struct request request = {0};
        struct hf_arena_mark mark = hf_arena_mark(t->arena);
        enum hf_status st = receive(t, &request, false);
        if (st == HF_LIMIT)
            continue;
        if (st == HF_NOTFOUND)
            return HF_WORKER_EXIT_OK;
        if (st != HF_OK || !serve_fork(t, &request))
            return HF_WORKER_EXIT_PROTOCOL;
        hf_arena_rewind(t->arena, mark);
    }
}

/* The largest file that a worker may make of its spool. */
static uint64_t spool_max(const struct hf_limits *limits)
{
    if (limits->scan_bytes == 0 || limits->scan_bytes > (uint64_t)INT64_MAX - SPOOL_SLACK)
        return 0;
    return limits->scan_bytes + SPOOL_SLACK; /* regions are rounded up at each depth */
}

int hf_template_run(const char *jail)
{
    static struct template t; /* of the process; large */
    t.pid = getpid();
    t.arena = hf_arena_new(4 * HF_MESSAGE_MAX);
    if (t.arena == NULL)
        return HF_WORKER_EXIT_MEMORY;
    if (!clean_descriptors())
        return refuse(&t, HF_CRASHED, "descriptors cannot be put in order");
    if (hf_seal_begin(&t.seal, jail) != HF_OK)
        return refuse(&t, HF_CRASHED, "HOLDFAST_JAIL is none of: seccomp, none, or empty");
    struct request config = {0};
    enum hf_status st = receive(&t, &config, true);
    if (st != HF_OK || config.message.type != HF_MSG_CONFIG)
        return HF_WORKER_EXIT_PROTOCOL;
    const char *failed = prepare(&t, &config, &st);
    if (failed != NULL)
        return refuse(&t, st, failed);
    set_child_signal(on_child, SIG_BLOCK);
    const struct hf_msg_config *m = &config.message.config;
    if (hf_seal_template(&t.seal, m->memory, spool_max(&m->limits)) != HF_OK)
        return refuse(&t, HF_CRASHED,
                      "no layer of the jail works on this system (HOLDFAST_JAIL=none scans "
                      "without one)");
    struct hf_msg_ready ready = {.layers = t.seal.layers};
    hf_msg_put_ready(&t.out, &ready);
    return send_out(&t, -1) ? serve(&t) : HF_WORKER_EXIT_OK;
}
