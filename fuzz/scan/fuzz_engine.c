/* The whole way of an object: identify, unpack, digests, matcher, rules, report, over a database
 * built at start. Properties: what contains the marker is found, wherever the scan got to; limits
 * hold; the same input gives the same report. */
#include "scan/engine.h"

#include "base/auto.h"
#include "db/build.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct hf_db *db;
static struct hf_engine *engine;
static const char marker[] = "HF-MARK";

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    struct hf_build *build = hf_build_new(NULL, NULL);
    static const char text[] = "Mark:0:*:48462d4d41524b\n"
                               "Start:0:0:4d5a\n";
    static const char digests[] = "d41d8cd98f00b204e9800998ecf8427e:*:Empty:73\n";
    struct hf_buffer out = {0};
    if (build == NULL || hf_build_read_text(build, "f.ndb", hf_bytes_text(text)) != HF_OK ||
        hf_build_read_text(build, "f.hdb", hf_bytes_text(digests)) != HF_OK ||
        hf_build_write(build, &out) != HF_OK)
        abort();
    hf_build_free(build);
    void *image = aligned_alloc(64, (out.len + 63) / 64 * 64);
    memcpy(image, out.data, out.len);
    struct hf_engine_options options = {
        .all_match = true,
        .spool_fd = -1,
        .limits = {.object_bytes = 8 << 20,
                   .scan_bytes = 32 << 20,
                   .objects = 300,
                   .depth = 6,
                   .work = 300000},
    };
    if (hf_db_open_memory(hf_bytes_of(image, out.len), &db) != HF_OK ||
        hf_engine_new(db, &options, &engine) != HF_OK)
        abort();
    hf_buffer_done(&out);
    return 0;
}

static struct hf_report scan(struct hf_arena *arena, const uint8_t *data, size_t size)
{
    struct hf_report report = hf_report_begin(arena);
    struct hf_source source;
    hf_source_memory(&source, hf_bytes_of(data, size));
    if (hf_engine_scan(engine, &source, &report) != HF_OK)
        abort();
    hf_report_finish(&report);
    return report;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(64 << 20);
    struct hf_report first = scan(arena, data, size);
    if (memmem(data, size, marker, sizeof marker - 1) != NULL)
        assert(first.verdict == HF_INFECTED);
    assert(first.objects <= 302);
    assert(first.verdict != HF_CLEAN || first.reasons == 0);
    struct hf_report second = scan(arena, data, size);
    assert(first.verdict == second.verdict && first.reasons == second.reasons);
    assert(first.finding_count == second.finding_count && first.objects == second.objects);
    assert(first.work == second.work);
    return 0;
}
