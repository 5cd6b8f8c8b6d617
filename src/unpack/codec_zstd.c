/* Zstandard, by libzstd: frames and skippable frames [RFC 8878]. Frames of its experimental
 * ancestors are not opened. */
#include "unpack/codec.h"

#include <zstd.h>
#include <zstd_errors.h>

#define MAGIC UINT32_C(0xFD2FB528)
enum { SKIPPABLE = 0x184D2A5 }; /* without its lowest four bits, which are free */

struct zstd {
    ZSTD_DCtx *lib;
    uint64_t skip; /* of a skippable frame, still to pass */
    bool skipping;
    size_t hint; /* input that completes the next block: see zstd_step */
};

static bool zstd_starts(const struct hf_cursor *in)
{
    struct hf_cursor c = *in;
    uint32_t magic = hf_u32le(&c);
    return magic == MAGIC || magic >> 4 == SKIPPABLE;
}

static enum hf_status zstd_begin(void *state, struct hf_codec_io *io)
{
    struct zstd *z = state;
    struct hf_cursor c = io->in;
    z->skipping = hf_u32le(&c) != MAGIC;
    if (z->skipping) {
        z->skip = hf_u32le(&c);
        io->in = c;
        return HF_OK;
    }
    z->lib = ZSTD_createDCtx();
    if (z->lib == NULL)
        return HF_NOMEM;
    size_t ret = ZSTD_DCtx_setParameter(z->lib, ZSTD_d_windowLogMax, HF_CODEC_WINDOW_LOG);
    z->hint = ZSTD_initDStream(z->lib);
    return ZSTD_isError(ret) || ZSTD_isError(z->hint) ? HF_NOMEM : HF_OK;
}

static enum hf_status status_of(size_t error)
{
    switch (ZSTD_getErrorCode(error)) {
    case ZSTD_error_memory_allocation:
    case ZSTD_error_frameParameter_windowTooLarge: return HF_NOMEM;
    case ZSTD_error_version_unsupported:
    case ZSTD_error_frameParameter_unsupported:
    case ZSTD_error_dictionary_wrong: return HF_UNSUPPORTED;
    default: return HF_MALFORMED;
    }
}

/* The library forgets what a call has put out when the same call then fails. Given just the
 * input that it asks for, a call handles one block, and only the broken one is lost. */
static enum hf_status zstd_step(void *state, struct hf_codec_io *io)
{
    struct zstd *z = state;
    size_t left = hf_cursor_left(&io->in);
    if (z->skipping) {
        hf_skip(&io->in, z->skip < left ? z->skip : left);
        return z->skip <= left ? HF_STOPPED : HF_TRUNCATED;
    }
    struct hf_cursor c = io->in;
    struct hf_bytes bytes = hf_take(&c, z->hint < left ? z->hint : left);
    ZSTD_inBuffer in = {.src = bytes.data, .size = bytes.len};
    ZSTD_outBuffer out = {.dst = io->out, .size = io->room};
    size_t ret = ZSTD_decompressStream(z->lib, &out, &in);
    hf_skip(&io->in, in.pos);
    io->out += out.pos;
    io->room -= out.pos;
    if (ZSTD_isError(ret))
        return status_of(ret);
    z->hint = ret;
    return ret == 0 ? HF_STOPPED : HF_OK;
}

static void zstd_end(void *state)
{
    struct zstd *z = state;
    (void)ZSTD_freeDCtx(z->lib);
    z->lib = NULL;
}

const struct hf_codec hf_codec_zstd = {
    .state_size = sizeof(struct zstd),
    .starts = zstd_starts,
    .begin = zstd_begin,
    .step = zstd_step,
    .end = zstd_end,
};
