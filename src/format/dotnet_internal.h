/* dotnet_internal.h - what the files of the .NET parser share. */
#ifndef HF_FORMAT_DOTNET_INTERNAL_H
#define HF_FORMAT_DOTNET_INTERNAL_H

#include "format/dotnet.h"
#include "format/pe.h"

/* Numbers of tables. [CLI II.22] */
enum dotnet_table_id {
    DOTNET_MODULE = 0x00,
    DOTNET_TYPE_REF = 0x01,
    DOTNET_TYPE_DEF = 0x02,
    DOTNET_FIELD_PTR = 0x03, /* the pointer tables are of "#-" streams, not in [CLI] */
    DOTNET_FIELD = 0x04,
    DOTNET_METHOD_PTR = 0x05,
    DOTNET_METHOD = 0x06,
    DOTNET_PARAM_PTR = 0x07,
    DOTNET_PARAM = 0x08,
    DOTNET_INTERFACE_IMPL = 0x09,
    DOTNET_MEMBER_REF = 0x0a,
    DOTNET_CONSTANT = 0x0b,
    DOTNET_CUSTOM_ATTRIBUTE = 0x0c,
    DOTNET_FIELD_MARSHAL = 0x0d,
    DOTNET_DECL_SECURITY = 0x0e,
    DOTNET_CLASS_LAYOUT = 0x0f,
    DOTNET_FIELD_LAYOUT = 0x10,
    DOTNET_STANDALONE_SIG = 0x11,
    DOTNET_EVENT_MAP = 0x12,
    DOTNET_EVENT_PTR = 0x13,
    DOTNET_EVENT = 0x14,
    DOTNET_PROPERTY_MAP = 0x15,
    DOTNET_PROPERTY_PTR = 0x16,
    DOTNET_PROPERTY = 0x17,
    DOTNET_METHOD_SEMANTICS = 0x18,
    DOTNET_METHOD_IMPL = 0x19,
    DOTNET_MODULE_REF = 0x1a,
    DOTNET_TYPE_SPEC = 0x1b,
    DOTNET_IMPL_MAP = 0x1c,
    DOTNET_FIELD_RVA = 0x1d,
    DOTNET_ENC_LOG = 0x1e, /* of edit-and-continue, not in [CLI] */
    DOTNET_ENC_MAP = 0x1f,
    DOTNET_ASSEMBLY = 0x20,
    DOTNET_ASSEMBLY_PROCESSOR = 0x21,
    DOTNET_ASSEMBLY_OS = 0x22,
    DOTNET_ASSEMBLY_REF = 0x23,
    DOTNET_ASSEMBLY_REF_PROCESSOR = 0x24,
    DOTNET_ASSEMBLY_REF_OS = 0x25,
    DOTNET_FILE = 0x26,
    DOTNET_EXPORTED_TYPE = 0x27,
    DOTNET_MANIFEST_RESOURCE = 0x28,
    DOTNET_NESTED_CLASS = 0x29,
    DOTNET_GENERIC_PARAM = 0x2a,
    DOTNET_METHOD_SPEC = 0x2b,
    DOTNET_GENERIC_PARAM_CONSTRAINT = 0x2c
};

/* What the readers pass around. */
struct dotnet_reader {
    struct hf_cursor file; /* the whole object; carries the budget */
    struct hf_arena *arena;
    const struct hf_pe *pe;
    struct hf_dotnet *net;
    const struct hf_dotnet_yara_rules *rules;
};

/* Where versions of YARA read the same metadata differently. */
struct hf_dotnet_yara_rules {
    bool blobs_lose_a_byte;   /* every blob counts as a user string, which ends in a flag */
    bool lengths_are_checked; /* a blob's bytes are in the file, else it is none */
    bool strings_are_bounded; /* names start in their heap and have at most 1024 bytes */
    bool last_blob_counts;    /* of several #Blob streams */
    bool extra_data;          /* heap flag 0x40: four bytes between row counts and tables */
};

static inline struct hf_cursor dotnet_at(const struct dotnet_reader *r, uint64_t offset)
{
    return hf_cursor_at(&r->file, offset);
}

/* One more unit of work; false when the budget is spent. */
static inline bool dotnet_charge(const struct dotnet_reader *r)
{
    return hf_budget_work(r->file.budget, 1);
}

/* Locate the tables of the #~ stream: row counts, widths of columns, offsets. HF_LIMIT at a table
 * that is too long, HF_TRUNCATED when counts are cut, HF_UNSUPPORTED at a table of unknown
 * layout; the tables before it are located. */
enum hf_status dotnet_locate_tables(const struct dotnet_reader *r);

/* Read row index (from 1) of a table. False when there is none or it is not wholly in the file. */
bool dotnet_row(const struct dotnet_reader *r, enum dotnet_table_id id, uint32_t index,
                uint32_t columns[HF_DOTNET_COLUMNS]);

/* A string of the #Strings heap; data NULL: none. */
struct hf_bytes dotnet_string(const struct dotnet_reader *r, uint32_t index);

/* A blob of the #Blob heap. False when its length or, as the rules have it, its bytes are not in
 * the file; blob stands at its first byte, confined to its length. offset is where that is. */
bool dotnet_blob(const struct dotnet_reader *r, uint32_t index, struct hf_cursor *blob,
                 uint64_t *offset);

/* The length before a blob or user string at a file offset. [CLI II.24.2.4] size is the bytes
 * that the length itself takes; false: there is none. */
bool dotnet_blob_length(const struct dotnet_reader *r, uint64_t offset, uint32_t *size,
                        uint32_t *length);

/* The facts that the tables have. */
enum hf_status dotnet_read_tables(const struct dotnet_reader *r);

/* The classes. */
enum hf_status dotnet_read_classes(const struct dotnet_reader *r);

/* The parser of each group, see struct hf_fact_module. */
enum hf_status dotnet_parse_group(struct hf_facts *facts, void *state, unsigned group);

/* A list that grows in the arena. */
struct dotnet_list {
    void *items;
    size_t count, size;
};
void *dotnet_add(const struct dotnet_reader *r, struct dotnet_list *list);
struct hf_fact_list dotnet_list_done(const struct dotnet_list *list);

#endif
