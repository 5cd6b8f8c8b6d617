/* A worker process: scans the objects whose descriptors it is given, one at a time, and says
 * what it found. It talks to the parent of its template over descriptor 3; descriptor 4 is
 * its spool; the shared page says which object it is at.
 *
 * What it may do once sealed: read descriptors that it received, use memory, send and receive on
 * descriptor 3, shape and map descriptor 4. Its own code and every byte that it sends count as
 * the attacker's from the first object on. */
#include "jail/template.h"

#include "digest/streams.h"
#include "jail/channel.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Send when the next record might not fit any more; the longest is a FINDING. */
enum {
    AHEAD_BYTES = 2 << 20, /* read of a batch before its first file is scanned */
    ARENA_MAX = 64 << 20,
    RECORD_MAX = 72 * 1024,
    FLUSH_AT = HF_MESSAGE_MAX - RECORD_MAX
};

struct worker {
    struct hf_engine *engine;
    struct hf_teller *teller;
    struct hf_worker_page *page;
    struct hf_arena *arena;
    struct hf_source_buffer buffer;
    struct hf_buffer out;
    bool
        ending; /* after this batch: an object left something that should not meet the next */
    uint8_t datagram[1024];
    int fds[HF_BATCH_MAX];
    uint8_t *ahead; /* AHEAD_BYTES */
    struct hf_source sources[HF_BATCH_MAX];
    struct hf_stream streams[HF_BATCH_MAX];
    bool is_open[HF_BATCH_MAX]; /* read ahead */
    /* The form of the object at hand. */
    uint64_t form_object, form_at[HF_FORM_PARTS];
};

static const struct hf_inner_path itself = {0};

/* Put the three descriptors where they belong and close all others. */
static bool place_descriptors(struct worker *w, const struct hf_worker_start *start)
{
    w->page =
        mmap(NULL, sizeof *w->page, PROT_READ | PROT_WRITE, MAP_SHARED, start->page, 0);
    if (w->page == MAP_FAILED || dup3(start->channel, HF_CONTROL_FD, O_CLOEXEC) < 0)
        return false;
    if (start->spool >= 0 && dup3(start->spool, HF_SPOOL_FD, O_CLOEXEC) < 0)
        return false;
    hf_close_from(HF_SPOOL_FD + 1);
    return true;
}

/* False: the parent is gone. */
static bool flush(struct worker *w)
{
    if (w->out.len == 0 && !w->out.failed)
        return true;
    bool sent = !w->out.failed && hf_channel_send(HF_CONTROL_FD, hf_buffer_view(&w->out),
                                                  NULL, 0, true) == HF_OK;
    hf_buffer_clear(&w->out);
    return sent;
}

static bool make_room(struct worker *w)
{
    return w->out.len < FLUSH_AT || flush(w);
}

static bool send_inspected(struct worker *w, uint64_t object,
                           const struct hf_inspected *seen)
{
    struct hf_msg_object m = {.object = object, .seen = *seen};
    if (!make_room(w))
        return false;
    hf_msg_put_object(&w->out, &m);
    for (size_t at = 0; at < seen->facts.len; at += HF_FACTS_PIECE_MAX) {
        size_t left = seen->facts.len - at;
        struct hf_msg_facts facts = {
            .object = object,
            .piece = hf_bytes_of(seen->facts.data + at,
                                 left < HF_FACTS_PIECE_MAX ? left : HF_FACTS_PIECE_MAX)};
        if (!make_room(w))
            return false;
        hf_msg_put_facts(&w->out, &facts);
    }
    return true;
}

static bool send_report(struct worker *w, uint64_t object, const struct hf_report *report)
{
    for (size_t i = 0; i < report->finding_count; i++) {
        struct hf_msg_finding m = {.object = object, .finding = report->findings[i]};
        if (!make_room(w))
            return false;
        hf_msg_put_finding(&w->out, &m);
    }
    for (size_t i = 0; i < report->incident_count; i++) {
        struct hf_msg_incident m = {.object = object, .incident = report->incidents[i]};
        if (!make_room(w))
            return false;
        hf_msg_put_incident(&w->out, &m);
    }
    for (size_t i = 0; i < report->suspended_count; i++) {
        struct hf_msg_suspended m = {.object = object, .signature = report->suspended[i]};
        if (!make_room(w))
            return false;
        hf_msg_put_suspended(&w->out, &m);
    }
    struct hf_bytes told = hf_buffer_view(&w->teller->out);
    for (size_t at = 0; at < told.len; at += HF_FACTS_PIECE_MAX) {
        size_t left = told.len - at;
        struct hf_msg_told m = {
            .object = object,
            .piece = hf_bytes_of(told.data + at,
                                 left < HF_FACTS_PIECE_MAX ? left : HF_FACTS_PIECE_MAX)};
        if (!make_room(w))
            return false;
        hf_msg_put_told(&w->out, &m);
    }
    for (size_t i = 0; i < report->inspected_count; i++)
        if (!send_inspected(w, object, &report->inspected[i]))
            return false;
    return make_room(w);
}

static enum hf_status send_form(void *user, unsigned part, struct hf_bytes bytes)
{
    struct worker *w = user;
    for (size_t at = 0; at < bytes.len;) {
        size_t left = bytes.len - at;
        size_t n = left < HF_FACTS_PIECE_MAX ? left : HF_FACTS_PIECE_MAX;
        struct hf_msg_form form = {.object = w->form_object,
                                   .part = part,
                                   .offset = w->form_at[part],
                                   .piece = hf_bytes_of(bytes.data + at, n)};
        if (!make_room(w))
            return HF_IO;
        hf_msg_put_form(&w->out, &form);
        w->form_at[part] += n;
        at += n;
    }
    return HF_OK;
}

/* Scan an opened source to the end and close it. */
static struct hf_report scan_source(struct worker *w, struct hf_source *source,
                                    uint64_t object)
{
    struct hf_report report = hf_report_begin(w->arena);
    report.form = (struct hf_form_out){send_form, w};
    w->form_object = object;
    memset(w->form_at, 0, sizeof w->form_at);
    if (hf_engine_scan(w->engine, source, &report) != HF_OK) {
        hf_report_incident(&report, HF_REASON_LIMIT, &itself);
        w->ending = true;
    }
    if (w->teller->cut || w->teller->out.failed)
        hf_report_incident(&report, HF_REASON_LIMIT, &itself);
    hf_engine_forget(w->engine, source);
    if (hf_source_close(source) == HF_CHANGED)
        hf_report_incident(&report, HF_REASON_CHANGED, &itself);
    hf_report_finish(&report);
    w->ending = w->ending || hf_engine_tainted(w->engine);
    return report;
}

/* From here to the next call it is this object's fault. */
static void begin_object(struct worker *w, uint64_t object)
{
    atomic_store_explicit(&w->page->object, object, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->page->started, 1, memory_order_release);
}

/* Read what is small, so that digests of all these files are computed side by side. What could
 * not be read says so in its turn. */
static void read_ahead(struct worker *w, const struct hf_msg_batch *batch)
{
    size_t used = 0;
    memset(w->is_open, 0, sizeof w->is_open);
    if (w->ahead == NULL)
        w->ahead = malloc(AHEAD_BYTES);
    for (uint32_t i = 0; i < batch->count && batch->count > 1 && w->ahead != NULL; i++) {
        begin_object(w, batch->first + i);
        struct hf_source *source = &w->sources[i];
        if (hf_source_read(source, w->fds[i], w->ahead + used, AHEAD_BYTES - used) != HF_OK)
            continue;
        w->is_open[i] = true;
        used += source->bytes.len;
        hf_engine_expect(w->engine, source, &w->streams[i]);
    }
}

/* which: in its batch. */
static bool scan_object(struct worker *w, uint64_t object, uint32_t which,
                        bool last_of_batch)
{
    struct hf_source *source = &w->sources[which];
    int fd = w->fds[which];
    hf_teller_begin(w->teller);
    struct hf_report report = hf_report_begin(w->arena);
    enum hf_status st = w->is_open[which] ? HF_OK : hf_source_open(source, fd, &w->buffer);
    if (st == HF_OK) {
        report = scan_source(w, source, object);
    } else if (st == HF_NOMEM) {
        hf_report_incident(&report, HF_REASON_LIMIT, &itself);
        hf_report_finish(&report);
        w->ending = true;
        st = HF_OK;
    }
    close(fd);
    if (!send_report(w, object, &report))
        return false;
    struct hf_msg_done done = {
        .object = object,
        .status = st,
        .verdict = report.verdict,
        .reasons = report.reasons,
        .format = report.format,
        .objects = report.objects,
        .bytes = report.bytes,
        .work = report.work,
        .rules = report.rules,
        .findings_dropped = report.findings_dropped,
        .inspected_dropped = report.inspected_dropped,
        .suspended_dropped = report.suspended_dropped,
        .excused = report.excused,
        .asked_cut = report.asked_cut,
        .asked = report.asked,
        .last = last_of_batch && w->ending,
    };
    hf_msg_put_done(&w->out, &done);
    return report.finding_count == 0 || flush(w); /* what was found is known at once */
}

static int serve_batch(struct worker *w, const struct hf_msg_batch *batch)
{
    read_ahead(w, batch);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct hf_arena_mark mark = hf_arena_mark(w->arena);
        begin_object(w, batch->first + i);
        if (!scan_object(w, batch->first + i, i, i + 1 == batch->count))
            return HF_WORKER_EXIT_PROTOCOL;
        hf_arena_rewind(w->arena, mark);
    }
    if (!flush(w))
        return HF_WORKER_EXIT_PROTOCOL;
    atomic_store_explicit(&w->page->object, UINT64_MAX, memory_order_release);
    return HF_WORKER_EXIT_OK;
}

/* Batches, until the parent closes. */
static int serve(struct worker *w)
{
    while (!w->ending) {
        struct hf_datagram d = {.data = w->datagram,
                                .room = sizeof w->datagram,
                                .fds = w->fds,
                                .fd_room = HF_BATCH_MAX};
        enum hf_status st = hf_channel_receive(HF_CONTROL_FD, &d, true);
        if (st == HF_NOTFOUND)
            return HF_WORKER_EXIT_OK;
        struct hf_message m;
        struct hf_cursor c = hf_cursor_open(d.data, d.len, NULL);
        if (st != HF_OK || hf_msg_next(&c, w->arena, &m) != HF_OK ||
            m.type != HF_MSG_BATCH || hf_cursor_left(&c) != 0 ||
            m.batch.count != d.fd_count)
            return HF_WORKER_EXIT_PROTOCOL;
        int failed = serve_batch(w, &m.batch);
        if (failed != HF_WORKER_EXIT_OK)
            return failed;
    }
    return HF_WORKER_EXIT_OK;
}

int hf_worker_run(const struct hf_worker_start *start)
{
    static struct worker w; /* of the process */
    w.engine = start->engine;
    w.teller = start->teller;
    if (!place_descriptors(&w, start))
        return HF_WORKER_EXIT_SETUP;
    atomic_store(&w.page->object, UINT64_MAX);
    w.arena = hf_arena_new(ARENA_MAX);
    if (w.arena == NULL)
        return HF_WORKER_EXIT_MEMORY;
    if (hf_seal_worker(start->seal) != HF_OK)
        return HF_WORKER_EXIT_SEAL;
    return serve(&w);
}
