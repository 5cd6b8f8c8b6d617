/* The pool: objects wait in a queue, go out in batches to the workers that have least to do, and
 * are reported when their worker has spoken or died of them. */
#include "jail/pool_internal.h"

#include "base/fd.h"
#include "jail/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS_MOST = 256,
    OBJECTS_PER_WORKER = 4096,
    FDS_OF_OTHERS = 24,   /* of the caller's own: streams, folders being walked, logs */
    FDS_FOR_STARTING = 6, /* for a moment, while a worker or template starts */
    FDS_OF_WORKER = 2,
    BATCH_BYTES = 2 << 20,     /* a batch of large files is short, so that work spreads */
    SPREAD_BYTES = 256 << 10,  /* less than this is not worth a second worker's start */
    TEMPLATE_CRASHES_MAX = 16, /* of workers, then a new template with new addresses */
    EMPTY_DEATHS_FREE = 2,
    EMPTY_DEATH_WAIT_MS = 25,
    EMPTY_DEATHS_MAX =
        64,          /* about two seconds, in which processes or memory may come back */
    STUCK_MS = 2000, /* killed and still there: left behind */
    FORK_TIMEOUT_MS = 5000, /* a template that takes longer is stuck or stopped */
    TICK_SOON_MS = 5,
    TICK_MAX_MS = 250
};

uint64_t hf_pool_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool hf_pool_watch(struct hf_pool *pool, int channel)
{
    struct epoll_event e = {.events = EPOLLIN};
    return epoll_ctl(pool->ears, EPOLL_CTL_ADD, channel, &e) == 0;
}

void hf_pool_slow_down(struct hf_pool *pool)
{
    if (++pool->empty_deaths > EMPTY_DEATHS_FREE)
        pool->not_before = hf_pool_now() + EMPTY_DEATH_WAIT_MS;
    if (pool->empty_deaths >= EMPTY_DEATHS_MAX)
        pool->broken = true;
}

/* Lists */

void hf_pool_push(struct hf_pool *pool, struct hf_pool_list *list, uint32_t item)
{
    pool->items[item].next = NO_ITEM;
    if (list->tail == NO_ITEM)
        list->head = item;
    else
        pool->items[list->tail].next = item;
    list->tail = item;
    list->count++;
}

void hf_pool_push_front(struct hf_pool *pool, struct hf_pool_list *list, uint32_t item)
{
    pool->items[item].next = list->head;
    list->head = item;
    if (list->tail == NO_ITEM)
        list->tail = item;
    list->count++;
}

uint32_t hf_pool_pop(struct hf_pool *pool, struct hf_pool_list *list)
{
    uint32_t item = list->head;
    if (item == NO_ITEM)
        return NO_ITEM;
    list->head = pool->items[item].next;
    if (list->head == NO_ITEM)
        list->tail = NO_ITEM;
    list->count--;
    return item;
}

/* Reports */

void hf_pool_report(struct hf_pool *pool, uint32_t item, enum hf_status status,
                    const struct hf_report *report)
{
    struct hf_pool_item *it = &pool->items[item];
    uint64_t id = it->id;
    hf_fd_release(&it->fd);
    hf_pool_push(pool, &pool->free, item);
    pool->reported++;
    bool was_inside = pool->inside;
    pool->inside = true;
    pool->on_done(pool->user, id, status, report);
    pool->inside = was_inside;
}

void hf_pool_report_reason(struct hf_pool *pool, uint32_t item, enum hf_reason reason)
{
    struct hf_incident incident = {.reason = reason};
    struct hf_report report = {
        .verdict = HF_UNSCANNABLE,
        .reasons = reason,
        .incidents = &incident,
        .incident_count = 1,
        .objects = 1,
        .arena = pool->arena,
        .generation = pool->current->generation,
    };
    hf_pool_report(pool, item, HF_OK, &report);
}

/* Opening */

char *hf_worker_path_find(void)
{
    const char *given = secure_getenv("HOLDFAST_WORKER");
    if (given != NULL && given[0] != 0)
        return strdup(given);
    char self[PATH_MAX], *path = NULL;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;
    if (slash != NULL &&
        asprintf(&path, "%.*s/holdfast-worker", (int)(slash - self), self) >= 0) {
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return access(HOLDFAST_WORKER_INSTALLED, X_OK) == 0 ? strdup(HOLDFAST_WORKER_INSTALLED)
                                                        : NULL;
}

/* The variables that a worker program may see. */
static bool is_passed_on(const char *variable)
{
    static const char *const prefixes[] = {
        "HOLDFAST_", "OPENSSL_ia32cap=", "ASAN_OPTIONS=", "UBSAN_OPTIONS="};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static char **copy_environment(void)
{
    size_t n = 0, kept = 0;
    while (environ != NULL && environ[n] != NULL)
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < n; i++)
        if (is_passed_on(environ[i]) && (copy[kept] = strdup(environ[i])) != NULL)
            kept++;
    return copy;
}

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (unsigned)n : 1;
}

/* Workers, batches and places, so that all descriptors together stay below the limit. */
static void size_by_descriptors(struct hf_pool *pool)
{
    struct rlimit limit;
    uint64_t most = 1024,
             used = FDS_OF_OTHERS + FDS_FOR_STARTING + 2 + pool->options.db_count;
    if (pool->options.on_generation != NULL)
        used += (HF_POOL_GENERATIONS_MAX - 1) * (2 + HF_DB_FDS_MAX);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        most = limit.rlim_cur;
    uint64_t left = most > used + 4 ? most - used : 4;
    unsigned *workers = &pool->options.workers;
    /* Each worker: its two, and two batches of at least one; one batch is being filled. */
    while (*workers > 1 && left < (uint64_t)*workers * (FDS_OF_WORKER + BATCHES_MAX) + 1)
        --*workers;
    left -= left > *workers * FDS_OF_WORKER ? *workers * FDS_OF_WORKER : left - 1;
    uint64_t batch = left / (*workers * BATCHES_MAX + 1);
    pool->batch_max = batch < 1 ? 1 : batch > HF_BATCH_MAX ? HF_BATCH_MAX : (uint32_t)batch;
    pool->capacity = pool->batch_max * (*workers * BATCHES_MAX + 1);
    if (pool->options.batch_max != 0 && pool->options.batch_max < pool->batch_max)
        pool->batch_max = pool->options.batch_max;
}

static enum hf_status copy_options(struct hf_pool *pool,
                                   const struct hf_pool_options *options)
{
    pool->options = *options;
    pool->options.db_fds = NULL; /* the caller's; ours are the template's */
    enum hf_status st =
        hf_pool_take_databases(pool->current, options->db_fds, options->db_count);
    if (st != HF_OK)
        return st;
    if (pool->options.workers == 0)
        pool->options.workers = processors();
    if (pool->options.workers > WORKERS_MOST)
        pool->options.workers = WORKERS_MOST;
    if (pool->options.objects_per_worker == 0)
        pool->options.objects_per_worker = OBJECTS_PER_WORKER;
    pool->environment = copy_environment();
    if (options->host != NULL)
        return pool->environment == NULL ? HF_NOMEM : HF_OK;
    pool->worker_path =
        options->worker_path != NULL ? strdup(options->worker_path) : hf_worker_path_find();
    if (pool->environment == NULL)
        return HF_NOMEM;
    return pool->worker_path == NULL ? HF_NOTFOUND : HF_OK;
}

static enum hf_status make_places(struct hf_pool *pool)
{
    size_by_descriptors(pool);
    pool->ears = epoll_create1(EPOLL_CLOEXEC);
    if (pool->ears < 0)
        return HF_IO;
    pool->arena = hf_arena_new(4 * HF_MESSAGE_MAX);
    pool->items = calloc(pool->capacity, sizeof *pool->items);
    pool->workers = calloc(pool->options.workers, sizeof *pool->workers);
    if (pool->arena == NULL || pool->items == NULL || pool->workers == NULL)
        return HF_NOMEM;
    pool->free = pool->queue = pool->suspects = (struct hf_pool_list){NO_ITEM, NO_ITEM, 0};
    for (uint32_t i = 0; i < pool->capacity; i++) {
        pool->items[i].fd = -1;
        hf_pool_push(pool, &pool->free, i);
    }
    for (unsigned i = 0; i < pool->options.workers; i++)
        if (!hf_pool_worker_init(&pool->workers[i]))
            return HF_NOMEM;
    return HF_OK;
}

enum hf_status hf_pool_open(struct hf_pool **out, const struct hf_pool_options *options,
                            hf_pool_on_done *on_done, void *user, struct hf_buffer *error)
{
    *out = NULL;
    struct hf_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < HF_POOL_GENERATIONS_MAX; i++)
        pool->templates[i].control = pool->templates[i].pidfd = -1;
    pool->ears = -1;
    pool->current = &pool->templates[0];
    pool->generations = 1;
    pool->clock = hf_pool_now();
    pool->on_done = on_done;
    pool->user = user;
    enum hf_status st = copy_options(pool, options);
    if (st == HF_NOTFOUND && error != NULL)
        hf_buffer_text(error,
                       "holdfast-worker was not found (set HOLDFAST_WORKER to its path)");
    if (st == HF_IO && error != NULL)
        hf_buffer_format(error, "no descriptor for the database: %s", strerror(errno));
    if (st == HF_OK)
        st = make_places(pool);
    if (st == HF_OK)
        st = hf_pool_template_start(pool, pool->current, error);
    if (st == HF_OK)
        *out = pool;
    else
        hf_pool_close(pool);
    return st;
}

void hf_pool_close(struct hf_pool *pool)
{
    if (pool == NULL)
        return;
    for (unsigned i = 0; pool->workers != NULL && i < pool->options.workers; i++)
        hf_pool_worker_done(&pool->workers[i]);
    for (size_t i = 0; i < HF_POOL_GENERATIONS_MAX; i++)
        if (pool->templates[i].state != TEMPLATE_NONE &&
            pool->templates[i].state != TEMPLATE_ENDING)
            hf_pool_template_release(&pool->templates[i]); /* all, then wait */
    for (size_t i = 0; i < HF_POOL_GENERATIONS_MAX; i++) {
        hf_pool_template_stop(&pool->templates[i]);
        hf_pool_drop_databases(&pool->templates[i]);
    }
    for (uint32_t i = 0; pool->items != NULL && i < pool->capacity; i++)
        hf_fd_release(&pool->items[i].fd);
    for (char **e = pool->environment; e != NULL && *e != NULL; e++)
        free(*e);
    free(pool->environment);
    free(pool->worker_path);
    free(pool->workers);
    free(pool->items);
    hf_arena_free(pool->arena);
    hf_fd_release(&pool->ears);
    hf_buffer_done(&pool->error);
    hf_buffer_done(&pool->out);
    free(pool);
}

/* Who gets what */

static struct hf_pool_worker *find_idle(struct hf_pool *pool, bool fresh)
{
    for (unsigned i = 0; i < pool->options.workers; i++) {
        struct hf_pool_worker *w = &pool->workers[i];
        if (w->state == WORKER_LIVE && !w->closing && w->batches == 0 &&
            (!fresh || w->given == 0))
            return w;
    }
    return NULL;
}

/* A worker with one batch, so that it need not wait for its next. */
static struct hf_pool_worker *find_busy(struct hf_pool *pool)
{
    struct hf_pool_worker *best = NULL;
    for (unsigned i = 0; i < pool->options.workers; i++) {
        struct hf_pool_worker *w = &pool->workers[i];
        if (w->state == WORKER_LIVE && !w->closing && !w->alone &&
            w->batches < BATCHES_MAX && (best == NULL || w->out.count < best->out.count))
            best = w;
    }
    return best;
}

static struct hf_pool_worker *start_worker(struct hf_pool *pool)
{
    struct hf_pool_worker *w = hf_pool_worker_start(pool);
    if (w == NULL)
        for (unsigned i = 0; i < pool->options.workers; i++)
            if (pool->workers[i].state == WORKER_NONE)
                pool->blocked = true; /* a place, but no descriptors or memory: later */
    return w;
}

static unsigned count_workers(const struct hf_pool *pool, enum hf_pool_worker_state state)
{
    unsigned n = 0;
    for (unsigned i = 0; i < pool->options.workers; i++)
        n += pool->workers[i].state == state;
    return n;
}

/* An object that has killed a worker goes alone to one that has done nothing before. */
static bool dispatch_suspect(struct hf_pool *pool)
{
    struct hf_pool_worker *w = find_idle(pool, true);
    if (w == NULL)
        w = start_worker(pool);
    if (w == NULL) {
        w = find_idle(pool, false);
        if (w != NULL)
            hf_pool_worker_retire(w); /* makes a place */
        return false;
    }
    w->alone = true;
    return hf_pool_worker_send(pool, w, &pool->suspects, 1) > 0;
}

/* How many of the queue make the next batch; *full: whether it need not wait for more. */
static uint32_t next_batch(const struct hf_pool *pool, bool *full)
{
    uint64_t bytes = 0;
    uint32_t n = 0, item = pool->queue.head;
    while (n < pool->batch_max && item != NO_ITEM && bytes < BATCH_BYTES) {
        bytes += pool->items[item].size;
        item = pool->items[item].next;
        n++;
    }
    *full = n == pool->batch_max || bytes >= BATCH_BYTES;
    if (*full || bytes < SPREAD_BYTES)
        return n;
    /* The last files of a burst: a share for each worker. */
    return (n + pool->options.workers - 1) / pool->options.workers;
}

static bool dispatch_batch(struct hf_pool *pool, bool flush)
{
    bool full;
    uint32_t n = next_batch(pool, &full);
    if (!full && !flush)
        return false;
    struct hf_pool_worker *w = find_idle(pool, false);
    if (w == NULL && pool->suspects.count == 0)
        w = start_worker(pool);
    if (w == NULL)
        w = find_busy(pool);
    return w != NULL && hf_pool_worker_send(pool, w, &pool->queue, n) > 0;
}

/* A template whose workers have crashed often is replaced: all of them share its addresses, and
 * whoever tries to guess them shall not have the same ones for ever. */
static bool template_is_worn(const struct hf_pool *pool)
{
    return pool->current->crashes >= TEMPLATE_CRASHES_MAX;
}

/* Nothing new is given out until the workers have finished. */
static void replace_worn_template(struct hf_pool *pool)
{
    for (unsigned i = 0; i < pool->options.workers; i++)
        if (pool->workers[i].template == pool->current &&
            (pool->workers[i].state == WORKER_DYING || pool->workers[i].out.count > 0))
            return;
    hf_pool_lose_template(pool, pool->current);
}

static void dispatch(struct hf_pool *pool, bool flush)
{
    if (pool->inside || pool->broken || pool->current->state != TEMPLATE_READY)
        return;
    pool->blocked = pool->not_before != 0 && hf_pool_now() < pool->not_before;
    if (pool->blocked)
        return;
    if (template_is_worn(pool)) {
        replace_worn_template(pool);
        if (template_is_worn(pool))
            return;
    }
    while (pool->suspects.count > 0 && !pool->broken && dispatch_suspect(pool)) {}
    while (pool->queue.count > 0 && !pool->broken && dispatch_batch(pool, flush)) {}
}

size_t hf_pool_room(const struct hf_pool *pool)
{
    return pool->free.count;
}

size_t hf_pool_pending(const struct hf_pool *pool)
{
    return pool->capacity - pool->free.count;
}

enum hf_status hf_pool_submit(struct hf_pool *pool, int fd, uint64_t id)
{
    uint32_t item = hf_pool_pop(pool, &pool->free);
    if (item == NO_ITEM) {
        close(fd);
        return HF_LIMIT;
    }
    /* What is known of it is enough: no file system is asked, which may take its time. */
    struct statx st;
    uint64_t size = 0;
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_SIZE, &st) == 0)
        size = st.stx_size;
    pool->items[item] = (struct hf_pool_item){.id = id, .fd = fd, .size = size};
    hf_pool_push(pool, &pool->queue, item);
    if (pool->queue.count >= pool->batch_max || size >= BATCH_BYTES)
        dispatch(pool, false);
    return HF_OK;
}

void hf_pool_flush(struct hf_pool *pool)
{
    dispatch(pool, true);
}

/* Waiting */

/* The backstop: a page that shows the same object for too long. The time counted between two
 * looks is bounded, so that a parent that was stopped itself does not blame its workers. */
static void check_clock(struct hf_pool *pool, struct hf_pool_worker *w, uint64_t elapsed)
{
    uint64_t limit = pool->options.limits.time_ms;
    uint64_t object = atomic_load_explicit(&w->page->object, memory_order_relaxed);
    uint64_t started = atomic_load_explicit(&w->page->started, memory_order_relaxed);
    /* One that the template has not told of yet is the template's fault, not its object's. */
    if (w->out.count == 0 || w->pidfd < 0 || object != w->seen_object ||
        started != w->seen_started) {
        w->seen_object = object;
        w->seen_started = started;
        w->still_ms = 0;
        return;
    }
    w->still_ms += elapsed < 2 * TICK_MAX_MS ? elapsed : 2 * TICK_MAX_MS;
    if (limit == 0 || w->still_ms < limit)
        return;
    w->timed_out = true;
    hf_pool_worker_kill(pool, w);
}

/* A template that does not fork any more is given up. */
static void check_workers(struct hf_pool *pool)
{
    struct hf_pool_template *stuck = NULL;
    uint64_t now = hf_pool_now(), elapsed = now - pool->clock;
    pool->clock = now;
    for (unsigned i = 0; i < pool->options.workers; i++) {
        struct hf_pool_worker *w = &pool->workers[i];
        if (w->state == WORKER_LIVE)
            check_clock(pool, w, elapsed);
        if (w->state == WORKER_LIVE && w->pidfd < 0 &&
            now - w->asked_for >= FORK_TIMEOUT_MS)
            stuck = w->template;
        if (w->state == WORKER_DYING && now - w->dying_since >= STUCK_MS) {
            pool->stats.abandoned++; /* stuck in the kernel: not waited for */
            hf_pool_worker_judge(pool, w, true);
        }
    }
    if (stuck != NULL)
        hf_pool_lose_template(pool, stuck);
}

static bool awaits_fork(const struct hf_pool *pool)
{
    for (unsigned i = 0; i < pool->options.workers; i++)
        if (pool->workers[i].state == WORKER_LIVE && pool->workers[i].pidfd < 0)
            return true;
    return false;
}

static int tick(const struct hf_pool *pool)
{
    if (pool->blocked)
        return TICK_SOON_MS;
    uint64_t limit = pool->options.limits.time_ms;
    if (count_workers(pool, WORKER_DYING) == 0 && !awaits_fork(pool) &&
        !hf_pool_reloading(pool) && pool->current->state == TEMPLATE_READY && limit == 0)
        return -1;
    uint64_t t = limit == 0 ? TICK_MAX_MS : limit / 8;
    return t < TICK_SOON_MS ? TICK_SOON_MS : t > TICK_MAX_MS ? TICK_MAX_MS : (int)t;
}

/* Where a template is heard: its channel, or the end of its process. */
static int ear_of(const struct hf_pool_template *t)
{
    return t->state == TEMPLATE_ENDING ? t->pidfd : t->control;
}

/* One round of waiting and handling. */
static void turn(struct hf_pool *pool, int timeout_ms)
{
    enum { FIRST = HF_POOL_GENERATIONS_MAX };
    struct pollfd fds[WORKERS_MOST + FIRST];
    uint32_t serials[WORKERS_MOST + FIRST];
    nfds_t n = 0;
    for (; n < FIRST; n++)
        fds[n] = (struct pollfd){.fd = ear_of(&pool->templates[n]), .events = POLLIN};
    for (unsigned i = 0; i < pool->options.workers; i++) {
        const struct hf_pool_worker *w = &pool->workers[i];
        serials[n] = w->serial;
        fds[n++] = (struct pollfd){.fd = w->state == WORKER_LIVE ? w->channel : -1,
                                   .events = POLLIN};
    }
    int at_most = tick(pool);
    if (at_most >= 0 && (timeout_ms < 0 || timeout_ms > at_most))
        timeout_ms = at_most;
    int ready = poll(fds, n, timeout_ms);
    for (nfds_t i = FIRST; ready > 0 && i < n; i++) {
        struct hf_pool_worker *w = &pool->workers[i - FIRST];
        if (fds[i].revents != 0 && w->state == WORKER_LIVE && w->serial == serials[i])
            hf_pool_worker_receive(pool, w);
    }
    for (nfds_t i = 0; i < FIRST; i++)
        hf_pool_reload_turn(pool, &pool->templates[i], ready > 0 && fds[i].revents != 0);
    check_workers(pool);
}

static enum hf_status give_up(struct hf_pool *pool)
{
    for (unsigned i = 0; i < pool->options.workers; i++)
        if (pool->workers[i].state != WORKER_NONE)
            hf_pool_worker_judge(pool, &pool->workers[i], false);
    for (uint32_t item; (item = hf_pool_pop(pool, &pool->suspects)) != NO_ITEM;)
        hf_pool_report_reason(pool, item, HF_REASON_CRASH);
    for (uint32_t item; (item = hf_pool_pop(pool, &pool->queue)) != NO_ITEM;)
        hf_pool_report_reason(pool, item, HF_REASON_CRASH);
    return HF_CRASHED;
}

enum hf_status hf_pool_wait(struct hf_pool *pool, int timeout_ms)
{
    uint64_t before = pool->reported + pool->events, now = hf_pool_now();
    uint64_t end = timeout_ms < 0 ? UINT64_MAX : now + (uint64_t)timeout_ms;
    dispatch(pool, true);
    while (!pool->broken && (hf_pool_pending(pool) > 0 || hf_pool_reloading(pool))) {
        uint64_t left = end - now;
        turn(pool, timeout_ms < 0 ? -1 : left > INT_MAX ? INT_MAX : (int)left);
        dispatch(pool, true);
        now = hf_pool_now();
        if (pool->reported + pool->events != before || now >= end)
            break;
    }
    return pool->broken ? give_up(pool) : HF_OK;
}

int hf_pool_fd(const struct hf_pool *pool)
{
    return pool->ears;
}

int hf_pool_timeout(const struct hf_pool *pool)
{
    if (pool->broken)
        return 0;
    bool quiet = hf_pool_pending(pool) == 0 && pool->current->state == TEMPLATE_READY &&
                 count_workers(pool, WORKER_DYING) == 0 && !awaits_fork(pool) &&
                 !hf_pool_reloading(pool);
    return quiet ? -1 : tick(pool);
}

enum hf_status hf_pool_turn(struct hf_pool *pool)
{
    if (!pool->broken)
        turn(pool, 0);
    dispatch(pool, true);
    return pool->broken ? give_up(pool) : HF_OK;
}

enum hf_pool_state hf_pool_state(const struct hf_pool *pool)
{
    return pool->broken                             ? HF_POOL_BROKEN
           : pool->current->state == TEMPLATE_READY ? HF_POOL_READY
                                                    : HF_POOL_STARTING;
}

struct hf_bytes hf_pool_error(const struct hf_pool *pool)
{
    return hf_buffer_view(&pool->error);
}

struct hf_pool_stats hf_pool_stats(const struct hf_pool *pool)
{
    struct hf_pool_stats stats = pool->stats;
    for (unsigned i = 0; i < pool->options.workers; i++) {
        stats.workers += pool->workers[i].state == WORKER_LIVE;
        stats.busy += pool->workers[i].out.count > 0;
    }
    return stats;
}
