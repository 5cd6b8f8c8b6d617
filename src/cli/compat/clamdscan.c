/* clamdscan.c - `clamdscan` as version 1.4 has it: asks a daemon over the protocol of clamd, ours or
 * clamd itself. Opens files with the rights of its user, parses none of them. */
#include "cli/compat/clamscan.h"
#include "cli/compat/compat.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    CD_HELP,
    CD_VERSION,
    CD_VERBOSE,
    CD_QUIET,
    CD_STDOUT,
    CD_LOG,
    CD_FILE_LIST,
    CD_PING,
    CD_WAIT,
    CD_REMOVE,
    CD_MOVE,
    CD_COPY,
    CD_CONFIG,
    CD_ALLMATCH,
    CD_MULTISCAN,
    CD_INFECTED,
    CD_NO_SUMMARY,
    CD_RELOAD,
    CD_FDPASS,
    CD_STREAM,
    CD_COUNT
};
static const struct hf_compat_option options[] = {
    [CD_HELP] = {"help", HF_COMPAT_FLAG, 'h'},
    [CD_VERSION] = {"version", HF_COMPAT_FLAG, 'V'},
    [CD_VERBOSE] = {"verbose", HF_COMPAT_FLAG, 'v'},
    [CD_QUIET] = {"quiet", HF_COMPAT_FLAG},
    [CD_STDOUT] = {"stdout", HF_COMPAT_FLAG},
    [CD_LOG] = {"log", HF_COMPAT_TEXT, 'l'},
    [CD_FILE_LIST] = {"file-list", HF_COMPAT_TEXT, 'f'},
    [CD_PING] = {"ping", HF_COMPAT_TEXT, 'p'},
    [CD_WAIT] = {"wait", HF_COMPAT_FLAG, 'w'},
    [CD_REMOVE] = {"remove", HF_COMPAT_FLAG},
    [CD_MOVE] = {"move", HF_COMPAT_TEXT},
    [CD_COPY] = {"copy", HF_COMPAT_TEXT},
    [CD_CONFIG] = {"config-file", HF_COMPAT_TEXT, 'c'},
    [CD_ALLMATCH] = {"allmatch", HF_COMPAT_FLAG, 'z'},
    [CD_MULTISCAN] = {"multiscan", HF_COMPAT_FLAG, 'm'},
    [CD_INFECTED] = {"infected", HF_COMPAT_FLAG, 'i'},
    [CD_NO_SUMMARY] = {"no-summary", HF_COMPAT_FLAG},
    [CD_RELOAD] = {"reload", HF_COMPAT_FLAG},
    [CD_FDPASS] = {"fdpass", HF_COMPAT_FLAG},
    [CD_STREAM] = {"stream", HF_COMPAT_FLAG},
};
#define CLAMD_CONF "/etc/clamav/clamd.conf"
enum { EXIT_PING = 21, CHUNK = 128 << 10, LINE_MAX_BYTES = 64 << 10, WAIT_ATTEMPTS = 30 };

struct client {
    struct hf_compat_arguments arguments;
    char *socket_path, *host, *port; /* owned, from clamd.conf */
    uint64_t stream_max;             /* bytes */
    struct clamscan actions;         /* what happens to infected files */
    int log;
    uint64_t infected, errors;
    bool unreachable;
};

static bool is_on(const struct client *c, int option)
{
    return c->arguments.values[option].count > 0 && c->arguments.values[option].on;
}

static void log_bytes(const struct client *c, const void *data, size_t len)
{
    if (c->log >= 0)
        (void)!hf_fd_write(c->log, data, len);
}

/* A line for standard output and the log. */
static void put(const struct client *c, struct hf_bytes line)
{
    (void)!hf_fd_write(STDOUT_FILENO, line.data, line.len);
    log_bytes(c, line.data, line.len);
}

static void complain(const struct client *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void complain(const struct client *c, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    if (n < 0)
        return;
    struct hf_buffer out = {0};
    hf_escape(&out, hf_bytes_text(text));
    hf_buffer_u8(&out, '\n');
    (void)!hf_fd_write(is_on(c, CD_STDOUT) ? STDOUT_FILENO : STDERR_FILENO, out.data,
                       out.len);
    log_bytes(c, out.data, out.len);
    hf_buffer_done(&out);
    free(text);
}

/* ---- the daemon ---- */

/* Of clamd.conf only where the daemon listens, and how long a stream may be. */
static bool read_config(struct client *c)
{
    const char *path = c->arguments.values[CD_CONFIG].text;
    FILE *file = fopen(path != NULL ? path : CLAMD_CONF, "re");
    char line[4096], key[64], value[4000];
    if (file == NULL) {
        complain(c, "ERROR: Can't parse clamd configuration file %s",
                 path != NULL ? path : CLAMD_CONF);
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, " %63[A-Za-z0-9] %3999[^\r\n]", key, value) != 2)
            continue;
        char **field = strcasecmp(key, "LocalSocket") == 0 ? &c->socket_path
                       : strcasecmp(key, "TCPAddr") == 0   ? &c->host
                       : strcasecmp(key, "TCPSocket") == 0 ? &c->port
                                                           : NULL;
        size_t n = strlen(value);
        while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
            value[--n] = 0;
        if (strcasecmp(key, "StreamMaxLength") == 0)
            (void)!hf_parse_size(hf_bytes_text(value), &c->stream_max);
        if (field != NULL && *field == NULL)
            *field = strdup(value);
    }
    (void)fclose(file);
    if (c->socket_path != NULL || c->port != NULL)
        return true;
    complain(c, "ERROR: Clamd is not configured properly");
    return false;
}

static int connect_unix(const struct client *c)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strlen(c->socket_path) >= sizeof to.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(to.sun_path, c->socket_path, strlen(c->socket_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        int error = errno;
        hf_fd_release(&fd);
        errno = error;
    }
    return fd;
}

static int connect_tcp(const struct client *c)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    if (getaddrinfo(c->host != NULL ? c->host : "127.0.0.1", c->port, &hints, &all) != 0) {
        errno = EHOSTUNREACH;
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *a = all; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0)
            hf_fd_release(&fd);
    }
    freeaddrinfo(all);
    return fd;
}

static int try_connect(const struct client *c)
{
    return c->socket_path != NULL ? connect_unix(c) : connect_tcp(c);
}

static int reach(struct client *c)
{
    int fd = try_connect(c);
    if (fd >= 0)
        return fd;
    if (c->socket_path != NULL)
        complain(c, "ERROR: Could not connect to clamd on LocalSocket %s: %s",
                 c->socket_path, strerror(errno));
    else
        complain(c, "ERROR: Could not connect to clamd on %s: %s",
                 c->host != NULL ? c->host : "127.0.0.1", strerror(errno));
    c->unreachable = true;
    return -1;
}

static bool send_all(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- answers ---- */

static bool ends_with(struct hf_bytes line, const char *ending)
{
    size_t n = strlen(ending);
    return line.len >= n && memcmp(line.data + line.len - n, ending, n) == 0;
}

/* The path of "path: Name FOUND": names hold no blank, so it ends at the last colon before one. */
static size_t path_len(struct hf_bytes line)
{
    for (size_t i = line.len; i > 1; i--)
        if (line.data[i - 2] == ':' && line.data[i - 1] == ' ')
            return i - 2;
    return line.len;
}

/* What is done to an infected file, which is the one at path still if it is st's. */
static void act(struct client *c, struct hf_bytes path, const struct stat *st)
{
    if (c->actions.move_to == NULL && !c->actions.removing)
        return;
    struct hf_buffer out = {0};
    hf_clamscan_act(&c->actions, &out, path, st);
    /* clamdscan has the same line without where the path really leads. */
    static const char from[] = " (real path: '", to[] = "')";
    uint8_t *start = out.failed ? NULL : memmem(out.data, out.len, from, sizeof from - 1);
    uint8_t *end = start == NULL ? NULL
                                 : memmem(start, (size_t)(out.data + out.len - start), to,
                                          sizeof to - 1);
    if (end != NULL) {
        end += sizeof to - 1;
        memmove(start, end, (size_t)(out.data + out.len - end));
        out.len -= (size_t)(end - start);
    }
    if (!out.failed && !is_on(c, CD_QUIET))
        put(c, hf_buffer_view(&out));
    hf_buffer_done(&out);
}

/* One answer. label: what the file is called here, when the daemon was given no path. */
static void take_line(struct client *c, struct hf_bytes line, const char *label,
                      const struct stat *st)
{
    bool found = ends_with(line, " FOUND"), error = ends_with(line, " ERROR");
    size_t n = path_len(line);
    struct hf_buffer out = {0};
    struct hf_bytes path = label != NULL ? hf_bytes_text(label) : hf_bytes_of(line.data, n);
    hf_escape(&out, path);
    hf_escape(&out, hf_bytes_of(line.data + n, line.len - n));
    hf_buffer_u8(&out, '\n');
    c->infected += found;
    c->errors += error;
    bool quiet = is_on(c, CD_QUIET);
    if (error) {
        (void)!hf_fd_write(is_on(c, CD_STDOUT) ? STDOUT_FILENO : STDERR_FILENO, out.data,
                           out.len);
        log_bytes(c, out.data, out.len);
    } else if ((found && !quiet) || (!found && !quiet && !is_on(c, CD_INFECTED))) {
        put(c, hf_buffer_view(&out));
    }
    struct stat now;
    char *copy = found && st == NULL ? strndup((const char *)path.data, path.len) : NULL;
    if (found && st == NULL && copy != NULL && lstat(copy, &now) == 0)
        st = &now;
    if (found && st != NULL)
        act(c, path, st);
    free(copy);
    hf_buffer_done(&out);
}

/* All answers until the daemon closes. Returns how many. */
static unsigned take_answers(struct client *c, int fd, const char *label,
                             const struct stat *st)
{
    struct hf_buffer in = {0};
    unsigned lines = 0;
    for (;;) {
        uint8_t *to = hf_buffer_reserve(&in, 4096);
        ssize_t n = to != NULL ? recv(fd, to, 4096, 0) : -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || in.len > LINE_MAX_BYTES)
            break;
        in.len += (size_t)n;
        size_t start = 0;
        for (size_t i = 0; i < in.len; i++)
            if (in.data[i] == 0) {
                take_line(c, hf_bytes_of(in.data + start, i - start), label, st);
                start = i + 1;
                lines++;
            }
        memmove(in.data, in.data + start, in.len - start);
        in.len -= start;
    }
    hf_buffer_done(&in);
    if (lines == 0 && label != NULL) {
        complain(c, "%s: no reply from clamd", label);
        c->errors++;
    }
    return lines;
}

/* ---- asking ---- */

static const char *scan_command(const struct client *c)
{
    return is_on(c, CD_ALLMATCH)    ? "ALLMATCHSCAN"
           : is_on(c, CD_MULTISCAN) ? "MULTISCAN"
                                    : "CONTSCAN";
}

static void ask_path(struct client *c, const char *path)
{
    HF_AUTO(hf_fd_release) int fd = reach(c);
    char *command = NULL;
    int n = fd < 0 ? -1 : asprintf(&command, "z%s %s", scan_command(c), path);
    if (n < 0) {
        c->errors++;
        return;
    }
    bool sent = send_all(fd, command, (size_t)n + 1);
    free(command);
    bool multi = is_on(c, CD_MULTISCAN) && !is_on(c, CD_ALLMATCH);
    if ((!sent || take_answers(c, fd, NULL, NULL) == 0) && !multi) {
        complain(c, "%s: no reply from clamd", path);
        c->errors++;
    }
}

static bool send_descriptor(int fd, int file)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte = 0;
    struct iovec iov = {.iov_base = &byte, .iov_len = 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof control.space};
    struct cmsghdr *m = CMSG_FIRSTHDR(&msg);
    m->cmsg_level = SOL_SOCKET;
    m->cmsg_type = SCM_RIGHTS;
    m->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(m), &file, sizeof file);
    return send_all(fd, "zFILDES", 8) && sendmsg(fd, &msg, MSG_NOSIGNAL) == 1;
}

/* A failure to send is no failure yet: the daemon may have said why it stopped reading. */
static void send_stream(const struct client *c, int fd, int file)
{
    static uint8_t block[4 + CHUNK];
    uint64_t left = c->stream_max == 0 ? UINT64_MAX : c->stream_max;
    if (!send_all(fd, "zINSTREAM", 10))
        return;
    while (left > 0) {
        ssize_t n = read(file, block + 4, left < CHUNK ? (size_t)left : CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        for (unsigned i = 0; i < 4; i++)
            block[i] = (uint8_t)((uint64_t)n >> (24 - 8 * i));
        if (!send_all(fd, block, (size_t)n + 4))
            return;
        left -= (uint64_t)n;
    }
    (void)send_all(fd, "\0\0\0", 4);
}

static void ask_file(struct client *c, int file, const char *label)
{
    HF_AUTO(hf_fd_release) int fd = reach(c);
    struct stat st;
    if (fd < 0 || fstat(file, &st) != 0) {
        c->errors++;
        return;
    }
    if (is_on(c, CD_FDPASS) && c->socket_path != NULL && S_ISREG(st.st_mode)) {
        if (!send_descriptor(fd, file)) {
            complain(c, "%s: cannot be passed to clamd: %s", label, strerror(errno));
            c->errors++;
            return;
        }
    } else {
        send_stream(c, fd, file);
    }
    (void)take_answers(c, fd, label, S_ISREG(st.st_mode) ? &st : NULL);
}

/* Walk here, with our own rights, and hand over what is found. A folder gets one line when
 * nothing was found in it. */
static void walk_path(struct client *c, const char *path)
{
    struct hf_walk_options walk_options = {0};
    HF_AUTO(hf_walk_release) struct hf_walk *walk = hf_walk_new(&walk_options);
    struct hf_walk_entry entry;
    struct stat st;
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    uint64_t before = c->infected + c->errors;
    struct hf_compat_value *quiet = &c->arguments.values[CD_INFECTED];
    struct hf_compat_value kept = *quiet;
    if (walk == NULL || hf_walk_begin(walk, hf_bytes_text(path)) != HF_OK) {
        c->errors++;
        return;
    }
    if (folder)
        *quiet = (struct hf_compat_value){.count = 1, .on = true};
    for (enum hf_walk_kind kind;
         !c->unreachable && (kind = hf_walk_next(walk, &entry)) != HF_WALK_END;) {
        char *name = strndup((const char *)entry.path.data, entry.path.len);
        if (kind == HF_WALK_FILE && name != NULL) {
            ask_file(c, entry.fd, name);
        } else if (kind == HF_WALK_ERROR && name != NULL) {
            complain(c, "WARNING: %s: %s", name,
                     entry.error == EACCES ? "Access denied" : strerror(entry.error));
            c->errors++;
        } else if (kind == HF_WALK_SKIPPED && name != NULL && !folder) {
            complain(c, "WARNING: %s: Not supported file type", name);
        }
        if (kind == HF_WALK_FILE)
            close(entry.fd);
        if (kind == HF_WALK_BUSY)
            (void)hf_walk_give_up(walk, &entry);
        free(name);
    }
    *quiet = kept;
    if (folder && before == c->infected + c->errors && !is_on(c, CD_QUIET) &&
        !is_on(c, CD_INFECTED)) {
        struct hf_buffer out = {0};
        hf_escape(&out, hf_bytes_text(path));
        hf_buffer_text(&out, ": OK\n");
        put(c, hf_buffer_view(&out));
        hf_buffer_done(&out);
    }
}

static void scan(struct client *c, const char *operand)
{
    char *path = NULL;
    if (strcmp(operand, "-") == 0) {
        ask_file(c, STDIN_FILENO, "stream");
        return;
    }
    if (access(operand, F_OK) != 0) {
        char *here = operand[0] == '/' ? strdup("") : getcwd(NULL, 0);
        complain(c, "ERROR: Can't access file %s%s%s", here != NULL ? here : "",
                 operand[0] == '/' ? "" : "/", operand);
        free(here);
        c->errors++;
        return;
    }
    path = realpath(operand, NULL);
    if (path == NULL)
        c->errors++;
    else if (is_on(c, CD_FDPASS) || is_on(c, CD_STREAM))
        walk_path(c, path);
    else
        ask_path(c, path);
    free(path);
}

/* ---- the rest ---- */

/* One command, its answer without the zero. */
static bool ask_simple(int fd, const char *command, char *answer, size_t room)
{
    size_t got = 0;
    if (!send_all(fd, command, strlen(command) + 1))
        return false;
    for (ssize_t n; got < room - 1 && (n = recv(fd, answer + got, room - 1 - got, 0)) > 0;)
        got += (size_t)n;
    answer[got] = 0;
    return got > 0;
}

/* "attempts[:interval]". */
static bool wait_for_daemon(struct client *c, bool say_pong)
{
    unsigned long attempts = WAIT_ATTEMPTS, interval = 1;
    const char *text = c->arguments.values[CD_PING].text;
    if (text != NULL) {
        char *end;
        attempts = strtoul(text, &end, 10);
        if (*end == ':')
            interval = strtoul(end + 1, NULL, 10);
    }
    for (unsigned long i = 0; i < attempts; i++) {
        HF_AUTO(hf_fd_release) int fd = try_connect(c);
        char answer[16];
        if (fd >= 0 && ask_simple(fd, "zPING", answer, sizeof answer) &&
            strcmp(answer, "PONG") == 0) {
            if (say_pong)
                put(c, hf_bytes_text("PONG\n"));
            return true;
        }
        if (i + 1 < attempts)
            (void)sleep((unsigned)interval);
    }
    return false;
}

static int simple(struct client *c, const char *command, bool print)
{
    HF_AUTO(hf_fd_release) int fd = reach(c);
    char answer[512];
    if (fd < 0 || !ask_simple(fd, command, answer, sizeof answer))
        return 2;
    bool refused = strncmp(answer, "COMMAND UNAVAILABLE", 19) == 0 ||
                   strncmp(answer, "UNKNOWN", 7) == 0;
    if (print || refused) {
        struct hf_buffer out = {0};
        hf_escape(&out, hf_bytes_text(answer));
        hf_buffer_u8(&out, '\n');
        put(c, hf_buffer_view(&out));
        hf_buffer_done(&out);
    }
    return refused ? 2 : 0;
}

static void put_summary(const struct client *c, double begin, time_t begin_time)
{
    struct hf_buffer out = {0};
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    double took = (double)t.tv_sec + (double)t.tv_nsec / 1e9 - begin;
    char from[32] = "", to[32] = "";
    time_t now = time(NULL);
    struct tm tm;
    if (localtime_r(&begin_time, &tm) != NULL)
        (void)strftime(from, sizeof from, "%Y:%m:%d %H:%M:%S", &tm);
    if (localtime_r(&now, &tm) != NULL)
        (void)strftime(to, sizeof to, "%Y:%m:%d %H:%M:%S", &tm);
    hf_buffer_format(&out, "\n----------- SCAN SUMMARY -----------\nInfected files: %llu\n",
                     (unsigned long long)c->infected);
    if (c->errors > 0)
        hf_buffer_format(&out, "Total errors: %llu\n", (unsigned long long)c->errors);
    hf_buffer_format(&out, "Time: %.3f sec (%d m %d s)\nStart Date: %s\nEnd Date:   %s\n",
                     took, (int)took / 60, (int)took % 60, from, to);
    put(c, hf_buffer_view(&out));
    hf_buffer_done(&out);
}

static void scan_list(struct client *c, const char *name)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    char *line = NULL;
    size_t room = 0;
    if (file == NULL) {
        complain(c, "ERROR: --file-list: Can't open file %s", name);
        c->errors++;
        return;
    }
    for (ssize_t n; !c->unreachable && (n = getline(&line, &room, file)) > 0;) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = 0;
        if (n > 0)
            scan(c, line);
    }
    free(line);
    if (file != stdin)
        (void)fclose(file);
}

static int scan_all(struct client *c)
{
    const struct hf_compat_value *list = &c->arguments.values[CD_FILE_LIST];
    for (size_t i = 0; i < c->arguments.operand_count && !c->unreachable; i++)
        scan(c, c->arguments.operands[i]);
    if (list->text != NULL)
        scan_list(c, list->text);
    else if (c->arguments.operand_count == 0) {
        char *here = getcwd(NULL, 0);
        if (here != NULL)
            scan(c, here);
        free(here);
    }
    return c->infected > 0 ? 1 : c->errors > 0 ? 2 : 0;
}

static bool prepare_actions(struct client *c, char **move_to)
{
    const char *to = c->arguments.values[CD_MOVE].text;
    c->actions.copying = to == NULL && c->arguments.values[CD_COPY].text != NULL;
    if (to == NULL)
        to = c->arguments.values[CD_COPY].text;
    c->actions.removing = is_on(c, CD_REMOVE);
    c->actions.log = -1;
    if (to == NULL)
        return true;
    *move_to = realpath(to, NULL);
    if (*move_to == NULL)
        complain(c, "ERROR: Can't access directory %s", to);
    c->actions.move_to = *move_to;
    return *move_to != NULL;
}

static const char help[] =
    "\n    clamdscan [options] [file/directory/-]\n\n"
    "    --help              -h             Show this help\n"
    "    --version           -V             Print version number and exit\n"
    "    --verbose           -v             Accepted\n"
    "    --quiet                            Only output error messages\n"
    "    --stdout                           Write errors to stdout too\n"
    "    --log=FILE          -l FILE        Save the report in FILE\n"
    "    --file-list=FILE    -f FILE        Scan files from FILE\n"
    "    --ping              -p A[:I]       Ping up to A times, I seconds apart\n"
    "    --wait              -w             Wait for the daemon before scanning\n"
    "    --remove                           Remove infected files\n"
    "    --move=DIRECTORY                   Move infected files into DIRECTORY\n"
    "    --copy=DIRECTORY                   Copy infected files into DIRECTORY\n"
    "    --config-file=FILE  -c FILE        Read where the daemon listens from FILE\n"
    "    --allmatch          -z             Show all signatures that match\n"
    "    --multiscan         -m             Scan the files of folders side by side\n"
    "    --infected          -i             Only print infected files\n"
    "    --no-summary                       No summary at the end\n"
    "    --reload                           Ask the daemon to load its databases anew\n"
    "    --fdpass                           Pass descriptors instead of paths\n"
    "    --stream                           Send the bytes of files\n\n";

static int work(struct client *c)
{
    char *move_to = NULL;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    time_t begin_time = time(NULL);
    double begin = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    bool ping = c->arguments.values[CD_PING].count > 0;
    if (!read_config(c))
        return 2;
    if (is_on(c, CD_VERSION))
        return simple(c, "zVERSION", true);
    if (is_on(c, CD_RELOAD))
        return simple(c, "zRELOAD", false);
    if (ping && !is_on(c, CD_WAIT)) {
        if (wait_for_daemon(c, true))
            return 0;
        put(c, hf_bytes_text("PING timeout exceeded; No response from clamd\n"));
        return EXIT_PING;
    }
    int code;
    if (!prepare_actions(c, &move_to)) {
        code = 2;
    } else if (is_on(c, CD_WAIT) && !wait_for_daemon(c, false)) {
        put(c, hf_bytes_text("Wait timeout exceeded; Could not connect to clamd\n"));
        code = EXIT_PING;
    } else {
        code = scan_all(c);
    }
    if (!is_on(c, CD_NO_SUMMARY) && !is_on(c, CD_QUIET))
        put_summary(c, begin, begin_time);
    free(move_to);
    return code;
}

int hf_clamdscan_main(int argc, char **argv)
{
    struct client c = {.log = -1, .stream_max = 100 << 20};
    int code = 2;
    if (!hf_compat_parse(&c.arguments, "clamdscan", options, CD_COUNT, argc, argv)) {
        hf_compat_done(&c.arguments);
        return code;
    }
    const char *log = c.arguments.values[CD_LOG].text;
    if (log != NULL) {
        c.log = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        static const char rule[] = "\n--------------------------------------\n";
        log_bytes(&c, rule, sizeof rule - 1);
    }
    if (log != NULL && c.log < 0)
        complain(&c, "ERROR: Can't open %s in append mode (check permissions!).", log);
    else if (is_on(&c, CD_HELP))
        code = hf_fd_write(STDOUT_FILENO, help, sizeof help - 1) == HF_OK ? 0 : 2;
    else
        code = work(&c);
    hf_fd_release(&c.log);
    free(c.socket_path);
    free(c.host);
    free(c.port);
    hf_compat_done(&c.arguments);
    return code;
}
