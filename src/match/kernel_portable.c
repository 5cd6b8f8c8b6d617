#include "match/search.h"

static bool always(void)
{
    return true;
}

static void fold(const uint8_t *from, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = match_fold(from[i]);
}

/* No branch on the outcome: what did not pass is overwritten by the next. The count stays in a
 * register; the queue may alias anything for all that the compiler knows. */
static uint32_t probe_wide(const struct match_class *class, const uint8_t *text, size_t n,
                           uint16_t *at)
{
    const uint64_t mask = class->mask;
    const uint8_t *filter = class->filter;
    const size_t stride = class->stride;
    const uint32_t words = class->filter_words;
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += stride) {
        struct match_spot s = match_wide_spot(match_le64(text + i) & mask, words);
        uint64_t word = match_le64(filter + 8 * (size_t)s.word);
        at[count] = (uint16_t)i;
        count += (uint32_t)(word >> (s.bits & 63) & word >> (s.bits >> 6 & 63) &
                            word >> (s.bits >> 12 & 63) & 1);
    }
    return count;
}

static uint32_t probe_narrow(const struct match_class *class, const uint8_t *text, size_t n,
                             uint16_t *at)
{
    const uint32_t mask = (uint32_t) class->mask;
    const uint8_t *filter = class->filter;
    const size_t stride = class->stride;
    const uint32_t words = class->filter_words;
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += stride) {
        struct match_spot s = match_narrow_spot(match_le32(text + i) & mask, words);
        uint32_t word = match_le32(filter + 4 * (size_t)s.word);
        at[count] = (uint16_t)i;
        count += word >> (s.bits & 31) & word >> (s.bits >> 5 & 31) &
                 word >> (s.bits >> 10 & 31) & 1;
    }
    return count;
}

void hf_match_probe_portable(const struct match_class *class, const uint8_t *text, size_t n,
                             struct match_queue *queue)
{
    queue->count = class->window > MATCH_NARROW ? probe_wide(class, text, n, queue->at)
                                                : probe_narrow(class, text, n, queue->at);
}

uint32_t hf_match_agree_portable(const uint8_t *line, const uint8_t *window, uint32_t hash,
                                 uint32_t compared)
{
    uint32_t fits = 0, agreeing = 0;
    for (uint32_t k = 0; k < MATCH_SLOTS; k++)
        fits |= (uint32_t)(((match_le32(line + 4 * k) ^ hash) & MATCH_TAG_HASH) == 0) << k;
    for (; fits != 0; fits &= fits - 1) {
        const uint32_t k = (uint32_t)__builtin_ctz(fits), tag = match_le32(line + 4 * k);
        const uint32_t guard = match_guard_bits(window + match_guard_offset(tag));
        agreeing |= (uint32_t)(((tag ^ ((hash & MATCH_TAG_HASH) | guard)) & compared) == 0)
                    << k;
    }
    return agreeing;
}

const struct match_kernel hf_match_portable = {
    "portable", always, fold, hf_match_probe_portable, hf_match_agree_portable};
