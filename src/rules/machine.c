#include "rules/machine_ops.h"

/* clang-format off */
static const struct hf_op_shape shapes[HF_OP_COUNT_OF_OPS] = {
    [HF_OP_END]           = {.pops = 1},
    [HF_OP_INT]           = {.operand_bytes = 8, .pushes = 1},
    [HF_OP_UNDEFINED]     = {.pushes = 1},
    [HF_OP_MATCHED]       = {.operand_bytes = 4, .pushes = 1, .has_pattern = true},
    [HF_OP_COUNT]         = {.operand_bytes = 4, .pushes = 1, .has_pattern = true},
    [HF_OP_COUNT_SUM]     = {.operand_bytes = 8, .pushes = 1, .has_range = true},
    [HF_OP_DISTINCT]      = {.operand_bytes = 8, .pushes = 1, .has_range = true},
    [HF_OP_OFFSET]        = {.operand_bytes = 4, .pops = 1, .pushes = 1, .has_pattern = true},
    [HF_OP_LENGTH]        = {.operand_bytes = 4, .pops = 1, .pushes = 1, .has_pattern = true},
    [HF_OP_AT]            = {.operand_bytes = 4, .pops = 1, .pushes = 1, .has_pattern = true},
    [HF_OP_IN]            = {.operand_bytes = 4, .pops = 2, .pushes = 1, .has_pattern = true},
    [HF_OP_SIZE]          = {.pushes = 1},
    [HF_OP_NOT]           = {.pops = 1, .pushes = 1},
    [HF_OP_AND]           = {.pops = 2, .pushes = 1},
    [HF_OP_OR]            = {.pops = 2, .pushes = 1},
    [HF_OP_EQ]            = {.pops = 2, .pushes = 1},
    [HF_OP_NE]            = {.pops = 2, .pushes = 1},
    [HF_OP_LT]            = {.pops = 2, .pushes = 1},
    [HF_OP_LE]            = {.pops = 2, .pushes = 1},
    [HF_OP_GT]            = {.pops = 2, .pushes = 1},
    [HF_OP_GE]            = {.pops = 2, .pushes = 1},
    [HF_OP_ADD]           = {.pops = 2, .pushes = 1},
    [HF_OP_SUB]           = {.pops = 2, .pushes = 1},
    [HF_OP_MUL]           = {.pops = 2, .pushes = 1},
    [HF_OP_DIV]           = {.pops = 2, .pushes = 1},
    [HF_OP_MOD]           = {.pops = 2, .pushes = 1},
    [HF_OP_DEFINED]       = {.pops = 1, .pushes = 1},
    [HF_OP_JUMP_IF_FALSE] = {.operand_bytes = 4, .pops = 1, .pushes = 1, .jumps = true},
    [HF_OP_JUMP_IF_TRUE]  = {.operand_bytes = 4, .pops = 1, .pushes = 1, .jumps = true},
    [HF_OP_POP]           = {.pops = 1},
    [HF_OP_READ]          = {.operand_bytes = 2, .pops = 1, .pushes = 1},
};
/* clang-format on */

const struct hf_op_shape *hf_op_shape(uint8_t op)
{
    return op < HF_OP_COUNT_OF_OPS ? &shapes[op] : NULL;
}

struct slot {
    bool defined;
    int64_t value;
};

struct machine {
    struct hf_machine_input *input;
    struct hf_cursor code;
    struct slot stack[HF_MACHINE_STACK];
    unsigned depth;
};

static const struct slot undefined = {0};

static struct slot integer(int64_t value)
{
    return (struct slot){.defined = true, .value = value};
}

static bool truth(struct slot s)
{
    return s.defined && s.value != 0;
}

static size_t matches_of(struct machine *m, uint32_t pattern,
                         const struct hf_match **matches)
{
    *matches = NULL;
    return m->input->matches(m->input->user, pattern, matches);
}

/* The first match at or after an offset, by bisection: conditions loop over many offsets. */
static size_t first_from(const struct hf_match *matches, size_t count, uint64_t offset)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (matches[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct slot matched_in(struct machine *m, uint32_t pattern, struct slot from,
                              struct slot to)
{
    if (!from.defined || !to.defined)
        return undefined;
    if (to.value < 0 || to.value < from.value)
        return integer(0);
    const struct hf_match *matches;
    size_t count = matches_of(m, pattern, &matches);
    uint64_t low = from.value < 0 ? 0 : (uint64_t)from.value;
    size_t i = first_from(matches, count, low);
    return integer(i < count && matches[i].offset <= (uint64_t)to.value);
}

static struct slot nth_match(struct machine *m, uint32_t pattern, struct slot n,
                             bool length)
{
    const struct hf_match *matches;
    size_t count = matches_of(m, pattern, &matches);
    if (!n.defined || n.value < 1 || (uint64_t)n.value > count)
        return undefined;
    const struct hf_match *match = &matches[n.value - 1];
    return integer((int64_t)(length ? match->length : match->offset));
}

/* Sum of counts, or how many patterns matched at all, of a range of patterns. */
static struct slot over_range(struct machine *m, uint32_t first, uint32_t count,
                              bool distinct)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count && hf_cursor_charge(&m->code, 1); i++) {
        const struct hf_match *matches;
        size_t n = matches_of(m, first + i, &matches);
        sum += distinct ? n != 0 : (int64_t)n;
    }
    return integer(sum);
}

static struct slot read_view(const struct machine *m, uint8_t width, uint8_t flags,
                             struct slot at)
{
    if (!at.defined || at.value < 0)
        return undefined;
    struct hf_cursor c = hf_cursor_at(&m->input->view, (uint64_t)at.value);
    bool is_signed = (flags & 1) != 0;
    uint64_t v = width == 1 ? hf_u8(&c) : hf_uint(&c, width, (flags & 2) != 0);
    if (c.failed)
        return undefined;
    switch (width) {
    case 1: return integer(is_signed ? (int8_t)v : (int64_t)v);
    case 2: return integer(is_signed ? (int16_t)v : (int64_t)v);
    default: return integer(is_signed ? (int32_t)v : (int64_t)v);
    }
}

/* Wrapping arithmetic is done unsigned: overflow of signed numbers is undefined in C. */
static struct slot arithmetic(uint8_t op, int64_t a, int64_t b)
{
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    switch (op) {
    case HF_OP_EQ: return integer(a == b);
    case HF_OP_NE: return integer(a != b);
    case HF_OP_LT: return integer(a < b);
    case HF_OP_LE: return integer(a <= b);
    case HF_OP_GT: return integer(a > b);
    case HF_OP_GE: return integer(a >= b);
    case HF_OP_ADD: return integer((int64_t)(ua + ub));
    case HF_OP_SUB: return integer((int64_t)(ua - ub));
    case HF_OP_MUL: return integer((int64_t)(ua * ub));
    default: break;
    }
    if (b == 0 || (a == INT64_MIN && b == -1))
        return undefined;
    return integer(op == HF_OP_DIV ? a / b : a % b);
}

static struct slot two_operands(uint8_t op, struct slot a, struct slot b)
{
    if (op == HF_OP_AND)
        return integer(truth(a) && truth(b));
    if (op == HF_OP_OR)
        return integer(truth(a) || truth(b));
    return a.defined && b.defined ? arithmetic(op, a.value, b.value) : undefined;
}

/* One operation. a is the lower of its operands, b the upper (or the only one). */
static struct slot operate(struct machine *m, uint8_t op, struct slot a, struct slot b)
{
    const struct hf_match *matches;
    uint32_t first, second;
    switch (op) {
    case HF_OP_INT: return integer((int64_t)hf_u64le(&m->code));
    case HF_OP_UNDEFINED: return undefined;
    case HF_OP_MATCHED: return integer(matches_of(m, hf_u32le(&m->code), &matches) != 0);
    case HF_OP_COUNT: return integer((int64_t)matches_of(m, hf_u32le(&m->code), &matches));
    case HF_OP_COUNT_SUM:
    case HF_OP_DISTINCT:
        first = hf_u32le(&m->code);
        second = hf_u32le(&m->code);
        return over_range(m, first, second, op == HF_OP_DISTINCT);
    case HF_OP_OFFSET: return nth_match(m, hf_u32le(&m->code), b, false);
    case HF_OP_LENGTH: return nth_match(m, hf_u32le(&m->code), b, true);
    case HF_OP_AT: return matched_in(m, hf_u32le(&m->code), b, b);
    case HF_OP_IN: return matched_in(m, hf_u32le(&m->code), a, b);
    case HF_OP_SIZE: return integer((int64_t)m->input->view.len);
    case HF_OP_NOT: return b.defined ? integer(b.value == 0) : undefined;
    case HF_OP_DEFINED: return integer(b.defined);
    case HF_OP_READ:
        first = hf_u8(&m->code);
        second = hf_u8(&m->code);
        return read_view(m, (uint8_t)first, (uint8_t)second, b);
    default: return two_operands(op, a, b);
    }
}

/* Whether the operands at the code's position are in range; the position does not move. */
static bool operands_fit(const struct machine *m, const struct hf_op_shape *shape)
{
    struct hf_cursor c = m->code;
    uint32_t patterns = m->input->pattern_count;
    if (hf_cursor_left(&c) < shape->operand_bytes)
        return false;
    uint32_t first = shape->has_pattern || shape->has_range ? hf_u32le(&c) : 0;
    if (shape->has_pattern)
        return first < patterns;
    return !shape->has_range || (first <= patterns && hf_u32le(&c) <= patterns - first);
}

static bool step(struct machine *m, uint8_t op, const struct hf_op_shape *shape)
{
    struct slot b = shape->pops > 0 ? m->stack[m->depth - 1] : undefined;
    struct slot a = shape->pops > 1 ? m->stack[m->depth - 2] : undefined;
    if (shape->jumps) {
        uint32_t target = hf_u32le(&m->code);
        if (target <
            m->code.pos) /* backwards would be a loop; loops get operations of their own */
            return false;
        if (truth(b) == (op == HF_OP_JUMP_IF_TRUE))
            hf_seek(&m->code, target);
        return true;
    }
    struct slot result = shape->pushes > 0 ? operate(m, op, a, b) : undefined;
    m->depth -= shape->pops;
    if (shape->pushes > 0)
        m->stack[m->depth++] = result;
    return true;
}

enum hf_status hf_machine_run(struct hf_bytes program, struct hf_machine_input *input,
                              bool *answer)
{
    struct machine m = {
        .input = input,
        .code = hf_cursor_open(program.data, program.len, input->view.budget),
    };
    *answer = false;
    while (hf_cursor_charge(&m.code, 1)) {
        uint8_t op = hf_u8(&m.code);
        const struct hf_op_shape *shape = hf_op_shape(op);
        if (m.code.failed || shape == NULL || m.depth < shape->pops ||
            m.depth - shape->pops + shape->pushes > HF_MACHINE_STACK ||
            !operands_fit(&m, shape))
            return HF_MALFORMED;
        if (op == HF_OP_END) {
            *answer = truth(m.stack[m.depth - 1]);
            return HF_OK;
        }
        if (!step(&m, op, shape) ||
            (m.code.failed && hf_cursor_status(&m.code) != HF_LIMIT))
            return HF_MALFORMED;
    }
    return hf_cursor_status(&m.code) == HF_LIMIT ? HF_LIMIT : HF_MALFORMED;
}
