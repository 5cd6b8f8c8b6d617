/* zlib streams [RFC 1950], for containers that hold them; gzip files have a decoder of their own.
 * The gzip frame is accepted as well: what xar calls gzip is zlib with its writers, but a reader
 * that follows the name exists. */
#include "unpack/codec_internal.h"

#include <zlib.h>

enum { WINDOW_AUTO = 15 + 32 }; /* largest window; zlib or gzip by the header */

struct zlib {
    z_stream lib;
    bool open;
};

static bool zlib_starts(const struct hf_cursor *in)
{
    struct hf_cursor c = *in;
    uint16_t header = hf_u16be(&c);
    return header == 0x1f8b || ((header >> 8 & 15) == 8 && header % 31 == 0);
}

static void *zlib_alloc(void *memory, unsigned count, unsigned size)
{
    return hf_library_alloc(memory, count, size);
}

static void zlib_free(void *memory, void *block)
{
    (void)memory;
    hf_library_free(block);
}

static enum hf_status zlib_begin(void *state, struct hf_codec_io *io)
{
    struct zlib *z = state;
    z->lib = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = io->memory};
    z->open = inflateInit2(&z->lib, WINDOW_AUTO) == Z_OK;
    return z->open ? HF_OK : HF_NOMEM;
}

static enum hf_status zlib_step(void *state, struct hf_codec_io *io)
{
    struct zlib *z = state;
    struct hf_bytes bytes = hf_codec_slice(io);
    z->lib.next_in =
        (Bytef *)(uintptr_t)bytes.data; /* only read: the library lacks the const */
    z->lib.avail_in = (uInt)bytes.len;
    z->lib.next_out = io->out;
    z->lib.avail_out = (uInt)io->room;
    int ret = inflate(&z->lib, Z_NO_FLUSH);
    hf_codec_took(io, bytes.len - z->lib.avail_in, z->lib.avail_out);
    switch (ret) {
    case Z_OK:
    case Z_BUF_ERROR: return HF_OK; /* the driver sees whether input is missing */
    case Z_STREAM_END: return HF_STOPPED;
    case Z_MEM_ERROR: return HF_NOMEM;
    case Z_NEED_DICT: return HF_UNSUPPORTED;
    default: return HF_MALFORMED;
    }
}

static void zlib_end(void *state)
{
    struct zlib *z = state;
    if (z->open)
        (void)inflateEnd(&z->lib);
    z->open = false;
}

const struct hf_codec hf_codec_zlib = {
    .state_size = sizeof(struct zlib),
    .single = true,
    .starts = zlib_starts,
    .begin = zlib_begin,
    .step = zlib_step,
    .end = zlib_end,
};
