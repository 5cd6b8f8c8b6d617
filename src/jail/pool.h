/* pool.h - the parent's side of the jail: starts the template, keeps workers, hands them
 * descriptors in batches, replaces those that die, blames exactly one object for each death.
 * Parses nothing but protocol messages. No signal handlers, no fork in the caller (posix_spawn),
 * no global state: part of libholdfast. One thread at a time for each pool. */
#ifndef HF_JAIL_POOL_H
#define HF_JAIL_POOL_H

#include "jail/protocol.h"

struct hf_pool;

/*
 * Generations. The databases of a pool can be changed while it scans (hf_pool_reload). Each set
 * has a number, from 0 for that of hf_pool_open upwards. An object is scanned by one of them from
 * beginning to end; its report says which (hf_report.generation), and its signatures have to be
 * looked up in that one. What an owner of a pool does with them:
 *
 *   hf_db_open, hf_db_check                   the new one, by somebody who may take the time
 *   hf_pool_reload(pool, fds, n, &number)     keep the opened database under this number
 *   HF_POOL_ACTIVE                            what is submitted from now on meets the new one
 *   HF_POOL_RETIRED for the old number        close the old one: no report speaks of it any more
 *
 * Databases are mapped from the page cache by all processes: a second generation costs no private
 * memory but the template's own.
 */
enum hf_pool_event {
    HF_POOL_ACTIVE,  /* a generation has taken over */
    HF_POOL_REFUSED, /* it could not be loaded, text says why; the one before stays */
    HF_POOL_RETIRED  /* no report will name it any more */
};

/* Called from hf_pool_wait and the like, after the reports that belong before. text borrows.
 * May submit and flush, not wait, reload or close. */
typedef void hf_pool_on_generation(void *user, uint64_t generation,
                                   enum hf_pool_event event, struct hf_bytes text);

/* A worker crashed, hung or spoke nonsense: what reports with its number (hf_report.worker) said
 * before may be wrong. Called before what it held is tried again. */
typedef void hf_pool_on_misbehaved(void *user, uint32_t worker);

/* Generations at the same time: those that old scans still hold, and one that is loaded. */
enum { HF_POOL_GENERATIONS_MAX = 4 };

/*
 * A piece of the form of an object. Parts begin at offset 0 and have no gaps; when a worker died
 * and another one tries again, they begin at 0 again and what came before is void. Bounds what
 * it takes by itself: a worker may send without end. False: no more of it; the worker is treated
 * as one that misbehaved. Not for waiting, reloading or closing.
 */
typedef bool hf_pool_on_form(void *user, uint64_t id, unsigned part, uint64_t offset,
                             struct hf_bytes piece);

/* For a process that may not start programs itself: somebody else starts its templates.
 * start: channel (borrowed) is to become descriptor 3 of holdfast-worker; returns a token that
 * names it, 0: it cannot. stop: the template of that token is not needed any more and has been
 * told so by closing its channel; it is to be killed if it does not end. Opening such a pool
 * does not wait for the template: see hf_pool_state. */
struct hf_pool_host {
    void *user;
    uint64_t (*start)(void *user, int channel);
    void (*stop)(void *user, uint64_t token);
};

struct hf_pool_options {
    const char *worker_path; /* NULL: found by hf_worker_path_find */
    unsigned workers;        /* 0: as many as processors */
    bool all_match;
    bool inspect; /* reports have every object, its digests and facts; set all_match too */
    bool note_digests; /* reports say which digests were asked (scan/asked.h) */
    bool flat;         /* files are not unpacked: what is scanned is the file alone */
    struct hf_tell_options tell; /* what reports have in told */
    /* The values that conditions know by number; borrowed while the pool is open. has_externals
     * false: those of rules/externals.h. */
    const struct hf_value *externals;
    size_t external_count;
    bool has_externals;
    int report_fd; /* > 0: a report for the module cuckoo; borrowed while the pool is open */
    enum hf_form form; /* not HF_FORM_NONE: objects are not scanned, on_form gets this */
    hf_pool_on_form *on_form;
    struct hf_limits limits;
    const int *db_fds; /* database segments, oldest first; duplicated by the call */
    size_t db_count;
    unsigned objects_per_worker; /* replaced after this many; 0: the default, 4096 */
    hf_pool_on_misbehaved *on_misbehaved; /* may be NULL */
    hf_pool_on_generation *on_generation; /* NULL: there will be no hf_pool_reload */
    unsigned
        batch_max; /* most objects handed to a worker at once; 0: as many as there is room
                           for. Few: for requests that do not know of each other */
    const struct hf_pool_host
        *host; /* borrowed; NULL: the pool starts its templates itself */
};

/* A finished object. report borrows until the callback returns. status: HF_OK, or HF_IO /
 * HF_INVALID when the descriptor could not be read (report is empty then). Crash, timeout and
 * memory hunger arrive as HF_OK with reasons. May submit and flush, not wait or close. */
typedef void hf_pool_on_done(void *user, uint64_t id, enum hf_status status,
                             const struct hf_report *report);

/* Start. error (may be NULL) receives a sentence. HF_NOTFOUND (no worker program), HF_CRASHED
 * (it does not come up, or no layer of the jail works), HF_NOMEM, HF_IO. */
HF_MUST_USE enum hf_status hf_pool_open(struct hf_pool **out,
                                        const struct hf_pool_options *options,
                                        hf_pool_on_done *on_done, void *user,
                                        struct hf_buffer *error);

/* Ends template and workers; objects not finished are dropped. NULL is accepted. */
void hf_pool_close(struct hf_pool *pool);

/* How many objects may be submitted now without waiting; sized by descriptors and workers. */
size_t hf_pool_room(const struct hf_pool *pool);

/* Hand over a file. fd is taken, also on failure. id comes back with its report. The last file
 * of a burst is followed by hf_pool_flush, or stays in a half-full batch. HF_LIMIT: no room. */
HF_MUST_USE enum hf_status hf_pool_submit(struct hf_pool *pool, int fd, uint64_t id);
void hf_pool_flush(struct hf_pool *pool);

/*
 * Begin to change to other databases. Returns at once: a second template loads them while the
 * first goes on; then new objects go to new workers, and old workers end when they have finished
 * what they hold. Nothing submitted is lost, scanned twice in part, or held up by the loading.
 *
 * db_fds      segments, oldest first; duplicated by the call
 * generation  on HF_OK: its number
 * Returns HF_OK; HF_LIMIT: one is being loaded, or too many old ones are still held by scans: try
 * again after the next event; HF_INVALID (too many segments, or no on_generation); HF_IO,
 * HF_NOMEM, HF_NOTFOUND, HF_CRASHED: it could not begin; the generation in use stays.
 */
HF_MUST_USE enum hf_status hf_pool_reload(struct hf_pool *pool, const int *db_fds,
                                          size_t count, uint64_t *generation);

/* Whether a generation is being loaded, or an old one has scans that are not finished: the pool
 * then wants hf_pool_wait even with nothing pending. */
bool hf_pool_reloading(const struct hf_pool *pool);

/* Files submitted and not reported yet. */
size_t hf_pool_pending(const struct hf_pool *pool);

/* Wait for something to happen, at most timeout_ms (-1: until it does), and report what is
 * done. With nothing pending and no reload under way it returns at once. Returns HF_OK; HF_CRASHED when no worker can be started any more: what is pending was
 * reported as unscannable(crash). */
HF_MUST_USE enum hf_status hf_pool_wait(struct hf_pool *pool, int timeout_ms);

/* For event loops: a descriptor that polls readable when there is something to handle, the time
 * in ms after which the pool wants a look in any case (-1: none), and the look: handles what is
 * there without waiting, and gives out what can be given. As hf_pool_wait otherwise. */
int hf_pool_fd(const struct hf_pool *pool);
int hf_pool_timeout(const struct hf_pool *pool);
HF_MUST_USE enum hf_status hf_pool_turn(struct hf_pool *pool);

/* STARTING: the template is not ready yet, what is submitted waits. BROKEN: it gave up;
 * hf_pool_error says why, if the template did. */
enum hf_pool_state { HF_POOL_STARTING, HF_POOL_READY, HF_POOL_BROKEN };
enum hf_pool_state hf_pool_state(const struct hf_pool *pool);
struct hf_bytes hf_pool_error(const struct hf_pool *pool);

/* What happened so far, and the layers of the jail. */
struct hf_pool_stats {
    uint32_t layers; /* enum hf_jail_layer */
    uint64_t workers_started, crashes, timeouts, retries;
    uint64_t abandoned; /* killed, and still stuck in the kernel: not waited for */
    uint64_t templates_started;
    unsigned workers, busy; /* alive now, and of them those that have something to do */
};
struct hf_pool_stats hf_pool_stats(const struct hf_pool *pool);

/* holdfast-worker: $HOLDFAST_WORKER, beside the running program, then the installed place.
 * Allocated; NULL when there is none. */
char *hf_worker_path_find(void);

#endif
