/* pusher.h - a decoder's end of the sink: keeps the promises of struct hf_sink (no write to a
 * child that is not wanted, no close after a stop) so that decoders need not repeat them. */
#ifndef HF_UNPACK_PUSHER_H
#define HF_UNPACK_PUSHER_H

#include "unpack/unpack.h"

struct hf_pusher {
    struct hf_unpack *unpack; /* borrowed */
    uint64_t number;          /* of the next child; counted when one is opened, or whole */
    bool wanted;              /* a child is open, and the sink still takes its bytes */
    enum hf_status stop; /* HF_LIMIT or HF_STOPPED once the sink has said so, else HF_OK */

    /* The child that is open or announced: */
    struct hf_child child;
    bool announced;      /* it opens with its first bytes */
    bool is_guess;       /* see hf_pusher_guess */
    uint64_t guess_size; /* HF_UNKNOWN: any */
    uint32_t crc;        /* CRC-32 of the bytes written; may be set to 0 in between */
    uint64_t total;      /* bytes written */
};

struct hf_pusher hf_pusher_of(struct hf_unpack *unpack);

/* A child of which nothing is known yet but that it is a file. */
struct hf_child hf_child_unknown(void);

/*
 * A child begins; its number is filled in here. Afterwards `wanted` says whether its bytes have
 * a taker: a decoder that can jump over unwanted ones does, others push all the same.
 * Returns HF_OK, or HF_LIMIT or HF_STOPPED: return that.
 */
HF_MUST_USE enum hf_status hf_pusher_begin(struct hf_pusher *out, struct hf_child child);

/* A child that begins with its first bytes, or by hf_pusher_open: none is left by what proves to
 * be something else. What open and push return stays in stop, for those who look there. */
void hf_pusher_announce(struct hf_pusher *out, struct hf_child child);
enum hf_status hf_pusher_open(struct hf_pusher *out);

/* As announce, for what perhaps is no stream at all: no child unless more than a piece decodes, or
 * all of it, to size bytes (HF_UNKNOWN: any number). */
void hf_pusher_guess(struct hf_pusher *out, struct hf_child child, uint64_t size);

/* Whether what was decoded so far shows that a guess was wrong: nothing is to be pushed then.
 * ended: as it should; count: bytes that are ready. Always false once the child is open. */
bool hf_pusher_doubts(const struct hf_pusher *out, bool ended, uint64_t count);

/* Whether somebody takes the bytes of the child that was begun or announced: decoders of one
 * stream stop when nobody does. */
static inline bool hf_pusher_has_taker(const struct hf_pusher *out)
{
    return out->stop == HF_OK && (out->wanted || out->announced);
}

/* More bytes. Those that nobody wants are charged as unpacked all the same: the work was done,
 * and a bomb must not hide behind a refused child. Returns as begin. */
enum hf_status hf_pusher_push(struct hf_pusher *out, const void *data, size_t len);

/* As many zeros, unless nobody wants them: what a container leaves out of a sparse file. */
HF_MUST_USE enum hf_status hf_pusher_push_zeros(struct hf_pusher *out, uint64_t count);

/* The child ends; how as in hf_sink.close, or HF_LIMIT when the budget ran out, which stops
 * everything. Nothing happens when it was not wanted, or announced only. Returns as begin. */
HF_MUST_USE enum hf_status hf_pusher_end(struct hf_pusher *out, enum hf_status how);

/* A child that lies in the container as it is. */
HF_MUST_USE enum hf_status hf_pusher_whole(struct hf_pusher *out, struct hf_child child,
                                           struct hf_bytes bytes, enum hf_status how);

#endif
