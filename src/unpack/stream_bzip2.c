/* bzip2, by libbz2: about 4 MiB of memory a stream, whatever the input says. */
#include "unpack/stream.h"

#include <bzlib.h>

enum { STEP_INPUT = 1 << 20 }; /* per call, so that charging keeps up */

struct bzip2 {
    bz_stream lib;
    bool open;
};

static bool bzip2_starts(const struct hf_cursor *in)
{
    struct hf_cursor c = *in;
    if (!hf_peek_equal(&c, "BZh", 3))
        return false;
    hf_skip(&c, 3);
    uint8_t level = hf_u8(&c);
    return level >= '1' && level <= '9';
}

static enum hf_status bzip2_begin(void *state, struct hf_stream_io *io)
{
    (void)io;
    struct bzip2 *b = state;
    *b = (struct bzip2){.open = true};
    return BZ2_bzDecompressInit(&b->lib, 0, 0) == BZ_OK ? HF_OK : HF_NOMEM;
}

static enum hf_status bzip2_step(void *state, struct hf_stream_io *io)
{
    struct bzip2 *b = state;
    struct hf_cursor in = io->in;
    size_t left = hf_cursor_left(&in);
    struct hf_bytes bytes = hf_take(&in, left < STEP_INPUT ? left : STEP_INPUT);
    b->lib.next_in =
        (char *)(uintptr_t)bytes.data; /* only read: the library lacks the const */
    b->lib.avail_in = (unsigned)bytes.len;
    b->lib.next_out = (char *)io->out;
    b->lib.avail_out = (unsigned)io->room;
    int ret = BZ2_bzDecompress(&b->lib);
    hf_skip(&io->in, bytes.len - b->lib.avail_in);
    io->out += io->room - b->lib.avail_out;
    io->room = b->lib.avail_out;
    switch (ret) {
    case BZ_OK: return HF_OK;
    case BZ_STREAM_END: return HF_STOPPED;
    case BZ_MEM_ERROR: return HF_NOMEM;
    default: return HF_MALFORMED;
    }
}

static void bzip2_end(void *state)
{
    struct bzip2 *b = state;
    if (b->open)
        (void)BZ2_bzDecompressEnd(&b->lib);
    b->open = false;
}

const struct hf_stream_codec hf_stream_bzip2 = {
    .state_size = sizeof(struct bzip2),
    .starts = bzip2_starts,
    .begin = bzip2_begin,
    .step = bzip2_step,
    .end = bzip2_end,
};
