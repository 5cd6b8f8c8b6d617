/* machine_check.c - the condition machine's checker: what hf_machine_run would refuse at run
 * time on some path is refused here on all of them, before a database is activated. */
#include "rules/machine_ops.h"

#include <stdlib.h>

enum { PROGRAM_MAX = 1 << 20, UNSEEN = 0xFF };

/* Depth of the stack before each byte of the program, where an operation may start. Jumps go
 * forward only, so one pass in program order sees every path. */
struct flow {
    uint8_t *depth_at;
    size_t len;
};

static bool flow_into(struct flow *flow, uint64_t at, unsigned depth)
{
    if (at >= flow->len || depth > HF_MACHINE_STACK)
        return false;
    if (flow->depth_at[at] != UNSEEN && flow->depth_at[at] != depth)
        return false;
    flow->depth_at[at] = (uint8_t)depth;
    return true;
}

static bool operands_are_good(struct hf_cursor *c, uint8_t op,
                              const struct hf_op_shape *shape, uint32_t patterns)
{
    struct hf_cursor o = hf_cursor_sub(c, c->pos, shape->operand_bytes);
    uint32_t first = shape->operand_bytes >= 4 ? hf_u32le(&o) : 0;
    if (o.failed)
        return false;
    if (shape->has_pattern)
        return first < patterns;
    if (shape->has_range)
        return first <= patterns && hf_u32le(&o) <= patterns - first;
    if (op == HF_OP_READ) {
        uint8_t width = hf_u8(&o);
        return (width == 1 || width == 2 || width == 4) && hf_u8(&o) <= 3;
    }
    return true;
}

/* Check one operation and where it leads. */
static bool check_step(struct flow *flow, struct hf_cursor *c, uint32_t patterns,
                       bool *falls)
{
    unsigned depth = flow->depth_at[c->pos];
    uint8_t op = hf_u8(c);
    const struct hf_op_shape *shape = hf_op_shape(op);
    if (shape == NULL || depth < shape->pops || !operands_are_good(c, op, shape, patterns))
        return false;
    unsigned after = depth - shape->pops + shape->pushes;
    struct hf_cursor operand = *c;
    hf_skip(c, shape->operand_bytes);
    *falls = op != HF_OP_END;
    if (shape->jumps) {
        uint32_t target = hf_u32le(&operand);
        if (target < c->pos || !flow_into(flow, target, after))
            return false;
    }
    return !*falls || flow_into(flow, c->pos, after);
}

enum hf_status hf_machine_check(struct hf_bytes program, uint32_t pattern_count)
{
    if (program.len == 0 || program.len > PROGRAM_MAX)
        return HF_MALFORMED;
    struct flow flow = {.depth_at = malloc(program.len), .len = program.len};
    if (flow.depth_at == NULL)
        return HF_NOMEM;
    memset(flow.depth_at, UNSEEN, program.len);
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
