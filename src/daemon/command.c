/* command.c - what a command does. Paths go to the opener, bytes and descriptors to a worker, and
 * what changes the daemon to the supervisor, if the peer may ask for it. */
#include "daemon/listener_internal.h"

#include "base/fd.h"
#include "base/paths.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLAMD_VERSION "ClamAV 1.4.6" /* whose answers these are */

/* Number of the command in its session, 0 outside. */
static uint64_t number_of(const struct hf_client *c)
{
    return c->parser.session ? c->number : 0;
}

static void answer(struct hf_client *c, const char *text)
{
    hf_client_answer(c, number_of(c), c->parser.terminator, "%s", text);
}

static void finish(struct hf_client *c)
{
    c->closing = true;
    hf_clamd_deafen(&c->parser);
}

/* An answer that is complete: outside of a session it is the last. */
static void conclude(struct hf_client *c, const char *text)
{
    answer(c, text);
    if (!c->parser.session)
        finish(c);
}

static void do_version(struct hf_listener *l, struct hf_client *c)
{
    const struct hf_generation *g = hf_listener_active(l);
    struct hf_bytes more = g != NULL ? hf_buffer_view(&g->text) : (struct hf_bytes){0};
    if (!l->config->version)
        answer(c, "COMMAND UNAVAILABLE");
    else
        hf_client_answer(c, number_of(c), c->parser.terminator, CLAMD_VERSION "%.*s",
                         (int)more.len, (const char *)more.data);
    if (!c->parser.session)
        finish(c);
}

static void do_version_commands(struct hf_client *c)
{
    struct hf_buffer text = {0};
    hf_buffer_text(&text, CLAMD_VERSION "| COMMANDS:");
    for (unsigned i = 0; i < HF_CLAMD_COMMANDS; i++)
        hf_buffer_format(&text, " %s", hf_clamd_rows[i].name);
    hf_buffer_u8(&text, 0);
    if (!text.failed)
        conclude(c, (const char *)text.data);
    hf_buffer_done(&text);
}

static void do_control(struct hf_listener *l, struct hf_client *c, bool enabled,
                       enum hf_daemon_type type, const char *reply)
{
    if (!enabled || !c->may_control) {
        hf_log_line(&l->log, HF_LOG_WARNING, "%s from %s refused",
                    type == HF_DAEMON_RELOAD ? "RELOAD" : "SHUTDOWN", c->peer);
        conclude(c, "COMMAND UNAVAILABLE");
        return;
    }
    hf_listener_tell(l, &(struct hf_daemon_message){.type = type});
    if (reply != NULL)
        answer(c, reply);
    finish(c);
}

static void do_allmatch(struct hf_listener *l, struct hf_client *c,
                        const struct hf_clamd_event *event)
{
    if (l->config->all_match)
        hf_request_path(l, c, event->command, event->bytes);
    else
        conclude(c, "ALLMATCHSCAN command disabled by clamd configuration. ERROR");
}

void hf_command_do(struct hf_listener *l, struct hf_client *c,
                   const struct hf_clamd_event *event)
{
    l->counters.requests++;
    l->counters.by_command[event->command]++;
    if (c->parser.session) {
        c->number += event->command != HF_CLAMD_END;
        if (event->command == HF_CLAMD_UNKNOWN || !hf_clamd_rows[event->command].session) {
            answer(c, "Command invalid inside IDSESSION. ERROR");
            finish(c);
            return;
        }
    }
    switch (event->command) {
    case HF_CLAMD_PING: conclude(c, "PONG"); break;
    case HF_CLAMD_VERSION: do_version(l, c); break;
    case HF_CLAMD_VERSIONCOMMANDS: do_version_commands(c); break;
    case HF_CLAMD_STATS:
        if (l->config->stats)
            hf_tell_stats(l, c, number_of(c));
        else
            answer(c, "COMMAND UNAVAILABLE");
        if (!c->parser.session)
            finish(c);
        break;
    case HF_CLAMD_RELOAD:
        do_control(l, c, l->config->reload, HF_DAEMON_RELOAD, "RELOADING");
        break;
    case HF_CLAMD_SHUTDOWN:
    case HF_CLAMD_QUIT:
        do_control(l, c, l->config->shutdown, HF_DAEMON_SHUTDOWN, NULL);
        break;
    case HF_CLAMD_DETSTATS:
    case HF_CLAMD_DETSTATSCLEAR: finish(c); break;
    case HF_CLAMD_IDSESSION: c->parser.session = true; break;
    case HF_CLAMD_END:
        if (!c->parser.session)
            conclude(c, "UNKNOWN COMMAND");
        finish(c);
        break;
    case HF_CLAMD_INSTREAM:
    case HF_CLAMD_FILDES: break; /* the parser goes on */
    case HF_CLAMD_ALLMATCHSCAN: do_allmatch(l, c, event); break;
    case HF_CLAMD_SCAN:
    case HF_CLAMD_CONTSCAN:
    case HF_CLAMD_MULTISCAN: hf_request_path(l, c, event->command, event->bytes); break;
    case HF_CLAMD_COMMANDS: conclude(c, "UNKNOWN COMMAND"); break;
    }
    if (event->extra && c->request_count > 0 && !c->parser.session && !c->extra) {
        answer(c, "Error processing command. ERROR");
        c->extra = c->linger = true;
    }
    c->linger = c->linger || event->extra;
}

/* ---- streams ---- */

void hf_stream_drop(struct hf_listener *l, struct hf_stream *stream)
{
    l->stream_bytes -= stream->size;
    hf_buffer_done(&stream->memory);
    hf_fd_release(&stream->fd);
    stream->size = 0;
    stream->failed = false;
}

static int open_spool(const struct hf_listener *l)
{
    const char *dir = l->config->temporary;
    int fd = dir != NULL ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
    return fd >= 0 ? fd : hf_path_spool_open();
}

/* From memory to a file: the rest goes there at once. */
static bool spill(struct hf_listener *l, struct hf_stream *s)
{
    s->fd = open_spool(l);
    if (s->fd < 0 || hf_fd_write(s->fd, s->memory.data, s->memory.len) != HF_OK)
        return false;
    hf_buffer_done(&s->memory);
    return true;
}

static bool keep(struct hf_listener *l, struct hf_stream *s, struct hf_bytes data)
{
    uint64_t max = l->config->spool_max;
    if (max != 0 && l->stream_bytes + data.len > max)
        return false;
    s->size += data.len;
    l->stream_bytes += data.len;
    if (s->fd < 0 && s->size > l->config->spool_from && !spill(l, s))
        return false;
    if (s->fd >= 0)
        return hf_fd_write(s->fd, data.data, data.len) == HF_OK;
    hf_buffer_bytes(&s->memory, data);
    return !s->memory.failed;
}

void hf_command_stream_data(struct hf_listener *l, struct hf_client *c,
                            struct hf_bytes data)
{
    struct hf_stream *s = &c->stream;
    if (s->failed || keep(l, s, data))
        return;
    hf_stream_drop(l, s);
    s->failed = true;
    hf_listener_error(l, "a stream of %s cannot be kept: no room", c->peer);
    answer(c, "INSTREAM: Can't write to temporary file. ERROR");
    c->linger = true;
    finish(c);
}

void hf_command_stream_end(struct hf_listener *l, struct hf_client *c)
{
    c->streamed = true;
    struct hf_stream *s = &c->stream;
    int fd = s->fd;
    s->fd = -1;
    if (fd < 0)
        fd = memfd_create("holdfast-stream", MFD_CLOEXEC);
    bool good = fd >= 0 && (s->memory.len == 0 ||
                            hf_fd_write(fd, s->memory.data, s->memory.len) == HF_OK);
    uint64_t size = s->size;
    hf_stream_drop(l, s);
    if (!good) {
        hf_fd_release(&fd);
        hf_listener_error(l, "no descriptor or memory for a stream of %s", c->peer);
        conclude(c, "INSTREAM: Can't write to temporary file. ERROR");
        return;
    }
    hf_request_object(l, c, HF_CLAMD_INSTREAM, fd, size, "stream");
}

/* ---- descriptors ---- */

void hf_command_descriptor(struct hf_listener *l, struct hf_client *c)
{
    int fd = c->held_fd;
    c->held_fd = -1;
    char label[32];
    if (fd < 0) {
        answer(c, "No file descriptor received. ERROR");
        finish(c);
        return;
    }
    (void)snprintf(label, sizeof label, "fd[%d]", fd);
    /* No file system is asked: one that does not answer would hold everybody up. */
    struct statx st = {0};
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &st) !=
            0 ||
        !S_ISREG(st.stx_mode)) {
        close(fd);
        hf_client_answer(c, number_of(c), c->parser.terminator,
                         "%s: Not a regular file ERROR", label);
        if (!c->parser.session)
            finish(c);
        return;
    }
    hf_request_object(l, c, HF_CLAMD_FILDES, fd, st.stx_size, label);
}
