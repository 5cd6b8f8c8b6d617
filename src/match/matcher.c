#include "match/matcher.h"

#include "match/search.h"

#include <stdatomic.h>
#include <stdlib.h>

static const struct match_kernel *const kernels[] = {&hf_match_portable}; /* best first */

/* Chosen once; a plain pointer that threads may set to the same value at the same time. */
static _Atomic(const struct match_kernel *) chosen;

bool hf_matcher_use_kernel(const char *name)
{
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        if ((name == NULL || strcmp(name, kernels[i]->name) == 0) &&
            kernels[i]->available()) {
            atomic_store(&chosen, kernels[i]);
            return true;
        }
    }
    return false;
}

static const struct match_kernel *kernel(void)
{
    const struct match_kernel *k = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (k != NULL)
        return k;
    const char *wanted = getenv("HOLDFAST_KERNEL");
    if (wanted == NULL || !hf_matcher_use_kernel(wanted))
        (void)hf_matcher_use_kernel(NULL);
    return atomic_load(&chosen);
}

const char *hf_matcher_kernel(void)
{
    return kernel()->name;
}

enum hf_status hf_matcher_open(struct hf_bytes image, struct hf_matcher *matcher)
{
    struct match_view view;
    *matcher = (struct hf_matcher){0};
    if (!hf_match_view(image, &view))
        return HF_MALFORMED;
    matcher->image = image;
    matcher->opaque[0] = view.longest;
    return HF_OK;
}

size_t hf_matcher_longest(const struct hf_matcher *matcher)
{
    return (size_t)matcher->opaque[0];
}

/* What a search hands down. */
struct search {
    const struct match_view *view;
    struct hf_bytes data;
    uint64_t base;
    hf_on_literal *on_literal;
    void *user;
};

static bool equal(const struct match_record *r, const uint8_t *text)
{
    if (!r->nocase)
        return memcmp(r->bytes.data, text, r->bytes.len) == 0;
    for (size_t i = 0; i < r->bytes.len; i++)
        if (match_fold(text[i]) != r->bytes.data[i])
            return false;
    return true;
}

/* The literal at where may occur so that its indexed window number place is at the text's
 * position at. */
static bool verify(const struct search *s, uint32_t where, uint32_t place, uint64_t at)
{
    struct match_record r;
    if (!hf_match_record(s->view, where, &r))
        return true;
    const uint64_t before = (uint64_t)r.run + place;
    if (before > at || r.bytes.len > s->data.len - (at - before) ||
        !equal(&r, s->data.data + (at - before)))
        return true;
    for (uint32_t i = 0; i < r.id_count; i++) {
        if (!s->on_literal(s->user, hf_match_id(s->view, &r, i), s->base + (at - before),
                           (uint32_t)r.bytes.len))
            return false;
    }
    return true;
}

/* One candidate on its way through the exact table. */
struct candidate {
    uint32_t tag, from, to;
};

enum { BATCH = 32 };

static void look_up(const struct match_class *class, uint64_t hash, struct candidate *c)
{
    const uint8_t *start = class->starts + 4 * (hash >> 1 >> (63 - class->bucket_bits));
    c->from = match_le32(start);
    c->to = match_le32(start + 4);
    if (c->to > class->entry_count)
        c->to = class->entry_count;
    if (c->from < c->to)
        __builtin_prefetch(class->entries + 8 * (size_t)c->from);
}

/* Take a batch through the tables step by step, so that its cache misses overlap. */
static bool drain_batch(const struct search *s, const struct match_class *class,
                        const uint8_t *text, uint64_t block, const uint16_t *at, size_t n)
{
    uint64_t hash[BATCH];
    struct candidate c[BATCH];
    for (size_t i = 0; i < n; i++) {
        hash[i] = match_exact_hash(match_le64(text + at[i]) & class->mask);
        __builtin_prefetch(class->starts + 4 * (hash[i] >> 1 >> (63 - class->bucket_bits)));
    }
    for (size_t i = 0; i < n; i++)
        look_up(class, hash[i], &c[i]);
    for (size_t i = 0; i < n; i++) {
        const uint32_t tag = (uint32_t)hash[i] & ~MATCH_PLACE;
        for (uint32_t e = c[i].from; e < c[i].to; e++) {
            const uint8_t *entry = class->entries + 8 * (size_t)e;
            uint32_t found = match_le32(entry);
            if ((found & ~MATCH_PLACE) == tag &&
                !verify(s, match_le32(entry + 4), found & MATCH_PLACE, block + at[i]))
                return false;
        }
    }
    return true;
}

bool hf_matcher_search(const struct hf_matcher *matcher, struct hf_bytes data,
                       uint64_t base, hf_on_literal *on_literal, void *user)
{
    struct match_view view;
    if (!hf_match_view(matcher->image, &view))
        return true;
    const struct search s = {&view, data, base, on_literal, user};
    const struct match_kernel *k = kernel();
    uint8_t text[MATCH_BLOCK + 2 * MATCH_SLACK];
    struct match_queue queue;
    for (size_t block = 0; block < data.len; block += MATCH_BLOCK) {
        size_t left = data.len - block;
        size_t n = left < MATCH_BLOCK ? left : MATCH_BLOCK;
        size_t ahead = left < MATCH_BLOCK + MATCH_SLACK ? left : MATCH_BLOCK + MATCH_SLACK;
        k->fold(data.data + block, text, ahead);
        memset(text + ahead, 0, MATCH_SLACK);
        for (unsigned c = 0; c < view.class_count; c++) {
            k->probe(&view.classes[c], text, n, &queue);
            for (size_t i = 0; i < queue.count; i += BATCH) {
                size_t m = queue.count - i < BATCH ? queue.count - i : BATCH;
                if (!drain_batch(&s, &view.classes[c], text, block, queue.at + i, m))
                    return false;
            }
        }
    }
    return true;
}
