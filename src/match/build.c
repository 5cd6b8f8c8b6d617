#include "match/matcher.h"

#include "base/auto.h"
#include "match/build.h"
#include "match/rarity.h"

#include <stdlib.h>

/* Literals are told apart by these lengths. */
enum {
    LONG = 9,      /* and more: one class for all, its stride set by the set */
    MIDDLE = 7,    /* 7 and 8 */
    SHORT = 4,     /* 4 to 6 */
    SHUFFLED = 96, /* so few of SHORT or more, but below LONG, share one shuffled class */
    SPARSE = 1 << 15, /* windows of long literals whose filter stays in the first cache */
    POPULAR = 5 /* commonness above which a window is not indexed if that can be helped */
};

enum { SHAPES_MAX = 7, BY_GRAM = 3 /* number of the shape {1, 4} */ };

/* Which class takes the literals of a length. */
struct plan {
    struct match_shape shapes[SHAPES_MAX]; /* longer literals first */
    uint8_t shape_of[LONG + 1];            /* by length, LONG for all above */
};

struct build {
    struct build_literal *literals;
    size_t count;
    struct plan plan;
    uint16_t *frequency; /* of windows, by hash: how much of the set shares them */
    unsigned frequency_bits;
    uint64_t *costs; /* scratch, by place in a literal */
    size_t base;     /* of the image in out */
    struct hf_buffer *out;
    struct hf_buffer ids;
    size_t records_at, records_len, ids_at, longest;
    bool failed; /* out of memory */
};

static void build_done(struct build *b)
{
    free(b->literals);
    free(b->frequency);
    free(b->costs);
    hf_buffer_done(&b->ids);
}

static const struct match_shape *shape(const struct build *b, const struct build_literal *l)
{
    return &b->plan.shapes[l->shape];
}

/* The long class: as wide a stride as the shortest member allows, while the windows (stride of
 * them for each literal) are few. Many literals want few windows each: stride 4. */
static struct match_shape long_shape(size_t count, size_t shortest)
{
    for (uint8_t stride = MATCH_STRIDE_MAX; stride > 4; stride /= 2)
        if (shortest >= stride + 7u && count * stride <= SPARSE)
            return (struct match_shape){stride, 8};
    return (struct match_shape){4, 6};
}

static void make_plan(struct plan *plan, const struct hf_literal *in, size_t count)
{
    size_t lengths[LONG + 1] = {0}, shortest = MATCH_LENGTH_MAX, below = 0, few = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t len = in[i].bytes.len;
        lengths[len < LONG ? len : LONG]++;
        shortest = len >= LONG && len < shortest ? len : shortest;
    }
    for (size_t len = SHORT; len < LONG; len++)
        below += lengths[len];
    for (size_t len = SHORT; len < MIDDLE; len++)
        few += lengths[len];
    *plan = (struct plan){.shapes = {long_shape(lengths[LONG], shortest),
                                     {4, 4},
                                     {2, 4},
                                     {1, 4},
                                     {1, 3},
                                     {1, 2},
                                     {1, 1}},
                          .shape_of = {0, 6, 5, 4, 3, 2, 2, 1, 1, 0}};
    if (few <= SHUFFLED)
        plan->shape_of[5] = plan->shape_of[6] = 3;
    if (below <= SHUFFLED)
        plan->shape_of[7] = plan->shape_of[8] = 3;
}

static uint8_t stored_byte(const struct build_literal *l, size_t i)
{
    return l->nocase ? match_fold(l->bytes.data[i]) : l->bytes.data[i];
}

/* The total order that makes images independent of the input's: nocase ones compare folded. */
static int compare(const void *x, const void *y)
{
    const struct build_literal *a = x, *b = y;
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

static bool same_bytes(const struct build_literal *a, const struct build_literal *b)
{
    struct build_literal x = *a, y = *b;
    x.id = y.id = 0;
    return compare(&x, &y) == 0;
}

/* How common a folded window is in clean files: its rarest 4-gram bounds that. */
static unsigned commonness(uint64_t window, unsigned bytes)
{
    unsigned common = bytes < 4 ? 0 : 15;
    for (unsigned i = 0; i + 4 <= bytes; i++) {
        unsigned c = hf_match_commonness((uint32_t)(window >> (8 * i)));
        common = c < common ? c : common;
    }
    return common;
}

/* The commonest window of a run that cannot be avoided: the least over all runs. */
static unsigned run_commonness(const struct build_literal *l, struct match_shape s)
{
    const size_t runs = l->bytes.len - (s.stride + s.window - 1u) + 1;
    unsigned best = 15;
    for (size_t run = 0; run < runs && best > POPULAR; run++) {
        unsigned worst = 0;
        for (unsigned place = 0; place < s.stride && worst < best; place++) {
            unsigned c = commonness(build_window(l, run + place, s.window), s.window);
            worst = c > worst ? c : worst;
        }
        best = worst < best ? worst : best;
    }
    return best;
}

/* A few literals consist of what fills clean files (zeros, ".exe", licence texts) but for a gram
 * or two. Their windows would let a tenth of all probes through, so these literals go to the
 * class that needs only one good gram: while it has room for its shuffle tables, the commonest
 * first. */
static void route_popular(struct build *b)
{
    uint8_t *level = calloc(b->count + 1, 1);
    size_t home = 0;
    for (size_t i = 0; level != NULL && i < b->count; i++) {
        const struct build_literal *l = &b->literals[i];
        home += l->shape == BY_GRAM;
        if (shape(b, l)->stride == 1)
            continue;
        const unsigned common = run_commonness(l, *shape(b, l));
        if (common > POPULAR && run_commonness(l, b->plan.shapes[BY_GRAM]) + 1 < common)
            level[i] = (uint8_t)common;
    }
    size_t room = home > BUILD_SHUFFLE_MOST ? SIZE_MAX : BUILD_SHUFFLE_MOST - home;
    for (unsigned common = 15; level != NULL && common > POPULAR; common--) {
        for (size_t i = 0; i < b->count && room > 0; i++) {
            if (level[i] == common) {
                b->literals[i].shape = BY_GRAM;
                room--;
            }
        }
    }
    b->failed = level == NULL;
    free(level);
}

static void sort_literals(struct build *b)
{
    if (b->count > 0)
        qsort(b->literals, b->count, sizeof *b->literals, compare);
}

static enum hf_status take_literals(struct build *b, const struct hf_literal *in,
                                    size_t count)
{
    if (count > UINT32_C(1) << 31)
        return HF_LIMIT;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (in[i].bytes.len < 1 || in[i].bytes.len > MATCH_LENGTH_MAX)
            return HF_INVALID;
        total += in[i].bytes.len;
    }
    make_plan(&b->plan, in, count);
    b->frequency_bits = 10;
    while (b->frequency_bits < 24 && total >> b->frequency_bits != 0)
        b->frequency_bits++;
    b->literals = calloc(count + 1, sizeof *b->literals);
    b->frequency = calloc((size_t)1 << b->frequency_bits, sizeof *b->frequency);
    b->costs = calloc(MATCH_LENGTH_MAX + 1, sizeof *b->costs);
    if (b->literals == NULL || b->frequency == NULL || b->costs == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const size_t len = in[i].bytes.len;
        b->literals[i] =
            (struct build_literal){.bytes = in[i].bytes,
                                   .id = in[i].id,
                                   .nocase = in[i].nocase,
                                   .shape = b->plan.shape_of[len < LONG ? len : LONG]};
    }
    b->count = count;
    sort_literals(
        b); /* first, so that what is routed does not depend on the input's order */
    route_popular(b);
    sort_literals(b);
    return b->failed ? HF_NOMEM : HF_OK;
}

static uint16_t *frequency_of(struct build *b, const struct build_literal *l,
                              uint64_t window)
{
    uint64_t h = match_exact_hash(window + l->shape);
    return &b->frequency[h >> (64 - b->frequency_bits)];
}

/* How much of the set shares a window decides how long buckets get; a literal counts once,
 * whatever its ids. */
static void count_windows(struct build *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct build_literal *l = &b->literals[i];
        const unsigned window = shape(b, l)->window;
        if (i > 0 && same_bytes(l, l - 1))
            continue;
        for (size_t at = 0; at + window <= l->bytes.len; at++) {
            uint16_t *f = frequency_of(b, l, build_window(l, at, window));
            *f = (uint16_t)(*f + (*f < UINT16_MAX));
        }
    }
}

/* The expected work that indexing a window brings: how often clean files show it, times how many
 * literals would have to be looked at. */
static uint64_t window_cost(struct build *b, const struct build_literal *l, size_t at,
                            unsigned window)
{
    const uint64_t x = build_window(l, at, window);
    return ((uint64_t)1 << commonness(x, window)) * *frequency_of(b, l, x);
}

static void choose_run(struct build *b, struct build_literal *l)
{
    const unsigned stride = shape(b, l)->stride, window = shape(b, l)->window;
    const size_t places = l->bytes.len - window + 1;
    uint64_t best = UINT64_MAX, sum = 0;
    if (places == stride)
        return; /* nothing to choose */
    for (size_t at = 0; at < places; at++) {
        b->costs[at] = window_cost(b, l, at, window);
        sum += b->costs[at];
        if (at + 1 < stride)
            continue;
        if (sum < best) {
            best = sum;
            l->run = (uint32_t)(at + 1 - stride);
        }
        sum -= b->costs[at + 1 - stride];
    }
}

/* Write the record of literals[first, end), which differ in their ids only. */
static enum hf_status write_record(struct build *b, size_t first, size_t end)
{
    struct build_literal *l = &b->literals[first];
    const size_t size = (MATCH_RECORD + l->bytes.len + 7) & ~(size_t)7;
    const size_t used = (b->out->len - b->base) % MATCH_LINE;
    if (size <= MATCH_LINE && used + size > MATCH_LINE)
        hf_match_align(b->out, b->base,
                       MATCH_LINE); /* else it would cost two cache misses */
    const size_t at = b->out->len - b->base - b->records_at;
    if (at / 8 > MATCH_CONTINUED - MATCH_LENGTH_MAX || b->ids.len / 4 > UINT32_MAX / 2)
        return HF_LIMIT;
    uint32_t ids = (uint32_t)(b->ids.len / 4), count = 0, last = 0;
    for (size_t i = first; i < end; i++) {
        if (count > 0 && b->literals[i].id == last)
            continue; /* the very same literal, given twice */
        last = b->literals[i].id;
        hf_buffer_u32(&b->ids, last);
        count++;
    }
    if (count == 1 && b->ids.len >= 4)
        b->ids.len -= 4;
    l->where = (uint32_t)(at / 8);
    hf_buffer_u32(b->out, (uint32_t)l->bytes.len | (l->nocase ? MATCH_NOCASE : 0));
    hf_buffer_u32(b->out, l->run);
    hf_buffer_u32(b->out, count);
    hf_buffer_u32(b->out, count == 1 ? last : ids);
    uint8_t *to = hf_buffer_reserve(b->out, l->bytes.len);
    if (to == NULL)
        return HF_NOMEM;
    for (size_t i = 0; i < l->bytes.len; i++)
        to[i] = stored_byte(l, i);
    b->out->len += l->bytes.len;
    hf_match_align(b->out, b->base, 8);
    return HF_OK;
}

/* Keep one literal of each text, with its record written; then the ids. */
static enum hf_status write_records(struct build *b)
{
    size_t kept = 0;
    b->records_at = b->out->len - b->base;
    for (size_t i = 0, end; i < b->count; i = end) {
        end = i + 1;
        while (end < b->count && same_bytes(&b->literals[i], &b->literals[end]))
            end++;
        choose_run(b, &b->literals[i]);
        enum hf_status st = write_record(b, i, end);
        if (st != HF_OK)
            return st;
        if (b->literals[i].bytes.len > b->longest)
            b->longest = b->literals[i].bytes.len;
        b->literals[kept++] = b->literals[i];
    }
    b->count = kept;
    b->records_len = b->out->len - b->base - b->records_at;
    b->ids_at = b->out->len - b->base;
    hf_buffer_bytes(b->out, hf_buffer_view(&b->ids));
    return b->out->failed || b->ids.failed ? HF_NOMEM : HF_OK;
}

static enum hf_status write_classes(struct build *b, struct hf_buffer *headers)
{
    for (size_t i = 0, end; i < b->count; i = end) {
        end = i;
        while (end < b->count && b->literals[end].shape == b->literals[i].shape)
            end++;
        enum hf_status st = hf_match_write_class(
            &b->literals[i], end - i, *shape(b, &b->literals[i]), b->base, headers, b->out);
        if (st != HF_OK)
            return st;
    }
    hf_match_align(b->out, b->base, 64);
    return HF_OK;
}

static enum hf_status write_head(struct build *b, const struct hf_buffer *headers,
                                 size_t room)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer head = {0};
    hf_buffer_add(&head, "HFMATCH4", 8);
    hf_buffer_u32(&head, (uint32_t)(headers->len / MATCH_CLASS_HEADER));
    hf_buffer_u32(&head, 0);
    hf_buffer_u64(&head, b->out->len - b->base);
    hf_buffer_u64(&head, b->longest);
    hf_buffer_u64(&head, b->records_at);
    hf_buffer_u64(&head, b->records_len / 8);
    hf_buffer_u64(&head, b->ids_at);
    hf_buffer_u64(&head, b->ids.len / 4);
    hf_buffer_align(&head, MATCH_HEADER);
    hf_buffer_bytes(&head, hf_buffer_view(headers));
    if (head.failed || b->out->failed || head.len > room)
        return HF_NOMEM;
    memcpy(b->out->data + b->base, head.data, head.len);
    return HF_OK;
}

static enum hf_status write_image(struct build *b)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer headers = {0};
    const size_t room = MATCH_HEADER + SHAPES_MAX * MATCH_CLASS_HEADER;
    for (size_t i = 0; i < room; i++)
        hf_buffer_u8(b->out, 0);
    enum hf_status st = write_records(b);
    if (st == HF_OK)
        st = write_classes(b, &headers);
    return st == HF_OK ? write_head(b, &headers, room) : st;
}

enum hf_status hf_matcher_build(const struct hf_literal *literals, size_t count,
                                struct hf_buffer *out)
{
    HF_AUTO(build_done) struct build b = {.out = out, .base = out->len};
    enum hf_status st = take_literals(&b, literals, count);
    if (st != HF_OK)
        return st;
    count_windows(&b);
    st = write_image(&b);
    if (st != HF_OK && !out->failed)
        out->len = b.base;
    return st;
}
