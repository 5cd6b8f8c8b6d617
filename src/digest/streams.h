/* streams.h - MD5 and SHA-256 of many byte streams at the same time. Both digests are chains: each
 * step waits for the one before, so one stream alone leaves most of a processor idle. Streams are
 * opened as soon as their bytes are there; whoever needs the digests of one closes it, and while
 * that one is worked through all others that are open advance beside it, 16 for MD5 and one more
 * for SHA-256. The digests are those of RFC 1321 and FIPS 180-4, whatever runs beside.
 *
 * Needs AVX-512 and the SHA instructions; elsewhere nothing is computed here, and hf_digest_add
 * does all of it. Allocates nothing, shares nothing between threads. */
#ifndef HF_DIGEST_STREAMS_H
#define HF_DIGEST_STREAMS_H

#include "digest/digest.h"

enum { HF_STREAM_BLOCK = 64 };

/* One chain: its own bytes, then the padded end. */
struct hf_chain {
    uint64_t done, blocks; /* in blocks of 64, the padded end included */
    uint32_t state[8];
    uint8_t end[2 * HF_STREAM_BLOCK];
};

/* Caller's storage; the bytes stay valid and unchanged until it is closed. */
struct hf_stream {
    struct hf_bytes bytes;
    unsigned kinds; /* bits 1 << kind: computed here; 0: it is not open */
    struct hf_chain md5, sha256;
    struct hf_stream *previous, *next;
};

/* The streams that are open, in the order in which they were opened. All zeros: none. */
struct hf_streams {
    struct hf_stream *first, *last;
};

/* Whether this processor can. */
bool hf_streams_supported(void);

/* Open a stream for the kinds of wanted (bits 1 << kind) that are computed here. */
void hf_stream_open(struct hf_streams *streams, struct hf_stream *stream,
                    struct hf_bytes bytes, unsigned wanted);

/* Close it: with its digests, which are added to *digests; or without. Closing one that is not
 * open does nothing. */
void hf_stream_finish(struct hf_streams *streams, struct hf_stream *stream,
                      struct hf_digests *digests);
void hf_stream_drop(struct hf_streams *streams, struct hf_stream *stream);

#endif
