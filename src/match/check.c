#include "match/matcher.h"

#include "match/image.h"

/* An entry is sound when its record exists and the window that it names is the one that the
 * filter and the bucket find. */
static bool entry_sound(const struct match_view *view, const struct match_class *class,
                        uint32_t bucket, const uint8_t *entry)
{
    struct match_record r;
    const uint32_t tag = match_le32(entry), place = tag & MATCH_PLACE;
    if (place >= class->stride || !hf_match_record(view, match_le32(entry + 4), &r))
        return false;
    if (r.bytes.len - r.run < (size_t)place + class->window)
        return false;
    uint64_t x = 0;
    for (unsigned i = 0; i < class->window; i++)
        x |= (uint64_t)match_fold(r.bytes.data[r.run + place + i]) << (8 * i);
    const uint64_t h = match_exact_hash(x), f = match_filter_hash(x);
    const uint64_t word =
        match_le64(class->filter + 8 * match_filter_word(f, class->filter_bits));
    return h >> 1 >> (63 - class->bucket_bits) == bucket &&
           ((uint32_t)h & ~MATCH_PLACE) == (tag & ~MATCH_PLACE) &&
           (word & match_filter_bits(f)) == match_filter_bits(f);
}

static bool class_sound(const struct match_view *view, const struct match_class *class)
{
    const uint64_t buckets = UINT64_C(1) << class->bucket_bits;
    uint32_t at = 0;
    if (match_le32(class->starts) != 0 ||
        match_le32(class->starts + 4 * buckets) != class->entry_count)
        return false;
    for (uint64_t b = 0; b < buckets; b++) {
        const uint32_t end = match_le32(class->starts + 4 * (b + 1));
        if (end < at || end > class->entry_count)
            return false;
        for (; at < end; at++)
            if (!entry_sound(view, class, (uint32_t)b, class->entries + 8 * (size_t)at))
                return false;
    }
    return true;
}

/* Records lie one behind the other, without gaps, and their ids are in the table. */
static bool records_sound(const struct match_view *view)
{
    struct match_record r;
    size_t longest = 0;
    for (uint64_t at = 0; at < view->records.len;) {
        if (!hf_match_record(view, (uint32_t)(at / 8), &r) || r.bytes.len == 0 ||
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
