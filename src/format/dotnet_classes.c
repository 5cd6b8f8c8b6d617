#include "format/dotnet_names.h"

/* Classes and their methods. [CLI II.22.37 TypeDef, II.22.26 MethodDef, II.22.33 Param] */

enum {
    TYPE_INTERFACE = 0x20, /* [CLI II.23.1.15] */
    TYPE_ABSTRACT = 0x80,
    TYPE_SEALED = 0x100,
    METHOD_STATIC = 0x10, /* [CLI II.23.1.10] */
    METHOD_FINAL = 0x20,
    METHOD_VIRTUAL = 0x40,
    METHOD_ABSTRACT = 0x400,
    SIGNATURE_GENERIC = 0x10, /* [CLI II.23.2.1] */
    PARAMETERS_MAX = 2000,
    METHODS_MAX = 20000
};

static const char *const type_visibilities[8] = {"internal",
                                                 "public",
                                                 "public",
                                                 "private",
                                                 "protected",
                                                 "internal",
                                                 "private protected",
                                                 "protected internal"};
static const char *const method_visibilities[8] = {
    "private",  "private",   "private protected",
    "internal", "protected", "protected internal",
    "public",   "private"};

struct class_scope {
    struct dotnet_names *names;
    struct dotnet_generics generics;
};

/* ---- methods ---- */

static struct hf_bytes default_name(const struct dotnet_reader *r, uint32_t index)
{
    char digits[12];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + index % 10);
    while ((index /= 10) != 0);
    digits[--at] = '_';
    digits[--at] = 'P';
    return hf_arena_copy(r->arena, hf_bytes_of(digits + at, sizeof digits - at));
}

/* Parameters that are in the table have its name, others a number. False: one of them cannot be
 * read, and the method does not count. */
static bool read_parameters(const struct class_scope *s, uint32_t first, uint32_t count,
                            struct hf_cursor *sig, const struct dotnet_generics *generics,
                            struct hf_dotnet_method *m)
{
    const struct dotnet_reader *r = s->names->r;
    uint32_t rows =
        r->net->tables[DOTNET_PARAM].located ? r->net->tables[DOTNET_PARAM].rows : 0;
    uint32_t c[HF_DOTNET_COLUMNS];
    if (first == 0)
        return true;
    if (count > hf_cursor_left(sig)) /* each takes a byte at least */
        return false;
    struct hf_dotnet_parameter *list = hf_arena_array(r->arena, count, sizeof *list);
    if (list == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        bool listed = first <= rows && i <= rows - first;
        if (listed && !dotnet_row(r, DOTNET_PARAM, first + i, c))
            return false;
        list[i].name = listed ? dotnet_string(r, c[2]) : default_name(r, i);
        list[i].type = dotnet_type_of_signature(s->names, sig, &s->generics, generics);
        if (list[i].type.data == NULL)
            return false;
    }
    m->parameters = (struct hf_fact_list){list, count};
    m->parameter_count = hf_optional_of(count);
    return true;
}

static bool is_constructor(struct hf_bytes name)
{
    return hf_bytes_equal(name, hf_bytes_text(".ctor")) ||
           hf_bytes_equal(name, hf_bytes_text(".cctor"));
}

/* False: no name, or a signature that cannot be read. */
static bool read_method(const struct class_scope *s, uint32_t index,
                        const uint32_t c[HF_DOTNET_COLUMNS], struct hf_dotnet_method *m)
{
    const struct dotnet_reader *r = s->names->r;
    struct hf_cursor sig;
    uint64_t at;
    m->name = dotnet_string(r, c[3]);
    if (m->name.len == 0 || !dotnet_blob(r, c[4], &sig, &at) || hf_cursor_left(&sig) < 3)
        return false;
    struct dotnet_generics generics =
        dotnet_generics_of(s->names, &s->names->method_generics, index);
    if (hf_u8(&sig) & SIGNATURE_GENERIC)
        (void)dotnet_number(&sig); /* the table of generic parameters says it too */
    uint32_t count = dotnet_number(&sig);
    struct hf_bytes type =
        dotnet_type_of_signature(s->names, &sig, &s->generics, &generics);
    if (type.data == NULL || count > PARAMETERS_MAX ||
        !read_parameters(s, c[5], count, &sig, &generics, m))
        return false;
    uint32_t flags = c[2];
    m->visibility = hf_bytes_text(method_visibilities[flags & 7]);
    m->is_static = (flags & METHOD_STATIC) != 0;
    m->final = (flags & METHOD_FINAL) != 0;
    m->virtual = (flags & METHOD_VIRTUAL) != 0;
    m->abstract = (flags & METHOD_ABSTRACT) != 0;
    m->generic_count = generics.count;
    m->generics = (struct hf_fact_list){generics.names, generics.count};
    if (!is_constructor(m->name))
        m->return_type = type;
    return true;
}

static enum hf_status read_methods(const struct class_scope *s, uint32_t first,
                                   uint32_t count, struct hf_dotnet_class *class)
{
    const struct dotnet_reader *r = s->names->r;
    struct dotnet_list list = {.size = sizeof(struct hf_dotnet_method)};
    uint32_t c[HF_DOTNET_COLUMNS];
    if (first == 0 || count > METHODS_MAX)
        return HF_OK;
    for (uint32_t i = 0; i < count && dotnet_row(r, DOTNET_METHOD, first + i, c); i++) {
        struct hf_dotnet_method m = {0}, *room;
        if (!read_method(s, first + i, c, &m))
            continue;
        room = dotnet_add(r, &list);
        if (room == NULL)
            return HF_NOMEM;
        *room = m;
        class->methods = dotnet_list_done(&list);
    }
    class->method_count = hf_optional_of((int64_t)list.count);
    return HF_OK;
}

/* ---- classes ---- */

/* The class that it extends, then its interfaces. */
static enum hf_status read_bases(const struct class_scope *s, uint32_t index,
                                 uint32_t extends, struct hf_dotnet_class *class)
{
    const struct dotnet_reader *r = s->names->r;
    const struct dotnet_chain *interfaces = &s->names->interfaces;
    struct dotnet_list list = {.size = sizeof(struct hf_bytes)};
    uint32_t c[HF_DOTNET_COLUMNS], row = 0;
    do {
        if (row != 0 && !dotnet_row(r, DOTNET_INTERFACE_IMPL, row, c))
            break;
        struct hf_bytes base =
            dotnet_type_of_index(s->names, row == 0 ? extends : c[1], &s->generics);
        struct hf_bytes *room = base.data == NULL ? NULL : dotnet_add(r, &list);
        if (base.data != NULL && room == NULL)
            return HF_NOMEM;
        if (room != NULL)
            *room = base;
        row = row == 0 ? interfaces->first[index] : interfaces->next[row];
    } while (row != 0);
    class->bases = dotnet_list_done(&list);
    class->base_count = (uint32_t)list.count;
    return HF_OK;
}

/* A class has the methods up to the next class's first. [CLI II.22.37 MethodList] */
static uint32_t count_methods(const struct dotnet_reader *r, uint32_t index, uint32_t first)
{
    uint32_t next[HF_DOTNET_COLUMNS], methods = r->net->tables[DOTNET_METHOD].rows;
    if (index < r->net->tables[DOTNET_TYPE_DEF].rows)
        return dotnet_row(r, DOTNET_TYPE_DEF, index + 1, next) && next[5] >= first
                   ? next[5] - first
                   : 0;
    return methods >= first ? methods + 1 - first : 0;
}

static enum hf_status read_class(struct dotnet_names *names, uint32_t index,
                                 const uint32_t c[HF_DOTNET_COLUMNS], struct hf_bytes name,
                                 struct hf_dotnet_class *class)
{
    struct class_scope s = {names, dotnet_generics_of(names, &names->type_generics, index)};
    class->name = dotnet_plain(name);
    class->name_space = dotnet_namespace_of(names, index, c);
    class->fullname = dotnet_full_name(names, name, class->name_space);
    class->visibility = hf_bytes_text(type_visibilities[c[0] & 7]);
    class->type = hf_bytes_text(c[0] & TYPE_INTERFACE ? "interface" : "class");
    class->abstract = (c[0] & TYPE_ABSTRACT) != 0;
    class->sealed = (c[0] & TYPE_SEALED) != 0;
    class->generic_count = s.generics.count;
    class->generics = (struct hf_fact_list){s.generics.names, s.generics.count};
    enum hf_status st = read_bases(&s, index, c[3], class);
    if (st != HF_OK)
        return st;
    return read_methods(&s, c[5], count_methods(names->r, index, c[5]), class);
}

enum hf_status dotnet_read_classes(const struct dotnet_reader *r)
{
    struct dotnet_names names;
    struct dotnet_list list = {.size = sizeof(struct hf_dotnet_class)};
    uint32_t c[HF_DOTNET_COLUMNS];
    if (!r->net->tables_whole)
        return HF_NOTFOUND; /* YARA goes no further either */
    enum hf_status st = dotnet_names_init(&names, r);
    for (uint32_t i = 1; st == HF_OK && dotnet_row(r, DOTNET_TYPE_DEF, i, c); i++) {
        struct hf_bytes name = dotnet_string(r, c[1]);
        if (dotnet_plain(name).len == 0 || hf_bytes_equal(name, hf_bytes_text("<Module>")))
            continue;
        struct hf_dotnet_class class = {0};
        st = read_class(&names, i, c, name, &class);
        struct hf_dotnet_class *room = dotnet_add(r, &list);
        if (room == NULL)
            return HF_NOMEM;
        *room = class;
        r->net->classes = dotnet_list_done(&list);
    }
    r->net->class_count = hf_optional_of((int64_t)list.count);
    return st;
}
