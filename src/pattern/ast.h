/* ast.h - what a hex string or a regular expression says, as a tree; made by the parsers
 * (regex.h, hex.h, ClamAV's later), compiled by program.h. Every node consumes whole bytes; case
 * folding, nibbles and negation are in the byte nodes already, so one machine serves all
 * languages. */
#ifndef HF_PATTERN_AST_H
#define HF_PATTERN_AST_H

#include "base/arena.h"

enum hf_node_kind {
    HF_NODE_EMPTY,     /* matches nothing, of length 0 */
    HF_NODE_BYTE,      /* (byte & mask) == value, or != when negated */
    HF_NODE_CLASS,     /* a byte of a set */
    HF_NODE_CONCAT,    /* children one after another */
    HF_NODE_ALTERNATE, /* one of the children */
    HF_NODE_REPEAT,    /* the child min to max times */
    HF_NODE_ASSERT     /* of length 0 */
};

/* Stored in programs: append, never renumber. */
enum hf_assertion {
    HF_ASSERT_START, /* start of the data */
    HF_ASSERT_END,   /* end of the data */
    HF_ASSERT_WORD,  /* a word character on one side, none on the other */
    HF_ASSERT_NOT_WORD,
    /* ClamAV's marks at the edges of a part; behind each stands its negation.
     * [facts/clamav.md 1.2; what each byte means was measured with clamscan 1.4.6] */
    HF_ASSERT_BOUNDARY_BEFORE, /* (B) at the left end: a byte that ends words, or the start */
    HF_ASSERT_NOT_BOUNDARY_BEFORE,
    HF_ASSERT_BOUNDARY_BEHIND, /* (B) at the right end: another set, or the end */
    HF_ASSERT_NOT_BOUNDARY_BEHIND,
    HF_ASSERT_LINE_BEFORE, /* (L): LF before, or the start */
    HF_ASSERT_NOT_LINE_BEFORE,
    HF_ASSERT_LINE_BEHIND, /* (L): LF or CR LF behind, or the end */
    HF_ASSERT_NOT_LINE_BEHIND,
    HF_ASSERT_ALNUM_ENDS_BEFORE, /* (W): no letter or digit before */
    HF_ASSERT_NOT_ALNUM_ENDS_BEFORE,
    HF_ASSERT_ALNUM_ENDS_BEHIND, /* (W): no letter or digit behind */
    HF_ASSERT_NOT_ALNUM_ENDS_BEHIND,
    HF_ASSERT_WIDE_ENDS_BEFORE, /* (W) of wide text: no letter or digit followed by 00 before */
    HF_ASSERT_NOT_WIDE_ENDS_BEFORE,
    HF_ASSERT_WIDE_ENDS_BEHIND,
    HF_ASSERT_NOT_WIDE_ENDS_BEHIND,
    HF_ASSERTIONS
};

/* Whether an assertion of ClamAV's (BOUNDARY_BEFORE and later) holds between two bytes of data;
 * at <= data.len. False for the others. */
bool hf_assertion_holds(enum hf_assertion assertion, struct hf_bytes data, uint64_t at);

/* Bytes that (B) accepts where it consumes one, in the middle of a part. */
bool hf_is_boundary(uint8_t byte);

#define HF_REPEAT_UNBOUNDED UINT32_MAX
enum { HF_REPEAT_MAX = 32767 }; /* largest bound of a regular expression, as in YARA */

struct hf_node {
    enum hf_node_kind kind;
    uint8_t value, mask; /* BYTE */
    bool negated;        /* BYTE */
    bool lazy;           /* REPEAT: as few as will do */
    enum hf_assertion assertion;
    uint32_t min, max;       /* REPEAT */
    const uint8_t *set;      /* CLASS: 32 bytes, bit b & 7 of byte b >> 3 */
    struct hf_node *child;   /* first child */
    struct hf_node *sibling; /* the next in its parent */
    /* Filled by the compiler: instructions that consume this byte in both programs. */
    uint32_t forward, backward;
};

/* What is wrong with a pattern's text, and where. */
struct hf_pattern_error {
    size_t at;        /* byte in the text */
    const char *text; /* one sentence, static */
};

/* New nodes, in the arena; NULL when it is exhausted. */
struct hf_node *hf_node_new(struct hf_arena *arena, enum hf_node_kind kind);
struct hf_node *hf_node_byte(struct hf_arena *arena, uint8_t value, uint8_t mask,
                             bool negated);
struct hf_node *hf_node_class(struct hf_arena *arena, const uint8_t set[32]);
struct hf_node *hf_node_repeat(struct hf_arena *arena, struct hf_node *child, uint32_t min,
                               uint32_t max, bool lazy);

/* A list of children under construction, for CONCAT and ALTERNATE. */
struct hf_node_list {
    struct hf_node *first, *last;
    size_t count;
};
void hf_node_append(struct hf_node_list *list, struct hf_node *node);

/* A node of the kind over the list: EMPTY for none, the child itself for one. */
struct hf_node *hf_node_of_list(struct hf_arena *arena, enum hf_node_kind kind,
                                const struct hf_node_list *list);

/* Shortest and longest match in bytes; longest HF_LENGTH_UNBOUNDED when there is no end. */
#define HF_LENGTH_UNBOUNDED UINT64_MAX
struct hf_length {
    uint64_t min, max;
};
struct hf_length hf_node_length(const struct hf_node *node);

/* Whether a byte node (BYTE, CLASS) accepts a byte. */
bool hf_node_accepts(const struct hf_node *node, uint8_t byte);

#endif
