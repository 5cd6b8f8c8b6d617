#include "match/search.h"

/* Candidates go through tables that are seldom in the cache: sieve, buckets, records. Each step
 * asks for the next one's memory some thirty candidates before it is used. */
enum { BATCH = 32, PENDING = 32 };

/* A literal that may occur: its record, and where it would start. */
struct pending {
    uint32_t where, place;
    size_t at; /* of the window in the data */
};

struct drain {
    const struct match_search *search;
    const struct match_class *class;
    const uint8_t *text;
    size_t block;
    uint32_t compared; /* bits of a tag */
    bool sieved;
    size_t count;
    struct pending pending[PENDING];
};

/* Fold eight bytes at once: 0x80 in a byte of `upper` marks a letter A-Z. */
static uint64_t fold8(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = x & ones * 0x7f;
    const uint64_t from_a = low + ones * (0x80 - 'A'), past_z = low + ones * (0x7f - 'Z');
    const uint64_t upper = (from_a ^ past_z) & ~x & ones * 0x80;
    return x | upper >> 2;
}

static bool equal_folded(const uint8_t *literal, const uint8_t *text, size_t len)
{
    size_t i = 0;
    for (; len - i >= 8; i += 8)
        if (fold8(match_le64(text + i)) != match_le64(literal + i))
            return false;
    for (; i < len; i++)
        if (match_fold(text[i]) != literal[i])
            return false;
    return true;
}

/* Up to eight bytes in one comparison. Records are 8-aligned and followed by something, the
 * text need not be: there is room for it when eight bytes are left. */
static bool equal(const struct match_record *r, const uint8_t *text, size_t left,
                  size_t room)
{
    const size_t len = r->bytes.len;
    if (len <= 8 && left >= 8 && room >= 8) {
        const uint64_t x = match_le64(text), y = match_le64(r->bytes.data);
        return (((r->nocase ? fold8(x) : x) ^ y) << (64 - 8 * len)) == 0;
    }
    return r->nocase ? equal_folded(r->bytes.data, text, len)
                     : memcmp(r->bytes.data, text, len) == 0;
}

static inline bool verify(const struct match_search *s, const struct pending *p)
{
    struct match_record r;
    if (!match_record(s->view, p->where, &r))
        return true;
    const uint64_t before = (uint64_t)r.run + p->place;
    if (before > p->at)
        return true;
    const uint64_t start =
        p->at - before; /* behind the data, when vectors ran on behind it */
    if (start > s->data.len || r.bytes.len > s->data.len - start)
        return true;
    const size_t room =
        (size_t)(s->view->records.data + s->view->records.len - r.bytes.data);
    if (!equal(&r, s->data.data + start, s->data.len - (size_t)start, room))
        return true;
    for (uint32_t i = 0; i < r.id_count; i++)
        if (!s->on_literal(s->user, match_id(s->view, &r, i), s->base + start,
                           (uint32_t)r.bytes.len))
            return false;
    return true;
}

/* A record of usual length lies on one or two lines; the second costs as much as the first. */
static inline void prefetch_record(const uint8_t *record)
{
    __builtin_prefetch(record);
    __builtin_prefetch(record + 63); /* a hint only: it may lie behind the table */
}

/* Literals wait in a ring until their records have come. */
static inline bool wait_pending(struct drain *d, struct pending found)
{
    struct pending *slot = &d->pending[d->count % PENDING];
    const struct pending oldest = *slot;
    *slot = found;
    return d->count++ < PENDING || verify(d->search, &oldest);
}

static bool verify_rest(struct drain *d)
{
    for (size_t i = d->count > PENDING ? d->count - PENDING : 0; i < d->count; i++)
        if (!verify(d->search, &d->pending[i % PENDING]))
            return false;
    return true;
}

/* Whether an entry's tag has the candidate's hash and its guard stands in the text. One branch
 * for both: the answer is mostly no. */
static inline bool agrees(const struct drain *d, uint32_t tag, uint32_t hash, size_t at)
{
    const uint8_t *two = d->text + at + match_guard_offset(tag);
    return ((tag ^ ((hash & MATCH_TAG_HASH) | match_guard_bits(two))) & d->compared) == 0;
}

/* An entry whose hash is the candidate's: when its guard stands too, verified at once if the
 * tables are near, else noted. */
static inline bool take_entry(struct drain *d, uint32_t tag, uint32_t where, uint32_t hash,
                              size_t at, bool near)
{
    if (!agrees(d, tag, hash, at))
        return true;
    const struct pending found = {where, tag & MATCH_TAG_PLACE, d->block + at};
    if (near)
        return verify(d->search, &found);
    const struct hf_bytes records = d->search->view->records;
    if ((uint64_t)where * 8 < records.len)
        prefetch_record(records.data + (size_t)where * 8);
    return wait_pending(d, found);
}

static bool scan_overflow(struct drain *d, uint32_t first, uint32_t count, uint32_t hash,
                          size_t at, bool near)
{
    if (first > d->class->overflow_count || count > d->class->overflow_count - first)
        return true; /* a damaged image */
    const uint8_t *entry = d->class->overflow + 8 * (size_t)first;
    for (uint32_t i = 0; i < count; i++, entry += 8)
        if (!take_entry(d, match_le32(entry), match_le32(entry + 4), hash, at, near))
            return false;
    return true;
}

/* All eight tags first, without branches: mostly none or one of them fits. An unused slot that
 * seems to fit names no record. */
static inline bool scan_bucket(struct drain *d, const uint8_t *line, uint32_t hash,
                               size_t at, bool near)
{
    const uint8_t *places = line + 4 * MATCH_SLOTS;
    uint32_t fits = 0;
    for (uint32_t k = 0; k < MATCH_SLOTS; k++)
        fits |= (uint32_t)(((match_le32(line + 4 * k) ^ hash) & MATCH_TAG_HASH) == 0) << k;
    const uint32_t last = match_le32(places + 4 * (MATCH_SLOTS - 1));
    const bool continued = last != MATCH_EMPTY && (last & MATCH_CONTINUED) != 0;
    fits &= continued ? 0x7f : 0xff;
    for (; fits != 0; fits &= fits - 1) {
        const unsigned k = (unsigned)__builtin_ctz(fits);
        if (!take_entry(d, match_le32(line + 4 * k), match_le32(places + 4 * k), hash, at,
                        near))
            return false;
    }
    return !continued ||
           scan_overflow(d, last & ~MATCH_CONTINUED,
                         match_le32(line + 4 * (MATCH_SLOTS - 1)), hash, at, near);
}

/* A batch on its way: each step asks for the memory of the next one. */
struct batch {
    size_t count;
    uint64_t hash[BATCH];
    uint16_t at[BATCH];
};

static void begin_batch(const struct drain *d, struct batch *b, const uint16_t *queued,
                        size_t n)
{
    b->count = n;
    for (size_t i = 0; i < n; i++) {
        b->at[i] = queued[i];
        b->hash[i] = match_exact_hash(match_le64(d->text + queued[i]) & d->class->mask);
        if (d->sieved)
            __builtin_prefetch(match_sieve_word(d->class, b->hash[i]));
    }
}

/* Keep what the sieve lets through. */
static void sieve_batch(const struct drain *d, struct batch *b)
{
    const struct match_class *class = d->class;
    size_t kept = 0;
    for (size_t i = 0; i < b->count; i++) {
        const uint64_t h = b->hash[i];
        const uint32_t mask = match_sieve_mask(h);
        b->hash[kept] = h;
        b->at[kept] = b->at[i];
        if (d->sieved)
            kept += (match_le32(match_sieve_word(class, h)) & mask) == mask;
        else
            kept++;
    }
    b->count = kept;
    for (size_t i = 0; i < kept; i++)
        __builtin_prefetch(match_bucket(class, b->hash[i]));
}

static bool end_batch(struct drain *d, const struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (!scan_bucket(d, match_bucket(d->class, b->hash[i]), (uint32_t)b->hash[i],
                         b->at[i], false))
            return false;
    return true;
}

/* Three batches are under way at a time, so that memory answers while another is worked on. */
static bool drain_far(struct drain *d, const struct match_queue *queue)
{
    struct batch batches[3];
    const size_t n = (queue->count + BATCH - 1) / BATCH;
    for (size_t i = 0; i < n + 2; i++) {
        const size_t from = i * BATCH;
        if (i < n)
            begin_batch(d, &batches[i % 3], queue->at + from,
                        queue->count - from < BATCH ? queue->count - from : BATCH);
        if (i >= 1 && i < n + 1)
            sieve_batch(d, &batches[(i - 1) % 3]);
        if (i >= 2 && !end_batch(d, &batches[(i - 2) % 3]))
            return false;
    }
    return verify_rest(d);
}

/* Tables that the cache holds: nothing to wait for, so no batches. */
static bool drain_near(struct drain *d, const struct match_queue *queue)
{
    const struct match_class *class = d->class;
    for (size_t i = 0; i < queue->count; i++) {
        const uint16_t at = queue->at[i];
        const uint64_t hash = match_exact_hash(match_le64(d->text + at) & class->mask);
        if (!scan_bucket(d, match_bucket(class, hash), (uint32_t)hash, at, true))
            return false;
    }
    return true;
}

bool hf_match_drain(const struct match_search *search, const struct match_class *class,
                    const uint8_t *text, size_t block, const struct match_queue *queue)
{
    struct drain d;
    d.search = search;
    d.class = class;
    d.text = text;
    d.block = block;
    d.compared = match_tag_compared(class->window);
    d.count = 0;
    if (class->sieve == NULL)
        return drain_near(&d, queue);
    /* Where candidates are many, most are real windows, and the sieve one miss more for each. */
    d.sieved = queue->count < MATCH_BLOCK / class->stride / 16;
    return drain_far(&d, queue);
}
