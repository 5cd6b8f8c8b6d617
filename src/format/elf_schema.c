#include "format/elf_internal.h"

/* The schema of ELF facts. The first part has YARA's names and meanings [yara 4.5
 * libyara/modules/elf/elf.c]; the second is ours. */

/* clang-format off */
#define SECTION(M, NAME, HELP) HF_FACT_SCALAR(struct hf_elf_section, M, NAME, 0, HELP)
static const struct hf_fact_field section_rows[] = {
    SECTION(type, "type", "SHT_..."),
    SECTION(flags, "flags", "SHF_... bits"),
    SECTION(address, "address", "virtual address; 0: not loaded"),
    SECTION(name, "name", "from the section that holds names"),
    SECTION(size, "size", "bytes; of SHT_NOBITS in memory only"),
    SECTION(offset, "offset", "file offset; may lie past the end"),
};
static const struct hf_fact_record section_record =
    HF_FACT_TABLE("section", struct hf_elf_section, section_rows);

/* Our own view of a section has what YARA leaves out. */
static const struct hf_fact_field section_table_rows[] = {
    SECTION(name, "name", "from the section that holds names"),
    SECTION(type, "type", "SHT_..."),
    SECTION(flags, "flags", "SHF_... bits"),
    SECTION(address, "address", "virtual address; 0: not loaded"),
    SECTION(offset, "offset", "file offset; may lie past the end"),
    SECTION(size, "size", "bytes; of SHT_NOBITS in memory only"),
    SECTION(link, "link", "index of a related section"),
    SECTION(info, "info", "meaning depends on the type"),
    SECTION(alignment, "alignment", "bytes"),
    SECTION(entry_size, "entry_size", "bytes of one entry, for tables"),
};
static const struct hf_fact_record section_table_record =
    HF_FACT_TABLE("section_header", struct hf_elf_section, section_table_rows);

#define SEGMENT(M, HELP) HF_FACT_SCALAR(struct hf_elf_segment, M, #M, 0, HELP)
static const struct hf_fact_field segment_rows[] = {
    SEGMENT(type, "PT_..."),
    SEGMENT(flags, "PF_... bits"),
    SEGMENT(offset, "file offset; may lie past the end"),
    SEGMENT(virtual_address, "where it goes in memory"),
    SEGMENT(physical_address, "where it goes on machines without virtual memory"),
    SEGMENT(file_size, "bytes in the file"),
    SEGMENT(memory_size, "bytes in memory"),
    SEGMENT(alignment, "bytes"),
};
static const struct hf_fact_record segment_record =
    HF_FACT_TABLE("segment", struct hf_elf_segment, segment_rows);

static const struct hf_fact_field dynamic_rows[] = {
    HF_FACT_SCALAR(struct hf_elf_dynamic, type, "type", 0, "DT_..."),
    HF_FACT_SCALAR(struct hf_elf_dynamic, value, "val", 0, "number or address"),
};
static const struct hf_fact_record dynamic_record =
    HF_FACT_TABLE("dynamic", struct hf_elf_dynamic, dynamic_rows);

#define SYMBOL(M, HELP) HF_FACT_SCALAR(struct hf_elf_symbol, M, #M, 0, HELP)
static const struct hf_fact_field symbol_rows[] = {
    SYMBOL(name, "undefined when its string is not in the table"),
    SYMBOL(value, "address, or offset in its section"),
    SYMBOL(size, "bytes, 0: unknown"),
    SYMBOL(type, "STT_..."),
    SYMBOL(bind, "STB_..."),
    SYMBOL(shndx, "index of its section; 0: imported"),
};
static const struct hf_fact_record symbol_record =
    HF_FACT_TABLE("symbol", struct hf_elf_symbol, symbol_rows);

#define NOTE(M, HELP) HF_FACT_SCALAR(struct hf_elf_note, M, #M, 0, HELP)
static void note_size(const struct hf_facts *facts, const void *record, struct hf_value *out)
{
    (void)facts;
    const struct hf_elf_note *note = record;
    *out = hf_value_int((int64_t)note->description.len);
}
static const struct hf_fact_field note_rows[] = {
    NOTE(owner, "who defines the type: GNU, Go, ..."),
    NOTE(type, "owner's number"),
    NOTE(offset, "file offset of the description"),
    HF_FACT_COMPUTED("size", HF_FACT_INT, 0, note_size, "bytes of the description"),
};
static const struct hf_fact_record note_record =
    HF_FACT_TABLE("note", struct hf_elf_note, note_rows);

#define TOP(M, NAME, GROUP, HELP) HF_FACT_SCALAR(struct hf_elf, M, NAME, GROUP, HELP)
static const struct hf_fact_field elf_rows[] = {
    HF_FACT_CONSTANT("ET_NONE", 0, "no type"),
    HF_FACT_CONSTANT("ET_REL", 1, "relocatable object"),
    HF_FACT_CONSTANT("ET_EXEC", 2, "executable at fixed addresses"),
    HF_FACT_CONSTANT("ET_DYN", 3, "shared object, or position-independent executable"),
    HF_FACT_CONSTANT("ET_CORE", 4, "core dump"),
    HF_FACT_CONSTANT("EM_NONE", 0, "no machine"),
    HF_FACT_CONSTANT("EM_M32", 1, "AT&T WE 32100"),
    HF_FACT_CONSTANT("EM_SPARC", 2, "SPARC"),
    HF_FACT_CONSTANT("EM_386", 3, "Intel 80386"),
    HF_FACT_CONSTANT("EM_68K", 4, "Motorola 68000"),
    HF_FACT_CONSTANT("EM_88K", 5, "Motorola 88000"),
    HF_FACT_CONSTANT("EM_860", 7, "Intel 80860"),
    HF_FACT_CONSTANT("EM_MIPS", 8, "MIPS"),
    HF_FACT_CONSTANT("EM_MIPS_RS3_LE", 10, "MIPS RS3000, little-endian"),
    HF_FACT_CONSTANT("EM_PPC", 20, "PowerPC"),
    HF_FACT_CONSTANT("EM_PPC64", 21, "64-bit PowerPC"),
    HF_FACT_CONSTANT("EM_ARM", 0x28, "ARM"),
    HF_FACT_CONSTANT("EM_X86_64", 0x3e, "x86-64"),
    HF_FACT_CONSTANT("EM_AARCH64", 0xb7, "64-bit ARM"),
    HF_FACT_CONSTANT("SHT_NULL", 0, "unused entry"),
    HF_FACT_CONSTANT("SHT_PROGBITS", 1, "the program's own data"),
    HF_FACT_CONSTANT("SHT_SYMTAB", 2, "symbols"),
    HF_FACT_CONSTANT("SHT_STRTAB", 3, "strings"),
    HF_FACT_CONSTANT("SHT_RELA", 4, "relocations with addends"),
    HF_FACT_CONSTANT("SHT_HASH", 5, "hash table of symbols"),
    HF_FACT_CONSTANT("SHT_DYNAMIC", 6, "dynamic table"),
    HF_FACT_CONSTANT("SHT_NOTE", 7, "notes"),
    HF_FACT_CONSTANT("SHT_NOBITS", 8, "no bytes in the file"),
    HF_FACT_CONSTANT("SHT_REL", 9, "relocations without addends"),
    HF_FACT_CONSTANT("SHT_SHLIB", 10, "reserved"),
    HF_FACT_CONSTANT("SHT_DYNSYM", 11, "symbols for dynamic linking"),
    HF_FACT_CONSTANT("SHF_WRITE", 1, "writable"),
    HF_FACT_CONSTANT("SHF_ALLOC", 2, "in memory when running"),
    HF_FACT_CONSTANT("SHF_EXECINSTR", 4, "machine code"),
    HF_FACT_CONSTANT("PT_NULL", 0, "unused entry"),
    HF_FACT_CONSTANT("PT_LOAD", 1, "to be loaded"),
    HF_FACT_CONSTANT("PT_DYNAMIC", 2, "dynamic table"),
    HF_FACT_CONSTANT("PT_INTERP", 3, "path of the interpreter"),
    HF_FACT_CONSTANT("PT_NOTE", 4, "notes"),
    HF_FACT_CONSTANT("PT_SHLIB", 5, "reserved"),
    HF_FACT_CONSTANT("PT_PHDR", 6, "the program headers themselves"),
    HF_FACT_CONSTANT("PT_TLS", 7, "thread-local storage"),
    HF_FACT_CONSTANT("PT_GNU_EH_FRAME", 0x6474e550, "unwind information"),
    HF_FACT_CONSTANT("PT_GNU_STACK", 0x6474e551, "flags of the stack"),
    HF_FACT_CONSTANT("DT_NULL", 0, "end of the table"),
    HF_FACT_CONSTANT("DT_NEEDED", 1, "a needed library's name"),
    HF_FACT_CONSTANT("DT_PLTRELSZ", 2, "size of the PLT's relocations"),
    HF_FACT_CONSTANT("DT_PLTGOT", 3, "address of the PLT or GOT"),
    HF_FACT_CONSTANT("DT_HASH", 4, "address of the hash table"),
    HF_FACT_CONSTANT("DT_STRTAB", 5, "address of the strings"),
    HF_FACT_CONSTANT("DT_SYMTAB", 6, "address of the symbols"),
    HF_FACT_CONSTANT("DT_RELA", 7, "address of relocations with addends"),
    HF_FACT_CONSTANT("DT_RELASZ", 8, "their size"),
    HF_FACT_CONSTANT("DT_RELAENT", 9, "size of one"),
    HF_FACT_CONSTANT("DT_STRSZ", 10, "size of the strings"),
    HF_FACT_CONSTANT("DT_SYMENT", 11, "size of a symbol"),
    HF_FACT_CONSTANT("DT_INIT", 12, "address of the initialiser"),
    HF_FACT_CONSTANT("DT_FINI", 13, "address of the finaliser"),
    HF_FACT_CONSTANT("DT_SONAME", 14, "the library's own name"),
    HF_FACT_CONSTANT("DT_RPATH", 15, "search path, old form"),
    HF_FACT_CONSTANT("DT_SYMBOLIC", 16, "look into this library first"),
    HF_FACT_CONSTANT("DT_REL", 17, "address of relocations without addends"),
    HF_FACT_CONSTANT("DT_RELSZ", 18, "their size"),
    HF_FACT_CONSTANT("DT_RELENT", 19, "size of one"),
    HF_FACT_CONSTANT("DT_PLTREL", 20, "kind of the PLT's relocations"),
    HF_FACT_CONSTANT("DT_DEBUG", 21, "for debuggers"),
    HF_FACT_CONSTANT("DT_TEXTREL", 22, "relocations may change code"),
    HF_FACT_CONSTANT("DT_JMPREL", 23, "address of the PLT's relocations"),
    HF_FACT_CONSTANT("DT_BIND_NOW", 24, "relocate everything at start"),
    HF_FACT_CONSTANT("DT_INIT_ARRAY", 25, "address of the initialisers"),
    HF_FACT_CONSTANT("DT_FINI_ARRAY", 26, "address of the finalisers"),
    HF_FACT_CONSTANT("DT_INIT_ARRAYSZ", 27, "size of the initialisers"),
    HF_FACT_CONSTANT("DT_FINI_ARRAYSZ", 28, "size of the finalisers"),
    HF_FACT_CONSTANT("DT_RUNPATH", 29, "search path"),
    HF_FACT_CONSTANT("DT_FLAGS", 30, "flags"),
    HF_FACT_CONSTANT("DT_ENCODING", 32, "start of the encoded range"),
    HF_FACT_CONSTANT("STT_NOTYPE", 0, "type unknown"),
    HF_FACT_CONSTANT("STT_OBJECT", 1, "data"),
    HF_FACT_CONSTANT("STT_FUNC", 2, "code"),
    HF_FACT_CONSTANT("STT_SECTION", 3, "a section"),
    HF_FACT_CONSTANT("STT_FILE", 4, "a source file's name"),
    HF_FACT_CONSTANT("STT_COMMON", 5, "common data"),
    HF_FACT_CONSTANT("STT_TLS", 6, "thread-local data"),
    HF_FACT_CONSTANT("STB_LOCAL", 0, "seen in this object only"),
    HF_FACT_CONSTANT("STB_GLOBAL", 1, "seen everywhere"),
    HF_FACT_CONSTANT("STB_WEAK", 2, "seen everywhere, gives way"),
    HF_FACT_CONSTANT("PF_X", 1, "executable"),
    HF_FACT_CONSTANT("PF_W", 2, "writable"),
    HF_FACT_CONSTANT("PF_R", 4, "readable"),

    TOP(header.type, "type", HF_ELF_HEADERS, "ET_..."),
    TOP(header.machine, "machine", HF_ELF_HEADERS, "EM_..."),
    TOP(entry_point, "entry_point", HF_ELF_HEADERS,
        "file offset where execution starts: executables by segments, others by sections"),
    TOP(header.sh_count, "number_of_sections", HF_ELF_HEADERS, "as the header says"),
    TOP(header.sh_offset, "sh_offset", HF_ELF_HEADERS, "file offset of the section headers"),
    TOP(header.sh_entry_size, "sh_entry_size", HF_ELF_HEADERS, "bytes of a section header"),
    TOP(header.ph_count, "number_of_segments", HF_ELF_HEADERS, "as the header says"),
    TOP(header.ph_offset, "ph_offset", HF_ELF_HEADERS, "file offset of the program headers"),
    TOP(header.ph_entry_size, "ph_entry_size", HF_ELF_HEADERS, "bytes of a program header"),
    HF_FACT_LIST(struct hf_elf, sections, "sections", HF_ELF_HEADERS, &section_record,
                 "none when the table does not lie wholly in the file"),
    HF_FACT_LIST(struct hf_elf, segments, "segments", HF_ELF_HEADERS, &segment_record,
                 "none when the table does not lie wholly in the file"),
    TOP(dynamic_entries, "dynamic_section_entries", HF_ELF_HEADERS,
        "of the last PT_DYNAMIC segment"),
    HF_FACT_LIST(struct hf_elf, dynamic, "dynamic", HF_ELF_HEADERS, &dynamic_record,
                 "the dynamic table, with its null entry"),
    TOP(symtab_entries, "symtab_entries", HF_ELF_SYMBOLS, "number of static symbols"),
    HF_FACT_LIST(struct hf_elf, symtab, "symtab", HF_ELF_SYMBOLS, &symbol_record,
                 "static symbols, found by section headers"),
    TOP(dynsym_entries, "dynsym_entries", HF_ELF_SYMBOLS, "number of dynamic symbols"),
    HF_FACT_LIST(struct hf_elf, dynsym, "dynsym", HF_ELF_SYMBOLS, &symbol_record,
                 "dynamic symbols, found by section headers"),
    HF_FACT_CALL("telfhash", "", HF_FACT_STRING, hf_elf_call_telfhash,
                 "TLSH of the names of visible global functions; empty when they are too few"),
    HF_FACT_CALL("import_md5", "", HF_FACT_STRING, hf_elf_call_import_md5,
                 "MD5 of the names of imported symbols, lower-case digits"),

    /* Holdfast's own. */
    TOP(header.bits, "bits", HF_ELF_HEADERS, "32 or 64"),
    TOP(header.big, "big_endian", HF_ELF_HEADERS, "most significant byte first"),
    TOP(header.os_abi, "os_abi", HF_ELF_HEADERS, "0 System V, 3 Linux, 9 FreeBSD, ..."),
    TOP(header.abi_version, "abi_version", HF_ELF_HEADERS, "of the ABI"),
    TOP(header.flags, "flags", HF_ELF_HEADERS, "meaning depends on the machine"),
    TOP(header.entry, "entry_address", HF_ELF_HEADERS, "virtual address; 0: none"),
    TOP(entry_offset, "entry_offset", HF_ELF_LOADER,
        "file offset of the entry as the loader maps it, whatever the file's type"),
    TOP(section_table_count, "section_header_count", HF_ELF_TABLES,
        "announced, extended numbering included"),
    HF_FACT_LIST(struct hf_elf, section_table, "section_headers", HF_ELF_TABLES,
                 &section_table_record, "whole entries in the file, at the announced distance"),
    TOP(segment_table_count, "program_header_count", HF_ELF_TABLES,
        "announced, extended numbering included"),
    HF_FACT_LIST(struct hf_elf, segment_table, "program_headers", HF_ELF_TABLES, &segment_record,
                 "whole entries in the file, at the announced distance"),
    TOP(interpreter, "interpreter", HF_ELF_LOADER, "path of the program that loads this one"),
    HF_FACT_SCALARS(struct hf_elf, needed, "needed", HF_ELF_LOADER, struct hf_bytes,
                    "names of needed libraries, in order"),
    TOP(soname, "soname", HF_ELF_LOADER, "the library's own name"),
    TOP(rpath, "rpath", HF_ELF_LOADER, "search path, old form"),
    TOP(runpath, "runpath", HF_ELF_LOADER, "search path"),
    HF_FACT_LIST(struct hf_elf, dynamic_symbols, "dynamic_symbols", HF_ELF_LOADER, &symbol_record,
                 "found by the dynamic table: also in files without section headers"),
    HF_FACT_LIST(struct hf_elf, notes, "notes", HF_ELF_NOTES, &note_record, "in file order"),
    TOP(build_id, "build_id", HF_ELF_NOTES, "lower-case digits of the GNU build id"),
};
/* clang-format on */
static const struct hf_fact_record elf_record =
    HF_FACT_TABLE("elf", struct hf_elf, elf_rows);

static enum hf_status parse_group(struct hf_facts *facts, void *state, unsigned group)
{
    static enum hf_status (*const parsers[])(struct hf_facts *, struct hf_elf *) = {
        [HF_ELF_HEADERS] = hf_elf_parse_headers, [HF_ELF_SYMBOLS] = hf_elf_parse_symbols,
        [HF_ELF_TABLES] = hf_elf_parse_tables,   [HF_ELF_LOADER] = hf_elf_parse_loader,
        [HF_ELF_NOTES] = hf_elf_parse_notes,
    };
    return parsers[group](facts, state);
}

static const char *const group_names[HF_ELF_GROUPS + 1] = {
    [HF_ELF_HEADERS] = "headers", [HF_ELF_SYMBOLS] = "symbols",
    [HF_ELF_TABLES] = "tables",   [HF_ELF_LOADER] = "dynamic table",
    [HF_ELF_NOTES] = "notes",
};

static const struct hf_fact_naming namings[] = {
    {&elf_record, "type", "ET_", NULL, false},
    {&elf_record, "machine", "EM_", NULL, false},
    {&section_record, "type", "SHT_", NULL, false},
    {&section_record, "flags", "SHF_", NULL, true},
    {&section_table_record, "type", "SHT_", NULL, false},
    {&section_table_record, "flags", "SHF_", NULL, true},
    {&segment_record, "type", "PT_", NULL, false},
    {&segment_record, "flags", "PF_", NULL, true},
    {&dynamic_record, "type", "DT_", NULL, false},
    {&symbol_record, "type", "STT_", NULL, false},
    {&symbol_record, "bind", "STB_", NULL, false},
};

const struct hf_fact_module hf_elf_module = {.name = "elf",
                                             .record = &elf_record,
                                             .group_count = HF_ELF_GROUPS,
                                             .parse = parse_group,
                                             .group_names = group_names,
                                             .namings = namings,
                                             .naming_count =
                                                 sizeof namings / sizeof *namings};
