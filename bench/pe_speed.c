/* pe_speed - how long parsing the facts of PE files takes, group by group.
 *
 *   pe_speed PATH...     files and folders; default: Debian's Wine
 *
 * Per file the fastest of RUNS runs with a warm cache; over the files the median, the 90th
 * percentile and the slowest. Yardstick: headers, sections and imports in 20 us (median). */
#include "base/auto.h"
#include "base/fd.h"
#include "format/pe.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 5, FILES_MAX = 20000, ARENA = 256 << 20 };

static const struct row {
    const char *what;
    unsigned groups;
} rows[] = {
    {"headers and sections", 1U << HF_PE_HEADERS},
    {"headers, sections, imports", 1U << HF_PE_HEADERS | 1U << HF_PE_IMPORTS},
    {"  and exports", 1U << HF_PE_HEADERS | 1U << HF_PE_IMPORTS | 1U << HF_PE_EXPORTS},
    {"headers, resources, version", 1U << HF_PE_HEADERS | 1U << HF_PE_RESOURCES},
    {"headers, rich, debug", 1U << HF_PE_HEADERS | 1U << HF_PE_DEBUG},
    {"headers, TLS, relocations", 1U << HF_PE_HEADERS | 1U << HF_PE_LOADER},
    {"everything", (2U << HF_PE_GROUPS) - 2},
};
enum { ROWS = sizeof rows / sizeof *rows };

static char *paths[FILES_MAX];
static size_t path_count;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static int note_path(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)at;
    if (kind == FTW_F && path_count < FILES_MAX)
        paths[path_count++] = strdup(path);
    return 0;
}

/* Nanoseconds of the fastest run; 0: no PE. */
static uint64_t measure(const struct hf_map *map, unsigned groups, struct hf_arena *arena)
{
    static const struct hf_fact_module *const modules[] = {&hf_pe_module};
    struct hf_arena_mark mark = hf_arena_mark(arena);
    uint64_t best = UINT64_MAX;
    for (int run = 0; run < RUNS && best > 0; run++) {
        struct hf_budget budget = hf_budget_unlimited();
        struct hf_cursor object = hf_cursor_open(map->data, map->len, &budget);
        uint64_t start = now_ns();
        struct hf_facts facts = hf_facts_of(modules, 1, object, arena, NULL);
        const struct hf_pe *pe = hf_facts_need(&facts, &hf_pe_module, groups);
        uint64_t took = now_ns() - start;
        if (pe == NULL || !pe->found)
            best = 0;
        else if (took < best)
            best = took;
        hf_arena_rewind(arena, mark);
    }
    return best;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void report(const struct row *row, uint64_t *took, size_t n)
{
    qsort(took, n, sizeof *took, compare);
    printf("%-30s median %7.1f us   90%% %7.1f us   slowest %9.1f us\n", row->what,
           (double)took[n / 2] / 1000, (double)took[n * 9 / 10] / 1000,
           (double)took[n - 1] / 1000);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        (void)nftw(argv[i], note_path, 16, FTW_PHYS);
    if (argc == 1)
        (void)nftw("/usr/lib/x86_64-linux-gnu/wine", note_path, 16, FTW_PHYS);
    uint64_t *took[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        took[r] = calloc(path_count + 1, sizeof *took[r]);
    struct hf_arena *arena = hf_arena_new(ARENA);
    size_t n = 0;
    for (size_t i = 0; i < path_count; i++) {
        HF_AUTO(hf_fd_release) int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        HF_AUTO(hf_map_release) struct hf_map map = {0};
        if (fd < 0 || hf_map_open(fd, &map) != HF_OK ||
            measure(&map, rows[0].groups, arena) == 0)
            continue;
        for (size_t r = 0; r < ROWS; r++)
            took[r][n] = measure(&map, rows[r].groups, arena);
        n++;
    }
    printf("%zu PE files\n", n);
    for (size_t r = 0; r < ROWS && n > 0; r++)
        report(&rows[r], took[r], n);
    hf_arena_free(arena);
    return n == 0;
}
