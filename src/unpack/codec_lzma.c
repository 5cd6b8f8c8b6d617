#include "unpack/codec.h"

#include "unpack/codec_internal.h"

/* A dictionary is allocated whole at the start, whatever comes out: no more than this. */
static const uint64_t MEMORY_MAX = UINT64_C(96) << 20;

static void *lzma_alloc(void *memory, size_t count, size_t size)
{
    return hf_recycle_alloc(memory, count, size);
}

static void lzma_free(void *memory, void *block)
{
    hf_recycle_free(memory, block);
}

static void begin(struct hf_codecs *codecs)
{
    codecs->lzma_memory =
        (lzma_allocator){.alloc = lzma_alloc, .free = lzma_free, .opaque = &codecs->memory};
    codecs->lzma = (lzma_stream)LZMA_STREAM_INIT;
    codecs->lzma.allocator = &codecs->lzma_memory;
}

static enum hf_step step_of(lzma_ret r)
{
    switch (r) {
    case LZMA_STREAM_END: return HF_STEP_END;
    case LZMA_OK:
    case LZMA_BUF_ERROR: return HF_STEP_MORE;
    case LZMA_MEM_ERROR:
    case LZMA_MEMLIMIT_ERROR: return HF_STEP_NOMEM;
    case LZMA_OPTIONS_ERROR: return HF_STEP_UNSUPPORTED;
    default: return HF_STEP_BAD;
    }
}

static enum hf_step step_xz(struct hf_codecs *codecs, struct hf_turn *turn)
{
    lzma_stream *z = &codecs->lzma;
    z->next_in = turn->in.data;
    z->avail_in = turn->in.len;
    z->next_out = turn->out;
    z->avail_out = turn->room;
    lzma_ret r = lzma_code(z, LZMA_RUN);
    turn->taken = turn->in.len - z->avail_in;
    turn->made = turn->room - z->avail_out;
    return step_of(r);
}

static enum hf_step step_lzma(struct hf_codecs *codecs, struct hf_turn *turn)
{
    if (turn->room > codecs->size_left)
        turn->room = (size_t)codecs->size_left;
    enum hf_step came = step_xz(codecs, turn);
    codecs->size_left -= turn->made;
    /* Without end marker nothing but the declared size says where to stop. */
    return came == HF_STEP_MORE && codecs->size_left == 0 ? HF_STEP_END : came;
}

enum hf_status hf_codec_xz(struct hf_codecs *codecs, struct hf_cursor *in, uint64_t size,
                           unsigned flags, struct hf_outlet *out)
{
    (void)size;
    (void)flags;
    begin(codecs);
    enum hf_status st = HF_NOMEM;
    if (lzma_stream_decoder(&codecs->lzma, MEMORY_MAX, 0) == LZMA_OK)
        st = hf_codecs_drive(codecs, step_xz, in, out);
    lzma_end(&codecs->lzma);
    return st;
}

/* The filter that the five property bytes describe, its dictionary cut to what the data can use
 * and to what we allow. */
static enum hf_status read_properties(struct hf_codecs *codecs, struct hf_bytes properties,
                                      uint64_t size, lzma_filter *filter)
{
    filter->id = LZMA_FILTER_LZMA1;
    lzma_ret r = lzma_properties_decode(filter, &codecs->lzma_memory, properties.data,
                                        properties.len);
    if (r != LZMA_OK)
        return r == LZMA_MEM_ERROR ? HF_NOMEM : HF_MALFORMED;
    lzma_options_lzma *o = filter->options;
    if (o->dict_size > size)
        o->dict_size = (uint32_t)size;
    if (o->dict_size > MEMORY_MAX)
        o->dict_size = (uint32_t)MEMORY_MAX;
    if (o->dict_size < LZMA_DICT_SIZE_MIN)
        o->dict_size = LZMA_DICT_SIZE_MIN;
    return HF_OK;
}

enum hf_status hf_codec_lzma(struct hf_codecs *codecs, struct hf_cursor *in, uint64_t size,
                             unsigned flags, struct hf_outlet *out)
{
    enum { HAS_END_MARKER = 1 << 1, PROPERTIES = 5 };
    hf_skip(in, 2); /* version of the SDK */
    uint16_t length = hf_u16le(in);
    struct hf_bytes properties = hf_take(in, length);
    if (in->failed)
        return HF_TRUNCATED;
    if (properties.len != PROPERTIES)
        return HF_UNSUPPORTED;
    begin(codecs);
    lzma_filter filters[] = {{0}, {.id = LZMA_VLI_UNKNOWN}};
    enum hf_status st = read_properties(codecs, properties, size, &filters[0]);
    if (st != HF_OK)
        return st;
    codecs->size_left = (flags & HAS_END_MARKER) != 0 ? HF_UNKNOWN : size;
    lzma_ret r = lzma_raw_decoder(&codecs->lzma, filters);
    hf_recycle_free(&codecs->memory, filters[0].options);
    st = r == LZMA_OK ? hf_codecs_drive(codecs, step_lzma, in, out) : HF_NOMEM;
    lzma_end(&codecs->lzma);
    return st;
}
