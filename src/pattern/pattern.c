#include "pattern/pattern.h"

/* The stored form, little-endian:
 *
 *   u8 kind (low 4 bits) and place (high 4)   u16 flags
 *   u8 xor_min, u8 xor_max                    only with HF_PATTERN_XOR
 *   u16 section, u64 offset, u64 span         only when the place is not ANYWHERE
 *   u64 least, u64 most distance              only with HF_PATTERN_LINKED
 *   u32 length, text
 *
 * Most of a few hundred thousand patterns are searched anywhere and carry no key range, so what
 * they do not use is not stored. */

enum { KNOWN_FLAGS = (HF_PATTERN_LINKED << 1) - 1 };

void hf_pattern_write(const struct hf_pattern *pattern, struct hf_buffer *out)
{
    hf_buffer_u8(out,
                 (uint8_t)((unsigned)pattern->kind | (unsigned)pattern->place.kind << 4));
    hf_buffer_u16(out, (uint16_t)pattern->flags);
    if ((pattern->flags & HF_PATTERN_XOR) != 0) {
        hf_buffer_u8(out, pattern->xor_min);
        hf_buffer_u8(out, pattern->xor_max);
    }
    if (pattern->place.kind != HF_PLACE_ANYWHERE) {
        hf_buffer_u16(out, pattern->place.section);
        hf_buffer_u64(out, (uint64_t)pattern->place.offset);
        hf_buffer_u64(out, pattern->place.span);
    }
    if ((pattern->flags & HF_PATTERN_LINKED) != 0) {
        hf_buffer_u64(out, pattern->link.min);
        hf_buffer_u64(out, pattern->link.max);
    }
    hf_buffer_counted(out, pattern->text);
}

static enum hf_status refuse(struct hf_cursor *in)
{
    in->failed = true;
    return HF_MALFORMED;
}

enum hf_status hf_pattern_read(struct hf_cursor *in, struct hf_pattern *pattern)
{
    *pattern = (struct hf_pattern){0};
    uint8_t kinds = hf_u8(in);
    uint16_t flags = hf_u16le(in);
    if (hf_cursor_status(in) != HF_OK)
        return hf_cursor_status(in);
    if ((kinds & 15) > HF_PATTERN_METADATA || kinds >> 4 > HF_PLACE_VERSION_INFO ||
        (flags & ~(unsigned)KNOWN_FLAGS) != 0)
        return refuse(in);
    pattern->kind = (enum hf_pattern_kind)(kinds & 15);
    pattern->flags = flags;
    if ((flags & HF_PATTERN_XOR) != 0) {
        pattern->xor_min = hf_u8(in);
        pattern->xor_max = hf_u8(in);
        if (pattern->xor_min > pattern->xor_max)
            return refuse(in);
    }
    pattern->place.kind = (enum hf_place_kind)(kinds >> 4);
    if (pattern->place.kind != HF_PLACE_ANYWHERE) {
        pattern->place.section = hf_u16le(in);
        pattern->place.offset = (int64_t)hf_u64le(in);
        pattern->place.span = hf_u64le(in);
    }
    if ((flags & HF_PATTERN_LINKED) != 0) {
        pattern->link.min = hf_u64le(in);
        pattern->link.max = hf_u64le(in);
    }
    pattern->text = hf_take(in, hf_u32le(in));
    if (hf_cursor_status(in) != HF_OK)
        return hf_cursor_status(in);
    return pattern->text.len == 0 ? refuse(in) : HF_OK;
}

/* Whether start is in [offset, offset + span]. */
static bool within(int64_t offset, uint64_t span, uint64_t start)
{
    if (offset >= 0)
        return start >= (uint64_t)offset && start - (uint64_t)offset <= span;
    uint64_t before = 0 - (uint64_t)offset; /* INT64_MIN has no positive twin */
    return span >= before && start <= span - before;
}

bool hf_place_allows(const struct hf_place *place, uint64_t view_size, uint64_t start)
{
    switch (place->kind) {
    case HF_PLACE_ANYWHERE: return true;
    case HF_PLACE_START: return within(place->offset, place->span, start);
    case HF_PLACE_END:
        /* A place before the view's first byte is no place, whatever the span: ClamAV drops
         * EOF-n for files shorter than n. A negative offset lies behind the end. */
        if (place->offset < 0 || (uint64_t)place->offset > view_size)
            return false;
        uint64_t first = view_size - (uint64_t)place->offset;
        return start >= first && start - first <= place->span;
    default: return false;
    }
}
