#include "format/dex.h"

#include "format/dex_internal.h"

uint32_t hf_dex_uleb(struct hf_cursor *c)
{
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint32_t byte = hf_u8(c);
        if (shift == 28)
            return value | byte << 28;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return value;
}

static struct hf_bytes text_of(struct hf_cursor *c, size_t size)
{
    struct hf_cursor text = hf_cursor_sub(c, c->pos, size);
    hf_skip(c, size);
    struct hf_bytes s = hf_take_until(&text, 0, size, NULL);
    return s.data == NULL && !c->failed ? hf_bytes_of("", 0) : s;
}

static struct hf_dex_table table_of(struct hf_cursor *c)
{
    struct hf_dex_table t = {.size = hf_u32le(c)};
    t.offset = hf_u32le(c);
    return t;
}

/* [DEX "header_item"]; versions 035 to 039 */
static enum hf_status read_header(struct hf_cursor c, struct hf_dex_header *h)
{
    struct hf_cursor version = c;
    hf_skip(&version, 6);
    uint8_t digit = hf_u8(&version), end = hf_u8(&version);
    if (hf_cursor_left(&c) < 112 || !hf_peek_equal(&c, "dex\n03", 6) || digit < '5' ||
        digit > '9' || end != 0)
        return HF_NOTFOUND;
    h->magic = text_of(&c, 8);
    h->checksum = hf_u32le(&c);
    h->signature = text_of(&c, 20);
    h->file_size = hf_u32le(&c);
    h->header_size = hf_u32le(&c);
    h->endian_tag = hf_u32le(&c);
    h->link_size = hf_u32le(&c);
    h->link_offset = hf_u32le(&c);
    h->map_offset = hf_u32le(&c);
    h->strings = table_of(&c);
    h->types = table_of(&c);
    h->protos = table_of(&c);
    h->fields = table_of(&c);
    h->methods = table_of(&c);
    h->classes = table_of(&c);
    h->data = table_of(&c);
    return HF_OK;
}

/* Memory for a table that lies wholly in the file. HF_TRUNCATED: it does not. */
static enum hf_status take_table(struct hf_facts *facts, struct hf_dex_table t,
                                 size_t entry, size_t size, struct hf_cursor *c,
                                 void **items)
{
    *c = hf_cursor_sub(&facts->object, t.offset, (uint64_t)t.size * entry);
    if (c->failed)
        return HF_TRUNCATED;
    *items = hf_arena_array(facts->arena, t.size, size);
    if (*items == NULL)
        return HF_NOMEM;
    return hf_cursor_charge(c, t.size) ? HF_OK : HF_LIMIT;
}

/* A string's data: its length in UTF-16 units, then modified UTF-8. YARA takes as many bytes as
 * there are units, from one byte behind the start, however long the length is. */
static struct hf_dex_string read_string(const struct hf_cursor *file, uint32_t offset)
{
    struct hf_dex_string none = {0};
    struct hf_cursor c = hf_cursor_at(file, offset);
    if (hf_cursor_left(&c) < 4)
        return none;
    uint32_t size = hf_dex_uleb(&c);
    struct hf_cursor text = hf_cursor_sub(file, (uint64_t)offset + 1, size);
    if (c.failed || text.failed)
        return none;
    return (struct hf_dex_string){hf_optional_of(offset), hf_optional_of(size),
                                  size == 0 ? hf_bytes_of("", 0) : hf_take_rest(&text)};
}

static enum hf_status read_strings(struct hf_facts *facts, struct hf_dex *dex)
{
    struct hf_cursor c;
    void *items;
    struct hf_dex_table t = dex->header.strings;
    enum hf_status st = take_table(facts, t, 4, sizeof(struct hf_dex_string), &c, &items);
    if (st != HF_OK)
        return st;
    struct hf_dex_string *strings = items;
    for (uint32_t i = 0; i < t.size; i++)
        strings[i] = read_string(&facts->object, hf_u32le(&c));
    dex->strings = (struct hf_fact_list){strings, t.size};
    return HF_OK;
}

static enum hf_status read_types(struct hf_facts *facts, struct hf_dex *dex)
{
    struct hf_cursor c;
    void *items;
    struct hf_dex_table t = dex->header.types;
    enum hf_status st = take_table(facts, t, 4, sizeof(struct hf_dex_type), &c, &items);
    if (st != HF_OK)
        return st;
    struct hf_dex_type *types = items;
    for (uint32_t i = 0; i < t.size; i++)
        types[i].descriptor = hf_u32le(&c);
    dex->types = (struct hf_fact_list){types, t.size};
    return HF_OK;
}

static enum hf_status read_protos(struct hf_facts *facts, struct hf_dex *dex)
{
    struct hf_cursor c;
    void *items;
    struct hf_dex_table t = dex->header.protos;
    enum hf_status st = take_table(facts, t, 12, sizeof(struct hf_dex_proto), &c, &items);
    if (st != HF_OK)
        return st;
    struct hf_dex_proto *protos = items;
    for (uint32_t i = 0; i < t.size; i++) {
        protos[i].shorty = hf_u32le(&c);
        protos[i].return_type = hf_u32le(&c);
        protos[i].parameters_offset = hf_u32le(&c);
    }
    dex->protos = (struct hf_fact_list){protos, t.size};
    return HF_OK;
}

static enum hf_status read_members(struct hf_facts *facts, struct hf_dex_table t,
                                   struct hf_fact_list *list)
{
    struct hf_cursor c;
    void *items;
    enum hf_status st =
        take_table(facts, t, 8, sizeof(struct hf_dex_member_id), &c, &items);
    if (st != HF_OK)
        return st;
    struct hf_dex_member_id *ids = items;
    for (uint32_t i = 0; i < t.size; i++) {
        ids[i].class_index = hf_u16le(&c);
        ids[i].type_index = hf_u16le(&c);
        ids[i].name_index = hf_u32le(&c);
    }
    *list = (struct hf_fact_list){ids, t.size};
    return HF_OK;
}

/* [DEX "map_list"] */
static enum hf_status read_map(struct hf_facts *facts, struct hf_dex *dex)
{
    struct hf_cursor c = hf_cursor_at(&facts->object, dex->header.map_offset);
    if (dex->header.map_offset == 0 || hf_cursor_left(&c) < 4)
        return HF_OK;
    uint32_t size = hf_u32le(&c);
    void *items;
    dex->map.size = hf_optional_of(size);
    struct hf_dex_table t = {size, dex->header.map_offset + 4};
    enum hf_status st =
        take_table(facts, t, 12, sizeof(struct hf_dex_map_item), &c, &items);
    if (st != HF_OK)
        return st;
    struct hf_dex_map_item *map = items;
    for (uint32_t i = 0; i < size; i++) {
        map[i].type = hf_u16le(&c);
        map[i].unused = hf_u16le(&c);
        map[i].size = hf_u32le(&c);
        map[i].offset = hf_u32le(&c);
    }
    dex->map.items = (struct hf_fact_list){map, size};
    return HF_OK;
}

enum hf_status hf_dex_parse_tables(struct hf_facts *facts, struct hf_dex *dex)
{
    enum hf_status st = read_header(hf_cursor_at(&facts->object, 0), &dex->header);
    if (st == HF_OK)
        st = read_strings(facts, dex);
    if (st == HF_OK)
        st = read_types(facts, dex);
    if (st == HF_OK)
        st = read_protos(facts, dex);
    if (st == HF_OK)
        st = read_members(facts, dex->header.fields, &dex->field_ids);
    if (st == HF_OK)
        st = read_members(facts, dex->header.methods, &dex->method_ids);
    if (st == HF_OK)
        st = read_map(facts, dex);
    dex->tables_whole = st == HF_OK;
    return st;
}
