#include "daemon/sockets.h"

#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ACTIVATION_FIRST = 3, ACTIVATION_MOST = HF_LISTEN_MAX };

static enum hf_status fail(struct hf_buffer *error, const char *what)
{
    hf_buffer_format(error, "%s: %s", what, strerror(errno));
    return HF_IO;
}

static enum hf_status add(struct hf_sockets *s, int fd, enum hf_listen_kind kind, bool tcp)
{
    if (s->count == HF_LISTEN_MAX) {
        close(fd);
        return HF_LIMIT;
    }
    s->items[s->count++] = (struct hf_listen_socket){.fd = fd, .kind = kind, .tcp = tcp};
    return HF_OK;
}

/* ---- unix ---- */

/* Nobody listens behind the file: it was left by one that died. */
static bool is_stale(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool stale = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 &&
                 errno == ECONNREFUSED;
    hf_fd_release(&fd);
    return stale;
}

static bool set_owner(const struct hf_config *config, const char *path, mode_t mode)
{
    const struct passwd *user =
        config->user != NULL && geteuid() == 0 ? getpwnam(config->user) : NULL;
    const struct group *group =
        config->unix_group != NULL ? getgrnam(config->unix_group) : NULL;
    if (config->unix_group != NULL && group == NULL) {
        errno = ENOENT;
        return false;
    }
    uid_t uid = user != NULL ? user->pw_uid : (uid_t)-1;
    gid_t gid = group != NULL ? group->gr_gid : user != NULL ? user->pw_gid : (gid_t)-1;
    if ((uid != (uid_t)-1 || gid != (gid_t)-1) && lchown(path, uid, gid) != 0)
        return false;
    return chmod(path, mode) == 0;
}

static enum hf_status open_unix(struct hf_sockets *s, const struct hf_config *config,
                                const char *path, enum hf_listen_kind kind, mode_t mode,
                                struct hf_buffer *error)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return fail(error, path);
    }
    memcpy(at.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int failed = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&at, sizeof at);
    if (failed != 0 && errno == EADDRINUSE && config->fix_stale && is_stale(&at)) {
        (void)unlink(path);
        failed = bind(fd, (const struct sockaddr *)&at, sizeof at);
    }
    if (failed != 0 || !set_owner(config, path, mode) ||
        listen(fd, (int)config->queue_length) != 0) {
        enum hf_status st = fail(error, path);
        hf_fd_release(&fd);
        return st;
    }
    if (s->remove_count < HF_LISTEN_MAX)
        s->remove[s->remove_count++] = strdup(path);
    return add(s, fd, kind, false);
}

/* ---- TCP ---- */

static enum hf_status open_tcp(struct hf_sockets *s, const char *address, const char *port,
                               enum hf_listen_kind kind, int queue, struct hf_buffer *error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE},
                    *all = NULL;
    int failed = getaddrinfo(address, port, &hints, &all);
    if (failed != 0) {
        hf_buffer_format(error, "%s: %s", address, gai_strerror(failed));
        return HF_IO;
    }
    enum hf_status st = HF_OK;
    size_t opened = 0;
    for (struct addrinfo *a = all; a != NULL && st == HF_OK; a = a->ai_next) {
        int yes = 1;
        int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 && errno == EAFNOSUPPORT)
            continue;
        if (fd >= 0)
            (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (fd >= 0 && a->ai_family == AF_INET6)
            (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
        if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, queue) != 0) {
            if (opened == 0 || errno != EADDRNOTAVAIL)
                st = fail(error, address);
            hf_fd_release(&fd);
            continue;
        }
        st = add(s, fd, kind, true);
        opened++;
    }
    freeaddrinfo(all);
    return st;
}

static enum hf_status open_metrics(struct hf_sockets *s, const struct hf_config *config,
                                   const char *where, struct hf_buffer *error)
{
    if (where[0] == '/')
        return open_unix(s, config, where, HF_LISTEN_METRICS, 0660, error);
    uint64_t port;
    if (!hf_parse_uint(hf_bytes_text(where), &port) || port == 0 || port > 65535) {
        hf_buffer_format(error, "metrics: '%s' is neither a path nor a port", where);
        return HF_INVALID;
    }
    return open_tcp(s, "127.0.0.1", where, HF_LISTEN_METRICS, 16, error);
}

/* ---- systemd ---- */

/* [sd_listen_fds(3)] */
static bool take_activation(struct hf_sockets *s)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    uint64_t p, n;
    if (pid == NULL || count == NULL || !hf_parse_uint(hf_bytes_text(pid), &p) ||
        p != (uint64_t)getpid() || !hf_parse_uint(hf_bytes_text(count), &n) || n == 0 ||
        n > ACTIVATION_MOST)
        return false;
    for (int fd = ACTIVATION_FIRST; fd < ACTIVATION_FIRST + (int)n; fd++) {
        int domain = 0;
        socklen_t len = sizeof domain;
        size_t name_len = names != NULL ? strcspn(names, ":") : 0;
        bool metrics = name_len == 7 && memcmp(names, "metrics", 7) == 0;
        if (names != NULL)
            names += name_len + (names[name_len] == ':');
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) != 0)
            continue;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        (void)!add(s, fd, metrics ? HF_LISTEN_METRICS : HF_LISTEN_CLAMD, domain != AF_UNIX);
    }
    s->activated = s->count > 0;
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return s->activated;
}

enum hf_status hf_sockets_open(struct hf_sockets *s, const struct hf_config *config,
                               struct hf_buffer *error)
{
    *s = (struct hf_sockets){0};
    enum hf_status st = HF_OK;
    if (!take_activation(s)) {
        if (config->unix_path != NULL)
            st = open_unix(s, config, config->unix_path, HF_LISTEN_CLAMD,
                           (mode_t)config->unix_mode, error);
        char port[8];
        (void)snprintf(port, sizeof port, "%u", (unsigned)config->tcp_port);
        const struct hf_text_list *addresses = &config->tcp_addresses;
        for (size_t i = 0; st == HF_OK && config->tcp_port != 0 &&
                           i < (addresses->count > 0 ? addresses->count : 1);
             i++)
            st = open_tcp(s, addresses->count > 0 ? addresses->items[i] : "127.0.0.1", port,
                          HF_LISTEN_CLAMD, (int)config->queue_length, error);
    }
    for (size_t i = 0; st == HF_OK && i < config->metrics.count; i++)
        st = open_metrics(s, config, config->metrics.items[i], error);
    if (st == HF_OK && s->count == 0) {
        hf_buffer_text(error, "no socket to listen on: set a unix socket or a TCP port");
        st = HF_INVALID;
    }
    if (st != HF_OK)
        hf_sockets_close(s, true);
    return st;
}

void hf_sockets_close(struct hf_sockets *s, bool remove_files)
{
    for (size_t i = 0; i < s->count; i++)
        hf_fd_release(&s->items[i].fd);
    for (size_t i = 0; i < s->remove_count; i++) {
        if (remove_files && s->remove[i] != NULL)
            (void)unlink(s->remove[i]);
        free(s->remove[i]);
    }
    *s = (struct hf_sockets){0};
}

void hf_notify(const char *format, ...)
{
    const char *where = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (where == NULL || (where[0] != '/' && where[0] != '@') ||
        strlen(where) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, where, strlen(where));
    if (to.sun_path[0] == '@')
        to.sun_path[0] = 0; /* an abstract name */
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(where));
    char text[512];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && n > 0 && (size_t)n < sizeof text)
        (void)!sendto(fd, text, (size_t)n, MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
    hf_fd_release(&fd);
}

uint64_t hf_notify_watchdog_ms(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t value, p;
    if (us == NULL || !hf_parse_uint(hf_bytes_text(us), &value) ||
        (pid != NULL &&
         (!hf_parse_uint(hf_bytes_text(pid), &p) || p != (uint64_t)getpid())))
        return 0;
    return value / 2000; /* twice as often as it is wanted */
}
