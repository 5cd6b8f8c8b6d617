/* The layers that are not filters. Nothing here fails a start: what does not work is left out
 * of the layers and seen in `holdfast status --jail`. */
#include "jail/seal.h"

#include "jail/layers.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* [landlock(7)] Declared here: Debian 12's header knows ABI 2, kernels know more. */
struct landlock_attributes {
    uint64_t handled_access_fs, handled_access_net, scoped;
};
enum { LANDLOCK_VERSION_FLAG = 1, LANDLOCK_ABI_NEWEST = 6 };
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self  446
#endif

static bool set_landlock(void)
{
    /* By ABI: bits of file rights, of network rights, scopes, and bytes of the attributes. */
    static const struct {
        uint64_t fs, net, scoped;
        size_t size;
    } abis[LANDLOCK_ABI_NEWEST + 1] = {
        [1] = {0x1fff, 0, 0, 8},  [2] = {0x3fff, 0, 0, 8},  [3] = {0x7fff, 0, 0, 8},
        [4] = {0x7fff, 3, 0, 16}, [5] = {0xffff, 3, 0, 16}, [6] = {0xffff, 3, 3, 24},
    };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);
    if (abi < 1)
        return false;
    if (abi > LANDLOCK_ABI_NEWEST)
        abi = LANDLOCK_ABI_NEWEST;
    struct landlock_attributes a = {abis[abi].fs, abis[abi].net, abis[abi].scoped};
    long fd = syscall(SYS_landlock_create_ruleset, &a, abis[abi].size, 0);
    if (fd < 0)
        return false;
    /* No rule is added: everything that is handled is refused. */
    bool done = syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
    close((int)fd);
    return done;
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) == 0;
}

static bool set_limit(int which, uint64_t most)
{
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)which, &now) != 0)
        return false;
    rlim_t limit = most < now.rlim_max ? (rlim_t)most : now.rlim_max;
    return setrlimit((__rlimit_resource_t)which, &(struct rlimit){limit, limit}) == 0;
}

enum hf_status hf_seal_begin(struct hf_seal *seal, const char *setting)
{
    *seal = (struct hf_seal){.mode = HF_SEAL_ALL};
    if (setting != NULL && strcmp(setting, "seccomp") == 0)
        seal->mode = HF_SEAL_SECCOMP;
    else if (setting != NULL && strcmp(setting, "none") == 0)
        seal->mode = HF_SEAL_NONE;
    else if (setting != NULL && setting[0] != 0)
        return HF_INVALID;
    /* All at once, or the user's alone: a system may allow the one and not the others. */
    if (seal->mode == HF_SEAL_ALL &&
        unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0)
        seal->layers |= HF_LAYER_USER_NS;
    return HF_OK;
}

static void seal_beside_filter(struct hf_seal *seal, uint64_t file_max)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        seal->layers |= HF_LAYER_NO_NEW_PRIVS;
    if (set_landlock())
        seal->layers |= HF_LAYER_LANDLOCK;
    if (drop_capabilities())
        seal->layers |= HF_LAYER_NO_CAPS;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
        seal->layers |= HF_LAYER_NOT_DUMPABLE;
    signal(SIGXFSZ,
           SIG_IGN); /* a spool past its limit is an error to handle, not a death */
    if (set_limit(RLIMIT_CORE, 0) && (file_max == 0 || set_limit(RLIMIT_FSIZE, file_max)))
        seal->layers |= HF_LAYER_RLIMITS;
}

enum hf_status hf_seal_template(struct hf_seal *seal, uint64_t memory, uint64_t file_max)
{
    seal->memory = memory;
    if (seal->mode == HF_SEAL_NONE)
        return HF_OK;
    if (seal->mode == HF_SEAL_ALL)
        seal_beside_filter(seal, file_max);
    struct sock_fprog *own = hf_filter_new(HF_FILTER_TEMPLATE);
    seal->worker_filter = hf_filter_new(HF_FILTER_WORKER);
    if (own != NULL && seal->worker_filter != NULL && hf_filter_load(own))
        seal->layers |=
            HF_LAYER_SECCOMP | HF_LAYER_NO_NEW_PRIVS; /* filters need the latter */
    hf_filter_free(own);
    return hf_layers_confine(seal->layers) ? HF_OK : HF_CRASHED;
}

enum hf_status hf_seal_worker(const struct hf_seal *seal)
{
    if ((seal->layers & HF_LAYER_RLIMITS) != 0) {
        /* The template must still fork; a worker must not. Not enough alone: root is exempt. */
        (void)set_limit(RLIMIT_NPROC, 0);
        /* The sanitizer's shadow alone is terabytes. */
        if (seal->memory != 0 && !HF_SEAL_SANITIZER &&
            !set_limit(RLIMIT_DATA, seal->memory))
            return HF_CRASHED;
    }
    if ((seal->layers & HF_LAYER_SECCOMP) != 0 && !hf_filter_load(seal->worker_filter))
        return HF_CRASHED;
    return HF_OK;
}
