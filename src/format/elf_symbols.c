#include "format/elf_internal.h"

/* [gABI "Symbol Table"]: the fields are in another order in the 64-bit class. */
static struct hf_elf_symbol read_symbol(struct hf_cursor *c, const struct hf_elf_header *h,
                                        const struct hf_cursor *strings)
{
    struct hf_elf_symbol s = {0};
    uint32_t name = hf_elf_u32(c, h);
    uint8_t info, other;
    if (h->bits == 64) {
        info = hf_u8(c);
        other = hf_u8(c);
        s.shndx = hf_elf_half(c, h);
        s.value = hf_elf_word(c, h);
        s.size = hf_elf_word(c, h);
    } else {
        s.value = hf_elf_word(c, h);
        s.size = hf_elf_word(c, h);
        info = hf_u8(c);
        other = hf_u8(c);
        s.shndx = hf_elf_half(c, h);
    }
    s.bind = info >> 4;
    s.type = info & 15;
    s.visibility = other & 3;
    s.name = hf_elf_string(strings, name);
    return s;
}

enum hf_status hf_elf_read_symbols(struct hf_facts *facts, const struct hf_elf_header *h,
                                   struct hf_cursor table, const struct hf_cursor *strings,
                                   uint64_t count, struct hf_fact_list *list)
{
    uint64_t whole = hf_cursor_left(&table) / hf_elf_sizes(h)->symbol;
    size_t n = (size_t)(count < whole ? count : whole);
    if (!hf_cursor_charge(&table, n))
        return HF_LIMIT;
    struct hf_elf_symbol *symbols = hf_arena_array(facts->arena, n, sizeof *symbols);
    if (symbols == NULL)
        return HF_NOMEM;
    *list = (struct hf_fact_list){symbols, n};
    for (size_t i = 0; i < n; i++) {
        symbols[i] = read_symbol(&table, h, strings);
        /* Long names are charged as they are read; a table of names that all run to the end of
         * a large file ends here. */
        if (table.budget != NULL && table.budget->exhausted) {
            list->count = i + 1;
            return HF_LIMIT;
        }
    }
    return HF_OK;
}

/* Where a symbol table and its strings lie, by the section headers. */
struct place {
    bool found;
    uint64_t offset, size, strings_offset, strings_size;
};

/*
 * The last section of the type whose link leads to a string table, as YARA takes it. YARA
 * compares the link with the count as the file's bytes lie, so that in a big-endian file the
 * limit is another one: then links past the table are followed as far as the file goes.
 */
static struct place find_table(const struct hf_facts *facts, const struct hf_elf *elf,
                               uint32_t type)
{
    const struct hf_elf_header *h = &elf->header;
    const struct hf_elf_section *sections = elf->sections.items;
    struct place place = {0};
    unsigned count = h->sh_count, swapped = (count & 0xff) << 8 | count >> 8;
    uint32_t limit = h->big ? swapped : count;
    for (size_t i = 0; i < elf->sections.count; i++) {
        const struct hf_elf_section *s = &sections[i];
        if (s->type != type || s->link >= limit)
            continue;
        uint64_t at = h->sh_offset + (uint64_t)s->link * hf_elf_sizes(h)->section;
        struct hf_cursor c = hf_cursor_at(&facts->object, at);
        struct hf_elf_section strings = hf_elf_read_section(&c, h);
        if (c.failed || strings.type != HF_ELF_SHT_STRTAB)
            continue;
        place = (struct place){true, s->offset, s->size, strings.offset, strings.size};
    }
    return place;
}

static enum hf_status read_table(struct hf_facts *facts, const struct hf_elf *elf,
                                 uint32_t type, struct hf_fact_list *list,
                                 struct hf_optional *entries)
{
    struct place p = find_table(facts, elf, type);
    if (!p.found)
        return HF_OK;
    struct hf_cursor table = hf_cursor_sub(&facts->object, p.offset, p.size);
    struct hf_cursor strings =
        hf_cursor_sub(&facts->object, p.strings_offset, p.strings_size);
    if (table.failed || strings.failed)
        return HF_TRUNCATED;
    uint64_t count = p.size / hf_elf_sizes(&elf->header)->symbol;
    enum hf_status st =
        hf_elf_read_symbols(facts, &elf->header, table, &strings, count, list);
    if (st == HF_OK)
        *entries = hf_optional_of((int64_t)(uint32_t)count);
    return st;
}

enum hf_status hf_elf_parse_symbols(struct hf_facts *facts, struct hf_elf *elf)
{
    (void)hf_facts_need(facts, &hf_elf_module, 1u << HF_ELF_HEADERS);
    if (!hf_facts_present(facts, &hf_elf_module, HF_ELF_HEADERS))
        return HF_NOTFOUND;
    enum hf_status st =
        read_table(facts, elf, HF_ELF_SHT_SYMTAB, &elf->symtab, &elf->symtab_entries);
    enum hf_status dyn =
        read_table(facts, elf, HF_ELF_SHT_DYNSYM, &elf->dynsym, &elf->dynsym_entries);
    return st != HF_OK ? st : dyn;
}
