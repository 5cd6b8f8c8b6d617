#include "unpack/window.h"

bool hf_window_flush(struct hf_window *w)
{
    bool wanted =
        hf_pusher_push(w->out, w->data + w->flushed, w->pos - w->flushed) == HF_OK &&
        hf_pusher_has_taker(w->out);
    if (w->pos > w->history) {
        memmove(w->data, w->data + w->pos - w->history, w->history);
        w->pos = w->history;
    }
    w->flushed = w->pos;
    return wanted;
}

enum hf_status hf_window_end(struct hf_window *w, enum hf_status st)
{
    if (hf_pusher_doubts(w->out, st == HF_OK, w->pos - w->flushed))
        return HF_MALFORMED;
    if (hf_pusher_has_taker(w->out) && hf_window_flush(w) && st == HF_OK)
        (void)hf_pusher_open(w->out); /* an empty stream is an empty child */
    return st;
}

/* Within the buffer; to and from overlap when the distance is short, and that is what repeats. */
static void copy_run(uint8_t *to, size_t distance, size_t length)
{
    const uint8_t *from = to - distance;
    if (distance == 1) {
        memset(to, *from, length);
        return;
    }
    /* Each round doubles the run that is already there, so that memcpy may be used. */
    while (length > distance) {
        memcpy(to, from, distance);
        to += distance;
        length -= distance;
        distance *= 2;
    }
    memcpy(to, from, length);
}

bool hf_window_copy(struct hf_window *w, size_t distance, size_t length)
{
    while (length > 0) {
        if (w->pos == w->room && !hf_window_flush(w))
            return false;
        size_t n = length < w->room - w->pos ? length : w->room - w->pos;
        copy_run(w->data + w->pos, distance, n);
        w->pos += n;
        length -= n;
    }
    return true;
}

bool hf_window_append(struct hf_window *w, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        if (w->pos == w->room && !hf_window_flush(w))
            return false;
        size_t n = count < w->room - w->pos ? count : w->room - w->pos;
        memcpy(w->data + w->pos, bytes, n);
        w->pos += n;
        bytes += n;
        count -= n;
    }
    return true;
}
