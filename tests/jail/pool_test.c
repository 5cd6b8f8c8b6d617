/* The pool with a worker that misbehaves on command: blame, retries, limits, ends. */
#include "fixture.h"

#include "base/fd.h"
#include "jail/layers.h"
#include "jail/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct hf_pool_options two_workers = {.workers = 2};

static void test_many_objects_are_each_reported_once(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 2000; i++)
        fixture_submit(f, "clean");
    fixture_finish(f);
    for (int i = 0; i < 2000; i++)
        assert_clean(&f->outcomes[i]);
    assert_int_equal(hf_pool_stats(f->pool).crashes, 0);
    fixture_close(f);
}

static void test_what_is_no_file_is_reported_as_invalid(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    uint64_t folder = fixture_submit_fd(f, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    uint64_t file = fixture_submit(f, "clean");
    fixture_finish(f);
    assert_int_equal(f->outcomes[folder].status, HF_INVALID);
    assert_clean(&f->outcomes[file]);
    fixture_close(f);
}

static void test_a_crash_is_blamed_on_its_object_alone(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 300; i++)
        fixture_submit(f, i % 30 == 7 ? "crash" : "clean");
    fixture_finish(f);
    for (int i = 0; i < 300; i++) {
        if (i % 30 == 7)
            assert_unscannable(&f->outcomes[i], HF_REASON_CRASH);
        else
            assert_clean(&f->outcomes[i]);
    }
    struct hf_pool_stats stats = hf_pool_stats(f->pool);
    assert_int_equal(stats.crashes, 20); /* each is tried twice */
    assert_int_equal(stats.retries, 10);
    fixture_close(f);
}

static void test_a_worker_that_ends_in_an_object_has_crashed(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    assert_unscannable(fixture_run(f, "exit"), HF_REASON_CRASH);
    assert_clean(fixture_run(f, "clean"));
    fixture_close(f);
}

static void test_crashes_are_blamed_when_each_object_has_a_worker_of_its_own(void **state)
{
    (void)state;
    struct fixture *f =
        fixture_open("", &(struct hf_pool_options){.workers = 2, .objects_per_worker = 1});
    for (int i = 0; i < 20; i++)
        fixture_submit(f, i % 5 == 2 ? "crash" : "clean");
    fixture_finish(f);
    for (int i = 0; i < 20; i++) {
        if (i % 5 == 2)
            assert_unscannable(&f->outcomes[i], HF_REASON_CRASH);
        else
            assert_clean(&f->outcomes[i]);
    }
    fixture_close(f);
}

static void test_an_endless_loop_ends_by_the_clock(void **state)
{
    (void)state;
    struct fixture *f =
        fixture_open("", &(struct hf_pool_options){.workers = 2, .limits.time_ms = 300});
    for (int i = 0; i < 40; i++)
        fixture_submit(f, i == 17 ? "loop" : "clean");
    fixture_finish(f);
    for (int i = 0; i < 40; i++)
        if (i != 17)
            assert_clean(&f->outcomes[i]);
    assert_unscannable(&f->outcomes[17], HF_REASON_TIMEOUT);
    assert_int_equal(hf_pool_stats(f->pool).timeouts, 1);
    fixture_close(f);
}

static void test_the_clock_runs_anew_for_each_object(void **state)
{
    (void)state;
    struct fixture *f =
        fixture_open("", &(struct hf_pool_options){.workers = 1, .limits.time_ms = 400});
    for (int i = 0; i < 8; i++)
        fixture_submit(f, "spin 150");
    fixture_finish(f);
    for (int i = 0; i < 8; i++)
        assert_clean(&f->outcomes[i]);
    fixture_close(f);
}

static void test_memory_hunger_is_a_limit(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    if (HF_SEAL_SANITIZER || (hf_pool_stats(f->pool).layers & HF_LAYER_RLIMITS) == 0) {
        fixture_close(f);
        skip(); /* the sanitizer's shadow memory does not fit in any limit */
    }
    uint64_t hungry = fixture_submit(f, "memory");
    uint64_t other = fixture_submit(f, "clean");
    fixture_finish(f);
    assert_unscannable(&f->outcomes[hungry], HF_REASON_LIMIT);
    assert_clean(&f->outcomes[other]);
    assert_int_equal(hf_pool_stats(f->pool).crashes, 0);
    fixture_close(f);
}

static void test_nonsense_and_lies_end_the_worker_and_cost_only_its_object(void **state)
{
    (void)state;
    static const char *const lies[] = {"garbage", "lie 1",   "lie 5", "lie -1",
                                       "flood",   "form 0 0"}; /* nobody asked for one */
    struct fixture *f = fixture_open("", &two_workers);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        uint64_t first = f->next;
        for (int k = 0; k < 3; k++)
            fixture_submit(f, "clean");
        uint64_t liar = fixture_submit(f, lies[i]);
        for (int k = 0; k < 10; k++)
            fixture_submit(f, "clean");
        fixture_finish(f);
        for (uint64_t id = first; id < f->next; id++)
            if (id != liar)
                assert_clean(&f->outcomes[id]);
        assert_unscannable(&f->outcomes[liar], HF_REASON_CRASH);
    }
    fixture_close(f);
}

static bool on_form(void *user, uint64_t id, unsigned part, uint64_t offset,
                    struct hf_bytes piece)
{
    const struct fixture *f = user;
    assert_true(id < f->next && part < HF_FORM_PARTS && offset == 0);
    assert_true(hf_bytes_equal(piece, hf_bytes_text("piece")));
    return part == 0; /* of part 1 nothing more */
}

static void test_pieces_of_a_form_are_taken_in_their_place_only(void **state)
{
    (void)state;
    struct hf_pool_options options = two_workers;
    options.form = HF_FORM_PAGE;
    options.on_form = on_form;
    struct fixture *f = fixture_open("", &options);
    static const char *const wrong[] = {"form 0 1", "form 1 0", "form 2 0", "form 0 -1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint64_t good = fixture_submit(f, "form 0 0");
        uint64_t liar = fixture_submit(f, wrong[i]);
        fixture_finish(f);
        assert_clean(&f->outcomes[good]);
        assert_unscannable(&f->outcomes[liar], HF_REASON_CRASH);
    }
    fixture_close(f);
}

static void test_a_false_page_blames_at_most_objects_of_the_same_worker(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 10; i++)
        fixture_submit(f, i == 3 ? "blame 2" : i == 6 ? "nobody" : "clean");
    fixture_finish(f); /* every object is reported once, nothing goes round for ever */
    for (int i = 0; i < 10; i++)
        if (i != 3 && i != 6 && f->outcomes[i].reasons != 0)
            assert_unscannable(&f->outcomes[i], HF_REASON_CRASH);
    fixture_close(f);
    f = fixture_open("", &two_workers);
    assert_unscannable(fixture_run(f, "blame 1000000"), HF_REASON_CRASH);
    assert_unscannable(fixture_run(f, "nobody"), HF_REASON_CRASH);
    assert_clean(fixture_run(f, "clean"));
    fixture_close(f);
}

static void test_tainted_workers_are_replaced_and_lose_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 300; i++)
        fixture_submit(f, i % 10 == 0 ? "taint" : "clean");
    fixture_finish(f);
    for (int i = 0; i < 300; i++)
        assert_clean(&f->outcomes[i]);
    struct hf_pool_stats stats = hf_pool_stats(f->pool);
    assert_int_equal(stats.crashes, 0);
    assert_true(stats.workers_started >= 4);
    fixture_close(f);
}

static void test_workers_are_replaced_after_their_share(void **state)
{
    (void)state;
    struct fixture *f =
        fixture_open("", &(struct hf_pool_options){.workers = 1, .objects_per_worker = 64});
    for (int i = 0; i < 640; i++)
        fixture_submit(f, "clean");
    fixture_finish(f);
    assert_int_equal(hf_pool_stats(f->pool).workers_started, 10);
    fixture_close(f);
}

static void test_the_longest_reports_arrive_whole(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    const struct outcome *o = fixture_run(f, "many 200");
    assert_int_equal(o->findings, 200);
    assert_int_equal(o->path_count, HF_INNER_DEPTH_MAX);
    assert_int_equal(o->path_name, HF_INNER_NAME_MAX);
    assert_int_equal(o->verdict, HF_PUA);
    fixture_close(f);
}

static pid_t template_pid(void)
{
    pid_t pids[8];
    assert_int_equal(children_of(getpid(), pids, 8), 1);
    return pids[0];
}

static pid_t wait_for_worker(void)
{
    pid_t pids[8];
    for (int i = 0; i < 200; i++) {
        if (children_of(template_pid(), pids, 8) > 0)
            return pids[0];
        usleep(10000);
    }
    fail_msg("no worker");
    return 0;
}

static void test_a_killed_worker_costs_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &(struct hf_pool_options){.workers = 1});
    for (int i = 0; i < 5; i++)
        fixture_submit(f, "spin 100");
    hf_pool_flush(f->pool);
    kill(wait_for_worker(), SIGKILL);
    fixture_finish(f);
    for (int i = 0; i < 5; i++)
        assert_clean(&f->outcomes[i]);
    assert_int_equal(hf_pool_stats(f->pool).workers_started, 2);
    fixture_close(f);
}

static void test_a_killed_template_costs_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 12; i++)
        fixture_submit(f, "spin 60");
    hf_pool_flush(f->pool);
    for (int i = 0; i < 2; i++) {
        wait_for_worker();
        kill(template_pid(), SIGKILL);
        assert_int_equal(hf_pool_wait(f->pool, -1), HF_OK);
    }
    fixture_finish(f);
    for (int i = 0; i < 12; i++)
        assert_clean(&f->outcomes[i]);
    assert_int_equal(hf_pool_stats(f->pool).crashes, 0);
    fixture_close(f);
}

static void test_a_stopped_worker_runs_into_the_clock(void **state)
{
    (void)state;
    struct fixture *f =
        fixture_open("", &(struct hf_pool_options){.workers = 1, .limits.time_ms = 400});
    fixture_submit(f, "spin 200");
    fixture_submit(f, "clean");
    hf_pool_flush(f->pool);
    pid_t worker = wait_for_worker();
    usleep(50000);
    kill(worker, SIGSTOP);
    fixture_finish(f);
    assert_unscannable(&f->outcomes[0], HF_REASON_TIMEOUT);
    assert_clean(&f->outcomes[1]);
    fixture_close(f);
}

static void test_a_stopped_template_does_not_hold_up_its_workers(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &(struct hf_pool_options){.workers = 1});
    assert_clean(fixture_run(f, "clean"));
    pid_t template = template_pid();
    kill(template, SIGSTOP);
    assert_clean(fixture_run(f, "clean"));
    fixture_close(f); /* ends it all the same */
    assert_int_equal(kill(template, 0), -1);
}

static void test_a_stopped_template_is_replaced_when_it_is_needed(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &(struct hf_pool_options){.workers = 1});
    kill(template_pid(), SIGSTOP);
    assert_clean(fixture_run(f, "clean"));
    assert_int_equal(hf_pool_stats(f->pool).crashes, 0);
    fixture_close(f);
}

static bool gone(pid_t pid)
{
    for (int i = 0; i < 300; i++) {
        if (kill(pid, 0) != 0 && errno == ESRCH)
            return true;
        char path[64], state = 0;
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *file = fopen(path, "re"); /* a zombie that nobody collects is gone too */
        if (file != NULL && fscanf(file, "%*d %*s %c", &state) != 1)
            state = 0;
        if (file != NULL)
            fclose(file);
        if (state == 'Z')
            return true;
        usleep(10000);
    }
    return false;
}

static void test_all_ends_with_the_killed_parent(void **state)
{
    (void)state;
    pid_t parent = fork();
    if (parent == 0) {
        struct fixture *f = fixture_open("", &two_workers);
        fixture_submit(f, "loop");
        fixture_finish(f);
        _exit(0);
    }
    pid_t template = 0, worker = 0;
    for (int i = 0; i < 300 && worker == 0; i++) {
        usleep(10000);
        if (children_of(parent, &template, 1) == 1)
            (void)children_of(template, &worker, 1);
    }
    assert_int_not_equal(worker, 0);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    assert_true(gone(template));
    assert_true(gone(worker));
}

static void test_64_descriptors_are_enough(void **state)
{
    (void)state;
    struct rlimit old;
    getrlimit(RLIMIT_NOFILE, &old);
    struct rlimit few = {64, old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    struct fixture *f = fixture_open("", &(struct hf_pool_options){.workers = 4});
    for (int i = 0; i < 500; i++)
        fixture_submit(f, i % 100 == 50 ? "crash" : "clean");
    fixture_finish(f);
    for (int i = 0; i < 500; i++)
        assert_int_equal(f->outcomes[i].reasons, i % 100 == 50 ? HF_REASON_CRASH : 0);
    fixture_close(f);
    setrlimit(RLIMIT_NOFILE, &old);
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_no_descriptor_is_left_open(void **state)
{
    (void)state;
    size_t before = open_descriptors();
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 100; i++)
        fixture_submit(f, i % 20 == 3 ? "crash" : "clean");
    fixture_submit(f, "garbage");
    fixture_finish(f);
    fixture_submit(f, "clean"); /* still in hand when it closes */
    fixture_close(f);
    assert_int_equal(open_descriptors(), before);
}

static void test_workers_get_no_other_descriptors(void **state)
{
    (void)state;
    int inherited = dup(0); /* without close-on-exec */
    struct fixture *f = fixture_open("", &two_workers);
    const struct outcome *o = fixture_run(f, "descriptors");
    assert_int_equal(o->number, HOSTILE_DONE);
    assert_int_equal(o->offset, 1); /* the object's own */
    fixture_close(f);
    close(inherited);
}

static void test_the_spool_can_be_used(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    assert_int_equal(fixture_run(f, "spool")->number, HOSTILE_DONE);
    fixture_close(f);
}

static void assert_status_line(pid_t pid, const char *wanted)
{
    char path[64], text[8192];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    close(fd);
    text[n > 0 ? n : 0] = 0;
    if (strstr(text, wanted) == NULL)
        fail_msg("%d has no line \"%s\"", (int)pid, wanted);
}

static void test_template_and_workers_are_sealed_as_their_layers_say(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    uint32_t layers = hf_pool_stats(f->pool).layers;
    assert_true(hf_layers_confine(layers));
    fixture_submit(f, "spin 300");
    hf_pool_flush(f->pool);
    pid_t pids[] = {template_pid(), wait_for_worker()};
    usleep(50000);
    for (size_t i = 0; i < 2; i++) {
        if ((layers & HF_LAYER_SECCOMP) != 0)
            assert_status_line(pids[i], "\nSeccomp:\t2\n");
        if ((layers & HF_LAYER_NO_NEW_PRIVS) != 0)
            assert_status_line(pids[i], "\nNoNewPrivs:\t1\n");
        if ((layers & HF_LAYER_NO_CAPS) != 0)
            assert_status_line(pids[i], "\nCapEff:\t0000000000000000\n");
    }
    fixture_finish(f);
    fixture_close(f);
}

static enum hf_status open_with(const char *jail, const char *worker,
                                struct hf_buffer *error)
{
    setenv("HOLDFAST_JAIL", jail, 1);
    int db = hf_memfd_of("db", hf_bytes_text("db"));
    struct hf_pool_options o = {.worker_path = worker, .db_fds = &db, .db_count = 1};
    struct hf_pool *pool;
    enum hf_status st = hf_pool_open(&pool, &o, NULL, NULL, error);
    close(db);
    hf_pool_close(pool);
    return st;
}

static void test_what_cannot_start_says_why(void **state)
{
    (void)state;
    struct hf_buffer error = {0};
    assert_int_equal(open_with("nonsense", HOSTILE_WORKER, &error), HF_CRASHED);
    assert_non_null(memmem(error.data, error.len, "HOLDFAST_JAIL", 13));
    hf_buffer_clear(&error);
    assert_int_equal(open_with("", "/nonexistent/worker", &error), HF_NOTFOUND);
    assert_true(error.len > 0);
    hf_buffer_clear(&error);
    assert_int_equal(open_with("", "/bin/true", &error), HF_CRASHED);
    assert_true(error.len > 0);
    hf_buffer_done(&error);
}

/* As on a kernel that lacks these calls. Holds for all that this process starts, for good. */
static void remove_calls(const unsigned *calls, size_t count)
{
    struct sock_filter code[32];
    size_t n = 0;
    code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                             offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
        code[n++] =
            (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)n, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(99);
}

/* Run in a child; its exit status. */
static int in_child(int (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(body());
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int scan_on_an_old_kernel(void)
{
    static const unsigned newer[] = {SYS_close_range, SYS_unshare, 444 /* Landlock */};
    remove_calls(newer, 3);
    struct fixture *f = fixture_open("", &two_workers);
    uint32_t layers = hf_pool_stats(f->pool).layers;
    for (int i = 0; i < 100; i++)
        fixture_submit(f, i == 50 ? "crash" : "clean");
    fixture_finish(f);
    bool good = fixture_run(f, "descriptors")->offset == 1 &&
                f->outcomes[50].reasons == HF_REASON_CRASH && f->outcomes[51].reasons == 0;
    fixture_close(f);
    good = good && (layers & HF_LAYER_SECCOMP) != 0 &&
           (layers & (HF_LAYER_LANDLOCK | HF_LAYER_USER_NS)) == 0;
    return good ? 0 : 1;
}

static void test_an_older_kernel_has_fewer_layers_and_works(void **state)
{
    (void)state;
    assert_int_equal(in_child(scan_on_an_old_kernel), 0);
}

static int scan_without_any_layer(void)
{
    static const unsigned layers[] = {SYS_seccomp, 444 /* Landlock */};
    remove_calls(layers, 2);
    struct hf_buffer error = {0};
    bool refused = open_with("", HOSTILE_WORKER, &error) == HF_CRASHED &&
                   memmem(error.data, error.len, "HOLDFAST_JAIL=none", 18) != NULL;
    hf_buffer_done(&error);
    return refused && open_with("none", HOSTILE_WORKER, NULL) == HF_OK ? 0 : 1;
}

static void test_where_no_layer_works_nothing_is_scanned(void **state)
{
    (void)state;
    assert_int_equal(in_child(scan_without_any_layer), 0);
}

/* No more processes: fork fails, but not posix_spawn, which is a clone with shared memory. */
static int scan_without_fork(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x100 /* CLONE_VM */, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 99;
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 40; i++)
        fixture_submit(f, "clean");
    enum hf_status st = HF_OK;
    while (hf_pool_pending(f->pool) > 0 && st == HF_OK)
        st = hf_pool_wait(f->pool, -1);
    for (int i = 0; i < 40; i++)
        if (f->outcomes[i].reports != 1 || f->outcomes[i].reasons != HF_REASON_CRASH)
            return 1;
    fixture_close(f);
    return st == HF_CRASHED ? 0 : 2;
}

static void test_where_no_worker_can_be_forked_all_is_reported(void **state)
{
    (void)state;
    assert_int_equal(in_child(scan_without_fork), 0);
}

static void test_without_a_jail_only_on_request(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("none", &two_workers);
    assert_int_equal(hf_pool_stats(f->pool).layers, 0);
    assert_clean(fixture_run(f, "clean"));
    fixture_close(f);
}

static void test_a_worker_program_that_always_dies_ends_in_reports(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("", &two_workers);
    for (int i = 0; i < 10; i++)
        fixture_submit(f, "spin 10000");
    hf_pool_flush(f->pool);
    enum hf_status st = HF_OK;
    for (int i = 0; i < 100 && st == HF_OK && hf_pool_pending(f->pool) > 0; i++) {
        kill(template_pid(), SIGKILL);
        st = hf_pool_wait(f->pool, 200);
    }
    assert_int_equal(st, HF_CRASHED);
    for (int i = 0; i < 10; i++)
        assert_unscannable(&f->outcomes[i], HF_REASON_CRASH);
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_objects_are_each_reported_once),
        cmocka_unit_test(test_what_is_no_file_is_reported_as_invalid),
        cmocka_unit_test(test_a_crash_is_blamed_on_its_object_alone),
        cmocka_unit_test(test_a_worker_that_ends_in_an_object_has_crashed),
        cmocka_unit_test(test_crashes_are_blamed_when_each_object_has_a_worker_of_its_own),
        cmocka_unit_test(test_an_endless_loop_ends_by_the_clock),
        cmocka_unit_test(test_the_clock_runs_anew_for_each_object),
        cmocka_unit_test(test_memory_hunger_is_a_limit),
        cmocka_unit_test(test_nonsense_and_lies_end_the_worker_and_cost_only_its_object),
        cmocka_unit_test(test_pieces_of_a_form_are_taken_in_their_place_only),
        cmocka_unit_test(test_a_false_page_blames_at_most_objects_of_the_same_worker),
        cmocka_unit_test(test_tainted_workers_are_replaced_and_lose_nothing),
        cmocka_unit_test(test_workers_are_replaced_after_their_share),
        cmocka_unit_test(test_the_longest_reports_arrive_whole),
        cmocka_unit_test(test_a_killed_worker_costs_nothing),
        cmocka_unit_test(test_a_killed_template_costs_nothing),
        cmocka_unit_test(test_a_stopped_worker_runs_into_the_clock),
        cmocka_unit_test(test_a_stopped_template_does_not_hold_up_its_workers),
        cmocka_unit_test(test_a_stopped_template_is_replaced_when_it_is_needed),
        cmocka_unit_test(test_all_ends_with_the_killed_parent),
        cmocka_unit_test(test_64_descriptors_are_enough),
        cmocka_unit_test(test_no_descriptor_is_left_open),
        cmocka_unit_test(test_workers_get_no_other_descriptors),
        cmocka_unit_test(test_the_spool_can_be_used),
        cmocka_unit_test(test_template_and_workers_are_sealed_as_their_layers_say),
        cmocka_unit_test(test_what_cannot_start_says_why),
        cmocka_unit_test(test_an_older_kernel_has_fewer_layers_and_works),
        cmocka_unit_test(test_where_no_layer_works_nothing_is_scanned),
        cmocka_unit_test(test_where_no_worker_can_be_forked_all_is_reported),
        cmocka_unit_test(test_without_a_jail_only_on_request),
        cmocka_unit_test(test_a_worker_program_that_always_dies_ends_in_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
