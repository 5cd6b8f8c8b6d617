/* internal.h - the compiler's parts and what they share: state of a compiler, of one source being
 * parsed, of one rule being built. */
#ifndef HF_RULES_YARA_INTERNAL_H
#define HF_RULES_YARA_INTERNAL_H

#include "base/buffer.h"
#include "pattern/regex.h"
#include "rules/machine.h"
#include "rules/yara/lexer.h"
#include "rules/yara/names.h"
#include "rules/yara/tree.h"
#include "rules/yara/yara.h"

enum {
    STRINGS_MAX = 10000,
    LOOPS_MAX = 4, /* nested, as in YARA [facts/yara.md 1 "Limits"] */
    INCLUDES_MAX = 16,
    DEPTH_MAX = 1000, /* of parentheses and their kin: bounds our own stack */
    TREE_MAX = 4000,  /* depth of a tree: chains of left-associative operators */
    CALL_ARGUMENTS_MAX = 16
};

/* What a name of a namespace stands for: a rule, or one that failed. */
#define RULE_FAILED UINT32_MAX

struct hf_yara {
    struct hf_yara_options options;
    struct hf_arena *arena;   /* results: names, rules */
    struct hf_arena *scratch; /* trees and texts of the rule or source at work */
    struct names rules;       /* by namespace; value: index, or RULE_FAILED */
    struct names spaces;      /* space 0: number of a namespace */
    struct names externals;   /* space 0 */
    uint32_t *imports;        /* of each namespace: bit 1 << module */
    const char **space_names;
    size_t space_count;
    struct hf_yara_rule **list;
    size_t count;
    size_t errors, warnings;
    bool nomem;
};

/* One string while its rule is built. */
struct string_build {
    struct hf_yara_string string;
    unsigned line, column;
    bool referenced;
    bool searched; /* asked for without a fixed place */
    bool fixed;    /* asked for "at" a constant, always the same: */
    int64_t offset;
};

/* A variable of a loop. */
struct variable {
    struct hf_bytes name;
    struct node type; /* copied into each use */
};

struct loop_scope {
    struct variable variables[2];
    unsigned variable_count;
    bool of_strings; /* $ # @ ! mean its pattern */
};

/* A regular expression of the condition. */
struct condition_regex {
    struct hf_bytes program; /* compiled; scratch */
};

struct rule_build {
    struct hf_yara_rule *rule; /* NULL outside of rules */
    struct string_build *strings;
    size_t string_count;
    struct names names; /* space 0: strings; 1: tags */
    struct node *condition;
    struct condition_regex *regexes;
    size_t regex_count;
    struct loop_scope loops[LOOPS_MAX];
    unsigned loop_count;
    unsigned local_count; /* in use now */
    bool failed;
    bool speaks; /* names the module console: evaluating it is heard */
};

struct parser {
    struct hf_yara *yara;
    struct lexer lexer;
    struct token token;
    const char *file;
    const char *name_space;
    uint32_t space;
    unsigned depth; /* of our own recursion */
    bool panic;     /* after a syntax error: unwind to the end of the rule */
    bool failed;    /* anything was wrong */
    struct rule_build rule;
    const struct parser *includer;
    unsigned include_depth;
};

/* message.c. Formats take our own words and numbers; bytes from the source go through quoted(). */
void error_at(struct parser *p, unsigned line, unsigned column, size_t pos,
              const char *format, ...) __attribute__((format(printf, 5, 6)));
void error_here(struct parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* At a token that was read before. */
void error_there(struct parser *p, const struct token *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void error_node(struct parser *p, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void warn_node(struct parser *p, const struct node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void warn_at(struct parser *p, unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void syntax_error(struct parser *p, const char *expected); /* starts panic; NULL: any */
void out_of_memory(struct parser *p);
const char *quoted(struct parser *p, struct hf_bytes bytes); /* escaped, cut; scratch */

/* parser.c: tokens */
void advance(struct parser *p);
bool is_sign(const struct parser *p, char sign);
bool accept_sign(struct parser *p, char sign);
bool accept_token(struct parser *p, enum token_kind kind);
bool expect_sign(struct parser *p, char sign);
bool expect_token(struct parser *p, enum token_kind kind, const char *expected);
void parse_source(struct parser *p);

/* strings.c: the strings section */
void parse_strings(struct parser *p);
/* The program of a regular expression of the condition. */
bool compile_regex(struct parser *p, const struct token *token, struct hf_buffer *program);

/* expression.c: syntax of conditions */
struct node *parse_condition(struct parser *p);

/* A list of operands, arguments, values; a poisoned member poisons the whole. */
struct node_list {
    struct node *first, *last;
    size_t count;
    bool poisoned;
};
void node_append(struct node_list *list, struct node *node);

/* build.c: typed nodes; never NULL, NODE_POISON after an error */
struct node *node_new(struct parser *p, enum node_kind kind, const struct token *at);
struct node *node_poison(struct parser *p);
struct node *node_integer(struct parser *p, const struct token *at, int64_t value);
struct node *build_binary(struct parser *p, const struct token *at, enum hf_op op,
                          struct node *a, struct node *b);
struct node *build_unary(struct parser *p, const struct token *at, enum hf_op op,
                         struct node *a);
struct node *build_matches(struct parser *p, const struct token *at, struct node *a,
                           struct node *b);
/* AND, OR over a list of booleans that holds no poison. */
struct node *build_chain(struct parser *p, const struct token *at, enum node_kind kind,
                         struct node *first);
bool is_poison(const struct node *node);
bool is_constant(const struct node *node, enum hf_fact_type type);
bool want_type(struct parser *p, const struct node *node, enum hf_fact_type type,
               const char *what);
bool want_boolean(struct parser *p, struct node *node);
const char *type_text(enum hf_fact_type type);

/* resolve.c: names */
struct node *resolve_identifier(struct parser *p, const struct token *at);
struct node *resolve_member(struct parser *p, const struct token *at, struct node *a);
struct node *resolve_index(struct parser *p, const struct token *at, struct node *a,
                           struct node *b);
struct node *resolve_call(struct parser *p, const struct token *at, struct node *a,
                          struct node *arguments, size_t count);
bool resolve_string(struct parser *p, const struct token *at, uint32_t *pattern);
bool resolve_string_set(struct parser *p, const struct token *at, struct set *set);
bool resolve_rule_set(struct parser *p, const struct token *at, bool wildcard,
                      struct set *set);
void node_of_field(struct node *node, const struct hf_fact_field *field);
void node_of_element(struct node *node, const struct hf_fact_field *field);

/* sets in the scratch arena */
bool set_add(struct parser *p, struct set *set, uint32_t item);

/* generate.c: strings and program of the rule from what was built. False: reported. */
bool generate_rule(struct parser *p);

/* guards.c: guards and flags of the rule from its condition */
void analyse_rule(struct parser *p);

#endif
