#include "match/search.h"

/* Candidates go through three tables that are seldom in the cache: bucket starts, entries,
 * records. Each step asks for the next one's memory for a whole batch before it is used, so that
 * the misses of a batch overlap. */
enum { BATCH = 128, PENDING = 256 };

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

static bool verify_pending(struct drain *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (!verify(d->search, &d->pending[i]))
            return false;
    d->count = 0;
    return true;
}

/* Whether an entry's tag has the candidate's hash and its guard stands in the text. One branch
 * for both: the answer is mostly no. */
static inline bool agrees(const struct drain *d, uint32_t tag, uint32_t hash, size_t at)
{
    const uint8_t *two = d->text + at + match_guard_offset(tag);
    return ((tag ^ ((hash & MATCH_TAG_HASH) | match_guard_bits(two))) & d->compared) == 0;
}

/* Every entry of a bucket that agrees with the candidate: verified at once when the tables are
 * near, else noted. */
static inline bool scan_bucket(struct drain *d, uint32_t from, uint32_t to, uint32_t hash,
                               size_t at, bool near)
{
    const uint8_t *records = d->search->view->records.data;
    const size_t records_len = d->search->view->records.len;
    for (uint32_t e = from; e < to; e++) {
        const uint8_t *entry = d->class->entries + 8 * (size_t)e;
        const uint32_t tag = match_le32(entry), where = match_le32(entry + 4);
        if (!agrees(d, tag, hash, at))
            continue;
        const struct pending found = {where, tag & MATCH_TAG_PLACE, d->block + at};
        if (near) {
            if (!verify(d->search, &found))
                return false;
            continue;
        }
        if ((uint64_t)where * 8 < records_len)
            prefetch_record(records + (size_t)where * 8);
        d->pending[d->count++] = found;
        if (d->count == PENDING && !verify_pending(d))
            return false;
    }
    return true;
}

/* Candidates that the sieve lets through: their number; hash and at are packed. */
static size_t sieve(const struct match_class *class, uint64_t *hash, uint16_t *at, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(match_sieve_word(class, hash[i]));
    for (size_t i = 0; i < n; i++) {
        const uint64_t h = hash[i];
        const uint32_t mask = match_sieve_mask(h);
        hash[kept] = h;
        at[kept] = at[i];
        kept += (match_le32(match_sieve_word(class, h)) & mask) == mask;
    }
    return kept;
}

static bool drain_batch(struct drain *d, const uint16_t *queued, size_t n)
{
    const struct match_class *class = d->class;
    uint64_t hash[BATCH];
    uint32_t from[BATCH], to[BATCH];
    uint16_t at[BATCH];
    for (size_t i = 0; i < n; i++) {
        at[i] = queued[i];
        hash[i] = match_exact_hash(match_le64(d->text + at[i]) & class->mask);
    }
    if (d->sieved)
        n = sieve(class, hash, at, n);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(class->starts + 4 * match_bucket(class, hash[i]));
    for (size_t i = 0; i < n; i++) {
        const uint8_t *start = class->starts + 4 * match_bucket(class, hash[i]);
        from[i] = match_le32(start);
        to[i] = match_le32(start + 4);
        to[i] = to[i] > class->entry_count ? class->entry_count : to[i];
        if (from[i] < to[i]) {
            __builtin_prefetch(class->entries + 8 * (size_t)from[i]);
            __builtin_prefetch(class->entries + 8 * (size_t)to[i] - 8);
        }
    }
    for (size_t i = 0; i < n; i++)
        if (!scan_bucket(d, from[i], to[i], (uint32_t)hash[i], at[i], false))
            return false;
    return true;
}

/* Tables that the cache holds: nothing to wait for, so no batches. */
static bool drain_near(struct drain *d, const struct match_queue *queue)
{
    const struct match_class *class = d->class;
    for (size_t i = 0; i < queue->count; i++) {
        const uint16_t at = queue->at[i];
        const uint64_t hash = match_exact_hash(match_le64(d->text + at) & class->mask);
        const uint8_t *start = class->starts + 4 * match_bucket(class, hash);
        const uint32_t from = match_le32(start), to = match_le32(start + 4);
        if (!scan_bucket(d, from, to > class->entry_count ? class->entry_count : to,
                         (uint32_t)hash, at, true))
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
    for (size_t i = 0; i < queue->count; i += BATCH) {
        size_t n = queue->count - i < BATCH ? queue->count - i : BATCH;
        if (!drain_batch(&d, queue->at + i, n))
            return false;
    }
    return verify_pending(&d);
}
