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
    unsigned done = 0;
    double best_start = 1e12, best_first = 1e12, best_pool = 1e12, best_engine = 1e12;
    double parent = 1e12;
    for (unsigned r = 0; r < rounds; r++) {
        struct hf_pool *pool;
        double t0 = now_us();
        if (hf_pool_open(&pool, &options, on_done, &done, NULL) != HF_OK)
            die("no pool");
        double t1 = now_us();
        run_pool(pool, 1);
        double t2 = now_us(), cpu = processor_us(RUSAGE_SELF);
        double through_pool = run_pool(pool, files);
        cpu = processor_us(RUSAGE_SELF) - cpu;
        double direct = run_engine(engine, files);
        best_start = t1 - t0 < best_start ? t1 - t0 : best_start;
        best_first = t2 - t0 < best_first ? t2 - t0 : best_first;
        best_pool = through_pool < best_pool ? through_pool : best_pool;
        best_engine = direct < best_engine ? direct : best_engine;
        parent = cpu < parent ? cpu : parent;
        if (r == 0) {
            struct hf_buffer b = {0};
            hf_jail_describe(hf_pool_stats(pool).layers, &b);
            fwrite(b.data, 1, b.len, stdout);
            hf_buffer_done(&b);
        }
        hf_pool_close(pool);
    }
    printf("pool ready                %8.2f ms\n", best_start / 1e3);
    printf("start to first verdict    %8.2f ms\n", best_first / 1e3);
    printf("in this process           %8.2f us a file\n", best_engine / files);
    printf("through one worker        %8.2f us a file (%.2f of them this process's)\n",
           best_pool / files, parent / files);
    printf("the jail costs            %8.2f us a file\n",
           (best_pool - best_engine) / files);
    hf_engine_free(engine);
    hf_db_close(db);
    close(db_fd);
    return 0;
}
