#include "scan/layout.h"

#include "format/elf.h"
#include "format/macho.h"
#include "format/pe.h"

static bool make_sections(struct hf_layout *layout, struct hf_arena *arena, size_t count)
{
    layout->sections = hf_arena_array(arena, count, sizeof *layout->sections);
    return layout->sections != NULL;
}

static void add_section(struct hf_layout *layout, uint64_t offset, uint64_t size)
{
    layout->sections[layout->section_count++] =
        (struct hf_layout_section){.offset = offset, .size = size};
}

static void read_version_info(struct hf_layout *layout, struct hf_facts *facts)
{
    const struct hf_pe *pe =
        hf_facts_need(facts, &hf_pe_module, 1u << HF_PE_HEADERS | 1u << HF_PE_RESOURCES);
    layout->has_version_info = true;
    if (pe == NULL)
        return;
    const struct hf_pe_version_string *s = pe->version_strings.items;
    layout->version_info = hf_arena_array(facts->arena, pe->version_strings.count,
                                          sizeof *layout->version_info);
    for (size_t i = 0; layout->version_info != NULL && i < pe->version_strings.count; i++)
        layout->version_info[layout->version_info_count++] = s[i].offset;
}

/* Sections whose data begins behind the file are dropped; the others move up. */
static void read_pe(struct hf_facts *facts, struct hf_layout *layout)
{
    const struct hf_pe *pe = hf_facts_need(facts, &hf_pe_module, 1u << HF_PE_HEADERS);
    if (pe == NULL || !pe->found || !pe->headers_whole || hf_pe_clamav_broken(pe) != NULL ||
        !make_sections(layout, facts->arena, pe->sections.count))
        return;
    layout->readable = true;
    for (size_t i = 0; i < pe->sections.count; i++) {
        struct hf_pe_extent e = hf_pe_clamav_section(pe, i);
        if (e.size != 0 || hf_pe_sections(pe)[i].raw_size == 0)
            add_section(layout, e.offset, e.size);
    }
    int64_t entry = hf_pe_clamav_offset(pe, pe->entry_rva);
    if (entry >= 0)
        layout->entry = hf_optional_of(entry);
}

static void read_elf(struct hf_facts *facts, struct hf_layout *layout)
{
    struct hf_elf_clamav seen = hf_elf_clamav(&facts->object);
    const struct hf_elf *elf = hf_facts_need(facts, &hf_elf_module, 1u << HF_ELF_TABLES);
    if (seen.broken || elf == NULL ||
        !make_sections(layout, facts->arena, elf->section_table.count))
        return;
    layout->readable = true;
    layout->entry = seen.entry;
    const struct hf_elf_section *s = elf->section_table.items;
    for (size_t i = 0; i < elf->section_table.count; i++)
        add_section(layout, (uint32_t)s[i].offset, (uint32_t)s[i].size);
}

static void read_macho(struct hf_facts *facts, struct hf_layout *layout)
{
    const struct hf_macho *macho =
        hf_facts_need(facts, &hf_macho_module, 1u << HF_MACHO_FILE);
    if (macho == NULL || !macho->single.magic.defined)
        return;
    const struct hf_macho_segment *segments = macho->single.segments.items;
    size_t total = 0;
    for (size_t i = 0; i < macho->single.segments.count; i++)
        total += segments[i].sections.count;
    if (!make_sections(layout, facts->arena, total))
        return;
    layout->readable = true;
    layout->entry = macho->single.entry_point;
    for (size_t i = 0; i < macho->single.segments.count; i++) {
        const struct hf_macho_section *s = segments[i].sections.items;
        for (size_t k = 0; k < segments[i].sections.count; k++)
            add_section(layout, s[k].offset, s[k].size);
    }
}

void hf_layout_read(struct hf_facts *facts, enum hf_format format, struct hf_layout *layout)
{
    *layout = (struct hf_layout){0};
    switch (format) {
    case HF_FORMAT_PE: read_pe(facts, layout); break;
    case HF_FORMAT_ELF: read_elf(facts, layout); break;
    case HF_FORMAT_MACHO: read_macho(facts, layout); break;
    default: break;
    }
}

/* offset bytes from a place; false when that is before the start. */
static bool move(uint64_t from, int64_t offset, uint64_t *to)
{
    uint64_t by = offset < 0 ? 0 - (uint64_t)offset : (uint64_t)offset;
    if (offset < 0 ? by > from : by > UINT64_MAX - from)
        return false;
    *to = offset < 0 ? from - by : from + by;
    return true;
}

bool hf_layout_span(const struct hf_layout *layout, const struct hf_place *place,
                    uint64_t size, uint64_t *first, uint64_t *last)
{
    uint64_t base = 0, length = 0, count = layout->readable ? layout->section_count : 0;
    int64_t offset = place->offset;
    switch (place->kind) {
    case HF_PLACE_START: break;
    case HF_PLACE_END:
        if (offset < 0)
            return false;
        base = size;
        offset = -offset;
        break;
    case HF_PLACE_ENTRY:
        if (!layout->readable || !layout->entry.defined || layout->entry.value < 0)
            return false;
        base = (uint64_t)layout->entry.value;
        break;
    case HF_PLACE_SECTION:
    case HF_PLACE_LAST_SECTION:
    case HF_PLACE_IN_SECTION: {
        uint64_t n = place->kind == HF_PLACE_LAST_SECTION ? count - 1 : place->section;
        if (count == 0 || n >= count)
            return false;
        base = layout->sections[n].offset;
        if (place->kind == HF_PLACE_IN_SECTION)
            length = layout->sections[n].size;
        break;
    }
    default: return false;
    }
    if (!move(base, offset, first))
        return false;
    *last = *first > UINT64_MAX - length - place->span ? UINT64_MAX
                                                       : *first + length + place->span;
    return true;
}

static bool is_version_info(struct hf_layout *layout, struct hf_facts *facts,
                            uint64_t start)
{
    if (!layout->has_version_info)
        read_version_info(layout, facts);
    for (size_t i = 0; i < layout->version_info_count; i++)
        if (layout->version_info[i] == start)
            return true;
    return false;
}

bool hf_layout_start(const struct hf_layout *layout, enum hf_place_kind kind,
                     uint16_t section, uint64_t *start)
{
    size_t number = section;
    if (!layout->readable)
        return false;
    if (kind == HF_PLACE_ENTRY) {
        *start = (uint64_t)layout->entry.value;
        return layout->entry.defined && layout->entry.value >= 0;
    }
    if (kind == HF_PLACE_LAST_SECTION)
        number = layout->section_count - 1; /* of none: no number is below it */
    else if (kind != HF_PLACE_SECTION)
        return false;
    if (number >= layout->section_count)
        return false;
    *start = layout->sections[number].offset;
    return true;
}

bool hf_layout_allows(struct hf_layout *layout, struct hf_facts *facts,
                      const struct hf_place *place, uint64_t start)
{
    uint64_t first, last;
    if (place->kind == HF_PLACE_VERSION_INFO)
        return layout->readable && is_version_info(layout, facts, start);
    return hf_layout_span(layout, place, 0, &first, &last) && start >= first &&
           start <= last;
}
