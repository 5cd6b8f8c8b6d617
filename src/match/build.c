#include "match/matcher.h"

#include "base/auto.h"
#include "match/image.h"

#include <stdlib.h>

/* Widest first. A literal goes to the first class with stride + window - 1 <= its length. */
static const struct {
    uint8_t stride, window;
} shapes[] = {{8, 8}, {4, 8}, {2, 6}, {1, 4}, {1, 3}, {1, 2}, {1, 1}};

enum { SHAPES = sizeof shapes / sizeof shapes[0], FREQUENCY_BITS = 20 };

struct literal {
    struct hf_bytes bytes;
    uint32_t id;
    uint32_t run;   /* where the indexed run starts */
    uint32_t where; /* of its record, once written */
    uint8_t shape;
    bool nocase;
};

struct entry {
    uint32_t bucket, tag, where;
};

struct build {
    struct literal *literals;
    size_t count;
    uint16_t *frequency; /* of windows, by hash: how much of the set shares them */
    struct hf_buffer records, ids;
};

static void build_done(struct build *b)
{
    free(b->literals);
    free(b->frequency);
    hf_buffer_done(&b->records);
    hf_buffer_done(&b->ids);
}

static uint8_t shape_of(size_t length)
{
    uint8_t s = 0;
    while (length < (size_t)shapes[s].stride + shapes[s].window - 1)
        s++;
    return s;
}

static uint8_t stored_byte(const struct literal *l, size_t i)
{
    return l->nocase ? match_fold(l->bytes.data[i]) : l->bytes.data[i];
}

/* The total order that makes images independent of the input's: nocase ones compare folded. */
static int compare(const void *x, const void *y)
{
    const struct literal *a = x, *b = y;
    if (a->shape != b->shape)
        return a->shape < b->shape ? -1 : 1;
    if (a->nocase != b->nocase)
        return a->nocase ? 1 : -1;
    size_t n = a->bytes.len < b->bytes.len ? a->bytes.len : b->bytes.len;
    for (size_t i = 0; i < n; i++) {
        uint8_t p = stored_byte(a, i), q = stored_byte(b, i);
        if (p != q)
            return p < q ? -1 : 1;
    }
    if (a->bytes.len != b->bytes.len)
        return a->bytes.len < b->bytes.len ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static bool same_bytes(const struct literal *a, const struct literal *b)
{
    struct literal x = *a, y = *b;
    x.id = y.id = 0;
    return compare(&x, &y) == 0;
}

static uint64_t window_at(const struct literal *l, size_t at)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < shapes[l->shape].window; i++)
        x |= (uint64_t)match_fold(l->bytes.data[at + i]) << (8 * i);
    return x;
}

static uint16_t *frequency_of(struct build *b, const struct literal *l, size_t at)
{
    uint64_t h = match_exact_hash(window_at(l, at) + l->shape);
    return &b->frequency[h >> (64 - FREQUENCY_BITS)];
}

static void count_windows(struct build *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct literal *l = &b->literals[i];
        for (size_t at = 0; at + shapes[l->shape].window <= l->bytes.len; at++) {
            uint16_t *f = frequency_of(b, l, at);
            *f = (uint16_t)(*f + (*f < UINT16_MAX));
        }
    }
}

/* The run whose most shared window is shared least: it keeps buckets short. */
static void choose_run(struct build *b, struct literal *l)
{
    unsigned stride = shapes[l->shape].stride;
    size_t runs = l->bytes.len - (stride + shapes[l->shape].window - 1u) + 1;
    uint64_t best = UINT64_MAX;
    for (size_t run = 0; run < runs; run++) {
        uint64_t cost = 0;
        for (unsigned o = 0; o < stride; o++) {
            uint64_t f = *frequency_of(b, l, run + o);
            cost += f * f;
        }
        if (cost < best) {
            best = cost;
            l->run = (uint32_t)run;
        }
    }
}

static enum hf_status take_literals(struct build *b, const struct hf_literal *in,
                                    size_t count)
{
    if (count > UINT32_C(1) << 31)
        return HF_LIMIT;
    b->literals = calloc(count + 1, sizeof *b->literals);
    b->frequency = calloc((size_t)1 << FREQUENCY_BITS, sizeof *b->frequency);
    if (b->literals == NULL || b->frequency == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (in[i].bytes.len < 1 || in[i].bytes.len > MATCH_LENGTH_MAX)
            return HF_INVALID;
        b->literals[i] = (struct literal){.bytes = in[i].bytes,
                                          .id = in[i].id,
                                          .nocase = in[i].nocase,
                                          .shape = shape_of(in[i].bytes.len)};
    }
    b->count = count;
    if (count > 0)
        qsort(b->literals, count, sizeof *b->literals, compare);
    return HF_OK;
}

/* Write the record of literals[first, end), which differ in their ids only. */
static enum hf_status write_record(struct build *b, size_t first, size_t end)
{
    struct literal *l = &b->literals[first];
    if (b->records.len / 8 > UINT32_MAX - MATCH_LENGTH_MAX ||
        b->ids.len / 4 > UINT32_MAX / 2)
        return HF_LIMIT;
    uint32_t ids = (uint32_t)(b->ids.len / 4), count = 0, last = 0;
    for (size_t i = first; i < end; i++) {
        if (count > 0 && b->literals[i].id == last)
            continue; /* the very same literal, given twice */
        last = b->literals[i].id;
        hf_buffer_u32(&b->ids, last);
        count++;
    }
    if (count == 1)
        b->ids.len -= 4;
    l->where = (uint32_t)(b->records.len / 8);
    hf_buffer_u32(&b->records, (uint32_t)l->bytes.len | (l->nocase ? MATCH_NOCASE : 0));
    hf_buffer_u32(&b->records, l->run);
    hf_buffer_u32(&b->records, count);
    hf_buffer_u32(&b->records, count == 1 ? last : ids);
    for (size_t i = 0; i < l->bytes.len; i++)
        hf_buffer_u8(&b->records, stored_byte(l, i));
    hf_buffer_align(&b->records, 8);
    return HF_OK;
}

/* Keep one literal of each text, with its record written. */
static enum hf_status write_records(struct build *b)
{
    size_t kept = 0;
    for (size_t i = 0, end; i < b->count; i = end) {
        end = i + 1;
        while (end < b->count && same_bytes(&b->literals[i], &b->literals[end]))
            end++;
        choose_run(b, &b->literals[i]);
        enum hf_status st = write_record(b, i, end);
        if (st != HF_OK)
            return st;
        b->literals[kept++] = b->literals[i];
    }
    b->count = kept;
    return b->records.failed || b->ids.failed ? HF_NOMEM : HF_OK;
}

static int compare_entries(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    if (a->bucket != b->bucket)
        return a->bucket < b->bucket ? -1 : 1;
    if (a->tag != b->tag)
        return a->tag < b->tag ? -1 : 1;
    return a->where < b->where ? -1 : a->where > b->where;
}

static unsigned bits_for(uint64_t n)
{
    unsigned bits = 0;
    while (bits < 31 && UINT64_C(1) << bits < n)
        bits++;
    return bits;
}

static void put_le64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* Append the filter, starts and entries of literals[first, end), all of one shape, and its class
 * header to head. */
static enum hf_status write_class(const struct build *b, size_t first, size_t end,
                                  struct hf_buffer *head, struct hf_buffer *out)
{
    const unsigned stride = shapes[b->literals[first].shape].stride;
    const size_t count = (end - first) * stride;
    if (count > UINT32_MAX)
        return HF_LIMIT;
    const unsigned filter_bits = bits_for(count / 4 + 1),
                   bucket_bits = bits_for(count / 4 + 1);
    struct entry *entries = malloc(count * sizeof *entries);
    hf_buffer_align(out, 64);
    size_t filter_at = out->len, filter_size = (size_t)8 << filter_bits;
    uint8_t *filter = hf_buffer_reserve(out, filter_size);
    if (entries == NULL || filter == NULL) {
        free(entries);
        return HF_NOMEM;
    }
    memset(filter, 0, filter_size);
    out->len += filter_size;
    size_t n = 0;
    for (size_t i = first; i < end; i++) {
        const struct literal *l = &b->literals[i];
        for (unsigned o = 0; o < stride; o++) {
            uint64_t x = window_at(l, l->run + o), h = match_filter_hash(x);
            uint8_t *word = filter + 8 * match_filter_word(h, filter_bits);
            put_le64(word, match_le64(word) | match_filter_bits(h));
            h = match_exact_hash(x);
            entries[n++] =
                (struct entry){.bucket = (uint32_t)(h >> 1 >> (63 - bucket_bits)),
                               .tag = ((uint32_t)h & ~MATCH_PLACE) | o,
                               .where = l->where};
        }
    }
    qsort(entries, n, sizeof *entries, compare_entries);
    size_t starts_at = out->len;
    for (size_t bucket = 0, i = 0; bucket <= (size_t)1 << bucket_bits; bucket++) {
        while (i < n && entries[i].bucket < bucket)
            i++;
        hf_buffer_u32(out, (uint32_t)i);
    }
    hf_buffer_align(out, 8);
    size_t entries_at = out->len;
    for (size_t i = 0; i < n; i++) {
        hf_buffer_u32(out, entries[i].tag);
        hf_buffer_u32(out, entries[i].where);
    }
    free(entries);
    hf_buffer_u32(head, stride);
    hf_buffer_u32(head, shapes[b->literals[first].shape].window);
    hf_buffer_u32(head, filter_bits);
    hf_buffer_u32(head, bucket_bits);
    hf_buffer_u64(head, filter_at);
    hf_buffer_u64(head, starts_at);
    hf_buffer_u64(head, entries_at);
    hf_buffer_u64(head, n);
    hf_buffer_align(head, 64);
    return HF_OK;
}

static enum hf_status write_image(struct build *b, struct hf_buffer *out)
{
    unsigned classes = 0;
    size_t longest = 0;
    for (size_t i = 0; i < b->count; i++) {
        classes += i == 0 || b->literals[i].shape != b->literals[i - 1].shape;
        longest = b->literals[i].bytes.len > longest ? b->literals[i].bytes.len : longest;
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer class_headers = {0};
    const size_t head_size = MATCH_HEADER + (size_t)classes * MATCH_CLASS_HEADER;
    for (size_t i = 0; i < head_size; i++)
        hf_buffer_u8(out, 0);
    for (size_t i = 0, end; i < b->count; i = end) {
        end = i;
        while (end < b->count && b->literals[end].shape == b->literals[i].shape)
            end++;
        enum hf_status st = write_class(b, i, end, &class_headers, out);
        if (st != HF_OK)
            return st;
    }
    hf_buffer_align(out, 64);
    size_t records_at = out->len;
    hf_buffer_bytes(out, hf_buffer_view(&b->records));
    size_t ids_at = out->len;
    hf_buffer_bytes(out, hf_buffer_view(&b->ids));
    hf_buffer_align(out, 8);

    HF_AUTO(hf_buffer_done) struct hf_buffer head = {0};
    hf_buffer_add(&head, "HFMATCH1", 8);
    hf_buffer_u32(&head, classes);
    hf_buffer_u32(&head, 0);
    hf_buffer_u64(&head, out->len);
    hf_buffer_u64(&head, longest);
    hf_buffer_u64(&head, records_at);
    hf_buffer_u64(&head, b->records.len / 8);
    hf_buffer_u64(&head, ids_at);
    hf_buffer_u64(&head, b->ids.len / 4);
    hf_buffer_align(&head, MATCH_HEADER);
    hf_buffer_bytes(&head, hf_buffer_view(&class_headers));
    if (head.failed || out->failed || head.len != head_size)
        return HF_NOMEM;
    memcpy(out->data, head.data, head_size);
    return HF_OK;
}

enum hf_status hf_matcher_build(const struct hf_literal *literals, size_t count,
                                struct hf_buffer *out)
{
    HF_AUTO(build_done) struct build b = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    enum hf_status st = take_literals(&b, literals, count);
    if (st != HF_OK)
        return st;
    count_windows(&b);
    st = write_records(&b);
    if (st == HF_OK)
        st = write_image(&b, &image);
    if (st != HF_OK)
        return st;
    hf_buffer_bytes(out, hf_buffer_view(&image));
    return out->failed ? HF_NOMEM : HF_OK;
}
