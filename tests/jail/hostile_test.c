/* Hostile code in a worker: what it must not be able to do, with the system call filter as the
 * only layer of the jail. The control shows that the same attempts work without one. */
#include "fixture.h"

#include "jail/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum expected {
    KILLED,      /* the process ends: crash */
    NONEXISTENT, /* ENOSYS */
    NO_TERMINAL  /* ENOTTY */
};

/* A system call and its arguments; p is a pointer to zeros. */
struct attempt {
    const char *name;
    int number;
    const char *arguments;
    enum expected expected;
    bool sanitizer; /* allowed in builds with AddressSanitizer */
};

/* In groups: files, network, programs, other processes, kernel, memory, descriptors. */
static const struct attempt attempts[] = {
    {"openat", SYS_openat, "-100 p 0", KILLED, true},
    {"openat2", SYS_openat2, "-100 p p 24", KILLED, false},
    {"open_by_handle_at", SYS_open_by_handle_at, "-100 p 0", KILLED, false},
    {"newfstatat", SYS_newfstatat, "-100 p p 0", NONEXISTENT, true},
    {"newfstatat without a path", SYS_newfstatat, "0 p p 0x1000", NONEXISTENT, true},
    {"statx", SYS_statx, "-100 p 0 0 p", NONEXISTENT, false},
    {"faccessat", SYS_faccessat, "-100 p 0", NONEXISTENT, false},
    {"getcwd", SYS_getcwd, "p 4096", NONEXISTENT, false},
    {"chdir", SYS_chdir, "p", NONEXISTENT, false},
    {"unlinkat", SYS_unlinkat, "-100 p 0", KILLED, false},
    {"renameat2", SYS_renameat2, "-100 p -100 p 0", KILLED, false},
    {"linkat", SYS_linkat, "-100 p -100 p 0", KILLED, false},
    {"symlinkat", SYS_symlinkat, "p -100 p", KILLED, false},
    {"mkdirat", SYS_mkdirat, "-100 p 0", KILLED, false},
    {"fchmod", SYS_fchmod, "5 0", KILLED, false},
    {"fchown", SYS_fchown, "5 0 0", KILLED, false},
    {"utimensat", SYS_utimensat, "5 0 p 0", NONEXISTENT, false},
    {"fsetxattr", SYS_fsetxattr, "5 p p 0 0", KILLED, false},
    {"flock", SYS_flock, "5 2", NONEXISTENT, false},
    {"truncate", SYS_truncate, "p 0", KILLED, false},
    {"socket", SYS_socket, "1 1 0", KILLED, false},
    {"socketpair", SYS_socketpair, "1 1 0 p", KILLED, false},
    {"connect", SYS_connect, "3 p 16", KILLED, false},
    {"bind", SYS_bind, "3 p 16", KILLED, false},
    {"listen", SYS_listen, "3 1", KILLED, false},
    {"accept4", SYS_accept4, "3 p p 0", KILLED, false},
    {"sendto", SYS_sendto, "3 p 4 0 0 0", NONEXISTENT, false},
    {"sendmmsg", SYS_sendmmsg, "3 p 1 0", NONEXISTENT, false},
    {"sendmsg elsewhere", SYS_sendmsg, "4 p 0", NONEXISTENT, false},
    {"recvmsg elsewhere", SYS_recvmsg, "4 p 0", NONEXISTENT, false},
    {"setsockopt", SYS_setsockopt, "3 1 1 p 4", NONEXISTENT, false},
    {"shutdown", SYS_shutdown, "3 2", NONEXISTENT, false},
    {"execve", SYS_execve, "p p p", KILLED, false},
    {"execveat", SYS_execveat, "5 p p p 0x1000", KILLED, false},
    {"clone", SYS_clone, "17 0 0 0 0", KILLED, false},
    {"clone of a namespace", SYS_clone, "0x10000011 0 0 0 0", KILLED, false},
    {"clone3", SYS_clone3, "p 64", NONEXISTENT, false},
    {"ptrace", SYS_ptrace, "0 0 0 0", KILLED, false},
    {"process_vm_readv", SYS_process_vm_readv, "1 p 1 p 1 0", KILLED, true},
    {"process_vm_writev", SYS_process_vm_writev, "1 p 1 p 1 0", KILLED, false},
    {"kill", SYS_kill, "1 0", KILLED, false},
    {"kill of all", SYS_kill, "-1 0", KILLED, false},
    {"tkill", SYS_tkill, "1 0", KILLED, false},
    {"tgkill", SYS_tgkill, "1 1 0", KILLED, true},
    {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, "1 0 p", KILLED, false},
    {"pidfd_open", SYS_pidfd_open, "1 0", NONEXISTENT, false},
    {"pidfd_send_signal", SYS_pidfd_send_signal, "5 0 0 0", KILLED, false},
    {"pidfd_getfd", SYS_pidfd_getfd, "5 0 0", KILLED, false},
    {"prctl", SYS_prctl, "4 1", NONEXISTENT, true},
    {"prlimit64", SYS_prlimit64, "1 0 0 p", NONEXISTENT, true},
    {"setpriority", SYS_setpriority, "0 0 -20", NONEXISTENT, false},
    {"sched_setaffinity", SYS_sched_setaffinity, "1 8 p", NONEXISTENT, false},
    {"setuid", SYS_setuid, "0", KILLED, false},
    {"capset", SYS_capset, "p p", KILLED, false},
    {"wait4", SYS_wait4, "-1 p 1 p", NONEXISTENT, false},
    {"mount", SYS_mount, "p p p 0 p", KILLED, false},
    {"umount2", SYS_umount2, "p 0", KILLED, false},
    {"pivot_root", SYS_pivot_root, "p p", KILLED, false},
    {"chroot", SYS_chroot, "p", KILLED, false},
    {"fsopen", SYS_fsopen, "p 0", KILLED, false},
    {"move_mount", SYS_move_mount, "0 p 0 p 0", KILLED, false},
    {"unshare", SYS_unshare, "0x10000000", KILLED, false},
    {"setns", SYS_setns, "5 0", KILLED, false},
    {"bpf", SYS_bpf, "0 p 64", KILLED, false},
    {"seccomp", SYS_seccomp, "2 0 p", KILLED, false},
    {"io_uring_setup", SYS_io_uring_setup, "1 p", KILLED, false},
    {"io_uring_enter", SYS_io_uring_enter, "5 1 0 0", KILLED, false},
    {"io_uring_register", SYS_io_uring_register, "5 0 p 0", KILLED, false},
    {"io_setup", SYS_io_setup, "1 p", KILLED, false},
    {"userfaultfd", SYS_userfaultfd, "1", KILLED, false},
    {"perf_event_open", SYS_perf_event_open, "p 0 -1 -1 0", KILLED, false},
    {"keyctl", SYS_keyctl, "0 -3 0", KILLED, false},
    {"add_key", SYS_add_key, "p p p 1 -3", KILLED, false},
    {"request_key", SYS_request_key, "p p p 0", KILLED, false},
    {"personality", SYS_personality, "0x0040000", KILLED, false},
    {"init_module", SYS_init_module, "p 1 p", KILLED, false},
    {"syslog", SYS_syslog, "10 p 0", KILLED, false},
    {"landlock_create_ruleset", 444, "0 0 1", KILLED, false},
    {"uname", SYS_uname, "p", NONEXISTENT, true},
    {"memfd_create", SYS_memfd_create, "p 0", KILLED, false},
    {"memfd_secret", 447, "0", KILLED, false},
    {"shmget", SYS_shmget, "0 4096 0x200", KILLED, false},
    {"mq_open", SYS_mq_open, "p 0x40 0x1c0 0", KILLED, false},
    {"mmap of code", SYS_mmap, "0 4096 7 0x22 -1 0", KILLED, false},
    {"mmap of an object as code", SYS_mmap, "0 4096 5 2 5 0", KILLED, false},
    {"mmap of the spool as code", SYS_mmap, "0 4096 5 1 4 0", KILLED, false},
    {"mmap shared", SYS_mmap, "0 4096 3 0x21 -1 0", NONEXISTENT, false},
    {"mmap shared, the long way", SYS_mmap, "0 4096 3 3 5 0", NONEXISTENT, false},
    {"mprotect to code", SYS_mprotect, "p 4096 5", KILLED, false},
    {"pkey_mprotect", SYS_pkey_mprotect, "p 4096 5 -1", KILLED, false},
    {"remap_file_pages", SYS_remap_file_pages, "p 4096 0 0 0", NONEXISTENT, false},
    {"dup", SYS_dup, "5", NONEXISTENT, false},
    {"dup3", SYS_dup3, "5 4 0", NONEXISTENT, false},
    {"fcntl F_DUPFD", SYS_fcntl, "5 0 4", NONEXISTENT, false},
    {"fcntl F_SETFL", SYS_fcntl, "3 4 0x800", NONEXISTENT, false},
    {"fcntl F_SETOWN", SYS_fcntl, "3 8 1", NONEXISTENT, false},
    {"fcntl F_ADD_SEALS", SYS_fcntl, "5 1033 1", NONEXISTENT, false},
    {"close_range", SYS_close_range, "3 4 0", NONEXISTENT, false},
    {"close of the channel", SYS_close, "3", NONEXISTENT, true},
    {"close of the spool", SYS_close, "4", NONEXISTENT, true},
    {"write to nowhere", SYS_write, "1 p 1", NONEXISTENT, true},
    {"write to the channel", SYS_write, "3 p 1", NONEXISTENT, true},
    {"write to the spool", SYS_write, "4 p 1", NONEXISTENT, true},
    {"pwrite to the spool", SYS_pwrite64, "4 p 1 0", NONEXISTENT, false},
    {"ftruncate of an object", SYS_ftruncate, "5 0", NONEXISTENT, false},
    {"fallocate of an object", SYS_fallocate, "5 0 0 1", NONEXISTENT, false},
    {"splice", SYS_splice, "4 0 3 0 1 0", KILLED, false},
    {"sendfile", SYS_sendfile, "3 4 p 1", NONEXISTENT, false},
    {"copy_file_range", SYS_copy_file_range, "4 0 5 0 1 0", NONEXISTENT, false},
    {"pipe2", SYS_pipe2, "p 0", NONEXISTENT, false},
    {"eventfd2", SYS_eventfd2, "0 0", NONEXISTENT, false},
    {"epoll_create1", SYS_epoll_create1, "0", NONEXISTENT, false},
    {"inotify_init1", SYS_inotify_init1, "0", KILLED, false},
    {"timer_create", SYS_timer_create, "0 p p", NONEXISTENT, false},
    {"ioctl TIOCSTI", SYS_ioctl, "0 0x5412 p", NO_TERMINAL, false},
    {"ioctl FICLONE", SYS_ioctl, "5 0x40049409 5", NO_TERMINAL, false},
#ifdef __x86_64__
    {"open", SYS_open, "p 0", KILLED, true},
    {"creat", SYS_creat, "p 0", KILLED, false},
    {"stat", SYS_stat, "p p", NONEXISTENT, true},
    {"readlink", SYS_readlink, "p p 10", NONEXISTENT, true},
    {"fork", SYS_fork, "", KILLED, false},
    {"vfork", SYS_vfork, "", KILLED, false},
    {"dup2", SYS_dup2, "5 4", NONEXISTENT, false},
    {"modify_ldt", SYS_modify_ldt, "0 p 16", KILLED, false},
    {"iopl", SYS_iopl, "3", KILLED, false},
#endif
};
enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

static const bool sanitizer = HF_SEAL_SANITIZER;

static void check_attempt(const struct attempt *a, const struct outcome *o)
{
    static const int error_of[] = {
        [KILLED] = 0, [NONEXISTENT] = ENOSYS, [NO_TERMINAL] = ENOTTY};
    if (sanitizer && a->sanitizer)
        return;
    bool good = a->expected == KILLED ? o->reasons == HF_REASON_CRASH && o->findings == 0
                                      : o->number == HOSTILE_REFUSED &&
                                            (int)o->offset == error_of[a->expected];
    if (!good)
        fail_msg("%s: reasons %u, outcome %u, value %d", a->name, o->reasons, o->number,
                 (int)o->offset);
}

static void test_every_forbidden_call_is_refused_by_seccomp_alone(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("seccomp", &(struct hf_pool_options){.workers = 2});
    uint32_t layers = hf_pool_stats(f->pool).layers;
    assert_int_equal(layers, HF_LAYER_SECCOMP | HF_LAYER_NO_NEW_PRIVS);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        char text[128];
        snprintf(text, sizeof text, "call %d %s", attempts[i].number,
                 attempts[i].arguments);
        assert_int_equal(fixture_submit(f, text), 2 * i);
        fixture_submit(f, "clean"); /* a bystander in the same batch */
    }
    fixture_finish(f);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        check_attempt(&attempts[i], &f->outcomes[2 * i]);
        assert_clean(&f->outcomes[2 * i + 1]);
    }
    fixture_close(f);
}

/* Not a property of the product: it shows that the attempts mean what they say. */
static void test_without_a_filter_the_calls_do_exist(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("none", &(struct hf_pool_options){.workers = 1});
    size_t existing = 0;
    for (size_t i = 0; i < ATTEMPTS; i++) {
        const struct attempt *a = &attempts[i];
        char text[128];
        if (strstr("kill of all,fork,vfork,clone,clone of a namespace,wait4,personality",
                   a->name) != NULL)
            continue; /* would have effects */
        snprintf(text, sizeof text, "call %d %s", a->number, a->arguments);
        const struct outcome *o = fixture_run(f, text);
        existing += o->number == HOSTILE_DONE ||
                    (o->number == HOSTILE_REFUSED && o->offset != ENOSYS);
    }
    assert_true(existing > ATTEMPTS * 8 / 10);
    fixture_close(f);
}

static void test_calls_of_other_architectures_end_the_worker(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip();
#endif
    struct fixture *f = fixture_open("seccomp", &(struct hf_pool_options){.workers = 1});
    assert_unscannable(fixture_run(f, "i386"), HF_REASON_CRASH);
    assert_unscannable(fixture_run(f, "x32"), HF_REASON_CRASH);
    assert_clean(fixture_run(f, "clean"));
    fixture_close(f);
}

static void test_an_object_cannot_be_written_even_when_its_descriptor_can(void **state)
{
    (void)state;
    if (sanitizer)
        skip();
    char path[] = "/tmp/holdfast-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "write", 5), 5);
    struct fixture *f = fixture_open("seccomp", &(struct hf_pool_options){.workers = 1});
    uint64_t id = fixture_submit_fd(f, open(path, O_RDWR | O_CLOEXEC));
    fixture_finish(f);
    assert_int_equal(f->outcomes[id].number, HOSTILE_REFUSED);
    char text[32];
    assert_int_equal(pread(fd, text, sizeof text, 0), 5);
    fixture_close(f);
    /* The control: without the filter it is overwritten. */
    f = fixture_open("none", &(struct hf_pool_options){.workers = 1});
    id = fixture_submit_fd(f, open(path, O_RDWR | O_CLOEXEC));
    fixture_finish(f);
    assert_int_equal(f->outcomes[id].number, HOSTILE_DONE);
    fixture_close(f);
    close(fd);
    unlink(path);
}

static void test_descriptor_numbers_cannot_change_hands(void **state)
{
    (void)state;
    if (sanitizer)
        skip();
    struct fixture *f = fixture_open("seccomp", &(struct hf_pool_options){.workers = 1});
    assert_int_equal(fixture_run(f, "steal")->number, HOSTILE_REFUSED);
    fixture_close(f);
}

static void test_objects_are_closed_whatever_their_number(void **state)
{
    (void)state;
    struct fixture *f = fixture_open("seccomp", &(struct hf_pool_options){.workers = 1});
    for (int i = 0; i < 640; i++)
        fixture_submit(f, "clean");
    uint64_t last = fixture_submit(f, "descriptors");
    fixture_finish(f);
    assert_true(f->outcomes[last].offset <= HF_BATCH_MAX); /* of its own batch */
    assert_int_equal(fixture_run(f, "descriptors")->offset, 1);
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_forbidden_call_is_refused_by_seccomp_alone),
        cmocka_unit_test(test_without_a_filter_the_calls_do_exist),
        cmocka_unit_test(test_calls_of_other_architectures_end_the_worker),
        cmocka_unit_test(test_an_object_cannot_be_written_even_when_its_descriptor_can),
        cmocka_unit_test(test_descriptor_numbers_cannot_change_hands),
        cmocka_unit_test(test_objects_are_closed_whatever_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
