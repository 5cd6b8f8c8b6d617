/* elf_check.c - what is odd about the tables of an ELF file, as notes for people. Nothing else
 * depends on it: facts stay as they are, and so do verdicts. */
#include "format/elf_internal.h"

static bool past_end(const struct hf_cursor *file, uint64_t offset, uint64_t size)
{
    return size > 0 && (offset > file->len || size > file->len - offset);
}

static void check_sections(struct hf_facts *facts, const struct hf_elf *elf)
{
    const struct hf_elf_section *s = elf->section_table.items;
    if (elf->section_table_count > elf->section_table.count)
        hf_note(facts->notes, elf->header.sh_offset,
                "%llu section headers are announced, %zu lie in the file",
                (unsigned long long)elf->section_table_count, elf->section_table.count);
    for (size_t i = 0; i < elf->section_table.count; i++)
        if (s[i].type != HF_ELF_SHT_NOBITS && s[i].type != HF_ELF_SHT_NULL &&
            past_end(&facts->object, s[i].offset, s[i].size))
            hf_note(facts->notes, s[i].offset,
                    "section %zu reaches past the end of the file", i);
}

static void check_segments(struct hf_facts *facts, const struct hf_elf *elf)
{
    const struct hf_elf_segment *s = elf->segment_table.items;
    if (elf->segment_table_count > elf->segment_table.count)
        hf_note(facts->notes, elf->header.ph_offset,
                "%llu program headers are announced, %zu lie in the file",
                (unsigned long long)elf->segment_table_count, elf->segment_table.count);
    for (size_t i = 0; i < elf->segment_table.count; i++) {
        if (past_end(&facts->object, s[i].offset, s[i].file_size))
            hf_note(facts->notes, s[i].offset,
                    "segment %zu reaches past the end of the file", i);
        if (s[i].type == HF_ELF_PT_LOAD && s[i].file_size > s[i].memory_size)
            hf_note(facts->notes, s[i].offset,
                    "segment %zu is larger in the file than in memory", i);
    }
}

void hf_elf_note_oddities(struct hf_facts *facts, const struct hf_elf *elf)
{
    const struct hf_elf_header *h = &elf->header;
    if (facts->notes == NULL)
        return;
    if (h->sh_count > 0 && h->sh_entry_size != hf_elf_sizes(h)->section)
        hf_note(facts->notes, 0, "section headers of %u bytes are announced",
                h->sh_entry_size);
    if (h->ph_count > 0 && h->ph_entry_size != hf_elf_sizes(h)->segment)
        hf_note(facts->notes, 0, "program headers of %u bytes are announced",
                h->ph_entry_size);
    check_sections(facts, elf);
    check_segments(facts, elf);
    if (h->entry != 0 && h->type != HF_ELF_ET_REL && elf->segment_table.count > 0 &&
        !hf_elf_offset_of_address(elf, &facts->object, h->entry, NULL).defined)
        hf_note(facts->notes, 24, "the entry point is not in the file");
}
