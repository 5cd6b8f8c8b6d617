#include "format/elf.h"

#include "format/elf_internal.h"

const struct hf_elf_sizes *hf_elf_sizes(const struct hf_elf_header *h)
{
    static const struct hf_elf_sizes sizes32 = {52, 40, 32, 8, 16, 4};
    static const struct hf_elf_sizes sizes64 = {64, 64, 56, 16, 24, 8};
    return h->bits == 64 ? &sizes64 : &sizes32;
}

uint16_t hf_elf_half(struct hf_cursor *c, const struct hf_elf_header *h)
{
    return h->big ? hf_u16be(c) : hf_u16le(c);
}

uint32_t hf_elf_u32(struct hf_cursor *c, const struct hf_elf_header *h)
{
    return h->big ? hf_u32be(c) : hf_u32le(c);
}

uint64_t hf_elf_word(struct hf_cursor *c, const struct hf_elf_header *h)
{
    if (h->bits == 32)
        return hf_elf_u32(c, h);
    return h->big ? hf_u64be(c) : hf_u64le(c);
}

/* [gABI "ELF Header"] */
void hf_elf_read_header(const struct hf_cursor *file, struct hf_elf_header *h)
{
    struct hf_cursor c = hf_cursor_at(file, 7);
    h->os_abi = hf_u8(&c);
    h->abi_version = hf_u8(&c);
    hf_skip(&c, 7);
    h->type = hf_elf_half(&c, h);
    h->machine = hf_elf_half(&c, h);
    h->version = hf_elf_u32(&c, h);
    h->entry = hf_elf_word(&c, h);
    h->ph_offset = hf_elf_word(&c, h);
    h->sh_offset = hf_elf_word(&c, h);
    h->flags = hf_elf_u32(&c, h);
    h->header_size = hf_elf_half(&c, h);
    h->ph_entry_size = hf_elf_half(&c, h);
    h->ph_count = hf_elf_half(&c, h);
    h->sh_entry_size = hf_elf_half(&c, h);
    h->sh_count = hf_elf_half(&c, h);
    h->names_index = hf_elf_half(&c, h);
}

/* YARA wants a class and an order that exist, and at least one byte behind the header. */
static enum hf_status open_header(const struct hf_cursor *file, struct hf_elf_header *h)
{
    struct hf_cursor c = hf_cursor_at(file, 4);
    uint8_t class = hf_u8(&c), order = hf_u8(&c);
    struct hf_cursor start = hf_cursor_at(file, 0);
    if (!hf_peek_equal(&start, "\177ELF", 4) || (class != 1 && class != 2) ||
        (order != 1 && order != 2))
        return HF_NOTFOUND;
    h->bits = class == 2 ? 64 : 32;
    h->big = order == 2;
    if (file->len <= hf_elf_sizes(h)->header)
        return HF_NOTFOUND;
    hf_elf_read_header(file, h);
    return HF_OK;
}

/* [gABI "Section Header"] */
struct hf_elf_section hf_elf_read_section(struct hf_cursor *c,
                                          const struct hf_elf_header *h)
{
    struct hf_elf_section s = {.name_index = hf_elf_u32(c, h)};
    s.type = hf_elf_u32(c, h);
    s.flags = hf_elf_word(c, h);
    s.address = hf_elf_word(c, h);
    s.offset = hf_elf_word(c, h);
    s.size = hf_elf_word(c, h);
    s.link = hf_elf_u32(c, h);
    s.info = hf_elf_u32(c, h);
    s.alignment = hf_elf_word(c, h);
    s.entry_size = hf_elf_word(c, h);
    return s;
}

/* [gABI "Program Header"]: the flags moved between the classes. */
struct hf_elf_segment hf_elf_read_segment(struct hf_cursor *c,
                                          const struct hf_elf_header *h)
{
    struct hf_elf_segment s = {.type = hf_elf_u32(c, h)};
    if (h->bits == 64)
        s.flags = hf_elf_u32(c, h);
    s.offset = hf_elf_word(c, h);
    s.virtual_address = hf_elf_word(c, h);
    s.physical_address = hf_elf_word(c, h);
    s.file_size = hf_elf_word(c, h);
    s.memory_size = hf_elf_word(c, h);
    if (h->bits == 32)
        s.flags = hf_elf_u32(c, h);
    s.alignment = hf_elf_word(c, h);
    return s;
}

struct hf_elf_dynamic hf_elf_read_dynamic(struct hf_cursor *c,
                                          const struct hf_elf_header *h)
{
    struct hf_elf_dynamic d = {.type = hf_elf_word(c, h)};
    d.value = hf_elf_word(c, h);
    return d;
}

struct hf_bytes hf_elf_string(const struct hf_cursor *table, uint32_t index)
{
    struct hf_bytes none = {0};
    struct hf_cursor c = hf_cursor_at(table, index);
    bool found;
    if (index > INT32_MAX || !hf_peek_equal(table, "", 1) || hf_cursor_left(&c) == 0)
        return none;
    struct hf_bytes s = hf_take_until(&c, 0, SIZE_MAX, &found);
    return found ? s : none;
}

/* The names' table runs from the section's offset to the end of the file: YARA looks at neither
 * its type nor its size. Offset 0, or past the end: no names. */
static void name_sections(const struct hf_cursor *file, const struct hf_elf_header *h,
                          struct hf_elf_section *sections)
{
    uint64_t table = sections[h->names_index].offset;
    if (table == 0 || table >= file->len)
        return;
    struct hf_cursor names = hf_cursor_clip(file, table, UINT64_MAX);
    for (uint16_t i = 0; i < h->sh_count; i++)
        if (sections[i].name_index < file->len)
            sections[i].name = hf_elf_string(&names, sections[i].name_index);
}

/* A table that YARA reads lies wholly in the file, at the class's entry size whatever the
 * header says, and starts inside the file even when it is empty. */
static bool table_inside(const struct hf_cursor *file, uint64_t offset, uint16_t count,
                         uint8_t entry_size)
{
    return offset < file->len && (uint64_t)count * entry_size <= file->len - offset;
}

static enum hf_status read_sections(struct hf_facts *facts, struct hf_elf *elf)
{
    const struct hf_elf_header *h = &elf->header;
    const struct hf_elf_sizes *sizes = hf_elf_sizes(h);
    if (h->sh_count >= HF_ELF_SHN_LORESERVE || h->names_index >= h->sh_count ||
        !table_inside(&facts->object, h->sh_offset, h->sh_count, sizes->section))
        return h->sh_count == 0 ? HF_OK : HF_MALFORMED;
    struct hf_cursor c = hf_cursor_at(&facts->object, h->sh_offset);
    struct hf_elf_section *s = hf_arena_array(facts->arena, h->sh_count, sizeof *s);
    if (s == NULL)
        return HF_NOMEM;
    if (!hf_cursor_charge(&c, h->sh_count))
        return HF_LIMIT;
    for (uint16_t i = 0; i < h->sh_count; i++)
        s[i] = hf_elf_read_section(&c, h);
    name_sections(&facts->object, h, s);
    elf->sections = (struct hf_fact_list){s, h->sh_count};
    return HF_OK;
}

static enum hf_status read_segments(struct hf_facts *facts, struct hf_elf *elf)
{
    const struct hf_elf_header *h = &elf->header;
    const struct hf_elf_sizes *sizes = hf_elf_sizes(h);
    if (h->ph_count == 0)
        return HF_OK;
    if (h->ph_count >= HF_ELF_PN_XNUM ||
        !table_inside(&facts->object, h->ph_offset, h->ph_count, sizes->segment))
        return HF_MALFORMED;
    struct hf_cursor c = hf_cursor_at(&facts->object, h->ph_offset);
    struct hf_elf_segment *s = hf_arena_array(facts->arena, h->ph_count, sizeof *s);
    if (s == NULL)
        return HF_NOMEM;
    if (!hf_cursor_charge(&c, h->ph_count))
        return HF_LIMIT;
    for (uint16_t i = 0; i < h->ph_count; i++)
        s[i] = hf_elf_read_segment(&c, h);
    elf->segments = (struct hf_fact_list){s, h->ph_count};
    return HF_OK;
}

/* How many entries a dynamic table has: up to and with its null entry, or to the end of the
 * file, for neither YARA nor anybody else believes the segment's size. */
static enum hf_status count_dynamic(struct hf_cursor c, const struct hf_elf_header *h,
                                    size_t *count)
{
    *count = 0;
    size_t size = hf_elf_sizes(h)->dynamic;
    while (hf_cursor_left(&c) >= size) {
        if (!hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        ++*count;
        if (hf_elf_read_dynamic(&c, h).type == 0)
            break;
    }
    return HF_OK;
}

/* The entries of every PT_DYNAMIC segment, each written over the one before, as YARA does: the
 * last one gives the count, and a longer earlier one shows behind its end. */
static enum hf_status read_dynamic(struct hf_facts *facts, struct hf_elf *elf)
{
    const struct hf_elf_header *h = &elf->header;
    const struct hf_elf_segment *segments = elf->segments.items;
    struct hf_elf_dynamic *entries = NULL;
    size_t room = 0;
    for (size_t i = 0; i < elf->segments.count; i++) {
        if (segments[i].type != HF_ELF_PT_DYNAMIC)
            continue;
        size_t count;
        struct hf_cursor c = hf_cursor_at(&facts->object, segments[i].offset);
        enum hf_status st = count_dynamic(c, h, &count);
        if (st != HF_OK)
            return st;
        if (count > room) {
            struct hf_elf_dynamic *more = hf_arena_array(facts->arena, count, sizeof *more);
            if (more == NULL)
                return HF_NOMEM;
            entries = more; /* all of the shorter table is written over below */
            room = count;
        }
        for (size_t k = 0; k < count; k++)
            entries[k] = hf_elf_read_dynamic(&c, h);
        elf->dynamic = (struct hf_fact_list){entries, room};
        elf->dynamic_entries = hf_optional_of((int64_t)count);
    }
    return HF_OK;
}

/* The first thing that went wrong. */
static enum hf_status first_of(enum hf_status a, enum hf_status b)
{
    return a != HF_OK ? a : b;
}

enum hf_status hf_elf_parse_headers(struct hf_facts *facts, struct hf_elf *elf)
{
    enum hf_status st = open_header(&facts->object, &elf->header);
    if (st != HF_OK)
        return st;
    elf->entry_point = hf_elf_entry_yara(&facts->object, &elf->header);
    st = read_sections(facts, elf);
    st = first_of(st, read_segments(facts, elf));
    return first_of(st, read_dynamic(facts, elf));
}
