#include "db/names.h"
#include "db/names_walk.h"

bool hf_names_open(struct hf_bytes section, struct hf_names *names)
{
    struct hf_bytes header;
    *names = (struct hf_names){0};
    if (!hf_extent(section, 0, HF_NAMES_HEADER, &header))
        return false;
    const uint8_t *h = header.data;
    struct hf_names n = {.count = hf_le32(h + 4), .stems = hf_le32(h + 8)};
    uint64_t stem_blocks =
        ((uint64_t)n.stems + HF_NAMES_STEM_BLOCK - 1) / HF_NAMES_STEM_BLOCK;
    uint64_t blocks = ((uint64_t)n.count + HF_NAMES_BLOCK - 1) / HF_NAMES_BLOCK;
    if (hf_le32(h) != HF_NAMES_LAYOUT ||
        !hf_extent(section, hf_le64(h + 16), HF_NAMES_CODE_MAX * 4, &n.lengths) ||
        !hf_extent(section, hf_le64(h + 24), (uint64_t)n.stems * 4, &n.order) ||
        !hf_extent(section, hf_le64(h + 32), stem_blocks * 4, &n.stem_index) ||
        !hf_extent(section, hf_le64(h + 40), hf_le64(h + 48), &n.stem_text) ||
        !hf_extent(section, hf_le64(h + 56), blocks * 4, &n.index) ||
        !hf_extent(section, hf_le64(h + 64), hf_le64(h + 72), &n.stream) ||
        !hf_extent(section, hf_le64(h + 80), n.stems, &n.forms))
        return false;
    *names = n;
    return true;
}

/* One stem record as it stands; text before the number is only its own part. */
struct stem {
    uint64_t shared, source, base;
    struct hf_bytes rest, after;
    bool numbered;
};

static bool take_text(struct hf_bytes in, size_t *at, struct hf_bytes *text)
{
    uint64_t n;
    if (!hf_get_varint(in, at, &n) || n > HF_NAME_MAX || !hf_extent(in, *at, n, text))
        return false;
    *at += (size_t)n;
    return true;
}

static bool read_stem(struct hf_bytes in, size_t *at, bool numbered, struct stem *stem)
{
    *stem = (struct stem){.numbered = numbered};
    return hf_get_varint(in, at, &stem->shared) && take_text(in, at, &stem->rest) &&
           take_text(in, at, &stem->after) && hf_get_varint(in, at, &stem->source) &&
           (!numbered || hf_get_varint(in, at, &stem->base));
}

/* Bits of a stem's numbers; 65 and more: damaged. */
static unsigned width_of(const struct hf_names *names, uint32_t stem)
{
    unsigned form = names->forms.data[stem];
    return form == 0 ? 0 : form - 1;
}

/* A stem with its text put together. */
struct whole_stem {
    struct stem stem;
    uint8_t before[HF_NAME_MAX];
    size_t length;
};

static bool add_rest(struct whole_stem *w)
{
    if (w->stem.shared > w->length || w->stem.rest.len > HF_NAME_MAX - w->stem.shared)
        return false;
    w->length = (size_t)w->stem.shared;
    if (w->stem.rest.len > 0)
        memcpy(w->before + w->length, w->stem.rest.data, w->stem.rest.len);
    w->length += w->stem.rest.len;
    return true;
}

static bool find_stem(const struct hf_names *names, uint32_t number, struct whole_stem *w)
{
    if (number >= names->stems)
        return false;
    uint32_t block = number / HF_NAMES_STEM_BLOCK;
    size_t at = hf_le32(names->stem_index.data + (size_t)block * 4);
    w->length = 0;
    for (uint32_t i = block * HF_NAMES_STEM_BLOCK; i <= number; i++)
        if (!read_stem(names->stem_text, &at, names->forms.data[i] != 0, &w->stem) ||
            !add_rest(w))
            return false;
    return true;
}

/* Canonical prefix code: codes of one length are consecutive numbers, longer codes follow.
 * Returns the stem, or UINT32_MAX. */
static uint32_t read_code(const struct hf_names *names, struct hf_bit_reader *bits)
{
    uint64_t code = 0, first = 0, before = 0;
    if (names->stems == 1) /* the only stem needs no bits */
        return hf_le32(names->order.data);
    for (unsigned length = 1; length <= HF_NAMES_CODE_MAX; length++) {
        uint64_t here = hf_le32(names->lengths.data + (length - 1) * 4);
        code = code << 1 | hf_get_bits(bits, 1);
        first <<= 1;
        if (bits->failed)
            return UINT32_MAX;
        if (code >= first && code - first < here) {
            uint64_t rank = before + (code - first);
            return rank < names->stems ? hf_le32(names->order.data + rank * 4) : UINT32_MAX;
        }
        first += here;
        before += here;
    }
    return UINT32_MAX;
}

bool hf_names_get(const struct hf_names *names, uint32_t number, struct hf_buffer *out,
                  uint32_t *source)
{
    if (number >= names->count)
        return false;
    uint32_t block = number / HF_NAMES_BLOCK, stem = 0;
    struct hf_bit_reader bits = {.in = names->stream};
    bits.at = (uint64_t)hf_le32(names->index.data + (size_t)block * 4) * 8;
    bits.failed = bits.at > (uint64_t)names->stream.len * 8;
    uint64_t value = 0;
    for (uint32_t i = block * HF_NAMES_BLOCK; i <= number; i++) {
        stem = read_code(names, &bits);
        if (stem >= names->stems || width_of(names, stem) > 64)
            return false;
        value = hf_get_bits(&bits, width_of(names, stem));
    }
    struct whole_stem w;
    if (bits.failed || !find_stem(names, stem, &w))
        return false;
    hf_buffer_add(out, w.before, w.length);
    if (w.stem.numbered)
        hf_buffer_format(out, "%llu", (unsigned long long)(w.stem.base + value));
    hf_buffer_bytes(out, w.stem.after);
    if (source != NULL)
        *source = w.stem.source > UINT32_MAX ? UINT32_MAX : (uint32_t)w.stem.source;
    return !out->failed;
}

static enum hf_status expand_stems(struct hf_names_walk *walk)
{
    const struct hf_names *names = walk->names;
    struct whole_stem w = {.length = 0};
    size_t at = 0;
    for (uint32_t i = 0; i < names->stems; i++) {
        if (i % HF_NAMES_STEM_BLOCK == 0)
            w.length = 0;
        if (!read_stem(names->stem_text, &at, names->forms.data[i] != 0, &w.stem) ||
            !add_rest(&w) || width_of(names, i) > 64 || w.stem.source > UINT32_MAX)
            return HF_MALFORMED;
        walk->stems[i] = (struct hf_walk_stem){
            .before = hf_arena_copy(walk->arena, hf_bytes_of(w.before, w.length)),
            .after = w.stem.after,
            .base = w.stem.base,
            .source = (uint32_t)w.stem.source,
            .numbered = w.stem.numbered,
        };
        if (walk->stems[i].before.data == NULL)
            return HF_NOMEM;
    }
    return HF_OK;
}

enum hf_status hf_names_walk_begin(struct hf_names_walk *walk, const struct hf_names *names)
{
    *walk = (struct hf_names_walk){.names = names, .bits.in = names->stream};
    walk->arena = hf_arena_new(SIZE_MAX / 2);
    if (walk->arena == NULL)
        return HF_NOMEM;
    walk->stems =
        hf_arena_array(walk->arena, (size_t)names->stems + 1, sizeof *walk->stems);
    return walk->stems == NULL ? HF_NOMEM : expand_stems(walk);
}

void hf_names_walk_done(struct hf_names_walk *walk)
{
    hf_arena_free(walk->arena);
    *walk = (struct hf_names_walk){0};
}

bool hf_names_walk_next(struct hf_names_walk *walk, struct hf_name_parts *parts,
                        uint32_t *source)
{
    const struct hf_names *names = walk->names;
    if (walk->number >= names->count)
        return false;
    if (walk->number++ % HF_NAMES_BLOCK == 0)
        walk->bits.at = (walk->bits.at + 7) / 8 * 8;
    uint32_t number = read_code(names, &walk->bits);
    if (number >= names->stems)
        return false;
    const struct hf_walk_stem *stem = &walk->stems[number];
    *parts = (struct hf_name_parts){.before = stem->before,
                                    .after = stem->after,
                                    .numbered = stem->numbered,
                                    .number = stem->base};
    if (stem->numbered)
        parts->number += hf_get_bits(&walk->bits, width_of(names, number));
    *source = stem->source;
    return !walk->bits.failed;
}

void hf_name_join(const struct hf_name_parts *parts, struct hf_buffer *out)
{
    hf_buffer_bytes(out, parts->before);
    if (parts->numbered)
        hf_buffer_format(out, "%llu", (unsigned long long)parts->number);
    hf_buffer_bytes(out, parts->after);
}

static const char *check_stems(const struct hf_names *names, uint32_t sources)
{
    struct whole_stem w = {.length = 0};
    size_t at = 0;
    for (uint32_t i = 0; i < names->stems; i++) {
        if (i % HF_NAMES_STEM_BLOCK == 0) {
            w.length = 0;
            if (hf_le32(names->stem_index.data + (size_t)i / HF_NAMES_STEM_BLOCK * 4) != at)
                return "stem index wrong";
        }
        if (!read_stem(names->stem_text, &at, names->forms.data[i] != 0, &w.stem) ||
            !add_rest(&w) || width_of(names, i) > 64)
            return "stem damaged";
        if (w.stem.source >= sources)
            return "stem of an unknown source";
    }
    return at == names->stem_text.len ? NULL : "bytes behind the stems";
}

static const char *check_codes(const struct hf_names *names)
{
    uint64_t stems = 0, space = 0; /* in units of the longest code */
    for (unsigned length = 1; length <= HF_NAMES_CODE_MAX; length++) {
        uint64_t n = hf_le32(names->lengths.data + (length - 1) * 4);
        stems += n;
        space += n << (HF_NAMES_CODE_MAX - length);
    }
    if (stems != names->stems || space > UINT64_C(1) << HF_NAMES_CODE_MAX)
        return "name codes are no prefix code";
    for (uint32_t i = 0; i < names->stems; i++)
        if (hf_le32(names->order.data + (size_t)i * 4) >= names->stems)
            return "name code of no stem";
    return NULL;
}

static const char *check_stream(const struct hf_names *names)
{
    struct hf_bit_reader bits = {.in = names->stream};
    for (uint32_t i = 0; i < names->count; i++) {
        if (i % HF_NAMES_BLOCK == 0) {
            bits.at = (bits.at + 7) / 8 * 8;
            if (hf_le32(names->index.data + (size_t)i / HF_NAMES_BLOCK * 4) != bits.at / 8)
                return "name index wrong";
        }
        uint32_t stem = read_code(names, &bits);
        if (stem >= names->stems)
            return "name damaged";
        (void)hf_get_bits(&bits, width_of(names, stem));
    }
    return !bits.failed && (bits.at + 7) / 8 == names->stream.len ? NULL : "names damaged";
}

const char *hf_names_check(const struct hf_names *names, uint32_t sources)
{
    const char *wrong = check_codes(names);
    if (wrong == NULL)
        wrong = check_stems(names, sources);
    return wrong != NULL ? wrong : check_stream(names);
}
