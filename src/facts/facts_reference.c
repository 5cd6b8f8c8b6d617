#include "facts/facts.h"

static const char *type_name(enum hf_fact_type type)
{
    static const char *const names[] = {
        [HF_FACT_INT] = "integer",     [HF_FACT_FLOAT] = "float",
        [HF_FACT_BOOL] = "boolean",    [HF_FACT_STRING] = "string",
        [HF_FACT_STRUCT] = "struct",   [HF_FACT_ARRAY] = "array",
        [HF_FACT_DICT] = "dictionary", [HF_FACT_FUNCTION] = "function",
        [HF_FACT_REGEX] = "regex",
    };
    return names[type];
}

static const char *argument_name(char letter)
{
    switch (letter) {
    case 'i': return "integer";
    case 'f': return "float";
    case 's': return "string";
    case 'r': return "regex";
    case 'b': return "boolean";
    default: return "?";
    }
}

/* Help texts are ours, but a pipe would end the table's cell. */
static void cell(struct hf_buffer *out, const char *text)
{
    for (const char *p = text == NULL ? "" : text; *p != '\0'; p++) {
        if (*p == '|')
            hf_buffer_u8(out, '\\');
        hf_buffer_u8(out, (uint8_t)*p);
    }
}

static void type_cell(struct hf_buffer *out, const struct hf_fact_field *f)
{
    if (f->type == HF_FACT_ARRAY)
        hf_buffer_format(out, "array of %s", type_name(f->element));
    else if (f->type == HF_FACT_DICT)
        hf_buffer_format(out, "dictionary of %s", type_name(f->element));
    else
        hf_buffer_text(out, type_name(f->type));
}

static void field_row(struct hf_buffer *out, const char *prefix,
                      const struct hf_fact_field *f)
{
    hf_buffer_format(out, "| `%s%s` | ", prefix, f->name);
    type_cell(out, f);
    hf_buffer_text(out, " | ");
    cell(out, f->help);
    hf_buffer_text(out, " |\n");
}

static void field_rows(struct hf_buffer *out, const char *prefix,
                       const struct hf_fact_record *record, unsigned depth)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        if (f->repr == HF_REPR_CONSTANT || f->type == HF_FACT_FUNCTION)
            continue;
        field_row(out, prefix, f);
        bool scalars = f->type == HF_FACT_DICT && f->element != HF_FACT_STRUCT;
        if (f->record == NULL || scalars || depth == HF_FACT_DEPTH_MAX)
            continue;
        struct hf_buffer inner = {0};
        hf_buffer_format(&inner, "%s%s%s.", prefix, f->name,
                         f->type == HF_FACT_ARRAY  ? "[]"
                         : f->type == HF_FACT_DICT ? "[\"\"]"
                                                   : "");
        hf_buffer_u8(&inner, 0);
        if (!inner.failed)
            field_rows(out, (const char *)inner.data, f->record, depth + 1);
        hf_buffer_done(&inner);
    }
}

static void function_row(struct hf_buffer *out, const char *prefix,
                         const struct hf_fact_field *f)
{
    hf_buffer_format(out, "| `%s%s(", prefix, f->name);
    for (size_t a = 0; f->signature[a] != '\0'; a++)
        hf_buffer_format(out, "%s%s", a == 0 ? "" : ", ", argument_name(f->signature[a]));
    hf_buffer_format(out, ")` | %s | ", type_name(f->result));
    cell(out, f->help);
    hf_buffer_text(out, " |\n");
}

/* Functions of the module and of the structs in it. *any: a row was written, with its head. */
static void function_rows(struct hf_buffer *out, const char *prefix,
                          const struct hf_fact_record *record, unsigned depth, bool *any)
{
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hf_fact_field *f = &record->fields[i];
        if (f->type == HF_FACT_FUNCTION) {
            if (!*any)
                hf_buffer_text(out,
                               "\n| function | result | meaning |\n| --- | --- | --- |\n");
            *any = true;
            function_row(out, prefix, f);
            continue;
        }
        if (f->record == NULL || f->type == HF_FACT_DICT || depth == HF_FACT_DEPTH_MAX)
            continue;
        struct hf_buffer inner = {0};
        hf_buffer_format(&inner, "%s%s%s.", prefix, f->name,
                         f->type == HF_FACT_ARRAY ? "[]" : "");
        hf_buffer_u8(&inner, 0);
        if (!inner.failed)
            function_rows(out, (const char *)inner.data, f->record, depth + 1, any);
        hf_buffer_done(&inner);
    }
}

static void constant_rows(struct hf_buffer *out, const struct hf_fact_module *module)
{
    bool any = false;
    for (size_t i = 0; i < module->record->field_count; i++) {
        const struct hf_fact_field *f = &module->record->fields[i];
        if (f->repr != HF_REPR_CONSTANT)
            continue;
        if (!any)
            hf_buffer_text(out, "\n| constant | value | meaning |\n| --- | --- | --- |\n");
        any = true;
        hf_buffer_format(out, "| `%s.%s` | %lld | ", module->name, f->name,
                         (long long)f->constant);
        cell(out, f->help);
        hf_buffer_text(out, " |\n");
    }
}

static bool has_values(const struct hf_fact_record *record)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].repr != HF_REPR_CONSTANT &&
            record->fields[i].type != HF_FACT_FUNCTION)
            return true;
    return false;
}

void hf_facts_reference(const struct hf_fact_module *module, struct hf_buffer *out)
{
    struct hf_buffer prefix = {0};
    bool functions = false;
    hf_buffer_format(&prefix, "%s.", module->name);
    hf_buffer_u8(&prefix, 0);
    hf_buffer_format(out, "## %s\n", module->name);
    if (has_values(module->record) && !prefix.failed) {
        hf_buffer_text(out, "\n| fact | type | meaning |\n| --- | --- | --- |\n");
        field_rows(out, (const char *)prefix.data, module->record, 0);
    }
    if (!prefix.failed)
        function_rows(out, (const char *)prefix.data, module->record, 0, &functions);
    hf_buffer_done(&prefix);
    constant_rows(out, module);
}
