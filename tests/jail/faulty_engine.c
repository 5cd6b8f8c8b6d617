/* The real engine with a fault of each kind that content can set off, for tests of what protects
 * against bad content: a database whose META names a source "crash", "loop" or "memory" does that at
 * every scan of something longer than a page, "early-" (as in "early-crash") already at a text of a
 * line, "late-" only at what begins with LATE, which no self-test knows; "load-crash" when it is loaded. Linked with --wrap into a worker that is never installed. */
#include "db/db.h"
#include "scan/engine.h"

#include <stdlib.h>

enum hf_status __real_hf_engine_new(const struct hf_db *db,
                                    const struct hf_engine_options *options,
                                    struct hf_engine **out);
enum hf_status __wrap_hf_engine_new(const struct hf_db *db,
                                    const struct hf_engine_options *options,
                                    struct hf_engine **out);
enum hf_status __real_hf_engine_scan(struct hf_engine *engine,
                                     const struct hf_source *source,
                                     struct hf_report *report);
enum hf_status __wrap_hf_engine_scan(struct hf_engine *engine,
                                     const struct hf_source *source,
                                     struct hf_report *report);

enum { PAGE = 4096 };
static bool crashes, loops, eats, early, late;

static bool says(const struct hf_db *db, const char *word)
{
    for (uint32_t i = 0; i < hf_db_segment_count(db); i++) {
        uint64_t count;
        struct hf_bytes meta = hf_db_section(db, i, HF_DB_META, &count);
        struct hf_bytes sources = hf_db_section(db, i, HF_DB_SOURCES, &count);
        if ((meta.len > 0 && memmem(meta.data, meta.len, word, strlen(word)) != NULL) ||
            (sources.len > 0 &&
             memmem(sources.data, sources.len, word, strlen(word)) != NULL))
            return true;
    }
    return false;
}

enum hf_status __wrap_hf_engine_new(const struct hf_db *db,
                                    const struct hf_engine_options *options,
                                    struct hf_engine **out)
{
    if (says(db, "fault-load-crash"))
        __builtin_trap();
    crashes = says(db, "crash.hsb");
    loops = says(db, "loop.hsb");
    eats = says(db, "memory.hsb");
    early = says(db, "fault-early-");
    late = says(db, "fault-late-");
    return __real_hf_engine_new(db, options, out);
}

static enum hf_status eat(void)
{
    for (unsigned i = 0; i < 4096; i++) {
        volatile char *p = malloc(64 << 20);
        if (p == NULL)
            return HF_NOMEM;
        for (size_t at = 0; at < (64 << 20); at += PAGE)
            p[at] = 1;
    }
    return HF_OK;
}

enum hf_status __wrap_hf_engine_scan(struct hf_engine *engine,
                                     const struct hf_source *source,
                                     struct hf_report *report)
{
    bool is_late = source->bytes.len > 4 && memcmp(source->bytes.data, "LATE", 4) == 0;
    bool now = late ? is_late : early || source->bytes.len > PAGE;
    if (now && crashes)
        __builtin_trap();
    if (now && loops)
        for (volatile int i = 0;; i++) {}
    if (now && eats && eat() != HF_OK)
        return HF_NOMEM;
    return __real_hf_engine_scan(engine, source, report);
}
