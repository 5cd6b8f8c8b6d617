/* pool.h - the parent's side of the jail: starts the template, keeps workers, hands them
 * descriptors in batches, replaces those that die, blames exactly one object for each death.
 * Parses nothing but protocol messages. No signal handlers, no fork in the caller (posix_spawn),
 * no global state: part of libholdfast. One thread at a time for each pool. */
#ifndef HF_JAIL_POOL_H
#define HF_JAIL_POOL_H

#include "jail/protocol.h"

struct hf_pool;

struct hf_pool_options {
    const char *worker_path; /* NULL: found by hf_worker_path_find */
    unsigned workers;        /* 0: as many as processors */
    bool all_match;
    bool inspect; /* reports have every object, its digests and facts; set all_match too */
    struct hf_limits limits;
    const int *db_fds; /* database segments, oldest first; duplicated by the call */
    size_t db_count;
    unsigned objects_per_worker; /* replaced after this many; 0: the default, 4096 */
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

/* Files submitted and not reported yet. */
size_t hf_pool_pending(const struct hf_pool *pool);

/* Wait for something to happen, at most timeout_ms (-1: until it does), and report what is
 * done. Returns HF_OK; HF_CRASHED when no worker can be started any more: what is pending was
 * reported as unscannable(crash). */
HF_MUST_USE enum hf_status hf_pool_wait(struct hf_pool *pool, int timeout_ms);

/* What happened so far, and the layers of the jail. */
struct hf_pool_stats {
    uint32_t layers; /* enum hf_jail_layer */
    uint64_t workers_started, crashes, timeouts, retries;
    uint64_t abandoned; /* killed, and still stuck in the kernel: not waited for */
};
struct hf_pool_stats hf_pool_stats(const struct hf_pool *pool);

/* holdfast-worker: $HOLDFAST_WORKER, beside the running program, then the installed place.
 * Allocated; NULL when there is none. */
char *hf_worker_path_find(void);

#endif
