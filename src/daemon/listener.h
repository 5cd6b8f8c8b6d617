/* listener.h - the process that talks to clients. */
#ifndef HF_DAEMON_LISTENER_H
#define HF_DAEMON_LISTENER_H

#include "daemon/log.h"

#include <sys/types.h>

enum { HF_LISTEN_MAX = 16 };

enum hf_listen_kind { HF_LISTEN_CLAMD, HF_LISTEN_METRICS };

struct hf_listen_socket {
    int fd;
    enum hf_listen_kind kind;
    bool tcp;
};

struct hf_listener_setup {
    const struct hf_config *config; /* borrowed */
    struct hf_log log;              /* taken */
    struct hf_listen_socket sockets[HF_LISTEN_MAX];
    size_t socket_count;
    int supervisor, opener; /* channels */
    uid_t owner;            /* account of the supervisor: may SHUTDOWN and RELOAD */
};

/* Serve until the supervisor closes its channel or says so. Returns the exit code. */
int hf_listener_run(const struct hf_listener_setup *setup);

#endif
