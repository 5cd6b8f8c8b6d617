#include "api/engine_plugin.h"

#include "scan/engine.h"

static struct hf_engine *plugin_open(const struct hf_db *db, const struct hf_limits *limits,
                                     bool all_match)
{
    const struct hf_engine_options options = {
        .limits = *limits, .all_match = all_match, .spool_fd = -1};
    struct hf_engine *engine;
    return hf_engine_new(db, &options, &engine) == HF_OK ? engine : NULL;
}

static enum hf_status plugin_scan(struct hf_engine *engine, struct hf_bytes bytes,
                                  struct hf_report *report)
{
    struct hf_source source;
    hf_source_memory(&source, bytes);
    enum hf_status st = hf_engine_scan(engine, &source, report);
    hf_report_finish(report);
    return st;
}

extern const struct hf_engine_plugin hf_engine_plugin;
HF_PUBLIC const struct hf_engine_plugin hf_engine_plugin = {
    .version = HOLDFAST_VERSION,
    .open = plugin_open,
    .scan = plugin_scan,
    .close = hf_engine_free,
};
