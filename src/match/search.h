/* search.h - what the kernels and the exact tables say to each other; match/ only. */
#ifndef HF_MATCH_SEARCH_H
#define HF_MATCH_SEARCH_H

#include "match/image.h"

enum {
    MATCH_BLOCK = 8192, /* bytes of text that are folded and probed at a time */
    MATCH_SLACK = 64    /* zeros behind them, so that kernels may load whole vectors */
};

/* Positions in a block whose window passed the filter. */
struct match_queue {
    uint32_t count;
    uint16_t at[MATCH_BLOCK + MATCH_SLACK]; /* slack: kernels store whole vectors */
};

/* One way to fold and to probe. All give the same queues. */
struct match_kernel {
    const char *name;
    bool (*available)(void);
    void (*fold)(const uint8_t *from, uint8_t *to, size_t n);
    /* Fill the queue with every multiple of the class's stride below n that passes. text is
     * readable to n + MATCH_SLACK. */
    void (*probe)(const struct match_class *class, const uint8_t *text, size_t n,
                  struct match_queue *queue);
};

extern const struct match_kernel hf_match_portable;

#endif
