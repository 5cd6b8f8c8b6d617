/* engine_plugin.h - between libholdfast and libholdfast-engine, the module that is loaded only
 * when a caller asks to scan in its own process. So that programs which scan in workers do not
 * link a single parser. Both sides come from one source tree: the version string must be equal. */
#ifndef HF_API_ENGINE_PLUGIN_H
#define HF_API_ENGINE_PLUGIN_H

#include "scan/report.h"

struct hf_engine;

struct hf_engine_plugin {
    const char *version; /* HOLDFAST_VERSION of the module */
    /* Make an engine for one thread; NULL when out of memory. db is borrowed. */
    struct hf_engine *(*open)(const struct hf_db *db, const struct hf_limits *limits,
                              bool all_match);
    /* Scan memory into a report that was begun, and finish it. */
    enum hf_status (*scan)(struct hf_engine *engine, struct hf_bytes bytes,
                           struct hf_report *report);
    void (*close)(struct hf_engine *engine);
};

/* The module's one symbol. */
#define HF_ENGINE_PLUGIN_SYMBOL "hf_engine_plugin"

#endif
