/* code.h - instructions of the pattern machine; between program.c, machine.c and anchors.c.
 *
 *   u8 op   u8 a   u16 b   u32 c
 *
 * State numbers: an instruction that counts has one state for each count, others have one. */
#ifndef HF_PATTERN_CODE_H
#define HF_PATTERN_CODE_H

#include "pattern/program.h"

/* Stored: append, never renumber. */
enum code_op {
    CODE_MATCH,
    CODE_BYTE,      /* (byte & b's high half) == a; b's low half 1: negated */
    CODE_SET,       /* byte in set b */
    CODE_SPLIT,     /* go on behind this and at c; a 1: at c first, where order counts */
    CODE_JUMP,      /* go on at c */
    CODE_ASSERT,    /* a: enum hf_assertion */
    CODE_ANY_TIMES, /* any byte, at least b times, at most c times (CODE_NO_MAX: no end);
                     * a 1: as few as will do, where order counts */
    CODE_OPS
};
#define CODE_NO_MAX UINT32_MAX
enum { CODE_SIZE = 8, CODE_VERSION = 1 };

struct code {
    uint8_t op, a;
    uint16_t b;
    uint32_t c;
};

/* An instruction of a machine; number < its count. Inline: the innermost loops live on it. */
static inline struct code code_at(struct hf_bytes machine, uint32_t number)
{
    const uint8_t *p = machine.data + (size_t)number * CODE_SIZE;
    return (struct code){.op = p[0],
                         .a = p[1],
                         .b = (uint16_t)(p[2] | p[3] << 8),
                         .c = (uint32_t)p[4] | (uint32_t)p[5] << 8 | (uint32_t)p[6] << 16 |
                              (uint32_t)p[7] << 24};
}

/* How many states it has. */
uint32_t code_states(const struct code *code);

/* Choose anchors for a compiled tree (its forward and backward fields are set). At most max;
 * 0: every match can do without a literal piece. */
size_t code_choose_anchors(const struct hf_node *root, bool nocase, struct hf_arena *arena,
                           struct hf_anchor *anchors, size_t max);

#endif
