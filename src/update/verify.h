/* verify.h - the jailed process that judges an update: what it is asked, in datagrams over
 * descriptor 3, and what it answers in the file at descriptor 4. It has no files, no network and no
 * way to get either (jail/seal.h): every byte of a feed that it sees was handed to it.
 *
 * A request is a line of words with descriptors:
 *
 *   poll NOW ENGINE    root note, policy, settings, state -> may ask for files, then answers
 *   recover NOW ENGINE root note, policy, settings, state, then release and proof of each generation
 *   rebuild SIZE       object, and the file that it was made against, if any -> the file itself
 *   validate WORD...   a database, and the capabilities that its manifest declares
 *
 * It asks with "get MAX PATH" and is answered by "ok" with a descriptor or "no NUMBER". It ends with
 * "done LENGTH" or "refused NUMBER sentence"; numbers are those of enum hf_refusal. */
#ifndef HF_UPDATE_VERIFY_H
#define HF_UPDATE_VERIFY_H

#include "feed/client.h"

enum { HF_VERIFY_DATAGRAM_MAX = 4096, HF_VERIFY_FDS_MAX = 16 };
#define HF_VERIFY_MEMORY (UINT64_C(1) << 30)

/* What a poll answers: which release, if any, is to be taken, with all that shows why. */
struct hf_verdict_answer {
    struct hf_bytes state, root_note; /* new; texts */
    uint32_t wait; /* enum hf_wait of the newest release that is not taken */
    uint64_t when; /* for rings */
    bool take;
    uint64_t release;            /* which of the state's releases */
    struct hf_bytes note, proof; /* of it */
    uint32_t refusal;            /* why the newest release was not taken; 0: was not */
};
void hf_answer_write(struct hf_buffer *out, const struct hf_verdict_answer *answer);
HF_MUST_USE bool hf_answer_read(struct hf_bytes bytes, struct hf_verdict_answer *answer);

/* In the process: serve one request and return its exit code. */
int hf_verify_main(void);

/* Judge a poll, for hf_verify_main and for tests. The answer borrows from the buffers, which the
 * caller has. */
struct hf_poll_result {
    struct hf_buffer state, note, proof;
    struct hf_client *client;
    struct hf_verdict_answer answer;
};
HF_MUST_USE enum hf_refusal hf_poll_run(const struct hf_client_options *options,
                                        const struct hf_state *state,
                                        struct hf_poll_result *result);
void hf_poll_done(struct hf_poll_result *result);

#endif
