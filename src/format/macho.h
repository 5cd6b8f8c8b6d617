/* macho.h - Mach-O parser, single and universal ("fat") files: records headers, segments, sections
 * and what the loader is told; matches and decides nothing. [MACHO] is Apple's <mach-o/loader.h>
 * and <mach-o/fat.h>. Facts under YARA's names mean what YARA 4.5 means. */
#ifndef HF_FORMAT_MACHO_H
#define HF_FORMAT_MACHO_H

#include "facts/facts.h"

enum hf_macho_group { HF_MACHO_FILE = 1, HF_MACHO_FAT = 2, HF_MACHO_GROUPS = 2 };

struct hf_macho_section {
    struct hf_bytes name, segment; /* up to 16 bytes, cut at a zero */
    uint64_t address, size;
    uint32_t offset, alignment, reloc_offset, reloc_count, flags, reserved1, reserved2;
    struct hf_optional reserved3; /* 64 bits only */
};

struct hf_macho_segment {
    struct hf_bytes name;
    uint64_t address, memory_size, offset, file_size;
    uint32_t max_protection, initial_protection, section_count, flags;
    struct hf_fact_list sections;
};

/* One program. Everything is undefined in one that is not there. */
struct hf_macho_file {
    uint64_t at; /* where it starts in the object */
    struct hf_optional magic, cpu_type, cpu_subtype, file_type, command_count,
        commands_size, flags, reserved, segment_count, entry_point, stack_size;
    struct hf_fact_list segments;
    /* Not YARA's. */
    struct hf_fact_list libraries, search_paths; /* struct hf_bytes */
    struct hf_bytes linker, uuid;                /* uuid: lower-case digits */
    struct hf_optional signature_offset, signature_size;
};

struct hf_macho_arch {
    uint32_t cpu_type, cpu_subtype, alignment;
    uint64_t offset, size;
};

struct hf_macho {
    struct hf_macho_file single;
    struct hf_optional fat_magic, arch_count;
    struct hf_fact_list archs, files; /* files[i] belongs to archs[i] */
};

extern const struct hf_fact_module hf_macho_module;

#endif
