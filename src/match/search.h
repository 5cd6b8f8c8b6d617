/* search.h - what the kernels, the exact tables and the search say to each other; match/ only. */
#ifndef HF_MATCH_SEARCH_H
#define HF_MATCH_SEARCH_H

#include "match/image.h"

enum {
    MATCH_BLOCK = 16384, /* bytes of text that are folded and probed at a time */
    MATCH_SLACK = 128,   /* zeros behind them, so that kernels may load whole vectors */
    MATCH_LEAD = 64      /* bytes before them, for the guards of runs that start earlier */
};

/* Positions in a block whose window passed the filter. */
struct match_queue {
    uint32_t count;
    uint16_t at[MATCH_BLOCK + MATCH_SLACK]; /* slack: kernels store whole vectors */
};

/*
 * One way to fold and to probe.
 *
 * probe fills the queue with multiples of the class's stride below n: all those whose window is
 * indexed, and few others. text is readable, zeros at last, to n rounded up to 64, and
 * MATCH_SLACK more; positions behind n do no harm, since what ends there is no match.
 *
 * agree says which of the eight tags of a line have the hash and their guards in the text, where
 * window points at the candidate's; compared masks what of a tag counts. Bit k for slot k.
 */
struct match_kernel {
    const char *name;
    bool (*available)(void);
    void (*fold)(const uint8_t *from, uint8_t *to, size_t n);
    void (*probe)(const struct match_class *class, const uint8_t *text, size_t n,
                  struct match_queue *queue);
    uint32_t (*agree)(const uint8_t *line, const uint8_t *window, uint32_t hash,
                      uint32_t compared);
};

extern const struct match_kernel hf_match_portable, hf_match_avx2, hf_match_avx512;

/* The kernel in use. */
const struct match_kernel *hf_match_kernel(void);

/* The scalar probe, for strides that vectors do not help. */
void hf_match_probe_portable(const struct match_class *class, const uint8_t *text, size_t n,
                             struct match_queue *queue);

uint32_t hf_match_agree_portable(const uint8_t *line, const uint8_t *window, uint32_t hash,
                                 uint32_t compared);
uint32_t hf_match_agree_avx2(const uint8_t *line, const uint8_t *window, uint32_t hash,
                             uint32_t compared);

/* What a search hands down. */
struct match_search {
    const struct match_view *view;
    struct hf_bytes data;
    uint64_t base;
    hf_on_literal *on_literal;
    void *user;
};

/*
 * Take the candidates of a block through a class's exact table and compare what they name with
 * the text. text is the folded block with MATCH_LEAD readable bytes before
 * it, block its place in the data. False when on_literal stopped
 * the search.
 */
bool hf_match_drain(const struct match_search *search, const struct match_class *class,
                    const uint8_t *text, size_t block, const struct match_queue *queue);

#endif
