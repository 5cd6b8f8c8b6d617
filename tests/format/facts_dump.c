/* facts_dump - the facts of files as JSON, for comparisons with other tools.
 *
 *   facts_dump MODULE FILE...          a line a file: {"file":..,"status":..,"facts":{..}}, with
 *                                      the results of functions without arguments as "name()"
 *   facts_dump --time GROUPS MODULE FILE...   a line a file: nanoseconds for parsing the groups
 *                                      (a mask, bit 1 << group), the fastest of a few runs
 *   facts_dump --constants MODULE      {"NAME":number,...}
 *
 * --yara42 first: PE files as yara 4.2 reads them, for comparison with it.
 * File names that start with @ name a list, one path a line. Runs without a jail: for tests. */
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

enum { ARENA = 1 << 30, LIST_MAX = 1 << 30 };

struct work {
    struct hf_hasher *hasher;
    size_t module;
    unsigned time_groups; /* 0: dump */
    bool yara42;
};

static void add_calls(struct hf_facts *facts, size_t module, struct hf_buffer *out)
{
    const struct hf_fact_record *record = facts->modules[module]->record;
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        if (f->type != HF_FACT_FUNCTION || f->signature[0] != '\0')
            continue;
        struct hf_value v = hf_facts_call(facts, f, NULL);
        if (!v.defined)
            continue;
        hf_buffer_format(out, ",\"%s()\":", f->name);
        if (v.type == HF_FACT_STRING)
            hf_json_string(out, v.string);
        else
            hf_buffer_format(out, "%lld", (long long)v.integer);
    }
}

static void dump(const struct work *w, struct hf_cursor object, const char *path)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_facts facts =
        hf_facts_of(hf_fact_modules, hf_fact_module_count, object, arena, NULL);
    facts.hasher = w->hasher;
    struct hf_pe *pe = w->yara42 ? hf_facts_need(&facts, &hf_pe_module, 0) : NULL;
    if (pe != NULL)
        pe->yara = HF_PE_YARA_42;
    hf_buffer_text(&out, "{\"file\":");
    hf_json_string(&out, hf_bytes_text(path));
    hf_buffer_text(&out, ",\"facts\":");
    hf_facts_json(&facts, w->module, LIST_MAX, &out);
    hf_buffer_format(&out, ",\"status\":\"%s\"",
                     hf_status_text(facts.state[w->module].status));
    add_calls(&facts, w->module, &out);
    hf_buffer_text(&out, "}\n");
    fwrite(out.data, 1, out.len, stdout);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void measure(const struct work *w, struct hf_cursor object, const char *path)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(ARENA);
    struct hf_arena_mark mark = hf_arena_mark(arena);
    uint64_t best = UINT64_MAX;
    for (int run = 0; run < 5; run++) {
        struct hf_facts facts =
            hf_facts_of(hf_fact_modules, hf_fact_module_count, object, arena, NULL);
        facts.hasher = w->hasher;
        uint64_t start = now_ns();
        (void)hf_facts_need(&facts, hf_fact_modules[w->module], w->time_groups);
        uint64_t took = now_ns() - start;
        best = took < best ? took : best;
        hf_arena_rewind(arena, mark);
    }
    printf("%llu %s\n", (unsigned long long)best, path);
}

static void one_file(const struct work *w, const char *path)
{
    HF_AUTO(hf_fd_release) int fd = open(path, O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_map_release) struct hf_map map = {0};
    if (fd < 0 || hf_map_open(fd, &map) != HF_OK) {
        fprintf(stderr, "facts_dump: cannot read %s\n", path);
        return;
    }
    struct hf_budget budget = hf_budget_unlimited();
    struct hf_cursor object = hf_cursor_open(map.data, map.len, &budget);
    if (w->time_groups != 0)
        measure(w, object, path);
    else
        dump(w, object, path);
}

static void list_of_files(const struct work *w, const char *list)
{
    char *line = NULL;
    size_t room = 0;
    FILE *f = fopen(list, "re");
    if (f == NULL) {
        fprintf(stderr, "facts_dump: cannot read %s\n", list);
        return;
    }
    while (getline(&line, &room, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        one_file(w, line);
    }
    free(line);
    fclose(f);
}

static void constants(size_t module)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 16);
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_facts facts = hf_facts_of(hf_fact_modules, hf_fact_module_count,
                                        hf_cursor_open(NULL, 0, NULL), arena, NULL);
    const struct hf_fact_record *record = hf_fact_modules[module]->record;
    const char *before = "{";
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        if (f->type == HF_FACT_FUNCTION || f->group != 0)
            continue;
        struct hf_value v = hf_facts_get(&facts, module, i);
        hf_buffer_format(&out, "%s\"%s\":", before, f->name);
        before = ",";
        if (v.type == HF_FACT_STRING)
            hf_json_string(&out, v.string);
        else if (v.type == HF_FACT_FLOAT)
            hf_buffer_format(&out, "%g", v.real);
        else
            hf_buffer_format(&out, "%lld", (long long)v.integer);
    }
    hf_buffer_text(&out, *before == '{' ? "{}" : "}");
    hf_buffer_u8(&out, 0);
    puts((const char *)out.data);
}

int main(int argc, char **argv)
{
    struct work w = {.hasher = hf_hasher_new()};
    int arg = 1;
    if (argc > 1 && strcmp(argv[1], "--yara42") == 0) {
        w.yara42 = true;
        argv++, argc--;
    }
    bool only_constants = argc > 2 && strcmp(argv[1], "--constants") == 0;
    if (only_constants)
        arg = 2;
    if (argc > 3 && strcmp(argv[1], "--time") == 0) {
        w.time_groups = (unsigned)strtoul(argv[2], NULL, 0);
        arg = 3;
    }
    w.module = arg < argc ? hf_fact_module_find(hf_bytes_text(argv[arg])) : SIZE_MAX;
    if (w.module == SIZE_MAX) {
        fprintf(stderr, "usage: facts_dump [--time GROUPS] MODULE FILE...\n");
        return 2;
    }
    if (only_constants)
        constants(w.module);
    for (arg++; arg < argc && !only_constants; arg++) {
        if (argv[arg][0] == '@')
            list_of_files(&w, argv[arg] + 1);
        else
            one_file(&w, argv[arg]);
    }
    hf_hasher_free(w.hasher);
    return 0;
}
