#include "format/dotnet_internal.h"

/* What the tables say of the assembly, its references, resources and constants. [CLI II.22] */

enum {
    TYPE_STRING = 0x0e,  /* of a constant [CLI II.23.1.16] */
    PARENT_TAG_BITS = 5, /* HasCustomAttribute [CLI II.24.2.6] */
    PARENT_ASSEMBLY = 0x0e,
    ATTRIBUTE_TAG_BITS = 3, /* CustomAttributeType */
    ATTRIBUTE_MEMBER_REF = 3,
    MEMBER_TAG_BITS = 3, /* MemberRefParent */
    MEMBER_TYPE_REF = 1,
    ATTRIBUTE_PROLOG = 1, /* [CLI II.23.3] */
    MODULE_BYTES = 18,
    MODULE_REF_BYTES = 4,
    FIELD_RVA_BYTES = 8
};

/* Room for what a table can have, of the rows that the file can hold. */
static void *array_for(const struct dotnet_reader *r, enum dotnet_table_id id, size_t size)
{
    const struct hf_dotnet_table *t = &r->net->tables[id];
    uint64_t room = t->offset < r->file.len ? r->file.len - t->offset : 0;
    uint64_t rows = t->row_size == 0 ? 0 : room / t->row_size;
    return hf_arena_array(r->arena, rows < t->rows ? (size_t)rows : t->rows, size);
}

/* A row, if the file has so many bytes from its start on: YARA asks for the widest form of these
 * rows, which matters at the file's end only. */
static bool wide_row(const struct dotnet_reader *r, enum dotnet_table_id id, uint32_t index,
                     uint64_t bytes, uint32_t columns[HF_DOTNET_COLUMNS])
{
    const struct hf_dotnet_table *t = &r->net->tables[id];
    struct hf_cursor c = dotnet_at(r, t->offset + (uint64_t)t->row_size * (index - 1));
    return dotnet_row(r, id, index, columns) && hf_cursor_left(&c) >= bytes;
}

static struct hf_dotnet_version version_of(const uint32_t columns[4])
{
    return (struct hf_dotnet_version){.major = hf_optional_of(columns[0]),
                                      .minor = hf_optional_of(columns[1]),
                                      .build_number = hf_optional_of(columns[2]),
                                      .revision_number = hf_optional_of(columns[3])};
}

static enum hf_status read_module(const struct dotnet_reader *r)
{
    uint32_t columns[HF_DOTNET_COLUMNS];
    if (wide_row(r, DOTNET_MODULE, 1, MODULE_BYTES, columns))
        r->net->module_name = dotnet_string(r, columns[1]);
    return HF_OK;
}

static enum hf_status read_constants(const struct dotnet_reader *r)
{
    uint32_t columns[HF_DOTNET_COLUMNS];
    struct hf_cursor blob;
    uint64_t at;
    size_t count = 0;
    struct hf_bytes *constants = array_for(r, DOTNET_CONSTANT, sizeof *constants);
    if (constants == NULL)
        return HF_NOMEM;
    for (uint32_t i = 1; dotnet_row(r, DOTNET_CONSTANT, i, columns); i++) {
        if (columns[0] != TYPE_STRING || !dotnet_blob(r, columns[2], &blob, &at))
            continue;
        size_t length = hf_cursor_left(&blob);
        if (r->file.len - at <= length) /* YARA wants a byte behind it */
            continue;
        constants[count++] = length == 0 ? hf_bytes_of("", 0) : hf_take_rest(&blob);
    }
    r->net->constants = (struct hf_fact_list){constants, count};
    r->net->constant_count = hf_optional_of((int64_t)count);
    return HF_OK;
}

static enum hf_status read_modulerefs(const struct dotnet_reader *r)
{
    uint32_t columns[HF_DOTNET_COLUMNS];
    size_t count = 0;
    struct hf_bytes *names = array_for(r, DOTNET_MODULE_REF, sizeof *names);
    if (names == NULL)
        return HF_NOMEM;
    for (uint32_t i = 1; wide_row(r, DOTNET_MODULE_REF, i, MODULE_REF_BYTES, columns);
         i++) {
        names[count] = dotnet_string(r, columns[0]);
        count += names[count].data != NULL;
    }
    r->net->modulerefs = (struct hf_fact_list){names, count};
    r->net->moduleref_count = hf_optional_of((int64_t)count);
    return HF_OK;
}

static enum hf_status read_field_offsets(const struct dotnet_reader *r)
{
    uint32_t columns[HF_DOTNET_COLUMNS];
    size_t count = 0;
    uint64_t *offsets = array_for(r, DOTNET_FIELD_RVA, sizeof *offsets);
    if (offsets == NULL)
        return HF_NOMEM;
    for (uint32_t i = 1; wide_row(r, DOTNET_FIELD_RVA, i, FIELD_RVA_BYTES, columns); i++) {
        int64_t offset = hf_pe_yara_offset(r->pe, columns[0]);
        if (offset >= 0)
            offsets[count++] = (uint64_t)offset;
    }
    r->net->field_offsets = (struct hf_fact_list){offsets, count};
    r->net->field_offset_count = hf_optional_of((int64_t)count);
    return HF_OK;
}

static enum hf_status read_assembly(const struct dotnet_reader *r)
{
    struct hf_dotnet_assembly *assembly = &r->net->assembly;
    uint32_t columns[HF_DOTNET_COLUMNS];
    if (!dotnet_row(r, DOTNET_ASSEMBLY, 1, columns))
        return HF_OK;
    assembly->version = version_of(&columns[1]);
    assembly->name = dotnet_string(r, columns[7]);
    assembly->culture = dotnet_string(r, columns[8]);
    if (assembly->culture.len == 0)
        assembly->culture = (struct hf_bytes){0};
    return HF_OK;
}

static enum hf_status read_assembly_refs(const struct dotnet_reader *r)
{
    uint32_t columns[HF_DOTNET_COLUMNS];
    struct hf_cursor blob;
    uint64_t at;
    size_t count = 0;
    struct hf_dotnet_assembly_ref *refs = array_for(r, DOTNET_ASSEMBLY_REF, sizeof *refs);
    if (refs == NULL)
        return HF_NOMEM;
    for (uint32_t i = 1; dotnet_row(r, DOTNET_ASSEMBLY_REF, i, columns); i++) {
        struct hf_dotnet_assembly_ref *ref = &refs[count++];
        ref->version = version_of(columns);
        if (!dotnet_blob(r, columns[5], &blob, &at))
            continue; /* then YARA does not look for the name */
        if (hf_cursor_left(&blob) > 0)
            ref->public_key_or_token = hf_take_rest(&blob);
        ref->name = dotnet_string(r, columns[6]);
    }
    r->net->assembly_refs = (struct hf_fact_list){refs, count};
    r->net->assembly_ref_count = hf_optional_of((int64_t)count);
    return HF_OK;
}

/* A resource in this file: its length, then its bytes. [CLI II.22.24] YARA wants as many bytes
 * from the length on; and where the resources' address is mapped nowhere, it counts from -1. */
static bool find_resource(const struct dotnet_reader *r, uint32_t offset,
                          struct hf_dotnet_resource *out)
{
    int64_t at = r->net->resource_base + offset;
    struct hf_cursor c = dotnet_at(r, at < 0 ? UINT64_MAX : (uint64_t)at);
    out->length = hf_u32le(&c);
    out->offset = (uint64_t)at + 4;
    return !c.failed && out->length <= r->file.len - (uint64_t)at;
}

static enum hf_status read_resources(const struct dotnet_reader *r)
{
    uint32_t columns[HF_DOTNET_COLUMNS];
    size_t count = 0;
    struct hf_dotnet_resource *list = array_for(r, DOTNET_MANIFEST_RESOURCE, sizeof *list);
    if (list == NULL)
        return HF_NOMEM;
    for (uint32_t i = 1; dotnet_row(r, DOTNET_MANIFEST_RESOURCE, i, columns); i++) {
        if (columns[3] != 0 || !find_resource(r, columns[0], &list[count]))
            continue; /* of another file, or not in this one */
        list[count++].name = dotnet_string(r, columns[2]);
    }
    r->net->resources = (struct hf_fact_list){list, count};
    r->net->resource_count = hf_optional_of((int64_t)count);
    return HF_OK;
}

/* ---- the type library: the assembly's GuidAttribute ---- */

/* An index of 0 is none; YARA takes it for the first row. */
static uint32_t row_of(uint32_t coded, unsigned tag_bits)
{
    uint32_t index = coded >> tag_bits;
    return index == 0 ? 1 : index;
}

/* Whether an attribute is of type GuidAttribute; cut is set when its type is not in the file. */
static bool is_guid_attribute(const struct dotnet_reader *r, uint32_t type, bool *cut)
{
    uint32_t member[HF_DOTNET_COLUMNS], class[HF_DOTNET_COLUMNS];
    if ((type & 7) != ATTRIBUTE_MEMBER_REF)
        return false;
    *cut = !dotnet_row(r, DOTNET_MEMBER_REF, row_of(type, ATTRIBUTE_TAG_BITS), member);
    if (*cut || (member[0] & 7) != MEMBER_TYPE_REF)
        return false;
    *cut = !dotnet_row(r, DOTNET_TYPE_REF, row_of(member[0], MEMBER_TAG_BITS), class);
    if (*cut)
        return false;
    struct hf_bytes name = dotnet_string(r, class[1]);
    return name.data == NULL ||
           (name.len >= 13 && memcmp(name.data, "GuidAttribute", 13) == 0);
}

/* The one string that the attribute's constructor was given. [CLI II.23.3] */
static void read_guid_value(const struct dotnet_reader *r, uint32_t index)
{
    struct hf_cursor blob;
    uint64_t at;
    if (index == 0 || !dotnet_blob(r, index, &blob, &at))
        return;
    size_t length = hf_cursor_left(&blob);
    if (length < 3 || r->file.len - at <= length || hf_u16le(&blob) != ATTRIBUTE_PROLOG)
        return;
    uint8_t text_length = hf_u8(&blob);
    struct hf_cursor text = hf_cursor_sub(&r->file, at + 3, text_length);
    if (text.failed)
        return;
    struct hf_cursor first = dotnet_at(r, at + 3);
    struct hf_bytes value = hf_take_until(&text, 0, text_length, NULL);
    r->net->typelib = hf_u8(&first) == 0xff || value.len == 0 ? hf_bytes_of("", 0) : value;
}

static enum hf_status read_typelib(const struct dotnet_reader *r)
{
    uint32_t columns[HF_DOTNET_COLUMNS];
    bool cut = false;
    if (!r->net->tables[DOTNET_TYPE_REF].located ||
        !r->net->tables[DOTNET_MEMBER_REF].located)
        return HF_OK;
    for (uint32_t i = 1; !cut && dotnet_row(r, DOTNET_CUSTOM_ATTRIBUTE, i, columns); i++)
        if ((columns[0] & ((1U << PARENT_TAG_BITS) - 1)) == PARENT_ASSEMBLY &&
            is_guid_attribute(r, columns[1], &cut))
            read_guid_value(r, columns[2]);
    return HF_OK;
}

static const struct {
    enum dotnet_table_id table;
    enum hf_status (*read)(const struct dotnet_reader *r);
} readers[] = {
    {DOTNET_MODULE, read_module},
    {DOTNET_CONSTANT, read_constants},
    {DOTNET_CUSTOM_ATTRIBUTE, read_typelib},
    {DOTNET_MODULE_REF, read_modulerefs},
    {DOTNET_FIELD_RVA, read_field_offsets},
    {DOTNET_ASSEMBLY, read_assembly},
    {DOTNET_ASSEMBLY_REF, read_assembly_refs},
    {DOTNET_MANIFEST_RESOURCE, read_resources},
};

enum hf_status dotnet_read_tables(const struct dotnet_reader *r)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        if (!r->net->tables[readers[i].table].located)
            continue;
        enum hf_status st = readers[i].read(r);
        if (st != HF_OK)
            return st;
    }
    return HF_OK;
}
