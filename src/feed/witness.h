/* witness.h - a witness: it cosigns what a log says of itself when that continues what the log said
 * before, and remembers it. The request is that of the public protocol, whether it came over the
 * network or from a folder. [C2SP tlog-witness "add-checkpoint"] */
#ifndef HF_FEED_WITNESS_H
#define HF_FEED_WITNESS_H

#include "feed/checkpoint.h"

enum { HF_WITNESS_PROOF_MAX = 63 };

/* What a witness remembers of one log. It must be stored before the answer is given. */
struct hf_witnessed {
    uint64_t size; /* 0: nothing cosigned yet */
    struct hf_hash root;
};

/*
 * Judge a request.
 *
 * log       that it claims to be about, by its origin and keys; another one: 404.
 * key       the witness's own, a cosigner. time: seconds since 1970.
 * known     in and out: changed only when 200 is returned.
 * answer    receives the body: signature lines (200), or the size that is known (409).
 * Returns 200, 400, 403, 404, 409, 422, or 500 (out of memory, cryptography).
 */
int hf_witness_judge(struct hf_merkle *m, struct hf_bytes request, const struct hf_log *log,
                     const struct hf_skey *key, uint64_t time, struct hf_witnessed *known,
                     struct hf_buffer *answer);

/* Append a request: the old size, the proof, the checkpoint as a note. */
void hf_witness_request(struct hf_buffer *out, uint64_t old, const struct hf_hash *proof,
                        size_t count, struct hf_bytes checkpoint);

#endif
