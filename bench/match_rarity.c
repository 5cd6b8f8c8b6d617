/* match_rarity.c - makes src/match/rarity_table.inc: how common each (hashed, folded) 4-gram is
 * in clean files.
 *
 * usage: find DIR... -type f | match_rarity > src/match/rarity_table.inc
 *
 * At most 1 MiB of each file is read, so that no single file sets the picture. */
#include "match/rarity.h"

#include "match/image.h"

#include <stdio.h>
#include <stdlib.h>

static void count_file(const char *path, uint64_t *counts, uint64_t *total)
{
    static uint8_t text[1 << 20];
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return;
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    for (size_t i = 0; i < n; i++)
        text[i] = match_fold(text[i]);
    for (size_t i = 0; i + 4 <= n; i++)
        counts[hf_match_gram_slot(match_le32(text + i))]++;
    *total += n;
}

int main(void)
{
    static uint64_t counts[1 << HF_RARITY_BITS];
    uint64_t total = 0;
    char path[4096];
    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = 0;
        count_file(path, counts, &total);
    }
    const uint64_t mean = (total >> HF_RARITY_BITS) + 1;
    for (size_t i = 0; i < 1 << HF_RARITY_BITS; i++) {
        unsigned level = 0;
        while (level < 15 && counts[i] * 8 >> (level + 1) >= mean)
            level++;
        printf("%s%x%s", i % 64 == 0 ? "\"" : "", level, i % 64 == 63 ? "\",\n" : "");
    }
    fprintf(stderr, "%.1f MB\n", (double)total / 1e6);
    return 0;
}
