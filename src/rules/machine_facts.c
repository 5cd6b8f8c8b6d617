/* machine_facts.c - the condition machine's way to facts: fields, lists, functions. Numbers in
 * programs are checked against the schema at hand; what is not there is undefined. */
#include "rules/machine_internal.h"

enum { ARGUMENTS_MAX = 16 };

/* A value with the row that describes it. element: the value is an element of the row's list. */
static struct hf_slot described(struct hf_value value, const struct hf_fact_field *field,
                                bool element)
{
    struct hf_slot s = {.value = value};
    enum hf_fact_type type = element ? field->element : field->type;
    if (!value.defined)
        return hf_slot_undefined;
    if (type == HF_FACT_STRUCT)
        s.record = field->record;
    else if (!element)
        s.field = field;
    return s;
}

/* A function is a value of its own: the row, and the struct that it is of (NULL: the module's). */
static struct hf_slot function(const struct hf_fact_field *field, const void *record)
{
    return (struct hf_slot){
        .value = {.defined = true, .type = HF_FACT_FUNCTION, .record = record},
        .field = field};
}

static struct hf_slot top_field(struct hf_machine *m)
{
    struct hf_facts *facts = m->input->facts;
    size_t module = hf_u8(&m->code), number = hf_u16le(&m->code);
    if (facts == NULL || module >= facts->module_count ||
        number >= facts->modules[module]->record->field_count)
        return hf_slot_undefined;
    const struct hf_fact_field *field = &facts->modules[module]->record->fields[number];
    if (field->type == HF_FACT_FUNCTION)
        return function(field, NULL);
    return described(hf_facts_get(facts, module, number), field, false);
}

static struct hf_slot member(struct hf_machine *m, struct hf_slot s)
{
    size_t number = hf_u16le(&m->code);
    if (!s.value.defined || s.value.type != HF_FACT_STRUCT || s.record == NULL ||
        number >= s.record->field_count)
        return hf_slot_undefined;
    const struct hf_fact_field *field = &s.record->fields[number];
    if (field->type == HF_FACT_FUNCTION)
        return function(field, s.value.record);
    return described(hf_facts_member(m->input->facts, s.record, s.value.record, number),
                     field, false);
}

static bool is_list(struct hf_slot s, enum hf_fact_type type)
{
    return s.value.defined && s.value.type == type && s.field != NULL;
}

static struct hf_slot element(struct hf_machine *m, struct hf_slot list, struct hf_slot at)
{
    const struct hf_facts *facts = m->input->facts;
    int64_t i;
    if (is_list(list, HF_FACT_ARRAY) && hf_slot_integer(at, &i) && i >= 0)
        return described(hf_facts_index(facts, list.field, list.value, (uint64_t)i),
                         list.field, true);
    if (!is_list(list, HF_FACT_DICT) || !at.value.defined ||
        at.value.type != HF_FACT_STRING)
        return hf_slot_undefined;
    (void)hf_cursor_charge(&m->code, list.value.list.count);
    return described(hf_facts_lookup(facts, list.field, list.value, at.value.string),
                     list.field, true);
}

static struct hf_slot entry(struct hf_machine *m, struct hf_slot dict, struct hf_slot at,
                            bool want_key)
{
    int64_t i;
    struct hf_value key = {0};
    if (!is_list(dict, HF_FACT_DICT) || !hf_slot_integer(at, &i) || i < 0)
        return hf_slot_undefined;
    struct hf_value item =
        hf_facts_entry(m->input->facts, dict.field, dict.value, (uint64_t)i, &key);
    return want_key ? (struct hf_slot){.value = key} : described(item, dict.field, true);
}

/* Arguments of the types that the row's signature says. */
static bool argument_fits(char letter, const struct hf_value *v)
{
    switch (letter) {
    case 'i':
    case 'b': return v->type == HF_FACT_INT || v->type == HF_FACT_BOOL;
    case 'f': return v->type == HF_FACT_FLOAT;
    case 's': return v->type == HF_FACT_STRING;
    case 'r': return v->type == HF_FACT_REGEX;
    default: return false;
    }
}

static struct hf_slot call(struct hf_machine *m, const struct hf_slot *args)
{
    struct hf_value values[ARGUMENTS_MAX];
    size_t count = hf_u8(&m->code);
    struct hf_slot f = args[0];
    if (!f.value.defined || f.value.type != HF_FACT_FUNCTION || f.field == NULL ||
        count > ARGUMENTS_MAX || strlen(f.field->signature) != count)
        return hf_slot_undefined;
    for (size_t i = 0; i < count; i++) {
        values[i] = args[i + 1].value;
        if (!values[i].defined || !argument_fits(f.field->signature[i], &values[i]))
            return hf_slot_undefined;
    }
    return (struct hf_slot){
        .value = hf_facts_call_on(m->input->facts, f.field, f.value.record, values)};
}

struct hf_slot hf_machine_fact_op(struct hf_machine *m, uint8_t op,
                                  const struct hf_slot *args)
{
    switch (op) {
    case HF_OP_FACT: return top_field(m);
    case HF_OP_MEMBER: return member(m, args[0]);
    case HF_OP_INDEX: return element(m, args[0], args[1]);
    case HF_OP_DICT_KEY: return entry(m, args[0], args[1], true);
    case HF_OP_DICT_ITEM: return entry(m, args[0], args[1], false);
    case HF_OP_CALL: return call(m, args);
    default:
        return is_list(args[0], HF_FACT_ARRAY) || is_list(args[0], HF_FACT_DICT)
                   ? hf_slot_int((int64_t)args[0].value.list.count)
                   : hf_slot_undefined;
    }
}
