#include "db/names_write.h"
#include "db/names.h"

#include <stdlib.h>

/* Stems are stored in the order of their text, so that the same names give the same bytes. */
static int compare_stems(const void *a, const void *b, void *user)
{
    const struct hf_stems *stems = user;
    const struct hf_stem *x = &stems->items[*(const uint32_t *)a];
    const struct hf_stem *y = &stems->items[*(const uint32_t *)b];
    const struct hf_bytes texts[2][2] = {
        {hf_stem_before(stems, x), hf_stem_before(stems, y)},
        {hf_stem_after(stems, x), hf_stem_after(stems, y)},
    };
    for (unsigned t = 0; t < 2; t++) {
        struct hf_bytes p = texts[t][0], q = texts[t][1];
        size_t n = p.len < q.len ? p.len : q.len;
        int order = memcmp(p.data, q.data, n);
        if (order == 0)
            order = (p.len > q.len) - (p.len < q.len);
        if (order != 0)
            return order;
    }
    if (x->numbered != y->numbered)
        return x->numbered ? 1 : -1;
    return (x->source > y->source) - (x->source < y->source);
}

/* A symbol of the prefix code while its length is found. */
struct symbol {
    uint64_t uses;
    uint32_t stored; /* stored stem number */
    uint32_t parent;
};

static int compare_symbols(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    if (x->uses != y->uses)
        return x->uses < y->uses ? -1 : 1;
    return (x->stored > y->stored) - (x->stored < y->stored);
}

/*
 * Huffman's algorithm with two queues: leaves by rising use, inner nodes in the order they are
 * made, which is also by rising use. nodes has room for 2n - 1; leaves first. Returns the
 * longest code. [Huffman 1952; van Leeuwen 1976 for the queues]
 */
static unsigned huffman(struct symbol *nodes, uint32_t n, uint8_t *depth)
{
    uint32_t leaf = 0, inner = n, end = n;
    while (end < 2 * n - 1) {
        uint32_t pick[2];
        for (unsigned i = 0; i < 2; i++) {
            bool take_leaf =
                leaf < n && (inner == end || nodes[leaf].uses <= nodes[inner].uses);
            pick[i] = take_leaf ? leaf++ : inner++;
        }
        nodes[end].uses = nodes[pick[0]].uses + nodes[pick[1]].uses;
        nodes[pick[0]].parent = nodes[pick[1]].parent = end;
        end++;
    }
    unsigned longest = 0;
    depth[end - 1] = 0;
    for (uint32_t i = end - 1; i-- > 0;) {
        unsigned d = depth[nodes[i].parent] + 1u;
        depth[i] = (uint8_t)(d > 200 ? 200 : d);
        longest = d > longest ? d : longest;
    }
    return longest;
}

/* Lengths of all stems' codes. Uses are flattened until no code is longer than the format
 * allows: with n < 2^31 stems that ends at equal uses at the latest. */
static enum hf_status find_lengths(struct hf_names_writer *w)
{
    uint32_t n = w->stems->count;
    struct symbol *nodes = calloc((size_t)n * 2, sizeof *nodes);
    uint8_t *depth = calloc((size_t)n * 2, 1);
    if (nodes == NULL || depth == NULL || n > UINT32_MAX / 2) {
        free(nodes);
        free(depth);
        return HF_NOMEM;
    }
    for (unsigned shift = 0;; shift++) {
        for (uint32_t i = 0; i < n; i++)
            nodes[i] = (struct symbol){
                .uses = (w->stems->items[w->by_text[i]].uses >> shift) + 1, .stored = i};
        qsort(nodes, n, sizeof *nodes, compare_symbols);
        if (huffman(nodes, n, depth) <= HF_NAMES_CODE_MAX)
            break;
    }
    for (uint32_t i = 0; i < n; i++)
        w->lengths[w->by_text[nodes[i].stored]] = n == 1 ? 0 : depth[i];
    free(nodes);
    free(depth);
    return HF_OK;
}

/* Canonical codes: by length, then by stored stem number. The only stem of a database needs no
 * bits; it is entered as one of length 1. */
static void assign_codes(struct hf_names_writer *w)
{
    uint32_t n = w->stems->count, rank = 0;
    uint64_t code = 0;
    for (unsigned length = 1; length <= HF_NAMES_CODE_MAX; length++) {
        code <<= 1;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t stem = w->by_text[i];
            if (w->lengths[stem] != length && !(n == 1 && length == 1))
                continue;
            w->codes[stem] = (uint32_t)code++;
            w->by_code[rank++] = i;
            w->per_length[length - 1]++;
        }
    }
}

enum hf_status hf_names_begin(struct hf_names_writer *w, const struct hf_stems *stems)
{
    *w = (struct hf_names_writer){.stems = stems};
    w->bits.out = &w->stream;
    size_t n = stems->count;
    w->by_text = calloc(n + 1, sizeof *w->by_text);
    w->by_code = calloc(n + 1, sizeof *w->by_code);
    w->codes = calloc(n + 1, sizeof *w->codes);
    w->lengths = calloc(n + 1, sizeof *w->lengths);
    if (w->by_text == NULL || w->by_code == NULL || w->codes == NULL || w->lengths == NULL)
        return HF_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        w->by_text[i] = i;
    qsort_r(w->by_text, n, sizeof *w->by_text, compare_stems, (void *)(uintptr_t)stems);
    if (n == 0)
        return HF_OK;
    enum hf_status st = find_lengths(w);
    if (st == HF_OK)
        assign_codes(w);
    return st;
}

void hf_names_done(struct hf_names_writer *w)
{
    free(w->by_text);
    free(w->by_code);
    free(w->codes);
    free(w->lengths);
    hf_buffer_done(&w->stream);
    hf_buffer_done(&w->index);
    *w = (struct hf_names_writer){0};
}

static unsigned width_of(const struct hf_stem *stem)
{
    return stem->numbered ? hf_bit_width(stem->highest - stem->lowest) : 0;
}

void hf_names_add(struct hf_names_writer *w, uint32_t stem, uint64_t number)
{
    const struct hf_stem *s = &w->stems->items[stem];
    if (w->count++ % HF_NAMES_BLOCK == 0) {
        hf_end_bits(&w->bits);
        if (w->stream.len > UINT32_MAX)
            w->stream.failed = true;
        hf_buffer_u32(&w->index, (uint32_t)w->stream.len);
    }
    hf_put_bits(&w->bits, w->codes[stem], w->lengths[stem]);
    hf_put_bits(&w->bits, number - s->lowest, width_of(s));
}

static void put_text(struct hf_buffer *b, struct hf_bytes text)
{
    hf_put_varint(b, text.len);
    hf_buffer_bytes(b, text);
}

static void put_stems(const struct hf_names_writer *w, struct hf_buffer *index,
                      struct hf_buffer *text, struct hf_buffer *forms)
{
    struct hf_bytes last = {0};
    for (uint32_t i = 0; i < w->stems->count; i++) {
        const struct hf_stem *s = &w->stems->items[w->by_text[i]];
        struct hf_bytes before = hf_stem_before(w->stems, s);
        size_t shared = 0;
        if (i % HF_NAMES_STEM_BLOCK == 0)
            hf_buffer_u32(index, (uint32_t)text->len);
        else
            while (shared < before.len && shared < last.len &&
                   before.data[shared] == last.data[shared])
                shared++;
        hf_put_varint(text, shared);
        put_text(text, hf_bytes_of(before.data + shared, before.len - shared));
        put_text(text, hf_stem_after(w->stems, s));
        hf_put_varint(text, s->source);
        hf_buffer_u8(forms, s->numbered ? (uint8_t)(1 + width_of(s)) : 0);
        if (s->numbered)
            hf_put_varint(text, s->lowest);
        last = before;
    }
    if (text->len > UINT32_MAX)
        text->failed = true;
}

/* Append a part of the section; its offset, and perhaps its length, go to the header. */
static void put_part(struct hf_output *out, uint8_t *offset, uint8_t *length,
                     const void *data, size_t size)
{
    hf_output_align(out, 8);
    hf_put_le64(offset, hf_output_offset(out));
    if (length != NULL)
        hf_put_le64(length, size);
    hf_output_add(out, data, size);
}

static void put_u32s(struct hf_output *out, uint8_t *offset, const uint32_t *values,
                     size_t n)
{
    hf_output_align(out, 8);
    hf_put_le64(offset, hf_output_offset(out));
    for (size_t i = 0; i < n; i++) {
        uint8_t le[4];
        hf_put_le32(le, values[i]);
        hf_output_add(out, le, sizeof le);
    }
}

enum hf_status hf_names_write(struct hf_names_writer *w, struct hf_output *out)
{
    uint8_t header[HF_NAMES_HEADER] = {0};
    struct hf_buffer index = {0}, text = {0}, forms = {0};
    hf_end_bits(&w->bits);
    put_stems(w, &index, &text, &forms);
    bool failed =
        index.failed || text.failed || forms.failed || w->stream.failed || w->index.failed;
    hf_put_le32(header, HF_NAMES_LAYOUT);
    hf_put_le32(header + 4, w->count);
    hf_put_le32(header + 8, w->stems->count);
    hf_output_section(out, HF_DB_NAMES);
    hf_output_add(out, header, sizeof header);
    put_u32s(out, header + 16, w->per_length, 32);
    put_u32s(out, header + 24, w->by_code, w->stems->count);
    put_part(out, header + 32, NULL, index.data, index.len);
    put_part(out, header + 40, header + 48, text.data, text.len);
    put_part(out, header + 56, NULL, w->index.data, w->index.len);
    put_part(out, header + 64, header + 72, w->stream.data, w->stream.len);
    put_part(out, header + 80, NULL, forms.data, forms.len);
    hf_output_patch(out, 0, header, sizeof header);
    hf_output_end(out, w->count);
    hf_buffer_done(&index);
    hf_buffer_done(&text);
    hf_buffer_done(&forms);
    if (failed)
        return w->stream.len > UINT32_MAX ? HF_LIMIT : HF_NOMEM;
    return out->status;
}
