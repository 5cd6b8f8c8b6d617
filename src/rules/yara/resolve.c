/* resolve.c - what names in a condition mean: loop variables, externals, modules and their fields,
 * rules, strings. */
#include "rules/yara/internal.h"

/* ---- fields of modules ---- */

/* Booleans from outside compute as integers, as they always did in YARA. */
static enum hf_fact_type value_type(enum hf_fact_type type)
{
    return type == HF_FACT_BOOL ? HF_FACT_INT : type;
}

void node_of_field(struct node *node, const struct hf_fact_field *field)
{
    node->type = value_type(field->type);
    node->field = field;
    if (field->type == HF_FACT_STRUCT)
        node->record = field->record;
}

void node_of_element(struct node *node, const struct hf_fact_field *field)
{
    node->type = value_type(field->element);
    node->field = NULL;
    if (field->element == HF_FACT_STRUCT)
        node->record = field->record;
}

static struct node *resolve_module(struct parser *p, const struct token *at)
{
    const struct hf_yara_options *o = &p->yara->options;
    for (uint32_t i = 0; i < o->module_count; i++) {
        if ((p->yara->imports[p->space] >> i & 1) == 0 ||
            !hf_bytes_equal(at->text, hf_bytes_text(o->modules[i]->name)))
            continue;
        struct node *node = node_new(p, NODE_MODULE, at);
        if (is_poison(node))
            return node;
        node->number = i;
        node->type = HF_FACT_STRUCT;
        node->record = o->modules[i]->record;
        node->primary = true;
        if (strcmp(o->modules[i]->name, "console") == 0)
            p->rule.speaks = true;
        return node;
    }
    return NULL;
}

static struct node *resolve_variable(struct parser *p, const struct token *at)
{
    for (unsigned l = p->rule.loop_count; l-- > 0;)
        for (unsigned v = 0; v < p->rule.loops[l].variable_count; v++) {
            const struct variable *variable = &p->rule.loops[l].variables[v];
            if (!hf_bytes_equal(variable->name, at->text))
                continue;
            struct node *node = node_new(p, NODE_LOCAL, at);
            if (is_poison(node) || is_poison(&variable->type))
                return node_poison(p);
            *node = variable->type;
            node->line = at->line;
            node->column = at->column;
            return node;
        }
    return NULL;
}

static struct node *resolve_external(struct parser *p, const struct token *at)
{
    const uint32_t *index = names_find(&p->yara->externals, 0, at->text);
    if (index == NULL)
        return NULL;
    struct node *node = node_new(p, NODE_EXTERNAL, at);
    if (is_poison(node))
        return node;
    node->number = *index;
    node->type = value_type(p->yara->options.externals[*index].value.type);
    node->primary = true;
    return node;
}

static struct node *resolve_rule(struct parser *p, const struct token *at)
{
    const uint32_t *index = names_find(&p->yara->rules, p->space, at->text);
    if (index == NULL)
        return NULL;
    if (*index == RULE_FAILED) {
        error_here(p, "rule \"%s\" did not compile", quoted(p, at->text));
        return node_poison(p);
    }
    struct node *node = node_new(p, NODE_RULE, at);
    if (is_poison(node))
        return node;
    node->number = *index;
    node->type = HF_FACT_BOOL;
    node->primary = true;
    return node;
}

struct node *resolve_identifier(struct parser *p, const struct token *at)
{
    struct node *node = resolve_variable(p, at);
    if (node == NULL)
        node = resolve_external(p, at);
    if (node == NULL)
        node = resolve_module(p, at);
    if (node == NULL)
        node = resolve_rule(p, at);
    if (node != NULL)
        return node;
    error_here(p, "undefined identifier \"%s\"", quoted(p, at->text));
    return node_poison(p);
}

/* What a node is called in messages: the name it was written by. */
static const char *name_of(struct parser *p, const struct node *node)
{
    switch (node->kind) {
    case NODE_FIELD: return node->field->name;
    case NODE_MODULE: return p->yara->options.modules[node->number]->name;
    case NODE_EXTERNAL: return p->yara->options.externals[node->number].name;
    case NODE_INDEX:
    case NODE_CALL: return name_of(p, node->a);
    default: return "expression";
    }
}

struct node *resolve_member(struct parser *p, const struct token *at, struct node *a)
{
    if (is_poison(a))
        return a;
    if (a->type != HF_FACT_STRUCT) {
        error_at(p, at->line, at->column, at->start, "\"%s\" is not a structure",
                 name_of(p, a));
        return node_poison(p);
    }
    size_t field = hf_fact_find(a->record, at->text);
    if (field == SIZE_MAX) {
        error_at(p, at->line, at->column, at->start, "invalid field name \"%s\"",
                 quoted(p, at->text));
        return node_poison(p);
    }
    struct node *node = node_new(p, NODE_FIELD, at);
    if (is_poison(node))
        return node;
    node->a = a;
    node->number = (uint32_t)field;
    node->primary = true;
    node->depth = (uint16_t)(a->depth + 1);
    node_of_field(node, &a->record->fields[field]);
    return node;
}

struct node *resolve_index(struct parser *p, const struct token *at, struct node *a,
                           struct node *b)
{
    if (is_poison(a) || is_poison(b))
        return node_poison(p);
    if (a->type != HF_FACT_ARRAY && a->type != HF_FACT_DICT) {
        error_node(p, a, "\"%s\" is not an array or dictionary", name_of(p, a));
        return node_poison(p);
    }
    if (!want_type(p, b, a->type == HF_FACT_ARRAY ? HF_FACT_INT : HF_FACT_STRING,
                   a->type == HF_FACT_ARRAY ? "array index" : "dictionary key"))
        return node_poison(p);
    struct node *node = node_new(p, NODE_INDEX, at);
    if (is_poison(node))
        return node;
    node->a = a;
    node->b = b;
    node->primary = true;
    node->depth = (uint16_t)((a->depth > b->depth ? a->depth : b->depth) + 1);
    node_of_element(node, a->field);
    return node;
}

static char signature_letter(enum hf_fact_type type)
{
    switch (type) {
    case HF_FACT_INT: return 'i';
    case HF_FACT_FLOAT: return 'f';
    case HF_FACT_BOOL: return 'b';
    case HF_FACT_STRING: return 's';
    case HF_FACT_REGEX: return 'r';
    default: return '?';
    }
}

struct node *resolve_call(struct parser *p, const struct token *at, struct node *a,
                          struct node *arguments, size_t count)
{
    char signature[CALL_ARGUMENTS_MAX + 1] = "";
    if (is_poison(a))
        return a;
    if (a->type != HF_FACT_FUNCTION || a->kind != NODE_FIELD) {
        error_node(p, a, "\"%s\" is not a function", name_of(p, a));
        return node_poison(p);
    }
    size_t n = 0;
    uint16_t depth = a->depth;
    for (const struct node *arg = arguments; arg != NULL && n < CALL_ARGUMENTS_MAX;
         arg = arg->next) {
        signature[n++] = signature_letter(arg->type);
        depth = arg->depth > depth ? arg->depth : depth;
    }
    const struct hf_fact_record *record = a->a->record;
    size_t field =
        n < count ? SIZE_MAX
                  : hf_fact_find_call(record, hf_bytes_text(a->field->name), signature);
    if (field == SIZE_MAX) {
        error_node(p, a, "wrong arguments for function \"%s\"", a->field->name);
        return node_poison(p);
    }
    node_of_field(a, &record->fields[field]);
    a->number = (uint32_t)field;
    struct node *node = node_new(p, NODE_CALL, at);
    if (is_poison(node))
        return node;
    node->a = a;
    node->list = arguments;
    node->number = (uint32_t)count;
    node->primary = true;
    node->type = value_type(a->field->result);
    node->depth = (uint16_t)(depth + 1);
    return node;
}

/* ---- strings and sets ---- */

bool resolve_string(struct parser *p, const struct token *at, uint32_t *pattern)
{
    struct rule_build *r = &p->rule;
    if (at->text.len == 0) {
        for (unsigned l = r->loop_count; l-- > 0;)
            if (r->loops[l].of_strings) {
                *pattern = PATTERN_CURRENT;
                return true;
            }
        error_here(p, "wrong use of anonymous string");
        return false;
    }
    const uint32_t *index = names_find(&r->names, 0, at->text);
    if (index == NULL) {
        error_here(p, "undefined string \"$%s\"", quoted(p, at->text));
        return false;
    }
    *pattern = *index;
    r->strings[*index].referenced = true;
    return true;
}

bool set_add(struct parser *p, struct set *set, uint32_t item)
{
    uint32_t *more = hf_arena_grow(p->yara->scratch, set->items, set->count, sizeof *more);
    if (more == NULL) {
        out_of_memory(p);
        return false;
    }
    set->items = more;
    set->items[set->count++] = item;
    return true;
}

bool resolve_string_set(struct parser *p, const struct token *at, struct set *set)
{
    struct rule_build *r = &p->rule;
    size_t before = set->count;
    uint32_t pattern;
    if (at->kind == TOKEN_STRING_ID) {
        if (!resolve_string(p, at, &pattern))
            return false;
        if (pattern == PATTERN_CURRENT) {
            error_at(p, at->line, at->column, at->start, "wrong use of anonymous string");
            return false;
        }
        r->strings[pattern].searched = true;
        return set_add(p, set, pattern);
    }
    for (uint32_t i = 0; i < r->string_count; i++) {
        const char *name = r->strings[i].string.name + 1;
        if (strlen(name) < at->text.len || memcmp(name, at->text.data, at->text.len) != 0)
            continue;
        r->strings[i].referenced = r->strings[i].searched = true;
        if (!set_add(p, set, i))
            return false;
    }
    if (set->count > before)
        return true;
    error_at(p, at->line, at->column, at->start, "undefined string \"$%s*\"",
             quoted(p, at->text));
    return false;
}

bool resolve_rule_set(struct parser *p, const struct token *at, bool wildcard,
                      struct set *set)
{
    struct hf_yara *yara = p->yara;
    size_t before = set->count;
    if (!wildcard) {
        const uint32_t *index = names_find(&yara->rules, p->space, at->text);
        if (index != NULL && *index != RULE_FAILED)
            return set_add(p, set, *index);
        error_at(p, at->line, at->column, at->start,
                 index == NULL ? "undefined identifier \"%s\""
                               : "rule \"%s\" did not compile",
                 quoted(p, at->text));
        return false;
    }
    for (uint32_t i = 0; i < yara->count; i++) {
        const struct hf_yara_rule *rule = yara->list[i];
        if (rule->name_space == p->name_space && strlen(rule->name) >= at->text.len &&
            memcmp(rule->name, at->text.data, at->text.len) == 0 && !set_add(p, set, i))
            return false;
    }
    if (set->count > before)
        return true;
    error_at(p, at->line, at->column, at->start, "undefined identifier \"%s*\"",
             quoted(p, at->text));
    return false;
}
