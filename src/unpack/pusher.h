/* pusher.h - a decoder's end of the sink: keeps the promises of struct hf_sink (no write to a
 * child that is not wanted, no close after a stop) so that decoders need not repeat them. */
#ifndef HF_UNPACK_PUSHER_H
#define HF_UNPACK_PUSHER_H

#include "unpack/unpack.h"

enum { HF_PUSHER_PIECE = 128 * 1024 }; /* a good size for pieces that are pushed */

struct hf_pusher {
    struct hf_unpack *unpack; /* borrowed */
    uint64_t number;          /* of the next child; counted by begin and whole */
    bool wanted;              /* a child is open, and the sink still takes its bytes */
    enum hf_status stop; /* HF_LIMIT or HF_STOPPED once the sink has said so, else HF_OK */
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

/* More bytes. Those that nobody wants are charged as unpacked all the same: the work was done,
 * and a bomb must not hide behind a refused child. Returns as begin. */
HF_MUST_USE enum hf_status hf_pusher_push(struct hf_pusher *out, const void *data,
                                          size_t len);

/* The child ends; how as in hf_sink.close. Nothing happens when it was not wanted. */
HF_MUST_USE enum hf_status hf_pusher_end(struct hf_pusher *out, enum hf_status how);

/* A child that lies in the container as it is. */
HF_MUST_USE enum hf_status hf_pusher_whole(struct hf_pusher *out, struct hf_child child,
                                           struct hf_bytes bytes, enum hf_status how);

#endif
