/* machine_values.c - the condition machine's arithmetic, comparisons and strings. */
#include "rules/machine_internal.h"

#include <float.h>

static struct hf_slot real(double value)
{
    return (struct hf_slot){.value = hf_value_real(value)};
}

/* ---- numbers ---- */

static struct hf_slot shift(uint8_t op, int64_t a, int64_t b)
{
    if (b < 0)
        return hf_slot_undefined;
    if (b > 63)
        return hf_slot_int(0);
    return hf_slot_int(op == HF_OP_SHIFT_LEFT ? (int64_t)((uint64_t)a << b) : a >> b);
}

/* Wrapping arithmetic is done unsigned: overflow of signed numbers is undefined in C. */
static struct hf_slot integers(uint8_t op, int64_t a, int64_t b)
{
    uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
    switch (op) {
    case HF_OP_EQ: return hf_slot_int(a == b);
    case HF_OP_NE: return hf_slot_int(a != b);
    case HF_OP_LT: return hf_slot_int(a < b);
    case HF_OP_LE: return hf_slot_int(a <= b);
    case HF_OP_GT: return hf_slot_int(a > b);
    case HF_OP_GE: return hf_slot_int(a >= b);
    case HF_OP_ADD: return hf_slot_int((int64_t)(ua + ub));
    case HF_OP_SUB: return hf_slot_int((int64_t)(ua - ub));
    case HF_OP_MUL: return hf_slot_int((int64_t)(ua * ub));
    case HF_OP_BIT_AND: return hf_slot_int(a & b);
    case HF_OP_BIT_OR: return hf_slot_int(a | b);
    case HF_OP_BIT_XOR: return hf_slot_int(a ^ b);
    case HF_OP_SHIFT_LEFT:
    case HF_OP_SHIFT_RIGHT: return shift(op, a, b);
    case HF_OP_DIV:
    case HF_OP_MOD: break;
    default: return hf_slot_undefined;
    }
    if (b == 0 || (a == INT64_MIN && b == -1))
        return hf_slot_undefined;
    return hf_slot_int(op == HF_OP_DIV ? a / b : a % b);
}

/* Floats are equal when they are as near as makes no difference around 1. [YARA exec.c] */
static bool nearly(double a, double b)
{
    double distance = a < b ? b - a : a - b;
    return distance < DBL_EPSILON;
}

static struct hf_slot reals(uint8_t op, double a, double b)
{
    switch (op) {
    case HF_OP_EQ: return hf_slot_int(nearly(a, b));
    case HF_OP_NE: return hf_slot_int(!nearly(a, b));
    case HF_OP_LT: return hf_slot_int(a < b);
    case HF_OP_LE: return hf_slot_int(a <= b);
    case HF_OP_GT: return hf_slot_int(a > b);
    case HF_OP_GE: return hf_slot_int(a >= b);
    case HF_OP_ADD: return real(a + b);
    case HF_OP_SUB: return real(a - b);
    case HF_OP_MUL: return real(a * b);
    case HF_OP_DIV: return real(a / b);
    default: return hf_slot_undefined;
    }
}

static bool as_real(struct hf_slot s, double *value)
{
    int64_t integer;
    bool is_integer = hf_slot_integer(s, &integer);
    *value = is_integer ? (double)integer : s.value.real;
    return is_integer || (s.value.defined && s.value.type == HF_FACT_FLOAT);
}

/* ---- strings ---- */

static uint8_t folded(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool equal_at(struct hf_bytes s, size_t at, struct hf_bytes t, bool fold)
{
    if (at > s.len || t.len > s.len - at)
        return false;
    if (!fold)
        return t.len == 0 || memcmp(s.data + at, t.data, t.len) == 0;
    for (size_t i = 0; i < t.len; i++)
        if (folded(s.data[at + i]) != folded(t.data[i]))
            return false;
    return true;
}

/* Charged by the KiB: the product of the lengths when letters are folded. */
static bool contains(struct hf_machine *m, struct hf_bytes s, struct hf_bytes t, bool fold)
{
    if (t.len > s.len)
        return false;
    if (!fold) {
        (void)hf_cursor_charge(&m->code, s.len >> 10);
        return t.len == 0 || memmem(s.data, s.len, t.data, t.len) != NULL;
    }
    for (size_t at = 0; at <= s.len - t.len; at++)
        if (((at & 63) == 0 && !hf_cursor_charge(&m->code, 1 + (t.len >> 4))) ||
            equal_at(s, at, t, true))
            return !m->code.failed;
    return false;
}

static int order(struct hf_bytes a, struct hf_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int by_bytes = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return by_bytes != 0 ? by_bytes : a.len < b.len ? -1 : a.len > b.len;
}

static struct hf_slot strings(struct hf_machine *m, uint8_t op, struct hf_bytes a,
                              struct hf_bytes b)
{
    (void)hf_cursor_charge(&m->code, (a.len < b.len ? a.len : b.len) >> 10);
    size_t behind = a.len < b.len ? SIZE_MAX : a.len - b.len;
    switch (op) {
    case HF_OP_EQ: return hf_slot_int(order(a, b) == 0);
    case HF_OP_NE: return hf_slot_int(order(a, b) != 0);
    case HF_OP_LT: return hf_slot_int(order(a, b) < 0);
    case HF_OP_LE: return hf_slot_int(order(a, b) <= 0);
    case HF_OP_GT: return hf_slot_int(order(a, b) > 0);
    case HF_OP_GE: return hf_slot_int(order(a, b) >= 0);
    case HF_OP_CONTAINS:
    case HF_OP_ICONTAINS: return hf_slot_int(contains(m, a, b, op == HF_OP_ICONTAINS));
    case HF_OP_STARTS:
    case HF_OP_ISTARTS: return hf_slot_int(equal_at(a, 0, b, op == HF_OP_ISTARTS));
    case HF_OP_ENDS:
    case HF_OP_IENDS: return hf_slot_int(equal_at(a, behind, b, op == HF_OP_IENDS));
    case HF_OP_IEQUALS: return hf_slot_int(a.len == b.len && equal_at(a, 0, b, true));
    default: return hf_slot_undefined;
    }
}

/* ---- regular expressions ---- */

/* The first match at or behind `at` that begins inside the subject, or at 0: its start and length.
 * HF_OK, HF_NOTFOUND, HF_LIMIT. */
static enum hf_status find_match(const struct hf_fact_regex *regex, struct hf_bytes subject,
                                 uint64_t at, uint64_t last, uint64_t *start,
                                 uint64_t *length)
{
    const struct hf_machine_regex *r = regex->program;
    struct hf_machine_input *input = r->machine->input;
    struct hf_subject s = {.data = subject, .budget = input->view.budget};
    if (input->scratch == NULL)
        return HF_NOTFOUND;
    for (; at <= last; at++) {
        enum hf_status status =
            hf_budget_work(s.budget, 1)
                ? hf_program_match_at(&r->program, &s, at, input->scratch, length)
                : HF_LIMIT;
        *start = at;
        if (status != HF_NOTFOUND)
            return status;
    }
    return HF_NOTFOUND;
}

/* Whether it matches anywhere. An empty string matches nothing. [YARA exec.c] */
static bool regex_matches(const struct hf_fact_regex *regex, struct hf_bytes subject)
{
    uint64_t start, length;
    return subject.len > 0 &&
           find_match(regex, subject, 0, subject.len, &start, &length) == HF_OK;
}

/* The end of the last match, -1: none. After a match that ends at n the next one begins behind n
 * at the earliest, and none begins at the end. [YARA re.c yr_re_match, yr_re_exec: a match ends
 * all threads that began later, and a new one begins with each byte; measured with 4.2.3] */
static int64_t regex_end(const struct hf_fact_regex *regex, struct hf_bytes subject)
{
    int64_t end = -1;
    uint64_t start, length, at = 0, last = subject.len > 0 ? subject.len - 1 : 0;
    while (at <= last && find_match(regex, subject, at, last, &start, &length) == HF_OK) {
        end = (int64_t)(start + length);
        at = start + length + 1;
    }
    return end;
}

static struct hf_slot make_regex(struct hf_machine *m)
{
    struct hf_bytes program = hf_take(&m->code, hf_u32le(&m->code));
    struct hf_machine_regex *r = &m->regexes[m->regex_count % HF_MACHINE_REGEXES];
    (void)hf_cursor_charge(&m->code, program.len >> 6); /* opening reads all of it */
    if (hf_program_open(program, &r->program) != HF_OK)
        return hf_slot_undefined;
    m->regex_count++;
    r->machine = m;
    r->fact =
        (struct hf_fact_regex){.matches = regex_matches, .end = regex_end, .program = r};
    return (struct hf_slot){
        .value = {.defined = true, .type = HF_FACT_REGEX, .regex = &r->fact}};
}

/* ---- dispatch ---- */

static struct hf_slot two_values(struct hf_machine *m, uint8_t op, struct hf_slot a,
                                 struct hf_slot b)
{
    int64_t i, j;
    double x, y;
    if (!a.value.defined || !b.value.defined)
        return hf_slot_undefined;
    if (hf_slot_integer(a, &i) && hf_slot_integer(b, &j))
        return integers(op, i, j);
    if (as_real(a, &x) && as_real(b, &y))
        return reals(op, x, y);
    if (a.value.type != HF_FACT_STRING)
        return hf_slot_undefined;
    if (b.value.type == HF_FACT_STRING)
        return strings(m, op, a.value.string, b.value.string);
    if (b.value.type == HF_FACT_REGEX && op == HF_OP_MATCHES)
        return hf_slot_int(b.value.regex->matches(b.value.regex, a.value.string));
    return hf_slot_undefined;
}

struct hf_slot hf_machine_value_op(struct hf_machine *m, uint8_t op,
                                   const struct hf_slot *args)
{
    int64_t i;
    switch (op) {
    case HF_OP_STRING: {
        struct hf_bytes text = hf_take(&m->code, hf_u32le(&m->code));
        return (struct hf_slot){.value = hf_value_string(text)};
    }
    case HF_OP_REAL: {
        uint64_t bits = hf_u64le(&m->code);
        double value;
        memcpy(&value, &bits, sizeof value);
        return real(value);
    }
    case HF_OP_REGEX: return make_regex(m);
    case HF_OP_NEGATE:
        if (hf_slot_integer(args[0], &i))
            return hf_slot_int((int64_t)(0 - (uint64_t)i));
        return args[0].value.defined && args[0].value.type == HF_FACT_FLOAT
                   ? real(-args[0].value.real)
                   : hf_slot_undefined;
    case HF_OP_COMPLEMENT:
        return hf_slot_integer(args[0], &i) ? hf_slot_int(~i) : hf_slot_undefined;
    case HF_OP_FACT:
    case HF_OP_MEMBER:
    case HF_OP_INDEX:
    case HF_OP_LIST_SIZE:
    case HF_OP_DICT_KEY:
    case HF_OP_DICT_ITEM:
    case HF_OP_CALL: return hf_machine_fact_op(m, op, args);
    default: return two_values(m, op, args[0], args[1]);
    }
}
