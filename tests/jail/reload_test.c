/* Changing the databases of a running pool: nothing submitted is lost, every object is judged by
 * one generation, and the last of an old one is announced. First with the real worker and real
 * databases under load, then with the hostile worker, which crashes and refuses on command. */
#include "fixture.h"

#include "base/fd.h"
#include "db/build.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    SWAPS = 20,
    GENERATIONS = SWAPS + 1,
    OBJECTS_A_SWAP = 400,
    WINDOW = 200,
    PLACES = 4096
};

struct load {
    struct hf_pool *pool;
    struct hf_db *dbs[GENERATIONS];
    bool retired[GENERATIONS];
    uint64_t active, retirements, refusals;
    uint64_t submitted, reported, by_generation[GENERATIONS];
    double submitted_at[PLACES], worst_ms;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A database whose one signature is named after its generation and matches every object. */
static int make_database(uint64_t generation)
{
    struct hf_build *build = hf_build_new(NULL, NULL);
    struct hf_buffer text = {0}, bytes = {0};
    hf_buffer_format(&text, "Generation.%llu:0:*:6576657279206f626a656374\n",
                     (unsigned long long)generation);
    assert_int_equal(hf_build_read_text(build, "a.ndb", hf_buffer_view(&text)), HF_OK);
    assert_int_equal(hf_build_write(build, &bytes), HF_OK);
    int fd = hf_memfd_of("generation", hf_buffer_view(&bytes));
    assert_true(fd >= 0);
    hf_build_free(build);
    hf_buffer_done(&text);
    hf_buffer_done(&bytes);
    return fd;
}

static void on_done(void *user, uint64_t id, enum hf_status status,
                    const struct hf_report *report)
{
    struct load *l = user;
    struct hf_buffer name = {0};
    char expected[64];
    assert_int_equal(status, HF_OK);
    assert_int_equal(report->verdict, HF_INFECTED);
    assert_int_equal(report->finding_count, 1);
    assert_true(report->generation < GENERATIONS && !l->retired[report->generation]);
    assert_int_equal(
        hf_db_name(l->dbs[report->generation], report->findings[0].signature, &name),
        HF_OK);
    int n = snprintf(expected, sizeof expected, "Generation.%llu",
                     (unsigned long long)report->generation);
    assert_int_equal(name.len, n);
    assert_memory_equal(name.data, expected, name.len);
    hf_buffer_done(&name);
    double waited = now_ms() - l->submitted_at[id % PLACES];
    if (waited > l->worst_ms)
        l->worst_ms = waited;
    l->by_generation[report->generation]++;
    l->reported++;
}

static void on_generation(void *user, uint64_t generation, enum hf_pool_event event,
                          struct hf_bytes text)
{
    struct load *l = user;
    (void)text;
    assert_true(generation < GENERATIONS);
    if (event == HF_POOL_ACTIVE) {
        assert_int_equal(generation, l->active + 1);
        l->active = generation;
    } else if (event == HF_POOL_RETIRED) {
        assert_false(l->retired[generation]);
        l->retired[generation] = true;
        l->retirements++;
        hf_db_release(&l->dbs[generation]);
    } else {
        l->refusals++;
    }
}

static void submit(struct load *l)
{
    while (hf_pool_room(l->pool) == 0 || l->submitted - l->reported >= WINDOW)
        assert_int_equal(hf_pool_wait(l->pool, -1), HF_OK);
    int fd = hf_memfd_of("object", hf_bytes_text("in every object"));
    l->submitted_at[l->submitted % PLACES] = now_ms();
    assert_int_equal(hf_pool_submit(l->pool, fd, l->submitted++), HF_OK);
}

static void open_generation(struct load *l, uint64_t generation, int *fd)
{
    *fd = make_database(generation);
    assert_int_equal(hf_db_open(fd, 1, &l->dbs[generation]), HF_OK);
}

static void test_twenty_swaps_under_load_lose_nothing(void **state)
{
    (void)state;
    static struct load l;
    struct hf_buffer error = {0};
    int fd;
    setenv("HOLDFAST_JAIL", "", 1);
    open_generation(&l, 0, &fd);
    const struct hf_pool_options options = {.worker_path = REAL_WORKER,
                                            .workers = 2,
                                            .db_fds = &fd,
                                            .db_count = 1,
                                            .on_generation = on_generation};
    assert_int_equal(hf_pool_open(&l.pool, &options, on_done, &l, &error), HF_OK);
    close(fd);
    for (uint64_t swap = 1; swap <= SWAPS; swap++) {
        uint64_t generation, begun = l.submitted;
        open_generation(&l, swap, &fd);
        for (enum hf_status st = HF_LIMIT; st == HF_LIMIT;) {
            st = hf_pool_reload(l.pool, &fd, 1, &generation);
            assert_true(st == HF_OK || st == HF_LIMIT);
            if (st == HF_LIMIT)
                submit(&l);
        }
        assert_int_equal(generation, swap);
        close(fd);
        while (l.active < swap || l.submitted < begun + OBJECTS_A_SWAP)
            submit(&l);
    }
    hf_pool_flush(l.pool);
    while (hf_pool_pending(l.pool) > 0 || hf_pool_reloading(l.pool))
        assert_int_equal(hf_pool_wait(l.pool, -1), HF_OK);
    assert_int_equal(l.reported, l.submitted);
    assert_int_equal(l.retirements, SWAPS);
    assert_int_equal(l.refusals, 0);
    for (uint64_t g = 0; g < GENERATIONS; g++)
        assert_true(l.by_generation[g] > 0 || g == 0);
    struct hf_pool_stats stats = hf_pool_stats(l.pool);
    assert_int_equal(stats.crashes + stats.retries + stats.timeouts, 0);
    print_message("# %llu objects, the slowest took %.1f ms\n",
                  (unsigned long long)l.submitted, l.worst_ms);
    assert_true(l.worst_ms < 5000); /* a pool that stood still would take for ever */
    hf_pool_close(l.pool);
    hf_db_release(&l.dbs[SWAPS]);
    hf_buffer_done(&error);
}

/* What the hostile fixture's pool tells. */
static struct {
    uint64_t active, retired, refused;
    char why[256];
} told;

static void note_generation(void *user, uint64_t generation, enum hf_pool_event event,
                            struct hf_bytes text)
{
    (void)user;
    uint64_t *slot = event == HF_POOL_ACTIVE    ? &told.active
                     : event == HF_POOL_RETIRED ? &told.retired
                                                : &told.refused;
    *slot = generation;
    if (event == HF_POOL_REFUSED)
        snprintf(told.why, sizeof told.why, "%.*s", (int)text.len, (const char *)text.data);
}

static struct fixture *open_hostile(void)
{
    memset(&told, 0, sizeof told);
    told.retired = told.refused = UINT64_MAX;
    return fixture_open(
        "", &(struct hf_pool_options){.workers = 2, .on_generation = note_generation});
}

/* segments: the hostile worker opens one, and refuses others. */
static enum hf_status reload(struct fixture *f, size_t segments, uint64_t *generation)
{
    int fds[2] = {hf_memfd_of("db", hf_bytes_text("x")),
                  hf_memfd_of("db", hf_bytes_text("y"))};
    enum hf_status st = hf_pool_reload(f->pool, fds, segments, generation);
    close(fds[0]);
    close(fds[1]);
    return st;
}

static void settle(struct fixture *f)
{
    while (hf_pool_reloading(f->pool))
        assert_int_equal(hf_pool_wait(f->pool, -1), HF_OK);
}

static void test_a_refused_database_leaves_the_old_one_working(void **state)
{
    (void)state;
    struct fixture *f = open_hostile();
    uint64_t generation;
    fixture_submit(f, "spin 50");
    assert_int_equal(reload(f, 2, &generation), HF_OK);
    assert_int_equal(generation, 1);
    settle(f);
    assert_int_equal(told.refused, 1);
    assert_string_equal(told.why, "the database cannot be opened");
    assert_int_equal(told.active, 0);
    assert_clean(fixture_run(f, "clean"));
    assert_int_equal(reload(f, 1, &generation), HF_OK); /* and the next one may be good */
    assert_int_equal(generation, 2);
    settle(f);
    assert_int_equal(told.active, 2);
    assert_int_equal(told.retired, 0);
    assert_clean(fixture_run(f, "clean"));
    fixture_close(f);
}

static void test_a_slow_scan_holds_its_generation_and_nobody_else(void **state)
{
    (void)state;
    struct fixture *f = open_hostile();
    uint64_t generation, slow = fixture_submit(f, "spin 1000");
    hf_pool_flush(f->pool);
    assert_int_equal(reload(f, 1, &generation), HF_OK);
    while (told.active == 0)
        assert_int_equal(hf_pool_wait(f->pool, -1), HF_OK);
    assert_int_equal(told.retired, UINT64_MAX);
    uint64_t quick = fixture_submit(f, "clean");
    hf_pool_flush(f->pool);
    while (f->outcomes[quick].reports == 0)
        assert_int_equal(hf_pool_wait(f->pool, -1), HF_OK);
    assert_int_equal(f->outcomes[slow].reports, 0);
    assert_int_equal(told.retired, UINT64_MAX);
    fixture_finish(f);
    settle(f);
    assert_int_equal(told.retired, 0);
    fixture_close(f);
}

static void test_crashes_while_changing_are_blamed_as_ever(void **state)
{
    (void)state;
    struct fixture *f = open_hostile();
    for (int i = 0; i < 600; i++) {
        uint64_t generation;
        fixture_submit(f, i % 50 == 13 ? "crash" : i % 50 == 14 ? "spin 20" : "clean");
        if (i % 60 == 59)
            (void)!reload(f, 1, &generation);
    }
    fixture_finish(f);
    settle(f);
    for (int i = 0; i < 600; i++) {
        if (i % 50 == 13)
            assert_unscannable(&f->outcomes[i], HF_REASON_CRASH);
        else
            assert_clean(&f->outcomes[i]);
    }
    assert_true(told.active > 0);
    fixture_close(f);
}

static void test_a_template_killed_at_any_time_loses_nothing(void **state)
{
    (void)state;
    struct fixture *f = open_hostile();
    for (int round = 0; round < 20; round++) {
        uint64_t generation;
        pid_t children[16];
        enum hf_status st = reload(f, 1, &generation);
        assert_true(st == HF_OK || st == HF_LIMIT);
        for (int i = 0; i < 20; i++)
            fixture_submit(f, i == 3 ? "spin 3" : "clean");
        usleep((unsigned)round * 300);
        size_t n = children_of(getpid(), children, 16);
        if (n > 0) /* old, new, or loading: whichever comes */
            kill(children[(size_t)round % n], SIGKILL);
        fixture_finish(f);
    }
    for (uint64_t i = 0; i < f->next; i++)
        assert_clean(&f->outcomes[i]);
    fixture_close(f);
}

static void test_reload_needs_somebody_who_is_told(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &(struct hf_pool_options){.workers = 1});
    uint64_t generation;
    assert_int_equal(reload(f, 1, &generation), HF_INVALID);
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_twenty_swaps_under_load_lose_nothing),
        cmocka_unit_test(test_a_refused_database_leaves_the_old_one_working),
        cmocka_unit_test(test_a_slow_scan_holds_its_generation_and_nobody_else),
        cmocka_unit_test(test_crashes_while_changing_are_blamed_as_ever),
        cmocka_unit_test(test_a_template_killed_at_any_time_loses_nothing),
        cmocka_unit_test(test_reload_needs_somebody_who_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
