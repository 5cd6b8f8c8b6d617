/* tree.h - a condition as a tree: names resolved, types checked, constants folded while it is
 * built (build.c, resolve.c). Inside only; lives until its rule is generated. */
#ifndef HF_RULES_YARA_TREE_H
#define HF_RULES_YARA_TREE_H

#include "facts/facts.h"

enum node_kind {
    NODE_POISON, /* its error was reported; nothing more is said about what contains it */
    NODE_CONST,  /* by type: integer (also booleans), real, string */
    NODE_REGEX,  /* number: index of the rule's condition regexes */
    NODE_FILESIZE,
    NODE_ENTRYPOINT,
    NODE_READ,    /* a; number: width, flags: HF_OP_READ's */
    NODE_BINARY,  /* a, b; op: enum hf_op */
    NODE_UNARY,   /* a; op: HF_OP_NOT, HF_OP_DEFINED, HF_OP_NEGATE, HF_OP_COMPLEMENT */
    NODE_MATCHES, /* a; b: NODE_REGEX */
    NODE_AND,     /* a, and its siblings by next */
    NODE_OR,
    NODE_MATCHED,   /* number: pattern, or CURRENT; of these: */
    NODE_AT,        /* a: offset */
    NODE_IN,        /* a, b: range */
    NODE_COUNT,     /* a, b: range, or NULL */
    NODE_OFFSET,    /* a: index, or NULL for 1 */
    NODE_LENGTH,    /* a: index, or NULL for 1 */
    NODE_OF,        /* quantifier, set; a: offset with b NULL, or a, b: range */
    NODE_OF_RULES,  /* quantifier, set */
    NODE_FOR_OF,    /* quantifier, set; body */
    NODE_FOR_RANGE, /* quantifier; a, b; number: first local; body */
    NODE_FOR_LIST,  /* quantifier; a and siblings: values; number: local; body */
    NODE_FOR_ARRAY, /* quantifier; a; number: local; body */
    NODE_FOR_DICT,  /* quantifier; a; number: local of the key, the value behind it; body */
    NODE_RULE,      /* number: rule */
    NODE_EXTERNAL,  /* number */
    NODE_LOCAL,     /* number */
    NODE_MODULE,    /* number: in the schema */
    NODE_FIELD,     /* a: NODE_MODULE or a struct; number: field */
    NODE_INDEX,     /* a: array or dictionary; b */
    NODE_CALL       /* a: NODE_FIELD of the overload; list: arguments */
};

#define PATTERN_CURRENT UINT32_MAX /* the one of the innermost for..of loop */

enum quantifier_kind {
    QUANTIFIER_ALL,
    QUANTIFIER_ANY,
    QUANTIFIER_NONE,
    QUANTIFIER_N,
    QUANTIFIER_PERCENT
};

struct node;

/* What a loop or "of" goes over: patterns, or rules, in order. */
struct set {
    uint32_t *items;
    size_t count;
};

struct loop {
    enum quantifier_kind quantifier;
    struct node *amount; /* N, PERCENT */
    struct set set;
    struct node *body;
    unsigned locals; /* first of the loop's own: pattern, count... given by the generator */
};

struct node {
    enum node_kind kind;
    uint8_t op, flags;
    bool primary; /* YARA's primary_expression: may be an operand */
    enum hf_fact_type type;
    unsigned line, column;
    uint16_t depth; /* of the tree below */
    uint32_t number;
    struct node *a, *b, *next;
    union {
        int64_t integer;
        double real;
        struct hf_bytes string;
        struct loop *loop;
        struct node *list;
        const struct hf_fact_record *record; /* MODULE; of type STRUCT: what it is */
    };
    const struct hf_fact_field *field; /* of type ARRAY, DICT, FUNCTION: the row */
};

#endif
