/* The parent against a worker that says what it likes, datagram by datagram, and then dies with
 * any page. Property: every object is reported at most once, and none is lost. */
#include "jail/pool_internal.h"

#include "base/auto.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OBJECTS = 8 };

struct seen {
    unsigned reports[OBJECTS];
    unsigned total;
};

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct seen *seen = user;
    assert(id < OBJECTS && ++seen->reports[id] == 1);
    assert(report->finding_count <= HF_FINDINGS_MAX);
    assert(report->incident_count <= HF_INCIDENTS_MAX);
    assert(status == HF_OK || status == HF_INVALID || status == HF_IO);
    assert(report->inspected_count <= HF_INSPECTED_MAX);
    for (size_t i = 0; i < report->inspected_count; i++) /* every byte is there */
        for (size_t k = 0; k < report->inspected[i].facts.len; k += 4096)
            assert(report->inspected[i].facts.data[k] <= UINT8_MAX);
    for (size_t i = 0; i < report->finding_count; i++)
        assert(report->findings[i].path.count <= HF_INNER_DEPTH_MAX);
    seen->total++;
}

static bool on_form(void *user, uint64_t id, unsigned part, uint64_t offset,
                    struct hf_bytes piece)
{
    const struct seen *seen = user;
    assert(id < OBJECTS && seen->reports[id] == 0 && part < HF_FORM_PARTS && piece.len > 0);
    return offset < 64;
}

/* A pool with one worker that was given all objects, in two batches. Returns the worker's end. */
static int set_up(struct hf_pool *pool, struct hf_pool_worker *w,
                  struct hf_pool_item *items)
{
    pool->items = items;
    pool->workers = w;
    pool->options.workers = 1;
    pool->options.db_count = 1;
    pool->capacity = OBJECTS;
    pool->arena = hf_arena_new(4 * HF_MESSAGE_MAX);
    pool->free = pool->queue = pool->suspects = (struct hf_pool_list){NO_ITEM, NO_ITEM, 0};
    int ends[2];
    if (pool->arena == NULL || !hf_pool_worker_init(w) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        abort();
    pool->templates[0] = (struct hf_pool_template){
        .state = TEMPLATE_READY, .control = -1, .pidfd = -1, .db_count = 1};
    pool->current = w->template = &pool->templates[0];
    w->state = WORKER_LIVE;
    w->channel = ends[0];
    for (uint32_t i = 0; i < OBJECTS; i++) {
        items[i] = (struct hf_pool_item){.id = i, .fd = -1};
        hf_pool_push(pool, &w->out, i);
    }
    w->next_number = OBJECTS;
    w->batch_end[0] = OBJECTS / 2;
    w->batch_end[1] = OBJECTS;
    w->batches = 2;
    return ends[1];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_pool pool; /* large */
    memset(&pool, 0, offsetof(struct hf_pool, datagram));
    struct hf_pool_worker w = {0};
    struct hf_pool_item items[OBJECTS];
    struct seen seen = {0};
    pool.on_done = on_done;
    pool.user = &seen;
    int peer = set_up(&pool, &w, items);
    struct hf_worker_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    w.page = page;
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    page->object = hf_u8(&c) < 200 ? hf_u8(&c) : UINT64_MAX;
    uint8_t how = hf_u8(&c);
    bool blame = (how & 1) != 0;
    pool.options.inspect = (how & 2) != 0;
    pool.options.form = (how & 4) != 0 ? HF_FORM_PAGE : HF_FORM_NONE;
    pool.options.on_form = (how & 8) != 0 ? on_form : NULL;
    while (w.state == WORKER_LIVE && hf_cursor_left(&c) > 0) {
        uint16_t len = hf_u16le(&c);
        struct hf_bytes one =
            hf_take(&c, len < hf_cursor_left(&c) ? len : hf_cursor_left(&c));
        if (one.len > 0 && send(peer, one.data, one.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            hf_pool_worker_receive(&pool, &w);
    }
    close(peer);
    if (w.state == WORKER_LIVE)
        hf_pool_worker_receive(&pool, &w);
    if (w.state != WORKER_NONE)
        hf_pool_worker_judge(&pool, &w, blame);
    assert(seen.total + pool.queue.count + pool.suspects.count == OBJECTS);
    assert(pool.free.count == seen.total);
    hf_pool_worker_done(&w);
    hf_arena_free(pool.arena);
    hf_buffer_done(&pool.out);
    return 0;
}
