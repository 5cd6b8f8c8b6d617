/* request.c - what is under scan for whom. A request has items: the one object of a stream or a
 * descriptor, or the entries of a walk, a window of them at a time. An item waits in the queue
 * until the pool has room, then its address is the pool's number for it; answers leave in the
 * order of the walk, each as soon as those before it are known. */
#include "daemon/listener_internal.h"

#include "base/fd.h"
#include "daemon/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_REQUESTS_MAX = 256 /* fewer than the opener takes */ };

static const struct hf_answer_policy *policy_of(const struct hf_listener *l,
                                                struct hf_answer_policy *policy)
{
    *policy = (struct hf_answer_policy){
        .unscannable = (enum hf_unscannable_policy)l->config->unscannable,
        .alert_limits = l->config->alert_limits,
        .alert_encrypted = l->config->alert_encrypted};
    return policy;
}

/* ---- items and requests ---- */

static struct hf_request *new_request(struct hf_listener *l, struct hf_client *c,
                                      enum hf_clamd_command command)
{
    struct hf_request *r = calloc(1, sizeof *r);
    if (r == NULL) {
        c->gone = true;
        return NULL;
    }
    r->listener = l;
    r->client = c;
    r->number = c->parser.session ? c->number : 0;
    r->terminator = c->parser.terminator;
    r->command = command;
    r->last = &r->first;
    r->begun_us = hf_daemon_us();
    r->next = c->requests;
    c->requests = r;
    c->request_count++;
    if (!c->parser.session)
        hf_clamd_deafen(&c->parser); /* one command a connection */
    return r;
}

static struct hf_item *new_item(struct hf_request *r, struct hf_bytes label)
{
    struct hf_item *item = calloc(1, sizeof *item);
    uint8_t *copy = malloc(label.len + 1);
    if (item == NULL || copy == NULL) {
        free(item);
        free(copy);
        return NULL;
    }
    memcpy(copy, label.data, label.len);
    copy[label.len] = 0;
    item->request = r;
    item->label = hf_bytes_of(copy, label.len);
    item->fd = -1;
    item->begun_us = hf_daemon_us();
    *r->last = item;
    r->last = &item->next;
    r->items++;
    return item;
}

static void free_item(struct hf_item *item)
{
    hf_fd_release(&item->fd);
    hf_buffer_done(&item->text);
    free((void *)(uintptr_t)item->label.data);
    free(item);
}

/* Items that nobody waits for any more: what a worker has comes back to nobody. */
static void drop_items(struct hf_listener *l, struct hf_request *r)
{
    for (struct hf_item *item = r->first, *next; item != NULL; item = next) {
        next = item->next;
        item->request = NULL;
        item->next = NULL;
        bool queued = item->fd >= 0;
        if (queued) {
            for (struct hf_item **q = &l->queue; *q != NULL; q = &(*q)->queue_next)
                if (*q == item) {
                    *q = item->queue_next;
                    if (l->queue_last == &item->queue_next)
                        l->queue_last = q;
                    l->queue_count--;
                    break;
                }
        }
        if (queued || item->done)
            free_item(item);
    }
    r->first = NULL;
    r->last = &r->first;
    r->items = 0;
}

static void leave_opener(struct hf_listener *l, struct hf_request *r)
{
    if (r->opener_id == 0)
        return;
    for (struct hf_request **p = &l->path_requests; *p != NULL; p = &(*p)->path_next)
        if (*p == r) {
            *p = r->path_next;
            break;
        }
    if (!r->ended && l->opener >= 0)
        (void)!hf_daemon_send(
            l->opener,
            &(struct hf_daemon_message){.type = HF_DAEMON_CANCEL, .id = r->opener_id}, NULL,
            0, true);
    r->opener_id = 0;
    l->opener_live--;
}

static void free_request(struct hf_listener *l, struct hf_request *r)
{
    drop_items(l, r);
    leave_opener(l, r);
    for (struct hf_request **p = &r->client->requests; *p != NULL; p = &(*p)->next)
        if (*p == r) {
            *p = r->next;
            break;
        }
    r->client->request_count--;
    hf_buffer_done(&r->path);
    free(r);
}

void hf_request_drop_all(struct hf_listener *l, struct hf_client *c)
{
    while (c->requests != NULL)
        free_request(l, c->requests);
}

/* ---- the queue before the pool ---- */

static void enqueue(struct hf_listener *l, struct hf_item *item, int fd, uint64_t size)
{
    item->fd = fd;
    item->size = size;
    item->queue_next = NULL;
    *l->queue_last = item;
    l->queue_last = &item->queue_next;
    l->queue_count++;
}

void hf_request_give(struct hf_listener *l)
{
    bool given = false;
    while (l->queue != NULL && l->pool != NULL && hf_pool_room(l->pool) > 0) {
        struct hf_item *item = l->queue;
        l->queue = item->queue_next;
        if (l->queue == NULL)
            l->queue_last = &l->queue;
        l->queue_count--;
        int fd = item->fd;
        item->fd = -1;
        if (hf_pool_submit(l->pool, fd, (uint64_t)(uintptr_t)item) != HF_OK) {
            static const struct hf_report nothing;
            hf_request_on_done(l, (uint64_t)(uintptr_t)item, HF_IO, &nothing);
        }
        given = true;
    }
    if (given)
        hf_pool_flush(l->pool);
}

/* ---- answers ---- */

static void say_line(struct hf_request *r, struct hf_buffer *out, struct hf_bytes label,
                     const char *text)
{
    if (r->number > 0)
        hf_buffer_format(out, "%llu: ", (unsigned long long)r->number);
    hf_buffer_bytes(out, label);
    hf_buffer_format(out, ": %s", text);
    hf_buffer_u8(out, (uint8_t)r->terminator);
}

static bool is_path(const struct hf_request *r)
{
    return r->command != HF_CLAMD_INSTREAM && r->command != HF_CLAMD_FILDES;
}

/* The last line, which depends on what the path was. [facts/clamav.md 3.9] */
static void say_end(struct hf_listener *l, struct hf_request *r)
{
    bool multi = r->command == HF_CLAMD_MULTISCAN;
    bool ok = false;
    switch ((enum hf_end_kind)r->end_kind) {
    case HF_END_SPECIAL:
    case HF_END_LINK_FILE: ok = true; break;
    case HF_END_FOLDER: ok = !multi || r->scanned; break;
    case HF_END_LINK: ok = !multi; break;
    case HF_END_NOTHING:
    case HF_END_FILE:
    case HF_END_KINDS: break;
    }
    if (ok && !r->found) {
        say_line(r, &r->client->out, hf_buffer_view(&r->path), "OK");
        if (l->config->log_clean)
            hf_log_result(&l->log, hf_buffer_view(&r->path), NULL, 0);
    }
}

static void count_latency(struct hf_listener *l, uint64_t begun_us)
{
    uint64_t us = hf_daemon_us() - begun_us, limit = 100;
    unsigned bucket = 0;
    while (bucket < HF_LATENCY_BUCKETS && us > limit) {
        limit *= 4;
        bucket++;
    }
    l->counters.latency[bucket]++;
    l->counters.latency_us += us;
}

/* The request has been answered. The client is settled by the caller. */
static void finish_request(struct hf_listener *l, struct hf_request *r)
{
    struct hf_client *c = r->client;
    c->active_ms = hf_daemon_ms();
    count_latency(l, r->begun_us);
    free_request(l, r);
    if (!c->parser.session) {
        c->closing = true;
        hf_clamd_deafen(&c->parser);
    }
}

/* How many more entries the opener may tell. */
static void ask_more(struct hf_listener *l, struct hf_request *r, uint64_t count)
{
    struct hf_daemon_message m = {
        .type = HF_DAEMON_MORE, .id = r->opener_id, .number = count};
    if (!r->ended && l->opener >= 0)
        (void)!hf_daemon_send(l->opener, &m, NULL, 0, true);
}

/* Move answers to the client as far as they are known. May free the request: false then. */
static bool advance(struct hf_listener *l, struct hf_request *r)
{
    uint64_t moved = 0;
    while (r->first != NULL && r->first->done) {
        struct hf_item *item = r->first;
        r->first = item->next;
        if (r->first == NULL)
            r->last = &r->first;
        r->items--;
        moved++;
        if (item->text.failed)
            r->client->gone = true;
        hf_client_say(r->client, hf_buffer_view(&item->text));
        free_item(item);
        /* SCAN of a folder ends with what it finds first; ALLMATCHSCAN too, as measured. */
        if (r->found && is_path(r) && r->first == NULL &&
            (r->command == HF_CLAMD_SCAN || r->command == HF_CLAMD_ALLMATCHSCAN)) {
            finish_request(l, r);
            return false;
        }
    }
    if (r->first == NULL && (r->ended || !is_path(r))) {
        if (is_path(r))
            say_end(l, r);
        finish_request(l, r);
        return false;
    }
    if (moved > 0 && is_path(r))
        ask_more(l, r, moved);
    return true;
}

/* A finding that ends the walk: what was begun behind it is not wanted any more. */
static void stop_behind(struct hf_listener *l, struct hf_request *r, struct hf_item *item)
{
    struct hf_request rest = {.first = item->next, .last = r->last, .client = r->client};
    size_t behind = 0;
    for (struct hf_item *i = item->next; i != NULL; i = i->next)
        behind++;
    if (rest.first != NULL)
        drop_items(l, &rest);
    item->next = NULL;
    r->last = &item->next;
    r->items -= behind;
    if (!r->ended && l->opener >= 0)
        (void)!hf_daemon_send(
            l->opener,
            &(struct hf_daemon_message){.type = HF_DAEMON_CANCEL, .id = r->opener_id}, NULL,
            0, true);
    r->ended = true;
    r->end_kind = HF_END_NOTHING;
}

static void send_event(struct hf_listener *l, const char *name, struct hf_bytes label)
{
    if (l->config->virus_event == NULL)
        return;
    struct hf_buffer text = {0};
    hf_buffer_text(&text, name);
    hf_buffer_u8(&text, 0);
    hf_buffer_bytes(&text, label);
    if (!text.failed)
        hf_listener_tell(l, &(struct hf_daemon_message){.type = HF_DAEMON_EVENT,
                                                        .text = hf_buffer_view(&text)});
    hf_buffer_done(&text);
}

/* "instream(peer)" in the log for what has no name of its own. */
static void log_found(struct hf_listener *l, const struct hf_item *item, const char *name)
{
    struct hf_request *r = item->request;
    struct hf_buffer label = {0};
    if (r->command == HF_CLAMD_INSTREAM)
        hf_buffer_format(&label, "instream(%s)", r->client->peer);
    else
        hf_buffer_bytes(&label, item->label);
    if (name != NULL || l->config->log_clean)
        hf_log_result(&l->log, hf_buffer_view(&label), name, item->size);
    if (name != NULL)
        send_event(l, name, hf_buffer_view(&label));
    hf_buffer_done(&label);
}

static void count_report(struct hf_counters *n, enum hf_status status,
                         const struct hf_report *report, enum hf_answer_kind kind)
{
    n->objects++;
    n->bytes += report->bytes;
    n->found += kind == HF_ANSWER_FOUND;
    n->errors += kind == HF_ANSWER_ERROR;
    n->clean += kind == HF_ANSWER_OK;
    n->unscannable += status == HF_OK && report->verdict == HF_UNSCANNABLE;
    for (unsigned i = 0; i < 8; i++)
        n->by_reason[i] += (report->reasons >> i) & 1;
}

/* The lines of an object. */
static void answer_item(struct hf_listener *l, struct hf_item *item, enum hf_status status,
                        const struct hf_report *report)
{
    struct hf_request *r = item->request;
    struct hf_answer_policy policy;
    struct hf_buffer text = {0};
    const struct hf_generation *g = hf_listener_generation(l, report->generation);
    size_t most = r->command == HF_CLAMD_ALLMATCHSCAN ? SIZE_MAX : 1;
    r->scanned = true;
    enum hf_answer_kind kind = HF_ANSWER_ERROR;
    for (size_t i = 0; i == 0 || (i < report->finding_count && i < most); i++) {
        hf_buffer_clear(&text);
        kind = hf_answer_text(&text, g != NULL ? g->db : NULL, status, report, i,
                              policy_of(l, &policy));
        if (i == 0)
            count_report(&l->counters, status, report, kind);
        if (text.failed) {
            item->text.failed = true;
            break;
        }
        const char *words = (const char *)text.data;
        if (kind == HF_ANSWER_FOUND) {
            r->found = true;
            log_found(l, item, words);
        } else if (kind == HF_ANSWER_OK) {
            log_found(l, item, NULL);
        } else {
            hf_listener_error(l, "%.*s: %s", (int)item->label.len,
                              (const char *)item->label.data, words);
        }
        /* Clean files of a folder are not named. */
        if (kind == HF_ANSWER_OK && is_path(r) &&
            !hf_bytes_equal(item->label, hf_buffer_view(&r->path)))
            continue;
        struct hf_buffer line = {0};
        hf_buffer_text(&line, kind == HF_ANSWER_OK ? "OK" : words);
        if (kind != HF_ANSWER_OK)
            hf_buffer_text(&line, kind == HF_ANSWER_FOUND ? " FOUND" : " ERROR");
        hf_buffer_u8(&line, 0);
        if (!line.failed)
            say_line(r, &item->text, item->label, (const char *)line.data);
        item->text.failed = item->text.failed || line.failed;
        hf_buffer_done(&line);
    }
    if (kind == HF_ANSWER_FOUND && is_path(r) && r->opener_id != 0 &&
        (r->command == HF_CLAMD_SCAN || r->command == HF_CLAMD_ALLMATCHSCAN))
        stop_behind(l, r, item);
    hf_buffer_done(&text);
}

/* An object that crashes is tried twice before this is said. */
static void count_failure(struct hf_listener *l, const struct hf_report *report)
{
    struct hf_generation *g = hf_listener_generation(l, report->generation);
    if (g == NULL)
        return;
    if ((report->reasons & HF_REASON_CRASH) != 0)
        g->crashes += 2;
    if ((report->reasons & HF_REASON_TIMEOUT) != 0)
        g->delays++;
}

void hf_request_on_done(void *user, uint64_t id, enum hf_status status,
                        const struct hf_report *report)
{
    struct hf_listener *l = user;
    struct hf_item *item = (struct hf_item *)(uintptr_t)id;
    item->done = true;
    count_failure(l, report);
    if (item->request == NULL) {
        free_item(item);
        return;
    }
    struct hf_client *c = item->request->client;
    answer_item(l, item, status, report);
    if (advance(l, item->request) && c->request_count > 0 && c->out.len == c->out_at)
        return; /* nothing to send yet */
    hf_client_settle(l, c);
}

/* ---- beginning ---- */

void hf_request_object(struct hf_listener *l, struct hf_client *c,
                       enum hf_clamd_command command, int fd, uint64_t size,
                       const char *label)
{
    struct hf_request *r = new_request(l, c, command);
    struct hf_item *item = r != NULL ? new_item(r, hf_bytes_text(label)) : NULL;
    if (item == NULL) {
        close(fd);
        c->gone = true;
        return;
    }
    enqueue(l, item, fd, size);
}

static void refuse_path(struct hf_client *c, struct hf_bytes path, const char *why)
{
    hf_client_answer(c, c->parser.session ? c->number : 0, c->parser.terminator, "%.*s: %s",
                     (int)path.len, (const char *)path.data, why);
    if (!c->parser.session) {
        c->closing = true;
        hf_clamd_deafen(&c->parser);
    }
}

void hf_request_path(struct hf_listener *l, struct hf_client *c,
                     enum hf_clamd_command command, struct hf_bytes path)
{
    if (path.len == 0) {
        refuse_path(c, path, "File path check failure: No such file or directory. ERROR");
        return;
    }
    if (l->opener < 0 || l->opener_live >= PATH_REQUESTS_MAX) {
        refuse_path(c, path, "Can't open file or directory ERROR");
        return;
    }
    struct hf_request *r = new_request(l, c, command);
    if (r == NULL)
        return;
    /* As the opener tidies it: lines about the path itself name it so. */
    while (path.len > 1 && path.data[0] == '/' && path.data[1] == '/')
        path = hf_bytes_of(path.data + 1, path.len - 1);
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    hf_buffer_bytes(&r->path, path);
    r->opener_id = ++l->opener_ids;
    r->path_next = l->path_requests;
    l->path_requests = r;
    l->opener_live++;
    struct hf_daemon_message m = {.type = HF_DAEMON_OPEN,
                                  .id = r->opener_id,
                                  .number = command == HF_CLAMD_MULTISCAN ? HF_OPEN_MULTI
                                                                          : HF_OPEN_PLAIN,
                                  .text = path};
    if (r->path.failed || hf_daemon_send(l->opener, &m, NULL, 0, true) != HF_OK) {
        r->ended = true;
        r->end_kind = HF_END_NOTHING;
        struct hf_bytes said = hf_buffer_view(&r->path);
        say_line(r, &c->out, said, "Can't open file or directory ERROR");
        finish_request(l, r);
        return;
    }
    ask_more(l, r, HF_WINDOW);
}

/* ---- the opener ---- */

static struct hf_request *find_path(struct hf_listener *l, uint64_t id)
{
    struct hf_request *r = l->path_requests;
    while (r != NULL && r->opener_id != id)
        r = r->path_next;
    return r;
}

static void say_trouble(struct hf_request *r, struct hf_item *item,
                        const struct hf_daemon_message *m)
{
    char text[160];
    switch ((enum hf_trouble)m->extra) {
    case HF_TROUBLE_PATH:
        (void)snprintf(text, sizeof text, "File path check failure: %s. ERROR",
                       strerror((int)m->number));
        break;
    case HF_TROUBLE_ACCESS:
        (void)snprintf(text, sizeof text, "Access denied. ERROR");
        break;
    case HF_TROUBLE_SPECIAL:
        (void)snprintf(text, sizeof text, "Not supported file type ERROR");
        break;
    case HF_TROUBLE_OPEN:
    case HF_TROUBLES:
        (void)snprintf(text, sizeof text, "Can't open file or directory ERROR");
        break;
    }
    say_line(r, &item->text, item->label, text);
}

static void on_entry(struct hf_listener *l, struct hf_request *r,
                     struct hf_daemon_mail *mail)
{
    const struct hf_daemon_message *m = &mail->message;
    if (m->type == HF_DAEMON_END) {
        r->ended = true;
        r->end_kind = (unsigned)m->number;
        return;
    }
    struct hf_item *item = new_item(r, m->text);
    if (item == NULL) {
        r->client->gone = true;
        return;
    }
    if (m->type == HF_DAEMON_FILE) {
        enqueue(l, item, mail->fds[0], m->number);
        mail->fds[0] = -1;
        return;
    }
    item->done = true;
    if (m->type == HF_DAEMON_TROUBLE) {
        say_trouble(r, item, m);
        hf_listener_error(l, "%.*s: cannot be opened: %s", (int)m->text.len,
                          (const char *)m->text.data, strerror((int)m->number));
    } else {
        say_line(r, &item->text, item->label,
                 m->number != 0 ? "Excluded (another filesystem)" : "Excluded");
    }
}

void hf_request_from_opener(struct hf_listener *l)
{
    for (unsigned i = 0; i < 256; i++) {
        enum hf_status st = hf_daemon_receive(l->opener, &l->mail, false);
        if (st == HF_LIMIT)
            return;
        uint64_t type = l->mail.message.type;
        bool fits = st == HF_OK && type >= HF_DAEMON_FILE && type <= HF_DAEMON_END;
        if (!fits) {
            if (st == HF_OK)
                hf_daemon_close_fds(&l->mail);
            hf_request_lose_opener(l);
            return;
        }
        struct hf_request *r = find_path(l, l->mail.message.id);
        if (r != NULL && !r->ended && r->items <= HF_WINDOW) {
            struct hf_client *c = r->client;
            on_entry(l, r, &l->mail);
            if (!advance(l, r) || c->out.len > c->out_at || c->gone)
                hf_client_settle(l, c);
        }
        hf_daemon_close_fds(&l->mail);
    }
}

/* It is dead, hangs, or speaks nonsense: what it was at cannot be opened; another one comes. */
void hf_request_lose_opener(struct hf_listener *l)
{
    hf_fd_release(&l->opener);
    l->counters.openers++;
    while (l->path_requests != NULL) {
        struct hf_request *r = l->path_requests;
        struct hf_client *c = r->client;
        l->path_requests = r->path_next;
        r->opener_id = 0;
        l->opener_live--;
        struct hf_item *item = r->ended ? NULL : new_item(r, hf_buffer_view(&r->path));
        if (item != NULL) {
            item->done = true;
            say_line(r, &item->text, item->label, "Can't open file or directory ERROR");
        } else if (!r->ended) {
            c->gone = true;
        }
        if (!r->ended) {
            r->ended = true;
            r->end_kind = HF_END_NOTHING;
        }
        if (!advance(l, r) || c->gone)
            hf_client_settle(l, c);
    }
}
