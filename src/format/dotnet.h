/* dotnet.h - .NET metadata inside PE files: records the metadata root, its streams and what the
 * tables say of the assembly, its references, resources and classes; verifies and decides
 * nothing. [CLI] is ECMA-335, "Common Language Infrastructure", sixth edition.
 *
 * Facts and their limits are those of YARA 4.5's dotnet module, with table layouts, coded
 * indexes and heap sizes as [CLI] has them. Where 4.2 reads the same bytes differently, struct
 * hf_dotnet_yara_rules says so; whose reading counts is set in struct hf_pe. */
#ifndef HF_FORMAT_DOTNET_H
#define HF_FORMAT_DOTNET_H

#include "facts/facts.h"

enum hf_dotnet_group {
    HF_DOTNET_IDENTITY = 1, /* is_dotnet: defined for every PE file */
    HF_DOTNET_METADATA = 2, /* streams, and all tables but those of the classes */
    HF_DOTNET_CLASSES = 3,  /* classes and methods with names of types */
    HF_DOTNET_GROUPS = 3
};

/* Where reading ends, as YARA's does. */
enum {
    HF_DOTNET_ROWS_MAX = 10000, /* of a table; a longer one ends the reading of tables */
    HF_DOTNET_GUIDS_MAX = 16,
    HF_DOTNET_NAME_MAX = 1024, /* bytes of a string of the #Strings heap */
    HF_DOTNET_TYPE_MAX = 16384 /* bytes of a type's name as we write it */
};

struct hf_dotnet_stream {
    struct hf_bytes name; /* as it stands, at most 31 bytes */
    uint64_t offset;      /* in the file, inside or not */
    uint32_t size;
};

struct hf_dotnet_resource {
    uint64_t offset; /* in the file, behind the length */
    uint32_t length;
    struct hf_bytes name;
};

struct hf_dotnet_version {
    struct hf_optional major, minor, build_number, revision_number;
};

struct hf_dotnet_assembly {
    struct hf_dotnet_version version;
    struct hf_bytes name, culture;
};

struct hf_dotnet_assembly_ref {
    struct hf_dotnet_version version;
    struct hf_bytes public_key_or_token, name;
};

struct hf_dotnet_parameter {
    struct hf_bytes name, type;
};

struct hf_dotnet_method {
    struct hf_bytes name, visibility, return_type; /* constructors have no return type */
    uint8_t abstract, final, virtual, is_static;
    struct hf_optional parameter_count;
    uint32_t generic_count;
    struct hf_fact_list generics;   /* struct hf_bytes */
    struct hf_fact_list parameters; /* struct hf_dotnet_parameter */
};

struct hf_dotnet_class {
    struct hf_bytes fullname, name, name_space, visibility, type;
    uint8_t abstract, sealed;
    uint32_t generic_count, base_count;
    struct hf_optional method_count;
    struct hf_fact_list generics, bases; /* struct hf_bytes */
    struct hf_fact_list methods;         /* struct hf_dotnet_method */
};

enum { HF_DOTNET_TABLES = 45, HF_DOTNET_COLUMNS = 9 };

/* Where a table lies. [CLI II.24.2.6] */
struct hf_dotnet_table {
    uint64_t offset; /* in the file */
    uint32_t rows;   /* as the header says */
    uint32_t row_size;
    uint8_t width[HF_DOTNET_COLUMNS]; /* bytes of each column, 0: no more */
    bool located;                     /* else its rows are not to be read */
};

struct hf_dotnet_heap {
    bool present;
    uint64_t offset; /* in the file */
    uint32_t size;   /* as the stream header says */
};

/* The state of the facts module "dotnet". */
struct hf_dotnet {
    struct hf_optional is_dotnet;

    uint64_t root;         /* of the metadata, in the file */
    int64_t resource_base; /* in the file; -1: nowhere */
    struct hf_dotnet_heap tilde, strings, blobs, guid_heap, user_heap;
    struct hf_dotnet_table tables[HF_DOTNET_TABLES];
    bool tables_whole; /* every table was located: YARA goes on to the classes */

    struct hf_bytes version, module_name, typelib;
    struct hf_fact_list streams;       /* struct hf_dotnet_stream */
    struct hf_fact_list guids;         /* struct hf_bytes */
    struct hf_fact_list resources;     /* struct hf_dotnet_resource */
    struct hf_fact_list assembly_refs; /* struct hf_dotnet_assembly_ref */
    struct hf_fact_list modulerefs, user_strings, constants; /* struct hf_bytes */
    struct hf_fact_list field_offsets;                       /* uint64_t, in the file */
    struct hf_optional stream_count, guid_count, resource_count, assembly_ref_count,
        moduleref_count, user_string_count, constant_count, field_offset_count;
    struct hf_dotnet_assembly assembly;

    struct hf_fact_list classes; /* struct hf_dotnet_class */
    struct hf_optional class_count;
};

extern const struct hf_fact_module hf_dotnet_module;

#endif
