#include "rules/machine_internal.h"

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
    [HF_OP_NEGATE]        = {.pops = 1, .pushes = 1},
    [HF_OP_COMPLEMENT]    = {.pops = 1, .pushes = 1},
    [HF_OP_BIT_AND]       = {.pops = 2, .pushes = 1},
    [HF_OP_BIT_OR]        = {.pops = 2, .pushes = 1},
    [HF_OP_BIT_XOR]       = {.pops = 2, .pushes = 1},
    [HF_OP_SHIFT_LEFT]    = {.pops = 2, .pushes = 1},
    [HF_OP_SHIFT_RIGHT]   = {.pops = 2, .pushes = 1},
    [HF_OP_CONTAINS]      = {.pops = 2, .pushes = 1},
    [HF_OP_ICONTAINS]     = {.pops = 2, .pushes = 1},
    [HF_OP_STARTS]        = {.pops = 2, .pushes = 1},
    [HF_OP_ISTARTS]       = {.pops = 2, .pushes = 1},
    [HF_OP_ENDS]          = {.pops = 2, .pushes = 1},
    [HF_OP_IENDS]         = {.pops = 2, .pushes = 1},
    [HF_OP_IEQUALS]       = {.pops = 2, .pushes = 1},
    [HF_OP_MATCHES]       = {.pops = 2, .pushes = 1},
    [HF_OP_STRING]        = {.operand_bytes = 4, .pushes = 1, .unit_bytes = 1},
    [HF_OP_REAL]          = {.operand_bytes = 8, .pushes = 1},
    [HF_OP_REGEX]         = {.operand_bytes = 4, .pushes = 1, .unit_bytes = 1},
    [HF_OP_TRUTH]         = {.pops = 1, .pushes = 1},
    [HF_OP_JUMP]          = {.operand_bytes = 4, .jumps = true},
    [HF_OP_LOOP]          = {.operand_bytes = 4, .loops = true},
    [HF_OP_GET]           = {.operand_bytes = 1, .pushes = 1, .has_variable = true},
    [HF_OP_SET]           = {.operand_bytes = 1, .pops = 1, .has_variable = true},
    [HF_OP_PICK]          = {.operand_bytes = 4, .pops = 1, .pushes = 1, .unit_bytes = 4},
    [HF_OP_MATCHED_OF]    = {.pops = 1, .pushes = 1},
    [HF_OP_COUNT_OF]      = {.pops = 1, .pushes = 1},
    [HF_OP_OFFSET_OF]     = {.pops = 2, .pushes = 1},
    [HF_OP_LENGTH_OF]     = {.pops = 2, .pushes = 1},
    [HF_OP_AT_OF]         = {.pops = 2, .pushes = 1},
    [HF_OP_IN_OF]         = {.pops = 3, .pushes = 1},
    [HF_OP_COUNT_IN_OF]   = {.pops = 3, .pushes = 1},
    [HF_OP_COUNT_IN]      = {.operand_bytes = 4, .pops = 2, .pushes = 1, .has_pattern = true},
    [HF_OP_DISTINCT_IN]   = {.operand_bytes = 8, .pops = 2, .pushes = 1, .has_range = true},
    [HF_OP_RULE]          = {.operand_bytes = 4, .pushes = 1},
    [HF_OP_EXTERNAL]      = {.operand_bytes = 4, .pushes = 1},
    [HF_OP_FACT]          = {.operand_bytes = 3, .pushes = 1},
    [HF_OP_MEMBER]        = {.operand_bytes = 2, .pops = 1, .pushes = 1},
    [HF_OP_INDEX]         = {.pops = 2, .pushes = 1},
    [HF_OP_LIST_SIZE]     = {.pops = 1, .pushes = 1},
    [HF_OP_DICT_KEY]      = {.pops = 2, .pushes = 1},
    [HF_OP_DICT_ITEM]     = {.pops = 2, .pushes = 1},
    [HF_OP_CALL]          = {.operand_bytes = 1, .pops = 1, .pushes = 1, .has_arguments = true},
};
/* clang-format on */

const struct hf_op_shape *hf_op_shape(uint8_t op)
{
    return op < HF_OP_COUNT_OF_OPS ? &shapes[op] : NULL;
}

bool hf_op_operands(const struct hf_cursor *code, const struct hf_op_shape *shape,
                    uint32_t patterns, size_t *length, size_t *pops)
{
    struct hf_cursor c = *code;
    *length = shape->operand_bytes;
    *pops = shape->pops;
    if (hf_cursor_left(&c) < shape->operand_bytes)
        return false;
    if (shape->has_arguments)
        *pops += hf_u8(&c);
    if (shape->has_variable)
        return hf_u8(&c) < HF_MACHINE_VARIABLES;
    if (!shape->has_pattern && !shape->has_range && shape->unit_bytes == 0)
        return true;
    uint32_t first = hf_u32le(&c);
    if (shape->has_pattern)
        return first < patterns;
    if (shape->has_range)
        return first <= patterns && hf_u32le(&c) <= patterns - first;
    *length += (size_t)first * shape->unit_bytes;
    return first <= hf_cursor_left(&c) / shape->unit_bytes;
}

const struct hf_slot hf_slot_undefined = {0};

static bool truth(struct hf_slot s)
{
    if (!s.value.defined)
        return false;
    switch (s.value.type) {
    case HF_FACT_INT:
    case HF_FACT_BOOL: return s.value.integer != 0;
    case HF_FACT_FLOAT: return s.value.real < 0 || s.value.real > 0;
    case HF_FACT_STRING: return s.value.string.len > 0;
    case HF_FACT_REGEX: return true;
    default: return false;
    }
}

static size_t matches_of(struct hf_machine *m, uint32_t pattern,
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

/* How many matches start in [from, to], counting no further than `most`. */
static struct hf_slot matched_in(struct hf_machine *m, uint32_t pattern,
                                 struct hf_slot from, struct hf_slot to, size_t most)
{
    int64_t low, high;
    if (!hf_slot_integer(from, &low) || !hf_slot_integer(to, &high))
        return hf_slot_undefined;
    if (high < 0 || high < low)
        return hf_slot_int(0);
    const struct hf_match *matches;
    size_t count = matches_of(m, pattern, &matches);
    size_t first = first_from(matches, count, low < 0 ? 0 : (uint64_t)low);
    if (most == 1)
        return hf_slot_int(first < count && matches[first].offset <= (uint64_t)high);
    size_t last =
        high == INT64_MAX ? count : first_from(matches, count, (uint64_t)high + 1);
    return hf_slot_int((int64_t)(last - first));
}

static struct hf_slot matched_at(struct hf_machine *m, uint32_t pattern, struct hf_slot at)
{
    return at.value.defined ? matched_in(m, pattern, at, at, 1) : hf_slot_int(0);
}

static struct hf_slot nth_match(struct hf_machine *m, uint32_t pattern, struct hf_slot n,
                                bool length)
{
    const struct hf_match *matches;
    size_t count = matches_of(m, pattern, &matches);
    int64_t i;
    if (!hf_slot_integer(n, &i) || i < 1 || (uint64_t)i > count)
        return hf_slot_undefined;
    const struct hf_match *match = &matches[i - 1];
    return hf_slot_int((int64_t)(length ? match->length : match->offset));
}

/* Sum of counts, or how many patterns matched at all, of a range of patterns. */
static struct hf_slot over_range(struct hf_machine *m, uint32_t first, uint32_t count,
                                 bool distinct)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count && hf_cursor_charge(&m->code, 1); i++) {
        const struct hf_match *matches;
        size_t n = matches_of(m, first + i, &matches);
        sum += distinct ? n != 0 : (int64_t)n;
    }
    return hf_slot_int(sum);
}

static struct hf_slot read_view(const struct hf_machine *m, uint8_t width, uint8_t flags,
                                struct hf_slot where)
{
    int64_t at;
    if (!hf_slot_integer(where, &at) || at < 0)
        return hf_slot_undefined;
    struct hf_cursor c = hf_cursor_at(&m->input->view, (uint64_t)at);
    bool is_signed = (flags & 1) != 0;
    uint64_t v = width == 1 ? hf_u8(&c) : hf_uint(&c, width, (flags & 2) != 0);
    if (c.failed)
        return hf_slot_undefined;
    switch (width) {
    case 1: return hf_slot_int(is_signed ? (int8_t)v : (int64_t)v);
    case 2: return hf_slot_int(is_signed ? (int16_t)v : (int64_t)v);
    default: return hf_slot_int(is_signed ? (int32_t)v : (int64_t)v);
    }
}

/* How many patterns of a range match in [from, to]. */
static struct hf_slot distinct_in(struct hf_machine *m, uint32_t first, uint32_t count,
                                  struct hf_slot from, struct hf_slot to)
{
    int64_t sum = 0;
    if (!from.value.defined || !to.value.defined)
        return hf_slot_undefined;
    for (uint32_t i = 0; i < count && hf_cursor_charge(&m->code, 1); i++)
        sum += truth(matched_in(m, first + i, from, to, 1));
    return hf_slot_int(sum);
}

/* Operations on a pattern whose number was computed. */
static struct hf_slot of_pattern(struct hf_machine *m, uint8_t op,
                                 const struct hf_slot *args)
{
    const struct hf_match *matches;
    int64_t n;
    if (!hf_slot_integer(args[0], &n) || n < 0 || n >= m->input->pattern_count)
        return hf_slot_undefined;
    uint32_t p = (uint32_t)n;
    switch (op) {
    case HF_OP_MATCHED_OF: return hf_slot_int(matches_of(m, p, &matches) != 0);
    case HF_OP_COUNT_OF: return hf_slot_int((int64_t)matches_of(m, p, &matches));
    case HF_OP_OFFSET_OF: return nth_match(m, p, args[1], false);
    case HF_OP_LENGTH_OF: return nth_match(m, p, args[1], true);
    case HF_OP_AT_OF: return matched_at(m, p, args[1]);
    case HF_OP_IN_OF: return matched_in(m, p, args[1], args[2], 1);
    default: return matched_in(m, p, args[1], args[2], SIZE_MAX);
    }
}

/* ---- the loop ---- */

/* The number at a place of a table of the program. */
static struct hf_slot pick(struct hf_machine *m, struct hf_slot where)
{
    uint32_t count = hf_u32le(&m->code);
    struct hf_cursor table = hf_cursor_sub(&m->code, m->code.pos, (uint64_t)count * 4);
    int64_t i;
    hf_skip(&m->code, (uint64_t)count * 4);
    if (!hf_slot_integer(where, &i) || i < 0 || i >= count)
        return hf_slot_undefined;
    hf_skip(&table, (uint64_t)i * 4);
    return hf_slot_int(hf_u32le(&table));
}

static struct hf_slot external(struct hf_machine *m)
{
    uint32_t number = hf_u32le(&m->code);
    if (number >= m->input->external_count)
        return hf_slot_undefined;
    return (struct hf_slot){.value = m->input->externals[number]};
}

static struct hf_slot earlier_rule(struct hf_machine *m)
{
    uint32_t distance = hf_u32le(&m->code);
    return hf_slot_int(m->input->rule != NULL && distance > 0 &&
                       m->input->rule(m->input->user, distance));
}

/* One operation. args: its operands, the lowest first. */
static struct hf_slot operate(struct hf_machine *m, uint8_t op, const struct hf_slot *args)
{
    const struct hf_match *matches;
    uint32_t first, second;
    switch (op) {
    case HF_OP_INT: return hf_slot_int((int64_t)hf_u64le(&m->code));
    case HF_OP_UNDEFINED: return hf_slot_undefined;
    case HF_OP_MATCHED:
        return hf_slot_int(matches_of(m, hf_u32le(&m->code), &matches) != 0);
    case HF_OP_COUNT:
        return hf_slot_int((int64_t)matches_of(m, hf_u32le(&m->code), &matches));
    case HF_OP_COUNT_SUM:
    case HF_OP_DISTINCT:
        first = hf_u32le(&m->code);
        second = hf_u32le(&m->code);
        return over_range(m, first, second, op == HF_OP_DISTINCT);
    case HF_OP_DISTINCT_IN:
        first = hf_u32le(&m->code);
        second = hf_u32le(&m->code);
        return distinct_in(m, first, second, args[0], args[1]);
    case HF_OP_OFFSET: return nth_match(m, hf_u32le(&m->code), args[0], false);
    case HF_OP_LENGTH: return nth_match(m, hf_u32le(&m->code), args[0], true);
    case HF_OP_AT: return matched_at(m, hf_u32le(&m->code), args[0]);
    case HF_OP_IN: return matched_in(m, hf_u32le(&m->code), args[0], args[1], 1);
    case HF_OP_COUNT_IN:
        return matched_in(m, hf_u32le(&m->code), args[0], args[1], SIZE_MAX);
    case HF_OP_MATCHED_OF:
    case HF_OP_COUNT_OF:
    case HF_OP_OFFSET_OF:
    case HF_OP_LENGTH_OF:
    case HF_OP_AT_OF:
    case HF_OP_IN_OF:
    case HF_OP_COUNT_IN_OF: return of_pattern(m, op, args);
    case HF_OP_SIZE: return hf_slot_int((int64_t)m->input->view.len);
    case HF_OP_NOT: return args[0].value.defined ? hf_slot_int(!truth(args[0])) : args[0];
    case HF_OP_AND: return hf_slot_int(truth(args[0]) && truth(args[1]));
    case HF_OP_OR: return hf_slot_int(truth(args[0]) || truth(args[1]));
    case HF_OP_TRUTH: return hf_slot_int(truth(args[0]));
    case HF_OP_DEFINED: return hf_slot_int(args[0].value.defined);
    case HF_OP_READ:
        first = hf_u8(&m->code);
        second = hf_u8(&m->code);
        return read_view(m, (uint8_t)first, (uint8_t)second, args[0]);
    case HF_OP_GET: return m->variables[hf_u8(&m->code)];
    case HF_OP_PICK: return pick(m, args[0]);
    case HF_OP_RULE: return earlier_rule(m);
    case HF_OP_EXTERNAL: return external(m);
    default: return hf_machine_value_op(m, op, args);
    }
}

static bool jump(struct hf_machine *m, const struct hf_op_shape *shape, bool taken)
{
    uint32_t target = hf_u32le(&m->code);
    bool fits = shape->jumps ? target >= m->code.pos : target < m->code.pos;
    if (taken)
        hf_seek(&m->code, target);
    return fits;
}

static bool step(struct hf_machine *m, uint8_t op, const struct hf_op_shape *shape,
                 size_t pops)
{
    const struct hf_slot *args = &m->stack[m->depth - pops];
    if (shape->jumps || shape->loops) {
        bool conditional = shape->pops > 0;
        return jump(m, shape, !conditional || truth(args[0]) == (op == HF_OP_JUMP_IF_TRUE));
    }
    struct hf_slot result = hf_slot_undefined;
    m->argument_count = pops;
    if (op == HF_OP_SET)
        m->variables[hf_u8(&m->code)] = args[0];
    else if (shape->pushes > 0)
        result = operate(m, op, args);
    m->depth -= (unsigned)pops;
    if (shape->pushes > 0)
        m->stack[m->depth++] = result;
    return true;
}

/* What a unit of work within an operation counts, in steps. 0: the operation is one step whatever it
 * does. */
static uint64_t steps_a_unit(struct hf_machine *m, uint8_t op)
{
    switch (op) {
    case HF_OP_CALL:
        return ++m->calls > HF_MACHINE_CALLS_FREE ? HF_MACHINE_STEPS_A_UNIT : 0;
    case HF_OP_COUNT_SUM: /* a unit is a pattern asked for */
    case HF_OP_DISTINCT:
    case HF_OP_DISTINCT_IN: return 1;
    case HF_OP_REGEX:
    case HF_OP_EQ:
    case HF_OP_NE: return HF_MACHINE_STEPS_A_UNIT;
    default:
        return op >= HF_OP_CONTAINS && op <= HF_OP_MATCHES ? HF_MACHINE_STEPS_A_UNIT : 0;
    }
}

/* A step, charged to the rule as well: by what it took from the budget of all. */
static bool charged_step(struct hf_machine *m, uint8_t op, const struct hf_op_shape *shape,
                         size_t pops)
{
    struct hf_budget *all = m->input->view.budget, *own = m->input->steps;
    const uint64_t before = all == NULL ? 0 : all->work;
    if (!step(m, op, shape, pops))
        return false;
    if (own != NULL && all != NULL)
        (void)hf_budget_work(own, (before - all->work) * steps_a_unit(m, op));
    return true;
}

enum hf_status hf_machine_run(struct hf_bytes program, struct hf_machine_input *input,
                              bool *answer)
{
    struct hf_machine
        m; /* large: the stack stays as it is, variables are set where needed */
    m.input = input;
    m.code = hf_cursor_open(program.data, program.len, input->view.budget);
    m.depth = 0;
    m.regex_count = 0;
    m.argument_count = 0;
    m.calls = 0;
    memset(m.variables, 0, sizeof m.variables);
    *answer = false;
    while (hf_cursor_charge(&m.code, 1)) {
        if (!hf_budget_work(input->steps, 1))
            return HF_LIMIT;
        uint8_t op = hf_u8(&m.code);
        const struct hf_op_shape *shape = hf_op_shape(op);
        size_t length, pops;
        if (m.code.failed || shape == NULL ||
            !hf_op_operands(&m.code, shape, input->pattern_count, &length, &pops) ||
            pops > m.depth || m.depth - pops + shape->pushes > HF_MACHINE_STACK)
            return HF_MALFORMED;
        if (op == HF_OP_END) {
            *answer = truth(m.stack[m.depth - 1]);
            return HF_OK;
        }
        if (!charged_step(&m, op, shape, pops) ||
            (m.code.failed && hf_cursor_status(&m.code) != HF_LIMIT))
            return HF_MALFORMED;
    }
    return hf_cursor_status(&m.code) == HF_LIMIT ? HF_LIMIT : HF_MALFORMED;
}
