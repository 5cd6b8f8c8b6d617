#include "match/matcher.h"

#include "match/image.h"

/* Whether the shuffle tables, if any, let a window through, by bytes and by nibbles. */
static bool shuffle_passes(const struct match_class *class, uint64_t x)
{
    uint8_t by_byte = 0xff, by_nibble = 0xff;
    if (class->shuffle == NULL)
        return true;
    for (unsigned i = 0; i < class->window; i++) {
        const uint8_t *t = class->shuffle + (size_t)i * MATCH_SHUFFLE_BYTES;
        const uint8_t b = (uint8_t)(x >> (8 * i));
        by_byte &= t[b];
        by_nibble &= t[256 + (b & 15)] & t[272 + (b >> 4)];
    }
    return by_byte != 0 && by_nibble != 0;
}

static bool sieve_passes(const struct match_class *class, uint64_t hash)
{
    const uint32_t mask = match_sieve_mask(hash);
    return class->sieve == NULL ||
           (match_le32(match_sieve_word(class, hash)) & mask) == mask;
}

/* Whether the literal has the tag's guard where the tag says. */
static bool guard_sound(const struct match_class *class, const struct match_record *r,
                        uint32_t tag)
{
    if (class->window == 1)
        return true;
    const int64_t at = (int64_t)r->run + (tag & MATCH_TAG_PLACE) + match_guard_offset(tag);
    if (at < 0 || at + 2 > (int64_t)r->bytes.len)
        return false;
    const uint8_t two[2] = {match_fold(r->bytes.data[at]),
                            match_fold(r->bytes.data[at + 1])};
    return match_guard_bits(two) == (tag & MATCH_TAG_GUARD);
}

/* An entry is sound when its record exists and the window that it names is the one that the
 * filters and the bucket find. */
static bool entry_sound(const struct match_view *view, const struct match_class *class,
                        const uint8_t *bucket, uint32_t tag, uint32_t where)
{
    struct match_record r;
    const uint32_t place = tag & MATCH_TAG_PLACE;
    if (place >= class->stride || !match_record(view, where, &r))
        return false;
    if (r.bytes.len - r.run < (size_t)place + class->window)
        return false;
    uint64_t x = 0;
    for (unsigned i = 0; i < class->window; i++)
        x |= (uint64_t)match_fold(r.bytes.data[r.run + place + i]) << (8 * i);
    const uint64_t h = match_exact_hash(x);
    return match_bucket(class, h) == bucket &&
           (((uint32_t)h ^ tag) & MATCH_TAG_HASH) == 0 && guard_sound(class, &r, tag) &&
           match_passes(class, x) && shuffle_passes(class, x) && sieve_passes(class, h);
}

/* The entries of a line's first slots; unused ones come last. */
static bool line_sound(const struct match_view *view, const struct match_class *class,
                       const uint8_t *bucket, const uint8_t *line, unsigned slots)
{
    bool ended = false;
    for (unsigned k = 0; k < slots; k++) {
        const uint32_t tag = match_le32(line + 4 * k);
        const uint32_t where = match_le32(line + 4 * (MATCH_SLOTS + k));
        ended = ended || where == MATCH_EMPTY;
        if (ended ? where != MATCH_EMPTY || tag != 0
                  : !entry_sound(view, class, bucket, tag, where))
            return false;
    }
    return true;
}

/* One bucket; the overflow's lines that it goes on in begin at *overflow, which moves. */
static bool bucket_sound(const struct match_view *view, const struct match_class *class,
                         const uint8_t *bucket, uint32_t *overflow)
{
    const uint32_t tag = match_le32(bucket + 4 * (MATCH_SLOTS - 1));
    const uint32_t where = match_le32(bucket + 4 * (2 * MATCH_SLOTS - 1));
    const bool continued = where != MATCH_EMPTY && (where & MATCH_CONTINUED) != 0;
    if (!line_sound(view, class, bucket, bucket, continued ? MATCH_SLOTS - 1 : MATCH_SLOTS))
        return false;
    if (!continued)
        return true;
    if ((where & ~MATCH_CONTINUED) != *overflow || tag > class->overflow_count - *overflow)
        return false;
    for (const uint32_t end = *overflow + tag; *overflow < end; ++*overflow)
        if (!line_sound(view, class, bucket,
                        class->overflow + MATCH_LINE * (size_t)*overflow, MATCH_SLOTS))
            return false;
    return true;
}

static bool class_sound(const struct match_view *view, const struct match_class *class)
{
    uint32_t overflow = 0;
    for (uint32_t b = 0; b < class->bucket_count; b++)
        if (!bucket_sound(view, class, class->buckets + MATCH_LINE * (size_t)b, &overflow))
            return false;
    return overflow == class->overflow_count;
}

/* Records lie one behind the other; a word of zeros is the space before a line's end that the
 * next did not fit into. */
static bool records_sound(const struct match_view *view)
{
    struct match_record r;
    size_t longest = 0;
    for (uint64_t at = 0; at < view->records.len;) {
        if (match_le64(view->records.data + at) == 0 && at % MATCH_LINE != 0) {
            at += 8;
            continue;
        }
        if (!match_record(view, (uint32_t)(at / 8), &r) || r.bytes.len == 0 ||
            r.id_count == 0)
            return false;
        longest = r.bytes.len > longest ? r.bytes.len : longest;
        at += (MATCH_RECORD + r.bytes.len + 7) & ~(uint64_t)7;
    }
    return longest == view->longest;
}

enum hf_status hf_matcher_check(const struct hf_matcher *matcher)
{
    struct match_view view;
    if (!hf_match_view(matcher->image, &view) || !records_sound(&view))
        return HF_MALFORMED;
    for (unsigned i = 0; i < view.class_count; i++)
        if (!class_sound(&view, &view.classes[i]))
            return HF_MALFORMED;
    return HF_OK;
}
