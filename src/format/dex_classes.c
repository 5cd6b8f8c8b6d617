#include "format/dex_internal.h"

/* YARA follows no index past this. */
enum { INDEX_MAX = 0x80000 };

static const void *element(struct hf_fact_list list, size_t size, uint64_t index)
{
    if (index >= list.count || index > INDEX_MAX)
        return NULL;
    return (const uint8_t *)list.items + size * (size_t)index;
}

static struct hf_bytes string_of(const struct hf_dex *dex, uint64_t index)
{
    const struct hf_dex_string *s = element(dex->strings, sizeof *s, index);
    return s == NULL ? (struct hf_bytes){0} : s->value;
}

static struct hf_bytes type_name(const struct hf_dex *dex, uint16_t type)
{
    const struct hf_dex_type *t = element(dex->types, sizeof *t, type);
    return t == NULL ? (struct hf_bytes){0} : string_of(dex, t->descriptor);
}

/* What is needed while the members of all classes are read. A member whose identity is not in
 * its table ends its class's list and is written over by the next one, as in YARA. */
struct reader {
    struct hf_facts *facts;
    struct hf_dex *dex;
    struct hf_dex_field *fields;
    struct hf_dex_method *methods;
    size_t field_count, method_count; /* whole ones */
    bool field_begun, method_begun;   /* one more that is not */
};

/* [DEX "encoded_field"]. *more: go on with the next. */
static enum hf_status read_field(struct reader *r, struct hf_cursor *c, uint32_t *index,
                                 bool *more)
{
    *more = false;
    if (hf_cursor_left(c) < 8)
        return HF_OK;
    uint32_t diff = hf_dex_uleb(c), flags = hf_dex_uleb(c);
    if (c->failed)
        return HF_OK;
    void *grown = r->field_begun ? r->fields
                                 : hf_arena_grow(r->facts->arena, r->fields, r->field_count,
                                                 sizeof *r->fields);
    if (grown == NULL)
        return HF_NOMEM;
    r->fields = grown;
    r->field_begun = true;
    struct hf_dex_field *f = &r->fields[r->field_count];
    f->index_diff = diff;
    f->access_flags = flags;
    *index += diff;
    const struct hf_dex_member_id *id = element(r->dex->field_ids, sizeof *id, *index);
    if (id == NULL)
        return HF_OK;
    f->name = string_of(r->dex, id->name_index);
    f->class_name = type_name(r->dex, id->class_index);
    f->proto = type_name(r->dex, id->type_index);
    r->field_count++;
    r->field_begun = false;
    *more = true;
    return HF_OK;
}

/* [DEX "code_item"] */
static struct hf_dex_code read_code(const struct hf_cursor *file, uint32_t offset)
{
    struct hf_dex_code code = {0};
    struct hf_cursor c = hf_cursor_at(file, offset);
    if (offset == 0 || hf_cursor_left(&c) < 16)
        return code;
    code.registers = hf_optional_of(hf_u16le(&c));
    code.ins = hf_optional_of(hf_u16le(&c));
    code.outs = hf_optional_of(hf_u16le(&c));
    code.tries = hf_optional_of(hf_u16le(&c));
    code.debug_offset = hf_optional_of(hf_u32le(&c));
    uint32_t count = hf_u32le(&c);
    code.instruction_count = hf_optional_of(count);
    code.instructions = count == 0 ? hf_bytes_of("", 0) : hf_take(&c, (uint64_t)count * 2);
    return code;
}

/* [DEX "encoded_method"] */
static enum hf_status read_method(struct reader *r, struct hf_cursor *c, uint32_t *index,
                                  bool direct, bool *more)
{
    *more = false;
    if (hf_cursor_left(c) < 12)
        return HF_OK;
    uint32_t diff = hf_dex_uleb(c), flags = hf_dex_uleb(c), code = hf_dex_uleb(c);
    if (c->failed)
        return HF_OK;
    void *grown = r->method_begun ? r->methods
                                  : hf_arena_grow(r->facts->arena, r->methods,
                                                  r->method_count, sizeof *r->methods);
    if (grown == NULL)
        return HF_NOMEM;
    r->methods = grown;
    r->method_begun = true;
    struct hf_dex_method *m = &r->methods[r->method_count];
    m->index_diff = diff;
    m->access_flags = flags;
    m->code_offset = code;
    m->direct = direct;
    m->virtual = !direct;
    *index += diff;
    const struct hf_dex_member_id *id = element(r->dex->method_ids, sizeof *id, *index);
    if (id == NULL)
        return HF_OK;
    const struct hf_dex_proto *p = element(r->dex->protos, sizeof *p, id->type_index);
    m->name = string_of(r->dex, id->name_index);
    m->class_name = type_name(r->dex, id->class_index);
    m->proto = p == NULL ? (struct hf_bytes){0} : string_of(r->dex, p->shorty);
    m->code = read_code(&r->facts->object, code);
    r->method_count++;
    r->method_begun = false;
    *more = true;
    return HF_OK;
}

static enum hf_status read_fields(struct reader *r, struct hf_cursor *c, uint32_t count)
{
    uint32_t index = 0;
    bool more = true;
    for (uint32_t i = 0; i < count && more; i++) {
        if (!hf_cursor_charge(c, 1))
            return HF_LIMIT;
        struct hf_cursor before = *c;
        enum hf_status st = read_field(r, c, &index, &more);
        if (st != HF_OK)
            return st;
        if (!more)
            *c = before; /* what did not parse takes no bytes */
    }
    return HF_OK;
}

static enum hf_status read_methods(struct reader *r, struct hf_cursor *c, uint32_t count,
                                   bool direct)
{
    uint32_t index = 0;
    bool more = true;
    for (uint32_t i = 0; i < count && more; i++) {
        if (!hf_cursor_charge(c, 1))
            return HF_LIMIT;
        struct hf_cursor before = *c;
        enum hf_status st = read_method(r, c, &index, direct, &more);
        if (st != HF_OK)
            return st;
        if (!more)
            *c = before;
    }
    return HF_OK;
}

/* [DEX "class_data_item"]. HF_TRUNCATED ends the whole reading, as in YARA. */
static enum hf_status read_class_data(struct reader *r, uint32_t offset,
                                      struct hf_dex_class_data *data, size_t *data_count)
{
    struct hf_cursor c = hf_cursor_at(&r->facts->object, offset);
    if (hf_cursor_left(&c) < 16)
        return HF_TRUNCATED;
    struct hf_dex_class_data d = {.static_fields = hf_dex_uleb(&c)};
    d.instance_fields = hf_dex_uleb(&c);
    d.direct_methods = hf_dex_uleb(&c);
    d.virtual_methods = hf_dex_uleb(&c);
    if (c.failed)
        return HF_TRUNCATED;
    data[(*data_count)++] = d;
    enum hf_status st = read_fields(r, &c, d.static_fields);
    if (st == HF_OK)
        st = read_fields(r, &c, d.instance_fields);
    if (st == HF_OK)
        st = read_methods(r, &c, d.direct_methods, true);
    if (st == HF_OK)
        st = read_methods(r, &c, d.virtual_methods, false);
    return st;
}

static struct hf_dex_class read_class(struct hf_cursor *c)
{
    struct hf_dex_class k = {.class_index = hf_u32le(c)};
    k.access_flags = hf_u32le(c);
    k.super_class = hf_u32le(c);
    k.interfaces_offset = hf_u32le(c);
    k.source_file = hf_u32le(c);
    k.annotations_offset = hf_u32le(c);
    k.data_offset = hf_u32le(c);
    k.static_values_offset = hf_u32le(c);
    return k;
}

static enum hf_status read_classes(struct reader *r)
{
    struct hf_dex *dex = r->dex;
    struct hf_dex_table t = dex->header.classes;
    struct hf_cursor c = hf_cursor_sub(&r->facts->object, t.offset, (uint64_t)t.size * 32);
    if (c.failed)
        return HF_TRUNCATED;
    struct hf_dex_class *classes = hf_arena_array(r->facts->arena, t.size, sizeof *classes);
    struct hf_dex_class_data *data = hf_arena_array(r->facts->arena, t.size, sizeof *data);
    enum hf_status st = classes == NULL || data == NULL ? HF_NOMEM : HF_OK;
    size_t data_count = 0;
    for (uint32_t i = 0; i < t.size && st == HF_OK; i++) {
        if (!hf_cursor_charge(&c, 1))
            return HF_LIMIT;
        classes[i] = read_class(&c);
        dex->classes = (struct hf_fact_list){classes, i + 1};
        if (classes[i].data_offset != 0)
            st = read_class_data(r, classes[i].data_offset, data, &data_count);
        dex->class_data = (struct hf_fact_list){data, data_count};
    }
    return st;
}

enum hf_status hf_dex_parse_classes(struct hf_facts *facts, struct hf_dex *dex)
{
    (void)hf_facts_need(facts, &hf_dex_module, 1u << HF_DEX_TABLES);
    if (!hf_facts_present(facts, &hf_dex_module, HF_DEX_TABLES))
        return HF_NOTFOUND;
    if (!dex->tables_whole)
        return HF_TRUNCATED;
    struct reader r = {.facts = facts, .dex = dex};
    enum hf_status st = read_classes(&r);
    dex->fields = (struct hf_fact_list){r.fields, r.field_count + r.field_begun};
    dex->methods = (struct hf_fact_list){r.methods, r.method_count + r.method_begun};
    if (st == HF_OK) {
        dex->field_count = hf_optional_of((int64_t)r.field_count);
        dex->method_count = hf_optional_of((int64_t)r.method_count);
    }
    return st;
}
