#include "through_engine.h"

#include "base/auto.h"
#include "db/build.h"
#include "format/schema.h"
#include "rules/rule_text.h"
#include "scan/engine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct through_engine {
    void *image;
    struct hf_db *db;
    struct hf_engine *engine;
    struct hf_arena *arena;
    struct hf_source_buffer buffer;
    const char *path;
};

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s failed\n", what);
        abort();
    }
}

static void on_skipped(void *user, const char *kind, uint64_t count)
{
    (void)user;
    fprintf(stderr, "skipped %" PRIu64 ": %s\n", count, kind);
}

static void print_rule(void *user, const struct hf_true_rule *rule)
{
    const struct through_engine *t = user;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    check(hf_db_name(t->db, rule->signature, &name) == HF_OK, "name of a rule");
    printf("%.*s %s\n", (int)name.len, (const char *)name.data, t->path);
    struct hf_rule_text text =
        hf_rule_text_begin(hf_db_rule_text(t->db, rule->segment, rule->rule));
    struct hf_rule_string string;
    for (uint32_t i = 0; hf_rule_text_string(&text, &string); i++) {
        const struct hf_match *matches;
        size_t count = hf_true_rule_matches(rule, i, &matches);
        for (size_t m = 0; m < count && !string.is_private; m++)
            printf("0x%" PRIx64 ":%" PRIu64 ":%.*s\n", matches[m].offset, matches[m].length,
                   (int)string.name.len, (const char *)string.name.data);
    }
}

struct through_engine *through_engine_new(const struct hf_yara *yara,
                                          const struct hf_value *externals, size_t count)
{
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(NULL, NULL);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    struct through_engine *t = calloc(1, sizeof *t);
    check(t != NULL && build != NULL, "memory");
    check(hf_build_source(build, "rules", "") == HF_OK, "source");
    check(hf_build_add_yara(build, yara) == HF_OK, "adding rules");
    hf_build_for_each_skipped(build, on_skipped, NULL);
    check(hf_build_write(build, &out) == HF_OK, "writing the database");
    t->image = aligned_alloc(64, (out.len + 63) / 64 * 64);
    t->arena = hf_arena_new((size_t)64 << 20);
    check(t->image != NULL && t->arena != NULL, "memory");
    memcpy(t->image, out.data, out.len);
    check(hf_db_open_memory(hf_bytes_of(t->image, out.len), &t->db) == HF_OK, "opening");
    check(hf_db_check(t->db, &note) == HF_OK, "checking the database");
    struct hf_engine_options options = {
        .all_match = true,
        .flat = true,
        .on_true_rule = print_rule,
        .on_true_rule_user = t,
        .externals = externals,
        .external_count = count,
        .spool_fd = -1,
    };
    hf_limits_default(&options.limits);
    check(hf_engine_new(t->db, &options, &t->engine) == HF_OK, "engine");
    return t;
}

void through_engine_free(struct through_engine *t)
{
    hf_engine_free(t->engine);
    hf_db_close(t->db);
    hf_arena_free(t->arena);
    hf_source_buffer_done(&t->buffer);
    free(t->image);
    free(t);
}

int through_engine_scan(struct through_engine *t, const char *path)
{
    struct hf_source source;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 2;
    if (hf_source_open(&source, fd, &t->buffer) != HF_OK) {
        close(fd);
        return 2;
    }
    struct hf_arena_mark mark = hf_arena_mark(t->arena);
    struct hf_report report = hf_report_begin(t->arena);
    t->path = path;
    enum hf_status st = hf_engine_scan(t->engine, &source, &report);
    for (size_t i = 0; i < report.incident_count; i++)
        printf("INCIDENT %u %s\n", (unsigned)report.incidents[i].reason, path);
    hf_arena_rewind(t->arena, mark);
    bool same = hf_source_close(&source) == HF_OK;
    close(fd);
    return st == HF_OK && same ? 0 : 2;
}
