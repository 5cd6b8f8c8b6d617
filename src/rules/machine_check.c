/* machine_check.c - the condition machine's checker: what hf_machine_run would refuse at run
 * time on some path is refused here on all of them, before a database is activated. */
#include "rules/machine_ops.h"

#include <stdlib.h>

enum { PROGRAM_MAX = 1 << 20, UNSEEN = 0xFFFF };

/* Depth of the stack before each byte of the program, where an operation may start. Jumps go
 * forward, and loops back to where a path was already seen with the same depth, so one pass in
 * program order sees every path. */
struct flow {
    uint16_t *depth_at;
    size_t len;
};

static bool flow_into(struct flow *flow, uint64_t at, unsigned depth)
{
    if (at >= flow->len || depth > HF_MACHINE_STACK)
        return false;
    if (flow->depth_at[at] != UNSEEN && flow->depth_at[at] != depth)
        return false;
    flow->depth_at[at] = (uint16_t)depth;
    return true;
}

/* What operands may say beyond what the machine itself needs of them. */
static bool operands_are_good(struct hf_cursor o, uint8_t op)
{
    if (op != HF_OP_READ)
        return true;
    uint8_t width = hf_u8(&o);
    return (width == 1 || width == 2 || width == 4) && hf_u8(&o) <= 3;
}

/* Where a jump or loop leads. A loop goes back to an operation that was reached with the same
 * depth, so that turning does not move the stack. */
static bool target_is_good(struct flow *flow, const struct hf_op_shape *shape,
                           uint32_t target, uint64_t here, unsigned depth)
{
    if (shape->jumps)
        return target >= here && flow_into(flow, target, depth);
    return target < here && flow->depth_at[target] == depth;
}

/* Check one operation and where it leads. */
static bool check_step(struct flow *flow, struct hf_cursor *c, uint32_t patterns,
                       bool *falls)
{
    unsigned depth = flow->depth_at[c->pos];
    uint8_t op = hf_u8(c);
    const struct hf_op_shape *shape = hf_op_shape(op);
    size_t length, pops;
    if (shape == NULL || !hf_op_operands(c, shape, patterns, &length, &pops) ||
        depth < pops || !operands_are_good(*c, op))
        return false;
    unsigned after = depth - (unsigned)pops + shape->pushes;
    struct hf_cursor operand = *c;
    hf_skip(c, length);
    *falls = op != HF_OP_END && op != HF_OP_JUMP && op != HF_OP_LOOP;
    if ((shape->jumps || shape->loops) &&
        !target_is_good(flow, shape, hf_u32le(&operand), c->pos, after))
        return false;
    return !*falls || flow_into(flow, c->pos, after);
}

enum hf_status hf_machine_check(struct hf_bytes program, uint32_t pattern_count)
{
    if (program.len == 0 || program.len > PROGRAM_MAX)
        return HF_MALFORMED;
    struct flow flow = {.depth_at = calloc(program.len, sizeof *flow.depth_at),
                        .len = program.len};
    if (flow.depth_at == NULL)
        return HF_NOMEM;
    memset(flow.depth_at, 0xFF, program.len * sizeof *flow.depth_at);
    flow.depth_at[0] = 0;
    struct hf_cursor c = hf_cursor_open(program.data, program.len, NULL);
    bool good = true;
    while (good && hf_cursor_left(&c) > 0) {
        bool falls = false;
        if (flow.depth_at[c.pos] == UNSEEN)
            good = false; /* bytes that no path reaches: not what a compiler makes */
        else
            good = check_step(&flow, &c, pattern_count, &falls);
        good = good && (falls ? hf_cursor_left(&c) > 0 : true);
    }
    free(flow.depth_at);
    return good ? HF_OK : HF_MALFORMED;
}
