/* context.c - the public context: a database and the pools that scan with it. A pool serves one
 * call at a time; as many exist as calls ran at once, at most options.workers. */
#include "api/deliver.h"
#include "api/error.h"
#include "api/in_process.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "db/builtin.h"
#include "jail/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one call waits for. */
struct call {
    const struct hf_db *db;
    hf_on_detection *on_found;
    void *user;
    struct hf_result *result;
    enum hf_status status;
    bool done;
};

struct slot {
    struct hf_pool *pool; /* NULL: not started yet, or given up */
    struct call *call;    /* of the thread that has the slot */
    bool taken;
};

struct hf_context {
    struct hf_options options;
    char *worker_path;
    int db_fd;
    struct hf_db *db;
    pthread_mutex_t lock;
    pthread_cond_t slot_free;
    struct slot *slots;
    unsigned slot_count;
    struct hf_in_process *in_process; /* made on first use, under the lock */
};

void hf_options_default(struct hf_options *options)
{
    *options = (struct hf_options){0};
    hf_limits_default(&options->limits);
}

static enum hf_status open_database(struct hf_context *context, const char *path)
{
    if (path == NULL) {
        context->db_fd = hf_memfd_of("holdfast-content", hf_db_builtin());
        if (context->db_fd < 0)
            return hf_error_set(HF_IO, "built-in content: %s", strerror(errno));
    } else {
        context->db_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (context->db_fd < 0)
            return hf_error_set(errno == ENOENT ? HF_NOTFOUND : HF_IO, "%s: %s", path,
                                strerror(errno));
    }
    enum hf_status st = hf_db_open(&context->db_fd, 1, &context->db);
    if (st != HF_OK)
        return hf_error_set(st, "%s: %s", path == NULL ? "built-in content" : path,
                            st == HF_MALFORMED ? "not a Holdfast database"
                            : st == HF_UNSUPPORTED
                                ? "made by another version; build it again"
                                : hf_status_text(st));
    return HF_OK;
}

static enum hf_status prepare(struct hf_context *context, const char *db_path)
{
    if (context->options.worker_path != NULL)
        context->worker_path = strdup(context->options.worker_path);
    else
        context->worker_path = hf_worker_path_find();
    if (context->worker_path == NULL)
        return hf_error_set(HF_NOTFOUND, "holdfast-worker was not found");
    context->options.worker_path = context->worker_path;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    context->slot_count = context->options.workers;
    if (context->slot_count == 0)
        context->slot_count = processors > 0 ? (unsigned)processors : 1;
    context->slots = calloc(context->slot_count, sizeof *context->slots);
    if (context->slots == NULL)
        return hf_error_set(HF_NOMEM, "out of memory");
    return open_database(context, db_path);
}

enum hf_status hf_context_open(struct hf_context **out, const char *db_path,
                               const struct hf_options *options)
{
    hf_error_clear();
    *out = NULL;
    struct hf_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return hf_error_set(HF_NOMEM, "out of memory");
    context->db_fd = -1;
    pthread_mutex_init(&context->lock, NULL);
    pthread_cond_init(&context->slot_free, NULL);
    if (options != NULL)
        context->options = *options;
    else
        hf_options_default(&context->options);
    enum hf_status st = prepare(context, db_path);
    if (st != HF_OK)
        hf_context_close(context);
    else
        *out = context;
    return st;
}

void hf_context_close(struct hf_context *context)
{
    if (context == NULL)
        return;
    for (unsigned i = 0; context->slots != NULL && i < context->slot_count; i++)
        hf_pool_close(context->slots[i].pool);
    hf_in_process_free(context->in_process);
    hf_db_close(context->db);
    hf_fd_release(&context->db_fd);
    pthread_cond_destroy(&context->slot_free);
    pthread_mutex_destroy(&context->lock);
    free(context->slots);
    free(context->worker_path);
    free(context);
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct slot *slot = user;
    struct call *call = slot->call;
    (void)id;
    if (call == NULL || call->done)
        return;
    call->status = status == HF_OK ? hf_deliver(call->db, report, call->on_found,
                                                call->user, call->result)
                                   : status;
    call->done = true;
}

/* Take a slot, waiting for one if all are busy. Prefers one whose workers are up. */
static struct slot *take_slot(struct hf_context *context)
{
    struct slot *slot = NULL;
    pthread_mutex_lock(&context->lock);
    while (slot == NULL) {
        for (unsigned i = 0; i < context->slot_count; i++) {
            struct slot *s = &context->slots[i];
            if (!s->taken && (slot == NULL || (slot->pool == NULL && s->pool != NULL)))
                slot = s;
        }
        if (slot == NULL)
            pthread_cond_wait(&context->slot_free, &context->lock);
    }
    slot->taken = true;
    pthread_mutex_unlock(&context->lock);
    return slot;
}

static void give_slot(struct hf_context *context, struct slot *slot)
{
    pthread_mutex_lock(&context->lock);
    slot->taken = false;
    pthread_cond_signal(&context->slot_free);
    pthread_mutex_unlock(&context->lock);
}

static enum hf_status start_pool(struct hf_context *context, struct slot *slot)
{
    if (slot->pool != NULL)
        return HF_OK;
    HF_AUTO(hf_buffer_done) struct hf_buffer error = {0};
    const struct hf_pool_options options = {
        .worker_path = context->worker_path,
        .workers = 1,
        .all_match = context->options.all_match,
        .limits = context->options.limits,
        .db_fds = &context->db_fd,
        .db_count = 1,
    };
    enum hf_status st = hf_pool_open(&slot->pool, &options, on_done, slot, &error);
    if (st != HF_OK) {
        hf_buffer_u8(&error, 0);
        slot->pool = NULL;
        return hf_error_set(st, "%s",
                            error.failed ? hf_status_text(st) : (char *)error.data);
    }
    return HF_OK;
}

/* Scan fd, which is taken, in a slot. */
static enum hf_status scan_in_slot(struct hf_context *context, struct slot *slot, int fd,
                                   struct call *call)
{
    enum hf_status st = start_pool(context, slot);
    if (st != HF_OK) {
        close(fd);
        return st;
    }
    slot->call = call;
    st = hf_pool_submit(slot->pool, fd, 0);
    hf_pool_flush(slot->pool);
    while (st == HF_OK && !call->done)
        st = hf_pool_wait(slot->pool, -1);
    slot->call = NULL;
    if (!call->done || st == HF_CRASHED) {
        hf_pool_close(slot->pool); /* the next call starts anew */
        slot->pool = NULL;
        return call->done ? call->status
                          : hf_error_set(st, "the scan workers do not come up");
    }
    if (call->status != HF_OK && call->status != HF_STOPPED)
        return hf_error_set(call->status, "%s", hf_status_text(call->status));
    return call->status;
}

static enum hf_status scan_taken(struct hf_context *context, int fd,
                                 hf_on_detection *on_found, void *user,
                                 struct hf_result *result)
{
    struct call call = {
        .db = context->db, .on_found = on_found, .user = user, .result = result};
    struct slot *slot = take_slot(context);
    enum hf_status st = scan_in_slot(context, slot, fd, &call);
    give_slot(context, slot);
    return st;
}

enum hf_status hf_scan_fd(struct hf_context *context, int fd, hf_on_detection *on_found,
                          void *user, struct hf_result *result)
{
    hf_error_clear();
    *result = (struct hf_result){0};
    struct stat st;
    if (fstat(fd, &st) != 0)
        return hf_error_set(HF_IO, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return hf_error_set(HF_INVALID, "not a regular file");
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return hf_error_set(HF_IO, "%s", strerror(errno));
    return scan_taken(context, copy, on_found, user, result);
}

enum hf_status hf_scan_memory(struct hf_context *context, const void *data, size_t size,
                              hf_on_detection *on_found, void *user,
                              struct hf_result *result)
{
    hf_error_clear();
    *result = (struct hf_result){0};
    int fd = hf_memfd_of("holdfast-object", hf_bytes_of(data, size));
    if (fd < 0)
        return hf_error_set(HF_IO, "memory file: %s", strerror(errno));
    return scan_taken(context, fd, on_found, user, result);
}

enum hf_status hf_scan_memory_in_process(struct hf_context *context, const void *data,
                                         size_t size, hf_on_detection *on_found, void *user,
                                         struct hf_result *result)
{
    hf_error_clear();
    *result = (struct hf_result){0};
    enum hf_status st = HF_OK;
    pthread_mutex_lock(&context->lock);
    if (context->in_process == NULL)
        st = hf_in_process_new(context->worker_path, &context->in_process);
    pthread_mutex_unlock(&context->lock);
    if (st != HF_OK)
        return st;
    return hf_in_process_scan(context->in_process, context->db, &context->options,
                              hf_bytes_of(data, size), on_found, user, result);
}
