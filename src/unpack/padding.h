/* padding.h - zeros that fill blocks between the parts of a container. */
#ifndef HF_UNPACK_PADDING_H
#define HF_UNPACK_PADDING_H

#include "base/cursor.h"

/* Skip zeros, charging for them. False when the budget ran out. */
static inline bool hf_skip_zeros(struct hf_cursor *c)
{
    struct hf_cursor ahead = *c;
    uint64_t zeros = 0;
    while (hf_cursor_left(&ahead) > 0 && hf_u8(&ahead) == 0)
        if (++zeros % 1024 == 0 && !hf_cursor_charge(c, 1))
            return false;
    hf_skip(c, zeros);
    return true;
}

#endif
