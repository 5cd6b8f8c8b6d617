/* Through the public header only, as an integrator would. HOLDFAST_WORKER names the worker. */
#include <fcntl.h>
#include <holdfast.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The EICAR test file in two halves, so that this source is not one. */
static const char *eicar(void)
{
    static char text[69];
    snprintf(text, sizeof text, "%s%s", "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-",
             "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
    return text;
}

static int count_and_copy(void *user, const struct hf_detection *d)
{
    char *name = user;
    snprintf(name, 200, "%s", d->name);
    return 0;
}

static int stop_at_once(void *user, const struct hf_detection *d)
{
    (void)user;
    (void)d;
    return 1;
}

static struct hf_context *open_builtin(void)
{
    struct hf_context *context = NULL;
    enum hf_status st = hf_context_open(&context, NULL, NULL);
    if (st != HF_OK)
        fail_msg("%s", hf_last_error());
    return context;
}

static void test_memory_is_scanned_in_a_worker(void **state)
{
    (void)state;
    struct hf_context *context = open_builtin();
    struct hf_result result;
    char name[200] = "";
    assert_int_equal(
        hf_scan_memory(context, eicar(), strlen(eicar()), count_and_copy, name, &result),
        HF_OK);
    assert_int_equal(result.verdict, HF_INFECTED);
    assert_int_equal(result.detections, 1);
    assert_non_null(strstr(name, "EICAR"));
    assert_int_equal(hf_scan_memory(context, "harmless", 8, count_and_copy, name, &result),
                     HF_OK);
    assert_int_equal(result.verdict, HF_CLEAN);
    assert_int_equal(result.bytes, 8);
    assert_int_equal(hf_scan_memory(context, NULL, 0, NULL, NULL, &result), HF_OK);
    assert_int_equal(
        hf_scan_memory(context, eicar(), strlen(eicar()), stop_at_once, NULL, &result),
        HF_STOPPED);
    hf_context_close(context);
}

static void test_descriptors_are_scanned_and_stay_the_callers(void **state)
{
    (void)state;
    struct hf_context *context = open_builtin();
    char path[] = "api_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, eicar(), strlen(eicar())), (ssize_t)strlen(eicar()));
    lseek(fd, 5, SEEK_SET);
    struct hf_result result;
    assert_int_equal(hf_scan_fd(context, fd, NULL, NULL, &result), HF_OK);
    assert_int_equal(result.verdict, HF_INFECTED);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 5);
    close(fd);
    assert_int_equal(hf_scan_fd(context, fd, NULL, NULL, &result), HF_IO);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(hf_scan_fd(context, ends[0], NULL, NULL, &result), HF_INVALID);
    assert_string_not_equal(hf_last_error(), "");
    close(ends[0]);
    close(ends[1]);
    hf_context_close(context);
}

struct thread_work {
    struct hf_context *context;
    int infected, clean;
};

static void *scan_many(void *user)
{
    struct thread_work *work = user;
    for (int i = 0; i < 50; i++) {
        struct hf_result result;
        const char *text = i % 2 == 0 ? eicar() : "harmless";
        if (hf_scan_memory(work->context, text, strlen(text), NULL, NULL, &result) != HF_OK)
            continue;
        work->infected += result.verdict == HF_INFECTED;
        work->clean += result.verdict == HF_CLEAN;
    }
    return NULL;
}

static void test_a_context_serves_several_threads(void **state)
{
    (void)state;
    enum { THREADS = 5 };
    struct hf_context *context = open_builtin();
    struct thread_work work[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        work[i] = (struct thread_work){.context = context};
        assert_int_equal(pthread_create(&threads[i], NULL, scan_many, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(work[i].infected, 25);
        assert_int_equal(work[i].clean, 25);
    }
    hf_context_close(context);
}

static void test_memory_is_scanned_in_process_when_asked(void **state)
{
    (void)state;
    struct hf_context *context = open_builtin();
    struct hf_result result;
    char name[200] = "";
    enum hf_status st = hf_scan_memory_in_process(context, eicar(), strlen(eicar()),
                                                  count_and_copy, name, &result);
    if (st != HF_OK)
        fail_msg("%s", hf_last_error());
    assert_int_equal(result.verdict, HF_INFECTED);
    assert_non_null(strstr(name, "EICAR"));
    hf_context_close(context);
}

static void test_what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    struct hf_context *context = NULL;
    assert_int_equal(hf_context_open(&context, "/nonexistent.hfdb", NULL), HF_NOTFOUND);
    assert_non_null(strstr(hf_last_error(), "/nonexistent.hfdb"));
    assert_null(context);
    assert_int_equal(hf_context_open(&context, "/dev/null", NULL), HF_MALFORMED);
    assert_null(context);
    struct hf_options options;
    hf_options_default(&options);
    options.worker_path = "/nonexistent/worker";
    enum hf_status st = hf_context_open(&context, NULL, &options);
    if (st == HF_OK) { /* workers start with the first scan */
        struct hf_result result;
        assert_int_not_equal(hf_scan_memory(context, "x", 1, NULL, NULL, &result), HF_OK);
        hf_context_close(context);
    }
    assert_string_not_equal(hf_last_error(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_scanned_in_a_worker),
        cmocka_unit_test(test_descriptors_are_scanned_and_stay_the_callers),
        cmocka_unit_test(test_a_context_serves_several_threads),
        cmocka_unit_test(test_memory_is_scanned_in_process_when_asked),
        cmocka_unit_test(test_what_cannot_be_opened_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
