#include "format/macho_internal.h"

/* The schema of Mach-O facts; names and meanings are YARA's [yara 4.5
 * libyara/modules/macho/macho.c] but for those at the end of a program's rows. */

/* clang-format off */
#define SECTION(M, NAME, HELP) HF_FACT_SCALAR(struct hf_macho_section, M, NAME, 0, HELP)
static const struct hf_fact_field section_rows[] = {
    SECTION(name, "sectname", "up to 16 bytes"),
    SECTION(segment, "segname", "the segment it belongs to"),
    SECTION(address, "addr", "virtual address"),
    SECTION(size, "size", "bytes"),
    SECTION(offset, "offset", "in the program; may lie past its end"),
    SECTION(alignment, "align", "power of two"),
    SECTION(reloc_offset, "reloff", "offset of relocations"),
    SECTION(reloc_count, "nreloc", "number of relocations"),
    SECTION(flags, "flags", "S_... type and attributes"),
    SECTION(reserved1, "reserved1", "meaning depends on the type"),
    SECTION(reserved2, "reserved2", "meaning depends on the type"),
    SECTION(reserved3, "reserved3", "64-bit programs only"),
};
static const struct hf_fact_record section_record =
    HF_FACT_TABLE("section", struct hf_macho_section, section_rows);

#define SEGMENT(M, NAME, HELP) HF_FACT_SCALAR(struct hf_macho_segment, M, NAME, 0, HELP)
static const struct hf_fact_field segment_rows[] = {
    SEGMENT(name, "segname", "up to 16 bytes"),
    SEGMENT(address, "vmaddr", "virtual address"),
    SEGMENT(memory_size, "vmsize", "bytes in memory"),
    SEGMENT(offset, "fileoff", "in the program; may lie past its end"),
    SEGMENT(file_size, "fsize", "bytes in the file"),
    SEGMENT(max_protection, "maxprot", "1 read, 2 write, 4 execute"),
    SEGMENT(initial_protection, "initprot", "1 read, 2 write, 4 execute"),
    SEGMENT(section_count, "nsects", "as the command says"),
    SEGMENT(flags, "flags", "SG_... bits"),
    HF_FACT_LIST(struct hf_macho_segment, sections, "sections", 0, &section_record, "in order"),
};
static const struct hf_fact_record segment_record =
    HF_FACT_TABLE("segment", struct hf_macho_segment, segment_rows);

/* The same rows serve the single program and those of a universal file. */
#define FILE_ROWS(S, P, GROUP)                                                                    \
    HF_FACT_SCALAR(S, P magic, "magic", GROUP, "MH_..., read in little-endian order"),           \
    HF_FACT_SCALAR(S, P cpu_type, "cputype", GROUP, "CPU_TYPE_..."),                             \
    HF_FACT_SCALAR(S, P cpu_subtype, "cpusubtype", GROUP, "CPU_SUBTYPE_..."),                    \
    HF_FACT_SCALAR(S, P file_type, "filetype", GROUP, "MH_OBJECT, MH_EXECUTE, ..."),             \
    HF_FACT_SCALAR(S, P command_count, "ncmds", GROUP, "load commands, as the header says"),     \
    HF_FACT_SCALAR(S, P commands_size, "sizeofcmds", GROUP, "bytes, as the header says"),        \
    HF_FACT_SCALAR(S, P flags, "flags", GROUP, "MH_... bits"),                                   \
    HF_FACT_SCALAR(S, P reserved, "reserved", GROUP, "64-bit programs only"),                    \
    HF_FACT_SCALAR(S, P segment_count, "number_of_segments", GROUP, "segment commands"),         \
    HF_FACT_LIST(S, P segments, "segments", GROUP, &segment_record, "in order"),                 \
    HF_FACT_SCALAR(S, P entry_point, "entry_point", GROUP, "offset in the program"),             \
    HF_FACT_SCALAR(S, P stack_size, "stack_size", GROUP, "bytes; 0: the default"),               \
    HF_FACT_SCALARS(S, P libraries, "libraries", GROUP, struct hf_bytes, "needed libraries"),    \
    HF_FACT_SCALARS(S, P search_paths, "rpaths", GROUP, struct hf_bytes, "where they are searched"), \
    HF_FACT_SCALAR(S, P linker, "dynamic_linker", GROUP, "path of the dynamic linker"),          \
    HF_FACT_SCALAR(S, P uuid, "uuid", GROUP, "of the build, lower-case digits"),                 \
    HF_FACT_SCALAR(S, P signature_offset, "signature_offset", GROUP, "of the code signature"),   \
    HF_FACT_SCALAR(S, P signature_size, "signature_size", GROUP, "of the code signature")

static const struct hf_fact_field file_rows[] = {FILE_ROWS(struct hf_macho_file, , 0)};
static const struct hf_fact_record file_record =
    HF_FACT_TABLE("file", struct hf_macho_file, file_rows);

#define ARCH(M, NAME, HELP) HF_FACT_SCALAR(struct hf_macho_arch, M, NAME, 0, HELP)
static const struct hf_fact_field arch_rows[] = {
    ARCH(cpu_type, "cputype", "CPU_TYPE_..."),
    ARCH(cpu_subtype, "cpusubtype", "CPU_SUBTYPE_..."),
    ARCH(offset, "offset", "file offset of the program"),
    ARCH(size, "size", "bytes of the program"),
    ARCH(alignment, "align", "power of two"),
};
static const struct hf_fact_record arch_record =
    HF_FACT_TABLE("fat_arch", struct hf_macho_arch, arch_rows);

static const struct hf_fact_field macho_rows[] = {
    HF_FACT_CONSTANT("MH_MAGIC", 0xfeedface, "magic number"),
    HF_FACT_CONSTANT("MH_CIGAM", 0xcefaedfe, "magic number"),
    HF_FACT_CONSTANT("MH_MAGIC_64", 0xfeedfacf, "magic number"),
    HF_FACT_CONSTANT("MH_CIGAM_64", 0xcffaedfe, "magic number"),
    HF_FACT_CONSTANT("FAT_MAGIC", 0xcafebabe, "magic number"),
    HF_FACT_CONSTANT("FAT_CIGAM", 0xbebafeca, "magic number"),
    HF_FACT_CONSTANT("FAT_MAGIC_64", 0xcafebabf, "magic number"),
    HF_FACT_CONSTANT("FAT_CIGAM_64", 0xbfbafeca, "magic number"),
    HF_FACT_CONSTANT("CPU_ARCH_ABI64", 0x1000000, "flag of cputype: 64 bits"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_LIB64", 0x80000000, "flag of cpusubtype: 64-bit libraries"),
    HF_FACT_CONSTANT("CPU_TYPE_MC680X0", 6, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_X86", 7, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_I386", 7, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_X86_64", 0x1000007, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_MIPS", 8, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_MC98000", 10, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_ARM", 12, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_ARM64", 0x100000c, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_MC88000", 13, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_SPARC", 14, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_POWERPC", 18, "cputype"),
    HF_FACT_CONSTANT("CPU_TYPE_POWERPC64", 0x1000012, "cputype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_INTEL_MODEL_ALL", 0, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_386", 3, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_I386_ALL", 3, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_X86_64_ALL", 3, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_486", 4, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_486SX", 132, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_586", 5, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENT", 5, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTPRO", 22, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTII_M3", 54, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTII_M5", 86, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_CELERON", 103, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_CELERON_MOBILE", 119, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTIUM_3", 8, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTIUM_3_M", 24, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTIUM_3_XEON", 40, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTIUM_M", 9, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTIUM_4", 10, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_PENTIUM_4_M", 26, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ITANIUM", 11, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ITANIUM_2", 27, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_XEON", 12, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_XEON_MP", 28, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_ALL", 0, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V4T", 5, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V6", 6, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V5", 7, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V5TEJ", 7, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_XSCALE", 8, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V7", 9, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V7F", 10, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V7S", 11, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V7K", 12, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V6M", 14, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V7M", 15, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM_V7EM", 16, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_ARM64_ALL", 0, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_SPARC_ALL", 0, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_ALL", 0, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_MC980000_ALL", 0, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_601", 1, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_MC98601", 1, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_602", 2, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_603", 3, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_603e", 4, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_603ev", 5, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_604", 6, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_604e", 7, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_620", 8, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_750", 9, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_7400", 10, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_7450", 11, "cpusubtype"),
    HF_FACT_CONSTANT("CPU_SUBTYPE_POWERPC_970", 100, "cpusubtype"),
    HF_FACT_CONSTANT("MH_OBJECT", 1, "filetype"),
    HF_FACT_CONSTANT("MH_EXECUTE", 2, "filetype"),
    HF_FACT_CONSTANT("MH_FVMLIB", 3, "filetype"),
    HF_FACT_CONSTANT("MH_CORE", 4, "filetype"),
    HF_FACT_CONSTANT("MH_PRELOAD", 5, "filetype"),
    HF_FACT_CONSTANT("MH_DYLIB", 6, "filetype"),
    HF_FACT_CONSTANT("MH_DYLINKER", 7, "filetype"),
    HF_FACT_CONSTANT("MH_BUNDLE", 8, "filetype"),
    HF_FACT_CONSTANT("MH_DYLIB_STUB", 9, "filetype"),
    HF_FACT_CONSTANT("MH_DSYM", 10, "filetype"),
    HF_FACT_CONSTANT("MH_KEXT_BUNDLE", 11, "filetype"),
    HF_FACT_CONSTANT("MH_NOUNDEFS", 1, "bit of flags"),
    HF_FACT_CONSTANT("MH_INCRLINK", 2, "bit of flags"),
    HF_FACT_CONSTANT("MH_DYLDLINK", 4, "bit of flags"),
    HF_FACT_CONSTANT("MH_BINDATLOAD", 8, "bit of flags"),
    HF_FACT_CONSTANT("MH_PREBOUND", 16, "bit of flags"),
    HF_FACT_CONSTANT("MH_SPLIT_SEGS", 32, "bit of flags"),
    HF_FACT_CONSTANT("MH_LAZY_INIT", 64, "bit of flags"),
    HF_FACT_CONSTANT("MH_TWOLEVEL", 128, "bit of flags"),
    HF_FACT_CONSTANT("MH_FORCE_FLAT", 0x100, "bit of flags"),
    HF_FACT_CONSTANT("MH_NOMULTIDEFS", 0x200, "bit of flags"),
    HF_FACT_CONSTANT("MH_NOFIXPREBINDING", 0x400, "bit of flags"),
    HF_FACT_CONSTANT("MH_PREBINDABLE", 0x800, "bit of flags"),
    HF_FACT_CONSTANT("MH_ALLMODSBOUND", 0x1000, "bit of flags"),
    HF_FACT_CONSTANT("MH_SUBSECTIONS_VIA_SYMBOLS", 0x2000, "bit of flags"),
    HF_FACT_CONSTANT("MH_CANONICAL", 0x4000, "bit of flags"),
    HF_FACT_CONSTANT("MH_WEAK_DEFINES", 0x8000, "bit of flags"),
    HF_FACT_CONSTANT("MH_BINDS_TO_WEAK", 0x10000, "bit of flags"),
    HF_FACT_CONSTANT("MH_ALLOW_STACK_EXECUTION", 0x20000, "bit of flags"),
    HF_FACT_CONSTANT("MH_ROOT_SAFE", 0x40000, "bit of flags"),
    HF_FACT_CONSTANT("MH_SETUID_SAFE", 0x80000, "bit of flags"),
    HF_FACT_CONSTANT("MH_NO_REEXPORTED_DYLIBS", 0x100000, "bit of flags"),
    HF_FACT_CONSTANT("MH_PIE", 0x200000, "bit of flags"),
    HF_FACT_CONSTANT("MH_DEAD_STRIPPABLE_DYLIB", 0x400000, "bit of flags"),
    HF_FACT_CONSTANT("MH_HAS_TLV_DESCRIPTORS", 0x800000, "bit of flags"),
    HF_FACT_CONSTANT("MH_NO_HEAP_EXECUTION", 0x1000000, "bit of flags"),
    HF_FACT_CONSTANT("MH_APP_EXTENSION_SAFE", 0x2000000, "bit of flags"),
    HF_FACT_CONSTANT("SG_HIGHVM", 1, "bit of a segment's flags"),
    HF_FACT_CONSTANT("SG_FVMLIB", 2, "bit of a segment's flags"),
    HF_FACT_CONSTANT("SG_NORELOC", 4, "bit of a segment's flags"),
    HF_FACT_CONSTANT("SG_PROTECTED_VERSION_1", 8, "bit of a segment's flags"),
    HF_FACT_CONSTANT("SECTION_TYPE", 255, "mask of a section's type in its flags"),
    HF_FACT_CONSTANT("SECTION_ATTRIBUTES", 0xffffff00, "mask of a section's attributes in its flags"),
    HF_FACT_CONSTANT("S_REGULAR", 0, "type of a section"),
    HF_FACT_CONSTANT("S_ZEROFILL", 1, "type of a section"),
    HF_FACT_CONSTANT("S_CSTRING_LITERALS", 2, "type of a section"),
    HF_FACT_CONSTANT("S_4BYTE_LITERALS", 3, "type of a section"),
    HF_FACT_CONSTANT("S_8BYTE_LITERALS", 4, "type of a section"),
    HF_FACT_CONSTANT("S_LITERAL_POINTERS", 5, "type of a section"),
    HF_FACT_CONSTANT("S_NON_LAZY_SYMBOL_POINTERS", 6, "type of a section"),
    HF_FACT_CONSTANT("S_LAZY_SYMBOL_POINTERS", 7, "type of a section"),
    HF_FACT_CONSTANT("S_SYMBOL_STUBS", 8, "type of a section"),
    HF_FACT_CONSTANT("S_MOD_INIT_FUNC_POINTERS", 9, "type of a section"),
    HF_FACT_CONSTANT("S_MOD_TERM_FUNC_POINTERS", 10, "type of a section"),
    HF_FACT_CONSTANT("S_COALESCED", 11, "type of a section"),
    HF_FACT_CONSTANT("S_GB_ZEROFILL", 12, "type of a section"),
    HF_FACT_CONSTANT("S_INTERPOSING", 13, "type of a section"),
    HF_FACT_CONSTANT("S_16BYTE_LITERALS", 14, "type of a section"),
    HF_FACT_CONSTANT("S_DTRACE_DOF", 15, "type of a section"),
    HF_FACT_CONSTANT("S_LAZY_DYLIB_SYMBOL_POINTERS", 16, "type of a section"),
    HF_FACT_CONSTANT("S_THREAD_LOCAL_REGULAR", 17, "type of a section"),
    HF_FACT_CONSTANT("S_THREAD_LOCAL_ZEROFILL", 18, "type of a section"),
    HF_FACT_CONSTANT("S_THREAD_LOCAL_VARIABLES", 19, "type of a section"),
    HF_FACT_CONSTANT("S_THREAD_LOCAL_VARIABLE_POINTERS", 20, "type of a section"),
    HF_FACT_CONSTANT("S_THREAD_LOCAL_INIT_FUNCTION_POINTERS", 21, "type of a section"),
    HF_FACT_CONSTANT("S_ATTR_PURE_INSTRUCTIONS", 0x80000000, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_NO_TOC", 0x40000000, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_STRIP_STATIC_SYMS", 0x20000000, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_NO_DEAD_STRIP", 0x10000000, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_LIVE_SUPPORT", 0x8000000, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_SELF_MODIFYING_CODE", 0x4000000, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_DEBUG", 0x2000000, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_SOME_INSTRUCTIONS", 0x400, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_EXT_RELOC", 0x200, "bit of a section's flags"),
    HF_FACT_CONSTANT("S_ATTR_LOC_RELOC", 0x100, "bit of a section's flags"),

    FILE_ROWS(struct hf_macho, single., HF_MACHO_FILE),
    HF_FACT_SCALAR(struct hf_macho, fat_magic, "fat_magic", HF_MACHO_FAT, "FAT_..., read in big-endian order"),
    HF_FACT_SCALAR(struct hf_macho, arch_count, "nfat_arch", HF_MACHO_FAT, "programs, as the header says"),
    HF_FACT_LIST(struct hf_macho, archs, "fat_arch", HF_MACHO_FAT, &arch_record, "the table of programs"),
    HF_FACT_LIST(struct hf_macho, files, "file", HF_MACHO_FAT, &file_record, "the programs"),
    HF_FACT_CALL("file_index_for_arch", "i", HF_FACT_INT, hf_macho_call_index, "index in file of the program for a cputype"),
    HF_FACT_CALL("file_index_for_arch", "ii", HF_FACT_INT, hf_macho_call_index_subtype, "index in file of the program for a cputype and cpusubtype"),
    HF_FACT_CALL("entry_point_for_arch", "i", HF_FACT_INT, hf_macho_call_entry, "file offset of the entry point for a cputype"),
    HF_FACT_CALL("entry_point_for_arch", "ii", HF_FACT_INT, hf_macho_call_entry_subtype, "file offset of the entry point for a cputype and cpusubtype"),
};
/* clang-format on */
static const struct hf_fact_record macho_record =
    HF_FACT_TABLE("macho", struct hf_macho, macho_rows);

static enum hf_status parse_group(struct hf_facts *facts, void *state, unsigned group)
{
    return group == HF_MACHO_FILE ? hf_macho_parse_file(facts, state)
                                  : hf_macho_parse_fat(facts, state);
}

static const struct hf_fact_naming namings[] = {
    {&macho_record, "magic", NULL, "magic number", false},
    {&macho_record, "fat_magic", NULL, "magic number", false},
    {&macho_record, "cputype", "CPU_TYPE_", NULL, false},
    {&macho_record, "filetype", "MH_", "filetype", false},
    {&macho_record, "flags", "MH_", "bit of flags", true},
    {&file_record, "magic", NULL, "magic number", false},
    {&file_record, "cputype", "CPU_TYPE_", NULL, false},
    {&file_record, "filetype", "MH_", "filetype", false},
    {&file_record, "flags", "MH_", "bit of flags", true},
    {&arch_record, "cputype", "CPU_TYPE_", NULL, false},
    {&segment_record, "flags", "SG_", NULL, true},
    {&section_record, "flags", "S_ATTR_", NULL, true},
};

const struct hf_fact_module hf_macho_module = {
    .name = "macho",
    .record = &macho_record,
    .group_count = HF_MACHO_GROUPS,
    .parse = parse_group,
    .namings = namings,
    .naming_count = sizeof namings / sizeof *namings,
};
