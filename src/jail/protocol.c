#include "jail/protocol.h"

enum {
    REASONS_ALL = (HF_REASON_CHANGED << 1) - 1,
    LAYERS_ALL = (HF_LAYER_NOT_DUMPABLE << 1) - 1
};

/* Encoding */

/* The body's length is not known before it is written: 0 first, put in at the end. */
static size_t begin(struct hf_buffer *out, enum hf_message_type type)
{
    hf_buffer_u32(out, (uint32_t)type);
    hf_buffer_u32(out, 0);
    return out->len;
}

static void end(struct hf_buffer *out, size_t body)
{
    if (out->failed)
        return;
    size_t len = out->len - body;
    for (unsigned i = 0; i < 4; i++)
        out->data[body - 4 + i] = (uint8_t)(len >> (8 * i));
}

static void put_bounded(struct hf_buffer *out, struct hf_bytes bytes, size_t max)
{
    hf_buffer_counted(out, hf_bytes_of(bytes.data, bytes.len < max ? bytes.len : max));
}

static void put_path(struct hf_buffer *out, const struct hf_inner_path *path)
{
    size_t count = path->count < HF_INNER_DEPTH_MAX ? path->count : HF_INNER_DEPTH_MAX;
    hf_buffer_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        put_bounded(out, path->names[i], HF_INNER_NAME_MAX);
}

void hf_msg_put_config(struct hf_buffer *out, const struct hf_msg_config *m)
{
    size_t body = begin(out, HF_MSG_CONFIG);
    hf_buffer_u64(out, m->limits.object_bytes);
    hf_buffer_u64(out, m->limits.scan_bytes);
    hf_buffer_u64(out, m->limits.objects);
    hf_buffer_u64(out, m->limits.depth);
    hf_buffer_u64(out, m->limits.work);
    hf_buffer_u64(out, m->limits.time_ms);
    hf_buffer_u64(out, m->limits.rule_work);
    hf_buffer_u8(out, m->all_match);
    hf_buffer_u8(out, m->inspect);
    hf_buffer_u8(out, m->note_digests);
    hf_buffer_u8(out, m->flat);
    hf_buffer_u8(out, m->tell.rules);
    hf_buffer_u8(out, m->tell.matches);
    hf_buffer_u8(out, m->tell.lines);
    hf_buffer_u32(out, m->tell.data_max);
    hf_buffer_u8(out, m->has_report);
    hf_buffer_u8(out, m->has_externals);
    put_bounded(out, m->externals, HF_EXTERNALS_BYTES_MAX);
    hf_buffer_u8(out, (uint8_t)m->form);
    hf_buffer_u64(out, m->memory);
    end(out, body);
}

void hf_msg_put_ready(struct hf_buffer *out, const struct hf_msg_ready *m)
{
    size_t body = begin(out, HF_MSG_READY);
    hf_buffer_u32(out, (uint32_t)m->status);
    hf_buffer_u32(out, m->layers);
    put_bounded(out, m->text, HF_READY_TEXT_MAX);
    end(out, body);
}

void hf_msg_put_fork(struct hf_buffer *out, const struct hf_msg_fork *m)
{
    size_t body = begin(out, HF_MSG_FORK);
    hf_buffer_u32(out, m->serial);
    hf_buffer_u8(out, m->has_spool);
    end(out, body);
}

void hf_msg_put_forked(struct hf_buffer *out, const struct hf_msg_forked *m)
{
    size_t body = begin(out, HF_MSG_FORKED);
    hf_buffer_u32(out, m->serial);
    hf_buffer_u32(out, (uint32_t)m->pid);
    end(out, body);
}

void hf_msg_put_exited(struct hf_buffer *out, const struct hf_msg_exited *m)
{
    size_t body = begin(out, HF_MSG_EXITED);
    hf_buffer_u32(out, m->serial);
    hf_buffer_u32(out, (uint32_t)m->wait_status);
    end(out, body);
}

void hf_msg_put_batch(struct hf_buffer *out, const struct hf_msg_batch *m)
{
    size_t body = begin(out, HF_MSG_BATCH);
    hf_buffer_u64(out, m->first);
    hf_buffer_u32(out, m->count);
    end(out, body);
}

void hf_msg_put_finding(struct hf_buffer *out, const struct hf_msg_finding *m)
{
    const struct hf_finding *f = &m->finding;
    size_t body = begin(out, HF_MSG_FINDING);
    hf_buffer_u64(out, m->object);
    hf_buffer_u32(out, f->signature.segment);
    hf_buffer_u32(out, f->signature.number);
    hf_buffer_u8(out, (uint8_t)f->kind);
    hf_buffer_u8(out, (uint8_t)f->severity);
    hf_buffer_u8(out, f->indicator);
    hf_buffer_u8(out, (uint8_t)f->view);
    hf_buffer_u64(out, f->offset);
    hf_buffer_u64(out, f->length);
    put_path(out, &f->path);
    end(out, body);
}

void hf_msg_put_incident(struct hf_buffer *out, const struct hf_msg_incident *m)
{
    size_t body = begin(out, HF_MSG_INCIDENT);
    hf_buffer_u64(out, m->object);
    hf_buffer_u32(out, (uint32_t)m->incident.reason);
    put_path(out, &m->incident.path);
    end(out, body);
}

void hf_msg_put_suspended(struct hf_buffer *out, const struct hf_msg_suspended *m)
{
    size_t body = begin(out, HF_MSG_SUSPENDED);
    hf_buffer_u64(out, m->object);
    hf_buffer_u32(out, m->signature.segment);
    hf_buffer_u32(out, m->signature.number);
    end(out, body);
}

void hf_msg_put_done(struct hf_buffer *out, const struct hf_msg_done *m)
{
    size_t body = begin(out, HF_MSG_DONE);
    hf_buffer_u64(out, m->object);
    hf_buffer_u32(out, (uint32_t)m->status);
    hf_buffer_u32(out, m->verdict);
    hf_buffer_u32(out, m->reasons);
    hf_buffer_u32(out, m->format);
    hf_buffer_u64(out, m->objects);
    hf_buffer_u64(out, m->bytes);
    hf_buffer_u64(out, m->work);
    hf_buffer_u64(out, m->rules);
    hf_buffer_u64(out, m->findings_dropped);
    hf_buffer_u64(out, m->inspected_dropped);
    hf_buffer_u64(out, m->suspended_dropped);
    hf_buffer_u8(out, m->excused);
    hf_buffer_u8(out, m->asked_cut);
    put_bounded(out, m->asked, HF_ASKED_BYTES_MAX);
    hf_buffer_u8(out, m->last);
    end(out, body);
}

void hf_msg_put_object(struct hf_buffer *out, const struct hf_msg_object *m)
{
    const struct hf_inspected *s = &m->seen;
    size_t body = begin(out, HF_MSG_OBJECT);
    hf_buffer_u64(out, m->object);
    hf_buffer_u32(out, (uint32_t)s->format);
    hf_buffer_u8(out, (uint8_t)s->also_count);
    for (size_t i = 0; i < s->also_count; i++)
        hf_buffer_u32(out, (uint32_t)s->also[i]);
    hf_buffer_u64(out, s->size);
    hf_buffer_u8(out, (uint8_t)s->digests.have);
    for (int k = 0; k < HF_DIGEST_KINDS; k++)
        if ((s->digests.have >> k & 1u) != 0)
            hf_buffer_bytes(out, hf_digest_bytes(&s->digests, (enum hf_digest_kind)k));
    hf_buffer_u8(out, s->facts_cut);
    hf_buffer_u32(out, (uint32_t)s->facts.len);
    put_path(out, &s->path);
    end(out, body);
}

void hf_msg_put_facts(struct hf_buffer *out, const struct hf_msg_facts *m)
{
    size_t body = begin(out, HF_MSG_FACTS);
    hf_buffer_u64(out, m->object);
    put_bounded(out, m->piece, HF_FACTS_PIECE_MAX);
    end(out, body);
}

void hf_msg_put_told(struct hf_buffer *out, const struct hf_msg_told *m)
{
    size_t body = begin(out, HF_MSG_TOLD);
    hf_buffer_u64(out, m->object);
    put_bounded(out, m->piece, HF_FACTS_PIECE_MAX);
    end(out, body);
}

void hf_msg_put_form(struct hf_buffer *out, const struct hf_msg_form *m)
{
    size_t body = begin(out, HF_MSG_FORM);
    hf_buffer_u64(out, m->object);
    hf_buffer_u32(out, m->part);
    hf_buffer_u64(out, m->offset);
    put_bounded(out, m->piece, HF_FACTS_PIECE_MAX);
    end(out, body);
}

/* Decoding. A value out of range is noted in *bad and becomes 0; the record is refused as a
 * whole at its end. */

static uint32_t below(uint32_t value, uint32_t count, bool *bad)
{
    if (value < count)
        return value;
    *bad = true;
    return 0;
}

static bool get_bool(struct hf_cursor *c, bool *bad)
{
    return below(hf_u8(c), 2, bad) != 0;
}

static struct hf_bytes get_bounded(struct hf_cursor *c, size_t max, bool *bad)
{
    uint32_t len = hf_u32le(c);
    if (len > max) {
        *bad = true;
        return (struct hf_bytes){0};
    }
    return hf_take(c, len);
}

static enum hf_status get_path(struct hf_cursor *c, struct hf_arena *arena,
                               struct hf_inner_path *path, bool *bad)
{
    uint32_t count = below(hf_u32le(c), HF_INNER_DEPTH_MAX + 1, bad);
    *path = (struct hf_inner_path){0};
    if (count == 0)
        return HF_OK;
    path->names = hf_arena_array(arena, count, sizeof *path->names);
    if (path->names == NULL)
        return HF_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        path->names[i] = get_bounded(c, HF_INNER_NAME_MAX, bad);
    path->count = count;
    return HF_OK;
}

static enum hf_status get_config(struct hf_cursor *c, struct hf_arena *arena,
                                 struct hf_message *m, bool *bad)
{
    (void)arena;
    m->config.limits.object_bytes = hf_u64le(c);
    m->config.limits.scan_bytes = hf_u64le(c);
    m->config.limits.objects = hf_u64le(c);
    m->config.limits.depth = hf_u64le(c);
    m->config.limits.work = hf_u64le(c);
    m->config.limits.time_ms = hf_u64le(c);
    m->config.limits.rule_work = hf_u64le(c);
    m->config.all_match = get_bool(c, bad);
    m->config.inspect = get_bool(c, bad);
    m->config.note_digests = get_bool(c, bad);
    m->config.flat = get_bool(c, bad);
    m->config.tell.rules = get_bool(c, bad);
    m->config.tell.matches = get_bool(c, bad);
    m->config.tell.lines = get_bool(c, bad);
    m->config.tell.data_max = hf_u32le(c);
    m->config.has_report = get_bool(c, bad);
    m->config.has_externals = get_bool(c, bad);
    m->config.externals = get_bounded(c, HF_EXTERNALS_BYTES_MAX, bad);
    m->config.form = (enum hf_form)below(hf_u8(c), HF_FORM_COUNT, bad);
    m->config.memory = hf_u64le(c);
    return HF_OK;
}

static enum hf_status get_ready(struct hf_cursor *c, struct hf_arena *arena,
                                struct hf_message *m, bool *bad)
{
    (void)arena;
    m->ready.status = (enum hf_status)below(hf_u32le(c), HF_STOPPED + 1, bad);
    m->ready.layers = below(hf_u32le(c), LAYERS_ALL + 1, bad);
    m->ready.text = get_bounded(c, HF_READY_TEXT_MAX, bad);
    return HF_OK;
}

static enum hf_status get_fork(struct hf_cursor *c, struct hf_arena *arena,
                               struct hf_message *m, bool *bad)
{
    (void)arena;
    m->fork.serial = hf_u32le(c);
    m->fork.has_spool = get_bool(c, bad);
    return HF_OK;
}

static enum hf_status get_forked(struct hf_cursor *c, struct hf_arena *arena,
                                 struct hf_message *m, bool *bad)
{
    (void)arena;
    (void)bad;
    m->forked.serial = hf_u32le(c);
    m->forked.pid = (int32_t)hf_u32le(c);
    return HF_OK;
}

static enum hf_status get_exited(struct hf_cursor *c, struct hf_arena *arena,
                                 struct hf_message *m, bool *bad)
{
    (void)arena;
    (void)bad;
    m->exited.serial = hf_u32le(c);
    m->exited.wait_status = (int32_t)hf_u32le(c);
    return HF_OK;
}

static enum hf_status get_batch(struct hf_cursor *c, struct hf_arena *arena,
                                struct hf_message *m, bool *bad)
{
    (void)arena;
    m->batch.first = hf_u64le(c);
    m->batch.count = below(hf_u32le(c), HF_BATCH_MAX + 1, bad);
    /* The numbers of a batch must not wrap, and its last must not be "none" (UINT64_MAX). */
    if (m->batch.count == 0 || m->batch.first >= UINT64_MAX - m->batch.count)
        *bad = true;
    return HF_OK;
}

static enum hf_status get_finding(struct hf_cursor *c, struct hf_arena *arena,
                                  struct hf_message *m, bool *bad)
{
    struct hf_finding *f = &m->finding.finding;
    m->finding.object = hf_u64le(c);
    f->signature.segment = below(hf_u32le(c), HF_DB_SEGMENTS_MAX, bad);
    f->signature.number = hf_u32le(c);
    f->kind = (enum hf_finding_kind)below(hf_u8(c), HF_FINDING_RULE + 1, bad);
    f->severity = (enum hf_verdict)below(hf_u8(c), HF_INFECTED + 1, bad);
    f->indicator = get_bool(c, bad);
    f->view = (enum hf_view_kind)below(hf_u8(c), HF_VIEW_COUNT, bad);
    f->offset = hf_u64le(c);
    f->length = hf_u64le(c);
    if (f->severity < HF_PUA)
        *bad = true; /* a finding of nothing */
    return get_path(c, arena, &f->path, bad);
}

static enum hf_status get_incident(struct hf_cursor *c, struct hf_arena *arena,
                                   struct hf_message *m, bool *bad)
{
    m->incident.object = hf_u64le(c);
    uint32_t reason = below(hf_u32le(c), REASONS_ALL + 1, bad);
    if (reason == 0 || (reason & (reason - 1)) != 0)
        *bad = true; /* exactly one bit */
    m->incident.incident.reason = (enum hf_reason)reason;
    return get_path(c, arena, &m->incident.incident.path, bad);
}

static enum hf_status get_suspended(struct hf_cursor *c, struct hf_arena *arena,
                                    struct hf_message *m, bool *bad)
{
    (void)arena;
    m->suspended.object = hf_u64le(c);
    m->suspended.signature.segment = below(hf_u32le(c), HF_DB_SEGMENTS_MAX, bad);
    m->suspended.signature.number = hf_u32le(c);
    return HF_OK;
}

static enum hf_status get_done(struct hf_cursor *c, struct hf_arena *arena,
                               struct hf_message *m, bool *bad)
{
    (void)arena;
    m->done.object = hf_u64le(c);
    m->done.status = (enum hf_status)below(hf_u32le(c), HF_STOPPED + 1, bad);
    m->done.verdict = below(hf_u32le(c), HF_INFECTED + 1, bad);
    m->done.reasons = below(hf_u32le(c), REASONS_ALL + 1, bad);
    m->done.format = below(hf_u32le(c), HF_FORMAT_COUNT, bad);
    m->done.objects = hf_u64le(c);
    m->done.bytes = hf_u64le(c);
    m->done.work = hf_u64le(c);
    m->done.rules = hf_u64le(c);
    m->done.findings_dropped = hf_u64le(c);
    m->done.inspected_dropped = hf_u64le(c);
    m->done.suspended_dropped = hf_u64le(c);
    m->done.excused = get_bool(c, bad);
    m->done.asked_cut = get_bool(c, bad);
    m->done.asked = get_bounded(c, HF_ASKED_BYTES_MAX, bad);
    m->done.last = get_bool(c, bad);
    return HF_OK;
}

static enum hf_status get_object(struct hf_cursor *c, struct hf_arena *arena,
                                 struct hf_message *m, bool *bad)
{
    struct hf_inspected *s = &m->seen_object.seen;
    m->seen_object.object = hf_u64le(c);
    s->format = (enum hf_format)below(hf_u32le(c), HF_FORMAT_COUNT, bad);
    s->also_count = below(hf_u8(c), HF_ALSO_MAX + 1, bad);
    for (size_t i = 0; i < s->also_count; i++)
        s->also[i] = (enum hf_format)below(hf_u32le(c), HF_FORMAT_COUNT, bad);
    s->size = hf_u64le(c);
    s->digests.have = below(hf_u8(c), 1u << HF_DIGEST_KINDS, bad);
    for (int k = 0; k < HF_DIGEST_KINDS; k++)
        if ((s->digests.have >> k & 1u) != 0)
            hf_copy(c, s->digests.value[k], hf_digest_length((enum hf_digest_kind)k));
    s->facts_cut = get_bool(c, bad);
    s->facts.len = below(hf_u32le(c), HF_INSPECT_BYTES_MAX + HF_INSPECT_BYTES_SLACK, bad);
    return get_path(c, arena, &s->path, bad);
}

static enum hf_status get_facts(struct hf_cursor *c, struct hf_arena *arena,
                                struct hf_message *m, bool *bad)
{
    (void)arena;
    m->facts.object = hf_u64le(c);
    m->facts.piece = get_bounded(c, HF_FACTS_PIECE_MAX, bad);
    if (m->facts.piece.len == 0)
        *bad = true;
    return HF_OK;
}

static enum hf_status get_told(struct hf_cursor *c, struct hf_arena *arena,
                               struct hf_message *m, bool *bad)
{
    (void)arena;
    m->told.object = hf_u64le(c);
    m->told.piece = get_bounded(c, HF_FACTS_PIECE_MAX, bad);
    if (m->told.piece.len == 0)
        *bad = true;
    return HF_OK;
}

static enum hf_status get_form(struct hf_cursor *c, struct hf_arena *arena,
                               struct hf_message *m, bool *bad)
{
    (void)arena;
    m->form.object = hf_u64le(c);
    m->form.part = below(hf_u32le(c), HF_FORM_PARTS, bad);
    m->form.offset = hf_u64le(c);
    m->form.piece = get_bounded(c, HF_FACTS_PIECE_MAX, bad);
    if (m->form.piece.len == 0)
        *bad = true;
    return HF_OK;
}

typedef enum hf_status getter(struct hf_cursor *c, struct hf_arena *arena,
                              struct hf_message *m, bool *bad);

static getter *const getters[] = {
    [HF_MSG_CONFIG] = get_config,   [HF_MSG_READY] = get_ready,
    [HF_MSG_FORK] = get_fork,       [HF_MSG_FORKED] = get_forked,
    [HF_MSG_EXITED] = get_exited,   [HF_MSG_BATCH] = get_batch,
    [HF_MSG_FINDING] = get_finding, [HF_MSG_INCIDENT] = get_incident,
    [HF_MSG_DONE] = get_done,       [HF_MSG_OBJECT] = get_object,
    [HF_MSG_FACTS] = get_facts,     [HF_MSG_SUSPENDED] = get_suspended,
    [HF_MSG_TOLD] = get_told,       [HF_MSG_FORM] = get_form,
};

enum hf_status hf_msg_next(struct hf_cursor *datagram, struct hf_arena *arena,
                           struct hf_message *message)
{
    if (!datagram->failed && hf_cursor_left(datagram) == 0)
        return HF_NOTFOUND;
    uint32_t type = hf_u32le(datagram);
    struct hf_bytes body = hf_take(datagram, hf_u32le(datagram));
    if (datagram->failed || type >= sizeof getters / sizeof *getters ||
        getters[type] == NULL)
        return HF_MALFORMED;
    memset(message, 0, sizeof *message);
    message->type = (enum hf_message_type)type;
    struct hf_cursor c = hf_cursor_open(body.data, body.len, NULL);
    bool bad = false;
    enum hf_status st = getters[type](&c, arena, message, &bad);
    if (st != HF_OK)
        return st;
    if (bad || hf_cursor_status(&c) != HF_OK || hf_cursor_left(&c) != 0)
        return HF_MALFORMED;
    return HF_OK;
}
