#include "format/elf_internal.h"

/* The tables as binutils and the kernel read them: entries as far apart as the header says,
 * counts that do not fit the header taken from section 0 [gABI "Section Header", extended
 * numbering], whole entries kept of a table that the file cuts. */

/* Section 0, when there is any. */
static bool first_section(const struct hf_facts *facts, const struct hf_elf_header *h,
                          struct hf_elf_section *first)
{
    struct hf_cursor c = hf_cursor_at(&facts->object, h->sh_offset);
    *first = hf_elf_read_section(&c, h);
    return h->sh_offset != 0 && !c.failed;
}

/* A table's whole entries inside the file. stride is at least an entry's size. */
static size_t entries_inside(const struct hf_facts *facts, uint64_t offset, uint64_t count,
                             size_t stride, size_t entry)
{
    uint64_t size = facts->object.len;
    if (offset == 0 || offset >= size || size - offset < entry)
        return 0;
    uint64_t fit = (size - offset - entry) / stride + 1;
    return (size_t)(count < fit ? count : fit);
}

static size_t stride_of(uint16_t announced, size_t entry)
{
    return announced > entry ? announced : entry;
}

static void name_sections(const struct hf_facts *facts, struct hf_elf_section *s,
                          size_t count, uint32_t index)
{
    if (index >= count || s[index].type != HF_ELF_SHT_STRTAB)
        return;
    struct hf_cursor names = hf_cursor_clip(&facts->object, s[index].offset, s[index].size);
    for (size_t i = 0; i < count; i++)
        s[i].name = hf_elf_string(&names, s[i].name_index);
}

static enum hf_status read_section_table(struct hf_facts *facts, struct hf_elf *elf,
                                         const struct hf_elf_section *first, bool has_first)
{
    const struct hf_elf_header *h = &elf->header;
    uint64_t count = h->sh_count;
    uint32_t names = h->names_index;
    if (has_first && count == 0)
        count = first->size;
    if (has_first && names == HF_ELF_SHN_XINDEX)
        names = first->link;
    elf->section_table_count = count;
    size_t entry = hf_elf_sizes(h)->section, stride = stride_of(h->sh_entry_size, entry);
    size_t n = entries_inside(facts, h->sh_offset, count, stride, entry);
    struct hf_elf_section *s = hf_arena_array(facts->arena, n, sizeof *s);
    if (s == NULL)
        return HF_NOMEM;
    if (!hf_budget_work(facts->object.budget, n))
        return HF_LIMIT;
    for (size_t i = 0; i < n; i++) {
        struct hf_cursor c = hf_cursor_at(&facts->object, h->sh_offset + i * stride);
        s[i] = hf_elf_read_section(&c, h);
    }
    name_sections(facts, s, n, names);
    elf->section_table = (struct hf_fact_list){s, n};
    return n < count ? HF_TRUNCATED : HF_OK;
}

static enum hf_status read_segment_table(struct hf_facts *facts, struct hf_elf *elf,
                                         const struct hf_elf_section *first, bool has_first)
{
    const struct hf_elf_header *h = &elf->header;
    uint64_t count = h->ph_count;
    if (has_first && count == HF_ELF_PN_XNUM)
        count = first->info;
    elf->segment_table_count = count;
    size_t entry = hf_elf_sizes(h)->segment, stride = stride_of(h->ph_entry_size, entry);
    size_t n = entries_inside(facts, h->ph_offset, count, stride, entry);
    struct hf_elf_segment *s = hf_arena_array(facts->arena, n, sizeof *s);
    if (s == NULL)
        return HF_NOMEM;
    if (!hf_budget_work(facts->object.budget, n))
        return HF_LIMIT;
    for (size_t i = 0; i < n; i++) {
        struct hf_cursor c = hf_cursor_at(&facts->object, h->ph_offset + i * stride);
        s[i] = hf_elf_read_segment(&c, h);
    }
    elf->segment_table = (struct hf_fact_list){s, n};
    return n < count ? HF_TRUNCATED : HF_OK;
}

enum hf_status hf_elf_parse_tables(struct hf_facts *facts, struct hf_elf *elf)
{
    (void)hf_facts_need(facts, &hf_elf_module, 1u << HF_ELF_HEADERS);
    if (!hf_facts_present(facts, &hf_elf_module, HF_ELF_HEADERS))
        return HF_NOTFOUND;
    struct hf_elf_section first;
    bool has_first = first_section(facts, &elf->header, &first);
    enum hf_status a = read_section_table(facts, elf, &first, has_first);
    enum hf_status b = read_segment_table(facts, elf, &first, has_first);
    hf_elf_note_oddities(facts, elf);
    return a != HF_OK ? a : b;
}
