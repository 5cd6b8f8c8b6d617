#include "match/search.h"

#include <immintrin.h>

/* AVX2: gathers of four words, nibble tables where the classes have them. */
#define KERNEL __attribute__((target("avx2,bmi2,popcnt")))

/* Helpers must be inlined for their constants to unroll the loops. */
#define INLINE __attribute__((always_inline)) static inline

static bool available(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("popcnt");
}

KERNEL INLINE __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

KERNEL static void fold(const uint8_t *from, uint8_t *to, size_t n)
{
    /* Signed comparison: the letters are moved to the lowest values. */
    const __m256i lowest = _mm256_set1_epi8((char)('A' + 128)),
                  bit = _mm256_set1_epi8(0x20);
    const __m256i end = _mm256_set1_epi8(-128 + 26);
    size_t i = 0;
    for (; n - i >= 32; i += 32) {
        __m256i v = load(from + i);
        __m256i upper = _mm256_cmpgt_epi8(end, _mm256_sub_epi8(v, lowest));
        v = _mm256_add_epi8(v, _mm256_and_si256(upper, bit));
        _mm256_storeu_si256((__m256i *)(void *)(to + i), v);
    }
    for (; i < n; i++)
        to[i] = match_fold(from[i]);
}

/* For four lanes that passed: their places, packed into the low 16-bit fields. */
/* For each set of four lanes: their numbers, packed into the lowest 16-bit fields. */
static const uint64_t places[16] = {
    0x0, 0x0,     0x1,     0x10000,     0x2,     0x20000,     0x20001,     0x200010000,
    0x3, 0x30000, 0x30001, 0x300010000, 0x30002, 0x300020000, 0x300020001, 0x3000200010000};

/* Append at + step * lane for the lanes that passed; fields stay below 2^16, so no carries. */
KERNEL INLINE uint32_t append4(uint16_t *out, uint32_t count, unsigned passed, size_t at,
                               unsigned step)
{
    uint64_t packed = places[passed] * step + at * UINT64_C(0x0001000100010001);
    memcpy(out + count, &packed, sizeof packed);
    return count + (uint32_t)__builtin_popcount(passed);
}

/* Four windows, at offsets 0, 8, 16, 24 of 32 bytes. */
KERNEL INLINE unsigned pass_wide(const uint8_t *filter, __m256i x, __m256i words)
{
    const __m256i factor = _mm256_set1_epi64x((long long)MATCH_WIDE_FACTOR);
    const __m256i crossed = _mm256_shuffle_epi32(factor, 0xb1),
                  six = _mm256_set1_epi64x(63);
    /* x * factor in 64 bits: the low halves' product, and both cross products above it. */
    __m256i cross = _mm256_mullo_epi32(x, crossed);
    cross = _mm256_add_epi32(cross, _mm256_shuffle_epi32(cross, 0xb1));
    __m256i h = _mm256_add_epi64(_mm256_mul_epu32(x, factor), _mm256_slli_epi64(cross, 32));
    __m256i upper = _mm256_srli_epi64(h, 32);
    __m256i word = _mm256_srli_epi64(_mm256_mul_epu32(upper, words), 32);
    __m256i bits = _mm256_xor_si256(h, upper);
    __m256i w = _mm256_i64gather_epi64((const long long *)(const void *)filter, word, 8);
    __m256i a = _mm256_srlv_epi64(w, _mm256_and_si256(bits, six));
    __m256i b = _mm256_srlv_epi64(w, _mm256_and_si256(_mm256_srli_epi64(bits, 6), six));
    __m256i c = _mm256_srlv_epi64(w, _mm256_and_si256(_mm256_srli_epi64(bits, 12), six));
    a = _mm256_slli_epi64(_mm256_and_si256(_mm256_and_si256(a, b), c), 63);
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(a));
}

/* Eight windows, at offsets 0, 4 .. 28. */
KERNEL INLINE unsigned pass_narrow(const uint8_t *filter, __m256i x, __m128i shift)
{
    const __m256i factor = _mm256_set1_epi32((int)MATCH_NARROW_FACTOR);
    const __m256i mix = _mm256_set1_epi32((int)MATCH_NARROW_MIX),
                  five = _mm256_set1_epi32(31);
    __m256i h = _mm256_mullo_epi32(x, factor);
    __m256i word = _mm256_srl_epi32(h, shift);
    __m256i w = _mm256_i32gather_epi32((const int *)(const void *)filter, word, 4);
    __m256i e = _mm256_mullo_epi32(_mm256_xor_si256(x, _mm256_srli_epi32(h, 15)), mix);
    __m256i a = _mm256_srlv_epi32(w, _mm256_and_si256(_mm256_srli_epi32(e, 17), five));
    __m256i b = _mm256_srlv_epi32(w, _mm256_and_si256(_mm256_srli_epi32(e, 22), five));
    __m256i c = _mm256_srlv_epi32(w, _mm256_srli_epi32(e, 27));
    a = _mm256_slli_epi32(_mm256_and_si256(_mm256_and_si256(a, b), c), 31);
    return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(a));
}

KERNEL INLINE uint32_t probe_wide(const struct match_class *class, const uint8_t *text,
                                  size_t n, unsigned stride, uint16_t *at)
{
    const __m256i mask = _mm256_set1_epi64x((long long)class->mask);
    const __m256i white = _mm256_set1_epi64x((long long)MATCH_WHITE);
    const __m256i words = _mm256_set1_epi64x(class->filter_words);
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 32) {
        for (size_t j = i; j < i + 8; j += stride) {
            __m256i x = _mm256_xor_si256(_mm256_and_si256(load(text + j), mask), white);
            count = append4(at, count, pass_wide(class->filter, x, words), j, 8);
        }
    }
    return count;
}

KERNEL INLINE uint32_t probe_narrow(const struct match_class *class, const uint8_t *text,
                                    size_t n, unsigned stride, uint16_t *at)
{
    const __m256i mask = _mm256_set1_epi32((int)(uint32_t) class->mask);
    const __m256i white = _mm256_set1_epi32((int)(uint32_t)MATCH_WHITE);
    const __m128i shift = _mm_cvtsi32_si128(__builtin_clz(class->filter_words) + 1);
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 32) {
        for (size_t j = i; j < i + 4; j += stride) {
            __m256i x = _mm256_xor_si256(_mm256_and_si256(load(text + j), mask), white);
            unsigned passed = pass_narrow(class->filter, x, shift);
            count = append4(at, count, passed & 15, j, 4);
            count = append4(at, count, passed >> 4, j + 16, 4);
        }
    }
    return count;
}

/* The nibble tables of one byte of the window. */
struct nibbles {
    __m256i low, high;
};

KERNEL INLINE __m256i look_up(const struct nibbles *t, __m256i v)
{
    const __m256i nibble = _mm256_set1_epi8(15);
    __m256i low = _mm256_shuffle_epi8(t->low, _mm256_and_si256(v, nibble));
    __m256i high =
        _mm256_shuffle_epi8(t->high, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
    return _mm256_and_si256(low, high);
}

KERNEL INLINE struct nibbles load_nibbles(const uint8_t *from)
{
    const __m128i *p = (const __m128i *)(const void *)from;
    return (struct nibbles){_mm256_broadcastsi128_si256(_mm_loadu_si128(p)),
                            _mm256_broadcastsi128_si256(_mm_loadu_si128(p + 1))};
}

KERNEL INLINE uint32_t probe_shuffle(const struct match_class *class, const uint8_t *text,
                                     size_t n, unsigned window, uint16_t *at)
{
    struct nibbles tables[MATCH_NARROW];
    for (unsigned k = 0; k < window; k++)
        tables[k] = load_nibbles(class->shuffle + (size_t)k * MATCH_SHUFFLE_BYTES + 256);
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 32) {
        __m256i in = look_up(&tables[0], load(text + i));
        for (unsigned k = 1; k < window; k++)
            in = _mm256_and_si256(in, look_up(&tables[k], load(text + i + k)));
        const __m256i none = _mm256_cmpeq_epi8(in, _mm256_setzero_si256());
        for (uint32_t m = ~(uint32_t)_mm256_movemask_epi8(none); m != 0; m &= m - 1) {
            const size_t p = i + (size_t)__builtin_ctz(m);
            at[count] = (uint16_t)p;
            count += match_passes(class, match_le64(text + p) & class->mask);
        }
    }
    return count;
}

KERNEL static uint32_t probe_shuffled(const struct match_class *class, const uint8_t *text,
                                      size_t n, uint16_t *at)
{
    switch (class->window) {
    case 1: return probe_shuffle(class, text, n, 1, at);
    case 2: return probe_shuffle(class, text, n, 2, at);
    case 3: return probe_shuffle(class, text, n, 3, at);
    default: return probe_shuffle(class, text, n, 4, at);
    }
}

KERNEL static uint32_t probe_strided(const struct match_class *class, const uint8_t *text,
                                     size_t n, uint16_t *at)
{
    if (class->window > MATCH_NARROW) {
        switch (class->stride) {
        case 1: return probe_wide(class, text, n, 1, at);
        case 2: return probe_wide(class, text, n, 2, at);
        case 4: return probe_wide(class, text, n, 4, at);
        default: return probe_wide(class, text, n, 8, at);
        }
    }
    switch (class->stride) {
    case 1: return probe_narrow(class, text, n, 1, at);
    case 2: return probe_narrow(class, text, n, 2, at);
    default: return probe_narrow(class, text, n, 4, at);
    }
}

static void probe(const struct match_class *class, const uint8_t *text, size_t n,
                  struct match_queue *queue)
{
    if (class->stride > (class->window > MATCH_NARROW ? 8 : 4)) {
        hf_match_probe_portable(class, text, n, queue);
        return;
    }
    queue->count = class->shuffle != NULL ? probe_shuffled(class, text, n, queue->at)
                                          : probe_strided(class, text, n, queue->at);
}

/* All eight guards at once: their places differ, so the text is gathered. */
__attribute__((target("avx2"))) uint32_t hf_match_agree_avx2(const uint8_t *line,
                                                             const uint8_t *window,
                                                             uint32_t hash,
                                                             uint32_t compared)
{
    const __m256i tags = _mm256_loadu_si256((const __m256i *)(const void *)line);
    const __m256i back = _mm256_and_si256(_mm256_srli_epi32(tags, 5),
                                          _mm256_set1_epi32(MATCH_GUARD_REACH - 1));
    const __m256i text = _mm256_i32gather_epi32(
        (const int *)(const void *)(window - MATCH_GUARD_BACK), back, 1);
    const __m256i pairs = _mm256_and_si256(text, _mm256_set1_epi32(0xffff));
    const __m256i mixed = _mm256_and_si256(
        _mm256_mullo_epi32(pairs, _mm256_set1_epi32(0x9e3b)), _mm256_set1_epi32(0xfff0));
    const __m256i wanted = _mm256_or_si256(_mm256_set1_epi32((int)(hash & MATCH_TAG_HASH)),
                                           _mm256_slli_epi32(mixed, 6));
    const __m256i differ =
        _mm256_and_si256(_mm256_xor_si256(tags, wanted), _mm256_set1_epi32((int)compared));
    const __m256i agree = _mm256_cmpeq_epi32(differ, _mm256_setzero_si256());
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(agree));
}

const struct match_kernel hf_match_avx2 = {"avx2", available, fold, probe,
                                           hf_match_agree_avx2};
