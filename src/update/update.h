/* update.h - one update of one publisher, from its sources to an active generation; going back; and
 * the fuse. For `holdfast update` and for the daemon, which runs it on a schedule.
 *
 * What the state names was proven, validated and tested; it changes by one rename. Nothing here ever
 * takes content away because it is old. */
#ifndef HF_UPDATE_UPDATE_H
#define HF_UPDATE_UPDATE_H

#include "update/site.h"

struct hf_update_options {
    bool check_only;         /* look, remember what was seen, take nothing */
    const char *from;        /* instead of the publisher's sources; NULL */
    uint64_t now;            /* 0: the clock */
    struct hf_bytes builtin; /* content that is always there, for the self-test */
    /* For tests that show what each of the others stops alone. */
    bool without_validator, without_selftest;
    uint64_t selftest_memory, selftest_ms; /* 0: defaults */
};

struct hf_update_result {
    bool news;                       /* a new generation is active */
    uint64_t version;                /* of the active generation; 0: none */
    uint64_t newest;                 /* version of the newest release known */
    enum hf_wait wait;               /* why the newest is not taken */
    uint64_t when;                   /* for rings: from when on */
    uint64_t age;                    /* seconds since what is known was vouched for */
    uint64_t fetched;                /* bytes */
    enum hf_refusal release_refusal; /* why the newest release is not believed; 0 */
    struct hf_buffer problem;        /* sentences for people */
};

/*
 * Update. The publisher's sources are tried in order; what is refused at one may be got at the next.
 *
 * Returns HF_ACCEPTED (nothing new is one), or why nothing was taken: the active generation is then
 * as it was. HF_REFUSE_DISK with "another update runs" in problem when it does.
 */
HF_MUST_USE enum hf_refusal hf_update_run(const struct hf_site *place, const char *name,
                                          const struct hf_update_options *options,
                                          struct hf_update_result *result);
void hf_update_result_done(struct hf_update_result *result);

/* Go back to the generation before; the active one is never taken again. HF_REFUSE_ARGUMENT: there is
 * none before. */
HF_MUST_USE enum hf_refusal hf_update_rollback(const struct hf_site *place,
                                               const char *name,
                                               struct hf_update_result *result);

/* Approve a release that waits, with the abilities it wants. version 0: the newest. */
HF_MUST_USE enum hf_refusal hf_update_approve(const struct hf_site *place, const char *name,
                                              uint64_t version,
                                              struct hf_update_result *result);

/*
 * Tell that workers failed while this publisher's active generation was in use: for whoever keeps
 * workers. Two failures within ten minutes, in the first day of a generation, take it back for good;
 * later ones do not, and none when workers failed within a week with content that was not new: so
 * nobody who feeds us crashing files can turn back the clock, or hold it.
 *
 * *reverted: whether that was done now: open the databases anew.
 */
enum hf_fuse { HF_FUSE_CRASH, HF_FUSE_SLOW };
HF_MUST_USE enum hf_refusal hf_update_fuse(const struct hf_site *place, const char *name,
                                           enum hf_fuse what, uint64_t now, bool *reverted);

/* The same when it is not known whose content it was: the publisher is taken whose active generation
 * was installed last. name: receives whose, "" nobody's. */
HF_MUST_USE enum hf_refusal hf_update_blame(const struct hf_site *place, enum hf_fuse what,
                                            uint64_t now, char name[HF_CHANNEL_MAX + 1],
                                            bool *reverted);

#endif
