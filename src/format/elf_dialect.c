#include "format/elf_internal.h"

/* Who reads an address how.
 *
 *   loader   PT_LOAD segments, bytes up to the file size
 *   YARA     executables: any segment, up to the memory size; others: any section with bytes
 *   ClamAV   any segment, up to the memory size, whatever the file's type; nothing at all once
 *            something is broken; offsets are kept in 32 bits
 */

static bool holds(uint64_t start, uint64_t size, uint64_t address)
{
    return address >= start && address - start < size;
}

/* YARA adds start and size in the width of the class, so that a range over the end of the
 * address space is empty but for what wraps below its start, which the first test refuses. */
static bool holds_yara(const struct hf_elf_header *h, uint64_t start, uint64_t size,
                       uint64_t address)
{
    uint64_t end = start + size;
    if (h->bits == 32)
        end &= UINT32_MAX;
    return address >= start && address < end;
}

static bool whole_table(const struct hf_cursor *file, uint64_t offset, uint16_t count,
                        uint8_t entry_size)
{
    return offset != 0 && count != 0 && offset <= file->len &&
           (uint64_t)count * entry_size <= file->len - offset;
}

static struct hf_optional by_segments(const struct hf_cursor *file,
                                      const struct hf_elf_header *h)
{
    struct hf_cursor c = hf_cursor_at(file, h->ph_offset);
    if (!whole_table(file, h->ph_offset, h->ph_count, hf_elf_sizes(h)->segment) ||
        !hf_cursor_charge(&c, h->ph_count))
        return (struct hf_optional){0};
    for (uint16_t i = 0; i < h->ph_count; i++) {
        struct hf_elf_segment s = hf_elf_read_segment(&c, h);
        if (holds_yara(h, s.virtual_address, s.memory_size, h->entry))
            return hf_optional_of((int64_t)(s.offset + (h->entry - s.virtual_address)));
    }
    return (struct hf_optional){0};
}

static struct hf_optional by_sections(const struct hf_cursor *file,
                                      const struct hf_elf_header *h)
{
    struct hf_cursor c = hf_cursor_at(file, h->sh_offset);
    if (!whole_table(file, h->sh_offset, h->sh_count, hf_elf_sizes(h)->section) ||
        !hf_cursor_charge(&c, h->sh_count))
        return (struct hf_optional){0};
    for (uint16_t i = 0; i < h->sh_count; i++) {
        struct hf_elf_section s = hf_elf_read_section(&c, h);
        if (s.type != HF_ELF_SHT_NULL && s.type != HF_ELF_SHT_NOBITS &&
            holds_yara(h, s.address, s.size, h->entry))
            return hf_optional_of((int64_t)(s.offset + (h->entry - s.address)));
    }
    return (struct hf_optional){0};
}

struct hf_optional hf_elf_entry_yara(const struct hf_cursor *file,
                                     const struct hf_elf_header *header)
{
    if (header->entry == 0)
        return (struct hf_optional){0};
    return header->type == HF_ELF_ET_EXEC ? by_segments(file, header)
                                          : by_sections(file, header);
}

struct hf_optional hf_elf_offset_of_address(const struct hf_elf *elf,
                                            const struct hf_cursor *file, uint64_t address,
                                            uint64_t *left)
{
    const struct hf_elf_segment *s = elf->segment_table.items;
    for (size_t i = 0; i < elf->segment_table.count; i++) {
        if (s[i].type != HF_ELF_PT_LOAD ||
            !holds(s[i].virtual_address, s[i].file_size, address))
            continue;
        uint64_t inside = address - s[i].virtual_address;
        if (s[i].offset > file->len || inside >= file->len - s[i].offset)
            continue; /* announced, but the file ends before */
        uint64_t to_file_end = file->len - s[i].offset - inside;
        uint64_t to_segment_end = s[i].file_size - inside;
        if (left != NULL)
            *left = to_file_end < to_segment_end ? to_file_end : to_segment_end;
        return hf_optional_of((int64_t)(s[i].offset + inside));
    }
    return (struct hf_optional){0};
}

/* More than 128 program headers are broken; more than 2048 section headers end ClamAV's look at
 * the headers without a word, more than 256 leave no entry point. All of this was measured with
 * clamscan 1.4 --alert-broken and signatures at EP+0. */
enum { CLAMAV_SECTIONS_SEEN = 256, CLAMAV_SECTIONS_MAX = 2048, CLAMAV_SEGMENTS_MAX = 128 };

static struct hf_elf_clamav clamav_segments(const struct hf_cursor *file,
                                            const struct hf_elf_header *h)
{
    struct hf_elf_clamav broken = {.broken = true}, none = {0};
    size_t size = hf_elf_sizes(h)->segment;
    struct hf_cursor c = hf_cursor_at(file, h->ph_offset);
    if (h->ph_count == 0)
        return none;
    if (h->ph_count > CLAMAV_SEGMENTS_MAX || h->ph_entry_size != size ||
        hf_cursor_left(&c) < h->ph_count * size || !hf_cursor_charge(&c, h->ph_count))
        return broken;
    for (uint16_t i = 0; i < h->ph_count && h->entry != 0; i++) {
        struct hf_elf_segment s = hf_elf_read_segment(&c, h);
        if (holds_yara(h, s.virtual_address, s.memory_size, h->entry))
            return (struct hf_elf_clamav){
                .entry =
                    hf_optional_of((uint32_t)(h->entry - s.virtual_address + s.offset))};
    }
    return h->entry == 0 ? none : broken;
}

struct hf_elf_clamav hf_elf_clamav(const struct hf_cursor *file)
{
    struct hf_elf_clamav broken = {.broken = true}, none = {0};
    struct hf_cursor c = hf_cursor_at(file, 4);
    uint8_t class = hf_u8(&c);
    struct hf_elf_header h = {.bits = class == 2 ? 64 : 32, .big = hf_u8(&c) != 1};
    if (file->len < hf_elf_sizes(&h)->header)
        return none;
    if (class != 1 && class != 2)
        return broken;
    hf_elf_read_header(file, &h);
    struct hf_elf_clamav seen = clamav_segments(file, &h);
    if (seen.broken)
        return broken;
    size_t size = hf_elf_sizes(&h)->section;
    c = hf_cursor_at(file, h.sh_offset);
    if (h.sh_count > CLAMAV_SECTIONS_MAX)
        return none;
    if (h.sh_entry_size != size ||
        (h.sh_count > 0 && hf_cursor_left(&c) < h.sh_count * size))
        return broken;
    return h.sh_count > CLAMAV_SECTIONS_SEEN ? none : seen;
}
