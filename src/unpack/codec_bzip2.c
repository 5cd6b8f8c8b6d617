/* bzip2, by libbz2: about 4 MiB of memory a stream, whatever the input says. */
#include "unpack/codec_internal.h"

#include <bzlib.h>

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

static void *bzip2_alloc(void *memory, int count, int size)
{
    return count < 0 || size < 0 ? NULL
                                 : hf_library_alloc(memory, (size_t)count, (size_t)size);
}

static void bzip2_free(void *memory, void *block)
{
    (void)memory;
    hf_library_free(block);
}

static enum hf_status bzip2_begin(void *state, struct hf_codec_io *io)
{
    struct bzip2 *b = state;
    b->lib =
        (bz_stream){.bzalloc = bzip2_alloc, .bzfree = bzip2_free, .opaque = io->memory};
    b->open = BZ2_bzDecompressInit(&b->lib, 0, 0) == BZ_OK;
    return b->open ? HF_OK : HF_NOMEM;
}

static enum hf_status bzip2_step(void *state, struct hf_codec_io *io)
{
    struct bzip2 *b = state;
    struct hf_bytes bytes = hf_codec_slice(io);
    b->lib.next_in =
        (char *)(uintptr_t)bytes.data; /* only read: the library lacks the const */
    b->lib.avail_in = (unsigned)bytes.len;
    b->lib.next_out = (char *)io->out;
    b->lib.avail_out = (unsigned)io->room;
    int ret = BZ2_bzDecompress(&b->lib);
    hf_codec_took(io, bytes.len - b->lib.avail_in, b->lib.avail_out);
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

const struct hf_codec hf_codec_bzip2 = {
    .state_size = sizeof(struct bzip2),
    .starts = bzip2_starts,
    .begin = bzip2_begin,
    .step = bzip2_step,
    .end = bzip2_end,
};
