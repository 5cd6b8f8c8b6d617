/* The parent's end of one worker. Whatever comes from a worker counts as an attacker's: it may
 * speak of the oldest object that it was given and of no other, within the caps of a report;
 * anything else ends it. */
#include "jail/pool_internal.h"

#include "base/fd.h"
#include "base/paths.h"
#include "jail/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    REPORT_BYTES_MAX =
        32 << 20, /* of one object's findings and paths; the rest is counted */
    LOSSES_MAX = 4,
    DATAGRAMS_AT_ONCE = 256 /* from one worker, before others get a look */
};

/* Starting */

/* The page's file cannot shrink under the parent's mapping: it is sealed. */
static int make_page(const struct hf_worker_page **page)
{
    int fd = memfd_create("holdfast-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
    void *p = MAP_FAILED;
    if (ftruncate(fd, sizeof **page) == 0 && fcntl(fd, F_ADD_SEALS, seals) == 0)
        p = mmap(NULL, sizeof **page, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        close(fd);
        return -1;
    }
    *page = p;
    return fd;
}

static bool send_fork(struct hf_pool *pool, uint32_t serial, int channel, int page)
{
    int fds[3] = {channel, page, hf_path_spool_open()};
    bool spool = fds[2] >= 0;
    struct hf_msg_fork fork_message = {.serial = serial, .has_spool = spool};
    hf_buffer_clear(&pool->out);
    hf_msg_put_fork(&pool->out, &fork_message);
    bool sent = !pool->out.failed &&
                hf_channel_send(pool->current->control, hf_buffer_view(&pool->out), fds,
                                spool ? 3 : 2, false) == HF_OK;
    hf_fd_release(&fds[2]);
    return sent;
}

/* Empties the place. Killing comes first: a worker that closed its channel may go on running. */
static void clear(struct hf_pool_worker *w)
{
    if (w->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0);
    hf_fd_release(&w->channel);
    hf_fd_release(&w->pidfd);
    if (w->page != NULL)
        munmap((void *)(uintptr_t)w->page, sizeof *w->page);
    hf_buffer_done(&w->told);
    struct hf_arena *arena = w->arena; /* kept for the next worker in this place */
    struct hf_arena_mark empty = w->empty;
    hf_arena_rewind(arena, empty);
    *w = (struct hf_pool_worker){.channel = -1,
                                 .pidfd = -1,
                                 .out = {NO_ITEM, NO_ITEM, 0},
                                 .seen_object = UINT64_MAX,
                                 .arena = arena,
                                 .empty = empty,
                                 .report = hf_report_begin(arena)};
}

bool hf_pool_worker_init(struct hf_pool_worker *w)
{
    w->arena = hf_arena_new(REPORT_BYTES_MAX);
    if (w->arena == NULL)
        return false;
    w->empty = hf_arena_mark(w->arena);
    w->channel = w->pidfd = -1;
    clear(w);
    return true;
}

void hf_pool_worker_done(struct hf_pool_worker *w)
{
    if (w->arena == NULL)
        return;
    clear(w);
    hf_arena_free(w->arena);
    w->arena = NULL;
}

struct hf_pool_worker *hf_pool_worker_start(struct hf_pool *pool)
{
    struct hf_pool_worker *w = pool->workers;
    while (w < pool->workers + pool->options.workers && w->state != WORKER_NONE)
        w++;
    if (w == pool->workers + pool->options.workers)
        return NULL;
    int ends[2];
    if (pool->current->state != TEMPLATE_READY ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return NULL;
    w->channel = ends[0];
    w->serial = ++pool->serials;
    int page = make_page(&w->page);
    bool sent = page >= 0 && hf_pool_watch(pool, w->channel) &&
                send_fork(pool, w->serial, ends[1], page);
    hf_fd_release(&page);
    close(ends[1]);
    if (!sent) {
        clear(w);
        return NULL;
    }
    w->state = WORKER_LIVE;
    w->template = pool->current;
    w->asked_for = hf_pool_now();
    pool->stats.workers_started++;
    return w;
}

/* Giving */

uint32_t hf_pool_worker_send(struct hf_pool *pool, struct hf_pool_worker *w,
                             struct hf_pool_list *list, uint32_t count)
{
    int fds[HF_BATCH_MAX];
    uint32_t n = 0;
    for (uint32_t i = list->head; n < count && n < HF_BATCH_MAX && i != NO_ITEM;
         i = pool->items[i].next)
        fds[n++] = pool->items[i].fd;
    if (n == 0)
        return 0;
    struct hf_msg_batch batch = {.first = w->next_number, .count = n};
    hf_buffer_clear(&pool->out);
    hf_msg_put_batch(&pool->out, &batch);
    if (pool->out.failed ||
        hf_channel_send(w->channel, hf_buffer_view(&pool->out), fds, n, false) != HF_OK) {
        if (!pool->out.failed && (errno == EPIPE || errno == ECONNRESET))
            hf_pool_worker_kill(pool, w);
        else if (!pool->out.failed && errno == ETOOMANYREFS && n > 1)
            return hf_pool_worker_send(pool, w, list,
                                       n / 2); /* the user's quota in flight */
        else
            pool->blocked = true;
        return 0;
    }
    for (uint32_t i = 0; i < n; i++)
        hf_pool_push(pool, &w->out, hf_pool_pop(pool, list));
    w->next_number += n;
    w->given += n;
    w->batch_end[w->batches++] = w->next_number;
    if (w->given >= pool->options.objects_per_worker)
        hf_pool_worker_retire(w);
    return n;
}

void hf_pool_worker_retire(struct hf_pool_worker *w)
{
    w->closing = true;
    (void)shutdown(w->channel, SHUT_WR);
}

/* Results */

/* Copies, for the datagram is soon another. False when the report is full. */
static bool copy_path(struct hf_arena *arena, struct hf_inner_path *to,
                      const struct hf_inner_path *from)
{
    *to = (struct hf_inner_path){.count = from->count};
    if (from->count == 0)
        return true;
    to->names = hf_arena_array(arena, from->count, sizeof *to->names);
    for (size_t i = 0; to->names != NULL && i < from->count; i++) {
        to->names[i] = hf_arena_copy(arena, from->names[i]);
        if (to->names[i].data == NULL && from->names[i].len > 0)
            return false;
    }
    return to->names != NULL;
}

static bool on_finding(struct hf_pool_worker *w, const struct hf_msg_finding *m)
{
    struct hf_report *r = &w->report;
    if (m->object != w->next_done || r->finding_count >= HF_FINDINGS_MAX)
        return false;
    struct hf_finding *all =
        hf_arena_grow(w->arena, r->findings, r->finding_count, sizeof *r->findings);
    if (all != NULL)
        r->findings = all;
    struct hf_inner_path path;
    if (all == NULL || !copy_path(w->arena, &path, &m->finding.path)) {
        r->findings_dropped++;
        return true;
    }
    all[r->finding_count] = m->finding;
    all[r->finding_count++].path = path;
    return true;
}

static bool on_incident(struct hf_pool_worker *w, const struct hf_msg_incident *m)
{
    struct hf_report *r = &w->report;
    if (m->object != w->next_done || r->incident_count >= HF_INCIDENTS_MAX)
        return false;
    struct hf_incident *all =
        hf_arena_grow(w->arena, r->incidents, r->incident_count, sizeof *r->incidents);
    if (all != NULL)
        r->incidents = all;
    struct hf_inner_path path;
    if (all == NULL || !copy_path(w->arena, &path, &m->incident.path))
        return true; /* the reason itself comes with DONE */
    all[r->incident_count++] = (struct hf_incident){m->incident.reason, path};
    return true;
}

static bool on_suspended(struct hf_pool_worker *w, const struct hf_msg_suspended *m)
{
    if (m->object != w->next_done || w->report.suspended_count >= HF_SUSPENDED_MAX)
        return false;
    hf_report_suspended(&w->report, m->signature);
    return true;
}

/* An object of an inspected file: memory for its facts is taken here, once. */
static bool on_object(struct hf_pool *pool, struct hf_pool_worker *w,
                      const struct hf_msg_object *m)
{
    struct hf_report *r = &w->report;
    if (m->object != w->next_done || !pool->options.inspect || w->facts_missing > 0 ||
        r->inspected_count >= HF_INSPECTED_MAX)
        return false;
    size_t size = m->seen.facts.len;
    w->facts_missing = size;
    w->facts_at = hf_arena_alloc(w->arena, size);
    struct hf_inspected *all =
        hf_arena_grow(w->arena, r->inspected, r->inspected_count, sizeof *r->inspected);
    if (all != NULL)
        r->inspected = all;
    struct hf_inner_path path;
    if (all == NULL || w->facts_at == NULL || !copy_path(w->arena, &path, &m->seen.path)) {
        w->facts_at = NULL;
        r->inspected_dropped++;
        return true;
    }
    struct hf_inspected *new = &all[r->inspected_count++];
    *new = m->seen;
    new->path = path;
    new->facts = hf_bytes_of(w->facts_at, size);
    return true;
}

static bool on_facts(struct hf_pool_worker *w, const struct hf_msg_facts *m)
{
    size_t n = m->piece.len;
    if (m->object != w->next_done || n > w->facts_missing)
        return false;
    w->facts_missing -= n;
    if (w->facts_at != NULL) {
        memcpy(w->facts_at, m->piece.data, n);
        w->facts_at += n;
    }
    return true;
}

/* A worker sends nothing that was not asked for, and not without end. */
static bool on_told(struct hf_pool *pool, struct hf_pool_worker *w,
                    const struct hf_msg_told *m)
{
    if (m->object != w->next_done || !pool->options.tell.rules ||
        m->piece.len > HF_TOLD_BYTES_MAX + HF_FACTS_PIECE_MAX - w->told.len)
        return false;
    hf_buffer_bytes(&w->told, m->piece);
    return !w->told.failed;
}

static bool on_form(struct hf_pool *pool, struct hf_pool_worker *w,
                    const struct hf_msg_form *m)
{
    uint32_t item = w->out.head;
    if (pool->options.on_form == NULL || pool->options.form == HF_FORM_NONE ||
        m->object != w->next_done || item == NO_ITEM || m->offset != w->form_at[m->part])
        return false;
    w->form_at[m->part] += m->piece.len;
    return pool->options.on_form(pool->user, pool->items[item].id, m->part, m->offset,
                                 m->piece);
}

static void finish_object(struct hf_pool *pool, struct hf_pool_worker *w)
{
    w->next_done++;
    if (w->batches > 0 && w->next_done >= w->batch_end[0]) {
        w->batch_end[0] = w->batch_end[1];
        w->batches--;
    }
    w->alone = false;
    pool->template_starts = 0;
    pool->empty_deaths = 0;
}

static bool on_done(struct hf_pool *pool, struct hf_pool_worker *w,
                    const struct hf_msg_done *m)
{
    struct hf_report *r = &w->report;
    if (m->object != w->next_done || w->out.count == 0 || w->facts_missing > 0)
        return false;
    if (m->status != HF_OK && m->status != HF_INVALID && m->status != HF_IO)
        return false;
    r->verdict = (enum hf_verdict)m->verdict;
    r->reasons = m->reasons;
    r->format = (enum hf_format)m->format;
    r->objects = m->objects;
    r->bytes = m->bytes;
    r->work = m->work;
    r->rules = m->rules;
    r->findings_dropped += m->findings_dropped;
    r->inspected_dropped += m->inspected_dropped;
    r->suspended_dropped += m->suspended_dropped;
    if (m->last)
        w->closing = w->said_last = true;
    r->excused = m->excused;
    r->asked_cut = m->asked_cut;
    r->asked = m->asked;
    r->worker = w->serial;
    r->generation = w->template->generation;
    r->told = hf_buffer_view(&w->told);
    uint32_t item = hf_pool_pop(pool, &w->out);
    finish_object(pool, w);
    hf_pool_report(pool, item, m->status, r);
    hf_buffer_clear(&w->told);
    hf_arena_rewind(w->arena, w->empty);
    w->report = hf_report_begin(w->arena);
    memset(w->form_at, 0, sizeof w->form_at);
    return true;
}

static bool on_datagram(struct hf_pool *pool, struct hf_pool_worker *w,
                        const struct hf_datagram *d)
{
    struct hf_cursor c = hf_cursor_open(d->data, d->len, NULL);
    for (;;) {
        struct hf_message m;
        struct hf_arena_mark mark = hf_arena_mark(pool->arena);
        enum hf_status st = hf_msg_next(&c, pool->arena, &m);
        if (st == HF_NOTFOUND)
            return true;
        bool good = st == HF_OK;
        if (good && m.type == HF_MSG_FINDING)
            good = m.finding.finding.signature.segment < w->template->db_count &&
                   on_finding(w, &m.finding);
        else if (good && m.type == HF_MSG_INCIDENT)
            good = on_incident(w, &m.incident);
        else if (good && m.type == HF_MSG_SUSPENDED)
            good = m.suspended.signature.segment < w->template->db_count &&
                   on_suspended(w, &m.suspended);
        else if (good && m.type == HF_MSG_OBJECT)
            good = on_object(pool, w, &m.seen_object);
        else if (good && m.type == HF_MSG_FACTS)
            good = on_facts(w, &m.facts);
        else if (good && m.type == HF_MSG_TOLD)
            good = on_told(pool, w, &m.told);
        else if (good && m.type == HF_MSG_FORM)
            good = on_form(pool, w, &m.form);
        else
            good = good && m.type == HF_MSG_DONE && on_done(pool, w, &m.done);
        hf_arena_rewind(pool->arena, mark);
        if (!good)
            return false;
    }
}

/* It finished what it had, or said that it would end and is at no object. */
static bool ended_as_agreed(const struct hf_pool_worker *w)
{
    return w->closing && (w->out.count == 0 ||
                          (w->said_last && atomic_load(&w->page->object) == UINT64_MAX));
}

void hf_pool_worker_receive(struct hf_pool *pool, struct hf_pool_worker *w)
{
    for (unsigned i = 0; i < DATAGRAMS_AT_ONCE; i++) {
        struct hf_datagram d = {.data = pool->datagram, .room = sizeof pool->datagram};
        enum hf_status st = hf_channel_receive(w->channel, &d, false);
        if (st == HF_LIMIT)
            return;
        if (st == HF_OK && on_datagram(pool, w, &d))
            continue;
        if (st == HF_NOTFOUND && ended_as_agreed(w))
            hf_pool_worker_judge(pool, w, false);
        else
            hf_pool_worker_kill(pool, w); /* died, or speaks nonsense */
        return;
    }
}

/* Ends */

void hf_pool_worker_kill(struct hf_pool *pool, struct hf_pool_worker *w)
{
    /* It stays open until the end is known, and must not be told of until then. */
    (void)epoll_ctl(pool->ears, EPOLL_CTL_DEL, w->channel, NULL);
    if (w->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0);
    if (w->state != WORKER_DYING)
        w->dying_since = hf_pool_now();
    w->state = WORKER_DYING;
}

/* The item that was in flight, taken out of the worker's list; NO_ITEM when its page does not
 * name one that it has. */
static uint32_t take_item_in_flight(struct hf_pool *pool, struct hf_pool_worker *w)
{
    if (atomic_load_explicit(&w->page->started, memory_order_acquire) == 0)
        return NO_ITEM; /* it never came to an object */
    uint64_t object = atomic_load_explicit(&w->page->object, memory_order_acquire);
    if (object < w->next_done || object - w->next_done >= w->out.count)
        return NO_ITEM;
    struct hf_pool_list rest = {NO_ITEM, NO_ITEM, 0};
    uint32_t found = NO_ITEM;
    uint64_t number = w->next_done;
    for (uint32_t item; (item = hf_pool_pop(pool, &w->out)) != NO_ITEM; number++) {
        if (number == object)
            found = item;
        else
            hf_pool_push(pool, &rest, item);
    }
    w->out = rest;
    return found;
}

static void blame_item(struct hf_pool *pool, struct hf_pool_template *t, uint32_t item,
                       bool timed_out)
{
    if (timed_out) {
        /* Not tried again: it would only cost the same time once more. */
        pool->stats.timeouts++;
        hf_pool_report_reason(pool, item, HF_REASON_TIMEOUT);
        return;
    }
    pool->stats.crashes++;
    t->crashes++;
    if (++pool->items[item].strikes > 1) {
        hf_pool_report_reason(pool, item, HF_REASON_CRASH);
        return;
    }
    pool->stats.retries++;
    hf_pool_push(pool, &pool->suspects, item);
}

/* Nobody is named: something outside ended it, or it lies. The oldest object is the one that
 * it should have been at; after several such deaths it is held responsible, so that nothing
 * goes round for ever. */
static uint32_t take_unlucky_item(struct hf_pool *pool, struct hf_pool_worker *w)
{
    hf_pool_slow_down(pool);
    uint32_t item = w->out.head;
    if (item == NO_ITEM || ++pool->items[item].losses < LOSSES_MAX)
        return NO_ITEM;
    pool->items[item].losses = 0;
    return hf_pool_pop(pool, &w->out);
}

void hf_pool_worker_judge(struct hf_pool *pool, struct hf_pool_worker *w, bool blame)
{
    if (blame && pool->options.on_misbehaved != NULL)
        pool->options.on_misbehaved(pool->user, w->serial);
    uint32_t blamed = blame ? take_item_in_flight(pool, w) : NO_ITEM;
    if (blame && blamed == NO_ITEM && w->out.count > 0)
        blamed = take_unlucky_item(pool, w);
    /* Back to the front of the queue, oldest first. */
    struct hf_pool_list reversed = {NO_ITEM, NO_ITEM, 0};
    for (uint32_t item; (item = hf_pool_pop(pool, &w->out)) != NO_ITEM;)
        hf_pool_push_front(pool, &reversed, item);
    for (uint32_t item; (item = hf_pool_pop(pool, &reversed)) != NO_ITEM;)
        hf_pool_push_front(pool, &pool->queue, item);
    bool timed_out = w->timed_out;
    struct hf_pool_template *t = w->template;
    clear(w);
    if (blamed != NO_ITEM)
        blame_item(pool, t, blamed, timed_out);
}
