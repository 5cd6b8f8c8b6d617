/* fetch_program.c - holdfast-fetch: gets files from web servers and does nothing else. It has no
 * content, no state and no keys; what it brings is believed by nobody. Started by others; asked in
 * datagrams over descriptor 3:
 *
 *   get SIZE HAVE RATE PROXY URL    with a file to which bytes HAVE.. are appended, up to SIZE in all
 *   -> ok BYTES | no NUMBER sentence    (numbers of enum hf_refusal) */
#include "base/auto.h"
#include "base/fd.h"
#include "feed/refusal.h"
#include "jail/channel.h"
#include "jail/protocol.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, NOBODY = 65534 };
/* A source that sends less than SLOW bytes a second for SLOW_SECONDS is left. */
enum { CONNECT_SECONDS = 20, SLOW = 512, SLOW_SECONDS = 30, REDIRECTS = 3 };

struct transfer {
    int fd;
    uint64_t left, got;
    bool too_long, disk;
};

static size_t on_data(char *data, size_t one, size_t count, void *user)
{
    struct transfer *t = user;
    size_t n = one * count;
    if (n > t->left) {
        t->too_long = true;
        return 0;
    }
    if (hf_fd_write(t->fd, data, n) != HF_OK) {
        t->disk = true;
        return 0;
    }
    t->left -= n;
    t->got += n;
    return n;
}

static enum hf_refusal refusal_of(const struct transfer *t, CURLcode code)
{
    if (t->too_long)
        return HF_REFUSE_FETCH_LONG;
    if (t->disk)
        return HF_REFUSE_DISK;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return HF_REFUSE_FETCH_SLOW;
    if (code == CURLE_FILESIZE_EXCEEDED)
        return HF_REFUSE_FETCH_LONG;
    return HF_REFUSE_FETCH;
}

static void set_up(CURL *curl, struct transfer *t, const char *url, const char *proxy,
                   uint64_t have, uint64_t size, uint64_t rate)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    /* However it trickles: an hour for the largest, a minute for what is small. */
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, size <= 1 << 20 && rate == 0 ? 60L : 3500L);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(size - have));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "holdfast");
    if (have > 0)
        curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)have);
    if (rate > 0)
        curl_easy_setopt(curl, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)rate);
    if (strcmp(proxy, "-") != 0)
        curl_easy_setopt(curl, CURLOPT_PROXY, proxy);
}

static void serve(CURL *curl, const char *line, int fd, struct hf_buffer *answer)
{
    unsigned long long size = 0, have = 0, rate = 0;
    char proxy[1024];
    int at = 0;
    if (fd < 0 ||
        sscanf(line, "get %llu %llu %llu %1023s %n", &size, &have, &rate, proxy, &at) !=
            4 ||
        at == 0 || have > size) {
        hf_buffer_format(answer, "no %d this was no request", HF_REFUSE_FETCH);
        return;
    }
    struct transfer t = {.fd = fd, .left = size - have};
    set_up(curl, &t, line + at, proxy, have, size, rate);
    CURLcode code = curl_easy_perform(curl);
    /* A server that does not know ranges sends all of it again: begin again, too. */
    if (code == CURLE_RANGE_ERROR && have > 0 && ftruncate(fd, 0) == 0) {
        t = (struct transfer){.fd = fd, .left = size};
        set_up(curl, &t, line + at, proxy, 0, size, rate);
        code = curl_easy_perform(curl);
    }
    if (code == CURLE_OK)
        hf_buffer_format(answer, "ok %llu", (unsigned long long)t.got);
    else
        hf_buffer_format(answer, "no %d %s", (int)refusal_of(&t, code),
                         curl_easy_strerror(code));
}

/* Nothing that root may do is needed to fetch. */
static void drop_rights(void)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (geteuid() == 0 &&
        (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        _exit(1);
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES + 1];
    if (argc != 2 || !hf_fd_limit_files(argv[1]))
        return 1;
    hf_close_from(HF_CONTROL_FD + 1);
    drop_rights();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    CURL *curl = curl_easy_init();
    for (;;) {
        int fd = -1;
        HF_AUTO(hf_buffer_done) struct hf_buffer answer = {0};
        struct hf_datagram d = {
            .data = (uint8_t *)line, .room = LINE_MAX_BYTES, .fds = &fd, .fd_room = 1};
        if (curl == NULL || hf_channel_receive(HF_CONTROL_FD, &d, true) != HF_OK)
            return 0;
        line[d.len] = 0;
        serve(curl, line, d.fd_count == 1 ? fd : -1, &answer);
        hf_fd_release(&fd);
        if (answer.failed ||
            hf_channel_send(HF_CONTROL_FD, hf_buffer_view(&answer), NULL, 0, true) != HF_OK)
            return 0;
    }
}
