#include "view/view.h"

enum { PIECE = 4096 }; /* read and written at a time; even, for pairs */

/* The next piece of an object; empty at its end. Charges for it. */
static struct hf_bytes next_piece(struct hf_cursor *object)
{
    size_t left = hf_cursor_left(object);
    if (left == 0 || !hf_cursor_charge(object, PIECE / 1024))
        return (struct hf_bytes){0};
    return hf_take(object, left < PIECE ? left : PIECE);
}

static enum hf_status how_it_ended(const struct hf_cursor *object)
{
    return object->failed ? HF_LIMIT : HF_OK;
}

/* What becomes of a byte. Text is full of short words, so nothing here is guessed: every byte is
 * written, and what is not kept is written over by the next one. */
struct byte_fate {
    uint8_t becomes;
    uint8_t stays;    /* 1: it is part of the view */
    uint8_t is_space; /* 1: further white space behind it goes */
    uint8_t passes;   /* 1: it goes, and white space around it is still one run */
};

static struct byte_fate fate_of(unsigned c)
{
    struct byte_fate gone = {.passes = 1};
    struct byte_fate space = {.becomes = ' ', .stays = 1, .is_space = 1};
    struct byte_fate kept = {
        .stays = 1, .becomes = (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)};
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return space;
    return c > ' ' && c < 0x80 ? kept : gone;
}

enum hf_status hf_view_text(struct hf_cursor *object, const struct hf_view_out *out)
{
    uint8_t text[PIECE];
    struct byte_fate fates[256];
    for (unsigned c = 0; c < 256; c++)
        fates[c] = fate_of(c);
    uint8_t in_space = 0;
    enum hf_status st = HF_OK;
    for (struct hf_bytes in; st == HF_OK && (in = next_piece(object)).len > 0;) {
        size_t n = 0;
        for (size_t i = 0; i < in.len; i++) {
            const struct byte_fate fate = fates[in.data[i]];
            text[n] = fate.becomes;
            n += fate.stays & (uint8_t) ~(fate.is_space & in_space);
            in_space = (uint8_t)((in_space & fate.passes) | fate.is_space);
        }
        if (n > 0)
            st = out->write(out->user, hf_bytes_of(text, n));
    }
    return st != HF_OK ? st : how_it_ended(object);
}

enum hf_status hf_view_utf16(struct hf_cursor *object, const struct hf_view_out *out)
{
    uint8_t text[PIECE / 2];
    enum hf_status st = HF_OK;
    for (struct hf_bytes in; st == HF_OK && (in = next_piece(object)).len > 1;) {
        size_t n = in.len / 2;
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t)(in.data[2 * i] + (in.data[2 * i + 1] << 4));
        st = out->write(out->user, hf_bytes_of(text, n));
    }
    return st != HF_OK ? st : how_it_ended(object);
}
