/* The two system call filters, as tables. What is in neither table of a filter does not exist
 * for the process (ENOSYS); what no scan ever needs and attackers want ends it. Calls whose
 * arguments decide have rules at the bottom. Names unknown to the installed libseccomp are
 * skipped: they are then as good as unlisted. Other architectures' calls (i386, x32) end it. */
#include "jail/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Memory, signals to oneself, the clock, ends, and reading descriptors that were given. None
 * takes a path, none makes a descriptor, none reaches another process. fstat is the old call:
 * newfstatat and statx take paths. */
static const char *const allowed_both[] = {
    "brk",
    "madvise",
    "mremap",
    "munmap",
    "futex",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "restart_syscall",
    "clock_gettime",
    "gettimeofday",
    "time",
    "getrandom",
    "sysinfo",
    "getpid",
    "gettid",
    "getppid",
    "sched_getaffinity",
    "sched_yield",
    "exit",
    "exit_group",
    "read",
    "pread64",
    "lseek",
    "fstat",
    "fadvise64",
};

/* The template beside: waiting, and setting up a child before that seals itself. */
static const char *const allowed_template[] = {
    "ppoll",       "wait4",     "waitid",          "pidfd_open", "close",
    "close_range", "dup3",      "set_robust_list", "rseq",       "getrlimit",
    "setrlimit",   "prlimit64", "ftruncate",       "fallocate",
};

/* What attackers want and nobody here needs: the process ends at once, and its parent learns
 * why. Handled by arguments in one of the filters: clone, prctl, seccomp. */
static const char *const deadly_both[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kill",
    "tkill",
    "tgkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "pidfd_send_signal",
    "pidfd_getfd",
    "kcmp",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "unshare",
    "setns",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "io_setup",
    "io_submit",
    "keyctl",
    "add_key",
    "request_key",
    "memfd_create",
    "memfd_secret",
    "personality",
    "modify_ldt",
    "iopl",
    "ioperm",
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "open",
    "openat",
    "openat2",
    "creat",
    "open_by_handle_at",
    "name_to_handle_at",
    "truncate",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "rmdir",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "lchown",
    "fchown",
    "fchownat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
    "fanotify_init",
    "fanotify_mark",
    "inotify_init1",
    "quotactl",
    "quotactl_fd",
    "acct",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "syslog",
    "settimeofday",
    "clock_settime",
    "adjtimex",
    "clock_adjtime",
    "sethostname",
    "setdomainname",
    "setuid",
    "setgid",
    "setresuid",
    "setresgid",
    "setreuid",
    "setregid",
    "setgroups",
    "setfsuid",
    "setfsgid",
    "capset",
    "ioprio_set",
    "process_mrelease",
    "shmget",
    "shmat",
    "msgget",
    "semget",
    "mq_open",
    "landlock_create_ruleset",
    "vmsplice",
    "splice",
    "tee",
};

static const char *const deadly_worker[] = {"clone", "seccomp"};

/* A call allowed only when up to three arguments are right: (argument & mask) == value. */
struct condition {
    unsigned argument;
    uint64_t mask, value;
};
struct rule {
    const char *call;
    uint32_t action;
    struct condition when[3]; /* mask 0: no more conditions */
};

#define ALL_BITS  UINT64_MAX
#define MAP_TYPES 0x0f /* MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE */

/* New namespaces, shared memory, threads, tracing: a plain fork has none of these. */
#define CLONE_OTHER_THAN_FORK                                                              \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_PTRACE | CLONE_VFORK |      \
     CLONE_PARENT | CLONE_THREAD | CLONE_NEWNS | CLONE_SYSVSEM | CLONE_NEWCGROUP |         \
     CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_IO)

static const struct rule rules_both[] = {
    /* Messages on the one channel only; by sendmsg, which a connected socket sends nowhere
     * else. */
    {"recvmsg", SCMP_ACT_ALLOW, {{0, ALL_BITS, HF_CONTROL_FD}}},
    {"sendmsg", SCMP_ACT_ALLOW, {{0, ALL_BITS, HF_CONTROL_FD}}},
    /* No new code. */
    {"mprotect", SCMP_ACT_ALLOW, {{2, PROT_EXEC, 0}}},
    {"mprotect", SCMP_ACT_KILL_PROCESS, {{2, PROT_EXEC, PROT_EXEC}}},
    {"pkey_mprotect", SCMP_ACT_KILL_PROCESS, {{0}}},
    {"mmap", SCMP_ACT_KILL_PROCESS, {{2, PROT_EXEC, PROT_EXEC}}},
    {"mmap", SCMP_ACT_ALLOW, {{2, PROT_EXEC, 0}, {3, MAP_TYPES, MAP_PRIVATE}}},
    {"fcntl", SCMP_ACT_ALLOW, {{1, ALL_BITS, F_GETFD}}},
    {"fcntl", SCMP_ACT_ALLOW, {{1, ALL_BITS, F_GETFL}}},
    {"ioctl", SCMP_ACT_ERRNO(ENOTTY), {{0}}},
};

static const struct rule rules_template[] = {
    {"clone", SCMP_ACT_ALLOW, {{0, CLONE_OTHER_THAN_FORK, 0}}},
    {"mmap", SCMP_ACT_ALLOW, {{2, PROT_EXEC, 0}, {3, MAP_TYPES, MAP_SHARED}}},
    {"prctl", SCMP_ACT_ALLOW, {{0, ALL_BITS, PR_SET_PDEATHSIG}}},
    {"prctl", SCMP_ACT_ALLOW, {{0, ALL_BITS, PR_SET_NO_NEW_PRIVS}}},
    {"prctl", SCMP_ACT_ALLOW, {{0, ALL_BITS, PR_SET_NAME}}},
    {"seccomp", SCMP_ACT_ALLOW, {{0, ALL_BITS, SECCOMP_SET_MODE_FILTER}}},
};

/* Descriptor numbers carry rights here (channel 3, spool 4), so they must not change hands:
 * 0 to 4 cannot be closed, nothing can be duplicated. The kernel looks at the low 32 bits of a
 * descriptor only and libseccomp compares 64, so "above 4" is said as: one of 5, 6, 7, or
 * with one of the bits 3 to 13 set. */
static const struct rule rules_worker[] = {
    {"mmap",
     SCMP_ACT_ALLOW,
     {{2, PROT_EXEC, 0}, {3, MAP_TYPES, MAP_SHARED}, {4, ALL_BITS, HF_SPOOL_FD}}},
    {"fallocate", SCMP_ACT_ALLOW, {{0, ALL_BITS, HF_SPOOL_FD}}},
    {"ftruncate", SCMP_ACT_ALLOW, {{0, ALL_BITS, HF_SPOOL_FD}}},
    {"close", SCMP_ACT_ALLOW, {{0, ALL_BITS, 5}}},
    {"close", SCMP_ACT_ALLOW, {{0, ALL_BITS, 6}}},
    {"close", SCMP_ACT_ALLOW, {{0, ALL_BITS, 7}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 3, 1 << 3}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 4, 1 << 4}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 5, 1 << 5}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 6, 1 << 6}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 7, 1 << 7}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 8, 1 << 8}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 9, 1 << 9}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 10, 1 << 10}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 11, 1 << 11}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 12, 1 << 12}}},
    {"close", SCMP_ACT_ALLOW, {{0, 1 << 13, 1 << 13}}},
};

/* AddressSanitizer beside: reports to standard error, with names from /proc/self/maps, and
 * aborts. Its builds are for tests; real builds know nothing of this. */
#if HF_SEAL_SANITIZER
static const char *const allowed_sanitizer[] = {
    "open",       "openat",    "readlink",         "readlinkat",
    "newfstatat", "write",     "writev",           "close",
    "tgkill",     "nanosleep", "clock_nanosleep",  "getrlimit",
    "prlimit64",  "prctl",     "process_vm_readv", "set_robust_list",
    "rseq",       "uname",     "getdents64",       "stat",
};
#else
static const char *const allowed_sanitizer[] = {NULL};
#endif

static bool allowed_to_sanitizer(const char *call)
{
    for (size_t i = 0; i < sizeof allowed_sanitizer / sizeof *allowed_sanitizer; i++)
        if (allowed_sanitizer[i] != NULL && strcmp(allowed_sanitizer[i], call) == 0)
            return true;
    return false;
}

/* Add rules for calls that depend on no argument. Returns 0 or a negative errno. */
static int add_calls(scmp_filter_ctx ctx, const char *const *calls, size_t count,
                     uint32_t action)
{
    for (size_t i = 0; i < count; i++) {
        int number =
            calls[i] == NULL ? __NR_SCMP_ERROR : seccomp_syscall_resolve_name(calls[i]);
        if (number < 0 || (action != SCMP_ACT_ALLOW && allowed_to_sanitizer(calls[i])))
            continue; /* not on this architecture (negative pseudo numbers), or too new */
        int failed = seccomp_rule_add_array(ctx, action, number, 0, NULL);
        if (failed != 0)
            return failed;
    }
    return 0;
}

static int add_rules(scmp_filter_ctx ctx, const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct rule *r = &rules[i];
        int number = seccomp_syscall_resolve_name(r->call);
        if (number < 0 || allowed_to_sanitizer(r->call))
            continue;
        struct scmp_arg_cmp cmp[3];
        unsigned n = 0;
        while (n < 3 && r->when[n].mask != 0) {
            const struct condition *w = &r->when[n];
            cmp[n++] = w->mask == ALL_BITS
                           ? SCMP_CMP64(w->argument, SCMP_CMP_EQ, w->value)
                           : SCMP_CMP64(w->argument, SCMP_CMP_MASKED_EQ, w->mask, w->value);
        }
        int failed = seccomp_rule_add_array(ctx, r->action, number, n, cmp);
        if (failed != 0)
            return failed;
    }
    return 0;
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

static int fill(scmp_filter_ctx ctx, enum hf_filter which)
{
    int failed = add_calls(ctx, allowed_both, COUNT(allowed_both), SCMP_ACT_ALLOW);
    if (failed == 0)
        failed = add_calls(ctx, deadly_both, COUNT(deadly_both), SCMP_ACT_KILL_PROCESS);
    if (failed == 0)
        failed = add_rules(ctx, rules_both, COUNT(rules_both));
    if (failed == 0)
        failed =
            add_calls(ctx, allowed_sanitizer, COUNT(allowed_sanitizer), SCMP_ACT_ALLOW);
    if (failed == 0 && which == HF_FILTER_TEMPLATE)
        failed = add_calls(ctx, allowed_template, COUNT(allowed_template), SCMP_ACT_ALLOW);
    if (failed == 0 && which == HF_FILTER_TEMPLATE)
        failed = add_rules(ctx, rules_template, COUNT(rules_template));
    if (failed == 0 && which == HF_FILTER_WORKER)
        failed = add_calls(ctx, deadly_worker, COUNT(deadly_worker), SCMP_ACT_KILL_PROCESS);
    if (failed == 0 && which == HF_FILTER_WORKER)
        failed = add_rules(ctx, rules_worker, COUNT(rules_worker));
    return failed;
}

/* libseccomp gives its program out through a descriptor only. */
static struct sock_fprog *export_program(scmp_filter_ctx ctx)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct sock_fprog *program = NULL;
    off_t size = seccomp_export_bpf(ctx, fd) == 0 ? lseek(fd, 0, SEEK_END) : 0;
    size_t step = sizeof(struct sock_filter);
    if (size > 0 && (size_t)size % step == 0 && (size_t)size / step <= BPF_MAXINSNS)
        program = calloc(1, sizeof *program + (size_t)size);
    if (program != NULL) {
        program->len = (unsigned short)((size_t)size / step);
        program->filter = (struct sock_filter *)(void *)(program + 1);
        if (pread(fd, program->filter, (size_t)size, 0) != size) {
            free(program);
            program = NULL;
        }
    }
    close(fd);
    return program;
}

struct sock_fprog *hf_filter_new(enum hf_filter which)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (ctx == NULL)
        return NULL;
    struct sock_fprog *program = NULL;
    if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
        seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && fill(ctx, which) == 0)
        program = export_program(ctx);
    seccomp_release(ctx);
    return program;
}

void hf_filter_free(struct sock_fprog *program)
{
    free(program);
}

bool hf_filter_load(const struct sock_fprog *program)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0;
}
