/* ARJ. [ARJ "TECHNOTE", format of headers] The packed data of methods 1 to 3 is the same code that
 * LHA calls lh7, and goes to liblhasa; method 4 is decoded here. */
#include "base/auto.h"
#include "unpack/decoders.h"
#include "unpack/pusher.h"

#include <lhasa.h>

enum {
    HEADER_ID = 0xEA60,
    HEADER_MIN = 30, /* of the basic header's fixed part */
    HEADER_MAX = 2600,
    NAME_AT_MAX = 256,
    FLAG_GARBLED = 1 << 0,
    FLAG_CONTINUES = 1 << 2, /* the file goes on in the next volume */
    TYPE_MAIN = 2,
    TYPE_FOLDER = 3,
    TYPE_LABEL = 4,
    METHOD_STORED = 0,
    METHOD_FASTEST = 4,
    HISTORY = 16 * 1024, /* method 4 reaches back 15871 bytes */
    PIECE = 64 * 1024,
    MATCH_MIN = 3
};

struct member {
    struct hf_bytes name;
    uint8_t flags, method, type;
    uint32_t packed, size, crc;
};

struct arj {
    struct hf_cursor in;
    struct hf_pusher out;
    uint8_t *window; /* HISTORY bytes, then a piece */
};

/* A header: id, length, the fixed part, name and comment, checksum, extended headers. HF_NOTFOUND:
 * the archive's end mark. */
static enum hf_status read_header(struct hf_cursor *in, struct member *m)
{
    if (hf_u16le(in) != HEADER_ID)
        return hf_cursor_status(in) != HF_OK ? HF_TRUNCATED : HF_MALFORMED;
    uint16_t len = hf_u16le(in);
    if (len == 0 && hf_cursor_status(in) == HF_OK)
        return HF_NOTFOUND;
    struct hf_cursor c = hf_cursor_sub(in, in->pos, len);
    hf_skip(in, (uint64_t)len + 4);
    if (hf_cursor_status(in) != HF_OK)
        return HF_TRUNCATED;
    uint8_t fixed = hf_u8(&c);
    hf_skip(&c, 3); /* versions, host */
    m->flags = hf_u8(&c);
    m->method = hf_u8(&c);
    m->type = hf_u8(&c);
    hf_skip(&c, 5); /* reserved, time */
    m->packed = hf_u32le(&c);
    m->size = hf_u32le(&c);
    m->crc = hf_u32le(&c);
    hf_seek(&c, fixed);
    m->name = hf_take_until(&c, 0, HEADER_MAX, NULL);
    if (len > HEADER_MAX || fixed < HEADER_MIN || hf_cursor_status(&c) != HF_OK)
        return HF_MALFORMED;
    for (uint16_t extra; (extra = hf_u16le(in)) != 0 && hf_cursor_charge(in, 1);)
        hf_skip(in, (uint64_t)extra + 4);
    return hf_cursor_status(in);
}

/* Bits of method 4: the highest of a byte first. */
struct bits {
    struct hf_cursor *in;
    uint32_t hold;
    unsigned count;
};

static uint32_t take_bits(struct bits *b, unsigned n)
{
    for (; b->count < n; b->count += 8)
        b->hold = b->hold << 8 | hf_u8(b->in);
    b->count -= n;
    return b->hold >> b->count & ((1U << n) - 1);
}

/* A number whose width grows from least to most with each 1 bit in front of it. */
static uint32_t take_number(struct bits *b, unsigned least, unsigned most)
{
    unsigned width = least;
    uint32_t base = 0;
    while (width < most && take_bits(b, 1) == 1)
        base += 1U << width++;
    return base + take_bits(b, width);
}

/* Method 4. The window's first HISTORY bytes are what came before the piece. */
static enum hf_status push_fastest(struct arj *a, struct hf_cursor *data, uint32_t size)
{
    struct bits bits = {.in = data};
    size_t fill = 0;    /* of the piece */
    uint32_t total = 0; /* until now */
    memset(a->window, 0, HISTORY);
    while (total < size) {
        uint32_t len = take_number(&bits, 0, 7), distance = 0;
        uint8_t literal = len == 0 ? (uint8_t)take_bits(&bits, 8) : 0;
        if (len != 0) {
            distance = take_number(&bits, 9, 13) + 1;
            len += MATCH_MIN - 1;
        }
        if (hf_cursor_status(data) != HF_OK || distance > total)
            break;
        uint8_t *to = a->window + HISTORY + fill;
        if (len == 0)
            *to = literal;
        for (uint32_t i = 0; i < len; i++)
            to[i] = to[(ptrdiff_t)i - (ptrdiff_t)distance];
        len = len == 0 ? 1 : len;
        fill += len;
        total += len;
        if (fill < PIECE - NAME_AT_MAX)
            continue;
        enum hf_status st = hf_pusher_push(&a->out, a->window + HISTORY, fill);
        if (st != HF_OK)
            return st;
        memmove(a->window, a->window + fill, HISTORY);
        fill = 0;
    }
    uint32_t over = total > size ? total - size : 0; /* of the last match */
    enum hf_status st = hf_pusher_push(&a->out, a->window + HISTORY, fill - over);
    if (st != HF_OK || total >= size)
        return st;
    return hf_cursor_status(data) != HF_OK ? HF_TRUNCATED : HF_MALFORMED;
}

static size_t on_read(void *buf, size_t len, void *user)
{
    struct hf_cursor *data = user;
    size_t left = hf_cursor_left(data);
    size_t n = len < left ? len : left;
    if (!hf_cursor_charge(data, n / 1024 + 1))
        return 0;
    hf_copy(data, buf, n);
    return n;
}

static void free_decoder(LHADecoder **decoder)
{
    if (*decoder != NULL)
        lha_decoder_free(*decoder);
}

/* Methods 1 to 3. */
static enum hf_status push_packed(struct arj *a, struct hf_cursor *data, uint32_t size)
{
    char method[] = "-lh7-";
    HF_AUTO(free_decoder)
    LHADecoder *lib = lha_decoder_new(lha_decoder_for_name(method), on_read, data, size);
    if (lib == NULL)
        return HF_NOMEM;
    for (uint64_t total = 0; total < size;) {
        size_t n = lha_decoder_read(lib, a->window, PIECE);
        enum hf_status st = hf_pusher_push(&a->out, a->window, n);
        if (st != HF_OK)
            return st;
        if (n == 0)
            return hf_cursor_left(data) == 0 ? HF_TRUNCATED : HF_MALFORMED;
        total += n;
    }
    return HF_OK;
}

static enum hf_status push_decoded(struct arj *a, struct hf_child child,
                                   const struct member *m, struct hf_cursor *data)
{
    enum hf_status st = hf_pusher_begin(&a->out, child);
    if (st != HF_OK || !a->out.wanted)
        return st;
    enum hf_status how = HF_UNSUPPORTED;
    if (child.encrypted)
        how = HF_ENCRYPTED;
    else if (m->method == METHOD_FASTEST)
        how = push_fastest(a, data, m->size);
    else if (m->method < METHOD_FASTEST)
        how = push_packed(a, data, m->size);
    if (a->out.stop != HF_OK)
        return a->out.stop;
    st = hf_pusher_end(&a->out, how);
    return st != HF_OK ? st : how;
}

static enum hf_status push_member(struct arj *a, const struct member *m)
{
    struct hf_child child = hf_child_unknown();
    child.name = m->name;
    child.packed = m->packed;
    child.declared = m->size;
    child.crc = m->crc;
    child.offset = hf_cursor_where(&a->in);
    child.encrypted = (m->flags & FLAG_GARBLED) != 0;
    child.is_file = m->type != TYPE_FOLDER && m->type != TYPE_LABEL;
    struct hf_cursor data = hf_cursor_clip(&a->in, a->in.pos, m->packed);
    enum hf_status cut = data.len < m->packed               ? HF_TRUNCATED
                         : (m->flags & FLAG_CONTINUES) != 0 ? HF_UNSUPPORTED
                                                            : HF_OK;
    hf_skip(&a->in, data.len);
    if (m->method != METHOD_STORED || child.encrypted)
        return push_decoded(a, child, m, &data);
    enum hf_status st = hf_pusher_whole(&a->out, child, hf_take_rest(&data), cut);
    return st != HF_OK ? st : cut;
}

enum hf_status hf_unpack_arj(struct hf_unpack *unpack)
{
    struct arj a = {.in = unpack->object, .out = hf_pusher_of(unpack)};
    if (!hf_peek_equal(&a.in, "\x60\xea", 2))
        return HF_NOTFOUND;
    a.window = hf_arena_alloc(unpack->arena, HISTORY + PIECE);
    if (a.window == NULL)
        return HF_NOMEM;
    struct member m = {0};
    enum hf_status st = read_header(&a.in, &m), all = HF_OK;
    if (st != HF_OK || m.type != TYPE_MAIN)
        return st == HF_TRUNCATED || st == HF_LIMIT ? st : HF_NOTFOUND;
    while (hf_cursor_charge(&a.in, 1)) {
        st = read_header(&a.in, &m);
        if (st != HF_OK)
            break;
        st = push_member(&a, &m);
        if (a.out.stop != HF_OK)
            return a.out.stop;
        all = all == HF_OK ? st : all;
    }
    if (hf_cursor_status(&a.in) == HF_LIMIT)
        return HF_LIMIT;
    return all != HF_OK || st == HF_NOTFOUND ? all : st;
}
