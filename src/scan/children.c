/* children.c - the sink of the pipeline: keeps a child until it is whole, scans it at once, and
 * forgets it. At most one child a level of nesting is kept at a time. */
#include "scan/object.h"
#include "unpack/unpack.h"

struct child_sink {
    struct hf_sink sink; /* first: the sink's own pointer is this */
    struct hf_engine *engine;
    struct hf_object *container;
    enum hf_format format; /* as which it is opened */
    struct hf_child_store store;
    struct hf_object child; /* between open and close */
    struct hf_buffer name;  /* of the child: the arena belongs to the decoder meanwhile */
    uint64_t pushed;        /* children seen, also those refused */
};

static struct child_sink *self_of(struct hf_sink *sink)
{
    return (struct child_sink *)(void *)sink;
}

/* Begin a child: spend the budget for it, name it. */
static enum hf_status begin(struct child_sink *s, const struct hf_child *child)
{
    struct hf_engine *engine = s->engine;
    s->pushed++;
    hf_buffer_clear(&s->name);
    hf_buffer_bytes(&s->name, child->name);
    s->child = (struct hf_object){
        .parent = s->container,
        .inside = s->format,
        .name = hf_buffer_view(&s->name),
        .depth = s->container->depth + 1,
    };
    hf_scan_member(engine, s->container, s->format, child);
    if (!hf_budget_object(&engine->budget)) {
        hf_scan_incident(engine, s->container, HF_LIMIT);
        return HF_LIMIT;
    }
    if (s->child.depth > engine->budget.depth) {
        hf_scan_incident(engine, &s->child, HF_LIMIT);
        return HF_UNSUPPORTED;
    }
    return HF_OK;
}

/* Scan the child's bytes and forget it. how: as given to close. */
static enum hf_status finish(struct child_sink *s, struct hf_bytes bytes,
                             enum hf_status how)
{
    struct hf_engine *engine = s->engine;
    s->child.bytes = bytes;
    hf_scan_incident(engine, &s->child, how);
    return bytes.len == 0 ? HF_OK : hf_scan_object(engine, &s->child);
}

static enum hf_status on_open(struct hf_sink *sink, const struct hf_child *child)
{
    return begin(self_of(sink), child);
}

static enum hf_status on_close(struct hf_sink *sink, enum hf_status how)
{
    struct child_sink *s = self_of(sink);
    enum hf_status st = finish(s, hf_child_store_bytes(&s->store), how);
    hf_child_store_clear(&s->store);
    return st;
}

/* The child goes no further: what there is of it is scanned now, for the decoder will not call
 * close after HF_LIMIT. */
static enum hf_status end_early(struct hf_sink *sink)
{
    return on_close(sink, HF_LIMIT) == HF_STOPPED ? HF_STOPPED : HF_LIMIT;
}

static enum hf_status on_write(struct hf_sink *sink, struct hf_bytes bytes)
{
    struct child_sink *s = self_of(sink);
    struct hf_engine *engine = s->engine;
    size_t have = hf_child_store_bytes(&s->store).len;
    uint64_t most = engine->budget.object_bytes;
    bool too_large = bytes.len > most - have; /* have <= most always holds */
    if (too_large)
        bytes.len = (size_t)(most - have);
    if (!hf_budget_bytes(&engine->budget, bytes.len))
        return end_early(sink);
    enum hf_status st = hf_child_store_add(&s->store, bytes, most);
    if (too_large || st != HF_OK) {
        hf_scan_incident(engine, &s->child, HF_LIMIT);
        return HF_UNSUPPORTED;
    }
    return HF_OK;
}

static enum hf_status on_whole(struct hf_sink *sink, const struct hf_child *child,
                               struct hf_bytes bytes, enum hf_status how)
{
    struct child_sink *s = self_of(sink);
    enum hf_status st = begin(s, child);
    if (st == HF_UNSUPPORTED)
        return HF_OK; /* recorded; the next one may be had */
    return st == HF_OK ? finish(s, bytes, how) : st;
}

/* Unpack as one format. certain: the object begins as this format, so that damage is damage. */
static enum hf_status unpack_as(struct hf_engine *engine, struct hf_object *object,
                                enum hf_format format, bool certain)
{
    const struct hf_unpacker_row *row = hf_unpacker_of(format);
    if (row == NULL)
        return HF_OK;
    struct child_sink s = {
        .sink = {.open = on_open, .write = on_write, .close = on_close, .whole = on_whole},
        .engine = engine,
        .container = object,
        .format = format,
        .store.spool = &engine->spool,
    };
    struct hf_unpack unpack = {
        .object = hf_cursor_open(object->bytes.data, object->bytes.len, &engine->budget),
        .format = format,
        .sink = &s.sink,
        .arena = engine->arena,
    };
    enum hf_status st = row->unpack(&unpack);
    hf_child_store_done(&s.store);
    hf_buffer_done(&s.name);
    engine->tainted = engine->tainted || row->risky;
    if (st == HF_STOPPED)
        return st;
    if (st != HF_NOTFOUND && (certain || s.pushed > 0))
        hf_scan_incident(engine, object, st);
    return engine->budget.exhausted ? HF_LIMIT : HF_OK;
}

enum hf_status hf_scan_children(struct hf_engine *engine, struct hf_object *object)
{
    if (engine->budget.exhausted)
        return HF_LIMIT;
    enum hf_status st = unpack_as(engine, object, object->format, true);
    if (st != HF_OK)
        return st;
    struct hf_cursor whole =
        hf_cursor_open(object->bytes.data, object->bytes.len, &engine->budget);
    enum hf_format also[HF_ALSO_MAX];
    size_t count = hf_identify_also(&whole, object->format, also);
    for (size_t i = 0; i < count && st == HF_OK; i++)
        st = unpack_as(engine, object, also[i], false);
    return st;
}
