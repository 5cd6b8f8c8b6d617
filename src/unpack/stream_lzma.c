/* xz, lzma-alone and lzip, by liblzma under its own memory limit. Integrity checks are not
 * verified: bytes behind a wrong checksum are looked at like any others. */
#include "unpack/stream.h"

#include <lzma.h>

enum {
    STEP_INPUT = 1 << 20, /* per call, so that charging keeps up */
    ALONE_HEADER = 13     /* properties, dictionary size, unpacked size */
};

struct lzma {
    lzma_stream lib;
};

static bool xz_starts(const struct hf_cursor *in)
{
    return hf_peek_equal(in,
                         "\xfd"
                         "7zXZ",
                         6);
}

static bool lzip_starts(const struct hf_cursor *in)
{
    return hf_peek_equal(in, "LZIP", 4);
}

/* There is no magic: properties must be possible, and the rest shows in decoding. */
static bool alone_starts(const struct hf_cursor *in)
{
    struct hf_cursor c = *in;
    uint8_t properties = hf_u8(&c);
    hf_skip(&c, ALONE_HEADER - 1);
    return hf_cursor_status(&c) == HF_OK && properties < 9 * 5 * 5;
}

static enum hf_status status_of(lzma_ret ret)
{
    switch (ret) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: return HF_OK; /* the driver sees whether input is missing */
    case LZMA_STREAM_END: return HF_STOPPED;
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR: return HF_NOMEM;
    case LZMA_OPTIONS_ERROR:
    case LZMA_UNSUPPORTED_CHECK: return HF_UNSUPPORTED;
    default: return HF_MALFORMED;
    }
}

static enum hf_status xz_begin(void *state, struct hf_stream_io *io)
{
    (void)io;
    struct lzma *z = state;
    z->lib = (lzma_stream)LZMA_STREAM_INIT;
    return status_of(lzma_stream_decoder(&z->lib, HF_STREAM_MEMORY, LZMA_IGNORE_CHECK));
}

static enum hf_status lzip_begin(void *state, struct hf_stream_io *io)
{
    (void)io;
    struct lzma *z = state;
    z->lib = (lzma_stream)LZMA_STREAM_INIT;
    return status_of(lzma_lzip_decoder(&z->lib, HF_STREAM_MEMORY, LZMA_IGNORE_CHECK));
}

/* A dictionary larger than the limit is cut to it: old and hostile packers announce 4 GiB for a
 * few bytes, and only a match that really reaches so far back fails. */
static enum hf_status alone_begin(void *state, struct hf_stream_io *io)
{
    struct lzma *z = state;
    z->lib = (lzma_stream)LZMA_STREAM_INIT;
    enum hf_status st = status_of(lzma_alone_decoder(&z->lib, HF_STREAM_MEMORY));
    uint8_t header[ALONE_HEADER];
    hf_copy(&io->in, header, sizeof header);
    const uint32_t most = UINT32_C(1) << (HF_STREAM_WINDOW_LOG - 1);
    struct hf_cursor fields = hf_cursor_open(header + 1, 4, NULL);
    if (hf_u32le(&fields) > most) {
        memset(header + 1, 0, 4);
        header[4] = most >> 24;
    }
    z->lib.next_in = header;
    z->lib.avail_in = sizeof header;
    z->lib.next_out =
        io->out; /* nothing comes yet, but without room it does not even read */
    z->lib.avail_out = io->room;
    if (st == HF_OK)
        st = status_of(lzma_code(&z->lib, LZMA_RUN));
    return st;
}

static enum hf_status lzma_step(void *state, struct hf_stream_io *io)
{
    struct lzma *z = state;
    struct hf_cursor in = io->in;
    size_t left = hf_cursor_left(&in);
    struct hf_bytes bytes = hf_take(&in, left < STEP_INPUT ? left : STEP_INPUT);
    z->lib.next_in = bytes.data;
    z->lib.avail_in = bytes.len;
    z->lib.next_out = io->out;
    z->lib.avail_out = io->room;
    lzma_ret ret = lzma_code(&z->lib, LZMA_RUN);
    hf_skip(&io->in, bytes.len - z->lib.avail_in);
    io->out += io->room - z->lib.avail_out;
    io->room = z->lib.avail_out;
    return status_of(ret);
}

static void lzma_done(void *state)
{
    struct lzma *z = state;
    lzma_end(&z->lib);
    z->lib = (lzma_stream)LZMA_STREAM_INIT;
}

const struct hf_stream_codec hf_stream_xz = {
    .state_size = sizeof(struct lzma),
    .padded = true,
    .starts = xz_starts,
    .begin = xz_begin,
    .step = lzma_step,
    .end = lzma_done,
};

/* One stream a file: what follows an lzma-alone stream could be anything, and its header would
 * fit most of it. */
const struct hf_stream_codec hf_stream_lzma = {
    .state_size = sizeof(struct lzma),
    .single = true,
    .starts = alone_starts,
    .begin = alone_begin,
    .step = lzma_step,
    .end = lzma_done,
};

const struct hf_stream_codec hf_stream_lzip = {
    .state_size = sizeof(struct lzma),
    .starts = lzip_starts,
    .begin = lzip_begin,
    .step = lzma_step,
    .end = lzma_done,
};
