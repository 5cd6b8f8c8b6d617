#include "match/search.h"

/* Candidates go through tables that are seldom in the cache: sieve, buckets, records. Each step
 * asks for the next one's memory some candidates before it is used: as many as the processor can
 * wait for at a time. */
enum { AHEAD = 12, RING = 16, PENDING = 12 };

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
    uint32_t (*agree)(const uint8_t *line, const uint8_t *window, uint32_t hash,
                      uint32_t compared); /* the kernel's */
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
    __builtin_prefetch(record + 63);
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

/* An entry that agrees with the candidate: verified at once if the tables are near, else noted. */
static inline bool take_entry(struct drain *d, uint32_t tag, uint32_t where, size_t at,
                              bool near)
{
    const struct pending found = {where, tag & MATCH_TAG_PLACE, d->block + at};
    if (near)
        return verify(d->search, &found);
    const struct hf_bytes records = d->search->view->records;
    if ((uint64_t)where * 8 < records.len)
        prefetch_record(records.data + (size_t)where * 8);
    return wait_pending(d, found);
}

/* Those of a line's slots that agree. An unused slot that seems to names no record. */
static inline bool take_slots(struct drain *d, const uint8_t *line, uint32_t slots,
                              size_t at, bool near)
{
    for (; slots != 0; slots &= slots - 1) {
        const unsigned k = (unsigned)__builtin_ctz(slots);
        if (!take_entry(d, match_le32(line + 4 * k),
                        match_le32(line + 4 * (MATCH_SLOTS + k)), at, near))
            return false;
    }
    return true;
}

static bool scan_overflow(struct drain *d, uint32_t first, uint32_t count, uint32_t hash,
                          size_t at, bool near)
{
    if (first > d->class->overflow_count || count > d->class->overflow_count - first)
        return true; /* a damaged image */
    const uint8_t *line = d->class->overflow + MATCH_LINE * (size_t)first;
    for (uint32_t i = 0; i < count; i++, line += MATCH_LINE) {
        const uint32_t slots = d->agree(line, d->text + at, hash, d->compared);
        if (slots != 0 && !take_slots(d, line, slots, at, near))
            return false;
    }
    return true;
}

static inline bool scan_bucket(struct drain *d, const uint8_t *line, uint32_t hash,
                               size_t at, bool near)
{
    const uint32_t last = match_le32(line + 4 * (2 * MATCH_SLOTS - 1));
    const bool continued = last != MATCH_EMPTY && (last & MATCH_CONTINUED) != 0;
    uint32_t slots = d->agree(line, d->text + at, hash, d->compared);
    slots &= continued ? 0x7f : 0xff;
    return take_slots(d, line, slots, at, near) &&
           (!continued ||
            scan_overflow(d, last & ~MATCH_CONTINUED,
                          match_le32(line + 4 * (MATCH_SLOTS - 1)), hash, at, near));
}

/* Candidates whose bucket has been asked for. */
struct waiting {
    size_t asked, taken;
    uint64_t hash[RING];
    uint16_t at[RING];
};

static inline bool take_oldest(struct drain *d, struct waiting *w)
{
    const size_t k = w->taken++ % RING;
    return scan_bucket(d, match_bucket(d->class, w->hash[k]), (uint32_t)w->hash[k],
                       w->at[k], false);
}

static inline bool ask_for_bucket(struct drain *d, struct waiting *w, uint64_t hash,
                                  uint16_t at)
{
    const size_t k = w->asked++ % RING;
    w->hash[k] = hash;
    w->at[k] = at;
    __builtin_prefetch(match_bucket(d->class, hash));
    return w->asked - w->taken <= AHEAD || take_oldest(d, w);
}

static inline uint64_t hash_at(const struct drain *d, uint16_t at)
{
    return match_exact_hash(match_le64(d->text + at) & d->class->mask);
}

static bool take_all(struct drain *d, struct waiting *w)
{
    while (w->taken < w->asked)
        if (!take_oldest(d, w))
            return false;
    return verify_rest(d);
}

/* Where candidates are many, most are real windows, and the sieve one miss more for each. */
static bool drain_dense(struct drain *d, const struct match_queue *queue)
{
    struct waiting w;
    w.asked = w.taken = 0;
    for (size_t i = 0; i < queue->count; i++)
        if (!ask_for_bucket(d, &w, hash_at(d, queue->at[i]), queue->at[i]))
            return false;
    return take_all(d, &w);
}

/* The sieve's words are asked for one round earlier. */
static bool drain_sieved(struct drain *d, const struct match_queue *queue)
{
    const struct match_class *class = d->class;
    struct waiting w;
    w.asked = w.taken = 0;
    uint64_t hashes[RING];
    for (size_t i = 0; i < queue->count + AHEAD; i++) {
        if (i >= AHEAD) {
            const uint64_t h = hashes[(i - AHEAD) % RING];
            const uint32_t mask = match_sieve_mask(h);
            if ((match_le32(match_sieve_word(class, h)) & mask) == mask &&
                !ask_for_bucket(d, &w, h, queue->at[i - AHEAD]))
                return false;
        }
        if (i < queue->count) {
            const uint64_t h = hash_at(d, queue->at[i]);
            hashes[i % RING] = h;
            __builtin_prefetch(match_sieve_word(class, h));
        }
    }
    return take_all(d, &w);
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
    d.agree = hf_match_kernel()->agree;
    d.compared = match_tag_compared(class->window);
    d.count = 0;
    if (class->sieve == NULL)
        return drain_near(&d, queue);
    return queue->count < MATCH_BLOCK / class->stride / 16 ? drain_sieved(&d, queue)
                                                           : drain_dense(&d, queue);
}
