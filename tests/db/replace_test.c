/* What is left of an old database when building the new one goes wrong: all of it. */
#include "base/fd.h"
#include "compile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

enum { LINES = 30000 };
static char folder[] = "/tmp/holdfast-replace-XXXXXX";
static char path[64];
static struct hf_buffer text;

/* Calls that change files, counted down in a child: at the last one it dies, or the disk is full.
 * These stand in for the C library's. */
static unsigned calls_left; /* 0: nothing happens */
static bool disk_full;

static bool fails_now(void)
{
    if (calls_left == 0 || --calls_left > 0)
        return false;
    if (!disk_full)
        kill(getpid(), SIGKILL);
    calls_left = 1; /* and full it stays */
    errno = ENOSPC;
    return true;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return fails_now() ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return fails_now() ? -1 : syscall(SYS_write, fd, data, size);
}

int fsync(int fd)
{
    return fails_now() ? -1 : (int)syscall(SYS_fsync, fd);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return fails_now() ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int rename(const char *from, const char *to)
{
    return fails_now() ? -1 : (int)syscall(SYS_rename, from, to);
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/x.hfdb", folder);
    for (unsigned i = 0; i < LINES; i++)
        hf_buffer_format(&text, "%032llx:%u:Win.Replace.F%u-%u\n",
                         i * 0x9e3779b97f4a7c15ull, 1 + i % 5000, i % 40, i);
    return 0;
}

static enum hf_status build(struct hf_bytes lines);

static int remove_folder(void **state)
{
    (void)state;
    hf_buffer_done(&text);
    (void)build(hf_bytes_text("\n")); /* removes what killed ones have left */
    (void)unlink(path);
    return rmdir(folder); /* fails when a build left something there */
}

/* Build and write the whole text, or its first lines only. */
static enum hf_status build(struct hf_bytes lines)
{
    struct hf_build *b = hf_build_new(NULL, NULL);
    enum hf_status st = b == NULL ? HF_NOMEM : hf_build_read_text(b, "a.hdb", lines);
    if (st == HF_OK)
        st = hf_build_write_file(b, path);
    hf_build_free(b);
    return st;
}

/* How many signatures the file has; asserts that it is whole. */
static uint64_t count_whole(void)
{
    struct hf_db *db;
    struct hf_buffer note = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(hf_db_open(&fd, 1, &db), HF_OK);
    assert_int_equal(hf_db_check(db, &note), HF_OK);
    uint64_t count = hf_db_signature_count(db, 0);
    hf_db_close(db);
    hf_buffer_done(&note);
    close(fd);
    return count;
}

static struct hf_bytes small(void)
{
    const uint8_t *end = memchr(text.data, '\n', text.len);
    return hf_bytes_of(text.data, (size_t)(end - text.data));
}

static void a_killed_build_leaves_the_old_one(void **state)
{
    (void)state;
    unsigned old = 0, new = 0;
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(build(small()), HF_OK);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            _exit(build(hf_buffer_view(&text)) == HF_OK ? 0 : 1);
        usleep(i * 1500);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        uint64_t count = count_whole();
        assert_true(count == 1 || count == LINES);
        old += count == 1;
        new += count == LINES;
    }
    assert_int_equal(old + new, 40);
}

/* In a child that may write files of this size only: what a full disk looks like. */
static int build_with_room(rlim_t bytes)
{
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, bytes});
        enum hf_status st = build(hf_buffer_view(&text));
        _exit(st == HF_OK ? 0 : st == HF_IO && errno == EFBIG ? 1 : 2);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_full_disk_leaves_the_old_one(void **state)
{
    (void)state;
    struct stat whole;
    assert_int_equal(build(hf_buffer_view(&text)), HF_OK);
    assert_int_equal(stat(path, &whole), 0);
    assert_int_equal(build(small()), HF_OK);
    for (rlim_t room = 0; room < (rlim_t)whole.st_size;
         room += (rlim_t)whole.st_size / 13) {
        assert_int_equal(build_with_room(room), 1);
        assert_int_equal(count_whole(), 1);
    }
    assert_int_equal(build_with_room(16 << 20), 0);
    assert_int_equal(count_whole(), LINES);
}

/* In a child whose n-th call goes wrong. Returns its wait status. */
static int build_until(unsigned n, bool full)
{
    pid_t pid = fork();
    if (pid == 0) {
        calls_left = n;
        disk_full = full;
        _exit(build(hf_buffer_view(&text)) == HF_OK ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static unsigned files_in_folder(void)
{
    unsigned n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void killed_at_any_write_the_old_one_stays(void **state)
{
    (void)state;
    unsigned n = 0, status;
    do {
        assert_int_equal(build(small()), HF_OK);
        assert_int_equal(files_in_folder(), 1); /* what the last one left is gone */
        status = (unsigned)build_until(++n, false);
        uint64_t count = count_whole();
        assert_true(count == 1 || count == LINES);
        assert_true(files_in_folder() <= 2);
    } while (WIFSIGNALED(status));
    assert_int_equal(status, 0);
    assert_true(n > 6); /* some writes, two fsyncs, link, rename */
    assert_int_equal(count_whole(), LINES);
}

static void a_disk_full_at_any_write_leaves_the_old_one(void **state)
{
    (void)state;
    int status;
    unsigned n = 0;
    do {
        assert_int_equal(build(small()), HF_OK);
        status = build_until(++n, true);
        uint64_t count = count_whole();
        assert_int_equal(files_in_folder(), 1);
        assert_true(WIFEXITED(status));
        /* The last call synchronises the folder: the new one is in place then. */
        assert_true(count == 1 || count == LINES);
        assert_true(WEXITSTATUS(status) != 0 || count == LINES);
    } while (WEXITSTATUS(status) != 0);
    assert_true(n > 6);
}

static void a_folder_that_cannot_be_written_is_said(void **state)
{
    (void)state;
    struct hf_build *b = hf_build_new(NULL, NULL);
    assert_int_equal(hf_build_write_file(b, "/proc/x.hfdb"), HF_IO);
    assert_int_equal(hf_build_write_file(b, folder), HF_IO); /* a folder is there */
    hf_build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_build_leaves_the_old_one),
        cmocka_unit_test(a_full_disk_leaves_the_old_one),
        cmocka_unit_test(killed_at_any_write_the_old_one_stays),
        cmocka_unit_test(a_disk_full_at_any_write_leaves_the_old_one),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_said),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
