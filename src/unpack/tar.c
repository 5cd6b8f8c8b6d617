#include "unpack/decoders.h"

#include "unpack/pusher.h"
#include "unpack/tar.h"

/*
 * tar: headers of one block, each followed by its data in whole blocks. Extended headers (pax, GNU
 * long names) describe the member behind them. Data is passed on as it lies there; only sparse
 * files are written out, with zeros for their holes.
 */
struct tar {
    struct hf_unpack *unpack;
    struct hf_pusher out;
    struct hf_cursor c;
    struct hf_tar_extended next,
        global; /* what is said of the next member, of all members */
    bool found;
    enum hf_status how;
    uint8_t
        joined[HF_TAR_PREFIX + 1 + HF_TAR_NAME]; /* prefix and name of the current member */
};

static uint64_t padded(uint64_t size)
{
    uint64_t over = size % HF_TAR_BLOCK;
    return over == 0 || size > UINT64_MAX - HF_TAR_BLOCK ? size
                                                         : size + HF_TAR_BLOCK - over;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The name of the next member: the extended one, else the header's with its prefix. */
static struct hf_bytes name_of(struct tar *t, const struct hf_tar_header *h)
{
    if (t->next.name.len > 0)
        return t->next.name;
    if (h->prefix.len == 0)
        return h->name;
    size_t n = h->prefix.len;
    memcpy(t->joined, h->prefix.data, n);
    t->joined[n++] = '/';
    if (h->name.len > 0)
        memcpy(t->joined + n, h->name.data, h->name.len);
    return hf_bytes_of(t->joined, n + h->name.len);
}

/* The stretches with their holes, as long as somebody takes them. A map that goes backwards loses
 * its order, not its data. */
static enum hf_status push_stretches(struct tar *t, struct hf_cursor *data,
                                     enum hf_status *how)
{
    const struct hf_tar_extended *x = &t->next;
    uint64_t pos = 0;
    for (size_t i = 0; i < x->map_count && t->out.wanted; i++) {
        const struct hf_tar_stretch *s = &x->map[i];
        enum hf_status st = HF_OK;
        if (!hf_cursor_charge(data, 1))
            return HF_LIMIT;
        if (s->offset > pos)
            st = hf_pusher_push_zeros(&t->out, s->offset - pos);
        else if (s->offset < pos)
            *how = HF_MALFORMED;
        struct hf_bytes there = hf_take(data, least(s->size, hf_cursor_left(data)));
        if (st == HF_OK && t->out.wanted)
            st = hf_pusher_push(&t->out, there.data, there.len);
        if (st != HF_OK)
            return st;
        if (there.len < s->size) {
            *how = HF_TRUNCATED;
            return HF_OK;
        }
        pos = s->size > UINT64_MAX - s->offset ? UINT64_MAX : s->offset + s->size;
    }
    bool hole_behind = x->real_size != HF_UNKNOWN && x->real_size > pos;
    return hole_behind ? hf_pusher_push_zeros(&t->out, x->real_size - pos) : HF_OK;
}

static enum hf_status push_sparse(struct tar *t, const struct hf_child *child,
                                  struct hf_cursor data, enum hf_status how)
{
    if (t->next.sparse == HF_TAR_SPARSE_IN_DATA) {
        enum hf_status st = hf_tar_read_map_in_data(&data, t->unpack->arena, &t->next);
        if (st == HF_LIMIT)
            return st;
        if (st != HF_OK)
            return hf_pusher_whole(&t->out, *child, hf_take_rest(&data), HF_MALFORMED);
    }
    enum hf_status st = hf_pusher_begin(&t->out, *child);
    if (st == HF_OK)
        st = push_stretches(t, &data, &how);
    return st == HF_OK ? hf_pusher_end(&t->out, how) : st;
}

/* The member's data, at which the cursor stands. */
static enum hf_status push_data(struct tar *t, const struct hf_tar_header *h, uint64_t size)
{
    struct hf_child child = {
        .name = name_of(t, h),
        .packed = size,
        .declared = t->next.sparse == HF_TAR_DENSE ? size : t->next.real_size,
        .offset = t->c.pos,
        .crc = HF_UNKNOWN,
        .is_file = h->type == '0' || h->type == 0 || h->type == '7' || h->type == 'S',
    };
    struct hf_cursor data = hf_cursor_clip(&t->c, t->c.pos, size);
    enum hf_status how = HF_OK;
    if (data.len < size)
        how = t->how = HF_TRUNCATED;
    if (t->next.sparse != HF_TAR_DENSE)
        return push_sparse(t, &child, data, how);
    return hf_pusher_whole(&t->out, child, hf_take_rest(&data), how);
}

/* Links and folders may give a size although nothing follows: then the next header does. */
static uint64_t size_without_data(const struct tar *t, uint64_t size)
{
    struct hf_cursor ahead = t->c;
    struct hf_tar_header next = hf_tar_read_header(&ahead);
    return !ahead.failed && (next.good || next.is_zero) ? 0 : size;
}

static enum hf_status read_long_name(struct tar *t, uint64_t size)
{
    enum { LONGEST = 64 * 1024 };
    struct hf_cursor data = hf_cursor_clip(&t->c, t->c.pos, least(size, LONGEST));
    t->next.name = hf_take_until(&data, 0, LONGEST, NULL);
    return HF_OK;
}

static enum hf_status read_extended(struct tar *t, const struct hf_tar_header *h)
{
    struct hf_tar_extended *to = h->type == 'g' ? &t->global : &t->next;
    struct hf_cursor records = hf_cursor_clip(&t->c, t->c.pos, h->size);
    enum hf_status st = hf_tar_read_pax(records, t->unpack->arena, to);
    if (st == HF_MALFORMED) {
        hf_note(t->unpack->notes, t->c.pos, "damaged pax header");
        t->how = HF_MALFORMED;
    }
    if (h->type == 'g')
        t->next = t->global;
    return st == HF_LIMIT ? st : HF_OK;
}

static enum hf_status push_member(struct tar *t, const struct hf_tar_header *h,
                                  uint64_t *size)
{
    if (t->next.size != HF_UNKNOWN)
        *size = t->next.size;
    if (h->type == 'S') {
        uint64_t header = t->c.pos - HF_TAR_BLOCK;
        enum hf_status st = hf_tar_read_gnu_map(&t->c, header, t->unpack->arena, &t->next);
        if (st == HF_LIMIT)
            return st;
        if (st != HF_OK)
            t->how = st;
    }
    bool is_special = h->type >= '1' && h->type <= '6';
    if (is_special && *size > 0)
        *size = size_without_data(t, *size);
    bool is_empty = *size == 0 && t->next.sparse == HF_TAR_DENSE;
    bool is_file = !is_special && h->type != 'V' && h->type != 'D';
    enum hf_status st = is_empty && !is_file ? HF_OK : push_data(t, h, *size);
    t->next = t->global;
    return st;
}

/* What a good header announces; the cursor stands behind it, and moves behind the data. */
static enum hf_status follow_header(struct tar *t, const struct hf_tar_header *h)
{
    enum hf_status st = HF_OK;
    uint64_t size = h->size;
    t->found = true;
    switch (h->type) {
    case 'L': st = read_long_name(t, size); break;
    case 'K': break; /* the long name of a link's target */
    case 'x':
    case 'X':
    case 'g': st = read_extended(t, h); break;
    default: st = push_member(t, h, &size); break;
    }
    uint64_t left = hf_cursor_left(&t->c);
    if (size > left && st == HF_OK)
        t->how = HF_TRUNCATED;
    hf_skip(&t->c, least(padded(size), left));
    return st;
}

/* Skip zero blocks; behind them another archive may have been appended. */
static void skip_zeros(struct hf_cursor *c)
{
    static const uint8_t zeros[HF_TAR_BLOCK];
    while (hf_cursor_left(c) >= HF_TAR_BLOCK && hf_peek_equal(c, zeros, HF_TAR_BLOCK) &&
           hf_cursor_charge(c, 1))
        hf_skip(c, HF_TAR_BLOCK);
}

/* Find the next block that is a header beyond doubt. */
static bool resynchronise(struct tar *t)
{
    uint64_t from = t->c.pos;
    hf_skip(&t->c, HF_TAR_BLOCK);
    while (hf_cursor_left(&t->c) >= HF_TAR_BLOCK && hf_cursor_charge(&t->c, 1)) {
        struct hf_cursor ahead = t->c;
        struct hf_tar_header h = hf_tar_read_header(&ahead);
        if (h.good && h.has_magic) {
            hf_note(t->unpack->notes, from, "no header here; the next is at %zu", t->c.pos);
            return true;
        }
        hf_skip(&t->c, HF_TAR_BLOCK);
    }
    return false;
}

/* A block that is no header, where one is due. Whether there is a way on. */
static bool recover(struct tar *t, const struct hf_tar_header *h, bool behind_end)
{
    if (!t->found && !h->has_magic)
        return false;
    t->next = t->global;
    if (behind_end) {
        hf_note(t->unpack->notes, t->c.pos, "data behind the end of the archive");
        return resynchronise(t);
    }
    t->how = HF_MALFORMED;
    t->found = true;
    return resynchronise(t);
}

enum hf_status hf_unpack_tar(struct hf_unpack *unpack)
{
    struct tar t = {.unpack = unpack,
                    .out = hf_pusher_of(unpack),
                    .c = hf_cursor_at(&unpack->object, 0),
                    .next = hf_tar_extended_none(),
                    .global = hf_tar_extended_none(),
                    .how = HF_OK};
    bool behind_end = false;
    while (hf_cursor_left(&t.c) >= HF_TAR_BLOCK && hf_cursor_charge(&t.c, 1)) {
        struct hf_cursor behind = t.c;
        struct hf_tar_header h = hf_tar_read_header(&behind);
        if (h.is_zero) {
            behind_end = true;
            skip_zeros(&t.c);
            continue;
        }
        if (!h.good || h.size == UINT64_MAX) {
            if (!recover(&t, &h, behind_end))
                break;
            continue;
        }
        behind_end = false;
        t.c = behind;
        enum hf_status st = follow_header(&t, &h);
        if (st != HF_OK)
            return st;
    }
    if (hf_cursor_status(&t.c) == HF_LIMIT)
        return HF_LIMIT;
    if (hf_cursor_left(&t.c) > 0 && !behind_end && t.how == HF_OK)
        t.how = HF_TRUNCATED;
    return t.found ? t.how : HF_NOTFOUND;
}
