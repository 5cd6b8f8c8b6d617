/* Where the Windows loader, YARA and ClamAV disagree about the same headers. */
#include "format/pe.h"

enum {
    SECTOR =
        0x200, /* what the loader rounds raw offsets down to, whatever FileAlignment says */
    PAGE = 0x1000
};

enum {
    FILE_EXECUTABLE = 0x0002,
    SUBSYSTEM_NATIVE = 1,
    MAGIC_32 = 0x10b,
    MAGIC_64 = 0x20b,
    MACHINE_I386 = 0x14c,
    MACHINE_ARMNT = 0x1c4,
    MACHINE_AMD64 = 0x8664,
    MACHINE_ARM64 = 0xaa64,
    OPTIONAL_32 = 224,
    OPTIONAL_64 = 240,
    OPTIONAL_32_FIELDS = 96, /* without directories */
    OPTIONAL_64_FIELDS = 112
};

static uint64_t min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t round_down(uint64_t value, uint64_t unit)
{
    return unit == 0 ? value : value - value % unit;
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return unit == 0 || value % unit == 0 ? value : value - value % unit + unit;
}

/* Cut a range to the file. */
static struct hf_pe_extent clip(const struct hf_pe *pe, uint64_t offset, uint64_t size)
{
    if (offset >= pe->file_size)
        return (struct hf_pe_extent){.offset = offset, .size = 0, .inside = size == 0};
    uint64_t room = pe->file_size - offset;
    return (struct hf_pe_extent){
        .offset = offset, .size = min64(size, room), .inside = size <= room};
}

/* ---- YARA ---- */

const struct hf_pe_yara_rules *hf_pe_yara_rules(const struct hf_pe *pe)
{
    static const struct hf_pe_yara_rules rules[] = {
        [HF_PE_YARA_45] =
            {
                .raw_is_mapped = true,
                .whole_sectors = true,
                .names_are_checked = true,
                .ordinals_are_checked = true,
                .strict_resources = true,
                .undefined_offsets = true,
                .empty_pdb_path = true,
                .library_name_max = 255,
                .resource_name_max = 1000,
                .exports_max = 16384,
                .resources_max = 65536,
            },
        [HF_PE_YARA_42] =
            {
                .counts_all = true,
                .counted_directories = true,
                .resource_name_max = 65535,
                .exports_max = 8192,
                .resources_max = 65537,
            },
    };
    return &rules[pe->yara];
}

bool hf_pe_yara_accepts(const struct hf_pe *pe)
{
    return pe->found && pe->headers_whole;
}

/* The section that YARA takes for an address: of those that contain it the one that starts
 * last, among equals the later. */
static const struct hf_pe_section *yara_section(const struct hf_pe *pe, uint64_t rva)
{
    const struct hf_pe_section *s = hf_pe_sections(pe), *best = NULL;
    bool raw_is_mapped = hf_pe_yara_rules(pe)->raw_is_mapped;
    for (size_t i = 0; i < pe->sections.count; i++) {
        if (rva < s[i].rva) {
            if (pe->sections_ordered)
                break;
            continue;
        }
        uint32_t size = s[i].virtual_size;
        if (raw_is_mapped && s[i].raw_size > size)
            size = s[i].raw_size;
        if (rva - s[i].rva < size && (best == NULL || best->rva <= s[i].rva))
            best = &s[i];
    }
    return best;
}

int64_t hf_pe_yara_offset(const struct hf_pe *pe, uint64_t rva)
{
    if (!pe->sections_whole)
        return -1;
    if (rva < pe->lowest_rva) {                 /* the headers are mapped as they lie */
        uint64_t end = (uint32_t)pe->file_size; /* YARA's field for it has 32 bits */
        return rva < end ? (int64_t)rva : -1;
    }
    const struct hf_pe_section *s = yara_section(pe, rva);
    if (s == NULL || rva - s->rva >= s->raw_size)
        return -1;
    uint64_t start = round_down(s->raw_offset, min64(pe->file_alignment, SECTOR));
    if (hf_pe_yara_rules(pe)->whole_sectors && pe->section_alignment >= PAGE)
        start = round_down(start, SECTOR);
    uint64_t offset = start + (rva - s->rva);
    return offset < pe->file_size ? (int64_t)offset : -1;
}

/* ---- the Windows loader ---- */

/* Below a page the image is mapped in one piece, offsets being addresses. [CORKAMI "Low
 * alignments"] */
static bool is_flat(const struct hf_pe *pe)
{
    return pe->section_alignment < PAGE;
}

struct hf_pe_extent hf_pe_loader_section(const struct hf_pe *pe, size_t index)
{
    if (index >= pe->sections.count)
        return (struct hf_pe_extent){0};
    const struct hf_pe_section *s = &hf_pe_sections(pe)[index];
    if (is_flat(pe))
        return clip(pe, s->rva, s->virtual_size != 0 ? s->virtual_size : s->raw_size);
    if (s->raw_offset == 0 || s->raw_size == 0)
        return (struct hf_pe_extent){.inside = true};
    uint64_t start = round_down(s->raw_offset, SECTOR);
    uint64_t size = round_up((uint64_t)s->raw_size + s->raw_offset % SECTOR, SECTOR);
    uint64_t mapped = round_up(s->virtual_size != 0 ? s->virtual_size : s->raw_size, PAGE);
    return clip(pe, start, min64(size, mapped));
}

int64_t hf_pe_loader_offset(const struct hf_pe *pe, uint64_t rva)
{
    uint64_t headers = min64(pe->size_of_headers, pe->file_size);
    if (is_flat(pe) || rva < headers) {
        uint64_t end = is_flat(pe) ? min64(pe->size_of_image, pe->file_size) : headers;
        return rva < end ? (int64_t)rva : -1;
    }
    const struct hf_pe_section *s = hf_pe_sections(pe);
    for (size_t i = 0; i < pe->sections.count; i++) {
        struct hf_pe_extent e = hf_pe_loader_section(pe, i);
        if (rva >= s[i].rva && rva - s[i].rva < e.size)
            return (int64_t)(e.offset + (rva - s[i].rva));
    }
    return -1;
}

static bool power_of_two(uint32_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

/* Machines that a present Windows runs, each with the magic of its width. */
static bool loader_knows_machine(const struct hf_pe *pe)
{
    if (pe->machine == MACHINE_AMD64 || pe->machine == MACHINE_ARM64)
        return pe->magic == MAGIC_64;
    return (pe->machine == MACHINE_I386 || pe->machine == MACHINE_ARMNT) &&
           pe->magic == MAGIC_32;
}

static const char *loader_refuses_sections(const struct hf_pe *pe)
{
    const struct hf_pe_section *s = hf_pe_sections(pe);
    uint64_t next = round_up(pe->size_of_headers, pe->section_alignment);
    for (size_t i = 0; i < pe->sections.count && !is_flat(pe); i++) {
        uint64_t size = s[i].virtual_size != 0 ? s[i].virtual_size : s[i].raw_size;
        if (s[i].rva != next)
            return "sections are not adjacent in memory";
        if (size == 0)
            return "section without size";
        next = round_up(s[i].rva + size, pe->section_alignment);
        if (next > UINT32_MAX)
            return "section ends beyond 4 GiB";
        if (s[i].raw_offset != 0 &&
            (uint64_t)s[i].raw_offset + s[i].raw_size > pe->file_size)
            return "section data outside the file";
    }
    if (!is_flat(pe) && pe->sections.count > 0 &&
        next != round_up(pe->size_of_image, pe->section_alignment))
        return "image size does not fit the sections";
    return NULL;
}

const char *hf_pe_loader_refuses(const struct hf_pe *pe)
{
    if (!pe->found)
        return "no PE signature";
    if (pe->nt_offset % 4 != 0)
        return "header not aligned to 4 bytes";
    if (!loader_knows_machine(pe))
        return "machine and optional header do not fit a known Windows";
    if ((pe->characteristics & FILE_EXECUTABLE) == 0)
        return "not marked executable";
    if (!power_of_two(pe->file_alignment) || !power_of_two(pe->section_alignment))
        return "alignment is no power of two";
    if (pe->section_alignment < pe->file_alignment)
        return "sections aligned less than their file data";
    if (pe->section_alignment < PAGE ? pe->section_alignment != pe->file_alignment
                                     : pe->file_alignment < SECTOR)
        return "file alignment does not fit the section alignment";
    if (pe->size_of_headers == 0 || pe->size_of_headers > pe->size_of_image)
        return "header size does not fit the image";
    if (pe->image_base % 0x10000 != 0)
        return "image base not aligned to 64 KiB";
    if (pe->section_count > HF_PE_SECTIONS_MAX)
        return "too many sections";
    if (!pe->sections_whole)
        return "section table outside the file";
    if (pe->entry_rva != 0 && pe->entry_rva >= pe->size_of_image)
        return "entry point outside the image";
    return loader_refuses_sections(pe);
}

/* ---- ClamAV ---- */

/* One raw pointer that is a multiple of 512 but not of FileAlignment makes ClamAV take 512 for
 * all sections. */
static uint64_t clamav_file_unit(const struct hf_pe *pe)
{
    const struct hf_pe_section *s = hf_pe_sections(pe);
    for (size_t i = 0; i < pe->sections.count && pe->file_alignment != 0; i++)
        if (s[i].raw_offset % pe->file_alignment != 0 && s[i].raw_offset % SECTOR == 0)
            return SECTOR;
    return pe->file_alignment;
}

struct hf_pe_extent hf_pe_clamav_section(const struct hf_pe *pe, size_t index)
{
    if (index >= pe->sections.count)
        return (struct hf_pe_extent){0};
    const struct hf_pe_section *s = &hf_pe_sections(pe)[index];
    uint64_t unit = clamav_file_unit(pe);
    struct hf_pe_extent e =
        clip(pe, round_down(s->raw_offset, unit), round_up(s->raw_size, unit));
    e.inside = e.size != 0 || s->raw_size == 0; /* a cut end is normal to ClamAV */
    return e;
}

int64_t hf_pe_clamav_offset(const struct hf_pe *pe, uint64_t rva)
{
    uint64_t headers = round_up(pe->size_of_headers, pe->section_alignment);
    if (rva < headers)
        return rva < pe->file_size ? (int64_t)rva : -1;
    const struct hf_pe_section *s = hf_pe_sections(pe);
    for (size_t i = pe->sections.count; i-- > 0;) {
        uint64_t start = round_down(s[i].rva, pe->section_alignment);
        struct hf_pe_extent e = hf_pe_clamav_section(pe, i);
        if (rva >= start && rva - start < e.size)
            return (int64_t)(e.offset + (rva - start));
    }
    return -1;
}

/* Sections whose data starts outside the file are dropped before the others are checked, so the
 * last ones may be missing but none in between. */
static const char *clamav_broken_sections(const struct hf_pe *pe)
{
    const struct hf_pe_section *s = hf_pe_sections(pe);
    uint64_t unit = pe->section_alignment;
    uint64_t next = round_up(pe->size_of_headers, unit);
    for (size_t i = 0; i < pe->sections.count; i++) {
        uint64_t size = s[i].virtual_size != 0 ? s[i].virtual_size : s[i].raw_size;
        if (s[i].raw_size != 0 && hf_pe_clamav_section(pe, i).offset >= pe->file_size)
            continue;
        if (((s[i].rva | s[i].virtual_size) >> 31) != 0 ||
            round_up(s[i].raw_size, clamav_file_unit(pe)) > UINT32_MAX)
            return "section values with the highest bit set";
        if (s[i].rva != next)
            return "section misplaced in memory";
        next += round_up(size, unit);
    }
    return NULL;
}

const char *hf_pe_clamav_broken(const struct hf_pe *pe)
{
    if (!pe->found)
        return NULL; /* no executable at all is nothing broken */
    if (pe->section_count == 0)
        return "no sections";
    if (pe->optional_size < OPTIONAL_32_FIELDS)
        return "optional header too small";
    uint64_t fields = pe->is_64 ? OPTIONAL_64_FIELDS : OPTIONAL_32_FIELDS;
    if (pe->file_size < pe->optional_offset + fields)
        return "optional header outside the file";
    if (!pe->headers_whole)
        return NULL; /* given up without a word */
    if (pe->is_64 && pe->optional_size < OPTIONAL_64)
        return "optional header too small for 64 bits";
    bool native = pe->subsystem == SUBSYSTEM_NATIVE;
    if (!native && (pe->section_alignment == 0 || pe->section_alignment % PAGE != 0))
        return "section alignment";
    if (!native && (pe->file_alignment == 0 || pe->file_alignment % SECTOR != 0))
        return "file alignment";
    if (!pe->sections_whole)
        return "section table outside the file";
    const char *sections = clamav_broken_sections(pe);
    if (sections != NULL)
        return sections;
    if (hf_pe_clamav_offset(pe, pe->entry_rva) < 0)
        return "entry point outside the file";
    return NULL;
}
