#include "format/elf_internal.h"

/* What the kernel and the dynamic loader take from a file: nothing of it needs section headers,
 * so it is there in files that have been stripped of them. [gABI "Dynamic Linking"] */

enum {
    DT_NEEDED = 1,
    DT_HASH = 4,
    DT_STRTAB = 5,
    DT_SYMTAB = 6,
    DT_STRSZ = 10,
    DT_SONAME = 14,
    DT_RPATH = 15,
    DT_RUNPATH = 29,
    DT_LIMIT = 32,
    DT_GNU_HASH = 0x6ffffef5
};

/* The entries of the dynamic table that are looked at, by tag; the last of each counts. */
struct tags {
    bool has[DT_LIMIT];
    uint64_t value[DT_LIMIT];
    bool has_gnu_hash;
    uint64_t gnu_hash;
    uint64_t needed_count;
};

static const struct hf_elf_segment *find_segment(const struct hf_elf *elf, uint32_t type,
                                                 bool last)
{
    const struct hf_elf_segment *s = elf->segment_table.items, *found = NULL;
    for (size_t i = 0; i < elf->segment_table.count; i++)
        if (s[i].type == type && (last || found == NULL))
            found = &s[i];
    return found;
}

/* A string of at most the rest of the table, with its terminator inside. */
static struct hf_bytes string_at(const struct hf_cursor *strings, uint64_t index)
{
    struct hf_cursor c = hf_cursor_at(strings, index);
    bool found;
    struct hf_bytes s = hf_take_until(&c, 0, SIZE_MAX, &found);
    return found ? s : (struct hf_bytes){0};
}

/* The bytes behind a virtual address, up to the end of its segment. */
static struct hf_cursor at_address(const struct hf_facts *facts, const struct hf_elf *elf,
                                   uint64_t address)
{
    uint64_t left = 0;
    struct hf_optional at = hf_elf_offset_of_address(elf, &facts->object, address, &left);
    if (!at.defined)
        return hf_cursor_sub(&facts->object, UINT64_MAX, 0);
    return hf_cursor_clip(&facts->object, (uint64_t)at.value, left);
}

static enum hf_status read_tags(struct hf_cursor c, const struct hf_elf_header *h,
                                struct tags *t)
{
    while (hf_cursor_left(&c) >= hf_elf_sizes(h)->dynamic) {
        if (!hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        struct hf_elf_dynamic d = hf_elf_read_dynamic(&c, h);
        if (d.type == 0)
            break;
        if (d.type < DT_LIMIT) {
            t->has[d.type] = true;
            t->value[d.type] = d.value;
        }
        t->needed_count += d.type == DT_NEEDED;
        if (d.type == DT_GNU_HASH) {
            t->has_gnu_hash = true;
            t->gnu_hash = d.value;
        }
    }
    return HF_OK;
}

/* The libraries, in order: a second pass over the table, now that the strings are known. */
static enum hf_status read_needed(struct hf_facts *facts, struct hf_elf *elf,
                                  struct hf_cursor c, const struct hf_cursor *strings,
                                  uint64_t count)
{
    struct hf_bytes *names = hf_arena_array(facts->arena, (size_t)count, sizeof *names);
    if (names == NULL)
        return HF_NOMEM;
    size_t n = 0;
    while (n < count && hf_cursor_left(&c) > 0) {
        struct hf_elf_dynamic d = hf_elf_read_dynamic(&c, &elf->header);
        if (!hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        if (d.type == DT_NEEDED)
            names[n++] = string_at(strings, d.value);
    }
    elf->needed = (struct hf_fact_list){names, n};
    return HF_OK;
}

/* Symbols that a GNU hash table covers: one more than the highest that a chain ends at. Chains
 * follow each other, so the one that starts last ends last. [glibc "gnu_hash"] */
static uint64_t count_by_gnu_hash(struct hf_cursor c, const struct hf_elf_header *h)
{
    uint32_t buckets = hf_elf_u32(&c, h), first = hf_elf_u32(&c, h),
             bloom = hf_elf_u32(&c, h);
    hf_skip(&c, 4);
    hf_skip(&c, (uint64_t)bloom * hf_elf_sizes(h)->word);
    if (!hf_cursor_charge(&c, buckets))
        return 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < buckets && !c.failed; i++) {
        uint32_t start = hf_elf_u32(&c, h);
        last = start > last ? start : last;
    }
    if (c.failed)
        return 0;
    if (last < first)
        return first;
    hf_skip(&c, (uint64_t)(last - first) * 4);
    uint64_t count = last;
    uint32_t hash;
    do {
        hash = hf_elf_u32(&c, h);
        count++;
    } while (!c.failed && (hash & 1) == 0 && hf_cursor_charge(&c, 1));
    return c.failed ? 0 : count;
}

/* The dynamic symbol table has no length of its own; hash tables know it, and linkers put the
 * strings right behind it. */
static uint64_t count_symbols(const struct hf_facts *facts, const struct hf_elf *elf,
                              const struct tags *t)
{
    const struct hf_elf_header *h = &elf->header;
    uint64_t count = 0;
    if (t->has[DT_HASH]) {
        struct hf_cursor c = at_address(facts, elf, t->value[DT_HASH]);
        (void)hf_elf_u32(&c, h);
        count = hf_elf_u32(&c, h);
    }
    if (count == 0 && t->has_gnu_hash)
        count = count_by_gnu_hash(at_address(facts, elf, t->gnu_hash), h);
    uint64_t start = t->value[DT_SYMTAB], end = t->value[DT_STRTAB];
    if (count == 0 && end > start)
        count = (end - start) / hf_elf_sizes(h)->symbol;
    return count;
}

static enum hf_status read_dynamic(struct hf_facts *facts, struct hf_elf *elf,
                                   const struct hf_elf_segment *segment)
{
    struct tags t = {0};
    struct hf_cursor table =
        hf_cursor_clip(&facts->object, segment->offset, segment->file_size);
    enum hf_status st = read_tags(table, &elf->header, &t);
    if (st != HF_OK || !t.has[DT_STRTAB])
        return st;
    struct hf_cursor strings = at_address(facts, elf, t.value[DT_STRTAB]);
    if (t.has[DT_STRSZ])
        strings = hf_cursor_clip(&strings, 0, t.value[DT_STRSZ]);
    if (t.has[DT_SONAME])
        elf->soname = string_at(&strings, t.value[DT_SONAME]);
    if (t.has[DT_RPATH])
        elf->rpath = string_at(&strings, t.value[DT_RPATH]);
    if (t.has[DT_RUNPATH])
        elf->runpath = string_at(&strings, t.value[DT_RUNPATH]);
    st = read_needed(facts, elf, table, &strings, t.needed_count);
    if (st != HF_OK || !t.has[DT_SYMTAB])
        return st;
    return hf_elf_read_symbols(facts, &elf->header,
                               at_address(facts, elf, t.value[DT_SYMTAB]), &strings,
                               count_symbols(facts, elf, &t), &elf->dynamic_symbols);
}

enum hf_status hf_elf_parse_loader(struct hf_facts *facts, struct hf_elf *elf)
{
    (void)hf_facts_need(facts, &hf_elf_module, 1u << HF_ELF_TABLES);
    if (!hf_facts_present(facts, &hf_elf_module, HF_ELF_TABLES))
        return HF_NOTFOUND;
    if (elf->header.type != HF_ELF_ET_REL && elf->header.entry != 0)
        elf->entry_offset =
            hf_elf_offset_of_address(elf, &facts->object, elf->header.entry, NULL);
    const struct hf_elf_segment *interpreter = find_segment(elf, HF_ELF_PT_INTERP, false);
    if (interpreter != NULL) {
        struct hf_cursor c =
            hf_cursor_clip(&facts->object, interpreter->offset, interpreter->file_size);
        elf->interpreter = string_at(&c, 0);
    }
    const struct hf_elf_segment *dynamic = find_segment(elf, HF_ELF_PT_DYNAMIC, true);
    return dynamic == NULL ? HF_OK : read_dynamic(facts, elf, dynamic);
}
