#include "unpack/decoders.h"

#include "base/auto.h"
#include "unpack/codec.h"
#include "unpack/padding.h"

/* A gzip file is one stream, however many members it was joined from: one child, named as the
 * first member names it. [RFC 1952] */
enum {
    HAS_HEADER_CRC = 1 << 1,
    HAS_EXTRA = 1 << 2,
    HAS_NAME = 1 << 3,
    HAS_COMMENT = 1 << 4,
    RESERVED = 0xe0,
    TRAILER = 8,
    TEXT_MAX = 64 * 1024, /* of a name or comment */
};

static const uint8_t magic[] = {0x1f, 0x8b};

/* A member's header; c moves to the compressed data. */
static enum hf_status read_header(struct hf_cursor *c, struct hf_bytes *name)
{
    enum { DEFLATE = 8 };
    *name = (struct hf_bytes){0};
    hf_skip(c, sizeof magic);
    uint8_t method = hf_u8(c), flags = hf_u8(c);
    hf_skip(c, 6); /* time, extra flags, system */
    if (c->failed)
        return HF_TRUNCATED;
    if (method != DEFLATE || (flags & RESERVED) != 0)
        return HF_UNSUPPORTED;
    if ((flags & HAS_EXTRA) != 0)
        hf_skip(c, hf_u16le(c));
    bool whole = true, ended = true;
    if ((flags & HAS_NAME) != 0)
        *name = hf_take_until(c, 0, TEXT_MAX, &ended);
    whole = whole && ended;
    if ((flags & HAS_COMMENT) != 0)
        (void)hf_take_until(c, 0, TEXT_MAX, &ended);
    whole = whole && ended;
    if ((flags & HAS_HEADER_CRC) != 0)
        hf_skip(c, 2);
    if (c->failed || (!whole && hf_cursor_left(c) == 0))
        return HF_TRUNCATED;
    return whole ? HF_OK : HF_MALFORMED;
}

/* The trailer behind a member; what it says of the contents is worth a note, no more. */
static enum hf_status check_trailer(struct hf_cursor *c, const struct hf_pusher *out,
                                    uint64_t size, struct hf_notes *notes)
{
    uint64_t at = hf_cursor_where(c);
    uint32_t crc = hf_u32le(c), declared = hf_u32le(c);
    if (c->failed)
        return HF_TRUNCATED;
    if (crc != out->crc)
        hf_note(notes, at, "checksum is %08x, the trailer says %08x", out->crc, crc);
    if (declared != (uint32_t)size)
        hf_note(notes, at, "member has %llu bytes, the trailer says %u",
                (unsigned long long)size, declared);
    return HF_OK;
}

/* Whether another member follows. Zeros behind a member are padding (tapes, disk images). */
static bool find_next(struct hf_cursor *c, struct hf_notes *notes)
{
    if (!hf_skip_zeros(c))
        return false;
    bool found = hf_peek_equal(c, magic, sizeof magic);
    if (!found && hf_cursor_left(c) > 0)
        hf_note(notes, hf_cursor_where(c), "%zu bytes behind the last member",
                hf_cursor_left(c));
    return found;
}

/* The size that the last member claims, for what it is worth: a hint. */
static uint64_t last_size(const struct hf_cursor *object)
{
    if (object->len < TRAILER)
        return HF_UNKNOWN;
    struct hf_cursor c = hf_cursor_at(object, object->len - 4);
    return hf_u32le(&c);
}

/* All members into one child, which is open. Returns how it ends. */
static enum hf_status push_members(struct hf_unpack *unpack, struct hf_codecs *codecs,
                                   struct hf_cursor *c, struct hf_pusher *out)
{
    uint64_t hint = last_size(c);
    for (;;) {
        uint64_t before = out->total;
        out->crc = 0;
        enum hf_status st = hf_codec_run(codecs, &hf_codec_deflate, c,
                                         (struct hf_codec_hint){hint, 0}, out);
        uint64_t size = out->total - before;
        if (st != HF_OK || !hf_pusher_has_taker(out))
            return st;
        if (size > hint)
            hint = HF_UNKNOWN; /* it was wrong once; no more attempts in vain */
        st = check_trailer(c, out, size, unpack->notes);
        if (st != HF_OK || !find_next(c, unpack->notes))
            return st;
        struct hf_bytes name;
        struct hf_cursor header = *c;
        st = read_header(&header, &name);
        if (st != HF_OK) {
            hf_note(unpack->notes, hf_cursor_where(c), "no member behind its signature");
            return HF_OK;
        }
        *c = header;
    }
}

enum hf_status hf_unpack_gzip(struct hf_unpack *unpack)
{
    struct hf_cursor c = hf_cursor_at(&unpack->object, 0);
    if (!hf_peek_equal(&c, magic, sizeof magic))
        return HF_NOTFOUND;
    struct hf_child child = {.packed = unpack->object.len,
                             .declared = HF_UNKNOWN,
                             .crc = HF_UNKNOWN,
                             .is_file = true};
    enum hf_status st = read_header(&c, &child.name);
    if (st != HF_OK)
        return st;
    child.offset = c.pos;
    HF_AUTO(hf_codecs_release)
    struct hf_codecs *codecs = hf_codecs_new(unpack->arena, unpack->object.len);
    if (codecs == NULL)
        return HF_NOMEM;
    struct hf_pusher out = hf_pusher_of(unpack);
    st = hf_pusher_begin(&out, child);
    if (st != HF_OK || !out.wanted)
        return st;
    enum hf_status how = push_members(unpack, codecs, &c, &out);
    if (out.stop != HF_OK || hf_cursor_status(&c) == HF_LIMIT)
        return out.stop != HF_OK ? out.stop : HF_LIMIT;
    if (!out.wanted)
        return HF_OK;
    hf_codecs_trim(codecs);
    st = hf_pusher_end(&out, how);
    return st != HF_OK ? st : how;
}
