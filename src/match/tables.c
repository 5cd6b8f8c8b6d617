#include "match/build.h"

#include "base/auto.h"

#include <stdlib.h>

enum {
    WIDE_BITS = 12,   /* filter bits for each window of more than 4 bytes; the rate of false
                       * candidates is 1.6 % then, and the table of 400,000 literals 2.4 MiB */
    NARROW_BITS = 24, /* few windows, small tables: a lower rate is cheap */
    FILLED = 5,       /* slots of a bucket's eight that are used on average */
    SIEVE_BITS = 8,   /* at least; 3 % of false candidates come through */
    SIEVE_FROM = 1 << 16 /* windows: the tables of fewer stay in the cache */
};

struct entry {
    uint64_t window;
    uint32_t bucket, literal; /* number in the class */
    uint32_t tag;
};

void hf_match_align(struct hf_buffer *out, size_t base, size_t alignment)
{
    while ((out->len - base) % alignment != 0 && !out->failed)
        hf_buffer_u8(out, 0);
}

/* Zeros to be filled; NULL when out of memory. Valid until the next append. */
static uint8_t *add_zeros(struct hf_buffer *out, size_t size)
{
    uint8_t *p = hf_buffer_reserve(out, size);
    if (p == NULL)
        return NULL;
    memset(p, 0, size);
    out->len += size;
    return p;
}

static unsigned bits_for(uint64_t n)
{
    unsigned bits = 0;
    while (bits < 31 && UINT64_C(1) << bits < n)
        bits++;
    return bits;
}

static void put_le(uint8_t *p, uint64_t v, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static enum hf_status write_filter(const struct entry *entries, size_t count,
                                   struct match_class *class, struct hf_buffer *out)
{
    const bool wide = class->window > MATCH_NARROW;
    const uint64_t words = wide ? (uint64_t)count * WIDE_BITS / 64 + 1
                                : UINT64_C(1)
                                      << bits_for((uint64_t)count * NARROW_BITS / 32);
    if (words > UINT32_MAX)
        return HF_LIMIT;
    /* Windows of three bytes and less are so few that more words than this serve nothing. */
    class->filter_words =
        wide || words < UINT32_C(1) << 24 ? (uint32_t)words : UINT32_C(1) << 24;
    uint8_t *filter = add_zeros(out, (size_t) class->filter_words * (wide ? 8 : 4));
    if (filter == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (wide) {
            struct match_spot s = match_wide_spot(entries[i].window, class->filter_words);
            uint8_t *word = filter + 8 * (size_t)s.word;
            put_le(word, match_le64(word) | match_wide_mask(s.bits), 8);
        } else {
            struct match_spot s =
                match_narrow_spot((uint32_t)entries[i].window, class->filter_words);
            uint8_t *word = filter + 4 * (size_t)s.word;
            put_le(word, match_le32(word) | match_narrow_mask(s.bits), 4);
        }
    }
    return HF_OK;
}

static int compare_windows(const void *x, const void *y)
{
    uint64_t a = __builtin_bswap64(((const struct entry *)x)->window);
    uint64_t b = __builtin_bswap64(((const struct entry *)y)->window);
    return a < b ? -1 : a > b;
}

/* About how often a folded byte stands in files, of 2^14. It only has to steer the choice of
 * buckets; the exact tables do not depend on it. */
static uint32_t byte_weight(uint8_t b)
{
    if (b >= 'a' && b <= 'z')
        return 250;
    if (b >= '0' && b <= '9')
        return 120;
    return b == 0 ? 3000 : b == ' ' ? 900 : b == 0xff ? 400 : 20;
}

/* The bytes that a bucket admits at each place of the window, by their nibbles: the looser of
 * the two kinds of tables. */
struct bucket {
    uint16_t low[MATCH_NARROW], high[MATCH_NARROW];
};

static uint32_t admitted(uint16_t low, uint16_t high)
{
    uint32_t weight = 0;
    for (unsigned b = 0; b < 256; b++)
        if ((low >> (b & 15) & 1) != 0 && (high >> (b >> 4) & 1) != 0)
            weight += byte_weight((uint8_t)b);
    return weight;
}

/* Expected share of positions that a bucket lets through, of 2^56. */
static uint64_t bucket_weight(const struct bucket *bucket, unsigned window)
{
    uint64_t product = 1;
    for (unsigned k = 0; k < window; k++)
        product *= admitted(bucket->low[k], bucket->high[k]);
    return product;
}

static struct bucket with_window(struct bucket bucket, uint64_t x, unsigned window)
{
    for (unsigned k = 0; k < window; k++) {
        const unsigned b = (unsigned)(x >> (8 * k)) & 0xff;
        bucket.low[k] = (uint16_t)(bucket.low[k] | 1u << (b & 15));
        bucket.high[k] = (uint16_t)(bucket.high[k] | 1u << (b >> 4));
    }
    return bucket;
}

/* The bucket that a window makes least worse. */
static unsigned choose_bucket(const struct bucket *buckets, uint64_t x, unsigned window)
{
    uint64_t least = UINT64_MAX;
    unsigned best = 0;
    for (unsigned i = 0; i < 8; i++) {
        const struct bucket then = with_window(buckets[i], x, window);
        const uint64_t more =
            bucket_weight(&then, window) - bucket_weight(&buckets[i], window);
        if (more < least) {
            least = more;
            best = i;
        }
    }
    return best;
}

/* Sorts the entries by window, so that their order in the input does not show. */
static enum hf_status write_shuffle(struct entry *entries, size_t count, unsigned window,
                                    struct hf_buffer *out)
{
    struct bucket buckets[8] = {{{0}, {0}}};
    uint8_t *tables = add_zeros(out, (size_t)window * MATCH_SHUFFLE_BYTES);
    if (tables == NULL)
        return HF_NOMEM;
    qsort(entries, count, sizeof *entries, compare_windows);
    for (size_t i = 0; i < count; i++) {
        const uint64_t x = entries[i].window;
        const unsigned bucket = choose_bucket(buckets, x, window);
        const uint8_t bit = (uint8_t)(1u << bucket);
        buckets[bucket] = with_window(buckets[bucket], x, window);
        for (unsigned k = 0; k < window; k++) {
            uint8_t *t = tables + (size_t)k * MATCH_SHUFFLE_BYTES;
            const uint8_t b = (uint8_t)(x >> (8 * k));
            t[b] |= bit;
            t[256 + (b & 15)] |= bit;
            t[272 + (b >> 4)] |= bit;
        }
    }
    return HF_OK;
}

/* Literals are in their own order, so their numbers make the tables independent of the input's. */
static int compare_entries(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    if (a->window != b->window)
        return a->window < b->window ? -1 : 1;
    if (a->literal != b->literal)
        return a->literal < b->literal ? -1 : 1;
    return a->tag < b->tag ? -1 : a->tag > b->tag;
}

/* By bucket (counted), then by window and literal; starts has buckets + 1 zeros, and says then
 * where each begins. NULL when out of memory; the caller frees it. */
static struct entry *sort_entries(const struct entry *entries, size_t count,
                                  uint32_t *starts, size_t buckets)
{
    struct entry *sorted = malloc((count + 1) * sizeof *sorted);
    if (sorted == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        starts[entries[i].bucket + 1]++;
    for (size_t b = 0; b < buckets; b++)
        starts[b + 1] += starts[b];
    for (size_t i = 0; i < count; i++)
        sorted[starts[entries[i].bucket]++] = entries[i];
    memmove(starts + 1, starts, buckets * sizeof *starts);
    starts[0] = 0;
    for (size_t b = 0; b < buckets; b++)
        if (starts[b + 1] - starts[b] > 1)
            qsort(sorted + starts[b], starts[b + 1] - starts[b], sizeof *sorted,
                  compare_entries);
    return sorted;
}

/* The two folded bytes that a literal has at offset from an entry's window. False: not there. */
static bool pair_at(const struct build_literal *literals, const struct entry *e,
                    ptrdiff_t offset, uint8_t two[2])
{
    const struct build_literal *l = &literals[e->literal];
    const ptrdiff_t at = (ptrdiff_t)(l->run + (e->tag & MATCH_TAG_PLACE)) + offset;
    if (at < 0 || at + 2 > (ptrdiff_t)l->bytes.len)
        return false;
    two[0] = match_fold(l->bytes.data[at]);
    two[1] = match_fold(l->bytes.data[at + 1]);
    return true;
}

/* The farthest first: they depend least on the window. */
static const int8_t offsets[MATCH_GUARD_REACH] = {
    15, -16, 14, -15, 13, -14, 12, -13, 11, -12, 10, -11, 9, -10, 8,  -9,
    7,  -8,  6,  -7,  5,  -6,  4,  -5,  3,  -4,  2,  -3,  1, -2,  -1, 0};

/* Let each of count entries that share a window have the pair at one offset for its guard when
 * fewer of them share that than its present one (best). counts: 65536 zeros, left as such. */
static void offer_offset(const struct build_literal *literals, struct entry *entries,
                         size_t count, ptrdiff_t offset, uint32_t *counts, uint32_t *best)
{
    uint8_t two[2];
    for (size_t i = 0; i < count; i++)
        if (pair_at(literals, &entries[i], offset, two))
            counts[two[0] | two[1] << 8]++;
    for (size_t i = 0; i < count; i++) {
        if (!pair_at(literals, &entries[i], offset, two))
            continue;
        const uint32_t shared = counts[two[0] | two[1] << 8];
        if (shared < best[i]) {
            best[i] = shared;
            entries[i].tag = (entries[i].tag & MATCH_TAG_PLACE) |
                             (uint32_t)(offset + MATCH_GUARD_BACK) << 5 |
                             match_guard_bits(two);
        }
    }
    for (size_t i = 0; i < count; i++)
        if (pair_at(literals, &entries[i], offset, two))
            counts[two[0] | two[1] << 8] = 0;
}

/* Complete the tags of sorted entries. */
static enum hf_status tag_entries(const struct build_literal *literals,
                                  struct entry *entries, size_t count)
{
    uint32_t *counts = calloc(65536, sizeof *counts),
             *best = malloc((count + 1) * sizeof *best);
    for (size_t i = 0, end; counts != NULL && best != NULL && i < count; i = end) {
        for (end = i; end < count && entries[end].window == entries[i].window; end++)
            best[end] = UINT32_MAX;
        for (size_t o = 0; o < MATCH_GUARD_REACH; o++) {
            offer_offset(literals, entries + i, end - i, offsets[o], counts, best + i);
            if (end - i == 1 && best[i] == 1)
                break; /* alone with its window: any will do */
        }
        for (size_t k = i; k < end; k++)
            entries[k].tag |=
                (uint32_t)match_exact_hash(entries[k].window) & MATCH_TAG_HASH;
    }
    const bool done = counts != NULL && best != NULL;
    free(counts);
    free(best);
    return done ? HF_OK : HF_NOMEM;
}

static void put_slot(uint8_t *line, size_t slot, uint32_t tag, uint32_t where)
{
    put_le(line + 4 * slot, tag, 4);
    put_le(line + 4 * (MATCH_SLOTS + slot), where, 4);
}

/* Up to eight entries in a line, unused slots behind them. */
static void fill_line(const struct build_literal *literals, const struct entry *entries,
                      size_t count, uint8_t *line)
{
    for (size_t k = 0; k < MATCH_SLOTS; k++) {
        if (k < count)
            put_slot(line, k, entries[k].tag, literals[entries[k].literal].where);
        else
            put_slot(line, k, 0, MATCH_EMPTY);
    }
}

/* One bucket's line; what it has no room for goes to lines of the overflow. */
static void write_line(const struct build_literal *literals, const struct entry *entries,
                       size_t count, uint8_t *line, struct hf_buffer *overflow)
{
    size_t done = count <= MATCH_SLOTS ? count : MATCH_SLOTS - 1;
    fill_line(literals, entries, done, line);
    if (done == count)
        return;
    put_slot(line, MATCH_SLOTS - 1,
             (uint32_t)((count - done + MATCH_SLOTS - 1) / MATCH_SLOTS),
             (uint32_t)(overflow->len / MATCH_LINE) | MATCH_CONTINUED);
    for (; done < count; done += MATCH_SLOTS) {
        uint8_t *more = add_zeros(overflow, MATCH_LINE);
        if (more == NULL)
            return;
        const size_t left = count - done;
        fill_line(literals, entries + done, left < MATCH_SLOTS ? left : MATCH_SLOTS, more);
    }
}

/* Append buckets, then the overflow, whose entries are counted in the class. */
static enum hf_status write_exact(const struct build_literal *literals,
                                  const struct entry *entries, size_t count,
                                  struct match_class *class, struct hf_buffer *out)
{
    const size_t buckets = class->bucket_count;
    HF_AUTO(hf_buffer_done) struct hf_buffer overflow = {0};
    uint32_t *starts = calloc(buckets + 1, sizeof *starts);
    struct entry *sorted =
        starts == NULL ? NULL : sort_entries(entries, count, starts, buckets);
    enum hf_status st = sorted == NULL ? HF_NOMEM : tag_entries(literals, sorted, count);
    uint8_t *lines = st != HF_OK ? NULL : add_zeros(out, buckets * MATCH_LINE);
    for (size_t b = 0; lines != NULL && b < buckets; b++)
        write_line(literals, sorted + starts[b], starts[b + 1] - starts[b],
                   lines + b * MATCH_LINE, &overflow);
    free(sorted);
    free(starts);
    if (st == HF_OK && overflow.len / MATCH_LINE >= MATCH_CONTINUED - 1)
        st = HF_LIMIT;
    class->overflow_count = (uint32_t)(overflow.len / MATCH_LINE);
    hf_buffer_bytes(out, hf_buffer_view(&overflow));
    return st == HF_OK && (lines == NULL || overflow.failed) ? HF_NOMEM : st;
}

static struct entry *make_entries(const struct build_literal *literals, size_t count,
                                  const struct match_class *class)
{
    struct entry *entries = malloc(count * class->stride * sizeof *entries), *e = entries;
    if (entries == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct build_literal *l = &literals[i];
        for (unsigned place = 0; place < class->stride; place++, e++) {
            const uint64_t x = build_window(l, l->run + place, class->window);
            *e = (struct entry){.window = x,
                                .bucket = match_bucket_number(class, match_exact_hash(x)),
                                .literal = (uint32_t)i,
                                .tag = place};
        }
    }
    return entries;
}

static enum hf_status write_sieve(const struct entry *entries, size_t count,
                                  struct match_class *class, struct hf_buffer *out)
{
    class->sieve_words = UINT32_C(1) << bits_for((uint64_t)count * SIEVE_BITS / 32);
    uint8_t *sieve = add_zeros(out, (size_t) class->sieve_words * 4);
    if (sieve == NULL)
        return HF_NOMEM;
    class->sieve = sieve;
    for (size_t i = 0; i < count; i++) {
        const uint64_t h = match_exact_hash(entries[i].window);
        uint8_t *word = sieve + (match_sieve_word(class, h) - sieve);
        put_le(word, match_le32(word) | match_sieve_mask(h), 4);
    }
    return HF_OK;
}

static enum hf_status write_tables(const struct build_literal *literals,
                                   struct entry *entries, size_t count,
                                   struct match_class *class, size_t base,
                                   struct hf_buffer *head, struct hf_buffer *out)
{
    hf_match_align(out, base, 64);
    const size_t filter_at = out->len - base;
    enum hf_status st = write_filter(entries, count, class, out);
    hf_match_align(out, base, 64);
    const bool shuffled =
        class->stride == 1 && class->window <= MATCH_NARROW && count <= BUILD_SHUFFLE_MOST;
    const size_t shuffle_at = out->len - base;
    if (st == HF_OK && shuffled)
        st = write_shuffle(entries, count, class->window, out);
    hf_match_align(out, base, 64);
    const size_t sieve_at = out->len - base;
    const bool sieved = count >= SIEVE_FROM;
    if (st == HF_OK && sieved)
        st = write_sieve(entries, count, class, out);
    hf_match_align(out, base, MATCH_LINE);
    const size_t buckets_at = out->len - base;
    if (st == HF_OK)
        st = write_exact(literals, entries, count, class, out);
    hf_buffer_u32(head, class->stride);
    hf_buffer_u32(head, class->window);
    hf_buffer_u32(head, class->filter_words);
    hf_buffer_u32(head, class->bucket_count);
    hf_buffer_u64(head, filter_at);
    hf_buffer_u64(head, shuffled ? shuffle_at : 0);
    hf_buffer_u64(head, buckets_at);
    hf_buffer_u64(head, buckets_at + (uint64_t) class->bucket_count * MATCH_LINE);
    hf_buffer_u32(head, class->overflow_count);
    hf_buffer_u32(head, class->sieve_words);
    hf_buffer_u64(head, sieved ? sieve_at : 0);
    return st == HF_OK && (out->failed || head->failed) ? HF_NOMEM : st;
}

enum hf_status hf_match_write_class(const struct build_literal *literals, size_t count,
                                    struct match_shape shape, size_t base,
                                    struct hf_buffer *head, struct hf_buffer *out)
{
    if (count > UINT32_MAX / shape.stride)
        return HF_LIMIT;
    const size_t windows = count * shape.stride;
    struct match_class class = {.stride = shape.stride,
                                .window = shape.window,
                                .bucket_count = (uint32_t)(windows / FILLED + 1)};
    struct entry *entries = make_entries(literals, count, &class);
    if (entries == NULL)
        return HF_NOMEM;
    enum hf_status st = write_tables(literals, entries, windows, &class, base, head, out);
    free(entries);
    return st;
}
