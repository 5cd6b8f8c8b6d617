#include "jail/channel.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FDS_MOST = 65536 };

/* Room for the descriptors, aligned as control messages must be. */
union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(HF_CHANNEL_FDS_MAX * sizeof(int))];
};

enum hf_status hf_channel_send(int fd, struct hf_bytes bytes, const int *fds,
                               size_t fd_count, bool wait)
{
    if (fd_count > HF_CHANNEL_FDS_MAX || bytes.len == 0) {
        errno = EINVAL;
        return HF_IO;
    }
    union control control = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd_count > 0) {
        msg.msg_control = control.space;
        msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
    }
    for (;;) {
        if (sendmsg(fd, &msg, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) >= 0)
            return HF_OK;
        if (errno != EINTR)
            return HF_IO;
    }
}

/* Take the descriptors out of the control data; those past the room are closed. */
static bool take_fds(struct msghdr *msg, struct hf_datagram *d)
{
    bool good = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            good = false;
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (d->fd_count < d->fd_room) {
                d->fds[d->fd_count++] = fd;
            } else {
                close(fd);
                good = false;
            }
        }
    }
    return good;
}

enum hf_status hf_channel_receive(int fd, struct hf_datagram *d, bool wait)
{
    union control control;
    struct iovec iov = {.iov_base = d->data, .iov_len = d->room};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    d->len = d->fd_count = 0;
    ssize_t n;
    bool reset = false;
    do {
        /* Without a control buffer the kernel drops descriptors and says MSG_CTRUNC. */
        msg.msg_control = d->fd_room > 0 ? control.space : NULL;
        msg.msg_controllen = d->fd_room > 0 ? sizeof control.space : 0;
        n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
        /* A peer that ends without having read all is told of before what it said last: ask
         * again for that. */
    } while (n < 0 &&
             (errno == EINTR || (errno == ECONNRESET && !reset && (reset = true))));
    if (n < 0 && errno == EAGAIN)
        return HF_LIMIT;
    if (n < 0)
        return HF_IO;
    bool good = take_fds(&msg, d) && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    if (n > 0 && good) {
        d->len = (size_t)n;
        return HF_OK;
    }
    for (size_t i = 0; i < d->fd_count; i++)
        close(d->fds[i]);
    d->fd_count = 0;
    return n == 0 ? HF_NOTFOUND : HF_MALFORMED;
}

void hf_close_from(int first)
{
    if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0)
        return;
    struct rlimit limit; /* Linux before 5.9, or a container that refuses what is newer */
    int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_MOST
                  ? (int)limit.rlim_cur
                  : FDS_MOST;
    for (int fd = first; fd < end; fd++)
        close(fd);
}
