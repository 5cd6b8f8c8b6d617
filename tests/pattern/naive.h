/* naive.h - the slow, obvious matcher of pattern trees: all ends of a match from a start, by sets
 * of positions. What the machine must agree with. */
#ifndef HF_TESTS_PATTERN_NAIVE_H
#define HF_TESTS_PATTERN_NAIVE_H

#include "pattern/ast.h"

enum { NAIVE_MAX = 256 };

/* Positions 0..data.len at which something may stand. */
struct positions {
    bool at[NAIVE_MAX + 1];
};

/* Ends of matches of a node that begin at one of the given positions. data.len <= NAIVE_MAX. */
struct positions naive_ends(const struct hf_node *node, struct hf_bytes data,
                            struct positions from);

/* Length of the match at start that counts, or -1. */
int naive_match(const struct hf_node *root, bool lazy, struct hf_bytes data, size_t start);

/* Length of the match at start that is found first when ways are tried in the order in which the
 * pattern says them, or -1. */
int naive_first(const struct hf_node *root, struct hf_bytes data, size_t start);

#endif
