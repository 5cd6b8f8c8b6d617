/* status_command.c - `holdfast status`: what protects a scan on this machine. Starts the workers
 * as a scan does and says which layers of the jail they report. */
#include "cli/commands.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "db/builtin.h"
#include "jail/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { STATUS_JAIL, STATUS_JSON, STATUS_SOCKET };
#define STATUS_SOCKET_DEFAULT "/run/holdfast/status.sock"
static const struct hf_option status_options[] = {
    [STATUS_JAIL] = {0, "jail", HF_OPTION_FLAG, NULL,
                     "show the layers of the workers' jail"},
    [STATUS_JSON] = {0, "json", HF_OPTION_FLAG, NULL, "print one JSON object"},
    [STATUS_SOCKET] = {0, "socket", HF_OPTION_TEXT, "PATH",
                       "where the daemon tells of itself (default: " STATUS_SOCKET_DEFAULT
                       ")",
                       HF_COMPLETE_FILE},
};

static int run_status(const struct hf_arguments *arguments);

const struct hf_command hf_command_status = {
    .name = "status",
    .operands = "[OPTION]...",
    .summary = "show what protects a scan on this machine",
    .details = "Exit codes: 0 the workers are jailed, 2 they are not, or do not start.",
    .options = status_options,
    .option_count = sizeof status_options / sizeof *status_options,
    .run = run_status,
};

static const struct {
    uint32_t layer;
    const char *name, *what;
} layers[] = {
    {HF_LAYER_SECCOMP, "seccomp", "only the system calls that a scan needs"},
    {HF_LAYER_NO_NEW_PRIVS, "no_new_privs", "no rights by starting programs"},
    {HF_LAYER_LANDLOCK, "landlock", "no file can be opened"},
    {HF_LAYER_USER_NS, "namespaces", "own users, network, processes"},
    {HF_LAYER_NO_CAPS, "no_capabilities", "no privileges of root"},
    {HF_LAYER_RLIMITS, "limits", "bounded memory, no core files"},
    {HF_LAYER_NOT_DUMPABLE, "not_dumpable", "cannot be looked into by the same user"},
};

/* Not asked about any file, so nothing is ever done. */
static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    (void)user, (void)id, (void)status, (void)report;
}

/* Start the workers and ask. False: error holds why not. */
static bool ask_workers(uint32_t *active, const char *worker, struct hf_buffer *error)
{
    HF_AUTO(hf_fd_release) int db = hf_memfd_of("holdfast-content", hf_db_builtin());
    if (db < 0) {
        hf_buffer_format(error, "built-in content: %s", strerror(errno));
        return false;
    }
    struct hf_pool_options options = {
        .worker_path = worker, .workers = 1, .db_fds = &db, .db_count = 1};
    hf_limits_default(&options.limits);
    struct hf_pool *pool = NULL;
    enum hf_status st = hf_pool_open(&pool, &options, on_done, NULL, error);
    if (st != HF_OK) {
        if (error->len == 0)
            hf_buffer_text(error, hf_status_text(st));
        return false;
    }
    *active = hf_pool_stats(pool).layers;
    hf_pool_close(pool);
    return true;
}

static void write_json(struct hf_buffer *out, const char *worker, uint32_t active,
                       const struct hf_buffer *error)
{
    hf_buffer_text(out, "{\"version\":\"" HOLDFAST_VERSION "\",\"worker\":");
    if (worker != NULL)
        hf_json_string(out, hf_bytes_text(worker));
    else
        hf_buffer_text(out, "null");
    hf_buffer_text(out, ",\"jail\":{");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        hf_buffer_format(out, "%s\"%s\":%s", i > 0 ? "," : "", layers[i].name,
                         (active & layers[i].layer) != 0 ? "true" : "false");
    hf_buffer_text(out, "},\"error\":");
    if (error->len > 0)
        hf_json_string(out, hf_buffer_view(error));
    else
        hf_buffer_text(out, "null");
    hf_buffer_text(out, "}\n");
}

static void write_text(struct hf_buffer *out, const char *worker, uint32_t active,
                       const struct hf_buffer *error)
{
    hf_buffer_text(out, "version  holdfast " HOLDFAST_VERSION "\nworker   ");
    hf_escape(out, hf_bytes_text(worker != NULL ? worker : "not found"));
    hf_buffer_u8(out, '\n');
    if (error->len > 0) {
        hf_buffer_text(out, "jail     ");
        hf_escape(out, hf_buffer_view(error));
        hf_buffer_u8(out, '\n');
        return;
    }
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        hf_buffer_format(out, "%s%-3s  %-15s  %s\n", i == 0 ? "jail     " : "         ",
                         (active & layers[i].layer) != 0 ? "on" : "off", layers[i].name,
                         layers[i].what);
}

/* What a running daemon says at /status or /status.txt; empty when there is none. */
static void ask_daemon(struct hf_buffer *out, const char *path, const char *what)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof to.sun_path)
        return;
    memcpy(to.sun_path, path, strlen(path));
    HF_AUTO(hf_fd_release) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 5};
    char request[64];
    int n = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", what);
    HF_AUTO(hf_buffer_done) struct hf_buffer answer = {0};
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        hf_fd_write(fd, request, (size_t)n) != HF_OK ||
        hf_fd_read_all(fd, 1 << 20, &answer) != HF_OK)
        return;
    const uint8_t *body = memmem(answer.data, answer.len, "\r\n\r\n", 4);
    if (body != NULL)
        hf_buffer_add(out, body + 4, (size_t)(answer.data + answer.len - body) - 4);
}

static int run_status(const struct hf_arguments *arguments)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0}, error = {0};
    uint32_t active = 0;
    char *worker = hf_worker_path_find();
    if (worker == NULL)
        hf_buffer_text(&error, "holdfast-worker was not found");
    else if (!ask_workers(&active, worker, &error))
        active = 0;
    const char *path = arguments->values[STATUS_SOCKET].count > 0
                           ? arguments->values[STATUS_SOCKET].text
                           : STATUS_SOCKET_DEFAULT;
    bool json = arguments->values[STATUS_JSON].count > 0;
    HF_AUTO(hf_buffer_done) struct hf_buffer daemon = {0};
    ask_daemon(&daemon, path, json ? "/status" : "/status.txt");
    if (json)
        write_json(&out, worker, active, &error);
    else
        write_text(&out, worker, active, &error);
    if (json && out.len >= 2) {
        out.len -= 2; /* the object goes on */
        hf_buffer_text(&out, ",\"daemon\":");
        if (daemon.len > 0)
            hf_buffer_bytes(&out, hf_buffer_view(&daemon));
        else
            hf_buffer_text(&out, "null");
        hf_buffer_text(&out, "}\n");
    } else if (daemon.len > 0) {
        hf_buffer_bytes(&out, hf_buffer_view(&daemon));
    } else {
        hf_buffer_text(&out, "daemon   none answers at ");
        hf_escape(&out, hf_bytes_text(path));
        hf_buffer_text(&out, "\n");
    }
    free(worker);
    int printed = hf_print(arguments, &out);
    return (active & HF_LAYER_SECCOMP) != 0 ? printed : HF_EXIT_ERROR;
}
