#include "format/dotnet_internal.h"

/* Layouts of the metadata tables, and where they lie. [CLI II.22, II.24.2.6] */

enum {
    TILDE_SIZE = 24,
    HEAP_STRINGS_WIDE = 1,
    HEAP_GUIDS_WIDE = 2,
    HEAP_BLOBS_WIDE = 4,
    HEAP_EXTRA_DATA = 0x40, /* not in [CLI]; compilers of unoptimised metadata write it */
    NONE = 0xff             /* a tag of a coded index that no table has */
};

/* What a column holds: a number of fixed width, an index of a heap, an index of one table
 * (TABLE + its number) or a coded index of one of several (CODED + its kind). */
enum column {
    END,
    U16,
    U32,
    STRING,
    GUID,
    BLOB,
    TABLE = 0x40,
    CODED = 0x80,
    TYPE_DEF_OR_REF = CODED,
    HAS_CONSTANT,
    HAS_CUSTOM_ATTRIBUTE,
    HAS_FIELD_MARSHAL,
    HAS_DECL_SECURITY,
    MEMBER_REF_PARENT,
    HAS_SEMANTICS,
    METHOD_DEF_OR_REF,
    MEMBER_FORWARDED,
    IMPLEMENTATION,
    CUSTOM_ATTRIBUTE_TYPE,
    RESOLUTION_SCOPE,
    TYPE_OR_METHOD_DEF
};

/* Tables by tag. [CLI II.24.2.6] */
static const struct coded_index {
    uint8_t tag_bits, count, tables[22];
} coded_indexes[] = {
    [TYPE_DEF_OR_REF -
     CODED] = {2, 3, {DOTNET_TYPE_DEF, DOTNET_TYPE_REF, DOTNET_TYPE_SPEC}},
    [HAS_CONSTANT - CODED] = {2, 3, {DOTNET_FIELD, DOTNET_PARAM, DOTNET_PROPERTY}},
    [HAS_CUSTOM_ATTRIBUTE - CODED] = {5,
                                      22,
                                      {DOTNET_METHOD,
                                       DOTNET_FIELD,
                                       DOTNET_TYPE_REF,
                                       DOTNET_TYPE_DEF,
                                       DOTNET_PARAM,
                                       DOTNET_INTERFACE_IMPL,
                                       DOTNET_MEMBER_REF,
                                       DOTNET_MODULE,
                                       DOTNET_DECL_SECURITY,
                                       DOTNET_PROPERTY,
                                       DOTNET_EVENT,
                                       DOTNET_STANDALONE_SIG,
                                       DOTNET_MODULE_REF,
                                       DOTNET_TYPE_SPEC,
                                       DOTNET_ASSEMBLY,
                                       DOTNET_ASSEMBLY_REF,
                                       DOTNET_FILE,
                                       DOTNET_EXPORTED_TYPE,
                                       DOTNET_MANIFEST_RESOURCE,
                                       DOTNET_GENERIC_PARAM,
                                       DOTNET_GENERIC_PARAM_CONSTRAINT,
                                       DOTNET_METHOD_SPEC}},
    [HAS_FIELD_MARSHAL - CODED] = {1, 2, {DOTNET_FIELD, DOTNET_PARAM}},
    [HAS_DECL_SECURITY - CODED] = {2, 3, {DOTNET_TYPE_DEF, DOTNET_METHOD, DOTNET_ASSEMBLY}},
    [MEMBER_REF_PARENT - CODED] = {3,
                                   5,
                                   {DOTNET_TYPE_DEF, DOTNET_TYPE_REF, DOTNET_MODULE_REF,
                                    DOTNET_METHOD, DOTNET_TYPE_SPEC}},
    [HAS_SEMANTICS - CODED] = {1, 2, {DOTNET_EVENT, DOTNET_PROPERTY}},
    [METHOD_DEF_OR_REF - CODED] = {1, 2, {DOTNET_METHOD, DOTNET_MEMBER_REF}},
    [MEMBER_FORWARDED - CODED] = {1, 2, {DOTNET_FIELD, DOTNET_METHOD}},
    [IMPLEMENTATION -
        CODED] = {2, 3, {DOTNET_FILE, DOTNET_ASSEMBLY_REF, DOTNET_EXPORTED_TYPE}},
    [CUSTOM_ATTRIBUTE_TYPE -
        CODED] = {3, 4, {NONE, NONE, DOTNET_METHOD, DOTNET_MEMBER_REF}},
    [RESOLUTION_SCOPE -
        CODED] = {2,
                  4,
                  {DOTNET_MODULE, DOTNET_MODULE_REF, DOTNET_ASSEMBLY_REF, DOTNET_TYPE_REF}},
    [TYPE_OR_METHOD_DEF - CODED] = {1, 2, {DOTNET_TYPE_DEF, DOTNET_METHOD}},
};

/* clang-format off */
#define TO(T) (TABLE + (int)DOTNET_##T)
static const uint8_t layouts[HF_DOTNET_TABLES][HF_DOTNET_COLUMNS + 1] = {
    [DOTNET_MODULE] = {U16, STRING, GUID, GUID, GUID},
    [DOTNET_TYPE_REF] = {RESOLUTION_SCOPE, STRING, STRING},
    [DOTNET_TYPE_DEF] = {U32, STRING, STRING, TYPE_DEF_OR_REF, TO(FIELD), TO(METHOD)},
    [DOTNET_FIELD_PTR] = {TO(FIELD)},
    [DOTNET_FIELD] = {U16, STRING, BLOB},
    [DOTNET_METHOD_PTR] = {TO(METHOD)},
    [DOTNET_METHOD] = {U32, U16, U16, STRING, BLOB, TO(PARAM)},
    [DOTNET_PARAM_PTR] = {TO(PARAM)},
    [DOTNET_PARAM] = {U16, U16, STRING},
    [DOTNET_INTERFACE_IMPL] = {TO(TYPE_DEF), TYPE_DEF_OR_REF},
    [DOTNET_MEMBER_REF] = {MEMBER_REF_PARENT, STRING, BLOB},
    [DOTNET_CONSTANT] = {U16, HAS_CONSTANT, BLOB},
    [DOTNET_CUSTOM_ATTRIBUTE] = {HAS_CUSTOM_ATTRIBUTE, CUSTOM_ATTRIBUTE_TYPE, BLOB},
    [DOTNET_FIELD_MARSHAL] = {HAS_FIELD_MARSHAL, BLOB},
    [DOTNET_DECL_SECURITY] = {U16, HAS_DECL_SECURITY, BLOB},
    [DOTNET_CLASS_LAYOUT] = {U16, U32, TO(TYPE_DEF)},
    [DOTNET_FIELD_LAYOUT] = {U32, TO(FIELD)},
    [DOTNET_STANDALONE_SIG] = {BLOB},
    [DOTNET_EVENT_MAP] = {TO(TYPE_DEF), TO(EVENT)},
    [DOTNET_EVENT_PTR] = {TO(EVENT)},
    [DOTNET_EVENT] = {U16, STRING, TYPE_DEF_OR_REF},
    [DOTNET_PROPERTY_MAP] = {TO(TYPE_DEF), TO(PROPERTY)},
    [DOTNET_PROPERTY_PTR] = {TO(PROPERTY)},
    [DOTNET_PROPERTY] = {U16, STRING, BLOB},
    [DOTNET_METHOD_SEMANTICS] = {U16, TO(METHOD), HAS_SEMANTICS},
    [DOTNET_METHOD_IMPL] = {TO(TYPE_DEF), METHOD_DEF_OR_REF, METHOD_DEF_OR_REF},
    [DOTNET_MODULE_REF] = {STRING},
    [DOTNET_TYPE_SPEC] = {BLOB},
    [DOTNET_IMPL_MAP] = {U16, MEMBER_FORWARDED, STRING, TO(MODULE_REF)},
    [DOTNET_FIELD_RVA] = {U32, TO(FIELD)},
    [DOTNET_ENC_LOG] = {U32, U32},
    [DOTNET_ENC_MAP] = {U32},
    [DOTNET_ASSEMBLY] = {U32, U16, U16, U16, U16, U32, BLOB, STRING, STRING},
    [DOTNET_ASSEMBLY_PROCESSOR] = {U32},
    [DOTNET_ASSEMBLY_OS] = {U32, U32, U32},
    [DOTNET_ASSEMBLY_REF] = {U16, U16, U16, U16, U32, BLOB, STRING, STRING, BLOB},
    [DOTNET_ASSEMBLY_REF_PROCESSOR] = {U32, TO(ASSEMBLY_REF)},
    [DOTNET_ASSEMBLY_REF_OS] = {U32, U32, U32, TO(ASSEMBLY_REF)},
    [DOTNET_FILE] = {U32, STRING, BLOB},
    [DOTNET_EXPORTED_TYPE] = {U32, U32, STRING, STRING, IMPLEMENTATION},
    [DOTNET_MANIFEST_RESOURCE] = {U32, U32, STRING, IMPLEMENTATION},
    [DOTNET_NESTED_CLASS] = {TO(TYPE_DEF), TO(TYPE_DEF)},
    [DOTNET_GENERIC_PARAM] = {U16, U16, TYPE_OR_METHOD_DEF, STRING},
    [DOTNET_METHOD_SPEC] = {METHOD_DEF_OR_REF, BLOB},
    [DOTNET_GENERIC_PARAM_CONSTRAINT] = {TO(GENERIC_PARAM), TYPE_DEF_OR_REF},
};
/* clang-format on */

/* Two bytes hold a coded index when the longest of its tables leaves room for the tag. */
static uint8_t coded_width(const struct hf_dotnet *net, uint8_t kind)
{
    const struct coded_index *index = &coded_indexes[kind - CODED];
    uint32_t longest = 0;
    for (size_t i = 0; i < index->count; i++)
        if (index->tables[i] != NONE && net->tables[index->tables[i]].rows > longest)
            longest = net->tables[index->tables[i]].rows;
    return longest > (UINT32_C(0xffff) >> index->tag_bits) ? 4 : 2;
}

static uint8_t column_width(const struct hf_dotnet *net, uint8_t column, uint8_t heaps)
{
    switch (column) {
    case U16: return 2;
    case U32: return 4;
    case STRING: return heaps & HEAP_STRINGS_WIDE ? 4 : 2;
    case GUID: return heaps & HEAP_GUIDS_WIDE ? 4 : 2;
    case BLOB: return heaps & HEAP_BLOBS_WIDE ? 4 : 2;
    default:
        return column >= CODED                             ? coded_width(net, column)
               : net->tables[column - TABLE].rows > 0xffff ? 4
                                                           : 2;
    }
}

static void lay_out(struct hf_dotnet *net, size_t id, uint8_t heaps)
{
    struct hf_dotnet_table *t = &net->tables[id];
    for (size_t i = 0; i < HF_DOTNET_COLUMNS && layouts[id][i] != END; i++) {
        t->width[i] = column_width(net, layouts[id][i], heaps);
        t->row_size += t->width[i];
    }
}

/* The row counts of all tables that the mask names, known ones kept. Returns how many the mask
 * names; counts past the file stay 0. */
static unsigned read_counts(struct hf_cursor c, struct hf_dotnet *net, uint64_t valid)
{
    unsigned named = 0;
    for (unsigned id = 0; id < 64; id++) {
        if ((valid >> id & 1) == 0)
            continue;
        uint32_t rows = hf_u32le(&c);
        if (id < HF_DOTNET_TABLES && !c.failed)
            net->tables[id].rows = rows;
        named++;
    }
    return named;
}

enum hf_status dotnet_locate_tables(const struct dotnet_reader *r)
{
    struct hf_dotnet *net = r->net;
    struct hf_cursor c = dotnet_at(r, net->tilde.offset);
    hf_skip(&c, 6); /* reserved, version */
    uint8_t heaps = hf_u8(&c);
    hf_skip(&c, 1);
    uint64_t valid = hf_u64le(&c);
    hf_skip(&c, 8); /* which are sorted */
    if (hf_cursor_status(&c) != HF_OK)
        return HF_TRUNCATED;
    unsigned named = read_counts(c, net, valid);
    uint64_t at = net->tilde.offset + TILDE_SIZE + UINT64_C(4) * named;
    if (r->rules->extra_data && heaps & HEAP_EXTRA_DATA)
        at += 4;
    for (unsigned id = 0; id < 64; id++) {
        if ((valid >> id & 1) == 0)
            continue;
        hf_skip(&c, 4);
        if (!hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        if (hf_cursor_status(&c) != HF_OK)
            return HF_TRUNCATED;
        if (id >= HF_DOTNET_TABLES)
            return HF_UNSUPPORTED;
        struct hf_dotnet_table *t = &net->tables[id];
        if (t->rows > HF_DOTNET_ROWS_MAX)
            return HF_LIMIT;
        lay_out(net, id, heaps);
        t->offset = at;
        t->located = true;
        at += (uint64_t)t->row_size * t->rows;
    }
    net->tables_whole = true;
    return HF_OK;
}

bool dotnet_row(const struct dotnet_reader *r, enum dotnet_table_id id, uint32_t index,
                uint32_t columns[HF_DOTNET_COLUMNS])
{
    const struct hf_dotnet_table *t = &r->net->tables[id];
    if (!t->located || index < 1 || index > t->rows)
        return false;
    struct hf_cursor c = hf_cursor_sub(
        &r->file, t->offset + (uint64_t)t->row_size * (index - 1), t->row_size);
    for (size_t i = 0; i < HF_DOTNET_COLUMNS; i++)
        columns[i] = t->width[i] == 4 ? hf_u32le(&c) : t->width[i] == 2 ? hf_u16le(&c) : 0;
    return hf_cursor_charge(&c, 1) && !c.failed;
}

struct hf_bytes dotnet_string(const struct dotnet_reader *r, uint32_t index)
{
    const struct hf_dotnet_heap *heap = &r->net->strings;
    bool bounded = r->rules->strings_are_bounded, terminated = false;
    struct hf_bytes none = {0};
    struct hf_cursor c = dotnet_at(r, heap->offset + index);
    if (!heap->present || (bounded && index >= heap->size) || hf_cursor_left(&c) == 0)
        return none;
    size_t max = bounded ? HF_DOTNET_NAME_MAX + 1 : SIZE_MAX;
    struct hf_bytes text = hf_take_until(&c, 0, max, &terminated);
    if (!terminated || (bounded && text.len > HF_DOTNET_NAME_MAX))
        return none;
    return text.len == 0 ? hf_bytes_of("", 0) : text;
}

bool dotnet_blob_length(const struct dotnet_reader *r, uint64_t offset, uint32_t *size,
                        uint32_t *length)
{
    struct hf_cursor c = dotnet_at(r, offset);
    size_t left = hf_cursor_left(&c);
    uint32_t first = hf_u8(&c);
    if ((first & 0x80) == 0) {
        *size = 1;
        *length = first;
    } else if ((first & 0xc0) == 0x80) {
        *size = 2;
        *length = (first & 0x3f) << 8 | hf_u8(&c);
    } else if ((first & 0xe0) == 0xc0 && left > 4) { /* YARA wants a byte behind it */
        *size = 4;
        *length = (first & 0x1f) << 24;
        *length |= (uint32_t)hf_u8(&c) << 16;
        *length |= (uint32_t)hf_u8(&c) << 8;
        *length |= hf_u8(&c);
    } else {
        return false;
    }
    if (c.failed || (r->rules->lengths_are_checked && *length > hf_cursor_left(&c)))
        return false;
    if (r->rules->blobs_lose_a_byte && *length > 0)
        --*length;
    return true;
}

bool dotnet_blob(const struct dotnet_reader *r, uint32_t index, struct hf_cursor *blob,
                 uint64_t *offset)
{
    uint32_t size, length;
    uint64_t at = r->net->blobs.offset + index;
    if (!r->net->blobs.present || !dotnet_blob_length(r, at, &size, &length))
        return false;
    *offset = at + size;
    *blob = hf_cursor_sub(&r->file, at + size, length);
    return !blob->failed;
}
