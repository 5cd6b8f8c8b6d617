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

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

enum hf_status hf_view_text(struct hf_cursor *object, const struct hf_view_out *out)
{
    uint8_t text[PIECE];
    bool in_space = false;
    enum hf_status st = HF_OK;
    for (struct hf_bytes in; st == HF_OK && (in = next_piece(object)).len > 0;) {
        size_t n = 0;
        for (size_t i = 0; i < in.len; i++) {
            uint8_t c = in.data[i];
            if (is_space(c)) {
                if (!in_space)
                    text[n++] = ' ';
                in_space = true;
            } else if (c > ' ' && c < 0x80) {
                text[n++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
                in_space = false;
            }
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
