#include "daemon/rights.h"

#include "base/fd.h"
#include "jail/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

bool hf_rights_become(const char *name)
{
    if (name == NULL || geteuid() != 0)
        return true;
    const struct passwd *who = getpwnam(name);
    if (who == NULL) {
        errno = ENOENT;
        return false;
    }
    return initgroups(who->pw_name, who->pw_gid) == 0 &&
           setresgid(who->pw_gid, who->pw_gid, who->pw_gid) == 0 &&
           setresuid(who->pw_uid, who->pw_uid, who->pw_uid) == 0;
}

/* ---- system calls ---- */

/* Memory, time, signals to oneself, messages, ends: for both. */
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
    "geteuid",
    "getuid",
    "sched_yield",
    "exit",
    "exit_group",
    "read",
    "write",
    "writev",
    "pread64",
    "lseek",
    "close",
    "close_range",
    "fstat",
    "fcntl",
    "recvmsg",
    "sendmsg",
    "sendto",
    "recvfrom",
    "poll",
    "ppoll",
    "shutdown",
    "getrlimit",
    "prlimit64",
    "dup",
    "sched_getaffinity",
    "statx",
    "newfstatat",
};

static const char *const allowed_listener[] = {
    "accept4",     "accept",      "epoll_wait",        "epoll_pwait",
    "epoll_ctl",   "getsockopt",  "setsockopt",        "memfd_create",
    "ftruncate",   "fallocate",   "socketpair",        "epoll_create1",
    "getpeername", "getsockname", "pidfd_send_signal", "fsync",
};

/* Looking and opening; what is opened, and how, is decided below. */
static const char *const allowed_opener[] = {
    "openat2",   "getdents64", "stat",     "lstat",      "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "fstatfs",
};

/* What an attacker would want first ends the process at once. */
static const char *const deadly[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kill",
    "tkill",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "keyctl",
    "add_key",
    "request_key",
    "personality",
    "connect",
    "bind",
    "listen",
    "socket",
    "open_by_handle_at",
    "symlink",
    "symlinkat",
    "link",
    "linkat",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "setxattr",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "reboot",
    "swapon",
    "setuid",
    "setgid",
    "setresuid",
    "setresgid",
};

static bool add_names(scmp_filter_ctx filter, uint32_t action, const char *const *names,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);
        if (number != __NR_SCMP_ERROR && number >= 0 &&
            seccomp_rule_add(filter, action, number, 0) != 0)
            return false;
    }
    return true;
}

/* The listener makes unlinked files only, and log files again when they are rotated are not its
 * business; the opener opens for reading only. Nobody maps code. */
static bool add_opening(scmp_filter_ctx filter, enum hf_role role)
{
    const unsigned writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
    struct scmp_arg_cmp unlinked = SCMP_A2(SCMP_CMP_MASKED_EQ, O_TMPFILE, O_TMPFILE);
    struct scmp_arg_cmp reading = SCMP_A2(SCMP_CMP_MASKED_EQ, writes, 0);
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                  role == HF_ROLE_LISTENER ? &unlinked : &reading) == 0;
}

static bool add_mapping(scmp_filter_ctx filter)
{
    struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_code) ==
               0 &&
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  &no_code) == 0;
}

static bool set_filter(enum hf_role role)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL)
        return false;
    bool listener = role == HF_ROLE_LISTENER;
    const char *const *own = listener ? allowed_listener : allowed_opener;
    size_t own_count = listener ? sizeof allowed_listener / sizeof *allowed_listener
                                : sizeof allowed_opener / sizeof *allowed_opener;
    bool good =
        seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
        add_names(filter, SCMP_ACT_ALLOW, allowed_both,
                  sizeof allowed_both / sizeof *allowed_both) &&
        add_names(filter, SCMP_ACT_ALLOW, own, own_count) &&
        add_names(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof deadly / sizeof *deadly) &&
        add_opening(filter, role) && add_mapping(filter) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return good;
}

/* ---- Landlock [landlock(7)] ---- */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif
enum {
    LANDLOCK_EXECUTE = 1 << 0,
    LANDLOCK_WRITE = 1 << 1,
    LANDLOCK_READ = 1 << 2,
    LANDLOCK_READ_DIR = 1 << 3,
    LANDLOCK_ALL = 0x1fff, /* of ABI 1 */
    LANDLOCK_BENEATH = 1
};

static void allow_beneath(int rules, const char *path, uint64_t rights)
{
    struct {
        uint64_t allowed;
        int32_t parent;
    } __attribute__((packed)) rule = {.allowed = rights};
    rule.parent = open(path, O_PATH | O_CLOEXEC | O_DIRECTORY);
    if (rule.parent < 0)
        return;
    (void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_BENEATH, &rule, 0);
    close(rule.parent);
}

static void set_landlock(enum hf_role role, const char *spool)
{
    uint64_t handled = LANDLOCK_ALL;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0)
        return;
    if (role == HF_ROLE_OPENER) {
        allow_beneath(rules, "/", LANDLOCK_READ | LANDLOCK_READ_DIR);
    } else {
        const char *dirs[] = {spool, getenv("TMPDIR"), "/var/tmp", "/tmp"};
        for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
            if (dirs[i] != NULL)
                allow_beneath(rules, dirs[i], LANDLOCK_WRITE | LANDLOCK_READ);
    }
    (void)syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    (void)syscall(SYS_capset, &header, none);
}

bool hf_rights_seal(enum hf_role role, const char *spool)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (HF_SEAL_SANITIZER) /* it needs files for its reports */
        return true;
    set_landlock(role, spool);
    /* An opener without a user of its own keeps the rights of root to read: its owner asked for
     * that by naming no user. */
    if (role == HF_ROLE_LISTENER)
        drop_capabilities();
    return set_filter(role);
}
