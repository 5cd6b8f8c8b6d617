/* jailed.h - the parent's side of holdfast-verify and holdfast-fetch: start one, hand it what it may
 * see, wait for its answer with a bound on time and on what it writes. */
#ifndef HF_UPDATE_JAILED_H
#define HF_UPDATE_JAILED_H

#include "feed/client.h"

#include <sys/types.h>

/* A helper process with its channel. */
struct hf_helper {
    pid_t pid; /* 0: none */
    int channel;
};

/* Start NAME ("holdfast-verify"): $HOLDFAST_LIBEXEC, beside the running program, the installed place.
 * spool becomes its descriptor 4 (-1: none). HF_REFUSE_JAIL. */
HF_MUST_USE enum hf_refusal hf_helper_start(struct hf_helper *helper, const char *name,
                                            int spool, uint64_t file_max);
void hf_helper_end(struct hf_helper *helper);

/* One datagram out and one in, as text. receive: at most timeout_ms; HF_REFUSE_FETCH_SLOW,
 * HF_REFUSE_JAIL (it has died). fds (may be NULL) of the caller. */
HF_MUST_USE enum hf_refusal hf_helper_send(struct hf_helper *helper,
                                           const struct hf_buffer *line, const int *fds,
                                           size_t fd_count);
HF_MUST_USE enum hf_refusal hf_helper_receive(struct hf_helper *helper, char *line,
                                              size_t room, int timeout_ms);

/* What holdfast-verify is asked. */
struct hf_jailed_call {
    const struct hf_buffer *line; /* the request */
    const int *fds;
    size_t fd_count;
    int spool;                           /* its descriptor 4 */
    uint64_t file_max;                   /* longest file it may make there */
    const struct hf_feed_source *source; /* for "get"; may be NULL */
    int timeout_ms;                      /* of its own work, what it asks for not counted */
};

/* Run to its end. *length: of what lies in the spool. why (may be NULL) receives a sentence. */
HF_MUST_USE enum hf_refusal hf_jailed_run(const struct hf_jailed_call *call,
                                          uint64_t *length, struct hf_buffer *why);

#endif
