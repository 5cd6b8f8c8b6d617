/* listener_internal.h - what the files of the listener share: listener.c (sockets, the loop, the
 * supervisor), client.c (one connection), command.c (what is asked), request.c (what is scanned,
 * and the answers), tell.c (STATS, status, metrics). */
#ifndef HF_DAEMON_LISTENER_INTERNAL_H
#define HF_DAEMON_LISTENER_INTERNAL_H

#include "daemon/clamd.h"
#include "daemon/listener.h"
#include "daemon/messages.h"
#include "db/db.h"
#include "jail/pool.h"

enum {
    HF_GENERATIONS_HELD = HF_POOL_GENERATIONS_MAX + 2,
    HF_WINDOW = 32,           /* entries of one walk under way */
    HF_SESSION_REQUESTS = 64, /* of one connection at once; then it is not read */
    HF_OUT_PAUSE = 256 << 10, /* bytes of answers that nobody reads: no more is begun */
    HF_LATENCY_BUCKETS = 12,
    HF_ERRORS_KEPT = 8
};

struct hf_listener;
struct hf_client;
struct hf_request;

/* An opened database that requests are answered from. */
struct hf_generation {
    struct hf_db *db; /* NULL: free */
    uint64_t number;  /* the pool's */
    uint64_t id;      /* the supervisor's */
    uint64_t signatures;
    uint64_t since_ms, wall_s;
    struct hf_buffer text; /* what follows the version in VERSION */
    int fds[HF_DAEMON_FDS_MAX];
    size_t fd_count;
    bool active;
    uint32_t crashes, delays; /* of workers with it, not told yet */
};

/* One object of a request. */
struct hf_item {
    struct hf_request *request; /* NULL: nobody waits for it any more */
    struct hf_item *next;       /* of its request, in order */
    struct hf_item *queue_next; /* that no worker has yet */
    int fd;                     /* until it is submitted; -1 */
    uint64_t size;
    uint64_t begun_us;
    bool done;
    struct hf_bytes label; /* owned */
    struct hf_buffer text; /* of the answer, when done before its turn */
};

/* A command that is answered later. */
struct hf_request {
    struct hf_client *client;
    struct hf_request *next; /* of its client */
    uint64_t number;         /* in a session; 0: none */
    uint64_t opener_id;      /* 0: no path */
    enum hf_clamd_command command;
    char terminator;
    bool ended;          /* the opener has said all */
    bool found, scanned; /* something */
    unsigned end_kind;   /* enum hf_end_kind */
    struct hf_item *first, **last;
    size_t items; /* not answered yet */
    struct hf_buffer path;
    uint64_t begun_us;
    struct hf_listener *listener;
    struct hf_request *path_next; /* of all that wait for the opener */
};

/* A stream that is coming in: in memory, then in an unlinked file. */
struct hf_stream {
    struct hf_buffer memory;
    int fd; /* -1: all in memory */
    uint64_t size;
    bool failed; /* cannot be kept; the rest is dropped */
};

struct hf_client {
    struct hf_client *next, *previous;
    int fd;
    enum hf_listen_kind kind;
    bool tcp, watched, may_control;
    bool closing; /* answers what it owes, then ends */
    bool linger;  /* the peer may still be sending: reads that away for a while */
    bool lingering;
    bool streamed; /* the request under way came as a stream */
    bool extra;    /* it sent more than its command */
    bool gone;     /* nobody is there any more */
    bool end_seen; /* the peer has closed its side */
    uint32_t events;
    struct hf_clamd_parser parser;
    struct hf_stream stream;
    struct hf_buffer out;
    size_t out_at;
    struct hf_request *requests;
    size_t request_count;
    uint64_t number; /* of the last command in a session */
    int held_fd;     /* a descriptor that came too early or unasked; -1 */
    bool held_late;  /* it is a protocol error at the next read */
    uint64_t active_ms, written_ms;
    char peer[64]; /* "local", "address@port" */
};

struct hf_counters {
    uint64_t connections, refused, evicted, requests, by_command[HF_CLAMD_COMMANDS + 1];
    uint64_t objects, bytes, found, clean, errors, unscannable, timeouts_of_clients;
    uint64_t by_reason[8];
    uint64_t latency[HF_LATENCY_BUCKETS + 1], latency_us;
    uint64_t reloads, reloads_refused, openers, pools;
    /* of pools that are no more */
    uint64_t workers_started, crashes, timeouts, retries, abandoned, templates;
};

struct hf_listener {
    const struct hf_listener_setup *setup;
    const struct hf_config *config;
    struct hf_log log;
    int epoll, supervisor, opener;
    struct hf_client *clients; /* newest first */
    size_t client_count, client_max;
    bool accepting, leaving;
    struct hf_pool *pool;
    struct hf_pool_host host;
    struct hf_pool_options pool_options;
    uint64_t pool_again_ms; /* when to try again to open one; 0: no need */
    unsigned pool_failures;
    uint64_t template_token;
    struct hf_generation generations[HF_GENERATIONS_HELD];
    struct hf_item *queue, **queue_last;
    size_t queue_count;
    struct hf_request *path_requests;
    uint64_t opener_ids;
    size_t opener_live;
    uint64_t stream_bytes; /* held in all streams */
    uint64_t swept_ms, started_ms;
    struct hf_counters counters;
    struct hf_buffer standing; /* of updates: text, zero, JSON, zero, metrics, zero */
    char errors[HF_ERRORS_KEPT][200]; /* the last ones, oldest overwritten */
    unsigned error_count;
    struct hf_daemon_mail mail;
    uint8_t buffer[128 << 10]; /* what was read, of whoever it is */
};

uint64_t hf_daemon_ms(void);
uint64_t hf_daemon_us(void);

/* ---- listener.c ---- */
void hf_listener_error(struct hf_listener *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void hf_listener_tell(struct hf_listener *l, const struct hf_daemon_message *m);
struct hf_generation *hf_listener_generation(struct hf_listener *l, uint64_t number);
const struct hf_generation *hf_listener_active(const struct hf_listener *l);

/* ---- client.c ---- */
struct hf_client *hf_client_open(struct hf_listener *l, int fd,
                                 const struct hf_listen_socket *socket);
void hf_client_ready(struct hf_listener *l, struct hf_client *c, uint32_t events);
/* Append to the answers; sent soon. */
void hf_client_say(struct hf_client *c, struct hf_bytes text);
/* "[number: ]text" and the terminator. */
void hf_client_answer(struct hf_client *c, uint64_t number, char terminator,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Send, go on reading, close: what is due after something has changed. May free it. */
void hf_client_settle(struct hf_listener *l, struct hf_client *c);
void hf_client_sweep(struct hf_listener *l, uint64_t now);
void hf_client_evict(struct hf_listener *l);
void hf_client_end_idle(struct hf_listener *l); /* those that wait for nothing */
void hf_client_close(struct hf_listener *l, struct hf_client *c);

/* ---- command.c ---- */
void hf_command_do(struct hf_listener *l, struct hf_client *c,
                   const struct hf_clamd_event *event);
void hf_command_stream_data(struct hf_listener *l, struct hf_client *c,
                            struct hf_bytes data);
void hf_command_stream_end(struct hf_listener *l, struct hf_client *c);
void hf_command_descriptor(struct hf_listener *l, struct hf_client *c);
void hf_stream_drop(struct hf_listener *l, struct hf_stream *stream);

/* ---- request.c ---- */
void hf_request_path(struct hf_listener *l, struct hf_client *c,
                     enum hf_clamd_command command, struct hf_bytes path);
/* fd is taken. */
void hf_request_object(struct hf_listener *l, struct hf_client *c,
                       enum hf_clamd_command command, int fd, uint64_t size,
                       const char *label);
void hf_request_drop_all(struct hf_listener *l, struct hf_client *c);
void hf_request_from_opener(struct hf_listener *l);
void hf_request_lose_opener(struct hf_listener *l);
void hf_request_give(struct hf_listener *l); /* to the pool, as much as it takes */
void hf_request_on_done(void *user, uint64_t id, enum hf_status status,
                        const struct hf_report *report);

/* ---- tell.c ---- */
struct hf_pool_stats hf_tell_pool(const struct hf_listener *l); /* of all pools so far */
void hf_tell_stats(struct hf_listener *l, struct hf_client *c, uint64_t number);
void hf_tell_http(struct hf_listener *l, struct hf_client *c, struct hf_bytes request);

#endif
