/* The resource tree: type, then name, then language, then data. [PE "The .rsrc Section"] */
#include "format/pe_internal.h"

enum {
    DIRECTORY_SIZE = 16,
    ENTRY_SIZE = 8,
    DATA_SIZE = 16,
    ENTRIES_MAX = 32768, /* of each kind in a directory; YARA skips those that claim more */
    LEVELS = 3,
    LEAF_MAX = 0x3fffffff, /* larger sizes are noise to YARA 4.5 */
    TYPE_ICON = 3,
    TYPE_VERSION = 16
};
static const uint32_t HIGH_BIT = 0x80000000U;

/* What the path so far says of one level. */
struct label {
    struct hf_optional
        number;           /* what the entry has there, also when it is a string's place */
    struct hf_bytes text; /* data NULL: by number */
};

struct reader {
    const struct hf_cursor *file;
    struct hf_arena *arena;
    struct hf_pe *pe;
    const struct hf_pe_yara_rules *rules;
    uint64_t base; /* of the tree in the file */
    struct label path[LEVELS];
    struct pe_list resources, strings;
    uint32_t nodes; /* entries looked at */
    bool damaged;   /* something lies outside the file */
    enum hf_status status;
};

/* ---- leaves ---- */

static void apply(const struct reader *r, unsigned level, struct hf_optional *number,
                  struct hf_bytes *text)
{
    const struct label *label = &r->path[level];
    if (label->text.data != NULL)
        *text = label->text;
    else if (label->number.value != -1 || !r->rules->strict_resources)
        *number = label->number;
}

static void add_resource(struct reader *r, uint32_t rva, uint32_t length)
{
    struct hf_pe_resource *e = pe_list_add(&r->resources, r->arena);
    if (e == NULL) {
        r->status = HF_NOMEM;
        return;
    }
    e->rva = rva;
    e->length = length;
    int64_t at = hf_pe_yara_offset(r->pe, rva);
    if (at >= 0)
        e->offset = hf_optional_of(at);
    apply(r, 0, &e->type, &e->type_string);
    apply(r, 1, &e->id, &e->name_string);
    apply(r, 2, &e->language, &e->language_string);
    if (r->path[0].number.value != TYPE_VERSION || at < 0)
        return;
    enum hf_status st =
        pe_read_version(r->file, r->arena, r->pe, (uint64_t)at, &r->strings);
    if (st == HF_NOMEM || st == HF_LIMIT)
        r->status = st;
}

/* ---- the tree ---- */

/* The string that an entry's name points to; data NULL: it is a number, or not in the file. */
static struct hf_bytes entry_text(const struct reader *r, uint32_t name)
{
    if ((name & HIGH_BIT) == 0)
        return (struct hf_bytes){0};
    struct hf_cursor c = hf_cursor_at(r->file, r->base + (name & ~HIGH_BIT));
    uint16_t units = hf_u16le(&c);
    if (units > r->rules->resource_name_max)
        return (struct hf_bytes){0};
    return hf_take(&c, 2 * (uint64_t)units);
}

static uint32_t entry_count(struct hf_cursor *c)
{
    uint32_t reserved = hf_u32le(c);
    hf_skip(c, 8);
    uint16_t named = hf_u16le(c), numbered = hf_u16le(c);
    if (reserved != 0 || named > ENTRIES_MAX || numbered > ENTRIES_MAX)
        return 0;
    return (uint32_t)named + numbered;
}

static bool may_go_on(struct reader *r, struct hf_cursor *c)
{
    if (r->nodes >= HF_PE_NODES_MAX || r->resources.count >= r->rules->resources_max ||
        !hf_cursor_charge(c, 1))
        r->status = HF_LIMIT;
    r->nodes++;
    return r->status == HF_OK;
}

/* Where something is outside the file: 4.2 ends the walk there, 4.5 goes on behind it. */
static bool outside(struct reader *r)
{
    r->damaged = true;
    return r->rules->strict_resources;
}

/* The data entry that a leaf points to. */
static bool read_leaf(struct reader *r, uint64_t at)
{
    struct hf_cursor data = hf_cursor_at(r->file, at);
    if (hf_cursor_left(&data) < DATA_SIZE)
        return outside(r);
    uint32_t rva = hf_u32le(&data), length = hf_u32le(&data);
    if (!r->rules->strict_resources || (length > 0 && length <= LEAF_MAX))
        add_resource(r, rva, length);
    return r->status == HF_OK;
}

/* One directory and what is below it; false ends the whole walk. Depth is LEVELS at most, so the
 * recursion is bounded. */
static bool read_directory(struct reader *r, uint64_t offset, unsigned level)
{
    struct hf_cursor c = hf_cursor_at(r->file, offset);
    if (hf_cursor_left(&c) < DIRECTORY_SIZE)
        return outside(r);
    uint32_t count = entry_count(&c);
    if (r->rules->strict_resources && hf_cursor_left(&c) / ENTRY_SIZE < count)
        return outside(r);
    for (uint32_t i = 0; i < count; i++) {
        if (hf_cursor_left(&c) < ENTRY_SIZE)
            return outside(r);
        if (!may_go_on(r, &c))
            return false;
        uint32_t name = hf_u32le(&c), target = hf_u32le(&c);
        if (target == 0 && r->rules->strict_resources)
            break; /* 4.5 does not get past such an entry */
        uint64_t at = r->base + (target & ~HIGH_BIT);
        r->path[level].number = hf_optional_of((int32_t)name);
        r->path[level].text = entry_text(r, name);
        bool deeper = (target & HIGH_BIT) != 0 && level + 1 < LEVELS;
        if (deeper ? !read_directory(r, at, level + 1) : !read_leaf(r, at))
            return false;
        if (deeper)
            r->path[level + 1].text = (struct hf_bytes){0}; /* numbers linger, as in YARA */
    }
    return true;
}

/* ---- icons ---- */

/* Size and colours of a picture from its header. [PE "Icons": BITMAPINFOHEADER; PNG, IHDR] */
static void read_icon(const struct hf_cursor *file, struct hf_pe_icon *icon)
{
    struct hf_cursor c = hf_cursor_at(file, icon->offset);
    icon->png = hf_peek_equal(&c, "\x89PNG\r\n\x1a\n", 8);
    if (icon->png) {
        hf_skip(&c, 16);
        icon->width = hf_u32be(&c);
        icon->height = hf_u32be(&c);
        icon->bits = hf_u8(&c);
        return;
    }
    hf_skip(&c, 4);
    icon->width = hf_u32le(&c);
    icon->height = hf_u32le(&c) / 2;
    hf_skip(&c, 2);
    icon->bits = hf_u16le(&c);
}

static enum hf_status collect_icons(const struct reader *r)
{
    const struct hf_pe_resource *e = r->resources.items;
    struct pe_list icons = {.size = sizeof(struct hf_pe_icon)};
    for (size_t i = 0; i < r->resources.count; i++) {
        if (!e[i].type.defined || e[i].type.value != TYPE_ICON || !e[i].offset.defined)
            continue;
        uint64_t offset = (uint64_t)e[i].offset.value;
        if (e[i].length > r->pe->file_size - offset)
            continue; /* no whole picture there */
        struct hf_pe_icon *icon = pe_list_add(&icons, r->arena);
        if (icon == NULL)
            return HF_NOMEM;
        icon->id = e[i].id;
        icon->language = e[i].language;
        icon->offset = offset;
        icon->length = e[i].length;
        read_icon(r->file, icon);
    }
    r->pe->icons = pe_list_done(&icons);
    return HF_OK;
}

enum hf_status hf_pe_read_resources(const struct hf_cursor *file, struct hf_arena *arena,
                                    struct hf_pe *pe)
{
    const struct hf_pe_directory *dir = hf_pe_directory(pe, HF_PE_DIR_RESOURCE);
    if (dir == NULL || dir->rva == 0)
        return HF_OK;
    struct hf_cursor c = pe_cursor_at_rva(file, pe, dir->rva);
    if (hf_cursor_left(&c) < DIRECTORY_SIZE)
        return HF_OK;
    struct reader r = {
        .file = file,
        .arena = arena,
        .pe = pe,
        .rules = hf_pe_yara_rules(pe),
        .base = c.pos,
        .resources = {.size = sizeof(struct hf_pe_resource)},
        .strings = {.size = sizeof(struct hf_pe_version_string)},
        .status = HF_OK,
    };
    for (unsigned i = 0; i < LEVELS; i++)
        r.path[i].number = hf_optional_of(-1); /* a level that is missing */
    hf_skip(&c, 4);
    pe->resource_timestamp = hf_optional_of(hf_u32le(&c));
    pe->resource_version.major = hf_optional_of(hf_u16le(&c));
    pe->resource_version.minor = hf_optional_of(hf_u16le(&c));
    (void)read_directory(&r, r.base, 0);
    pe->resources = pe_list_done(&r.resources);
    pe->resource_count = (uint32_t)r.resources.count;
    pe->version_strings = pe_list_done(&r.strings);
    pe->version_count = (uint32_t)r.strings.count;
    if (r.status == HF_OK)
        r.status = collect_icons(&r);
    return pe_status(file, r.status == HF_OK && r.damaged ? HF_TRUNCATED : r.status);
}
