#include "facts/facts.h"

struct hf_facts hf_facts_of(const struct hf_fact_module *const *modules,
                            size_t module_count, struct hf_cursor object,
                            struct hf_arena *arena, struct hf_notes *notes)
{
    return (struct hf_facts){
        .modules = modules,
        .module_count =
            module_count < HF_FACT_MODULES_MAX ? module_count : HF_FACT_MODULES_MAX,
        .object = object,
        .arena = arena,
        .notes = notes,
    };
}

static void parse_group(struct hf_facts *facts, const struct hf_fact_module *module,
                        struct hf_fact_state *state, unsigned group)
{
    uint16_t bit = (uint16_t)(1u << group);
    if ((state->parsed & bit) != 0)
        return;
    state->parsed |=
        bit; /* before the call: a group that asks for itself gets what is there */
    enum hf_status st = module->parse(facts, state->data, group);
    if (st == HF_NOTFOUND)
        state->absent |= bit;
    else if (st != HF_OK) {
        state->status = state->status == HF_OK ? st : state->status;
        hf_note(facts->notes, 0, "%s%s%s: %s", module->name,
                module->group_names != NULL ? " " : "",
                module->group_names != NULL ? module->group_names[group] : "",
                hf_status_text(st));
    }
}

static void *need(struct hf_facts *facts, size_t index, unsigned groups)
{
    const struct hf_fact_module *module = facts->modules[index];
    struct hf_fact_state *state = &facts->state[index];
    if (state->data == NULL)
        state->data = hf_arena_alloc(facts->arena, module->record->size);
    if (state->data == NULL) {
        state->status = HF_NOMEM;
        return NULL;
    }
    for (unsigned group = 1; group <= module->group_count; group++)
        if ((groups >> group & 1u) != 0)
            parse_group(facts, module, state, group);
    return state->data;
}

static size_t module_index(const struct hf_facts *facts,
                           const struct hf_fact_module *module)
{
    size_t i = 0;
    while (i < facts->module_count && facts->modules[i] != module)
        i++;
    return i;
}

void *hf_facts_need(struct hf_facts *facts, const struct hf_fact_module *module,
                    unsigned groups)
{
    size_t index = module_index(facts, module);
    return index == facts->module_count ? NULL : need(facts, index, groups);
}

bool hf_facts_present(const struct hf_facts *facts, const struct hf_fact_module *module,
                      unsigned group)
{
    size_t index = module_index(facts, module);
    if (index == facts->module_count)
        return false;
    const struct hf_fact_state *state = &facts->state[index];
    return (state->parsed >> group & 1u) != 0 && (state->absent >> group & 1u) == 0;
}

/* A scalar of a C struct. memcpy, since the compiler knows the member's type but we only where
 * it lies. */
static struct hf_value read_scalar(enum hf_fact_type type, enum hf_fact_repr repr,
                                   const uint8_t *at)
{
    struct hf_value v = {.defined = true, .type = type};
    struct hf_optional optional;
    uint16_t u16;
    uint32_t u32;
    int32_t i32;
    bool flag;
    switch (repr) {
    case HF_REPR_U8: v.integer = *at; break;
    case HF_REPR_U16:
        memcpy(&u16, at, sizeof u16);
        v.integer = u16;
        break;
    case HF_REPR_U32:
        memcpy(&u32, at, sizeof u32);
        v.integer = u32;
        break;
    case HF_REPR_I32:
        memcpy(&i32, at, sizeof i32);
        v.integer = i32;
        break;
    case HF_REPR_U64:
    case HF_REPR_I64: memcpy(&v.integer, at, sizeof v.integer); break;
    case HF_REPR_BOOL:
        memcpy(&flag, at, sizeof flag);
        v.integer = flag;
        break;
    case HF_REPR_DOUBLE: memcpy(&v.real, at, sizeof v.real); break;
    case HF_REPR_BYTES:
        memcpy(&v.string, at, sizeof v.string);
        v.defined = v.string.data != NULL;
        break;
    case HF_REPR_OPTIONAL:
        memcpy(&optional, at, sizeof optional);
        v.integer = optional.value;
        v.defined = optional.defined;
        break;
    case HF_REPR_NONE:
    case HF_REPR_CONSTANT:
    case HF_REPR_COMPUTED: v.defined = false; break;
    }
    return v;
}

static size_t repr_size(enum hf_fact_repr repr)
{
    static const size_t sizes[] = {
        [HF_REPR_U8] = 1,
        [HF_REPR_U16] = 2,
        [HF_REPR_U32] = 4,
        [HF_REPR_U64] = 8,
        [HF_REPR_I32] = 4,
        [HF_REPR_I64] = 8,
        [HF_REPR_BOOL] = sizeof(bool),
        [HF_REPR_DOUBLE] = sizeof(double),
        [HF_REPR_BYTES] = sizeof(struct hf_bytes),
        [HF_REPR_OPTIONAL] = sizeof(struct hf_optional),
    };
    return repr < sizeof sizes / sizeof *sizes ? sizes[repr] : 0;
}

static struct hf_value constant_of(const struct hf_fact_field *field)
{
    return (struct hf_value){
        .defined = true, .type = field->type, .integer = field->constant};
}

struct hf_value hf_facts_member(const struct hf_facts *facts,
                                const struct hf_fact_record *record,
                                const void *record_data, size_t field)
{
    const struct hf_fact_field *f = &record->fields[field];
    struct hf_value v = {.type = f->type};
    if (f->repr == HF_REPR_CONSTANT)
        return constant_of(f);
    if (record_data == NULL)
        return v;
    const uint8_t *at = (const uint8_t *)record_data + f->offset;
    switch (f->type) {
    case HF_FACT_STRUCT:
        v.record = at;
        v.defined = true;
        break;
    case HF_FACT_ARRAY:
    case HF_FACT_DICT:
        memcpy(&v.list, at, sizeof v.list);
        v.defined = true;
        break;
    case HF_FACT_INT:
    case HF_FACT_FLOAT:
    case HF_FACT_BOOL:
    case HF_FACT_STRING:
        if (f->repr == HF_REPR_COMPUTED)
            f->compute(facts, record_data, &v);
        else
            v = read_scalar(f->type, f->repr, at);
        break;
    case HF_FACT_FUNCTION:
    case HF_FACT_REGEX: break;
    }
    return v;
}

struct hf_value hf_facts_get(struct hf_facts *facts, size_t module, size_t field)
{
    const struct hf_fact_record *record = facts->modules[module]->record;
    const struct hf_fact_field *f = &record->fields[field];
    if (f->repr == HF_REPR_CONSTANT)
        return constant_of(f);
    const void *data = need(facts, module, 1u << f->group);
    if (((unsigned)facts->state[module].absent >> f->group & 1u) != 0)
        data = NULL;
    return hf_facts_member(facts, record, data, field);
}

struct hf_value hf_facts_index(const struct hf_facts *facts,
                               const struct hf_fact_field *field, struct hf_value list,
                               uint64_t index)
{
    if (field->type == HF_FACT_DICT)
        return hf_facts_entry(facts, field, list, index, NULL);
    struct hf_value v = {.type = field->element};
    if (!list.defined || index >= list.list.count)
        return v;
    size_t size =
        field->record != NULL ? field->record->size : repr_size(field->element_repr);
    const uint8_t *at = (const uint8_t *)list.list.items + size * (size_t)index;
    if (field->record == NULL)
        return read_scalar(field->element, field->element_repr, at);
    v.record = at;
    v.defined = true;
    return v;
}

struct hf_value hf_facts_entry(const struct hf_facts *facts,
                               const struct hf_fact_field *field, struct hf_value dict,
                               uint64_t index, struct hf_value *key)
{
    struct hf_value v = {.type = field->element};
    if (key != NULL)
        *key = (struct hf_value){.type = HF_FACT_STRING};
    if (!dict.defined || index >= dict.list.count)
        return v;
    const void *at = (const uint8_t *)dict.list.items + field->record->size * (size_t)index;
    if (key != NULL)
        *key = hf_facts_member(facts, field->record, at, 0);
    if (field->element != HF_FACT_STRUCT)
        return hf_facts_member(facts, field->record, at, 1);
    v.record = at;
    v.defined = true;
    return v;
}

struct hf_value hf_facts_lookup(const struct hf_facts *facts,
                                const struct hf_fact_field *field, struct hf_value dict,
                                struct hf_bytes key)
{
    size_t count = dict.defined ? dict.list.count : 0;
    for (size_t i = count; i-- > 0;) {
        struct hf_value found;
        struct hf_value v = hf_facts_entry(facts, field, dict, i, &found);
        if (found.defined && hf_bytes_equal(found.string, key))
            return v;
    }
    return (struct hf_value){.type = field->element};
}

struct hf_value hf_facts_call(struct hf_facts *facts, const struct hf_fact_field *function,
                              const struct hf_value *args)
{
    return hf_facts_call_on(facts, function, NULL, args);
}

struct hf_value hf_facts_call_on(struct hf_facts *facts,
                                 const struct hf_fact_field *function,
                                 const void *record_data, const struct hf_value *args)
{
    struct hf_value out = {.type = function->result};
    for (size_t i = 0; function->signature[i] != '\0'; i++)
        if (!args[i].defined)
            return out;
    if (function->method == NULL)
        function->call(facts, args, &out);
    else if (record_data != NULL)
        function->method(facts, record_data, args, &out);
    return out;
}

static bool named(const struct hf_fact_field *field, struct hf_bytes name)
{
    return hf_bytes_equal(hf_bytes_text(field->name), name);
}

size_t hf_fact_find(const struct hf_fact_record *record, struct hf_bytes name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (named(&record->fields[i], name))
            return i;
    return SIZE_MAX;
}

size_t hf_fact_find_call(const struct hf_fact_record *record, struct hf_bytes name,
                         const char *signature)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        if (f->type == HF_FACT_FUNCTION && named(f, name) &&
            strcmp(f->signature, signature) == 0)
            return i;
    }
    return SIZE_MAX;
}

/* The fingerprint: two lanes of FNV-1a with different starts over names, types and shapes, each
 * text with its terminator so that borders count. Accidents are what it is to notice. */
struct lanes {
    uint64_t a, b;
};

static void mix(struct lanes *h, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < n; i++) {
        h->a = (h->a ^ p[i]) * UINT64_C(0x100000001b3);
        h->b = (h->b ^ p[i] ^ (h->a >> 56)) * UINT64_C(0x100000001b3);
    }
}

static void mix_text(struct lanes *h, const char *text)
{
    if (text != NULL)
        mix(h, text, strlen(text));
    mix(h, "", 1);
}

static void mix_record(struct lanes *h, const struct hf_fact_record *record, unsigned depth)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        mix_text(h, f->name);
        const uint8_t shape[] = {(uint8_t)f->type, (uint8_t)f->element, (uint8_t)f->result,
                                 f->repr == HF_REPR_CONSTANT, f->record != NULL};
        mix(h, shape, sizeof shape);
        mix(h, &f->constant, sizeof f->constant);
        mix_text(h, f->signature);
        if (f->record != NULL && depth < HF_FACT_DEPTH_MAX)
            mix_record(h, f->record, depth + 1);
    }
    mix_text(h, "end");
}

void hf_facts_fingerprint(const struct hf_fact_module *const *modules, size_t module_count,
                          uint8_t out[16])
{
    struct lanes h = {UINT64_C(0xcbf29ce484222325), UINT64_C(0x84222325cbf29ce4)};
    for (size_t i = 0; i < module_count; i++) {
        mix_text(&h, modules[i]->name);
        mix_record(&h, modules[i]->record, 0);
    }
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(h.a >> (8 * i));
        out[8 + i] = (uint8_t)(h.b >> (8 * i));
    }
}
