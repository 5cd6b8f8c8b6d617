/* xar, the archives of macOS installers (.pkg): a header, a table of contents in compressed XML,
 * and a heap. [xar 1.x; "xar(1)"] Of the XML only what locates files is read, by a bounded scan
 * for tags: no entities, no namespaces, no library. The table is a child too, for the scripts and
 * signatures that it may hold. */
#include "base/auto.h"
#include "unpack/codec.h"
#include "unpack/decoders.h"

enum {
    HEADER_LEN = 28,
    TOC_MAX = 64 << 20,
    DEPTH_MAX = 64,      /* files inside files */
    TAG_MAX = 4096,      /* characters of one tag */
    INFLATE_RATIO = 1032 /* deflate cannot do better */
};

/* A <file>: its name and the file that it is in. */
struct entry {
    struct hf_bytes name;
    size_t parent; /* index + 1; 0: none */
};

/* A <data> or <ea>: where its bytes are. */
struct extent {
    size_t entry; /* index + 1; 0: none */
    uint64_t offset, length, size;
    struct hf_bytes style; /* of its <encoding> */
    bool has_offset, has_length;
};

struct toc {
    struct hf_arena *arena;
    struct hf_cursor xml;
    struct entry *entries;
    struct extent *extents;
    size_t nentries, nextents;
    size_t open[DEPTH_MAX]; /* the files that we are in, outermost first: index + 1 */
    size_t depth;
    bool in_extent;
    struct extent extent; /* being read */
};

struct tag {
    struct hf_bytes name, attributes;
    bool is_end, is_empty;
};

static bool is_tag(const struct tag *tag, const char *name)
{
    return hf_bytes_equal(tag->name, hf_bytes_text(name));
}

/* Split what stands between < and >. */
static struct tag tag_of(struct hf_bytes text)
{
    struct tag tag = {0};
    if (text.len > 0 && text.data[0] == '/') {
        tag.is_end = true;
        text = hf_bytes_of(text.data + 1, text.len - 1);
    } else if (text.len > 0 && text.data[text.len - 1] == '/') {
        tag.is_empty = true;
        text.len--;
    }
    size_t n = 0;
    while (n < text.len && text.data[n] > ' ')
        n++;
    tag.name = hf_bytes_of(text.data, n);
    tag.attributes = hf_bytes_of(text.data + n, text.len - n);
    return tag;
}

/* The next tag; the cursor stands behind it. False at the end. */
static bool next_tag(struct toc *toc, struct tag *tag)
{
    struct hf_cursor *xml = &toc->xml;
    for (;;) {
        bool found;
        (void)hf_take_until(xml, '<', SIZE_MAX, &found);
        if (!found || !hf_cursor_charge(xml, 1))
            return false;
        if (hf_peek_equal(xml, "!--", 3)) {
            size_t end = hf_find(xml, "-->", 3, UINT64_MAX);
            if (end == SIZE_MAX)
                return false;
            hf_seek(xml, end);
            continue;
        }
        struct hf_bytes text = hf_take_until(xml, '>', TAG_MAX, &found);
        if (!found)
            continue;
        *tag = tag_of(text);
        return true;
    }
}

/* The text up to the next tag. */
static struct hf_bytes text_of(struct toc *toc)
{
    struct hf_cursor c = toc->xml;
    bool found;
    struct hf_bytes text = hf_take_until(&c, '<', TAG_MAX, &found);
    return found ? text : (struct hf_bytes){0};
}

static bool read_number(struct toc *toc, uint64_t *value)
{
    struct hf_bytes text = text_of(toc);
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    while (hf_peek_equal(&c, " ", 1) || hf_peek_equal(&c, "\n", 1))
        hf_skip(&c, 1);
    bool any = false;
    *value = 0;
    while (hf_cursor_left(&c) > 0) {
        uint8_t digit = hf_u8(&c);
        if (digit < '0' || digit > '9')
            break;
        if (*value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (digit - '0');
        any = true;
    }
    return any;
}

/* The value of an attribute in either quotes. */
static struct hf_bytes attribute(const struct tag *tag, const char *name)
{
    struct hf_cursor c = hf_cursor_open(tag->attributes.data, tag->attributes.len, NULL);
    size_t at = hf_find(&c, name, strlen(name), UINT64_MAX);
    if (at == SIZE_MAX)
        return (struct hf_bytes){0};
    hf_seek(&c, at + strlen(name));
    while (hf_peek_equal(&c, " ", 1) || hf_peek_equal(&c, "=", 1))
        hf_skip(&c, 1);
    uint8_t quote = hf_u8(&c);
    return quote == '"' || quote == '\'' ? hf_take_until(&c, quote, TAG_MAX, NULL)
                                         : (struct hf_bytes){0};
}

static enum hf_status open_file(struct toc *toc)
{
    struct entry *more =
        hf_arena_grow(toc->arena, toc->entries, toc->nentries, sizeof *more);
    if (more == NULL)
        return HF_NOMEM;
    toc->entries = more;
    toc->entries[toc->nentries++].parent = toc->depth > 0 ? toc->open[toc->depth - 1] : 0;
    if (toc->depth == DEPTH_MAX)
        return HF_MALFORMED;
    toc->open[toc->depth++] = toc->nentries;
    return HF_OK;
}

static enum hf_status close_extent(struct toc *toc)
{
    toc->in_extent = false;
    if (!toc->extent.has_offset || !toc->extent.has_length)
        return HF_OK;
    struct extent *more =
        hf_arena_grow(toc->arena, toc->extents, toc->nextents, sizeof *more);
    if (more == NULL)
        return HF_NOMEM;
    toc->extents = more;
    toc->extents[toc->nextents++] = toc->extent;
    return HF_OK;
}

static void read_extent_field(struct toc *toc, const struct tag *tag)
{
    struct extent *e = &toc->extent;
    if (is_tag(tag, "offset"))
        e->has_offset = read_number(toc, &e->offset);
    else if (is_tag(tag, "length"))
        e->has_length = read_number(toc, &e->length);
    else if (is_tag(tag, "size") && !read_number(toc, &e->size))
        e->size = HF_UNKNOWN;
    else if (is_tag(tag, "encoding"))
        e->style = attribute(tag, "style");
}

static enum hf_status heed_tag(struct toc *toc, const struct tag *tag)
{
    bool extent = is_tag(tag, "data") || is_tag(tag, "ea");
    if (extent && tag->is_end)
        return toc->in_extent ? close_extent(toc) : HF_OK;
    if (tag->is_end) {
        if (is_tag(tag, "file") && toc->depth > 0)
            toc->depth--;
        return HF_OK;
    }
    if (extent && !tag->is_empty) {
        toc->in_extent = true;
        toc->extent = (struct extent){.size = HF_UNKNOWN};
        toc->extent.entry = toc->depth > 0 ? toc->open[toc->depth - 1] : 0;
    } else if (toc->in_extent) {
        read_extent_field(toc, tag);
    } else if (is_tag(tag, "file") && !tag->is_empty) {
        return open_file(toc);
    } else if (is_tag(tag, "name") && toc->depth > 0) {
        struct entry *e = &toc->entries[toc->open[toc->depth - 1] - 1];
        if (e->name.len == 0)
            e->name = text_of(toc);
    }
    return HF_OK;
}

static enum hf_status read_toc(struct toc *toc)
{
    struct tag tag;
    enum hf_status st = HF_OK;
    while (st == HF_OK && next_tag(toc, &tag))
        st = heed_tag(toc, &tag);
    return hf_cursor_status(&toc->xml) == HF_LIMIT ? HF_LIMIT : st;
}

/* The names of an entry and those it is in, joined by slashes. */
static struct hf_bytes path_of(const struct toc *toc, size_t entry)
{
    size_t len = 0;
    for (size_t e = entry; e != 0; e = toc->entries[e - 1].parent)
        len += toc->entries[e - 1].name.len + 1;
    uint8_t *path = len == 0 ? NULL : hf_arena_alloc(toc->arena, len);
    if (path == NULL)
        return (struct hf_bytes){0};
    size_t at = len;
    for (size_t e = entry; e != 0; e = toc->entries[e - 1].parent) {
        struct hf_bytes name = toc->entries[e - 1].name;
        path[--at] = '/';
        at -= name.len;
        if (name.len > 0)
            memcpy(path + at, name.data, name.len);
    }
    return hf_bytes_of(path, len - 1);
}

static const struct hf_codec *codec_of(const struct hf_cursor *data)
{
    /* By their bytes, not by the style: what is called gzip is zlib, and what is called lzma may
     * be xz. Stored data that looks like a stream is pushed as it is by its style. */
    static const struct hf_codec *const codecs[] = {&hf_codec_zlib, &hf_codec_bzip2,
                                                    &hf_codec_xz, &hf_codec_lzma};
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (codecs[i]->starts(data))
            return codecs[i];
    return NULL;
}

static bool is_stored(const struct extent *e)
{
    return e->style.len == 0 ||
           hf_bytes_equal(e->style, hf_bytes_text("application/octet-stream"));
}

/* A child that is one stream. */
static enum hf_status push_stream(struct hf_pusher *out, struct hf_codecs *codecs,
                                  const struct hf_codec *codec, struct hf_cursor in,
                                  struct hf_child child)
{
    hf_pusher_announce(out, child);
    struct hf_codec_hint hint = {.size = child.declared};
    enum hf_status how = hf_codec_run(codecs, codec, &in, hint, out);
    if (!hf_pusher_has_taker(out))
        return out->stop;
    enum hf_status st = hf_pusher_end(out, how);
    return st != HF_OK ? st : how;
}

static enum hf_status push_extent(struct hf_pusher *out, struct hf_codecs *codecs,
                                  const struct toc *toc, const struct hf_cursor *heap,
                                  const struct extent *e)
{
    struct hf_cursor data = hf_cursor_clip(heap, e->offset, e->length);
    enum hf_status cut = data.len < e->length ? HF_TRUNCATED : HF_OK;
    struct hf_child child = hf_child_unknown();
    child.name = path_of(toc, e->entry);
    child.packed = e->length;
    child.declared = e->size;
    child.offset = hf_cursor_where(&data);
    const struct hf_codec *codec = is_stored(e) ? NULL : codec_of(&data);
    enum hf_status st;
    if (codec != NULL) {
        st = push_stream(out, codecs, codec, data, child);
    } else {
        enum hf_status how = cut != HF_OK || is_stored(e) ? cut : HF_UNSUPPORTED;
        st = hf_pusher_whole(out, child, hf_take_rest(&data), how);
        st = st == HF_OK ? how : st;
    }
    return st == HF_OK ? cut : st;
}

static enum hf_status inflate_toc(struct hf_unpack *unpack, struct hf_codecs *codecs,
                                  struct hf_cursor packed, uint64_t declared,
                                  struct hf_bytes *xml)
{
    uint64_t most = packed.len < TOC_MAX / INFLATE_RATIO
                        ? (uint64_t)packed.len * INFLATE_RATIO + INFLATE_RATIO
                        : TOC_MAX;
    size_t len, room = (size_t)(declared < most ? declared : most);
    uint8_t *text = hf_arena_alloc(unpack->arena, room);
    if (text == NULL)
        return HF_NOMEM;
    enum hf_status st = hf_codec_fill(codecs, &hf_codec_zlib, &packed, text, room, &len);
    *xml = hf_bytes_of(text, len);
    return hf_budget_bytes(unpack->object.budget, len) ? st : HF_LIMIT;
}

static enum hf_status push_all(struct hf_unpack *unpack, struct hf_codecs *codecs,
                               struct toc *toc, struct hf_bytes xml,
                               const struct hf_cursor *heap)
{
    struct hf_pusher out = hf_pusher_of(unpack);
    struct hf_child child = hf_child_unknown();
    child.declared = xml.len;
    child.is_file = false;
    enum hf_status all = hf_pusher_begin(&out, child);
    if (all == HF_OK)
        all = hf_pusher_push(&out, xml.data, xml.len);
    if (all == HF_OK)
        all = hf_pusher_end(&out, HF_OK);
    for (size_t i = 0; i < toc->nextents && out.stop == HF_OK; i++) {
        if (!hf_budget_work(unpack->object.budget, 1))
            return HF_LIMIT;
        enum hf_status st = push_extent(&out, codecs, toc, heap, &toc->extents[i]);
        if (st == HF_LIMIT)
            return st;
        all = all == HF_OK ? st : all;
    }
    return out.stop != HF_OK ? out.stop : all;
}

enum hf_status hf_unpack_xar(struct hf_unpack *unpack)
{
    struct hf_cursor c = hf_cursor_clip(&unpack->object, unpack->object.pos, UINT64_MAX);
    struct hf_cursor header = hf_cursor_at(&c, 4);
    if (!hf_peek_equal(&c, "xar!", 4))
        return HF_NOTFOUND;
    uint16_t header_len = hf_u16be(&header);
    hf_skip(&header, 2); /* version */
    uint64_t packed = hf_u64be(&header), declared = hf_u64be(&header);
    if (hf_cursor_status(&header) != HF_OK || header_len < HEADER_LEN)
        return header_len < HEADER_LEN && !header.failed ? HF_MALFORMED : HF_TRUNCATED;
    struct hf_cursor toc_data = hf_cursor_clip(&c, header_len, packed);
    struct hf_cursor heap = hf_cursor_clip(&c, header_len + toc_data.len, UINT64_MAX);
    HF_AUTO(hf_codecs_release)
    struct hf_codecs *codecs = hf_codecs_new(unpack->arena, unpack->object.len);
    if (codecs == NULL)
        return HF_NOMEM;
    struct hf_bytes xml = {0};
    enum hf_status read = inflate_toc(unpack, codecs, toc_data, declared, &xml);
    if (xml.len == 0 || read == HF_LIMIT || read == HF_NOMEM)
        return read == HF_OK ? HF_MALFORMED : read;
    struct toc toc = {.arena = unpack->arena};
    toc.xml = hf_cursor_open(xml.data, xml.len, unpack->object.budget);
    enum hf_status scan = read_toc(&toc);
    if (scan == HF_LIMIT || scan == HF_NOMEM)
        return scan;
    enum hf_status st = push_all(unpack, codecs, &toc, xml, &heap);
    return st != HF_OK ? st : read != HF_OK ? read : scan;
}
