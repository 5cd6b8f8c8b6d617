#include "digest/lanes.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define KERNEL __attribute__((target("avx2,avx512f,avx512vl,sha,sse4.1,ssse3")))
#define INLINE KERNEL __attribute__((always_inline)) static inline

bool hf_lanes_supported(void)
{
    unsigned a, b = 0, c, d;
    bool sha = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1u) != 0;
    return sha && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}

/* [FIPS 180-4] 4.2.2: fractions of the cube roots of the first 64 primes. */
static const uint32_t sha256_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
};

/* ---- SHA-256: one lane, four rounds at a time ---- */

struct sha_lane {
    __m128i abef, cdgh;       /* as the instructions want them */
    __m128i abef_in, cdgh_in; /* at the block's begin */
    __m128i w[4];             /* the last 16 words of the schedule */
    const uint8_t *data;
};

INLINE void sha_load(struct sha_lane *lane, const uint32_t state[8])
{
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
    lane->abef = _mm_alignr_epi8(cdab, efgh, 8);
    lane->cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);
}

INLINE void sha_store(const struct sha_lane *lane, uint32_t state[8])
{
    __m128i feba = _mm_shuffle_epi32(lane->abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(lane->cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

INLINE void sha_quad(struct sha_lane *lane, unsigned quad)
{
    __m128i *w = lane->w;
    if (quad == 0) {
        lane->abef_in = lane->abef;
        lane->cdgh_in = lane->cdgh;
    }
    if (quad < 4) {
        const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
        const void *at = lane->data + (size_t)quad * 16;
        w[quad] = _mm_shuffle_epi8(_mm_loadu_si128(at), swap);
    } else {
        __m128i sum = _mm_alignr_epi8(w[(quad + 3) % 4], w[(quad + 2) % 4], 4);
        sum = _mm_add_epi32(sum, _mm_sha256msg1_epu32(w[quad % 4], w[(quad + 1) % 4]));
        w[quad % 4] = _mm_sha256msg2_epu32(sum, w[(quad + 3) % 4]);
    }
    const void *constants = sha256_constants + (size_t)quad * 4;
    __m128i wk = _mm_add_epi32(w[quad % 4], _mm_load_si128(constants));
    lane->cdgh = _mm_sha256rnds2_epu32(lane->cdgh, lane->abef, wk);
    wk = _mm_shuffle_epi32(wk, 0x0e);
    lane->abef = _mm_sha256rnds2_epu32(lane->abef, lane->cdgh, wk);
    if (quad == 15) {
        lane->abef = _mm_add_epi32(lane->abef, lane->abef_in);
        lane->cdgh = _mm_add_epi32(lane->cdgh, lane->cdgh_in);
        lane->data += 64;
    }
}

INLINE void quads(struct sha_lane *lane, unsigned count, unsigned quad)
{
    if (count > 0)
        sha_quad(&lane[0], quad);
    if (count > 1)
        sha_quad(&lane[1], quad);
}

/* ---- MD5: eight lanes a vector ---- */

/* Vectors of 256 bits: where 512 are two halves one after the other, as on Zen 4, each step of a
 * chain would take twice as long. */
struct md5_group {
    __m256i state[4], x[16];
    const uint8_t *const *data;
};

/* Half a block of each lane into eight vectors, one a word: a transposition. */
INLINE void md5_words(const uint8_t *const *data, size_t offset, __m256i *x)
{
    __m256i r[8], t[8];
    for (unsigned i = 0; i < 8; i++)
        r[i] = _mm256_loadu_si256((const __m256i *)(const void *)(data[i] + offset));
    for (unsigned i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (unsigned i = 0; i < 8; i += 4) { /* now words k and 4 + k of lanes i .. i + 3 */
        r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (unsigned i = 0; i < 4; i++) {
        x[i] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x20);
        x[i + 4] = _mm256_permute2x128_si256(r[i], r[i + 4], 0x31);
    }
}

/* A lone stream in the registers of integers, whose rotations take one cycle, not two. */
struct md5_alone {
    uint32_t state[4], x[16];
    const uint8_t *data;
};

/* [RFC 1321] 3.4 as truth tables of three bits; as operations, with the newest value, y's and z's
 * elder, used last. */
#define F(x, y, z)            _mm256_ternarylogic_epi32(x, y, z, 0xca)
#define G(x, y, z)            _mm256_ternarylogic_epi32(z, x, y, 0xca)
#define H(x, y, z)            _mm256_ternarylogic_epi32(x, y, z, 0x96)
#define I(x, y, z)            _mm256_ternarylogic_epi32(x, y, z, 0x39)
#define ALONE_F(sum, x, y, z) (sum + (z ^ (x & (y ^ z))))
#define ALONE_G(sum, x, y, z) ((sum + (y & ~z)) + (x & z)) /* no bit is in both */
#define ALONE_H(sum, x, y, z) (sum + (x ^ (y ^ z)))
#define ALONE_I(sum, x, y, z) (sum + (y ^ (x | ~z)))

/* What is known beforehand is summed up beforehand: the compiler would put it behind f. */
INLINE __m256i step_sum(__m256i a, __m256i word, int constant)
{
    __m256i sum = _mm256_add_epi32(a, _mm256_add_epi32(word, _mm256_set1_epi32(constant)));
    __asm__("" : "+v"(sum));
    return sum;
}

INLINE uint32_t alone_sum(uint32_t a, uint32_t word, uint32_t constant)
{
    uint32_t sum = a + word + constant;
    __asm__("" : "+r"(sum));
    return sum;
}

INLINE uint32_t turn_left(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

#define STEP(f, a, b, c, d, word, constant, turn)                                          \
    for (unsigned i = 0; i < groups; i++) {                                                \
        a[i] = step_sum(a[i], g[i].x[word], (int)constant);                                \
        a[i] = _mm256_add_epi32(a[i], f(b[i], c[i], d[i]));                                \
        a[i] = _mm256_add_epi32(_mm256_rol_epi32(a[i], turn), b[i]);                       \
    }                                                                                      \
    if (one != NULL) {                                                                     \
        uint32_t sum = alone_sum(a##1, one->x[word], constant);                            \
        a##1 = turn_left(ALONE_##f(sum, b##1, c##1, d##1), turn) + b##1;                   \
    }

/* The next block of all groups and SHA-256 lanes, in turns of four steps. */
INLINE void block(struct md5_group *g, unsigned groups, struct md5_alone *one,
                  struct sha_lane *lane, unsigned sha256)
{
    __m256i a[2], b[2], c[2], d[2];
    for (unsigned i = 0; i < groups; i++) {
        a[i] = g[i].state[0];
        b[i] = g[i].state[1];
        c[i] = g[i].state[2];
        d[i] = g[i].state[3];
    }
    uint32_t a1 = 0, b1 = 0, c1 = 0, d1 = 0;
    if (one != NULL) {
        a1 = one->state[0];
        b1 = one->state[1];
        c1 = one->state[2];
        d1 = one->state[3];
    }
    STEP(F, a, b, c, d, 0, 0xd76aa478, 7)
    STEP(F, d, a, b, c, 1, 0xe8c7b756, 12)
    STEP(F, c, d, a, b, 2, 0x242070db, 17)
    STEP(F, b, c, d, a, 3, 0xc1bdceee, 22)
    quads(lane, sha256, 0);
    STEP(F, a, b, c, d, 4, 0xf57c0faf, 7)
    STEP(F, d, a, b, c, 5, 0x4787c62a, 12)
    STEP(F, c, d, a, b, 6, 0xa8304613, 17)
    STEP(F, b, c, d, a, 7, 0xfd469501, 22)
    quads(lane, sha256, 1);
    STEP(F, a, b, c, d, 8, 0x698098d8, 7)
    STEP(F, d, a, b, c, 9, 0x8b44f7af, 12)
    STEP(F, c, d, a, b, 10, 0xffff5bb1, 17)
    STEP(F, b, c, d, a, 11, 0x895cd7be, 22)
    quads(lane, sha256, 2);
    STEP(F, a, b, c, d, 12, 0x6b901122, 7)
    STEP(F, d, a, b, c, 13, 0xfd987193, 12)
    STEP(F, c, d, a, b, 14, 0xa679438e, 17)
    STEP(F, b, c, d, a, 15, 0x49b40821, 22)
    quads(lane, sha256, 3);
    STEP(G, a, b, c, d, 1, 0xf61e2562, 5)
    STEP(G, d, a, b, c, 6, 0xc040b340, 9)
    STEP(G, c, d, a, b, 11, 0x265e5a51, 14)
    STEP(G, b, c, d, a, 0, 0xe9b6c7aa, 20)
    quads(lane, sha256, 4);
    STEP(G, a, b, c, d, 5, 0xd62f105d, 5)
    STEP(G, d, a, b, c, 10, 0x02441453, 9)
    STEP(G, c, d, a, b, 15, 0xd8a1e681, 14)
    STEP(G, b, c, d, a, 4, 0xe7d3fbc8, 20)
    quads(lane, sha256, 5);
    STEP(G, a, b, c, d, 9, 0x21e1cde6, 5)
    STEP(G, d, a, b, c, 14, 0xc33707d6, 9)
    STEP(G, c, d, a, b, 3, 0xf4d50d87, 14)
    STEP(G, b, c, d, a, 8, 0x455a14ed, 20)
    quads(lane, sha256, 6);
    STEP(G, a, b, c, d, 13, 0xa9e3e905, 5)
    STEP(G, d, a, b, c, 2, 0xfcefa3f8, 9)
    STEP(G, c, d, a, b, 7, 0x676f02d9, 14)
    STEP(G, b, c, d, a, 12, 0x8d2a4c8a, 20)
    quads(lane, sha256, 7);
    STEP(H, a, b, c, d, 5, 0xfffa3942, 4)
    STEP(H, d, a, b, c, 8, 0x8771f681, 11)
    STEP(H, c, d, a, b, 11, 0x6d9d6122, 16)
    STEP(H, b, c, d, a, 14, 0xfde5380c, 23)
    quads(lane, sha256, 8);
    STEP(H, a, b, c, d, 1, 0xa4beea44, 4)
    STEP(H, d, a, b, c, 4, 0x4bdecfa9, 11)
    STEP(H, c, d, a, b, 7, 0xf6bb4b60, 16)
    STEP(H, b, c, d, a, 10, 0xbebfbc70, 23)
    quads(lane, sha256, 9);
    STEP(H, a, b, c, d, 13, 0x289b7ec6, 4)
    STEP(H, d, a, b, c, 0, 0xeaa127fa, 11)
    STEP(H, c, d, a, b, 3, 0xd4ef3085, 16)
    STEP(H, b, c, d, a, 6, 0x04881d05, 23)
    quads(lane, sha256, 10);
    STEP(H, a, b, c, d, 9, 0xd9d4d039, 4)
    STEP(H, d, a, b, c, 12, 0xe6db99e5, 11)
    STEP(H, c, d, a, b, 15, 0x1fa27cf8, 16)
    STEP(H, b, c, d, a, 2, 0xc4ac5665, 23)
    quads(lane, sha256, 11);
    STEP(I, a, b, c, d, 0, 0xf4292244, 6)
    STEP(I, d, a, b, c, 7, 0x432aff97, 10)
    STEP(I, c, d, a, b, 14, 0xab9423a7, 15)
    STEP(I, b, c, d, a, 5, 0xfc93a039, 21)
    quads(lane, sha256, 12);
    STEP(I, a, b, c, d, 12, 0x655b59c3, 6)
    STEP(I, d, a, b, c, 3, 0x8f0ccc92, 10)
    STEP(I, c, d, a, b, 10, 0xffeff47d, 15)
    STEP(I, b, c, d, a, 1, 0x85845dd1, 21)
    quads(lane, sha256, 13);
    STEP(I, a, b, c, d, 8, 0x6fa87e4f, 6)
    STEP(I, d, a, b, c, 15, 0xfe2ce6e0, 10)
    STEP(I, c, d, a, b, 6, 0xa3014314, 15)
    STEP(I, b, c, d, a, 13, 0x4e0811a1, 21)
    quads(lane, sha256, 14);
    STEP(I, a, b, c, d, 4, 0xf7537e82, 6)
    STEP(I, d, a, b, c, 11, 0xbd3af235, 10)
    STEP(I, c, d, a, b, 2, 0x2ad7d2bb, 15)
    STEP(I, b, c, d, a, 9, 0xeb86d391, 21)
    quads(lane, sha256, 15);
    for (unsigned i = 0; i < groups; i++) {
        g[i].state[0] = _mm256_add_epi32(g[i].state[0], a[i]);
        g[i].state[1] = _mm256_add_epi32(g[i].state[1], b[i]);
        g[i].state[2] = _mm256_add_epi32(g[i].state[2], c[i]);
        g[i].state[3] = _mm256_add_epi32(g[i].state[3], d[i]);
    }
    if (one != NULL) {
        one->state[0] += a1;
        one->state[1] += b1;
        one->state[2] += c1;
        one->state[3] += d1;
    }
}

static __m256i *group_words(struct hf_lanes *lanes, unsigned word, unsigned group)
{
    return (__m256i *)(void *)(lanes->md5[word] + (size_t)group * 8);
}

INLINE void run(struct hf_lanes *lanes, unsigned groups, bool alone, unsigned sha256,
                size_t blocks)
{
    struct md5_group g[2];
    struct md5_alone one = {.data = lanes->md5_data[0]};
    struct sha_lane lane[HF_LANES_SHA256];
    for (unsigned word = 0; word < 4 && alone; word++)
        one.state[word] = lanes->md5[word][0];
    for (unsigned i = 0; i < groups; i++)
        for (unsigned word = 0; word < 4; word++)
            g[i].state[word] = _mm256_loadu_si256(group_words(lanes, word, i));
    for (unsigned i = 0; i < sha256; i++) {
        sha_load(&lane[i], lanes->sha256[i]);
        lane[i].data = lanes->sha256_data[i];
    }
    for (size_t n = 0; n < blocks; n++) {
        for (unsigned i = 0; i < groups; i++) {
            md5_words(lanes->md5_data + (size_t)i * 8, n * 64, g[i].x);
            md5_words(lanes->md5_data + (size_t)i * 8, n * 64 + 32, g[i].x + 8);
        }
        if (alone)
            memcpy(one.x, one.data + n * 64, sizeof one.x);
        block(g, groups, alone ? &one : NULL, lane, sha256);
    }
    for (unsigned word = 0; word < 4 && alone; word++)
        lanes->md5[word][0] = one.state[word];
    for (unsigned i = 0; i < groups; i++)
        for (unsigned word = 0; word < 4; word++)
            _mm256_storeu_si256(group_words(lanes, word, i), g[i].state[word]);
    for (unsigned i = 0; i < sha256; i++)
        sha_store(&lane[i], lanes->sha256[i]);
}

/* One loop for each combination: constants, so that what is not asked for is not there. */
#define LOOP(name, groups, alone, sha256)                                                  \
    KERNEL static void name(struct hf_lanes *lanes, size_t blocks)                         \
    {                                                                                      \
        run(lanes, groups, alone, sha256, blocks);                                         \
    }
LOOP(run_0_1, 0, false, 1)
LOOP(run_0_2, 0, false, 2)
LOOP(run_1_0, 0, true, 0)
LOOP(run_1_1, 0, true, 1)
LOOP(run_1_2, 0, true, 2)
LOOP(run_8_0, 1, false, 0)
LOOP(run_8_1, 1, false, 1)
LOOP(run_8_2, 1, false, 2)
LOOP(run_16_0, 2, false, 0)
LOOP(run_16_1, 2, false, 1)
LOOP(run_16_2, 2, false, 2)

void hf_lanes_run(struct hf_lanes *lanes, unsigned md5, unsigned sha256, size_t blocks)
{
    static void (*const loops[4][HF_LANES_SHA256 + 1])(struct hf_lanes *, size_t) = {
        {NULL, run_0_1, run_0_2},
        {run_1_0, run_1_1, run_1_2},
        {run_8_0, run_8_1, run_8_2},
        {run_16_0, run_16_1, run_16_2}};
    if (md5 + sha256 > 0)
        loops[md5 < 2 ? md5 : md5 <= 8 ? 2 : 3][sha256](lanes, blocks);
}
