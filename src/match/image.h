/* image.h - the layout of a matcher's image and its one accessor; match/ only.
 *
 * Every literal has a run of stride + window - 1 bytes in it, chosen when the image is built.
 * All windows of `window` bytes in that run are indexed: stride of them, one at each residue
 * modulo stride. So a text that is probed at every stride-th position only cannot miss the
 * literal, and exactly one probe finds each occurrence. A class is one choice of (stride,
 * window); each literal is in one class.
 *
 * All windows are taken from folded bytes (A-Z become a-z), so that a literal and its nocase twin
 * share tables; a confirmed occurrence is compared with its own case.
 *
 *   header   64 bytes, then 64 for each class (image.c)
 *   filter   of a class: blocked Bloom, three bits of one word for each window. Windows of more
 *            than 4 bytes: 64-bit words, any number. Others: 32-bit words, a power of two.
 *   shuffle  of a class of stride 1 with few windows: for each byte of the window a table of
 *            256 bytes that says in which of 8 buckets it may stand, then for each the same by
 *            low and by high nibble (16 + 16). A position passes when all bytes agree on one
 *   sieve    of a class with many windows: a second, smaller Bloom filter under another hash, so
 *            that few false candidates reach the tables behind, which no cache holds
 *   buckets  lines of 64 bytes, one cache miss each: eight tags, then eight places of records
 *            (offset / 8). Unused slots come last, with place MATCH_EMPTY. Of a bucket with more
 *            than eight entries the last slot says how many lines of the overflow they go on in
 *            (tag) and from which (place, marked with MATCH_CONTINUED)
 *   overflow lines like those of the buckets, none of which goes on
 *   records  8-aligned, and on one cache line if short enough: u32 length | nocase << 31, u32 run
 *            (its place in the literal), u32 id count, u32 first id or, with one id, the id
 *            itself; then the bytes
 *   ids      u32, for literals that share their bytes
 */
#ifndef HF_MATCH_IMAGE_H
#define HF_MATCH_IMAGE_H

#include "match/matcher.h"

enum {
    MATCH_CLASSES_MAX = 8,
    MATCH_WINDOW_MAX = 8,
    MATCH_NARROW = 4, /* windows of up to 4 bytes live in 32-bit lanes */
    MATCH_STRIDE_MAX = 32,
    MATCH_HEADER = 64,
    MATCH_CLASS_HEADER = 64,
    MATCH_RECORD = 16,
    MATCH_LENGTH_MAX = 65535,
    MATCH_SHUFFLE_BYTES = 256 + 32 /* tables of one byte of the window */
};
#define MATCH_NOCASE UINT32_C(0x80000000)

enum { MATCH_SLOTS = 8, MATCH_LINE = 64 };
#define MATCH_EMPTY     UINT32_MAX
#define MATCH_CONTINUED UINT32_C(0x80000000)

/* An entry's tag, lowest bits first: the window's place in the run (5 bits); where the entry's
 * guard stands, from 16 bytes before the window to 15 behind its first (5 bits); the guard, a
 * hash of two folded bytes there (12); the window's exact hash (10). Many literals may share a
 * window, and their records are far from the cache, so each has the two bytes for its guard that
 * tell it best from the others. Offset 0 is the window itself: a guard that always holds. */
#define MATCH_TAG_PLACE UINT32_C(31)
#define MATCH_TAG_GUARD (UINT32_C(0xfff) << 10)
#define MATCH_TAG_HASH  (UINT32_C(0x3ff) << 22)
enum { MATCH_GUARD_BACK = 16, MATCH_GUARD_REACH = 32 };

static inline ptrdiff_t match_guard_offset(uint32_t tag)
{
    return (ptrdiff_t)(tag >> 5 & 31) - MATCH_GUARD_BACK;
}

/* The guard's bits of a tag for two folded bytes. */
static inline uint32_t match_guard_bits(const uint8_t *two)
{
    const uint32_t pair = (uint32_t)two[0] | (uint32_t)two[1] << 8;
    return (pair * UINT32_C(0x9e3b) & 0xfff0) << 6;
}

/* What of a tag a candidate must agree with: windows of one byte have no two bytes to guard. */
static inline uint32_t match_tag_compared(unsigned window)
{
    return window > 1 ? MATCH_TAG_HASH | MATCH_TAG_GUARD : MATCH_TAG_HASH;
}

struct match_class {
    unsigned stride, window; /* bytes */
    uint32_t filter_words;   /* of 8 bytes, or of 4 when narrow */
    uint32_t bucket_count;
    uint64_t mask; /* of the window's bytes in a loaded word */
    const uint8_t *filter, *buckets, *overflow;
    const uint8_t *shuffle; /* NULL: none */
    const uint8_t *sieve;   /* NULL: none */
    uint32_t sieve_words;   /* of 4 bytes, a power of two */
    uint32_t overflow_count;
};

struct match_view {
    struct match_class classes[MATCH_CLASSES_MAX];
    unsigned class_count;
    size_t longest;
    struct hf_bytes records, ids;
};

/* Resolve the header. False when it is not a whole image of this version. */
bool hf_match_view(struct hf_bytes image, struct match_view *view);

struct match_record {
    struct hf_bytes bytes;
    bool nocase;
    uint32_t run;
    uint32_t id_count, id_first;
};

static inline uint32_t match_le32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t match_le64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* The record at where * 8; false when it or its ids are not wholly inside. Inline: this is what
 * texts full of matches spend their time on. */
static inline bool match_record(const struct match_view *view, uint32_t where,
                                struct match_record *record)
{
    const uint64_t at = (uint64_t)where * 8;
    if (at > view->records.len || view->records.len - at < MATCH_RECORD)
        return false;
    const uint8_t *p = view->records.data + at;
    uint32_t length = match_le32(p);
    record->nocase = (length & MATCH_NOCASE) != 0;
    length &= ~MATCH_NOCASE;
    if (length == 0 || length > MATCH_LENGTH_MAX ||
        view->records.len - at - MATCH_RECORD < length)
        return false;
    record->bytes = hf_bytes_of(p + MATCH_RECORD, length);
    record->run = match_le32(p + 4);
    record->id_count = match_le32(p + 8);
    record->id_first = match_le32(p + 12);
    const uint64_t ids = view->ids.len / 4;
    return record->run <= length &&
           (record->id_count == 1 ||
            (record->id_first <= ids && record->id_count <= ids - record->id_first));
}

/* Number i of a record's ids; i < id_count. */
static inline uint32_t match_id(const struct match_view *view,
                                const struct match_record *record, uint32_t i)
{
    return record->id_count == 1
               ? record->id_first
               : match_le32(view->ids.data + ((uint64_t)record->id_first + i) * 4);
}

static inline uint8_t match_fold(uint8_t b)
{
    return (uint8_t)(b - 'A') < 26 ? (uint8_t)(b | 0x20) : b;
}

/* Hashes of a masked window for the filter. They are part of the format: every kernel computes
 * the same in its own registers. Wide: the upper half of one product picks the word, both halves
 * mixed pick three bits of it (6 bits of the mix each). Narrow: the same in 32 bits. The
 * constant first, because a window of zeros, the commonest of all, would pick one bit thrice. */
#define MATCH_WHITE         UINT64_C(0x5bd1e995a3f1c7d9)
#define MATCH_WIDE_FACTOR   UINT64_C(0x9e3779b97f4a7c15)
#define MATCH_NARROW_FACTOR UINT32_C(0x9e3779b1)
#define MATCH_NARROW_MIX    UINT32_C(0x85ebca6b)

struct match_spot {
    uint32_t word;
    uint32_t bits; /* three bit numbers, 6 (wide) or 5 (narrow) bits each */
};

static inline struct match_spot match_wide_spot(uint64_t x, uint32_t filter_words)
{
    uint64_t h = (x ^ MATCH_WHITE) * MATCH_WIDE_FACTOR;
    uint32_t upper = (uint32_t)(h >> 32);
    return (struct match_spot){(uint32_t)((uint64_t)upper * filter_words >> 32),
                               (uint32_t)h ^ upper};
}

static inline struct match_spot match_narrow_spot(uint32_t x, uint32_t filter_words)
{
    x ^= (uint32_t)MATCH_WHITE;
    uint32_t h = x * MATCH_NARROW_FACTOR;
    uint32_t bits = ((x ^ h >> 15) * MATCH_NARROW_MIX) >> 17;
    return (struct match_spot){(uint32_t)((uint64_t)h * filter_words >> 32), bits};
}

static inline uint64_t match_wide_mask(uint32_t bits)
{
    return UINT64_C(1) << (bits & 63) | UINT64_C(1) << (bits >> 6 & 63) |
           UINT64_C(1) << (bits >> 12 & 63);
}

static inline uint32_t match_narrow_mask(uint32_t bits)
{
    return UINT32_C(1) << (bits & 31) | UINT32_C(1) << (bits >> 5 & 31) |
           UINT32_C(1) << (bits >> 10 & 31);
}

static inline bool match_passes(const struct match_class *class, uint64_t x)
{
    if (class->window > MATCH_NARROW) {
        struct match_spot s = match_wide_spot(x, class->filter_words);
        uint64_t mask = match_wide_mask(s.bits);
        return (match_le64(class->filter + 8 * (size_t)s.word) & mask) == mask;
    }
    struct match_spot s = match_narrow_spot((uint32_t)x, class->filter_words);
    uint32_t mask = match_narrow_mask(s.bits);
    return (match_le32(class->filter + 4 * (size_t)s.word) & mask) == mask;
}

/* The exact table's hash: computed for candidates only, so it may cost more. */
static inline uint64_t match_exact_hash(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

static inline const uint8_t *match_sieve_word(const struct match_class *class,
                                              uint64_t exact_hash)
{
    return class->sieve + 4 * (size_t)(exact_hash >> 8 & (class->sieve_words - 1));
}

static inline uint32_t match_sieve_mask(uint64_t exact_hash)
{
    return UINT32_C(1) << (exact_hash >> 40 & 31) | UINT32_C(1) << (exact_hash >> 45 & 31);
}

static inline uint32_t match_bucket_number(const struct match_class *class,
                                           uint64_t exact_hash)
{
    return (uint32_t)((exact_hash >> 32) * class->bucket_count >> 32);
}

static inline const uint8_t *match_bucket(const struct match_class *class,
                                          uint64_t exact_hash)
{
    return class->buckets + MATCH_LINE * (size_t)match_bucket_number(class, exact_hash);
}

#endif
