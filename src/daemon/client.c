/* client.c - one connection: reading, writing, time limits, its end. Whatever a client does or
 * does not do costs itself only: it is read in bounded pieces, nothing waits for it, answers that
 * it does not take are not added to, and its silence ends it. */
#include "daemon/listener_internal.h"

#include "base/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGER_MS = 5000, FDS_AT_ONCE = 8, READS_AT_ONCE = 8, EVICT_AFTER_MS = 1000 };

struct hf_client *hf_client_open(struct hf_listener *l, int fd,
                                 const struct hf_listen_socket *socket)
{
    struct hf_client *c = calloc(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return NULL;
    }
    c->fd = fd;
    c->kind = socket->kind;
    c->tcp = socket->tcp;
    c->stream.fd = c->held_fd = -1;
    c->active_ms = c->written_ms = hf_daemon_ms();
    hf_clamd_begin(&c->parser, l->config->stream_max);
    c->next = l->clients;
    if (c->next != NULL)
        c->next->previous = c;
    l->clients = c;
    l->client_count++;
    l->counters.connections++;
    return c;
}

void hf_client_close(struct hf_listener *l, struct hf_client *c)
{
    hf_request_drop_all(l, c);
    hf_stream_drop(l, &c->stream);
    hf_clamd_done(&c->parser);
    hf_buffer_done(&c->out);
    hf_fd_release(&c->held_fd);
    close(c->fd);
    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        l->clients = c->next;
    l->client_count--;
    free(c);
}

/* ---- writing ---- */

void hf_client_say(struct hf_client *c, struct hf_bytes text)
{
    if (!c->gone)
        hf_buffer_bytes(&c->out, text);
}

void hf_client_answer(struct hf_client *c, uint64_t number, char terminator,
                      const char *format, ...)
{
    if (c->gone)
        return;
    if (number > 0)
        hf_buffer_format(&c->out, "%llu: ", (unsigned long long)number);
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    if (n < 0)
        c->out.failed = true;
    else
        hf_buffer_add(&c->out, text, (size_t)n);
    free(text);
    hf_buffer_u8(&c->out, (uint8_t)terminator);
}

static void write_out(struct hf_client *c)
{
    if (c->out.failed)
        c->gone = true; /* half an answer would be worse than none */
    while (!c->gone && c->out_at < c->out.len) {
        ssize_t n = send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            c->out_at += (size_t)n;
            c->written_ms = hf_daemon_ms();
        } else if (n < 0 && errno == EAGAIN) {
            return;
        } else if (n == 0 || errno != EINTR) {
            c->gone = true;
        }
    }
    hf_buffer_clear(&c->out);
    c->out_at = 0;
}

/* ---- reading ---- */

/* Take descriptors out of a message: one is kept, a second one is an error of the client's. */
static unsigned take_fds(struct hf_client *c, struct msghdr *msg)
{
    unsigned count = 0;
    for (struct cmsghdr *m = CMSG_FIRSTHDR(msg); m != NULL; m = CMSG_NXTHDR(msg, m)) {
        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++, count++) {
            int fd;
            memcpy(&fd, CMSG_DATA(m) + i * sizeof fd, sizeof fd);
            hf_fd_release(&c->held_fd);
            c->held_fd = fd;
        }
    }
    if (count > 1)
        hf_fd_release(&c->held_fd);
    return count;
}

/* Sent without being asked for. [facts/clamav.md 3.9, measured on 1.4.6] */
static void refuse_descriptor(struct hf_client *c, bool both)
{
    uint64_t number = c->parser.session ? c->number + 1 : 0;
    static const char text[] = "PROTOCOL ERROR: ancillary data sent without FILDES. ERROR";
    char end = c->parser.terminator;
    if (c->parser.line.len > 0 && !c->parser.line_used)
        end = c->parser.line.data[0] == 'z' ? 0 : '\n'; /* of the command that is coming */
    hf_client_answer(c, number, end, text);
    if (both)
        hf_client_answer(c, number, c->parser.terminator,
                         "Error processing command. ERROR");
    hf_fd_release(&c->held_fd);
    c->closing = c->linger = true;
    hf_clamd_deafen(&c->parser);
}

/* A descriptor that is still there when a read's bytes have been understood. */
static void judge_held(struct hf_client *c, bool in_stream)
{
    if (c->held_fd < 0)
        return;
    if (in_stream || (c->closing && c->request_count == 0))
        hf_fd_release(&c->held_fd);
    else if (c->request_count > 0 && !c->parser.session)
        refuse_descriptor(c, true);
    else if (c->parser.state == HF_CLAMD_AT_DESCRIPTOR)
        refuse_descriptor(c, true);
    else
        c->held_late = true;
}

/* Nothing but ends of lines and of streams (a chunk of no bytes is its length, four zero bytes). */
static bool says_nothing(struct hf_bytes input)
{
    for (size_t i = 0; i < input.len; i++)
        if (input.data[i] != '\n' && input.data[i] != '\r' && input.data[i] != 0)
            return false;
    return true;
}

static void understand(struct hf_listener *l, struct hf_client *c, struct hf_bytes input)
{
    bool in_stream =
        c->parser.state == HF_CLAMD_AT_LENGTH || c->parser.state == HF_CLAMD_AT_CHUNK;
    struct hf_clamd_event event;
    while (!c->gone) {
        bool waits = c->request_count > 0 && !c->parser.session;
        /* mod_clamav ends a stream with a line feed of its own, and pyclamd ends one twice whose size
         * is a multiple of its chunks. These bytes come with the stream or after it; to the client
         * an error would be the answer about its file. */
        if (waits && c->streamed && says_nothing(input))
            input.len = 0;
        if (waits && input.len > 0 && !c->extra && !in_stream) {
            hf_client_answer(c, 0, c->parser.terminator, "Error processing command. ERROR");
            c->extra = c->linger = true;
        }
        if (hf_clamd_next(&c->parser, &input, &event) != HF_OK) {
            c->gone = true;
            break;
        }
        if (event.type == HF_CLAMD_NEEDS_MORE)
            break;
        uint64_t number = c->parser.session ? c->number + 1 : 0;
        switch (event.type) {
        case HF_CLAMD_COMMAND: hf_command_do(l, c, &event); break;
        case HF_CLAMD_DATA: hf_command_stream_data(l, c, event.bytes); break;
        case HF_CLAMD_STREAM_END: hf_command_stream_end(l, c); break;
        case HF_CLAMD_STREAM_OVER:
            hf_stream_drop(l, &c->stream);
            hf_client_answer(c, c->parser.session ? c->number : 0, c->parser.terminator,
                             "INSTREAM size limit exceeded. ERROR");
            c->closing = c->linger = true;
            break;
        case HF_CLAMD_DESCRIPTOR: hf_command_descriptor(l, c); break;
        case HF_CLAMD_OLD_IN_SESSION:
            hf_client_answer(c, number, 0,
                             "Only nCMDS\\n and zCMDS\\0 are accepted inside IDSESSION. "
                             "ERROR");
            hf_client_answer(c, number, 0, "Error processing command. ERROR");
            c->closing = c->linger = true;
            break;
        case HF_CLAMD_TOO_LONG: c->closing = c->linger = true; break;
        case HF_CLAMD_NEEDS_MORE: break;
        }
        in_stream = in_stream || event.type == HF_CLAMD_STREAM_END ||
                    c->parser.state == HF_CLAMD_AT_LENGTH;
        if (c->closing)
            c->linger = c->linger || input.len > 0;
    }
    judge_held(c, in_stream);
}

/* The peer has closed its side: what is complete is answered, what is not ends quietly. */
static void on_end(struct hf_client *c)
{
    c->end_seen = true;
    c->closing = true;
    c->linger = false;
    hf_clamd_deafen(&c->parser);
    if (c->lingering)
        c->gone = true;
}

static bool wants_input(const struct hf_client *c)
{
    return !c->gone && !c->end_seen && c->request_count < HF_SESSION_REQUESTS &&
           c->out.len - c->out_at < HF_OUT_PAUSE;
}

/* One read. False: nothing more is there now. */
static bool read_once(struct hf_listener *l, struct hf_client *c)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(FDS_AT_ONCE * sizeof(int))];
    } control;
    struct iovec iov = {.iov_base = l->buffer, .iov_len = sizeof l->buffer};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof control.space};
    ssize_t n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n < 0) {
        c->gone = true;
        return false;
    }
    if (n == 0) {
        on_end(c);
        return false;
    }
    c->active_ms = hf_daemon_ms();
    struct hf_bytes input = hf_bytes_of(l->buffer, (size_t)n);
    if (c->kind == HF_LISTEN_METRICS) {
        hf_tell_http(l, c, input);
        return true;
    }
    bool late = c->held_late;
    (void)take_fds(c, &msg);
    if (c->closing)
        hf_fd_release(&c->held_fd); /* deaf: the bytes are dropped below */
    else if (late)
        refuse_descriptor(c, false);
    c->held_late = false;
    understand(l, c, input);
    return (size_t)n == sizeof l->buffer;
}

/* ---- what is due ---- */

static void watch(struct hf_listener *l, struct hf_client *c, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (c->watched && c->events == events)
        return;
    if (epoll_ctl(l->epoll, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &e) != 0)
        c->gone = true;
    c->watched = true;
    c->events = events;
}

void hf_client_settle(struct hf_listener *l, struct hf_client *c)
{
    write_out(c);
    bool owes = c->request_count > 0 || c->out.len > c->out_at;
    if (c->closing && !c->gone && !owes) {
        if (!c->linger) {
            hf_client_close(l, c);
            return;
        }
        /* Closing now would make the kernel throw away the answer with what is unread. */
        if (!c->lingering) {
            (void)shutdown(c->fd, SHUT_WR);
            c->active_ms = hf_daemon_ms();
        }
        c->lingering = true;
    }
    uint32_t events = (wants_input(c) ? EPOLLIN | EPOLLRDHUP : 0) |
                      (c->out.len > c->out_at ? EPOLLOUT : 0);
    if (!c->gone)
        watch(l, c, events);
    if (c->gone)
        hf_client_close(l, c);
}

void hf_client_ready(struct hf_listener *l, struct hf_client *c, uint32_t events)
{
    for (unsigned i = 0; i < READS_AT_ONCE && wants_input(c); i++)
        if (!read_once(l, c))
            break;
    /* Both sides are closed: nobody waits for an answer. */
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && (c->end_seen || !wants_input(c)))
        c->gone = true;
    hf_client_settle(l, c);
}

/* ---- time ---- */

static bool is_in_stream(const struct hf_client *c)
{
    return c->parser.state == HF_CLAMD_AT_LENGTH || c->parser.state == HF_CLAMD_AT_CHUNK;
}

/* Returns whether the client's time is over. */
static bool is_late(const struct hf_listener *l, const struct hf_client *c, uint64_t now)
{
    const struct hf_config *config = l->config;
    uint64_t quiet = now - c->active_ms;
    if (c->lingering)
        return quiet > LINGER_MS;
    if (c->request_count > 0)
        return false;
    uint64_t limit_s = is_in_stream(c) ? config->read_timeout_s : config->command_timeout_s;
    return limit_s != 0 && quiet > limit_s * 1000;
}

void hf_client_sweep(struct hf_listener *l, uint64_t now)
{
    for (struct hf_client *c = l->clients, *next; c != NULL; c = next) {
        next = c->next;
        if (c->out.len > c->out_at) {
            /* Of what it was told it takes nothing. */
            uint64_t limit = l->config->command_timeout_s * 1000;
            if (limit != 0 && now - c->written_ms > limit)
                c->gone = true;
        } else if (is_late(l, c, now)) {
            l->counters.timeouts_of_clients += !c->lingering;
            if (c->lingering || c->closing)
                c->gone = true;
            else if (c->kind == HF_LISTEN_CLAMD)
                hf_client_say(c, hf_bytes_text("COMMAND READ TIMED OUT\n"));
            hf_clamd_deafen(&c->parser);
            c->closing = true;
        } else {
            continue;
        }
        hf_client_settle(l, c);
    }
}

/* All places are taken: whoever has been silent for longest, and owes us bytes, makes room. */
void hf_client_evict(struct hf_listener *l)
{
    struct hf_client *oldest = NULL;
    uint64_t now = hf_daemon_ms();
    for (struct hf_client *c = l->clients; c != NULL; c = c->next)
        if (c->request_count == 0 && now - c->active_ms > EVICT_AFTER_MS &&
            (oldest == NULL || c->active_ms < oldest->active_ms))
            oldest = c;
    if (oldest == NULL)
        return;
    l->counters.evicted++;
    hf_client_close(l, oldest);
}

void hf_client_end_idle(struct hf_listener *l)
{
    for (struct hf_client *c = l->clients, *next; c != NULL; c = next) {
        next = c->next;
        c->closing = true;
        if (c->parser.session || c->request_count == 0)
            hf_clamd_deafen(&c->parser);
        hf_client_settle(l, c);
    }
}
