/* elf.h - Executable and Linkable Format parser: records what headers, tables, symbols and notes
 * of a Unix program say; matches and decides nothing. [gABI] is the System V "Generic ABI", the
 * chapters on object files and dynamic linking; [LSB] the Linux Standard Base, core.
 *
 * Both classes and byte orders. Facts under YARA's names mean what YARA 4.5 means, down to what
 * it refuses to read; what the loader and binutils see besides (tables with odd entry sizes, cut
 * tables, strings behind virtual addresses) stands under names of its own. Entry points and
 * address mapping of the different readers are small functions in elf_dialect.c. */
#ifndef HF_FORMAT_ELF_H
#define HF_FORMAT_ELF_H

#include "facts/facts.h"

enum hf_elf_group {
    HF_ELF_HEADERS = 1, /* header, sections, segments, dynamic table, as YARA reads them */
    HF_ELF_SYMBOLS =
        2, /* symtab and dynsym, found by section headers, as YARA reads them */
    HF_ELF_TABLES =
        3, /* section and program headers as binutils and the loader read them */
    HF_ELF_LOADER = 4, /* what the dynamic loader reads: interpreter, libraries, symbols */
    HF_ELF_NOTES = 5,  /* notes and build id */
    HF_ELF_GROUPS = 5
};

/* Numbers of the format that the parser itself needs. [gABI] */
enum {
    HF_ELF_ET_REL = 1,
    HF_ELF_ET_EXEC = 2,
    HF_ELF_ET_DYN = 3,
    HF_ELF_ET_CORE = 4,
    HF_ELF_SHT_NULL = 0,
    HF_ELF_SHT_SYMTAB = 2,
    HF_ELF_SHT_STRTAB = 3,
    HF_ELF_SHT_NOTE = 7,
    HF_ELF_SHT_NOBITS = 8,
    HF_ELF_SHT_DYNSYM = 11,
    HF_ELF_PT_LOAD = 1,
    HF_ELF_PT_DYNAMIC = 2,
    HF_ELF_PT_INTERP = 3,
    HF_ELF_PT_NOTE = 4,
    HF_ELF_SHN_UNDEF = 0,
    HF_ELF_SHN_LORESERVE = 0xff00,
    HF_ELF_SHN_XINDEX = 0xffff,
    HF_ELF_PN_XNUM = 0xffff,
    HF_ELF_STB_GLOBAL = 1,
    HF_ELF_STT_FUNC = 2,
    HF_ELF_NT_GNU_BUILD_ID = 3
};

struct hf_elf_section {
    uint32_t name_index, type, link, info;
    uint64_t flags, address, offset, size, alignment, entry_size;
    struct hf_bytes name; /* NULL: undefined */
};

struct hf_elf_segment {
    uint32_t type, flags;
    uint64_t offset, virtual_address, physical_address, file_size, memory_size, alignment;
};

struct hf_elf_dynamic {
    uint64_t type, value;
};

struct hf_elf_symbol {
    struct hf_bytes name; /* NULL: undefined */
    uint64_t value, size;
    uint16_t shndx;
    uint8_t type, bind, visibility;
};

struct hf_elf_note {
    struct hf_bytes owner;       /* without its terminator */
    struct hf_bytes description; /* borrowed from the file */
    uint64_t offset;             /* of the description in the file */
    uint32_t type;
};

/* The raw header, whole. */
struct hf_elf_header {
    uint8_t bits; /* 32 or 64 */
    bool big;     /* most significant byte first */
    uint8_t os_abi, abi_version;
    uint16_t type, machine, header_size;
    uint32_t version, flags;
    uint64_t entry, ph_offset, sh_offset;
    uint16_t ph_entry_size, ph_count, sh_entry_size, sh_count, names_index;
};

struct hf_elf {
    /* HF_ELF_HEADERS */
    struct hf_elf_header header;
    struct hf_optional entry_point; /* file offset, YARA's rule */
    struct hf_fact_list sections, segments, dynamic;
    struct hf_optional dynamic_entries;
    /* HF_ELF_SYMBOLS */
    struct hf_fact_list symtab, dynsym;
    struct hf_optional symtab_entries, dynsym_entries;
    /* HF_ELF_TABLES */
    struct hf_fact_list section_table, segment_table;
    uint64_t section_table_count,
        segment_table_count; /* as announced, extensions included */
    /* HF_ELF_LOADER */
    struct hf_optional entry_offset; /* file offset behind the entry address */
    struct hf_bytes interpreter, soname, rpath, runpath;
    struct hf_fact_list needed; /* struct hf_bytes */
    struct hf_fact_list dynamic_symbols;
    /* HF_ELF_NOTES */
    struct hf_fact_list notes;
    struct hf_bytes build_id; /* lower-case digits */
    /* memoised by elf_hash.c */
    struct hf_bytes telfhash, import_md5;
};

extern const struct hf_fact_module hf_elf_module;

/* Where execution starts, as a file offset, by YARA's rule: an executable's through its program
 * headers, anything else's through its sections, counted by the sizes that YARA expects.
 * Undefined when the table does not lie wholly in the file or nothing holds the address. May
 * point past the end of the file. [yara 4.5 libyara/modules/elf/elf.c] */
struct hf_optional hf_elf_entry_yara(const struct hf_cursor *file,
                                     const struct hf_elf_header *header);

/* The file offset behind a virtual address, as the kernel and the dynamic loader map it: by the
 * PT_LOAD segments and their file sizes. Needs HF_ELF_TABLES. left (may be NULL) receives the
 * bytes from there to the end of the segment or the file. Undefined when the address has no byte
 * in the file. */
struct hf_optional hf_elf_offset_of_address(const struct hf_elf *elf,
                                            const struct hf_cursor *file, uint64_t address,
                                            uint64_t *left);

/* What ClamAV makes of a file with ELF magic: whether it alerts on it as broken, and else the entry point for
 * signatures at EP+n as a file offset, undefined when there is none. */
struct hf_elf_clamav {
    bool broken;
    struct hf_optional entry;
};
struct hf_elf_clamav hf_elf_clamav(const struct hf_cursor *file);

#endif
