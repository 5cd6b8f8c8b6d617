#include "format/pe.h"

#include "format/pe_internal.h"

#include <string.h>

enum {
    MZ_SIZE = 64,
    COFF_SIZE = 24,      /* signature and file header */
    DIRECTORIES_32 = 96, /* where the directories start in the optional header */
    DIRECTORIES_64 = 112,
    SECTION_SIZE = 40,
    SYMBOL_SIZE = 18,
    MAGIC_64 = 0x20b
};

struct hf_bytes pe_text_at(const struct hf_cursor *file, uint64_t offset, size_t max,
                           bool *terminated)
{
    struct hf_cursor c = hf_cursor_at(file, offset);
    return hf_take_until(&c, 0, max, terminated);
}

enum hf_status pe_status(const struct hf_cursor *file, enum hf_status found)
{
    if (found != HF_NOMEM && file->budget != NULL && file->budget->exhausted)
        return HF_LIMIT;
    return found;
}

/* ---- headers ---- */

static void read_file_header(struct hf_cursor *c, struct hf_pe *pe)
{
    pe->machine = hf_u16le(c);
    pe->section_count = hf_u16le(c);
    pe->timestamp = hf_u32le(c);
    pe->symbols_offset = hf_u32le(c);
    pe->symbol_count = hf_u32le(c);
    pe->optional_size = hf_u16le(c);
    pe->characteristics = hf_u16le(c);
}

static struct hf_pe_version read_version(struct hf_cursor *c)
{
    struct hf_pe_version v;
    v.major = hf_u16le(c);
    v.minor = hf_u16le(c);
    return v;
}

static uint64_t read_word(struct hf_cursor *c, bool wide)
{
    return wide ? hf_u64le(c) : hf_u32le(c);
}

/* [PE "Optional Header"]; fields past the file's end stay 0. */
static void read_optional_header(struct hf_cursor *c, struct hf_pe *pe)
{
    pe->magic = hf_u16le(c);
    pe->is_64 = pe->magic == MAGIC_64;
    pe->linker_version.major = hf_u8(c);
    pe->linker_version.minor = hf_u8(c);
    pe->size_of_code = hf_u32le(c);
    pe->size_of_initialized_data = hf_u32le(c);
    pe->size_of_uninitialized_data = hf_u32le(c);
    pe->entry_rva = hf_u32le(c);
    pe->base_of_code = hf_u32le(c);
    if (!pe->is_64)
        pe->base_of_data = hf_optional_of(hf_u32le(c));
    pe->image_base = read_word(c, pe->is_64);
    pe->section_alignment = hf_u32le(c);
    pe->file_alignment = hf_u32le(c);
    pe->os_version = read_version(c);
    pe->image_version = read_version(c);
    pe->subsystem_version = read_version(c);
    pe->win32_version = hf_u32le(c);
    pe->size_of_image = hf_u32le(c);
    pe->size_of_headers = hf_u32le(c);
    pe->checksum = hf_u32le(c);
    pe->subsystem = hf_u16le(c);
    pe->dll_characteristics = hf_u16le(c);
    pe->stack_reserve = read_word(c, pe->is_64);
    pe->stack_commit = read_word(c, pe->is_64);
    pe->heap_reserve = read_word(c, pe->is_64);
    pe->heap_commit = read_word(c, pe->is_64);
    pe->loader_flags = hf_u32le(c);
    pe->directory_count = hf_u32le(c);
}

static void read_directories(struct hf_cursor *c, struct hf_pe *pe)
{
    size_t whole = 0;
    for (size_t i = 0; i < HF_PE_DIRECTORIES; i++) {
        pe->directories[i].rva = hf_u32le(c);
        pe->directories[i].size = hf_u32le(c);
        if (c->failed)
            pe->directories[i] = (struct hf_pe_directory){0};
        else
            whole++;
    }
    pe->directory_list = (struct hf_fact_list){
        .items = pe->directories,
        .count = pe->directory_count < whole ? pe->directory_count : whole,
    };
    pe->headers_whole = whole == HF_PE_DIRECTORIES;
}

const struct hf_pe_directory *hf_pe_directory(const struct hf_pe *pe,
                                              enum hf_pe_directory_index index)
{
    bool there = (unsigned)index < HF_PE_DIRECTORIES && pe->headers_whole;
    if (there && hf_pe_yara_rules(pe)->counted_directories)
        there = (unsigned)index <= pe->directory_count; /* one too many, but so it is */
    return there ? &pe->directories[index] : NULL;
}

/* ---- sections ---- */

/* "/123" is an offset into the string table behind the symbols. [PE "Section Table", Name;
 * "COFF String Table"] The name runs to its NUL; one with anything unprintable is none. */
static struct hf_bytes resolve_name(const struct hf_cursor *file, const struct hf_pe *pe,
                                    struct hf_bytes name)
{
    if (pe->symbols_offset == 0 || name.len == 0 || name.data[0] != '/')
        return name;
    uint64_t index = 0;
    for (size_t i = 1; i < name.len && name.data[i] >= '0' && name.data[i] <= '9'; i++)
        index = index * 10 + (uint64_t)(name.data[i] - '0');
    uint64_t at = pe->symbols_offset + (uint64_t)pe->symbol_count * SYMBOL_SIZE + index;
    bool terminated;
    struct hf_bytes text = pe_text_at(file, at, HF_PE_NAME_MAX, &terminated);
    if (!terminated)
        return (struct hf_bytes){0};
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] > 0x7e)
            return (struct hf_bytes){0};
    return text;
}

static void read_section(struct hf_cursor *c, struct hf_pe_section *s)
{
    s->name = hf_take(c, 8);
    s->virtual_size = hf_u32le(c);
    s->rva = hf_u32le(c);
    s->raw_size = hf_u32le(c);
    s->raw_offset = hf_u32le(c);
    s->relocations_offset = hf_u32le(c);
    s->lines_offset = hf_u32le(c);
    s->relocations = hf_u16le(c);
    s->lines = hf_u16le(c);
    s->flags = hf_u32le(c);
    while (s->name.len > 0 && s->name.data[s->name.len - 1] == 0)
        s->name.len--;
}

/* What address mapping asks for every address, found out once. */
static void summarise_sections(struct hf_pe *pe)
{
    const struct hf_pe_section *s = hf_pe_sections(pe);
    uint64_t end = 0;
    pe->sections_ordered = true;
    pe->lowest_rva = UINT32_MAX;
    for (size_t i = 0; i < pe->sections.count; i++) {
        if (s[i].rva < pe->lowest_rva)
            pe->lowest_rva = s[i].rva;
        if (s[i].rva < end)
            pe->sections_ordered = false;
        uint32_t size =
            s[i].virtual_size > s[i].raw_size ? s[i].virtual_size : s[i].raw_size;
        end = (uint64_t)s[i].rva + size;
    }
}

static enum hf_status read_sections(const struct hf_cursor *file, struct hf_arena *arena,
                                    struct hf_pe *pe)
{
    size_t wanted =
        pe->section_count < HF_PE_SECTIONS_MAX ? pe->section_count : HF_PE_SECTIONS_MAX;
    struct hf_pe_section *sections = hf_arena_array(arena, wanted, sizeof *sections);
    if (sections == NULL)
        return HF_NOMEM;
    struct hf_cursor c = hf_cursor_at(file, pe->section_table);
    size_t count = 0;
    while (count < wanted && hf_cursor_left(&c) >= SECTION_SIZE &&
           hf_cursor_charge(&c, 1)) {
        read_section(&c, &sections[count]);
        sections[count].full_name = resolve_name(file, pe, sections[count].name);
        count++;
    }
    pe->sections = (struct hf_fact_list){.items = sections, .count = count};
    pe->sections_whole = count == wanted;
    summarise_sections(pe);
    if (count < wanted)
        return HF_TRUNCATED;
    return pe->section_count > HF_PE_SECTIONS_MAX ? HF_LIMIT : HF_OK;
}

/* What lies behind the section that reaches furthest. YARA adds offset and size in 32 bits; an
 * end that wraps around is not the furthest. [YARA 4.5, pe_parse_header] */
static void find_overlay(struct hf_pe *pe)
{
    const struct hf_pe_section *s = hf_pe_sections(pe);
    uint64_t end = 0;
    for (size_t i = 0; i < pe->sections.count; i++) {
        uint32_t wrapped = s[i].raw_offset + s[i].raw_size;
        if (wrapped > end)
            end = (uint64_t)s[i].raw_offset + s[i].raw_size;
    }
    pe->overlay.inside = true;
    if (end > 0 && end < pe->file_size) {
        pe->overlay.offset = end;
        pe->overlay.size = pe->file_size - end;
    }
}

enum hf_status hf_pe_read_headers(const struct hf_cursor *file, struct hf_arena *arena,
                                  struct hf_pe *pe)
{
    pe->file_size = file->len;
    pe->entry_offset = -1;
    struct hf_cursor c = hf_cursor_at(file, 0);
    if (!hf_peek_equal(&c, "MZ", 2) || hf_cursor_left(&c) < MZ_SIZE)
        return HF_NOTFOUND;
    hf_seek(&c, MZ_SIZE - 4);
    pe->nt_offset = hf_u32le(&c);
    c = hf_cursor_at(file, pe->nt_offset);
    if (pe->nt_offset > INT32_MAX || !hf_peek_equal(&c, "PE\0", 4) ||
        hf_cursor_left(&c) < COFF_SIZE)
        return HF_NOTFOUND;
    pe->found = true;
    pe->optional_offset = (uint64_t)pe->nt_offset + COFF_SIZE;
    hf_skip(&c, 4);
    read_file_header(&c, pe);
    read_optional_header(&c, pe);
    read_directories(&c, pe);
    pe->section_table = pe->optional_offset + pe->optional_size;
    enum hf_status st = read_sections(file, arena, pe);
    find_overlay(pe);
    pe->entry_offset = hf_pe_yara_offset(pe, pe->entry_rva);
    if (st == HF_OK && !pe->headers_whole)
        st = HF_TRUNCATED;
    return pe_status(file, st);
}

/* ---- groups ---- */

typedef enum hf_status pe_reader(const struct hf_cursor *file, struct hf_arena *arena,
                                 struct hf_pe *pe);

static pe_reader *const readers[HF_PE_GROUPS + 1] = {
    [HF_PE_IMPORTS] = hf_pe_read_imports,     [HF_PE_EXPORTS] = hf_pe_read_exports,
    [HF_PE_RESOURCES] = hf_pe_read_resources, [HF_PE_DEBUG] = hf_pe_read_debug,
    [HF_PE_LOADER] = hf_pe_read_loader,       [HF_PE_SIGNATURES] = hf_pe_read_signatures,
};

enum hf_status hf_pe_parse(struct hf_facts *facts, void *state, unsigned group)
{
    struct hf_pe *pe = state;
    if (group == HF_PE_HEADERS) {
        enum hf_status st = hf_pe_read_headers(&facts->object, facts->arena, pe);
        pe_note_oddities(facts->notes, &facts->object, pe);
        return hf_pe_yara_accepts(pe) ? st : HF_NOTFOUND;
    }
    if (hf_facts_need(facts, &hf_pe_module, 1U << HF_PE_HEADERS) == NULL)
        return HF_NOMEM;
    bool accepted = hf_pe_yara_accepts(pe);
    if (group == HF_PE_IDENTITY) {
        pe->is_pe = accepted;
        return HF_OK; /* is_pe is 0, not undefined, for everything else */
    }
    if (!accepted || group > HF_PE_GROUPS || readers[group] == NULL)
        return HF_NOTFOUND;
    return pe_status(&facts->object, readers[group](&facts->object, facts->arena, pe));
}
