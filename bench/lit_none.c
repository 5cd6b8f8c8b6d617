/* lit_none.c - stands in for lit_vectorscan.c where vectorscan is not installed. */
#include "yardstick.h"

#include <stdio.h>

struct yardstick *yardstick_open(const struct hf_literal *literals, size_t count,
                                 const char *cache)
{
    (void)literals;
    (void)count;
    (void)cache;
    fprintf(stderr, "built without vectorscan (libvectorscan-dev)\n");
    return NULL;
}

void yardstick_scan(struct yardstick *y, struct hf_bytes data, uint64_t base,
                    struct tally *tally)
{
    (void)y;
    (void)data;
    (void)base;
    (void)tally;
}

void yardstick_close(struct yardstick *y)
{
    (void)y;
}
