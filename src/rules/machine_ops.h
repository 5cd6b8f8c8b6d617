/* machine_ops.h - shape of the condition machine's operations: operand bytes and stack effect.
 * Shared by the running machine and the checker, so that they cannot disagree. */
#ifndef HF_RULES_MACHINE_OPS_H
#define HF_RULES_MACHINE_OPS_H

#include "rules/machine.h"

struct hf_op_shape {
    uint8_t operand_bytes;
    uint8_t pops, pushes;
    bool has_pattern;  /* the first operand is a pattern number */
    bool has_range;    /* the operands are first pattern and how many */
    bool jumps;        /* the operand is a target in the program, forward only */
    bool loops;        /* the operand is a target in the program, backward only */
    bool has_variable; /* the operand is a variable */
    /* The operand counts what follows it: so many units of so many bytes. */
    uint8_t unit_bytes;
    bool has_arguments; /* the operand says how many more are popped */
};

/*
 * Measure the operands of an operation, and see that they are in range.
 *
 * code      stands behind the operation; not moved.
 * length    receives the bytes of all operands, pops what is popped in all.
 * False when they are not all there, or name a pattern or variable that does not exist.
 */
bool hf_op_operands(const struct hf_cursor *code, const struct hf_op_shape *shape,
                    uint32_t patterns, size_t *length, size_t *pops);

/* The shape of an operation; NULL when there is no such operation. */
const struct hf_op_shape *hf_op_shape(uint8_t op);

#endif
