/* seal.h - how the template and its workers give up rights, in order:
 *
 *   hf_seal_begin     first thing in the template: namespaces, while nothing is loaded
 *   hf_seal_template  libraries and databases are ready: capabilities, limits, Landlock, first
 *                     system call filter; workers inherit all of it
 *   hf_seal_worker    in each worker, with its descriptors in place: second, stricter filter
 *
 * Each layer is used where it works and none is required, except that nothing runs without one
 * that confines (hf_layers_confine), unless the environment says HOLDFAST_JAIL=none. With
 * HOLDFAST_JAIL=seccomp only the filters are used: tests prove that they suffice. */
#ifndef HF_JAIL_SEAL_H
#define HF_JAIL_SEAL_H

#include "jail/protocol.h"

/* Builds with AddressSanitizer, for tests only: it needs files for its reports and terabytes of
 * address space, so filters and limits make room for it. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HF_SEAL_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define HF_SEAL_SANITIZER 1
#endif
#ifndef HF_SEAL_SANITIZER
#define HF_SEAL_SANITIZER 0
#endif

struct sock_fprog;

enum hf_seal_mode { HF_SEAL_ALL, HF_SEAL_SECCOMP, HF_SEAL_NONE };

struct hf_seal {
    enum hf_seal_mode mode;
    uint32_t layers;                  /* that work so far */
    struct sock_fprog *worker_filter; /* made once in the template; owned; NULL: none */
    uint64_t memory;                  /* of a worker; 0: unlimited */
};

/* setting: value of HOLDFAST_JAIL or NULL. HF_INVALID: not one of the words above. */
HF_MUST_USE enum hf_status hf_seal_begin(struct hf_seal *seal, const char *setting);

/* file_max: largest file a worker may make of its spool; 0: no limit. HF_CRASHED: no layer
 * works. */
HF_MUST_USE enum hf_status hf_seal_template(struct hf_seal *seal, uint64_t memory,
                                            uint64_t file_max);

/* HF_CRASHED: a layer that was promised failed; the worker must not go on. */
HF_MUST_USE enum hf_status hf_seal_worker(const struct hf_seal *seal);

/* The filters. Compiled to a program that is allocated; NULL when this system cannot. */
enum hf_filter { HF_FILTER_TEMPLATE, HF_FILTER_WORKER };
struct sock_fprog *hf_filter_new(enum hf_filter which);
void hf_filter_free(struct sock_fprog *program);

/* Put a filter on this process, for good. False when the kernel has none. */
bool hf_filter_load(const struct sock_fprog *program);

#endif
