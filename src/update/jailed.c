#include "update/jailed.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "jail/channel.h"
#include "jail/protocol.h"
#include "update/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static char *in_folder_of(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    char *result = NULL;
    if (slash == NULL || asprintf(&result, "%.*s/%s", (int)(slash - path), path, name) < 0)
        return NULL;
    if (access(result, X_OK) == 0)
        return result;
    free(result);
    return NULL;
}

static char *find_program(const char *name)
{
    char self[4096], *path = NULL;
    const char *libexec = getenv("HOLDFAST_LIBEXEC");
    if (libexec != NULL && asprintf(&path, "%s/%s", libexec, name) >= 0)
        return path;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = 0;
        path = in_folder_of(self, name);
    }
    return path != NULL ? path : in_folder_of(HOLDFAST_LIBEXEC_INSTALLED "/x", name);
}

/* A new program sees descriptors 0 to 2 as they are, 3 and perhaps 4. */
static int spawn(const char *path, const char *name, int channel, int spool,
                 uint64_t file_max, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char own[64], most[24], *argv[] = {own, most, NULL};
    sigset_t none, all;
    snprintf(own, sizeof own, "%s", name);
    /* Bounds itself first of all: from here it could be done by CAP_SYS_RESOURCE only, once it is
     * somebody else, and root of a container has no such right. */
    snprintf(most, sizeof most, "%llu", (unsigned long long)file_max);
    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    int failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        /* Both could stand where the other belongs: first out of the way. */
        int c = fcntl(channel, F_DUPFD_CLOEXEC, 10);
        int s = spool >= 0 ? fcntl(spool, F_DUPFD_CLOEXEC, 10) : -1;
        posix_spawn_file_actions_adddup2(&actions, c, HF_CONTROL_FD);
        if (s >= 0)
            posix_spawn_file_actions_adddup2(&actions, s, HF_SPOOL_FD);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes,
                                 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        failed = posix_spawn(pid, path, &actions, &attributes, argv, environ);
        hf_fd_release(&c);
        hf_fd_release(&s);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

enum hf_refusal hf_helper_start(struct hf_helper *helper, const char *name, int spool,
                                uint64_t file_max)
{
    int pair[2];
    *helper = (struct hf_helper){.channel = -1};
    char *path = find_program(name);
    if (path == NULL)
        return HF_REFUSE_JAIL;
    int failed = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
    if (failed == 0) {
        failed = spawn(path, name, pair[1], spool, file_max, &helper->pid);
        close(pair[1]);
        helper->channel = pair[0];
    }
    free(path);
    if (failed != 0) {
        helper->pid = 0;
        hf_fd_release(&helper->channel);
        return HF_REFUSE_JAIL;
    }
    return HF_ACCEPTED;
}

void hf_helper_end(struct hf_helper *helper)
{
    hf_fd_release(&helper->channel);
    if (helper->pid > 0) {
        kill(helper->pid, SIGKILL);
        while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    helper->pid = 0;
}

enum hf_refusal hf_helper_send(struct hf_helper *helper, const struct hf_buffer *line,
                               const int *fds, size_t fd_count)
{
    if (line->failed)
        return HF_REFUSE_NOMEM;
    return hf_channel_send(helper->channel, hf_buffer_view(line), fds, fd_count, true) ==
                   HF_OK
               ? HF_ACCEPTED
               : HF_REFUSE_JAIL;
}

enum hf_refusal hf_helper_receive(struct hf_helper *helper, char *line, size_t room,
                                  int timeout_ms)
{
    struct pollfd p = {.fd = helper->channel, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return HF_REFUSE_FETCH_SLOW;
    struct hf_datagram d = {.data = (uint8_t *)line, .room = room - 1};
    if (n < 0 || hf_channel_receive(helper->channel, &d, false) != HF_OK)
        return HF_REFUSE_JAIL;
    line[d.len] = 0;
    return HF_ACCEPTED;
}

/* The jailed process wants a file of the feed. */
static enum hf_refusal answer_get(const struct hf_jailed_call *call,
                                  struct hf_helper *helper, const char *line)
{
    size_t max = 0;
    int at = 0;
    HF_AUTO(hf_buffer_done) struct hf_buffer bytes = {0}, answer = {0};
    if (call->source == NULL || sscanf(line, "get %zu %n", &max, &at) != 1 || at == 0)
        return HF_REFUSE_JAIL;
    enum hf_refusal r = call->source->get(call->source->user, line + at, max, &bytes);
    if (r == HF_ACCEPTED && bytes.failed)
        r = HF_REFUSE_NOMEM;
    HF_AUTO(hf_fd_release)
    int fd = r == HF_ACCEPTED ? hf_memfd_of("feed", hf_buffer_view(&bytes)) : -1;
    if (r == HF_ACCEPTED && fd < 0)
        r = HF_REFUSE_NOMEM;
    if (r == HF_ACCEPTED)
        hf_buffer_text(&answer, "ok");
    else
        hf_buffer_format(&answer, "no %d", (int)r);
    return hf_helper_send(helper, &answer, &fd, fd >= 0);
}

static enum hf_refusal serve(const struct hf_jailed_call *call, struct hf_helper *helper,
                             uint64_t *length, struct hf_buffer *why)
{
    char line[HF_VERIFY_DATAGRAM_MAX + 1];
    for (;;) {
        unsigned long long n = 0;
        int number = 0, at = 0;
        enum hf_refusal r = hf_helper_receive(helper, line, sizeof line, call->timeout_ms);
        if (r != HF_ACCEPTED)
            return HF_REFUSE_JAIL;
        if (sscanf(line, "done %llu", &n) == 1) {
            *length = n;
            return HF_ACCEPTED;
        }
        if (sscanf(line, "refused %d %n", &number, &at) == 1) {
            if (why != NULL)
                hf_escape(why, hf_bytes_text(line + at));
            return number > 0 && number < HF_REFUSALS ? (enum hf_refusal)number
                                                      : HF_REFUSE_JAIL;
        }
        r = answer_get(call, helper, line);
        if (r != HF_ACCEPTED)
            return r;
    }
}

enum hf_refusal hf_jailed_run(const struct hf_jailed_call *call, uint64_t *length,
                              struct hf_buffer *why)
{
    struct hf_helper helper;
    *length = 0;
    enum hf_refusal r =
        hf_helper_start(&helper, "holdfast-verify", call->spool, call->file_max);
    if (r != HF_ACCEPTED)
        return r;
    r = hf_helper_send(&helper, call->line, call->fds, call->fd_count);
    if (r == HF_ACCEPTED)
        r = serve(call, &helper, length, why);
    hf_helper_end(&helper);
    return r;
}
