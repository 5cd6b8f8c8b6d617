#include "format/elf_internal.h"

#include "base/text.h"

/* Notes are small records of an owner: a name, a type and bytes, each padded. [gABI "Note
 * Section"; the padding is 4 bytes in both classes, or 8 where the section's alignment says so,
 * as GNU properties do] */

enum { NOTES_MAX = 65536 }; /* a core file of many threads has thousands */

static void skip_padding(struct hf_cursor *c, uint64_t size, uint64_t alignment)
{
    uint64_t rest = size % alignment;
    if (rest != 0) /* what is missing at the very end of a region is no error */
        hf_skip(c, alignment - rest < hf_cursor_left(c) ? alignment - rest
                                                        : hf_cursor_left(c));
}

static enum hf_status read_note(struct hf_cursor *c, const struct hf_elf_header *h,
                                uint64_t alignment, struct hf_elf_note *note)
{
    uint32_t owner_size = hf_elf_u32(c, h), size = hf_elf_u32(c, h);
    note->type = hf_elf_u32(c, h);
    struct hf_cursor owner = *c;
    hf_skip(c, owner_size);
    skip_padding(c, 12 + (uint64_t)owner_size, alignment);
    note->owner = hf_take_until(&owner, 0, owner_size, NULL);
    note->offset = hf_cursor_where(c);
    note->description = hf_take(c, size);
    skip_padding(c, size, alignment);
    return hf_cursor_status(c);
}

static enum hf_status read_region(struct hf_facts *facts, struct hf_elf *elf,
                                  uint64_t offset, uint64_t size, uint64_t alignment)
{
    struct hf_cursor c = hf_cursor_clip(&facts->object, offset, size);
    alignment = alignment == 8 ? 8 : 4;
    while (hf_cursor_left(&c) >= 12) {
        struct hf_elf_note note;
        size_t n = elf->notes.count;
        if (n == NOTES_MAX || !hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        enum hf_status st = read_note(&c, &elf->header, alignment, &note);
        if (st != HF_OK)
            return st;
        struct hf_elf_note *notes = (struct hf_elf_note *)(uintptr_t)elf->notes.items;
        notes = hf_arena_grow(facts->arena, notes, n, sizeof *notes);
        if (notes == NULL)
            return HF_NOMEM;
        notes[n] = note;
        elf->notes = (struct hf_fact_list){notes, n + 1};
    }
    return HF_OK;
}

static enum hf_status from_sections(struct hf_facts *facts, struct hf_elf *elf)
{
    const struct hf_elf_section *s = elf->section_table.items;
    enum hf_status first = HF_OK;
    for (size_t i = 0; i < elf->section_table.count; i++) {
        if (s[i].type != HF_ELF_SHT_NOTE)
            continue;
        enum hf_status st = read_region(facts, elf, s[i].offset, s[i].size, s[i].alignment);
        first = first != HF_OK ? first : st;
    }
    return first;
}

static enum hf_status from_segments(struct hf_facts *facts, struct hf_elf *elf)
{
    const struct hf_elf_segment *s = elf->segment_table.items;
    enum hf_status first = HF_OK;
    for (size_t i = 0; i < elf->segment_table.count; i++) {
        if (s[i].type != HF_ELF_PT_NOTE)
            continue;
        enum hf_status st =
            read_region(facts, elf, s[i].offset, s[i].file_size, s[i].alignment);
        first = first != HF_OK ? first : st;
    }
    return first;
}

static enum hf_status find_build_id(struct hf_facts *facts, struct hf_elf *elf)
{
    enum { LONGEST = 64 }; /* linkers write 8 to 32 bytes */
    const struct hf_elf_note *notes = elf->notes.items;
    for (size_t i = 0; i < elf->notes.count; i++) {
        const struct hf_elf_note *n = &notes[i];
        if (n->type != HF_ELF_NT_GNU_BUILD_ID || n->description.len > LONGEST ||
            !hf_bytes_equal(n->owner, hf_bytes_text("GNU")))
            continue;
        struct hf_buffer text = {0};
        hf_hex(&text, n->description);
        if (!text.failed)
            elf->build_id = hf_arena_copy(facts->arena, hf_buffer_view(&text));
        hf_buffer_done(&text);
        return elf->build_id.data == NULL ? HF_NOMEM : HF_OK;
    }
    return HF_OK;
}

/* As readelf does: by section headers where they tell of notes, else by segments; a core file's
 * notes are in its segments. */
enum hf_status hf_elf_parse_notes(struct hf_facts *facts, struct hf_elf *elf)
{
    (void)hf_facts_need(facts, &hf_elf_module, 1u << HF_ELF_TABLES);
    if (!hf_facts_present(facts, &hf_elf_module, HF_ELF_TABLES))
        return HF_NOTFOUND;
    enum hf_status st = HF_OK;
    if (elf->header.type != HF_ELF_ET_CORE)
        st = from_sections(facts, elf);
    if (elf->notes.count == 0) {
        enum hf_status by_segments = from_segments(facts, elf);
        st = elf->notes.count > 0 || st == HF_OK ? by_segments : st;
    }
    enum hf_status id = find_build_id(facts, elf);
    return st != HF_OK ? st : id;
}
