#include "format/dotnet_names.h"

#include <stdio.h>

/* Names of types out of signatures. [CLI II.23.2.12; element types: II.23.1.16]
 *
 * A name is built in one piece of memory: each kind of type puts text before and behind the one
 * inside it. Signatures may refer to themselves through TypeSpec rows and fan out by a thousand at
 * each level, so depth, nodes and length of one name have limits. */

enum {
    DEPTH_MAX = 16,
    NODES_MAX = 4096,
    RANK_MAX = 50,
    GENERICS_MAX = 1000,
    PARAMETERS_MAX = 2000
};

enum element {
    PTR = 0x0f,
    BYREF = 0x10,
    VALUETYPE = 0x11,
    CLASS = 0x12,
    VAR = 0x13,
    ARRAY = 0x14,
    GENERICINST = 0x15,
    FNPTR = 0x1b,
    SZARRAY = 0x1d,
    MVAR = 0x1e,
    CMOD_REQD = 0x1f,
    CMOD_OPT = 0x20
};

static const char *const simple_types[] = {
    [0x01] = "void",    [0x02] = "bool",   [0x03] = "char",           [0x04] = "sbyte",
    [0x05] = "byte",    [0x06] = "short",  [0x07] = "ushort",         [0x08] = "int",
    [0x09] = "uint",    [0x0a] = "long",   [0x0b] = "ulong",          [0x0c] = "float",
    [0x0d] = "double",  [0x0e] = "string", [0x16] = "TypedReference", [0x18] = "IntPtr",
    [0x19] = "UIntPtr", [0x1c] = "object"};

struct scope {
    const struct dotnet_generics *of_class, *of_method; /* may be NULL */
};

/* ---- numbers ---- */

/* width is set to the bytes taken, 0 when the number is cut. */
static uint32_t number_of_width(struct hf_cursor *c, unsigned *width)
{
    struct hf_cursor ahead = *c;
    uint32_t first = hf_u8(&ahead), value = first;
    *width = 1;
    if ((first & 0xc0) == 0x80) {
        *width = 2;
        value = (first & 0x3f) << 8 | hf_u8(&ahead);
    } else if ((first & 0xe0) == 0xc0) {
        *width = 4;
        value = (first & 0x1f) << 24;
        value |= (uint32_t)hf_u8(&ahead) << 16;
        value |= (uint32_t)hf_u8(&ahead) << 8;
        value |= hf_u8(&ahead);
    } else if (first >= 0xe0) {
        *width = 0;
    }
    if (ahead.failed || *width == 0) {
        *width = 0;
        return 0;
    }
    *c = ahead;
    return value;
}

uint32_t dotnet_number(struct hf_cursor *c)
{
    unsigned width;
    return number_of_width(c, &width);
}

/* Signed numbers are rotated left by one in 7, 14 or 29 bits. */
static int32_t signed_number(struct hf_cursor *c)
{
    unsigned width;
    uint32_t value = number_of_width(c, &width);
    unsigned bits = width == 1 ? 7 : width == 2 ? 14 : 29;
    int32_t half = (int32_t)(value >> 1);
    return value & 1 ? half - (INT32_C(1) << (bits - 1)) : half;
}

/* ---- text ---- */

static bool put(struct dotnet_names *n, struct hf_bytes text)
{
    if (text.len > HF_DOTNET_TYPE_MAX - n->len)
        return false;
    if (text.len > 0)
        memcpy(n->text + n->len, text.data, text.len);
    n->len += text.len;
    return true;
}

static bool put_text(struct dotnet_names *n, const char *text)
{
    return put(n, hf_bytes_text(text));
}

static bool put_number(struct dotnet_names *n, int32_t value, const char *behind)
{
    char text[24];
    snprintf(text, sizeof text, "%d%s", value, behind);
    return put_text(n, text);
}

/* ---- kinds of types ---- */

static bool put_type(struct dotnet_names *n, struct hf_cursor *sig, struct scope s,
                     unsigned depth);

static bool put_def(struct dotnet_names *n, uint32_t index)
{
    uint32_t c[HF_DOTNET_COLUMNS];
    if (!dotnet_row(n->r, DOTNET_TYPE_DEF, index, c))
        return false;
    struct hf_bytes name_space = dotnet_namespace_of(n, index, c);
    struct hf_bytes full = dotnet_full_name(n, dotnet_string(n->r, c[1]), name_space);
    return full.data != NULL && put(n, full);
}

static bool put_ref(struct dotnet_names *n, uint32_t index)
{
    uint32_t c[HF_DOTNET_COLUMNS];
    if (!dotnet_row(n->r, DOTNET_TYPE_REF, index, c))
        return false;
    struct hf_bytes full =
        dotnet_full_name(n, dotnet_string(n->r, c[1]), dotnet_string(n->r, c[2]));
    return full.data != NULL && put(n, full);
}

static bool put_spec(struct dotnet_names *n, uint32_t index, struct scope s, unsigned depth)
{
    uint32_t c[HF_DOTNET_COLUMNS];
    struct hf_cursor blob;
    uint64_t at;
    s.of_method = NULL;
    return dotnet_row(n->r, DOTNET_TYPE_SPEC, index, c) &&
           dotnet_blob(n->r, c[0], &blob, &at) && put_type(n, &blob, s, depth);
}

/* A TypeDefOrRef index: the tag says which table. [CLI II.24.2.6, II.23.2.8] */
static bool put_indexed(struct dotnet_names *n, uint32_t coded, struct scope s,
                        unsigned depth)
{
    switch (coded & 3) {
    case 0: return put_def(n, coded >> 2);
    case 1: return put_ref(n, coded >> 2);
    case 2: return put_spec(n, coded >> 2, s, depth);
    default: return false;
    }
}

static bool put_variable(struct dotnet_names *n, const struct dotnet_generics *generics,
                         uint32_t index)
{
    return generics != NULL && index < generics->count && put(n, generics->names[index]);
}

/* [CLI II.23.2.13] Sizes and lower bounds, of as many dimensions as have them. */
static bool put_array(struct dotnet_names *n, struct hf_cursor *sig, struct scope s,
                      unsigned depth)
{
    uint32_t sizes[RANK_MAX] = {0};
    int32_t lows[RANK_MAX] = {0};
    if (!put_type(n, sig, s, depth))
        return false;
    uint32_t rank = dotnet_number(sig);
    if (rank == 0 || rank > RANK_MAX)
        return false;
    uint32_t size_count = dotnet_number(sig);
    if (size_count > rank)
        return false;
    for (uint32_t i = 0; i < size_count; i++)
        sizes[i] = dotnet_number(sig);
    uint32_t low_count = dotnet_number(sig);
    if (low_count > rank)
        return false;
    for (uint32_t i = 0; i < low_count; i++) {
        lows[i] = signed_number(sig);
        if (i < size_count)
            sizes[i] += (uint32_t)lows[i];
    }
    bool good = put_text(n, "[");
    for (uint32_t i = 0; i < rank && good; i++) {
        good = lows[i] == 0 || put_number(n, lows[i], "...");
        good = good && (sizes[i] == 0 || put_number(n, (int32_t)sizes[i], ""));
        good = good && (i + 1 == rank || put_text(n, ","));
    }
    return good && put_text(n, "]");
}

/* Types one after another; those that cannot be named are left out. */
static bool put_types(struct dotnet_names *n, struct hf_cursor *sig, struct scope s,
                      unsigned depth, uint32_t count, const char *between)
{
    for (uint32_t i = 0; i < count && n->nodes < NODES_MAX; i++) {
        size_t before = n->len;
        if ((i > 0 && !put_text(n, between)) || !put_type(n, sig, s, depth))
            n->len = before;
        if (hf_cursor_left(sig) == 0)
            break;
    }
    return n->nodes < NODES_MAX;
}

static bool put_instance(struct dotnet_names *n, struct hf_cursor *sig, struct scope s,
                         unsigned depth)
{
    if (!put_type(n, sig, s, depth))
        return false;
    uint32_t count = dotnet_number(sig);
    return count <= GENERICS_MAX && put_text(n, "<") &&
           put_types(n, sig, s, depth, count, ",") && put_text(n, ">");
}

static bool put_function(struct dotnet_names *n, struct hf_cursor *sig, struct scope s,
                         unsigned depth)
{
    if (hf_cursor_left(sig) == 0)
        return false;
    hf_skip(sig, 1); /* calling convention */
    uint32_t count = dotnet_number(sig);
    return count <= PARAMETERS_MAX && put_text(n, "FnPtr<") && put_type(n, sig, s, depth) &&
           put_text(n, "(") && put_types(n, sig, s, depth, count, ", ") &&
           put_text(n, ")>");
}

static bool put_around(struct dotnet_names *n, struct hf_cursor *sig, struct scope s,
                       unsigned depth, const char *before, const char *behind)
{
    return put_text(n, before) && put_type(n, sig, s, depth) && put_text(n, behind);
}

static bool put_element(struct dotnet_names *n, uint8_t element, struct hf_cursor *sig,
                        struct scope s, unsigned depth)
{
    switch (element) {
    case PTR: return put_around(n, sig, s, depth, "Ptr<", ">");
    case BYREF: return put_around(n, sig, s, depth, "ref ", "");
    case SZARRAY: return put_around(n, sig, s, depth, "", "[]");
    case VALUETYPE:
    case CLASS: return put_indexed(n, dotnet_number(sig), s, depth);
    case VAR: return put_variable(n, s.of_class, dotnet_number(sig));
    case MVAR: return put_variable(n, s.of_method, dotnet_number(sig));
    case ARRAY: return put_array(n, sig, s, depth);
    case GENERICINST: return put_instance(n, sig, s, depth);
    case FNPTR: return put_function(n, sig, s, depth);
    case CMOD_REQD:
    case CMOD_OPT: /* a modifier's own type is not named */
        (void)dotnet_number(sig);
        return put_type(n, sig, s, depth);
    default:
        return element < sizeof simple_types / sizeof *simple_types &&
               simple_types[element] != NULL && put_text(n, simple_types[element]);
    }
}

static bool put_type(struct dotnet_names *n, struct hf_cursor *sig, struct scope s,
                     unsigned depth)
{
    if (hf_cursor_left(sig) == 0 || depth > DEPTH_MAX || ++n->nodes > NODES_MAX ||
        !hf_cursor_charge(sig, 1))
        return false;
    size_t before = n->len;
    bool good = put_element(n, hf_u8(sig), sig, s, depth + 1);
    if (!good)
        n->len = before;
    return good;
}

static struct hf_bytes take_name(struct dotnet_names *n, bool good)
{
    if (!good)
        return (struct hf_bytes){0};
    return n->len == 0 ? hf_bytes_of("", 0)
                       : hf_arena_copy(n->r->arena, hf_bytes_of(n->text, n->len));
}

struct hf_bytes dotnet_type_of_index(struct dotnet_names *n, uint32_t coded,
                                     const struct dotnet_generics *of_class)
{
    n->len = n->nodes = 0;
    return take_name(n, put_indexed(n, coded, (struct scope){of_class, NULL}, 0));
}

struct hf_bytes dotnet_type_of_signature(struct dotnet_names *n, struct hf_cursor *sig,
                                         const struct dotnet_generics *of_class,
                                         const struct dotnet_generics *of_method)
{
    n->len = n->nodes = 0;
    return take_name(n, put_type(n, sig, (struct scope){of_class, of_method}, 0));
}
