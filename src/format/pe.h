/* pe.h - Portable Executable parser: records what the headers, tables and resources of a Windows
 * program say; matches and decides nothing. [PE] is Microsoft's "PE Format", [CORKAMI] the notes
 * of Ange Albertini on what loaders accept beyond it.
 *
 * Fields are kept raw. What the Windows loader, YARA and ClamAV read differently out of the same
 * fields (entry point, section extents, address mapping, broken or not) are small functions in
 * pe_dialect.c, each naming its source. Facts under YARA's names mean what YARA 4.5 means.
 *
 * Groups are parsed when asked for, see enum hf_pe_group. */
#ifndef HF_FORMAT_PE_H
#define HF_FORMAT_PE_H

#include "facts/facts.h"
#include "format/authenticode.h"

enum hf_pe_group {
    HF_PE_HEADERS = 1, /* headers, sections, data directories, overlay */
    HF_PE_IMPORTS = 2, /* regular and delayed */
    HF_PE_EXPORTS = 3,
    HF_PE_RESOURCES = 4,  /* tree, version information, icons */
    HF_PE_SIGNATURES = 5, /* Authenticode */
    HF_PE_DEBUG = 6,      /* rich header, debug directory, path of the PDB */
    HF_PE_LOADER = 7,     /* TLS, relocations, load configuration, bound imports */
    HF_PE_IDENTITY = 8,   /* is_pe, defined for every object */
    HF_PE_GROUPS = 8
};

/* Most of each that is read; more is HF_LIMIT with what came before kept. What YARA limits ends
 * where YARA's ends (see also struct hf_pe_yara_rules). */
enum {
    HF_PE_SECTIONS_MAX = 96,     /* [PE] "Section Table"; ClamAV and YARA agree */
    HF_PE_LIBRARIES_MAX = 16384, /* import descriptors */
    HF_PE_FUNCTIONS_MAX =
        16384, /* imported functions of one 64-bit library, or of all 32-bit */
    HF_PE_ALL_FUNCTIONS_MAX =
        65536,                  /* imported functions altogether; YARA has no such limit */
    HF_PE_THUNKS_MAX = 1 << 19, /* import table entries looked at, valid or not */
    HF_PE_NODES_MAX = 1 << 19,  /* resource directory entries looked at */
    HF_PE_VERSIONS_MAX = 65536, /* strings of version information */
    HF_PE_NAME_MAX = 65536,     /* bytes of a library's or section's name */
    HF_PE_DIRECTORIES = 16
};

enum hf_pe_directory_index {
    HF_PE_DIR_EXPORT,
    HF_PE_DIR_IMPORT,
    HF_PE_DIR_RESOURCE,
    HF_PE_DIR_EXCEPTION,
    HF_PE_DIR_SECURITY, /* its address is a file offset */
    HF_PE_DIR_RELOC,
    HF_PE_DIR_DEBUG,
    HF_PE_DIR_ARCHITECTURE,
    HF_PE_DIR_GLOBALPTR,
    HF_PE_DIR_TLS,
    HF_PE_DIR_LOAD_CONFIG,
    HF_PE_DIR_BOUND_IMPORT,
    HF_PE_DIR_IAT,
    HF_PE_DIR_DELAY_IMPORT,
    HF_PE_DIR_DOTNET,
    HF_PE_DIR_RESERVED
};

struct hf_pe_directory {
    uint32_t rva, size;
};

struct hf_pe_version {
    uint16_t major, minor;
};

struct hf_pe_linker_version {
    uint8_t major, minor;
};

/* Undefined when there is no resource tree. */
struct hf_pe_resource_version {
    struct hf_optional major, minor;
};

/* A section header, as it stands there. [PE "Section Table"] */
struct hf_pe_section {
    struct hf_bytes name; /* up to 8 bytes, zeros at the end removed */
    struct hf_bytes
        full_name; /* "/4" looked up in the string table; NULL: not resolvable */
    uint32_t virtual_size, rva;
    uint32_t raw_size, raw_offset;
    uint32_t relocations_offset, lines_offset;
    uint16_t relocations, lines;
    uint32_t flags;
};

/* A run of bytes of the file. Reported extents lie in the file, or `inside` is false. */
struct hf_pe_extent {
    uint64_t offset, size;
    bool inside;
};

struct hf_pe_function {
    struct hf_bytes
        name; /* ordinals of well-known libraries by their name, others as "ord12";
                           * NULL when a delayed import has none */
    struct hf_optional ordinal;
    struct hf_optional rva; /* of its slot in the address table */
};

struct hf_pe_library {
    struct hf_bytes name;
    uint32_t function_count;
    struct hf_fact_list functions; /* struct hf_pe_function */
};

struct hf_pe_export {
    uint32_t ordinal, rva;
    struct hf_optional offset;    /* in the file; none when forwarded or not mapped */
    struct hf_bytes name;         /* NULL: by ordinal only */
    struct hf_bytes forward_name; /* "NTDLL.RtlAllocateHeap"; NULL: not forwarded */
};

struct hf_pe_resource {
    uint32_t rva, length;
    struct hf_optional offset; /* in the file; none when not mapped */
    struct hf_optional type, id, language;
    struct hf_bytes type_string, name_string, language_string; /* UTF-16LE */
};

/* Strings of version information, narrowed as YARA does: the low byte of each unit. */
struct hf_pe_version_string {
    struct hf_bytes key, value; /* at most 63 and 255 bytes */
    uint64_t offset;            /* where the key begins in the file */
};

struct hf_pe_icon {
    struct hf_optional id, language;
    uint64_t offset;
    uint32_t length;
    uint32_t width, height, bits; /* height of the picture, without its mask */
    bool png;
};

struct hf_pe_rich {
    struct hf_optional offset, length, key;
    struct hf_bytes raw_data, clear_data, version_data; /* NULL: no rich header */
};

struct hf_pe_debug {
    uint32_t type, timestamp;
    uint32_t rva, raw_offset, size;
    struct hf_optional offset; /* where the data is in the file; none when outside */
};

struct hf_pe_tls {
    bool present;
    uint64_t raw_start, raw_end, index_address, callbacks_address; /* virtual addresses */
    struct hf_fact_list callbacks; /* uint64_t: relative virtual addresses */
};

struct hf_pe_relocations {
    uint32_t blocks, entries; /* whole blocks; entries without padding (type 0) */
    bool damaged;             /* a block was cut or too short */
};

struct hf_pe_load_config {
    bool present;
    uint32_t size, timestamp;
    uint64_t security_cookie, handler_table, handler_count, guard_check, guard_table,
        guard_count;
    uint32_t guard_flags;
};

struct hf_pe_bound_import {
    struct hf_bytes name;
    uint32_t timestamp;
    uint16_t forwarders;
};

enum hf_pe_yara { HF_PE_YARA_45, HF_PE_YARA_42 };

/* The state of the facts module "pe". */
struct hf_pe {
    enum hf_pe_yara
        yara; /* in: whose reading the facts follow; set before the first group */

    const struct hf_roots *roots; /* in: borrowed, NULL: none; that chains may end in */
    int64_t now;                  /* in: seconds since 1970; 0: the clock's */

    /* Where the parts are, in bytes from the file's start. */
    uint32_t nt_offset;       /* "PE\0\0" */
    uint64_t optional_offset; /* optional header */
    uint64_t section_table;
    uint64_t file_size;
    bool found; /* MZ and PE\0\0 were there: fields are filled in as far as the file goes */
    bool headers_whole; /* the optional header with 16 directories lies in the file */
    bool is_64;         /* optional header magic 0x20b */
    bool
        sections_whole; /* every section header up to HF_PE_SECTIONS_MAX lies in the file */
    bool sections_ordered; /* ascending addresses, no overlap: mapping may use a shortcut */
    uint32_t lowest_rva;   /* of any section; 0xffffffff without sections */

    /* COFF file header */
    uint16_t machine, section_count, optional_size, characteristics;
    uint32_t timestamp, symbols_offset, symbol_count;

    /* Optional header; in 32-bit images the narrower fields are widened. */
    uint16_t magic;
    struct hf_pe_linker_version linker_version;
    uint32_t size_of_code, size_of_initialized_data, size_of_uninitialized_data;
    uint32_t entry_rva, base_of_code;
    struct hf_optional base_of_data; /* 32-bit only */
    uint64_t image_base;
    uint32_t section_alignment, file_alignment;
    struct hf_pe_version os_version, image_version, subsystem_version;
    uint32_t win32_version, size_of_image, size_of_headers, checksum;
    uint16_t subsystem, dll_characteristics;
    uint64_t stack_reserve, stack_commit, heap_reserve, heap_commit;
    uint32_t loader_flags, directory_count; /* as the header says */

    /* All sixteen as they lie behind the header, whatever directory_count says; use
     * hf_pe_directory. The list shows those that directory_count admits. */
    struct hf_pe_directory directories[HF_PE_DIRECTORIES];
    struct hf_fact_list directory_list;
    struct hf_fact_list sections; /* struct hf_pe_section; whole headers, <= 96 */
    int64_t entry_offset;         /* of the entry point as YARA maps it, -1: nowhere */
    struct hf_pe_extent overlay;  /* {0, 0} when there is none */

    /* HF_PE_IMPORTS */
    struct hf_fact_list imports, delayed_imports; /* struct hf_pe_library */
    uint32_t import_count, imported_functions, delayed_count, delayed_functions;
    struct hf_bytes imphash; /* text; computed when first asked for */

    /* HF_PE_EXPORTS */
    struct hf_fact_list exports; /* struct hf_pe_export */
    uint32_t export_count;
    struct hf_bytes dll_name;
    struct hf_optional export_timestamp;

    /* HF_PE_RESOURCES */
    struct hf_fact_list resources; /* struct hf_pe_resource */
    struct hf_fact_list
        version_strings;       /* struct hf_pe_version_string, in order, all of them */
    struct hf_fact_list icons; /* struct hf_pe_icon */
    uint32_t resource_count, version_count;
    struct hf_optional resource_timestamp;
    struct hf_pe_resource_version resource_version;

    /* HF_PE_DEBUG */
    struct hf_pe_rich rich;
    struct hf_fact_list debug; /* struct hf_pe_debug */
    struct hf_bytes pdb_path;

    /* HF_PE_LOADER */
    struct hf_pe_tls tls;
    struct hf_pe_relocations relocations;
    struct hf_pe_load_config load_config;
    struct hf_fact_list bound_imports; /* struct hf_pe_bound_import */

    struct hf_authenticode authenticode; /* HF_PE_SIGNATURES */

    uint8_t is_pe; /* HF_PE_IDENTITY */
};

/* Where versions of YARA read the same file differently. Facts mean what 4.5 means; the rules of
 * 4.2 are there so that ours can be compared with Debian 12's yara to the last field. */
struct hf_pe_yara_rules {
    bool raw_is_mapped; /* a section maps as much as the larger of its two sizes */
    bool whole_sectors; /* raw offsets round down to 512 in paged images */
    bool
        names_are_checked; /* function names have a compiler's characters, libraries' ASCII */
    bool ordinals_are_checked; /* ordinals above 65535 are none */
    bool counts_all;           /* also what is not listed: broken libraries and functions */
    bool counted_directories;  /* directories past NumberOfRvaAndSizes are none */
    bool strict_resources;  /* empty and huge leaves are skipped, broken branches are too */
    bool undefined_offsets; /* exports outside the file have no offset, instead of -1 */
    bool empty_pdb_path;    /* an empty path is a path */
    uint16_t library_name_max;  /* bytes; 0: as long as it is */
    uint16_t resource_name_max; /* UTF-16 units */
    uint32_t exports_max, resources_max;
};
const struct hf_pe_yara_rules *hf_pe_yara_rules(const struct hf_pe *pe);

/* The facts module; its state is struct hf_pe. */
extern const struct hf_fact_module hf_pe_module;

/* The parser of each group, see struct hf_fact_module. HF_NOTFOUND when the object is no PE as
 * YARA defines it (hf_pe_yara_accepts); what could be read of the headers is kept all the same.
 * HF_TRUNCATED, HF_LIMIT, HF_NOMEM: what came before is kept. */
HF_MUST_USE enum hf_status hf_pe_parse(struct hf_facts *facts, void *state, unsigned group);

/*
 * Read the headers and sections of a file. [PE]
 *
 * file   the whole object; not advanced.
 * arena  owns the sections.
 * pe     zeroed; receives the headers.
 * Returns HF_OK; HF_NOTFOUND: no MZ with PE\0\0 behind it; HF_TRUNCATED: headers or section table
 * run past the file, whole sections are kept; HF_LIMIT, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_pe_read_headers(const struct hf_cursor *file,
                                              struct hf_arena *arena, struct hf_pe *pe);

/* Read one group's tables of a file whose headers were read. All return HF_OK also when the file
 * has nothing of the kind; HF_TRUNCATED, HF_LIMIT, HF_NOMEM with what came before kept. */
HF_MUST_USE enum hf_status hf_pe_read_imports(const struct hf_cursor *file,
                                              struct hf_arena *arena, struct hf_pe *pe);
HF_MUST_USE enum hf_status hf_pe_read_exports(const struct hf_cursor *file,
                                              struct hf_arena *arena, struct hf_pe *pe);
HF_MUST_USE enum hf_status hf_pe_read_resources(const struct hf_cursor *file,
                                                struct hf_arena *arena, struct hf_pe *pe);
HF_MUST_USE enum hf_status hf_pe_read_debug(const struct hf_cursor *file,
                                            struct hf_arena *arena, struct hf_pe *pe);
HF_MUST_USE enum hf_status hf_pe_read_loader(const struct hf_cursor *file,
                                             struct hf_arena *arena, struct hf_pe *pe);
HF_MUST_USE enum hf_status hf_pe_read_signatures(const struct hf_cursor *file,
                                                 struct hf_arena *arena, struct hf_pe *pe);

/* A data directory, whatever NumberOfRvaAndSizes and the header's size say: both may lie, and YARA
 * looks past them. NULL: none of that number, or not in the file. */
const struct hf_pe_directory *hf_pe_directory(const struct hf_pe *pe,
                                              enum hf_pe_directory_index index);

static inline const struct hf_pe_section *hf_pe_sections(const struct hf_pe *pe)
{
    return pe->sections.items;
}

/* ---- dialects (pe_dialect.c) ---- */

/* Whether YARA's pe module looks at the file at all: the whole optional header with its sixteen
 * directories lies in the file, whatever its size field says. [YARA 4.5, pe_get_header] */
bool hf_pe_yara_accepts(const struct hf_pe *pe);

/* Where YARA finds a relative virtual address in the file; -1: nowhere. [YARA 4.5,
 * pe_rva_to_offset] */
int64_t hf_pe_yara_offset(const struct hf_pe *pe, uint64_t rva);

/* Why the Windows loader would refuse the image, in a few words; NULL: nothing found that it
 * would refuse (of what the headers show: imports may still fail). [PE; CORKAMI; checks of
 * MiCreateImageFileMap as documented there] */
const char *hf_pe_loader_refuses(const struct hf_pe *pe);

/* Where the Windows loader would read the byte that lands at this address; -1: nowhere in the
 * file (not mapped, or mapped as zeros). */
int64_t hf_pe_loader_offset(const struct hf_pe *pe, uint64_t rva);

/* The bytes of section index that the Windows loader maps, clipped to the file. */
struct hf_pe_extent hf_pe_loader_section(const struct hf_pe *pe, size_t index);

/* The same as ClamAV has them: raw values aligned to the file alignment (512 when a section
 * starts at a multiple of 512 only), cut at the file's end: what .mdb hashes and S0+n count
 * from. [ClamAV 1.4, behaviour of cli_peheader] */
struct hf_pe_extent hf_pe_clamav_section(const struct hf_pe *pe, size_t index);

/* ClamAV's file offset of an address (EP+n); -1: none. [ClamAV 1.4, behaviour of cli_rawaddr] */
int64_t hf_pe_clamav_offset(const struct hf_pe *pe, uint64_t rva);

/* Why ClamAV would call it Heuristics.Broken.Executable; NULL: it would not. */
const char *hf_pe_clamav_broken(const struct hf_pe *pe);

/* ---- digests (pe_hash.c) ---- */

enum { HF_PE_AUTHENTICODE_PARTS = 4 };

/*
 * The byte ranges that an Authenticode digest covers: all but the checksum field, the security
 * directory's entry and the certificate table. [Microsoft, "Windows Authenticode Portable
 * Executable Signature Format", "Calculating the PE Image Hash"; sections in file order without
 * gaps, as in every image that signing tools produce]
 *
 * parts  receives up to HF_PE_AUTHENTICODE_PARTS ranges in file order, all inside the file.
 * Returns their number; 0 when the headers do not lie in the file.
 */
size_t hf_pe_authenticode_parts(const struct hf_pe *pe,
                                struct hf_pe_extent parts[HF_PE_AUTHENTICODE_PARTS]);

/* The text whose MD5 is the import hash ("kernel32.exitprocess,user32.messageboxa"), in the
 * arena; data NULL when out of memory. Needs HF_PE_IMPORTS. [Mandiant 2014; YARA's reading:
 * the first dot starts the extension, ordinals as hf_pe_ordinal_name has them] */
struct hf_bytes hf_pe_imphash_text(const struct hf_pe *pe, struct hf_arena *arena);

/* The checksum that [PE] wants in the header, over the whole file; false: out of budget. */
bool hf_pe_checksum(const struct hf_pe *pe, const struct hf_cursor *file,
                    uint64_t *checksum);

/* The name behind an ordinal of ws2_32, wsock32 or oleaut32 (by the library's name in any case);
 * NULL for all others. Those libraries are commonly imported by number, and import hashes want
 * the names. */
const char *hf_pe_ordinal_name(struct hf_bytes library, uint16_t ordinal);

#endif
