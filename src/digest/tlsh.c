#include "digest/tlsh.h"

#include <math.h>
#include <stdlib.h>

enum { BUCKETS = 256, USED = 128, CODE = USED / 4, WINDOW = 5, SHORTEST = 50 };

/* clang-format off */
static const uint8_t permutation[256] = {
      1,  87,  49,  12, 176, 178, 102, 166, 121, 193,   6,  84, 249, 230,  44, 163,
     14, 197, 213, 181, 161,  85, 218,  80,  64, 239,  24, 226, 236, 142,  38, 200,
    110, 177, 104, 103, 141, 253, 255,  50,  77, 101,  81,  18,  45,  96,  31, 222,
     25, 107, 190,  70,  86, 237, 240,  34,  72, 242,  20, 214, 244, 227, 149, 235,
     97, 234,  57,  22,  60, 250,  82, 175, 208,   5, 127, 199, 111,  62, 135, 248,
    174, 169, 211,  58,  66, 154, 106, 195, 245, 171,  17, 187, 182, 179,   0, 243,
    132,  56, 148,  75, 128, 133, 158, 100, 130, 126,  91,  13, 153, 246, 216, 219,
    119,  68, 223,  78,  83,  88, 201,  99, 122,  11,  92,  32, 136, 114,  52,  10,
    138,  30,  48, 183, 156,  35,  61,  26, 143,  74, 251,  94, 129, 162,  63, 152,
    170,   7, 115, 167, 241, 206,   3, 150,  55,  59, 151, 220,  90,  53,  23, 131,
    125, 173,  15, 238,  79,  95,  89,  16, 105, 137, 225, 224, 217, 160,  37, 123,
    118,  73,   2, 157,  46, 116,   9, 145, 134, 228, 207, 212, 202, 215,  69, 229,
     27, 188,  67, 124, 168, 252,  42,   4,  29, 108,  21, 247,  19, 205,  39, 203,
    233,  40, 186, 147, 198, 192, 155,  33, 164, 191,  98, 204, 165, 180, 117,  76,
    140,  36, 210, 172,  41,  54, 159,   8, 185, 232, 113, 196, 231,  47, 146, 120,
     51,  65,  28, 144, 254, 221,  93, 189, 194, 139, 112,  43,  71, 109, 184, 209,
};
/* clang-format on */

static uint8_t pearson(uint8_t salt, uint8_t a, uint8_t b, uint8_t c)
{
    return permutation[permutation[permutation[permutation[salt] ^ a] ^ b] ^ c];
}

/* Every window of five bytes counts in six buckets, one for each triplet that has its newest
 * byte (but not its four others together twice); each triplet has a salt of its own. */
static uint8_t count_triplets(struct hf_bytes data, uint32_t buckets[BUCKETS])
{
    uint8_t checksum = 0;
    for (size_t i = WINDOW - 1; i < data.len; i++) {
        const uint8_t *w = data.data + i;
        checksum = pearson(0, w[0], w[-1], checksum);
        buckets[pearson(2, w[0], w[-1], w[-2])]++;
        buckets[pearson(3, w[0], w[-1], w[-3])]++;
        buckets[pearson(5, w[0], w[-2], w[-3])]++;
        buckets[pearson(7, w[0], w[-2], w[-4])]++;
        buckets[pearson(11, w[0], w[-1], w[-4])]++;
        buckets[pearson(13, w[0], w[-3], w[-4])]++;
    }
    return checksum;
}

static int by_value(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The length on a logarithmic scale whose base shrinks twice. [the paper, section 3.2] */
static uint8_t length_class(size_t length)
{
    double n = log((double)length), scale;
    if (length <= 656)
        scale = n / log(1.5);
    else if (length <= 3199)
        scale = n / log(1.3) - 8.72777;
    else
        scale = n / log(1.1) - 62.5472;
    return (uint8_t)(int)floor(scale);
}

/* A quartile in percent of the third, modulo 16, in single precision as the original has it. */
static uint8_t ratio(uint32_t quartile, uint32_t third)
{
    return (uint8_t)((uint32_t)((float)(quartile * 100) / (float)third) % 16);
}

static void put_byte(char *out, uint8_t value, bool low_first)
{
    static const char digits[] = "0123456789ABCDEF";
    out[low_first ? 1 : 0] = digits[value >> 4];
    out[low_first ? 0 : 1] = digits[value & 15];
}

/* Two bits a bucket: which quarter its count falls in. */
static uint8_t code_byte(const uint32_t *four, const uint32_t quartile[3])
{
    unsigned code = 0;
    for (unsigned j = 0; j < 4; j++)
        for (unsigned q = 0; q < 3; q++)
            if (four[j] > quartile[q])
                code += 1u << (2 * j);
    return (uint8_t)code;
}

bool hf_tlsh(struct hf_bytes data, char out[HF_TLSH_TEXT])
{
    if (data.len < SHORTEST || data.len > UINT32_MAX)
        return false;
    uint32_t buckets[BUCKETS] = {0}, sorted[USED];
    uint8_t checksum = count_triplets(data, buckets);
    memcpy(sorted, buckets, sizeof sorted);
    qsort(sorted, USED, sizeof *sorted, by_value);
    const uint32_t quartile[3] = {sorted[USED / 4 - 1], sorted[USED / 2 - 1],
                                  sorted[USED - USED / 4 - 1]};
    /* More than half of the buckets must have been hit. */
    if (quartile[2] == 0 || sorted[USED / 2 - 1] == 0)
        return false;
    out[0] = 'T';
    out[1] = '1';
    put_byte(out + 2, checksum, true);
    put_byte(out + 4, length_class(data.len), true);
    uint8_t ratios =
        (uint8_t)(ratio(quartile[0], quartile[2]) | ratio(quartile[1], quartile[2]) << 4);
    put_byte(out + 6, ratios, true);
    for (size_t i = 0; i < CODE; i++)
        put_byte(out + 8 + 2 * i, code_byte(buckets + 4 * (CODE - 1 - i), quartile), false);
    return true;
}
