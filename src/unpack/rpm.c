/* rpm: a lead, a signature header, a header, and the payload, which is a compressed cpio archive
 * and becomes the one child. [rpm "Package Format" V3 and V4] Tags are not read: scriptlets and
 * names stand uncompressed in the header and are seen in the raw bytes. */
#include "unpack/decoders.h"
#include "unpack/pusher.h"

enum { LEAD_LEN = 96, INDEX_ENTRY_LEN = 16, ALIGN = 8 };

/* Pass a header structure: magic, version, reserved, entries, bytes of their data. */
static enum hf_status skip_header(struct hf_cursor *c)
{
    if (!hf_peek_equal(c, "\x8e\xad\xe8", 3))
        return hf_cursor_left(c) < 3 ? HF_TRUNCATED : HF_MALFORMED;
    hf_skip(c, 8);
    uint64_t entries = hf_u32be(c);
    uint64_t data = hf_u32be(c);
    hf_skip(c, entries * INDEX_ENTRY_LEN + data); /* 32 bits each: cannot wrap */
    return hf_cursor_status(c);
}

enum hf_status hf_unpack_rpm(struct hf_unpack *unpack)
{
    struct hf_cursor c = unpack->object;
    size_t start = c.pos;
    if (!hf_peek_equal(&c, "\xed\xab\xee\xdb", 4))
        return HF_NOTFOUND;
    hf_skip(&c, LEAD_LEN);
    enum hf_status st = skip_header(&c);
    if (st == HF_OK)
        hf_skip(&c,
                (ALIGN - (c.pos - start) % ALIGN) % ALIGN); /* the signature is padded */
    if (st == HF_OK)
        st = skip_header(&c);
    if (st != HF_OK)
        return st;
    struct hf_pusher out = hf_pusher_of(unpack);
    struct hf_child payload = hf_child_unknown();
    payload.packed = payload.declared = hf_cursor_left(&c);
    payload.offset = hf_cursor_where(&c);
    return payload.packed == 0 ? HF_TRUNCATED
                               : hf_pusher_whole(&out, payload, hf_take_rest(&c), HF_OK);
}
