/* authenticode_dump - facts of signed files, judged against given roots, as JSON.
 *
 *   authenticode_dump [--yara42] [--now SECONDS] [--root DER]... pe|catalogue FILE...
 *   authenticode_dump --time FILE...    nanoseconds for headers and signatures of PE files, the
 *                                       fastest of a few runs
 *
 * A line a file: {"file":..,"facts":{..},"status":".."}; valid_on(now) of the first signature is
 * there as "valid_on". Runs without a jail: for tests. */
#include "base/auto.h"
#include "base/fd.h"
#include "base/text.h"
#include "format/pe.h"
#include "format/schema.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ARENA = 1 << 28, LIST_MAX = 1 << 30, RUNS = 50 };

struct work {
    struct hf_roots *roots;
    int64_t now;
    size_t module;
    bool yara42, measure;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool add_root(struct work *w, const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    if (w->roots == NULL)
        w->roots = hf_roots_new();
    return w->roots != NULL && fd >= 0 && hf_map_open(fd, &map) == HF_OK &&
           hf_roots_add(w->roots, hf_bytes_of(map.data, map.len)) == HF_OK;
}

static void set_up(const struct work *w, struct hf_facts *facts)
{
    const struct hf_fact_module *module = hf_fact_modules[w->module];
    void *state = hf_facts_need(facts, module, 0);
    if (module == &hf_pe_module && state != NULL) {
        struct hf_pe *pe = state;
        pe->roots = w->roots;
        pe->now = w->now;
        pe->yara = w->yara42 ? HF_PE_YARA_42 : HF_PE_YARA_45;
    }
    if (module == &hf_catalogue_module && state != NULL) {
        struct hf_catalogue *catalogue = state;
        catalogue->roots = w->roots;
        catalogue->now = w->now;
    }
}

static void add_valid_on(const struct work *w, struct hf_facts *facts,
                         struct hf_buffer *out)
{
    const struct hf_fact_record *record = hf_fact_modules[w->module]->record;
    size_t list = hf_fact_find(record, hf_bytes_text("signatures"));
    size_t method =
        hf_fact_find_call(&hf_code_signature_record, hf_bytes_text("valid_on"), "i");
    struct hf_value first = hf_facts_index(facts, &record->fields[list],
                                           hf_facts_get(facts, w->module, list), 0);
    struct hf_value at = hf_value_int(w->now);
    struct hf_value v = hf_facts_call_on(facts, &hf_code_signature_record.fields[method],
                                         first.defined ? first.record : NULL, &at);
    if (v.defined)
        hf_buffer_format(out, ",\"valid_on\":%lld", (long long)v.integer);
}

static void dump(const struct work *w, struct hf_cursor object, const char *path)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_facts facts =
        hf_facts_of(hf_fact_modules, hf_fact_module_count, object, arena, NULL);
    set_up(w, &facts);
    hf_buffer_text(&out, "{\"file\":");
    hf_json_string(&out, hf_bytes_text(path));
    hf_buffer_text(&out, ",\"facts\":");
    hf_facts_json(&facts, w->module, LIST_MAX, &out);
    hf_buffer_format(&out, ",\"status\":\"%s\"",
                     hf_status_text(facts.state[w->module].status));
    add_valid_on(w, &facts, &out);
    hf_buffer_text(&out, "}\n");
    fwrite(out.data, 1, out.len, stdout);
}

static void measure(const struct work *w, struct hf_cursor object, const char *path)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    struct hf_arena_mark mark = hf_arena_mark(arena);
    uint64_t best = UINT64_MAX;
    for (int run = 0; run < RUNS; run++) {
        struct hf_facts facts =
            hf_facts_of(hf_fact_modules, hf_fact_module_count, object, arena, NULL);
        set_up(w, &facts);
        uint64_t start = now_ns();
        (void)hf_facts_need(&facts, &hf_pe_module, 1U << HF_PE_SIGNATURES);
        uint64_t took = now_ns() - start;
        best = took < best ? took : best;
        hf_arena_rewind(arena, mark);
    }
    printf("%llu %s\n", (unsigned long long)best, path);
}

static bool one_file(const struct work *w, const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK) {
        fprintf(stderr, "authenticode_dump: cannot read %s\n", path);
        return false;
    }
    struct hf_budget budget = hf_budget_unlimited();
    struct hf_cursor object = hf_cursor_open(map.data, map.len, &budget);
    if (w->measure)
        measure(w, object, path);
    else
        dump(w, object, path);
    return true;
}

static int options(struct work *w, int argc, char **argv)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--yara42") == 0)
            w->yara42 = true;
        else if (strcmp(argv[i], "--time") == 0)
            w->measure = true;
        else if (strcmp(argv[i], "--now") == 0 && i + 1 < argc)
            w->now = strtoll(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--root") != 0 || i + 1 >= argc || !add_root(w, argv[++i]))
            return argc;
    }
    if (!w->measure && i < argc)
        w->module = hf_fact_module_find(hf_bytes_text(argv[i++]));
    return i;
}

int main(int argc, char **argv)
{
    struct work w = {.now = time(NULL)};
    int i = options(&w, argc, argv);
    bool good =
        i < argc && w.module < hf_fact_module_count && hf_authenticode_prepare() == HF_OK;
    if (!good)
        fprintf(stderr, "usage: authenticode_dump [OPTION]... pe|catalogue FILE...\n");
    for (; good && i < argc; i++)
        good = one_file(&w, argv[i]);
    hf_roots_free(w.roots);
    return good ? 0 : 2;
}
