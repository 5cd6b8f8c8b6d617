#include "match/rarity.h"

/* A digit for each counter; made by bench/match_rarity.c. */
static const char *const rows[1 << (HF_RARITY_BITS - 6)] = {
#include "match/rarity_table.inc"
};

unsigned hf_match_commonness(uint32_t gram)
{
    uint32_t slot = hf_match_gram_slot(gram);
    char digit = rows[slot >> 6][slot & 63];
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a') + 10;
}
