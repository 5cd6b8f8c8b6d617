#include "unpack/decoders.h"
#include "unpack/padding.h"
#include "unpack/pusher.h"

/*
 * cpio in its four layouts, told apart header by header, for images of early user space join
 * several. Behind the trailer may stand another archive, or (in those images) a compressed one: it
 * becomes a child of its own. [cpio(5) of libarchive]
 */
struct entry {
    struct hf_bytes name;
    uint64_t size;
    uint32_t mode;
};

struct layout {
    uint8_t magic[6];
    uint8_t magic_size;
    uint8_t align; /* of the data behind the name, and of the next header */
    bool (*read)(struct hf_cursor *c, struct entry *e, uint64_t *name_size);
};

enum { TYPE = 0170000, REGULAR = 0100000, NAME_MAX_SANE = 64 * 1024 };

/* A number in fixed-width octal or hexadecimal text; false when there is any other character. */
static bool read_digits(struct hf_cursor *c, size_t width, unsigned bits, uint64_t *value)
{
    *value = 0;
    bool good = true;
    for (size_t i = 0; i < width; i++) {
        uint8_t d = hf_u8(c);
        unsigned digit = d >= '0' && d <= '9'   ? d - '0'
                         : d >= 'a' && d <= 'f' ? d - 'a' + 10
                         : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                                : 99;
        good = good && digit < 1u << bits;
        *value = *value << bits | (digit & ((1u << bits) - 1));
    }
    return good;
}

/* Mode, name size and file size among fields of text of the given widths. */
static bool read_text(struct hf_cursor *c, const uint8_t *widths, size_t count,
                      unsigned bits, const size_t places[3], struct entry *e,
                      uint64_t *name_size)
{
    uint64_t values[16] = {0};
    bool good = true;
    for (size_t i = 0; i < count; i++)
        good = read_digits(c, widths[i], bits, &values[i]) && good;
    e->mode = (uint32_t)values[places[0]];
    *name_size = values[places[1]];
    e->size = values[places[2]];
    return good;
}

static bool read_new(struct hf_cursor *c, struct entry *e, uint64_t *name_size)
{
    static const uint8_t widths[13] = {8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8};
    return read_text(c, widths, sizeof widths, 4, (const size_t[]){1, 11, 6}, e, name_size);
}

static bool read_odc(struct hf_cursor *c, struct entry *e, uint64_t *name_size)
{
    static const uint8_t widths[10] = {6, 6, 6, 6, 6, 6, 6, 11, 6, 11};
    return read_text(c, widths, sizeof widths, 3, (const size_t[]){2, 8, 9}, e, name_size);
}

static bool read_old(struct hf_cursor *c, struct entry *e, uint64_t *name_size, bool big)
{
    hf_skip(c, 4); /* device, inode */
    e->mode = (uint32_t)hf_uint(c, 2, big);
    hf_skip(c, 12); /* owner, group, links, device, time */
    *name_size = hf_uint(c, 2, big);
    uint64_t high = hf_uint(c, 2, big); /* the high half first, whatever the byte order */
    e->size = high << 16 | hf_uint(c, 2, big);
    return true;
}

static bool read_old_little(struct hf_cursor *c, struct entry *e, uint64_t *name_size)
{
    return read_old(c, e, name_size, false);
}

static bool read_old_big(struct hf_cursor *c, struct entry *e, uint64_t *name_size)
{
    return read_old(c, e, name_size, true);
}

static const struct layout layouts[] = {
    {"070701", 6, 4, read_new},         {"070702", 6, 4, read_new}, /* with a checksum */
    {"070707", 6, 1, read_odc},         {{0xc7, 0x71}, 2, 2, read_old_little},
    {{0x71, 0xc7}, 2, 2, read_old_big},
};

static const struct layout *find_layout(const struct hf_cursor *c)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (hf_peek_equal(c, layouts[i].magic, layouts[i].magic_size))
            return &layouts[i];
    return NULL;
}

/* Paddings count from the start of the archive, which is where `base` stands. */
static void align(struct hf_cursor *c, const struct layout *layout, uint64_t base)
{
    uint64_t over = (c->pos - base) % layout->align;
    uint64_t skip = over == 0 ? 0 : layout->align - over;
    hf_skip(c, skip < hf_cursor_left(c) ? skip : hf_cursor_left(c));
}

/* The header that c stands at, its name, and the padding up to the data. HF_TRUNCATED, or
 * HF_MALFORMED when it is not what its magic says. */
static enum hf_status read_header(struct hf_cursor *c, const struct layout *layout,
                                  uint64_t base, struct entry *e)
{
    uint64_t name_size = 0;
    hf_skip(c, layout->magic_size);
    bool good = layout->read(c, e, &name_size);
    if (c->failed)
        return HF_TRUNCATED;
    if (!good || name_size == 0 || name_size > NAME_MAX_SANE)
        return HF_MALFORMED;
    e->name = hf_take(c, name_size);
    if (c->failed)
        return HF_TRUNCATED;
    const uint8_t *nul = memchr(e->name.data, 0, e->name.len);
    if (nul != NULL)
        e->name.len = (size_t)(nul - e->name.data);
    align(c, layout, base);
    return HF_OK;
}

struct cpio {
    struct hf_unpack *unpack;
    struct hf_pusher out;
    struct hf_cursor c;
    uint64_t base; /* start of the archive, of several */
    bool found;
    bool ended; /* the last header was a trailer */
    enum hf_status how;
};

static enum hf_status push(struct cpio *p, struct hf_child *child, uint64_t size)
{
    child->offset = p->c.pos;
    child->packed = child->declared = size;
    child->crc = HF_UNKNOWN;
    struct hf_cursor data = hf_cursor_clip(&p->c, p->c.pos, size);
    bool cut = data.len < size;
    if (cut)
        p->how = HF_TRUNCATED;
    hf_skip(&p->c, data.len);
    return hf_pusher_whole(&p->out, *child, hf_take_rest(&data),
                           cut ? HF_TRUNCATED : HF_OK);
}

/* Zeros fill the archive's last block. Whether something is behind them. */
static bool skip_padding(struct hf_cursor *c)
{
    return hf_skip_zeros(c) && hf_cursor_left(c) > 0;
}

/* Behind a trailer: another archive, or something else that is worth a look. */
static enum hf_status follow_trailer(struct cpio *p)
{
    if (!skip_padding(&p->c))
        return hf_cursor_status(&p->c) == HF_LIMIT ? HF_LIMIT : HF_OK;
    p->base = p->c.pos;
    if (find_layout(&p->c) != NULL)
        return HF_OK;
    hf_note(p->unpack->notes, p->c.pos, "data behind the archive");
    struct hf_child rest = {.is_file = true};
    return push(p, &rest, hf_cursor_left(&p->c));
}

/* A damaged header: the next place that has the magic of text headers. The two bytes of the old
 * layouts are too common to look for. */
static bool resynchronise(struct cpio *p, const struct layout *layout)
{
    p->how = HF_MALFORMED;
    if (layout == NULL || layout->magic_size < 6)
        return false;
    struct hf_cursor from = hf_cursor_at(&p->c, p->c.pos + 1);
    size_t at = hf_find(&from, layout->magic, layout->magic_size, UINT64_MAX);
    if (at == SIZE_MAX)
        return false;
    hf_note(p->unpack->notes, p->c.pos, "no header here; the next is at %zu", at);
    hf_seek(&p->c, at);
    p->base = at;
    return true;
}

static enum hf_status push_entry(struct cpio *p, const struct layout *layout,
                                 const struct entry *e)
{
    p->found = true;
    p->ended = e->size == 0 && hf_bytes_equal(e->name, hf_bytes_text("TRAILER!!!"));
    if (p->ended)
        return follow_trailer(p);
    bool is_file = (e->mode & TYPE) == REGULAR;
    if (!is_file && e->size == 0)
        return HF_OK;
    struct hf_child child = {.name = e->name, .is_file = is_file};
    enum hf_status st = push(p, &child, e->size);
    if (st == HF_OK)
        align(&p->c, layout, p->base);
    return st;
}

enum hf_status hf_unpack_cpio(struct hf_unpack *unpack)
{
    struct cpio p = {.unpack = unpack,
                     .out = hf_pusher_of(unpack),
                     .c = hf_cursor_at(&unpack->object, 0),
                     .how = HF_OK};
    const struct layout *last = NULL;
    while (hf_cursor_left(&p.c) > 0 && hf_cursor_charge(&p.c, 1)) {
        const struct layout *layout = find_layout(&p.c);
        struct hf_cursor header = p.c;
        struct entry e = {0};
        enum hf_status st =
            layout == NULL ? HF_MALFORMED : read_header(&header, layout, p.base, &e);
        if (st == HF_OK) {
            last = layout;
            p.c = header;
            st = push_entry(&p, layout, &e);
            if (st != HF_OK)
                return st;
            continue;
        }
        if (st == HF_TRUNCATED)
            p.how = HF_TRUNCATED;
        if (st == HF_TRUNCATED || !p.found || !resynchronise(&p, last))
            break;
    }
    if (hf_cursor_status(&p.c) == HF_LIMIT)
        return HF_LIMIT;
    if (p.how == HF_OK && !p.ended)
        p.how = HF_TRUNCATED;
    return p.found ? p.how : HF_NOTFOUND;
}
