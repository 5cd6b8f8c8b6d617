#include "match/search.h"

#include <immintrin.h>

/* AVX-512 with byte permutes (Ice Lake, Zen 4 and later): gathers for the filters, 256-byte table
 * lookups for the shuffle tables. */
#define KERNEL                                                                             \
    __attribute__((                                                                        \
        target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,bmi2,popcnt")))

/* Helpers must be inlined for their constants to unroll the loops. */
#define INLINE __attribute__((always_inline)) static inline

static bool available(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

KERNEL static void fold(const uint8_t *from, uint8_t *to, size_t n)
{
    const __m512i a = _mm512_set1_epi8('A'), letters = _mm512_set1_epi8(26);
    const __m512i bit = _mm512_set1_epi8(0x20);
    for (size_t i = 0; i < n; i += 64) {
        __mmask64 there =
            n - i >= 64 ? ~UINT64_C(0) : _bzhi_u64(~UINT64_C(0), (unsigned)(n - i));
        __m512i v = _mm512_maskz_loadu_epi8(there, from + i);
        __mmask64 upper = _mm512_cmplt_epu8_mask(_mm512_sub_epi8(v, a), letters);
        _mm512_mask_storeu_epi8(to + i, there, _mm512_mask_add_epi8(v, upper, v, bit));
    }
}

/* Append base + step * k for the set bits k of passed. */
KERNEL INLINE uint32_t append8(uint16_t *at, uint32_t count, __mmask8 passed, __m128i where)
{
    _mm_storeu_si128((__m128i *)(void *)(at + count),
                     _mm_maskz_compress_epi16(passed, where));
    return count + (uint32_t)__builtin_popcount(passed);
}

KERNEL INLINE uint32_t append16(uint16_t *at, uint32_t count, __mmask16 passed,
                                __m256i where)
{
    _mm256_storeu_si256((__m256i *)(void *)(at + count),
                        _mm256_maskz_compress_epi16(passed, where));
    return count + (uint32_t)__builtin_popcount(passed);
}

/* (text & mask) ^ white. */
KERNEL INLINE __m512i whiten(__m512i text, __m512i mask, __m512i white)
{
    return _mm512_ternarylogic_epi64(text, mask, white, 0x6a);
}

/* Eight windows, at offsets 0, 8 .. 56 of 64 bytes. Rotations take their counts modulo 64, so
 * the bit numbers need no masking. */
KERNEL INLINE __mmask8 pass_wide(const uint8_t *filter, __m512i x, __m512i words)
{
    const __m512i factor = _mm512_set1_epi64((long long)MATCH_WIDE_FACTOR);
    __m512i h = _mm512_mullo_epi64(x, factor), upper = _mm512_srli_epi64(h, 32);
    __m512i word = _mm512_srli_epi64(_mm512_mul_epu32(upper, words), 32);
    __m512i bits = _mm512_xor_si512(h, upper);
    __m512i w = _mm512_i64gather_epi64(word, filter, 8);
    __m512i t = _mm512_rorv_epi64(w, bits);
    t = _mm512_ternarylogic_epi64(t, _mm512_rorv_epi64(w, _mm512_srli_epi64(bits, 6)),
                                  _mm512_rorv_epi64(w, _mm512_srli_epi64(bits, 12)), 0x80);
    return _mm512_test_epi64_mask(t, _mm512_set1_epi64(1));
}

/* Sixteen windows, at offsets 0, 4 .. 60. */
KERNEL INLINE __mmask16 pass_narrow(const uint8_t *filter, __m512i x, __m128i shift)
{
    const __m512i factor = _mm512_set1_epi32((int)MATCH_NARROW_FACTOR);
    const __m512i mix = _mm512_set1_epi32((int)MATCH_NARROW_MIX);
    __m512i h = _mm512_mullo_epi32(x, factor);
    __m512i w = _mm512_i32gather_epi32(_mm512_srl_epi32(h, shift), filter, 4);
    __m512i e = _mm512_mullo_epi32(_mm512_xor_si512(x, _mm512_srli_epi32(h, 15)), mix);
    __m512i t = _mm512_rorv_epi32(w, _mm512_srli_epi32(e, 17));
    t = _mm512_ternarylogic_epi32(t, _mm512_rorv_epi32(w, _mm512_srli_epi32(e, 22)),
                                  _mm512_rorv_epi32(w, _mm512_srli_epi32(e, 27)), 0x80);
    return _mm512_test_epi32_mask(t, _mm512_set1_epi32(1));
}

KERNEL INLINE uint32_t probe_wide(const struct match_class *class, const uint8_t *text,
                                  size_t n, unsigned stride, uint16_t *at)
{
    const __m512i mask = _mm512_set1_epi64((long long)class->mask);
    const __m512i white = _mm512_set1_epi64((long long)MATCH_WHITE);
    const __m512i words = _mm512_set1_epi64(class->filter_words);
    const __m128i lanes = _mm_set_epi16(56, 48, 40, 32, 24, 16, 8, 0);
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 64) {
        for (size_t j = i; j < i + 8; j += stride) {
            __m512i x = whiten(_mm512_loadu_si512(text + j), mask, white);
            __mmask8 passed = pass_wide(class->filter, x, words);
            count =
                append8(at, count, passed, _mm_add_epi16(lanes, _mm_set1_epi16((short)j)));
        }
    }
    return count;
}

KERNEL INLINE uint32_t probe_narrow(const struct match_class *class, const uint8_t *text,
                                    size_t n, unsigned stride, uint16_t *at)
{
    const __m512i mask = _mm512_set1_epi32((int)(uint32_t) class->mask);
    const __m512i white = _mm512_set1_epi32((int)(uint32_t)MATCH_WHITE);
    const __m128i shift = _mm_cvtsi32_si128(__builtin_clz(class->filter_words) + 1);
    const __m256i lanes =
        _mm256_set_epi16(60, 56, 52, 48, 44, 40, 36, 32, 28, 24, 20, 16, 12, 8, 4, 0);
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 64) {
        for (size_t j = i; j < i + 4; j += stride) {
            __m512i x = whiten(_mm512_loadu_si512(text + j), mask, white);
            __mmask16 passed = pass_narrow(class->filter, x, shift);
            count = append16(at, count, passed,
                             _mm256_add_epi16(lanes, _mm256_set1_epi16((short)j)));
        }
    }
    return count;
}

/* A table of 256 bytes in four registers. */
struct table {
    __m512i part[4];
};

KERNEL INLINE struct table load_table(const uint8_t *from)
{
    return (struct table){{_mm512_loadu_si512(from), _mm512_loadu_si512(from + 64),
                           _mm512_loadu_si512(from + 128), _mm512_loadu_si512(from + 192)}};
}

KERNEL INLINE __m512i look_up(const struct table *t, __m512i v)
{
    __m512i low = _mm512_permutex2var_epi8(t->part[0], v, t->part[1]);
    __m512i high = _mm512_permutex2var_epi8(t->part[2], v, t->part[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), low, high);
}

KERNEL INLINE uint32_t probe_shuffle(const struct match_class *class, const uint8_t *text,
                                     size_t n, unsigned window, uint16_t *at)
{
    struct table tables[MATCH_NARROW];
    for (unsigned k = 0; k < window; k++)
        tables[k] = load_table(class->shuffle + (size_t)k * MATCH_SHUFFLE_BYTES);
    uint32_t count = 0;
    for (size_t i = 0; i < n; i += 64) {
        __m512i in = look_up(&tables[0], _mm512_loadu_si512(text + i));
        for (unsigned k = 1; k < window; k++)
            in =
                _mm512_and_si512(in, look_up(&tables[k], _mm512_loadu_si512(text + i + k)));
        for (uint64_t m = _mm512_test_epi8_mask(in, in); m != 0; m &= m - 1) {
            const size_t p = i + (size_t)__builtin_ctzll(m);
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

/* The stride as a constant, so that the inner loops unroll. */
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

const struct match_kernel hf_match_avx512 = {"avx512", available, fold, probe,
                                             hf_match_agree_avx2};
