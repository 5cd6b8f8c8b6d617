/* window.h - the output side of our own LZ77 decoders: a buffer that is both the piece to be
 * handed on and the history that matches copy from. */
#ifndef HF_UNPACK_WINDOW_H
#define HF_UNPACK_WINDOW_H

#include "unpack/pusher.h"

struct hf_window {
    struct hf_pusher *out;
    uint8_t *data;
    size_t room;    /* at least twice the history */
    size_t pos;     /* next byte goes here; a match may reach back to data[0] */
    size_t flushed; /* bytes before it have been handed on */
    size_t history; /* how far back a match can ask for */
};

/* Hand on what is new and keep the history. False when the sink wants no more. */
bool hf_window_flush(struct hf_window *w);

/* Copy length bytes from distance back. The caller has checked that 1 <= distance <= pos and
 * distance <= history. False when the sink wants no more. */
bool hf_window_copy(struct hf_window *w, size_t distance, size_t length);

/* Append bytes. False when the sink wants no more. */
bool hf_window_append(struct hf_window *w, const uint8_t *bytes, size_t count);

/* The stream ends, st says how: hand on what is left, unless that shows a guess to be wrong.
 * Returns how the stream ended. */
enum hf_status hf_window_end(struct hf_window *w, enum hf_status st);

static inline bool hf_window_put(struct hf_window *w, uint8_t byte)
{
    if (w->pos == w->room && !hf_window_flush(w))
        return false;
    w->data[w->pos++] = byte;
    return true;
}

#endif
