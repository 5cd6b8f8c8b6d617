#include "format/dotnet_names.h"

enum {
    VISIBILITY_MASK = 7, /* of TypeDef flags [CLI II.23.1.15] */
    NESTED_PUBLIC = 2,   /* this and above are nested */
    NAMESPACE_DEPTH_MAX = 10
};

/* ---- what belongs to what ---- */

static bool chain_init(const struct dotnet_reader *r, struct dotnet_chain *chain,
                       uint32_t owners, uint32_t rows)
{
    chain->owners = owners;
    chain->first = hf_arena_array(r->arena, (size_t)owners + 1, sizeof *chain->first);
    chain->last = hf_arena_array(r->arena, (size_t)owners + 1, sizeof *chain->last);
    chain->next = hf_arena_array(r->arena, (size_t)rows + 1, sizeof *chain->next);
    return chain->first != NULL && chain->last != NULL && chain->next != NULL;
}

static void chain_add(struct dotnet_chain *chain, uint32_t owner, uint32_t row)
{
    if (owner > chain->owners)
        return;
    if (chain->first[owner] == 0)
        chain->first[owner] = row;
    else
        chain->next[chain->last[owner]] = row;
    chain->last[owner] = row;
}

enum hf_status dotnet_names_init(struct dotnet_names *n, const struct dotnet_reader *r)
{
    const struct hf_dotnet_table *t = r->net->tables;
    uint32_t types = t[DOTNET_TYPE_DEF].rows, methods = t[DOTNET_METHOD].rows;
    uint32_t generics = t[DOTNET_GENERIC_PARAM].rows, c[HF_DOTNET_COLUMNS];
    *n = (struct dotnet_names){.r = r};
    n->text = hf_arena_array(r->arena, HF_DOTNET_TYPE_MAX, 1);
    n->enclosing = hf_arena_array(r->arena, (size_t)types + 1, sizeof *n->enclosing);
    if (n->text == NULL || n->enclosing == NULL ||
        !chain_init(r, &n->type_generics, types, generics) ||
        !chain_init(r, &n->method_generics, methods, generics) ||
        !chain_init(r, &n->interfaces, types, t[DOTNET_INTERFACE_IMPL].rows))
        return HF_NOMEM;
    for (uint32_t i = 1; dotnet_row(r, DOTNET_GENERIC_PARAM, i, c); i++)
        chain_add(c[2] & 1 ? &n->method_generics : &n->type_generics, c[2] >> 1, i);
    for (uint32_t i = 1; dotnet_row(r, DOTNET_INTERFACE_IMPL, i, c); i++)
        chain_add(&n->interfaces, c[0], i);
    for (uint32_t i = 1; dotnet_row(r, DOTNET_NESTED_CLASS, i, c); i++)
        if (c[0] <= types && n->enclosing[c[0]] == 0)
            n->enclosing[c[0]] = c[1];
    return HF_OK;
}

struct dotnet_generics dotnet_generics_of(const struct dotnet_names *n,
                                          const struct dotnet_chain *chain, uint32_t owner)
{
    struct dotnet_generics none = {0}, found = {0};
    uint32_t count = 0, c[HF_DOTNET_COLUMNS];
    if (owner > chain->owners)
        return none;
    for (uint32_t row = chain->first[owner]; row != 0; row = chain->next[row])
        count++;
    found.names = hf_arena_array(n->r->arena, count, sizeof *found.names);
    if (found.names == NULL)
        return none;
    for (uint32_t row = chain->first[owner]; row != 0; row = chain->next[row]) {
        if (!dotnet_row(n->r, DOTNET_GENERIC_PARAM, row, c))
            return none;
        struct hf_bytes name = dotnet_string(n->r, c[3]);
        if (name.len == 0)
            return none;
        found.names[found.count++] = name;
    }
    return found;
}

/* ---- names of rows ---- */

struct hf_bytes dotnet_plain(struct hf_bytes name)
{
    const uint8_t *tick = name.len == 0 ? NULL : memchr(name.data, '`', name.len);
    return tick == NULL ? name : hf_bytes_of(name.data, (size_t)(tick - name.data));
}

struct hf_bytes dotnet_full_name(const struct dotnet_names *n, struct hf_bytes name,
                                 struct hf_bytes name_space)
{
    if (name.len == 0)
        return name_space;
    if (name_space.len == 0)
        return dotnet_plain(name);
    uint8_t *text = hf_arena_alloc(n->r->arena, name_space.len + 1 + name.len);
    if (text == NULL)
        return (struct hf_bytes){0};
    memcpy(text, name_space.data, name_space.len);
    text[name_space.len] = '.';
    memcpy(text + name_space.len + 1, name.data, name.len);
    return dotnet_plain(hf_bytes_of(text, name_space.len + 1 + name.len));
}

static bool is_nested(uint32_t flags)
{
    return (flags & VISIBILITY_MASK) >= NESTED_PUBLIC;
}

/* The full name of the type around a nested one; NULL for the module's pseudo class. */
static struct hf_bytes enclosing_name(const struct dotnet_names *n, uint32_t nested,
                                      unsigned depth)
{
    uint32_t index = n->enclosing[nested], c[HF_DOTNET_COLUMNS];
    struct hf_bytes none = {0};
    if (depth > NAMESPACE_DEPTH_MAX || !dotnet_row(n->r, DOTNET_TYPE_DEF, index, c))
        return none;
    struct hf_bytes name = dotnet_string(n->r, c[1]);
    if (hf_bytes_equal(name, hf_bytes_text("<Module>")))
        return none;
    struct hf_bytes name_space = dotnet_string(n->r, c[2]);
    if (is_nested(c[0]) && index != nested)
        name_space = dotnet_full_name(n, name_space, enclosing_name(n, index, depth + 1));
    return dotnet_full_name(n, name, name_space);
}

struct hf_bytes dotnet_namespace_of(const struct dotnet_names *n, uint32_t index,
                                    const uint32_t columns[HF_DOTNET_COLUMNS])
{
    struct hf_bytes name_space = dotnet_string(n->r, columns[2]);
    if (is_nested(columns[0]))
        return dotnet_full_name(n, name_space, enclosing_name(n, index, 1));
    return name_space;
}
