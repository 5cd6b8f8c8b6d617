/* image.h - the layout of a matcher's image and its one accessor; match/ only.
 *
 * Every literal has a run of stride + window - 1 bytes in it, chosen when the image is built.
 * All windows of `window` bytes in that run are indexed: stride of them, one at each residue
 * modulo stride. So a text that is probed at every stride-th position only cannot miss the
 * literal, and exactly one probe finds each occurrence. A class is one choice of (stride,
 * window); a literal belongs to the widest class that it is long enough for.
 *
 * All windows are taken from folded bytes (A-Z become a-z), so that a literal and its nocase twin
 * share tables; a confirmed occurrence is compared with its own case.
 *
 *   header   64 bytes, then 64 for each class (image.c)
 *   filter   of a class: 1 << filter_bits words of 64 bits, blocked Bloom
 *   starts   (1 << bucket_bits) + 1 entry numbers (u32)
 *   entries  {u32 tag, u32 where}: low bits of the tag are the window's place in the run, where
 *            is the record's offset / 8
 *   records  8-aligned: u32 length | nocase << 31, u32 run (its place in the literal),
 *            u32 id count, u32 first id or, with one id, the id itself; then the bytes
 *   ids      u32, for literals that share their bytes
 */
#ifndef HF_MATCH_IMAGE_H
#define HF_MATCH_IMAGE_H

#include "match/matcher.h"

enum {
    MATCH_CLASSES_MAX = 8,
    MATCH_WINDOW_MAX = 8,
    MATCH_STRIDE_MAX = 32,
    MATCH_HEADER = 64,
    MATCH_CLASS_HEADER = 64,
    MATCH_RECORD = 16,
    MATCH_LENGTH_MAX = 65535
};
#define MATCH_NOCASE UINT32_C(0x80000000)
#define MATCH_PLACE  UINT32_C(31) /* bits of a tag that hold the place in the run */

struct match_class {
    unsigned stride, window; /* bytes */
    unsigned filter_bits, bucket_bits;
    uint64_t mask; /* of the window's bytes in a loaded word */
    const uint8_t *filter, *starts, *entries;
    uint32_t entry_count;
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

/* The record at where * 8; false when it or its ids are not wholly inside. */
bool hf_match_record(const struct match_view *view, uint32_t where,
                     struct match_record *record);

/* Number i of a record's ids; i < id_count. */
uint32_t hf_match_id(const struct match_view *view, const struct match_record *record,
                     uint32_t i);

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

static inline uint8_t match_fold(uint8_t b)
{
    return (uint8_t)(b - 'A') < 26 ? (uint8_t)(b | 0x20) : b;
}

/* The filter's hash of a masked window: one product, whose upper bits depend on all of it. */
static inline uint64_t match_filter_hash(uint64_t x)
{
    return x * UINT64_C(0x9e3779b97f4a7c15);
}

/* Which word, and which bits of it. */
static inline uint64_t match_filter_word(uint64_t h, unsigned filter_bits)
{
    return h >> 1 >> (63 - filter_bits);
}

static inline uint64_t match_filter_bits(uint64_t h)
{
    return UINT64_C(1) << (h >> 40 & 63) | UINT64_C(1) << (h >> 34 & 63);
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

#endif
