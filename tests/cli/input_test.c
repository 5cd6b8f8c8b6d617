#include "base/auto.h"
#include "base/fd.h"
#include "cli/path_list.h"
#include "cli/standard_input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes bytes standard input, through a pipe. */
static void feed(const void *bytes, size_t len)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        close(ends[0]);
        _exit(hf_fd_write(ends[1], bytes, len) != HF_OK);
    }
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

static void expect(struct hf_path_list *list, const char *path)
{
    struct hf_bytes got;
    enum hf_status st = hf_path_list_next(list, &got);
    assert_int_equal(st, path == NULL ? HF_NOTFOUND : HF_OK);
    if (path != NULL)
        assert_true(hf_bytes_equal(got, hf_bytes_text(path)));
}

static void test_paths_come_from_operands_then_from_the_list(void **state)
{
    (void)state;
    static const char *const operands[] = {"first", "-"};
    struct hf_path_list list;
    feed("a b\n\nc\\n\n-x", 11);
    assert_int_equal(hf_path_list_open(&list, operands, 2, "-", false), HF_OK);
    expect(&list, "first");
    expect(&list, "-");
    expect(&list, "a b");
    expect(&list, "c\\n");
    expect(&list, "-x"); /* without the last newline */
    expect(&list, NULL);
    hf_path_list_done(&list);
}

static void test_zero_ended_paths_may_hold_newlines(void **state)
{
    (void)state;
    struct hf_path_list list;
    feed("a\nb\0c\0", 6);
    assert_int_equal(hf_path_list_open(&list, NULL, 0, "-", true), HF_OK);
    expect(&list, "a\nb");
    expect(&list, "c");
    expect(&list, NULL);
    hf_path_list_done(&list);
}

static void test_long_lists_are_read_piece_by_piece(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    char path[32];
    for (unsigned i = 0; i < 50000; i++)
        hf_buffer_format(&text, "path/number/%u\n", i);
    struct hf_path_list list;
    feed(text.data, text.len);
    assert_int_equal(hf_path_list_open(&list, NULL, 0, "-", false), HF_OK);
    for (unsigned i = 0; i < 50000; i++) {
        snprintf(path, sizeof path, "path/number/%u", i);
        expect(&list, path);
    }
    expect(&list, NULL);
    hf_path_list_done(&list);
}

static void test_a_missing_list_is_an_error(void **state)
{
    (void)state;
    struct hf_path_list list;
    assert_int_equal(hf_path_list_open(&list, NULL, 0, "/nonexistent/list", false), HF_IO);
    assert_int_equal(errno, ENOENT);
    hf_path_list_done(&list);
}

/* What was fed comes back from the descriptor, which cannot be written. */
static void check_stdin(size_t len)
{
    static const volatile sig_atomic_t go_on;
    uint8_t *bytes = malloc(len), *back = malloc(len);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 12));
    feed(bytes, len);
    int fd;
    bool spooling;
    size_t got;
    assert_int_equal(hf_standard_input_open(&fd, 0, &go_on, &spooling), HF_OK);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_size, len);
    assert_int_equal(hf_fd_read_at(fd, back, len, 0, &got), HF_OK);
    assert_memory_equal(bytes, back, len);
    assert_int_equal(write(fd, "x", 1), -1);
    close(fd);
    free(bytes);
    free(back);
}

static void test_standard_input_becomes_a_read_only_file(void **state)
{
    (void)state;
    check_stdin(1000);
    check_stdin(9 << 20);
}

static void test_too_much_standard_input_is_a_limit(void **state)
{
    (void)state;
    static const volatile sig_atomic_t go_on;
    static uint8_t zeros[6 << 20];
    int fd;
    bool spooling;
    feed(zeros, 100);
    assert_int_equal(hf_standard_input_open(&fd, 99, &go_on, &spooling), HF_LIMIT);
    feed(zeros, sizeof zeros);
    assert_int_equal(hf_standard_input_open(&fd, 5 << 20, &go_on, &spooling), HF_LIMIT);
}

static void test_no_room_for_standard_input_is_told_apart(void **state)
{
    (void)state;
    static const volatile sig_atomic_t go_on;
    static uint8_t zeros[6 << 20];
    int fd;
    bool spooling;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    struct rlimit limit, small;
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &old), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 1 << 20;
    feed(zeros, sizeof zeros);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum hf_status st = hf_standard_input_open(&fd, 0, &go_on, &spooling);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(sigaction(SIGXFSZ, &old, NULL), 0);
    assert_int_equal(st, HF_IO);
    assert_int_equal(error, EFBIG);
    assert_true(spooling);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_come_from_operands_then_from_the_list),
        cmocka_unit_test(test_zero_ended_paths_may_hold_newlines),
        cmocka_unit_test(test_long_lists_are_read_piece_by_piece),
        cmocka_unit_test(test_a_missing_list_is_an_error),
        cmocka_unit_test(test_standard_input_becomes_a_read_only_file),
        cmocka_unit_test(test_too_much_standard_input_is_a_limit),
        cmocka_unit_test(test_no_room_for_standard_input_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
