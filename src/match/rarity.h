/* rarity.h - how common four bytes are in clean files; match/ only. */
#ifndef HF_MATCH_RARITY_H
#define HF_MATCH_RARITY_H

#include <stdint.h>

enum { HF_RARITY_BITS = 16 };

/* Which of the 2^16 counters a folded 4-gram (first byte lowest) falls into. */
static inline uint32_t hf_match_gram_slot(uint32_t gram)
{
    return (gram * UINT32_C(0x9e3779b1)) >> (32 - HF_RARITY_BITS);
}

/* 0: no commoner than the average counter (one position in 65536); n: about 2^n times as common;
 * at most 15. An upper bound for any longer string around the gram. */
unsigned hf_match_commonness(uint32_t gram);

#endif
