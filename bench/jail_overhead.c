/* What the jail costs for small files: the same files through a pool of one worker, and through
 * the engine in this process; and the time from nothing to the first verdict.
 *
 *   jail_overhead WORKER [FILES [ROUNDS]]
 *
 * Files of 1 KiB are made in memory (no file system in the figures) and opened beforehand; both
 * ways read, scan and close them. Rounds are interleaved; the best of each counts. */
#include "base/auto.h"
#include "base/fd.h"
#include "db/builtin.h"
#include "jail/layers.h"
#include "jail/pool.h"
#include "scan/engine.h"
#include "unpack/unpack.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES = 1024 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "jail_overhead: %s\n", what);
    exit(1);
}

/* A new descriptor of one file of a small set, as an opener would bring. */
static int open_file(unsigned i)
{
    static int files[16];
    int *kept = &files[i % 16];
    if (*kept == 0) {
        uint8_t bytes[FILE_BYTES];
        for (unsigned k = 0; k < FILE_BYTES; k++)
            bytes[k] = (uint8_t)(k * 131 + i * 7 + (k >> 3));
        *kept = hf_memfd_of("bench", hf_bytes_of(bytes, sizeof bytes));
    }
    int fd = fcntl(*kept, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        die("no descriptor");
    return fd;
}

static double run_engine(struct hf_engine *engine, unsigned files)
{
    struct hf_source_buffer buffer = {0};
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(64 << 20);
    double start = now_us();
    for (unsigned i = 0; i < files; i++) {
        struct hf_arena_mark mark = hf_arena_mark(arena);
        struct hf_source source;
        struct hf_report report = hf_report_begin(arena);
        int fd = open_file(i);
        if (hf_source_open(&source, fd, &buffer) != HF_OK ||
            hf_engine_scan(engine, &source, &report) != HF_OK)
            die("scan failed");
        if (hf_source_close(&source) != HF_OK)
            die("a file changed");
        hf_report_finish(&report);
        close(fd);
        hf_arena_rewind(arena, mark);
    }
    double took = now_us() - start;
    hf_source_buffer_done(&buffer);
    return took;
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    (void)id;
    if (status != HF_OK || report->reasons != 0)
        die("a file was not scanned");
    ++*(unsigned *)user;
}

static double run_pool(struct hf_pool *pool, unsigned files)
{
    double start = now_us();
    for (unsigned i = 0; i < files; i++) {
        while (hf_pool_room(pool) == 0)
            if (hf_pool_wait(pool, -1) != HF_OK)
                die("pool failed");
        if (hf_pool_submit(pool, open_file(i), i) != HF_OK)
            die("submit failed");
    }
    while (hf_pool_pending(pool) > 0)
        if (hf_pool_wait(pool, -1) != HF_OK)
            die("pool failed");
    return now_us() - start;
}

static double processor_us(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* What one way took, best of all rounds, in microseconds. */
struct cost {
    double wall, processor;
};

static void keep_best(struct cost *best, double wall, double processor)
{
    best->wall = best->wall == 0 || wall < best->wall ? wall : best->wall;
    best->processor =
        best->processor == 0 || processor < best->processor ? processor : best->processor;
}

static double all_processor_us(void)
{
    return processor_us(RUSAGE_SELF) + processor_us(RUSAGE_CHILDREN);
}

/* A pool's whole life with so many files. first (may be NULL) gets the time to the first verdict
 * of a pool that starts cold. */
static struct cost pool_life(const struct hf_pool_options *options, unsigned files,
                             double *first, uint32_t *layers)
{
    struct hf_pool *pool;
    unsigned done = 0;
    double cpu = all_processor_us(), start = now_us();
    if (hf_pool_open(&pool, options, on_done, &done, NULL) != HF_OK)
        die("no pool");
    run_pool(pool, 1);
    *first = now_us() - start;
    struct cost c = {.wall = run_pool(pool, files)};
    *layers = hf_pool_stats(pool).layers;
    usleep(50000); /* the worker has had its share and ends: its times are its template's */
    hf_pool_close(pool); /* and the template's ours */
    c.processor = all_processor_us() - cpu;
    return c;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        die("usage: jail_overhead WORKER [FILES [ROUNDS]]");
    unsigned files = argc > 2 ? (unsigned)atoi(argv[2]) : 20000;
    unsigned rounds = argc > 3 ? (unsigned)atoi(argv[3]) : 5;
    int db_fd = hf_memfd_of("db", hf_db_builtin());
    struct hf_db *db;
    struct hf_engine *engine;
    struct hf_engine_options engine_options = {.spool_fd = -1};
    hf_limits_default(&engine_options.limits);
    hf_unpack_prepare();
    if (hf_db_open(&db_fd, 1, &db) != HF_OK ||
        hf_engine_new(db, &engine_options, &engine) != HF_OK)
        die("no engine");
    struct hf_pool_options options = {.worker_path = argv[1],
                                      .workers = 1,
                                      .limits = engine_options.limits,
                                      .db_fds = &db_fd,
                                      .db_count = 1};
    struct cost first = {0}, empty = {0}, pool = {0}, direct = {0};
    uint32_t layers = 0;
    for (unsigned r = 0; r < rounds; r++) {
        double t;
        options.objects_per_worker = 1;
        struct cost c = pool_life(&options, 0, &t, &layers);
        keep_best(&empty, c.wall, c.processor);
        options.objects_per_worker = files + 1;
        c = pool_life(&options, files, &t, &layers);
        keep_best(&pool, c.wall, c.processor);
        keep_best(&first, t, 0);
        double cpu = processor_us(RUSAGE_SELF), wall = run_engine(engine, files);
        keep_best(&direct, wall, processor_us(RUSAGE_SELF) - cpu);
    }
    struct hf_buffer words = {0};
    hf_jail_describe(layers, &words);
    fwrite(words.data, 1, words.len, stdout);
    hf_buffer_done(&words);
    pool.processor -= empty.processor;
    printf("start to first verdict   %8.2f ms\n", first.wall / 1e3);
    printf("                         elapsed   processor time, all processes\n");
    printf("in this process          %7.2f   %7.2f us a file\n", direct.wall / files,
           direct.processor / files);
    printf("through one worker       %7.2f   %7.2f us a file\n", pool.wall / files,
           pool.processor / files);
    printf("the jail costs           %7.2f   %7.2f us a file\n",
           (pool.wall - direct.wall) / files, (pool.processor - direct.processor) / files);
    hf_engine_free(engine);
    hf_db_close(db);
    close(db_fd);
    return 0;
}
