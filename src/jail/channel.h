/* channel.h - datagrams with descriptors over the SOCK_SEQPACKET sockets of the jail. What they
 * say is protocol.h's matter. */
#ifndef HF_JAIL_CHANNEL_H
#define HF_JAIL_CHANNEL_H

#include "base/buffer.h"

enum { HF_CHANNEL_FDS_MAX = 64 };

/*
 * Send one datagram with descriptors (fd_count 0..HF_CHANNEL_FDS_MAX). Never raises SIGPIPE.
 *
 * wait  block until there is room; else EAGAIN.
 * Returns HF_OK, or HF_IO with errno (EAGAIN, EPIPE, ECONNRESET, ETOOMANYREFS, ...).
 */
HF_MUST_USE enum hf_status hf_channel_send(int fd, struct hf_bytes bytes, const int *fds,
                                           size_t fd_count, bool wait);

/* A received datagram. */
struct hf_datagram {
    uint8_t *data; /* in: where to; room bytes */
    size_t room;
    size_t len; /* out */
    int *fds;   /* in: where to, fd_room entries; NULL with fd_room 0: none are accepted */
    size_t fd_room;
    size_t fd_count; /* out: received, close-on-exec, the caller's to close */
};

/*
 * Receive one datagram. Whatever does not fit (too long, more descriptors than asked for) is
 * HF_MALFORMED, with descriptors that came along closed.
 *
 * wait  block; else HF_LIMIT when there is none.
 * Returns HF_OK, HF_NOTFOUND (the peer has closed, or sent an empty datagram, which looks the
 * same and is no message), HF_LIMIT, HF_MALFORMED, HF_IO with errno.
 */
HF_MUST_USE enum hf_status hf_channel_receive(int fd, struct hf_datagram *d, bool wait);

/* Close every descriptor from this number on. */
void hf_close_from(int first);

#endif
