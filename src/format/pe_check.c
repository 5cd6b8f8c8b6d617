/* pe_check.c - what is odd about the headers of a PE file, as notes for people. Nothing else
 * depends on it: facts stay as they are, and so do verdicts. */
#include "format/pe_internal.h"

static const char *const directory_names[HF_PE_DIRECTORIES] = {
    "exports",      "imports",       "resources",   "exceptions",
    "signatures",   "relocations",   "debug",       "architecture",
    "global ptr",   "TLS",           "load config", "bound imports",
    "import slots", "delay imports", ".NET header", "reserved",
};

static void check_section(struct hf_notes *notes, const struct hf_pe *pe, size_t i)
{
    const struct hf_pe_section *s = (const struct hf_pe_section *)pe->sections.items + i;
    uint64_t at = pe->section_table + 40 * (uint64_t)i;
    if (s->raw_size > 0 && s->raw_offset > pe->file_size)
        hf_note(notes, at, "section %zu starts past the end of the file", i);
    else if (s->raw_size > 0 && s->raw_size > pe->file_size - s->raw_offset)
        hf_note(notes, at, "section %zu ends %llu bytes past the end of the file", i,
                (unsigned long long)(s->raw_size - (pe->file_size - s->raw_offset)));
    if (s->rva > UINT32_MAX - s->virtual_size)
        hf_note(notes, at, "section %zu ends above 4 GiB of memory", i);
}

static void check_directory(struct hf_notes *notes, const struct hf_pe *pe, size_t i)
{
    const struct hf_pe_directory *d = &pe->directories[i];
    uint64_t at = pe->optional_offset + (pe->is_64 ? 112 : 96) + 8 * (uint64_t)i;
    if (d->rva == 0 && d->size == 0)
        return;
    uint64_t room = i == HF_PE_DIR_SECURITY ? pe->file_size : pe->size_of_image;
    if (d->rva > room || d->size > room - d->rva)
        hf_note(notes, at, "directory of %s reaches past the end of the %s",
                directory_names[i], i == HF_PE_DIR_SECURITY ? "file" : "image");
}

static void check_checksum(struct hf_notes *notes, const struct hf_cursor *file,
                           const struct hf_pe *pe)
{
    uint64_t sum;
    if (pe->checksum != 0 && hf_pe_checksum(pe, file, &sum) && sum != pe->checksum)
        hf_note(notes, pe->optional_offset + 64, "the checksum should be 0x%llx",
                (unsigned long long)sum);
}

void pe_note_oddities(struct hf_notes *notes, const struct hf_cursor *file,
                      const struct hf_pe *pe)
{
    if (notes == NULL || !pe->found)
        return;
    const char *refused = hf_pe_loader_refuses(pe);
    if (refused != NULL)
        hf_note(notes, pe->nt_offset, "Windows would not load it: %s", refused);
    if (pe->section_count > pe->sections.count)
        hf_note(notes, pe->section_table, "%u section headers are announced, %zu are read",
                pe->section_count, pe->sections.count);
    if (pe->directory_count > HF_PE_DIRECTORIES)
        hf_note(notes, pe->optional_offset,
                "%u data directories are announced, there are 16", pe->directory_count);
    if (!pe->sections_ordered && pe->sections.count > 0)
        hf_note(notes, pe->section_table, "sections overlap or are out of order");
    if (pe->entry_rva != 0 && hf_pe_loader_offset(pe, pe->entry_rva) < 0)
        hf_note(notes, pe->optional_offset + 16, "the entry point is not in the file");
    else if (pe->entry_rva != 0 && pe->entry_rva < pe->lowest_rva)
        hf_note(notes, pe->optional_offset + 16, "the entry point lies in the headers");
    for (size_t i = 0; i < pe->sections.count; i++)
        check_section(notes, pe, i);
    for (size_t i = 0; i < HF_PE_DIRECTORIES && i < pe->directory_count; i++)
        check_directory(notes, pe, i);
    check_checksum(notes, file, pe);
}
