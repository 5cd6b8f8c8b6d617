/* machine_ops.h - shape of the condition machine's operations: operand bytes and stack effect.
 * Shared by the running machine and the checker, so that they cannot disagree. */
#ifndef HF_RULES_MACHINE_OPS_H
#define HF_RULES_MACHINE_OPS_H

#include "rules/machine.h"

enum { HF_MACHINE_STACK = 64 };

struct hf_op_shape {
    uint8_t operand_bytes;
    uint8_t pops, pushes;
    bool has_pattern; /* the first operand is a pattern number */
    bool has_range;   /* the operands are first pattern and how many */
    bool jumps;       /* the operand is a target in the program, forward only */
};

/* The shape of an operation; NULL when there is no such operation. */
const struct hf_op_shape *hf_op_shape(uint8_t op);

#endif
