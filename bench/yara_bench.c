/* yara_bench.c - scans the files of a folder with a compiled database in one thread, without
 * unpacking: what yara does with the same rules. Prints the processor time; bench/yara_bench.py
 * runs it and yara in turns.
 *
 * usage: yara_bench DATABASE FOLDER [-v] */
#include "base/auto.h"
#include "scan/engine.h"

#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static struct hf_db *db;
static struct hf_engine *engine;
static struct hf_arena *arena;
static struct hf_source_buffer buffer;
static uint64_t files, bytes, findings, limits, suspended;
static bool verbose;

static void print_findings(const char *path, const struct hf_report *report)
{
    for (size_t i = 0; i < report->finding_count; i++) {
        HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
        if (hf_db_name(db, report->findings[i].signature, &name) == HF_OK)
            printf("%.*s %s\n", (int)name.len, (const char *)name.data, path);
    }
}

static int scan_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)ftw;
    (void)st;
    struct hf_source source;
    if (kind != FTW_F)
        return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || hf_source_open(&source, fd, &buffer) != HF_OK)
        return fd < 0 ? 0 : close(fd);
    struct hf_arena_mark mark = hf_arena_mark(arena);
    struct hf_report report = hf_report_begin(arena);
    struct timespec begin, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    if (hf_engine_scan(engine, &source, &report) != HF_OK)
        exit(2);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    hf_report_finish(&report);
    files++;
    bytes += source.bytes.len;
    findings += report.finding_count;
    limits += report.incident_count;
    suspended += report.suspended_count;
    if (verbose) {
        double ms = 1e3 * (double)(end.tv_sec - begin.tv_sec) +
                    1e-6 * (double)(end.tv_nsec - begin.tv_nsec);
        print_findings(path, &report);
        printf("%.3f ms %zu bytes %s\n", ms, source.bytes.len, path);
    }
    if (hf_source_close(&source) != HF_OK)
        fprintf(stderr, "%s: changed\n", path);
    hf_arena_rewind(arena, mark);
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    verbose = argc > 3 && strcmp(argv[3], "-v") == 0;
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (fd < 0 || hf_db_open(&fd, 1, &db) != HF_OK)
        return 2;
    close(fd);
    struct hf_engine_options options = {.all_match = true, .flat = true, .spool_fd = -1};
    hf_limits_default(&options.limits);
    arena = hf_arena_new((size_t)64 << 20);
    if (hf_engine_new(db, &options, &engine) != HF_OK || arena == NULL)
        return 2;
    struct timespec begin, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    if (nftw(argv[2], scan_file, 32, FTW_PHYS) != 0)
        return 2;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    double s =
        (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%" PRIu64 " files, %" PRIu64 " bytes, %" PRIu64 " findings, %" PRIu64
           " incidents, %" PRIu64 " suspended, %.3f s, %.1f MB/s, %ld KiB\n",
           files, bytes, findings, limits, suspended, s, (double)bytes / s / 1e6,
           usage.ru_maxrss);
    hf_engine_free(engine);
    hf_db_close(db);
    hf_source_buffer_done(&buffer);
    return 0;
}
