#include "daemon/log.h"

#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    int number;
} facilities[] = {
    {"LOG_AUTH", LOG_AUTH},     {"LOG_AUTHPRIV", LOG_AUTHPRIV}, {"LOG_CRON", LOG_CRON},
    {"LOG_DAEMON", LOG_DAEMON}, {"LOG_FTP", LOG_FTP},           {"LOG_KERN", LOG_KERN},
    {"LOG_LPR", LOG_LPR},       {"LOG_MAIL", LOG_MAIL},         {"LOG_NEWS", LOG_NEWS},
    {"LOG_SYSLOG", LOG_SYSLOG}, {"LOG_USER", LOG_USER},         {"LOG_UUCP", LOG_UUCP},
    {"LOG_LOCAL0", LOG_LOCAL0}, {"LOG_LOCAL1", LOG_LOCAL1},     {"LOG_LOCAL2", LOG_LOCAL2},
    {"LOG_LOCAL3", LOG_LOCAL3}, {"LOG_LOCAL4", LOG_LOCAL4},     {"LOG_LOCAL5", LOG_LOCAL5},
    {"LOG_LOCAL6", LOG_LOCAL6}, {"LOG_LOCAL7", LOG_LOCAL7},
};

static int facility_of(const char *name)
{
    for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++)
        if (name != NULL && strcmp(facilities[i].name, name) == 0)
            return facilities[i].number;
    return LOG_LOCAL6;
}

/* A socket of our own instead of openlog: it can be handed to a process that opens nothing. */
static int open_syslog(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        hf_fd_release(&fd);
    return fd;
}

bool hf_log_open(struct hf_log *log, const struct hf_config *config)
{
    *log = (struct hf_log){.config = config, .file = -1, .syslog = -1};
    bool good = true;
    if (config->log_file != NULL) {
        log->file =
            open(config->log_file,
                 O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
        good = log->file >= 0;
    }
    if (config->log_syslog)
        log->syslog = open_syslog();
    return good && (!config->log_syslog || log->syslog >= 0);
}

void hf_log_close(struct hf_log *log)
{
    hf_fd_release(&log->file);
    hf_fd_release(&log->syslog);
}

enum time_form { TIME_CLASSIC, TIME_JSON, TIME_SYSLOG, TIME_NAME };

static void put_time(struct hf_buffer *out, enum time_form form)
{
    char text[64] = "";
    time_t now = time(NULL);
    struct tm tm;
    if (localtime_r(&now, &tm) == NULL)
        return;
    switch (form) {
    case TIME_CLASSIC: strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y -> ", &tm); break;
    case TIME_JSON: strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &tm); break;
    case TIME_SYSLOG: strftime(text, sizeof text, "%b %e %H:%M:%S ", &tm); break;
    case TIME_NAME: strftime(text, sizeof text, "-%Y%m%d_%H%M%S", &tm); break;
    }
    hf_buffer_text(out, text);
}

/* Rotated like clamd: the old file is renamed with the date, if that is wanted. */
bool hf_log_check(struct hf_log *log)
{
    struct stat st;
    uint64_t max = log->config->log_max;
    if (log->file < 0 || log->full || max == 0 || fstat(log->file, &st) != 0 ||
        (uint64_t)st.st_size < max || (log->is_sealed && log->config->log_rotate))
        return false;
    log->full = true;
    if (log->config->log_rotate) {
        HF_AUTO(hf_buffer_done) struct hf_buffer to = {0};
        hf_buffer_text(&to, log->config->log_file);
        put_time(&to, TIME_NAME);
        hf_buffer_u8(&to, 0);
        if (!to.failed && rename(log->config->log_file, (const char *)to.data) == 0) {
            int fd = open(log->config->log_file,
                          O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
            if (fd >= 0) {
                hf_fd_release(&log->file);
                log->file = fd;
                log->full = false;
                return true;
            }
        }
    }
    static const char last[] = "LOGGING DISABLED: the file has reached its largest size\n";
    if (log->full)
        (void)!write(log->file, last, sizeof last - 1);
    return false;
}

static const char *const level_names[] = {"error", "warning", "info", "found"};

static void write_file(struct hf_log *log, int fd, enum hf_log_level level,
                       struct hf_bytes text, const char *json_more)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    if (strcmp(log->config->log_format, "json") == 0) {
        hf_buffer_text(&line, "{\"time\":\"");
        put_time(&line, TIME_JSON);
        hf_buffer_format(&line, "\",\"level\":\"%s\",", level_names[level]);
        if (json_more != NULL) {
            hf_buffer_text(&line, json_more);
        } else {
            hf_buffer_text(&line, "\"message\":");
            hf_json_string(&line, text);
        }
        hf_buffer_text(&line, "}\n");
    } else {
        if (log->config->log_time)
            put_time(&line, TIME_CLASSIC);
        if (level == HF_LOG_ERROR)
            hf_buffer_text(&line, "ERROR: ");
        if (level == HF_LOG_WARNING)
            hf_buffer_text(&line, "WARNING: ");
        hf_buffer_bytes(&line, text);
        hf_buffer_u8(&line, '\n');
    }
    if (!line.failed)
        (void)!write(fd, line.data, line.len); /* a log that is full stops no scan */
}

static void write_syslog(struct hf_log *log, enum hf_log_level level, struct hf_bytes text)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_WARNING};
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    hf_buffer_format(&line, "<%d>",
                     facility_of(log->config->log_facility) | priorities[level]);
    put_time(&line, TIME_SYSLOG);
    hf_buffer_format(&line, "holdfastd[%d]: ", (int)getpid());
    hf_buffer_bytes(&line, text);
    if (!line.failed)
        (void)!send(log->syslog, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void write_all(struct hf_log *log, enum hf_log_level level, struct hf_bytes text,
                      const char *json_more)
{
    if (log->file >= 0) {
        (void)hf_log_check(log);
        if (!log->full)
            write_file(log, log->file, level, text, json_more);
    }
    if (log->syslog >= 0)
        write_syslog(log, level, text);
    if (log->to_stderr)
        write_file(log, STDERR_FILENO, level, text, json_more);
}

void hf_log_line(struct hf_log *log, enum hf_log_level level, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    if (n < 0)
        return;
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    hf_escape(&line, hf_bytes_text(text));
    free(text);
    if (!line.failed)
        write_all(log, level, hf_buffer_view(&line), NULL);
}

void hf_log_result(struct hf_log *log, struct hf_bytes label, const char *name,
                   uint64_t size)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0}, json = {0};
    hf_escape(&line, label);
    hf_buffer_text(&line, ": ");
    if (name == NULL)
        hf_buffer_text(&line, "OK");
    else
        hf_escape(&line, hf_bytes_text(name));
    if (name != NULL && log->config->log_size)
        hf_buffer_format(&line, "(%llu)", (unsigned long long)size);
    if (name != NULL)
        hf_buffer_text(&line, " FOUND");
    hf_buffer_text(&json, "\"object\":");
    hf_json_string(&json, label);
    hf_buffer_format(&json, ",\"size\":%llu,\"name\":", (unsigned long long)size);
    if (name != NULL)
        hf_json_string(&json, hf_bytes_text(name));
    else
        hf_buffer_text(&json, "null");
    hf_buffer_u8(&json, 0);
    if (!line.failed && !json.failed)
        write_all(log, name != NULL ? HF_LOG_FOUND : HF_LOG_INFO, hf_buffer_view(&line),
                  (const char *)json.data);
}
