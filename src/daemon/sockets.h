/* sockets.h - the sockets that the daemon listens on: bound by the supervisor, or handed over by
 * systemd; and its notifications to systemd, which are datagrams. */
#ifndef HF_DAEMON_SOCKETS_H
#define HF_DAEMON_SOCKETS_H

#include "daemon/listener.h"

struct hf_sockets {
    struct hf_listen_socket items[HF_LISTEN_MAX];
    size_t count;
    bool activated;              /* handed over: not ours to remove */
    char *remove[HF_LISTEN_MAX]; /* owned: files of unix sockets that we made */
    size_t remove_count;
};

/* Bind what the configuration names, or take what systemd has bound (LISTEN_FDS). HF_IO with a
 * sentence. */
HF_MUST_USE enum hf_status hf_sockets_open(struct hf_sockets *sockets,
                                           const struct hf_config *config,
                                           struct hf_buffer *error);

/* Close them, and remove their files if that is wanted. */
void hf_sockets_close(struct hf_sockets *sockets, bool remove_files);

/* sd_notify(3): lines such as "READY=1". Nothing without NOTIFY_SOCKET. */
void hf_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Milliseconds between signs of life that systemd wants (WATCHDOG_USEC), 0: none. */
uint64_t hf_notify_watchdog_ms(void);

#endif
