#include "daemon/messages.h"

#include "base/auto.h"
#include "jail/channel.h"

#include <errno.h>
#include <unistd.h>

/* What each message may bring along, and the range of its numbers. */
static const struct {
    uint64_t number_max, extra_max;
    uint8_t fds_min, fds_max;
} rows[HF_DAEMON_TYPES] = {
    [HF_DAEMON_BEAT] = {UINT64_MAX, 0, 0, 0},
    [HF_DAEMON_START] = {0, 0, 1, 1},
    [HF_DAEMON_STOP] = {0, 0, 0, 0},
    [HF_DAEMON_RELOAD] = {0, 0, 0, 0},
    [HF_DAEMON_SHUTDOWN] = {0, 0, 0, 0},
    [HF_DAEMON_EVENT] = {0, 0, 0, 0},
    [HF_DAEMON_ACTIVE] = {UINT64_MAX, UINT64_MAX, 0, 0},
    [HF_DAEMON_DATABASE] = {UINT64_MAX, HF_STOPPED, 0, HF_DAEMON_FDS_MAX},
    [HF_DAEMON_OPENER] = {0, 0, 1, 1},
    [HF_DAEMON_LOGS] = {3, 0, 0, 2},
    [HF_DAEMON_LEAVE] = {1, 0, 0, 0},
    [HF_DAEMON_NOTE] = {1, 0, 0, 0},
    [HF_DAEMON_OPEN] = {HF_OPEN_MODES - 1, 0, 0, 0},
    [HF_DAEMON_MORE] = {UINT32_MAX, 0, 0, 0},
    [HF_DAEMON_CANCEL] = {0, 0, 0, 0},
    [HF_DAEMON_FILE] = {UINT64_MAX, 0, 1, 1},
    [HF_DAEMON_EXCLUDED] = {1, 0, 0, 0},
    [HF_DAEMON_TROUBLE] = {4095, HF_TROUBLES - 1, 0, 0},
    [HF_DAEMON_END] = {HF_END_KINDS - 1, 0, 0, 0},
    [HF_DAEMON_STANDING] = {1, 0, 0, 0},
    [HF_DAEMON_FAILED] = {UINT32_MAX, UINT32_MAX, 0, 0},
};

void hf_daemon_put(struct hf_buffer *out, const struct hf_daemon_message *m)
{
    struct hf_bytes text = m->text;
    if (text.len > HF_DAEMON_TEXT_MAX)
        text.len = HF_DAEMON_TEXT_MAX;
    hf_buffer_clear(out);
    hf_buffer_u32(out, m->type);
    hf_buffer_u64(out, m->id);
    hf_buffer_u64(out, m->number);
    hf_buffer_u64(out, m->extra);
    hf_buffer_counted(out, text);
}

enum hf_status hf_daemon_get(struct hf_bytes datagram, struct hf_daemon_message *m)
{
    struct hf_cursor c = hf_cursor_open(datagram.data, datagram.len, NULL);
    uint32_t type = hf_u32le(&c);
    *m = (struct hf_daemon_message){.id = hf_u64le(&c)};
    m->number = hf_u64le(&c);
    m->extra = hf_u64le(&c);
    uint32_t len = hf_u32le(&c);
    m->text = hf_take(&c, len);
    if (hf_cursor_status(&c) != HF_OK || hf_cursor_left(&c) != 0 ||
        len > HF_DAEMON_TEXT_MAX || type == 0 || type >= HF_DAEMON_TYPES ||
        m->number > rows[type].number_max || m->extra > rows[type].extra_max)
        return HF_MALFORMED;
    m->type = (enum hf_daemon_type)type;
    return HF_OK;
}

bool hf_daemon_fds_fit(const struct hf_daemon_message *m, size_t count)
{
    return count >= rows[m->type].fds_min && count <= rows[m->type].fds_max;
}

enum hf_status hf_daemon_send(int channel, const struct hf_daemon_message *m,
                              const int *fds, size_t fd_count, bool wait)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_daemon_put(&out, m);
    if (out.failed)
        return HF_NOMEM;
    enum hf_status st = hf_channel_send(channel, hf_buffer_view(&out), fds, fd_count, wait);
    return st == HF_IO && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
               ? HF_LIMIT
               : st;
}

enum hf_status hf_daemon_receive(int channel, struct hf_daemon_mail *mail, bool wait)
{
    struct hf_datagram d = {.data = mail->data,
                            .room = sizeof mail->data,
                            .fds = mail->fds,
                            .fd_room = HF_DAEMON_FDS_MAX};
    mail->fd_count = 0;
    enum hf_status st = hf_channel_receive(channel, &d, wait);
    if (st != HF_OK)
        return st;
    mail->fd_count = d.fd_count;
    st = hf_daemon_get(hf_bytes_of(d.data, d.len), &mail->message);
    if (st == HF_OK && !hf_daemon_fds_fit(&mail->message, d.fd_count))
        st = HF_MALFORMED;
    if (st != HF_OK)
        hf_daemon_close_fds(mail);
    return st;
}

void hf_daemon_close_fds(struct hf_daemon_mail *mail)
{
    for (size_t i = 0; i < mail->fd_count; i++)
        if (mail->fds[i] >= 0)
            close(mail->fds[i]);
    mail->fd_count = 0;
}
