/* pool_reload.c - templates in the plural: a new generation of the databases is loaded beside the
 * current one, takes over, and old ones end when their last scan is over. */
#include "jail/pool_internal.h"

#include <fcntl.h>
#include <unistd.h>

enum { TEMPLATE_STARTS_MAX = 4 }; /* without anything being finished between */

enum hf_status hf_pool_take_databases(struct hf_pool_template *t, const int *db_fds,
                                      size_t count)
{
    if (count > HF_DB_FDS_MAX)
        return HF_INVALID;
    for (t->db_count = 0; t->db_count < count; t->db_count++) {
        int fd = fcntl(db_fds[t->db_count], F_DUPFD_CLOEXEC, 3);
        if (fd < 0) {
            hf_pool_drop_databases(t);
            return HF_IO;
        }
        t->db_fds[t->db_count] = fd;
    }
    return HF_OK;
}

void hf_pool_drop_databases(struct hf_pool_template *t)
{
    while (t->db_count > 0)
        close(t->db_fds[--t->db_count]);
}

static void tell(struct hf_pool *pool, const struct hf_pool_template *t,
                 enum hf_pool_event event, struct hf_bytes text)
{
    pool->events++;
    if (pool->options.on_generation == NULL)
        return;
    bool was_inside = pool->inside;
    pool->inside = true;
    pool->options.on_generation(pool->user, t->generation, event, text);
    pool->inside = was_inside;
}

enum hf_status hf_pool_reload(struct hf_pool *pool, const int *db_fds, size_t count,
                              uint64_t *generation)
{
    struct hf_pool_template *place = NULL;
    if (pool->options.on_generation == NULL)
        return HF_INVALID;
    if (pool->broken)
        return HF_CRASHED;
    for (size_t i = 0; i < HF_POOL_GENERATIONS_MAX; i++) {
        if (pool->templates[i].state == TEMPLATE_LOADING)
            return HF_LIMIT;
        if (pool->templates[i].state == TEMPLATE_NONE)
            place = &pool->templates[i];
    }
    if (place == NULL)
        return HF_LIMIT;
    enum hf_status st = hf_pool_take_databases(place, db_fds, count);
    if (st == HF_OK)
        st = hf_pool_template_begin(pool, place, NULL);
    if (st != HF_OK) {
        hf_pool_drop_databases(place);
        return st;
    }
    place->generation = *generation = pool->generations++;
    return HF_OK;
}

bool hf_pool_reloading(const struct hf_pool *pool)
{
    for (size_t i = 0; i < HF_POOL_GENERATIONS_MAX; i++)
        if (&pool->templates[i] != pool->current &&
            pool->templates[i].state != TEMPLATE_NONE)
            return true;
    return false;
}

/* From now on workers come from this one. Old workers finish what they hold: a scan keeps the
 * generation that it began with. */
static void take_over(struct hf_pool *pool, struct hf_pool_template *t)
{
    struct hf_pool_template *old = pool->current;
    pool->current = t;
    pool->template_starts = 0;
    for (unsigned i = 0; i < pool->options.workers; i++) {
        struct hf_pool_worker *w = &pool->workers[i];
        if (w->state == WORKER_LIVE && w->template == old && !w->closing)
            hf_pool_worker_retire(w);
    }
    tell(pool, t, HF_POOL_ACTIVE, (struct hf_bytes){0});
}

static void refuse(struct hf_pool *pool, struct hf_pool_template *t, struct hf_bytes why)
{
    hf_pool_template_release(t);
    hf_pool_drop_databases(t);
    tell(pool, t, HF_POOL_REFUSED, why);
}

static void finish_loading(struct hf_pool *pool, struct hf_pool_template *t, bool spoke)
{
    struct hf_buffer why = {0};
    if (spoke && hf_pool_template_ready(pool, t, &why) == HF_OK)
        take_over(pool, t);
    else if (spoke || hf_pool_now() - t->since >= HF_POOL_READY_TIMEOUT_MS)
        refuse(pool, t, spoke ? hf_buffer_view(&why) : hf_bytes_text("does not answer"));
    hf_buffer_done(&why);
}

/* The first one, when it was not waited for, or its successor after a crash. */
static void finish_first(struct hf_pool *pool, struct hf_pool_template *t, bool spoke)
{
    if (!spoke && hf_pool_now() - t->since < HF_POOL_READY_TIMEOUT_MS)
        return;
    hf_buffer_clear(&pool->error);
    if (spoke && hf_pool_template_ready(pool, t, &pool->error) == HF_OK)
        return;
    if (!spoke)
        hf_buffer_text(&pool->error, "does not answer");
    hf_pool_lose_template(pool, t);
}

static bool has_workers(const struct hf_pool *pool, const struct hf_pool_template *t)
{
    for (unsigned i = 0; i < pool->options.workers; i++)
        if (pool->workers[i].state != WORKER_NONE && pool->workers[i].template == t)
            return true;
    return false;
}

static void retire(struct hf_pool *pool, struct hf_pool_template *t)
{
    hf_pool_template_release(t);
    hf_pool_drop_databases(t);
    tell(pool, t, HF_POOL_RETIRED, (struct hf_bytes){0});
}

void hf_pool_reload_turn(struct hf_pool *pool, struct hf_pool_template *t, bool spoke)
{
    if (t->state == TEMPLATE_LOADING && t == pool->current)
        finish_first(pool, t, spoke);
    else if (t->state == TEMPLATE_LOADING)
        finish_loading(pool, t, spoke);
    else if (t->state == TEMPLATE_ENDING)
        (void)hf_pool_template_poll(t);
    else if (t->state == TEMPLATE_READY) {
        if (spoke && hf_pool_template_receive(pool, t) != HF_OK)
            hf_pool_lose_template(pool, t);
        else if (t != pool->current && !has_workers(pool, t))
            retire(pool, t);
    }
}

void hf_pool_lose_template(struct hf_pool *pool, struct hf_pool_template *t)
{
    for (unsigned i = 0; i < pool->options.workers; i++) {
        struct hf_pool_worker *w = &pool->workers[i];
        if (w->state == WORKER_NONE || w->template != t)
            continue;
        hf_pool_worker_receive(pool, w);
        if (w->state != WORKER_NONE)
            hf_pool_worker_judge(pool, w, false);
    }
    if (t != pool->current) {
        retire(pool, t);
        return;
    }
    hf_pool_template_stop(t);
    if (pool->template_starts >= TEMPLATE_STARTS_MAX ||
        hf_pool_template_start(pool, t, NULL) != HF_OK)
        pool->broken = true;
}
