#include "match/search.h"

/* Candidates go through three tables that are seldom in the cache: bucket starts, entries,
 * records. Each step asks for the next one's memory for a whole batch before it is used, so that
 * the misses of a batch overlap. */
enum { BATCH = 64, PENDING = 128 };

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
    size_t run; /* bytes of the class's runs */
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

static bool verify(const struct match_search *s, const struct pending *p)
{
    struct match_record r;
    if (!hf_match_record(s->view, p->where, &r))
        return true;
    const uint64_t before = (uint64_t)r.run + p->place;
    if (before > p->at)
        return true;
    const uint64_t start =
        p->at - before; /* behind the data, when vectors ran on behind it */
    if (start > s->data.len || r.bytes.len > s->data.len - start)
        return true;
    const uint8_t *text = s->data.data + start;
    if (r.nocase ? !equal_folded(r.bytes.data, text, r.bytes.len)
                 : memcmp(r.bytes.data, text, r.bytes.len) != 0)
        return true;
    for (uint32_t i = 0; i < r.id_count; i++)
        if (!s->on_literal(s->user, hf_match_id(s->view, &r, i), s->base + start,
                           (uint32_t)r.bytes.len))
            return false;
    return true;
}

static bool verify_pending(struct drain *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (!verify(d->search, &d->pending[i]))
            return false;
    d->count = 0;
    return true;
}

/* Whether the two bytes beside the run are those that guard an entry. Bytes before the block are
 * not at hand: the record will tell. */
static bool guard_holds(const struct drain *d, uint32_t tag, size_t at)
{
    const size_t place = tag & MATCH_TAG_PLACE;
    const uint8_t *two;
    switch (match_guard_of_tag(tag)) {
    case MATCH_GUARD_BEHIND: two = d->text + (at + d->run - place); break;
    case MATCH_GUARD_BEFORE:
        if (at < place + 2)
            return true;
        two = d->text + (at - place - 2);
        break;
    default: return true;
    }
    return match_guard_bits(two) == (tag & MATCH_TAG_GUARD);
}

/* Note every entry of a bucket that agrees with the candidate. */
static bool scan_bucket(struct drain *d, uint32_t from, uint32_t to, uint32_t hash,
                        size_t at)
{
    const uint8_t *records = d->search->view->records.data;
    const size_t records_len = d->search->view->records.len;
    for (uint32_t e = from; e < to; e++) {
        const uint8_t *entry = d->class->entries + 8 * (size_t)e;
        const uint32_t tag = match_le32(entry), where = match_le32(entry + 4);
        if (((tag ^ hash) & MATCH_TAG_HASH) != 0 || !guard_holds(d, tag, at))
            continue;
        if ((uint64_t)where * 8 < records_len)
            __builtin_prefetch(records + (size_t)where * 8);
        d->pending[d->count++] =
            (struct pending){where, tag & MATCH_TAG_PLACE, d->block + at};
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
    if (class->sieve != NULL)
        n = sieve(class, hash, at, n);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(class->starts + 4 * match_bucket(class, hash[i]));
    for (size_t i = 0; i < n; i++) {
        const uint8_t *start = class->starts + 4 * match_bucket(class, hash[i]);
        from[i] = match_le32(start);
        to[i] = match_le32(start + 4);
        to[i] = to[i] > class->entry_count ? class->entry_count : to[i];
        if (from[i] < to[i])
            __builtin_prefetch(class->entries + 8 * (size_t)from[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (!scan_bucket(d, from[i], to[i], (uint32_t)hash[i], at[i]))
            return false;
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
    d.run = class->stride + class->window - 1;
    d.count = 0;
    for (size_t i = 0; i < queue->count; i += BATCH) {
        size_t n = queue->count - i < BATCH ? queue->count - i : BATCH;
        if (!drain_batch(&d, queue->at + i, n))
            return false;
    }
    return verify_pending(&d);
}
