#include "cli/walk.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Every test works in a folder of its own, which is the current one: in memory where there is
 * such a place, for thousands of levels cost a disk seconds. */
static char home[64];

static int enter_home(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "%s/hf-walk-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(home) != NULL && chdir(home) == 0 ? 0 : -1;
}

static int leave_home(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", home);
    return chdir("/") == 0 ? system(command) : -1;
}

static void put(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, path, strlen(path)), strlen(path));
    close(fd);
}

/* All that a walk says, one letter a kind: "f a/b\n". Opened files are read back. */
static void walk_into(struct hf_buffer *out, const struct hf_walk_options *options,
                      const char *path, struct hf_walk_counts *counts)
{
    HF_AUTO(hf_walk_release) struct hf_walk *walk = hf_walk_new(options);
    assert_non_null(walk);
    assert_int_equal(hf_walk_begin(walk, hf_bytes_text(path)), HF_OK);
    struct hf_walk_entry entry;
    enum hf_walk_kind kind;
    hf_buffer_clear(out);
    while ((kind = hf_walk_next(walk, &entry)) != HF_WALK_END) {
        assert_int_not_equal(kind, HF_WALK_BUSY);
        hf_buffer_format(out, "%c ", "fse"[kind]);
        hf_buffer_bytes(out, entry.path);
        hf_buffer_text(out, "\n");
        if (kind == HF_WALK_FILE && !options->count_only) {
            assert_true(entry.fd >= 0);
            close(entry.fd);
        }
        assert_true(kind == HF_WALK_FILE || entry.why != NULL);
    }
    hf_buffer_u8(out, 0);
    if (counts != NULL)
        *counts = hf_walk_counts(walk);
}

static void test_files_come_in_byte_order_of_names(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/b", 0700), 0);
    put("d/b/x");
    put("d/b-");
    put("d/\xff\n");
    put("d/B");
    put("d/a");
    walk_into(&out, &(struct hf_walk_options){0}, "d", NULL);
    assert_string_equal((char *)out.data, "f d/B\nf d/a\nf d/b/x\nf d/b-\nf d/\xff\n\n");
    walk_into(&out, &(struct hf_walk_options){.count_only = true}, "d/b/", NULL);
    assert_string_equal((char *)out.data, "f d/b/x\n");
}

static void test_a_file_given_is_one_file_and_a_missing_one_an_error(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_walk_counts counts;
    put("a");
    assert_int_equal(symlink("a", "link"), 0);
    walk_into(&out, &(struct hf_walk_options){0}, "a", NULL);
    assert_string_equal((char *)out.data, "f a\n");
    walk_into(&out, &(struct hf_walk_options){0}, "link", NULL); /* given: followed */
    assert_string_equal((char *)out.data, "f link\n");
    walk_into(&out, &(struct hf_walk_options){0}, "none", &counts);
    assert_string_equal((char *)out.data, "e none\n");
    assert_int_equal(counts.errors, 1);
    walk_into(&out, &(struct hf_walk_options){0}, "", &counts);
    assert_string_equal((char *)out.data, "e \n");
}

static void test_special_files_are_counted_and_never_opened(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_walk_counts counts;
    assert_int_equal(mkfifo("fifo", 0600), 0); /* opening it would wait for a writer */
    put("regular");
    walk_into(&out, &(struct hf_walk_options){0}, ".", &counts);
    assert_string_equal((char *)out.data, "s ./fifo\nf ./regular\n");
    assert_int_equal(counts.skipped[HF_SKIP_SPECIAL], 1);
    walk_into(&out, &(struct hf_walk_options){0}, "/dev/null", &counts);
    assert_string_equal((char *)out.data, "s /dev/null\n");
    walk_into(&out, &(struct hf_walk_options){0}, "/proc/self", &counts);
    assert_string_equal((char *)out.data, "s /proc/self\n");
    assert_int_equal(counts.skipped[HF_SKIP_KERNEL], 1);
    walk_into(&out, &(struct hf_walk_options){0}, "/proc/version", &counts);
    assert_int_equal(counts.skipped[HF_SKIP_KERNEL], 1);
}

static void test_symlinks_are_followed_only_when_asked_and_loops_end(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_walk_counts counts;
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/sub", 0700), 0);
    assert_int_equal(mkdir("other", 0700), 0);
    put("d/sub/f");
    put("other/g");
    assert_int_equal(symlink("..", "d/sub/up"), 0);
    assert_int_equal(symlink("sub", "d/again"), 0);
    assert_int_equal(symlink("../other", "d/x"), 0);
    assert_int_equal(symlink("../other/g", "d/y"), 0);
    assert_int_equal(symlink("self", "d/self"), 0);
    assert_int_equal(symlink("nowhere", "d/z"), 0);
    walk_into(&out, &(struct hf_walk_options){0}, "d", &counts);
    assert_int_equal(counts.skipped[HF_SKIP_SYMLINK], 6);
    assert_non_null(strstr((char *)out.data, "f d/sub/f\n"));
    assert_null(strstr((char *)out.data, "g\n"));
    walk_into(&out, &(struct hf_walk_options){.follow_symlinks = true, .folders_open = 3},
              "d", &counts);
    assert_string_equal(
        (char *)out.data,
        "f d/again/f\ns d/again/up\ns d/self\ns d/sub\nf d/x/g\nf d/y\ns d/z\n");
    assert_int_equal(counts.skipped[HF_SKIP_SEEN], 2);
}

static void test_excludes_fit_whole_paths_and_last_names(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_walk_counts counts;
    const char *globs[] = {"*.log", "d/keep/no*"};
    struct hf_walk_options options = {.excludes = globs, .exclude_count = 2};
    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/keep", 0700), 0);
    assert_int_equal(mkdir("d/dir.log", 0700), 0);
    put("d/dir.log/hidden");
    put("d/a.log");
    put("d/keep/not");
    put("d/keep/yes");
    walk_into(&out, &options, "d", &counts);
    assert_string_equal((char *)out.data,
                        "s d/a.log\ns d/dir.log\ns d/keep/not\nf d/keep/yes\n");
    assert_int_equal(counts.skipped[HF_SKIP_EXCLUDED], 3);
}

/* A chain of folders; leaves its innermost one open and returns it. */
static int dig(unsigned levels)
{
    int at = open(".", O_PATH | O_DIRECTORY);
    for (unsigned i = 0; i < levels; i++) {
        assert_int_equal(mkdirat(at, "sub", 0700), 0);
        int next = openat(at, "sub", O_PATH | O_DIRECTORY);
        close(at);
        at = next;
        if (i % 1000 == 0) {
            int fd =
                openat(at, "z", O_CREAT | O_WRONLY, 0600); /* visited on the way back */
            assert_true(fd >= 0);
            close(fd);
        }
    }
    return at;
}

static void test_ten_thousand_levels_need_few_descriptors(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_walk_counts counts;
    int deepest = dig(10000);
    int fd = openat(deepest, "deepest", O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    close(deepest);
    struct rlimit old, few = {24, 24};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    walk_into(&out, &(struct hf_walk_options){0}, "sub", &counts);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    size_t files = 0;
    for (const char *line = (char *)out.data; *line != 0; line = strchr(line, '\n') + 1)
        files += line[0] == 'f';
    assert_int_equal(files, 11);
    assert_int_equal(counts.folders, 10000);
    assert_int_equal(counts.errors, 0);
}

static void test_paths_longer_than_the_kernel_takes_can_be_given(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0}, path = {0};
    close(dig(3000));
    for (unsigned i = 0; i < 3000; i++)
        hf_buffer_text(&path, "sub/");
    hf_buffer_u8(&path, 0);
    int at = open(".", O_PATH);
    for (unsigned i = 0; i < 3000; i++) {
        int next = openat(at, "sub", O_PATH);
        close(at);
        at = next;
    }
    int fd = openat(at, "end", O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    close(at);
    walk_into(&out, &(struct hf_walk_options){0}, (char *)path.data, NULL);
    assert_int_equal(out.data[0], 'f');
    assert_string_equal((char *)out.data + out.len - 5, "end\n");
    path.len--;
    hf_buffer_add(&path, "end", 4);
    walk_into(&out, &(struct hf_walk_options){0}, (char *)path.data, NULL);
    assert_string_equal((char *)out.data + out.len - 5, "end\n");
}

static void test_a_folder_moved_under_our_feet_loses_only_itself(void **state)
{
    (void)state;
    assert_int_equal(mkdir("top", 0700), 0);
    assert_int_equal(mkdir("away", 0700), 0);
    assert_int_equal(mkdir("top/1", 0700), 0);
    assert_int_equal(mkdir("top/1/2", 0700), 0);
    assert_int_equal(mkdir("top/1/2/3", 0700), 0);
    assert_int_equal(mkdir("top/1/2/3/4", 0700), 0);
    put("top/1/2/3/4/inner");
    put("top/1/2/zzz");
    put("top/1/zz");
    put("top/z");
    put("away/decoy");
    struct hf_walk_options options = {.folders_open = 3};
    HF_AUTO(hf_walk_release) struct hf_walk *walk = hf_walk_new(&options);
    assert_int_equal(hf_walk_begin(walk, hf_bytes_text("top")), HF_OK);
    struct hf_walk_entry entry;
    assert_int_equal(hf_walk_next(walk, &entry), HF_WALK_FILE);
    close(entry.fd);
    assert_int_equal(rename("top/1/2/3", "away/3"), 0);
    assert_int_equal(rename("top/1/2", "away/2"), 0);
    assert_int_equal(mkdir("top/1/2", 0700), 0); /* same name, another folder */
    put("top/1/2/zzz");
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    enum hf_walk_kind kind;
    while ((kind = hf_walk_next(walk, &entry)) != HF_WALK_END) {
        hf_buffer_format(&out, "%c ", "fse"[kind]);
        hf_buffer_bytes(&out, entry.path);
        hf_buffer_text(&out, "\n");
        if (entry.fd >= 0)
            close(entry.fd);
    }
    hf_buffer_u8(&out, 0);
    /* 3 is open; from there neither ".." nor the way from top leads to the old 2. */
    assert_null(strstr((char *)out.data, "decoy"));
    assert_non_null(strstr((char *)out.data, "e top/1/2\n"));
    assert_non_null(strstr((char *)out.data, "f top/1/zz\n"));
    assert_non_null(strstr((char *)out.data, "f top/z\n"));
}

static void test_a_folder_of_many_files_is_walked_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i * 7919 % 20000);
        put(name);
    }
    HF_AUTO(hf_walk_release)
    struct hf_walk *walk = hf_walk_new(&(struct hf_walk_options){.count_only = true});
    assert_int_equal(hf_walk_begin(walk, hf_bytes_text(".")), HF_OK);
    char last[32] = "";
    unsigned count = 0;
    struct hf_walk_entry entry;
    while (hf_walk_next(walk, &entry) == HF_WALK_FILE) {
        assert_true(strcmp(last, (const char *)entry.path.data) < 0);
        snprintf(last, sizeof last, "%s", (const char *)entry.path.data);
        assert_int_equal(entry.st.st_size, strlen(last) - 2);
        count++;
    }
    assert_int_equal(count, 20000);
}

static void test_without_descriptors_the_walk_waits_and_loses_nothing(void **state)
{
    (void)state;
    put("a");
    put("b");
    HF_AUTO(hf_walk_release)
    struct hf_walk *walk = hf_walk_new(&(struct hf_walk_options){0});
    assert_int_equal(hf_walk_begin(walk, hf_bytes_text(".")), HF_OK);
    struct hf_walk_entry entry;
    assert_int_equal(hf_walk_next(walk, &entry), HF_WALK_FILE);
    struct rlimit old, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = (rlim_t)entry.fd;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct hf_walk_entry none;
    assert_int_equal(hf_walk_next(walk, &none), HF_WALK_BUSY);
    assert_int_equal(hf_walk_next(walk, &none), HF_WALK_BUSY);
    few.rlim_cur++;
    close(entry.fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    assert_int_equal(hf_walk_next(walk, &entry), HF_WALK_FILE);
    assert_string_equal((const char *)entry.path.data, "./b");
    close(entry.fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(hf_walk_next(walk, &entry), HF_WALK_END);
}

#define HOME_TEST(f) cmocka_unit_test_setup_teardown(f, enter_home, leave_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOME_TEST(test_files_come_in_byte_order_of_names),
        HOME_TEST(test_a_file_given_is_one_file_and_a_missing_one_an_error),
        HOME_TEST(test_special_files_are_counted_and_never_opened),
        HOME_TEST(test_symlinks_are_followed_only_when_asked_and_loops_end),
        HOME_TEST(test_excludes_fit_whole_paths_and_last_names),
        HOME_TEST(test_ten_thousand_levels_need_few_descriptors),
        HOME_TEST(test_paths_longer_than_the_kernel_takes_can_be_given),
        HOME_TEST(test_a_folder_moved_under_our_feet_loses_only_itself),
        HOME_TEST(test_a_folder_of_many_files_is_walked_in_order),
        HOME_TEST(test_without_descriptors_the_walk_waits_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
