/* fact_tree.h - facts that came out of the jail, as a tree to print from. */
#ifndef HF_CLI_FACT_TREE_H
#define HF_CLI_FACT_TREE_H

#include "facts/facts_wire.h"

struct hf_fact_node {
    enum hf_fact_type type; /* a scalar's, or STRUCT, ARRAY, DICT */
    struct hf_bytes name;   /* empty for elements of arrays; borrowed from the facts */
    struct hf_value value;  /* of a scalar */
    struct hf_bytes
        label;         /* names of an integer, or of the place in its array; mostly empty */
    uint64_t left_out; /* elements of a list, or bytes of a string */
    struct hf_fact_node *first, *next;
    size_t count; /* children */
};

/* The modules of an object, in a list; facts outlive it, arena owns it. HF_OK, HF_MALFORMED (the
 * worker lied: *out has what came before), HF_NOMEM. */
HF_MUST_USE enum hf_status hf_fact_tree_read(struct hf_bytes facts, struct hf_arena *arena,
                                             struct hf_fact_node **out);

/* Append a node and all below it, for people: indented, lists of structs as tables. */
struct hf_fact_print {
    bool colour;
    bool whole; /* also what is said twice, or says that nothing is there */
    size_t list_max, string_max; /* how much of each is shown */
};
void hf_fact_tree_print(struct hf_buffer *out, const struct hf_fact_print *how,
                        const struct hf_fact_node *node, unsigned indent);

#endif
