/* dotnet_names.h - names of .NET types as a person writes them: from rows of the type tables and
 * from signatures. [CLI II.23.2] The spelling is that of YARA's dotnet module. */
#ifndef HF_FORMAT_DOTNET_NAMES_H
#define HF_FORMAT_DOTNET_NAMES_H

#include "format/dotnet_internal.h"

/* Rows of a table by the row that owns them, in the order of the table. */
struct dotnet_chain {
    uint32_t *first, *last, *next; /* 0: none */
    uint32_t owners;               /* 1..owners have chains */
};

struct dotnet_generics {
    struct hf_bytes *names;
    uint32_t count;
};

struct dotnet_names {
    const struct dotnet_reader *r;
    struct dotnet_chain type_generics, method_generics, interfaces;
    uint32_t *enclosing; /* of each TypeDef row, 0: none */
    uint8_t *text;       /* the name being built, HF_DOTNET_TYPE_MAX bytes */
    size_t len, nodes;
};

/* One pass over the tables that say what belongs to what. */
enum hf_status dotnet_names_init(struct dotnet_names *n, const struct dotnet_reader *r);

/* The part of a name before '`', which counts its generic parameters. */
struct hf_bytes dotnet_plain(struct hf_bytes name);

/* The names of a type's or method's generic parameters; none when one of them has no name. */
struct dotnet_generics dotnet_generics_of(const struct dotnet_names *n,
                                          const struct dotnet_chain *chain, uint32_t owner);

/* The namespace (for nested types: the enclosing type) and the full name of a TypeDef row, given
 * the row's columns. */
struct hf_bytes dotnet_namespace_of(const struct dotnet_names *n, uint32_t index,
                                    const uint32_t columns[HF_DOTNET_COLUMNS]);
struct hf_bytes dotnet_full_name(const struct dotnet_names *n, struct hf_bytes name,
                                 struct hf_bytes name_space);

/* The type that a TypeDefOrRef index names, or the next one of a signature. data NULL: none. */
struct hf_bytes dotnet_type_of_index(struct dotnet_names *n, uint32_t coded,
                                     const struct dotnet_generics *of_class);
struct hf_bytes dotnet_type_of_signature(struct dotnet_names *n, struct hf_cursor *sig,
                                         const struct dotnet_generics *of_class,
                                         const struct dotnet_generics *of_method);

/* An unsigned number of a signature; 0 and nothing read when it is cut. [CLI II.23.2] */
uint32_t dotnet_number(struct hf_cursor *c);

#endif
