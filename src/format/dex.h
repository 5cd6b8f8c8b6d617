/* dex.h - Dalvik executables: records header, tables, classes, fields and methods; verifies and
 * decides nothing. [DEX] is "Dalvik executable format" of the Android Open Source Project.
 *
 * Facts and their limits are those of YARA 4.5's dex module, which stops reading at the first
 * table that does not lie in the file. */
#ifndef HF_FORMAT_DEX_H
#define HF_FORMAT_DEX_H

#include "facts/facts.h"

enum hf_dex_group {
    HF_DEX_TABLES = 1,  /* header, strings, types, prototypes, fields, methods, map */
    HF_DEX_CLASSES = 2, /* class definitions with the fields and methods that they define */
    HF_DEX_GROUPS = 2
};

struct hf_dex_header {
    struct hf_bytes magic, signature; /* up to a zero byte */
    uint32_t checksum, file_size, header_size, endian_tag, link_size, link_offset,
        map_offset;
    struct hf_dex_table {
        uint32_t size, offset;
    } strings, types, protos, fields, methods, classes, data;
};

struct hf_dex_string {
    struct hf_optional offset, size;
    struct hf_bytes value; /* size bytes, though size counts UTF-16 units: as YARA has it */
};

struct hf_dex_type {
    uint32_t descriptor;
};

struct hf_dex_proto {
    uint32_t shorty, return_type, parameters_offset;
};

/* Of a field: class, type, name; of a method: class, prototype, name. */
struct hf_dex_member_id {
    uint16_t class_index, type_index;
    uint32_t name_index;
};

struct hf_dex_map_item {
    uint16_t type, unused;
    uint32_t size, offset;
};

struct hf_dex_class {
    uint32_t class_index, access_flags, super_class, interfaces_offset, source_file,
        annotations_offset, data_offset, static_values_offset;
};

struct hf_dex_class_data {
    uint32_t static_fields, instance_fields, direct_methods, virtual_methods;
};

struct hf_dex_field {
    struct hf_bytes class_name, name, proto;
    uint32_t index_diff, access_flags;
};

struct hf_dex_code {
    struct hf_optional registers, ins, outs, tries, debug_offset, instruction_count,
        padding;
    struct hf_bytes instructions;
};

struct hf_dex_method {
    struct hf_bytes class_name, name, proto;
    uint32_t index_diff, access_flags, code_offset;
    uint8_t direct, virtual;
    struct hf_dex_code code;
};

struct hf_dex {
    struct hf_dex_header header;
    struct hf_fact_list strings, types, protos, field_ids, method_ids;
    struct hf_dex_map {
        struct hf_optional size;
        struct hf_fact_list items;
    } map;
    bool tables_whole; /* else YARA stops before the classes */
    struct hf_fact_list classes, class_data, fields, methods;
    struct hf_optional field_count, method_count;
};

extern const struct hf_fact_module hf_dex_module;

#endif
