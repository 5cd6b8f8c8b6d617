/* opener.c - the opener process. It has the rights of the configured user and uses them to walk
 * and to open; it parses no file and no client's bytes but paths. It talks to the listener, which
 * may be owned by a client and gets nothing but read-only descriptors of regular files that the
 * user may read anyway, and to the supervisor, to which it says that it lives. */
#include "daemon/opener.h"

#include "base/fd.h"
#include "daemon/messages.h"
#include "jail/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct request {
    uint64_t id;
    struct hf_opener_walk *walk; /* NULL: free */
    uint64_t credit;
};

/* Told and not sent yet. One step tells two things at most. */
struct pending {
    struct hf_buffer bytes;
    int fd;
};
enum { PENDING_MAX = 4, BUSY_MS = 5 };

struct opener {
    struct hf_opener_rules *rules;
    int channel, supervisor;
    struct request requests[HF_OPENER_REQUESTS_MAX];
    struct request *at; /* the one whose walk is stepping */
    size_t live;
    bool blocked; /* the channel was full, or no descriptor free: wait a little */
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    bool broken;
    struct hf_daemon_mail mail;
};

static struct request *find(struct opener *o, uint64_t id)
{
    for (size_t i = 0; i < HF_OPENER_REQUESTS_MAX; i++)
        if (o->requests[i].walk != NULL && o->requests[i].id == id)
            return &o->requests[i];
    return NULL;
}

static void drop(struct opener *o, struct request *r)
{
    hf_opener_walk_free(r->walk);
    *r = (struct request){0};
    o->live--;
}

/* ---- telling ---- */

/* Never waits for the listener, which may just be waiting for us. */
static void send_pending(struct opener *o)
{
    while (o->pending_count > 0 && !o->broken) {
        struct pending *p = &o->pending[0];
        enum hf_status st = hf_channel_send(o->channel, hf_buffer_view(&p->bytes), &p->fd,
                                            p->fd >= 0, false);
        if (st != HF_OK && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)) {
            o->blocked = true;
            return;
        }
        o->broken = st != HF_OK;
        hf_buffer_done(&p->bytes);
        hf_fd_release(&p->fd);
        o->pending_count--;
        for (size_t i = 0; i < o->pending_count; i++)
            o->pending[i] = o->pending[i + 1];
    }
}

static bool tell(struct opener *o, struct hf_daemon_message m, int fd)
{
    m.id = o->at->id;
    if (m.type != HF_DAEMON_END && o->at->credit > 0)
        o->at->credit--;
    if (o->pending_count == PENDING_MAX) {
        hf_fd_release(&fd);
        o->broken = true;
        return false;
    }
    struct pending *p = &o->pending[o->pending_count++];
    *p = (struct pending){.fd = fd};
    hf_daemon_put(&p->bytes, &m);
    o->broken = o->broken || p->bytes.failed;
    send_pending(o);
    return !o->broken;
}

static bool on_file(void *user, struct hf_bytes path, int fd, uint64_t size)
{
    return tell(
        user,
        (struct hf_daemon_message){.type = HF_DAEMON_FILE, .number = size, .text = path},
        fd);
}

static bool on_excluded(void *user, struct hf_bytes path, bool file_system)
{
    return tell(user,
                (struct hf_daemon_message){
                    .type = HF_DAEMON_EXCLUDED, .number = file_system, .text = path},
                -1);
}

static bool on_trouble(void *user, struct hf_bytes path, int error, unsigned trouble)
{
    return tell(user,
                (struct hf_daemon_message){.type = HF_DAEMON_TROUBLE,
                                           .number = (uint64_t)error,
                                           .extra = trouble,
                                           .text = path},
                -1);
}

static bool on_end(void *user, unsigned kind)
{
    return tell(user, (struct hf_daemon_message){.type = HF_DAEMON_END, .number = kind},
                -1);
}

/* ---- hearing ---- */

static bool on_open(struct opener *o, const struct hf_daemon_message *m)
{
    struct request *r = o->requests;
    while (r < o->requests + HF_OPENER_REQUESTS_MAX && r->walk != NULL)
        r++;
    if (r == o->requests + HF_OPENER_REQUESTS_MAX || find(o, m->id) != NULL ||
        memchr(m->text.data, 0, m->text.len) != NULL)
        return false; /* the listener knows how many there may be, and cuts paths at zeros */
    r->walk = hf_opener_walk_new(o->rules, m->text, m->number == HF_OPEN_MULTI);
    r->id = m->id;
    o->live += r->walk != NULL;
    return r->walk != NULL;
}

/* False: it speaks nonsense. */
static bool on_request(struct opener *o, const struct hf_daemon_message *m)
{
    struct request *r = find(o, m->id);
    if (m->type == HF_DAEMON_OPEN)
        return on_open(o, m);
    if (m->type != HF_DAEMON_MORE && m->type != HF_DAEMON_CANCEL)
        return false;
    if (r == NULL)
        return true; /* it has ended meanwhile */
    if (m->type == HF_DAEMON_CANCEL)
        drop(o, r);
    else
        r->credit += m->number;
    return true;
}

static bool hear_requests(struct opener *o)
{
    enum hf_status st;
    while ((st = hf_daemon_receive(o->channel, &o->mail, false)) == HF_OK)
        if (!on_request(o, &o->mail.message))
            return false;
    return st == HF_LIMIT;
}

static bool hear_supervisor(struct opener *o)
{
    enum hf_status st;
    while ((st = hf_daemon_receive(o->supervisor, &o->mail, false)) == HF_OK)
        if (o->mail.message.type != HF_DAEMON_BEAT ||
            hf_daemon_send(o->supervisor, &o->mail.message, NULL, 0, false) == HF_IO)
            return false;
    return st == HF_LIMIT;
}

/* One step for each request that may say something: a folder of millions delays nobody. */
static bool step_all(struct opener *o)
{
    static const struct hf_opener_sink sink = {
        .file = on_file, .excluded = on_excluded, .trouble = on_trouble, .end = on_end};
    struct hf_opener_sink mine = sink;
    mine.user = o;
    bool worked = false;
    for (size_t i = 0; i < HF_OPENER_REQUESTS_MAX && !o->broken && o->pending_count == 0;
         i++) {
        struct request *r = &o->requests[i];
        if (r->walk == NULL || r->credit == 0)
            continue;
        bool busy;
        o->at = r;
        if (!hf_opener_walk_step(r->walk, &mine, &busy))
            drop(o, r);
        o->blocked = o->blocked || busy;
        worked = worked || !busy;
    }
    return worked;
}

int hf_opener_run(const struct hf_config *config, int requests, int supervisor)
{
    static struct opener o; /* of the process; large */
    o.channel = requests;
    o.supervisor = supervisor;
    o.rules = hf_opener_rules_new(config);
    if (o.rules == NULL)
        return 1;
    bool worked = false;
    for (;;) {
        struct pollfd p[2] = {{.fd = requests, .events = POLLIN},
                              {.fd = supervisor, .events = POLLIN}};
        if (poll(p, 2, worked ? 0 : o.blocked ? BUSY_MS : -1) < 0 && errno != EINTR)
            return 1;
        o.blocked = false;
        send_pending(&o);
        if ((p[1].revents != 0 && !hear_supervisor(&o)) ||
            (p[0].revents != 0 && !hear_requests(&o)))
            return 0;
        worked = o.live > 0 && step_all(&o);
        if (o.broken)
            return 0;
    }
}
