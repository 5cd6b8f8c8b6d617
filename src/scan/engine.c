/* engine.c - the life of one scan: from a file's bytes to a report. */
#include "scan/engine.h"

#include "scan/asked.h"
#include "scan/object.h"
#include "unpack/unpack.h"

#include <stdlib.h>

enum { ARENA_CAP = 256 << 20 };

enum hf_status hf_engine_new(const struct hf_db *db,
                             const struct hf_engine_options *options,
                             struct hf_engine **out)
{
    *out = NULL;
    struct hf_engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        return HF_NOMEM;
    engine->db = db;
    engine->options = *options;
    engine->spool.fd = options->spool_fd;
    engine->hasher = hf_hasher_new();
    engine->arena = hf_arena_new(ARENA_CAP);
    engine->scratch = hf_machine_scratch_new();
    if (engine->hasher == NULL || engine->arena == NULL || engine->scratch == NULL ||
        hf_wakers_make(db, &engine->wakers) != HF_OK ||
        hf_member_rules_make(db, &engine->members) != HF_OK) {
        hf_engine_free(engine);
        return HF_NOMEM;
    }
    hf_unpack_prepare();
    *out = engine;
    return HF_OK;
}

void hf_engine_free(struct hf_engine *engine)
{
    if (engine == NULL)
        return;
    hf_hasher_free(engine->hasher);
    hf_machine_scratch_free(engine->scratch);
    hf_prepared_done(&engine->prepared);
    hf_wakers_done(&engine->wakers);
    hf_expressions_done(&engine->expressions);
    hf_member_rules_done(&engine->members);
    hf_arena_free(engine->arena);
    hf_buffer_done(&engine->asked);
    free(engine);
}

bool hf_engine_tainted(const struct hf_engine *engine)
{
    return engine->tainted;
}

bool hf_scan_settled(const struct hf_engine *engine)
{
    return engine->found && !engine->options.all_match;
}

struct hf_inner_path hf_scan_path(const struct hf_object *object,
                                  struct hf_bytes storage[HF_SCAN_PATH_MAX])
{
    size_t at = HF_SCAN_PATH_MAX;
    for (const struct hf_object *o = object; o->parent != NULL && at > 0; o = o->parent)
        storage[--at] = o->name;
    return (struct hf_inner_path){.names = storage + at, .count = HF_SCAN_PATH_MAX - at};
}

void hf_scan_incident(struct hf_engine *engine, const struct hf_object *object,
                      enum hf_status status)
{
    struct hf_bytes storage[HF_SCAN_PATH_MAX];
    struct hf_inner_path path = hf_scan_path(object, storage);
    unsigned reason = hf_status_reason(status);
    if (reason != 0)
        hf_report_incident(engine->report, (enum hf_reason)reason, &path);
    if (status == HF_LIMIT || status == HF_NOMEM)
        engine->tainted = true;
}

void hf_scan_finding(struct hf_engine *engine, const struct hf_object *object,
                     struct hf_finding *finding)
{
    struct hf_bytes storage[HF_SCAN_PATH_MAX];
    finding->path = hf_scan_path(object, storage);
    finding->order = engine->finished;
    hf_report_found(engine->report, finding);
    engine->found = engine->found || !finding->indicator;
}

void hf_scan_asked(struct hf_engine *engine, enum hf_db_scope scope, uint64_t size,
                   const struct hf_digests *digests, unsigned kinds)
{
    if (!engine->options.note_digests || engine->report->asked_cut)
        return;
    hf_asked_put(&engine->asked, scope, size, digests, kinds);
    engine->report->asked_cut =
        engine->asked.failed || engine->asked.len > HF_ASKED_BYTES_MAX;
}

enum hf_status hf_scan_object(struct hf_engine *engine, struct hf_object *object)
{
    struct hf_arena_mark mark = hf_arena_mark(engine->arena);
    struct hf_cursor whole =
        hf_cursor_open(object->bytes.data, object->bytes.len, &engine->budget);
    object->format = hf_identify(&whole);
    struct hf_stream stream = {.kinds = 0};
    if (object->stream == NULL)
        object->stream = &stream;
    if (engine->options.inspect)
        hf_scan_inspect(engine, object);
    object->wanted = hf_db_digests_wanted(engine->db, object->bytes.len);
    if (object->stream == &stream)
        hf_stream_open(&engine->streams, &stream, object->bytes,
                       object->wanted & ~object->digests.have);
    enum hf_status st = engine->options.flat ? HF_OK : hf_scan_children(engine, object);
    if (st != HF_STOPPED)
        hf_scan_judge(engine, object);
    hf_stream_drop(&engine->streams, object->stream);
    object->stream = NULL;
    engine->report->objects++;
    engine->report->bytes += object->bytes.len;
    engine->finished++;
    hf_arena_rewind(engine->arena, mark);
    return hf_scan_settled(engine) ? HF_STOPPED : st;
}

void hf_engine_expect(struct hf_engine *engine, struct hf_source *source,
                      struct hf_stream *stream)
{
    source->stream = stream;
    hf_stream_open(&engine->streams, stream, source->bytes,
                   hf_db_digests_wanted(engine->db, source->bytes.len));
}

void hf_engine_forget(struct hf_engine *engine, struct hf_source *source)
{
    if (source->stream != NULL)
        hf_stream_drop(&engine->streams, source->stream);
    source->stream = NULL;
}

enum hf_status hf_engine_scan(struct hf_engine *engine, const struct hf_source *source,
                              struct hf_report *report)
{
    engine->report = report;
    report->first_only = !engine->options.all_match;
    engine->budget = hf_budget_of(&engine->options.limits);
    engine->finished = 0;
    engine->found = false;
    engine->fact_bytes = 0;
    engine->spool.top = 0;
    hf_buffer_clear(&engine->asked);
    report->asked_cut = !engine->options.note_digests;
    uint64_t work = engine->budget.work;
    struct hf_object file = {
        .bytes = source->bytes,
        .extents = source->extents,
        .extent_count = source->extent_count,
        .stream = source->stream,
    };
    if (engine->options.form != HF_FORM_NONE)
        hf_scan_incident(engine, &file, hf_form_write(engine, file.bytes, &report->form));
    else /* limits are in the report, where they happened */
        (void)hf_scan_object(engine, &file);
    report->format = file.format;
    if (!report->asked_cut)
        report->asked = hf_buffer_view(&engine->asked);
    report->work = work - engine->budget.work;
    engine->report = NULL;
    return HF_OK;
}
