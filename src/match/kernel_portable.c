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

static void probe(const struct match_class *class, const uint8_t *text, size_t n,
                  struct match_queue *queue)
{
    const uint64_t mask = class->mask;
    const uint8_t *filter = class->filter;
    const unsigned stride = class->stride, filter_bits = class->filter_bits;
    uint32_t count =
        0; /* in a register: the queue may alias the text for all the compiler knows */
    for (size_t at = 0; at < n; at += stride) {
        uint64_t h = match_filter_hash(match_le64(text + at) & mask);
        uint64_t bits = match_filter_bits(h);
        uint64_t word = match_le64(filter + 8 * match_filter_word(h, filter_bits));
        queue->at[count] = (uint16_t)at; /* no branch: overwritten unless it passed */
        count += (word & bits) == bits;
    }
    queue->count = count;
}

const struct match_kernel hf_match_portable = {"portable", always, fold, probe};
