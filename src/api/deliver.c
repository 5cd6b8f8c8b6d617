#include "api/deliver.h"

#include "base/auto.h"

/* The inner path as C strings. Names are raw bytes; what stands behind a NUL byte is cut. */
static const char **path_texts(struct hf_arena *arena, const struct hf_inner_path *path)
{
    const char **texts = hf_arena_array(arena, path->count, sizeof *texts);
    for (size_t i = 0; texts != NULL && i < path->count; i++) {
        texts[i] = hf_arena_text(arena, path->names[i]);
        if (texts[i] == NULL)
            return NULL;
    }
    return texts;
}

static enum hf_status deliver_one(const struct hf_db *db, const struct hf_finding *finding,
                                  hf_on_detection *on_found, void *user)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    struct hf_bytes source = {0}, licence = {0};
    if (hf_db_name(db, finding->signature, &name) != HF_OK) {
        hf_buffer_clear(&name);
        hf_buffer_text(&name, "(unnamed)");
    }
    if (hf_db_source(db, finding->signature, &source, &licence) != HF_OK)
        source = hf_bytes_text("");
    if (arena == NULL)
        return HF_NOMEM;
    const char *name_text = hf_arena_text(arena, hf_buffer_view(&name));
    const char *source_text = hf_arena_text(arena, source);
    const char **path = path_texts(arena, &finding->path);
    if (name_text == NULL || source_text == NULL || path == NULL)
        return HF_NOMEM;
    struct hf_detection detection = {
        .name = name_text,
        .verdict = finding->severity,
        .source = source_text,
        .path = path,
        .path_len = finding->path.count,
        .offset = finding->offset,
        .length = finding->length,
        .view = hf_view_name(finding->view),
        .kind = hf_finding_kind_name(finding->kind),
    };
    return on_found(user, &detection) == 0 ? HF_OK : HF_STOPPED;
}

enum hf_status hf_deliver(const struct hf_db *db, const struct hf_report *report,
                          hf_on_detection *on_found, void *user, struct hf_result *result)
{
    *result = (struct hf_result){
        .verdict = report->verdict,
        .reasons = report->reasons,
        .detections = report->finding_count,
        .objects = report->objects,
        .bytes = report->bytes,
    };
    enum hf_status st = HF_OK;
    for (size_t i = 0; i < report->finding_count && st == HF_OK && on_found != NULL; i++)
        st = deliver_one(db, &report->findings[i], on_found, user);
    return st;
}
