/* xz, lzma-alone, lzip and what ZIP calls LZMA, by liblzma under its own memory limit. Integrity checks are not
 * verified: bytes behind a wrong checksum are looked at like any others. */
#include "unpack/codec_internal.h"

#include <lzma.h>

enum { ALONE_HEADER = 13 }; /* properties, dictionary size, unpacked size */

struct lzma {
    lzma_stream lib;
    lzma_allocator memory;
    uint64_t size_left; /* without end marker nothing else says where to stop */
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

static void *lzma_alloc(void *memory, size_t count, size_t size)
{
    return hf_library_alloc(memory, count, size);
}

static void lzma_give_back(void *memory, void *block)
{
    (void)memory;
    hf_library_free(block);
}

/* The state with its library's stream empty; state does not move while that is open. */
static struct lzma *fresh(void *state, const struct hf_codec_io *io)
{
    struct lzma *z = state;
    *z = (struct lzma){
        .memory = {.alloc = lzma_alloc, .free = lzma_give_back, .opaque = io->memory},
        .lib = LZMA_STREAM_INIT,
        .size_left = HF_UNKNOWN};
    z->lib.allocator = &z->memory;
    return z;
}

static enum hf_status xz_begin(void *state, struct hf_codec_io *io)
{
    struct lzma *z = fresh(state, io);
    return status_of(lzma_stream_decoder(&z->lib, HF_CODEC_MEMORY, LZMA_IGNORE_CHECK));
}

static enum hf_status lzip_begin(void *state, struct hf_codec_io *io)
{
    struct lzma *z = fresh(state, io);
    return status_of(lzma_lzip_decoder(&z->lib, HF_CODEC_MEMORY, LZMA_IGNORE_CHECK));
}

/* A dictionary larger than the limit is cut to it: old and hostile packers announce 4 GiB for a
 * few bytes, and only a match that really reaches so far back fails. */
static enum hf_status alone_begin(void *state, struct hf_codec_io *io)
{
    struct lzma *z = fresh(state, io);
    enum hf_status st = status_of(lzma_alone_decoder(&z->lib, HF_CODEC_MEMORY));
    uint8_t header[ALONE_HEADER];
    hf_copy(&io->in, header, sizeof header);
    const uint32_t most = UINT32_C(1) << (HF_CODEC_WINDOW_LOG - 1);
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

/* What ZIP calls LZMA: five bytes of properties behind a version and their length. The dictionary
 * is allocated whole at the start, whatever comes out: it is cut to what the data can use, and to
 * what we allow. [APPNOTE 5.8] */
static enum hf_status zip_begin(void *state, struct hf_codec_io *io)
{
    enum { HAS_END_MARKER = 1 << 1, PROPERTIES = 5 };
    struct lzma *z = fresh(state, io);
    hf_skip(&io->in, 2); /* version of the SDK */
    uint16_t length = hf_u16le(&io->in);
    struct hf_bytes properties = hf_take(&io->in, length);
    if (io->in.failed)
        return HF_TRUNCATED;
    if (properties.len != PROPERTIES)
        return HF_UNSUPPORTED;
    lzma_filter filters[] = {{.id = LZMA_FILTER_LZMA1}, {.id = LZMA_VLI_UNKNOWN}};
    lzma_ret ret =
        lzma_properties_decode(filters, &z->memory, properties.data, properties.len);
    if (ret != LZMA_OK)
        return ret == LZMA_MEM_ERROR ? HF_NOMEM : HF_MALFORMED;
    lzma_options_lzma *o = filters[0].options;
    const uint32_t most = UINT32_C(1) << (HF_CODEC_WINDOW_LOG - 1);
    if (o->dict_size > io->hint.size)
        o->dict_size = (uint32_t)io->hint.size;
    if (o->dict_size > most)
        o->dict_size = most;
    if (o->dict_size < LZMA_DICT_SIZE_MIN)
        o->dict_size = LZMA_DICT_SIZE_MIN;
    z->size_left = (io->hint.flags & HAS_END_MARKER) != 0 ? HF_UNKNOWN : io->hint.size;
    ret = lzma_raw_decoder(&z->lib, filters);
    hf_library_free(o);
    return status_of(ret);
}

static enum hf_status lzma_step(void *state, struct hf_codec_io *io)
{
    struct lzma *z = state;
    struct hf_bytes bytes = hf_codec_slice(io);
    size_t room = io->room < z->size_left ? io->room : (size_t)z->size_left;
    z->lib.next_in = bytes.data;
    z->lib.avail_in = bytes.len;
    z->lib.next_out = io->out;
    z->lib.avail_out = room;
    lzma_ret ret = lzma_code(&z->lib, LZMA_RUN);
    size_t made = room - z->lib.avail_out;
    hf_codec_took(io, bytes.len - z->lib.avail_in, io->room - made);
    if (z->size_left == HF_UNKNOWN)
        return status_of(ret);
    z->size_left -= made;
    enum hf_status st = status_of(ret);
    return st == HF_OK && z->size_left == 0 ? HF_STOPPED : st;
}

static void lzma_done(void *state)
{
    struct lzma *z = state;
    lzma_end(&z->lib);
}

const struct hf_codec hf_codec_xz = {
    .state_size = sizeof(struct lzma),
    .padded = true,
    .starts = xz_starts,
    .begin = xz_begin,
    .step = lzma_step,
    .end = lzma_done,
};

/* One stream a file: what follows an lzma-alone stream could be anything, and its header would
 * fit most of it. */
const struct hf_codec hf_codec_lzma = {
    .state_size = sizeof(struct lzma),
    .single = true,
    .starts = alone_starts,
    .begin = alone_begin,
    .step = lzma_step,
    .end = lzma_done,
};

const struct hf_codec hf_codec_lzip = {
    .state_size = sizeof(struct lzma),
    .starts = lzip_starts,
    .begin = lzip_begin,
    .step = lzma_step,
    .end = lzma_done,
};

const struct hf_codec hf_codec_zip_lzma = {
    .state_size = sizeof(struct lzma),
    .single = true,
    .begin = zip_begin,
    .step = lzma_step,
    .end = lzma_done,
};
