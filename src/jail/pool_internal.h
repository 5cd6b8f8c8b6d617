/* pool_internal.h - what the files of the pool share: pool.c (objects and who gets them),
 * pool_template.c (the template process), pool_worker.c (one worker: start, batches, results,
 * end). */
#ifndef HF_JAIL_POOL_INTERNAL_H
#define HF_JAIL_POOL_INTERNAL_H

#include "jail/pool.h"

#include <sys/types.h>

enum {
    BATCHES_MAX = 2,
    HF_POOL_READY_TIMEOUT_MS =
        30000 /* a machine under load takes its time; none takes this long */
};
#define NO_ITEM UINT32_MAX

/* A submitted file. Its descriptor stays open until it is reported: a worker may die. */
struct hf_pool_item {
    uint64_t id, size;
    int fd;
    uint32_t next;    /* in its list */
    unsigned strikes; /* workers that died of it */
    unsigned losses;  /* workers that died with it as the oldest, and nobody to blame */
};

/* Items in order, by number. */
struct hf_pool_list {
    uint32_t head, tail, count;
};

enum hf_pool_worker_state {
    WORKER_NONE,
    WORKER_LIVE,
    WORKER_DYING /* killed or gone; waits for the template's word, which says that it is over */
};

enum hf_pool_template_state {
    TEMPLATE_NONE,
    TEMPLATE_LOADING, /* has its databases and has not said READY */
    TEMPLATE_READY,   /* the current one, or one that only finishes what it has */
    TEMPLATE_ENDING   /* told to end, and waited for without haste */
};

/* A template process and the generation that it has mapped. */
struct hf_pool_template {
    enum hf_pool_template_state state;
    int control, pidfd; /* -1: none */
    pid_t pid;
    const struct hf_pool_host
        *host; /* who started it under this token; NULL: the pool did */
    uint64_t token;
    uint64_t generation;
    int db_fds[HF_DB_FDS_MAX]; /* owned */
    size_t db_count;
    unsigned crashes; /* of its workers */
    uint64_t since;   /* ms: of the state */
};

struct hf_pool_worker {
    enum hf_pool_worker_state state;
    struct hf_pool_template *template; /* that it was forked from */
    uint32_t serial;
    int channel, pidfd; /* pidfd -1: not told yet */
    const struct hf_worker_page *page;
    struct hf_pool_list out; /* given and not reported, oldest first */
    uint64_t next_number;    /* of the next object to give */
    uint64_t next_done;      /* of the oldest in out: the only one it may speak of */
    uint64_t batch_end[BATCHES_MAX]; /* number behind the last object of each batch */
    unsigned batches;                /* in flight */
    uint64_t given;                  /* objects in its life */
    bool closing;                    /* gets nothing more; its end is no crash */
    bool said_last;                  /* it ends by itself after the batch */
    bool alone;                      /* tries an object that has killed another worker */
    /* The wall clock: how long the page has not changed. */
    uint64_t seen_object, seen_started, still_ms;
    bool timed_out;
    uint64_t dying_since; /* ms */
    uint64_t asked_for;   /* ms: when the template was asked to fork it */
    /* The report that is coming in. */
    struct hf_arena *arena; /* of the place: kept from worker to worker */
    struct hf_arena_mark empty;
    struct hf_report report;
    uint8_t *facts_at; /* where the next piece of facts goes; NULL: there was no room */
    uint64_t facts_missing;          /* bytes announced and not come yet */
    struct hf_buffer told;           /* so far, of the object whose report comes in */
    uint64_t form_at[HF_FORM_PARTS]; /* where the next piece of each part belongs */
};

struct hf_pool {
    struct hf_pool_options options;
    hf_pool_on_done *on_done;
    void *user;
    char *worker_path;
    char **environment;
    /* templates */
    struct hf_pool_template templates[HF_POOL_GENERATIONS_MAX];
    struct hf_pool_template *current; /* whom new workers come from */
    uint64_t generations;             /* numbers given out */
    uint64_t events;                  /* told to on_generation */
    unsigned template_starts;         /* since something was last finished */
    uint32_t serials;
    int ears;               /* epoll of the templates' and the workers' channels */
    struct hf_buffer error; /* why no template comes up */
    /* workers */
    struct hf_pool_worker *workers; /* options.workers of them */
    unsigned empty_deaths;          /* without blame, since something was last finished */
    /* objects */
    struct hf_pool_item *items;
    uint32_t capacity, batch_max;
    struct hf_pool_list free, queue, suspects;
    uint64_t reported;
    uint64_t not_before; /* ms: nothing is given out earlier */
    bool blocked;        /* a send found no room: try again soon */
    bool inside;         /* a callback may run: what it submits waits */
    bool broken;
    uint64_t clock; /* ms, of the last look at the pages */
    struct hf_pool_stats stats;
    struct hf_arena *arena; /* for messages of the template */
    struct hf_buffer out;
    uint8_t datagram[HF_MESSAGE_MAX];
};

uint64_t hf_pool_now(void); /* ms, monotonic */

/* Have hf_pool_fd tell of a channel. It forgets those that are closed. */
HF_MUST_USE bool hf_pool_watch(struct hf_pool *pool, int channel);

/* A worker came to nothing: wait longer before each next one, and give up after many. */
void hf_pool_slow_down(struct hf_pool *pool);

/* Lists. Pop gives NO_ITEM when empty. */
void hf_pool_push(struct hf_pool *pool, struct hf_pool_list *list, uint32_t item);
void hf_pool_push_front(struct hf_pool *pool, struct hf_pool_list *list, uint32_t item);
uint32_t hf_pool_pop(struct hf_pool *pool, struct hf_pool_list *list);

/* Report an item, free its place, close its descriptor. report->generation is set by callers. */
void hf_pool_report(struct hf_pool *pool, uint32_t item, enum hf_status status,
                    const struct hf_report *report);
void hf_pool_report_reason(struct hf_pool *pool, uint32_t item, enum hf_reason reason);

/* Template. Begin: a process that is handed its databases, LOADING. Ready: takes its answer; what
 * is wrong goes to error (may be NULL). Start: both, as hf_pool_open says. Release tells it to
 * end, its workers with it; poll looks whether it has. Stop: both, waiting for it. Receive handles
 * all that it has sent; HF_NOTFOUND: it is dead or speaks nonsense. */
HF_MUST_USE enum hf_status hf_pool_template_begin(struct hf_pool *pool,
                                                  struct hf_pool_template *t,
                                                  struct hf_buffer *error);
HF_MUST_USE enum hf_status hf_pool_template_ready(struct hf_pool *pool,
                                                  struct hf_pool_template *t,
                                                  struct hf_buffer *error);
HF_MUST_USE enum hf_status hf_pool_template_start(struct hf_pool *pool,
                                                  struct hf_pool_template *t,
                                                  struct hf_buffer *error);
void hf_pool_template_release(struct hf_pool_template *t);
bool hf_pool_template_poll(struct hf_pool_template *t);
void hf_pool_template_stop(struct hf_pool_template *t);
HF_MUST_USE enum hf_status hf_pool_template_receive(struct hf_pool *pool,
                                                    struct hf_pool_template *t);

/* Generations (pool_reload.c). Take: the databases of a template, duplicated. Turn: what is due
 * with templates other than the current one. Lose: a template is dead or was given up. */
HF_MUST_USE enum hf_status hf_pool_take_databases(struct hf_pool_template *t,
                                                  const int *db_fds, size_t count);
void hf_pool_drop_databases(struct hf_pool_template *t);
void hf_pool_reload_turn(struct hf_pool *pool, struct hf_pool_template *t, bool spoke);
void hf_pool_lose_template(struct hf_pool *pool, struct hf_pool_template *t);

/* Workers. Init and done are for the places. Start: NULL with errno when it cannot be. Send: gives it items from list, at most
 * count; returns how many it took. */
HF_MUST_USE bool hf_pool_worker_init(struct hf_pool_worker *w);
void hf_pool_worker_done(struct hf_pool_worker *w);
struct hf_pool_worker *hf_pool_worker_start(struct hf_pool *pool);
uint32_t hf_pool_worker_send(struct hf_pool *pool, struct hf_pool_worker *w,
                             struct hf_pool_list *list, uint32_t count);
void hf_pool_worker_receive(struct hf_pool *pool, struct hf_pool_worker *w);
void hf_pool_worker_kill(struct hf_pool *pool, struct hf_pool_worker *w);
void hf_pool_worker_retire(struct hf_pool_worker *w); /* it ends when it has finished */

/* The worker is over: blame, retry, put back what it had. blame: whether the object in flight
 * is to be held responsible. */
void hf_pool_worker_judge(struct hf_pool *pool, struct hf_pool_worker *w, bool blame);

#endif
