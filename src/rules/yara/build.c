/* build.c - typed nodes of conditions: operand types checked, constants folded. */
#include "rules/yara/internal.h"

struct node *node_poison(struct parser *p)
{
    static struct node poison = {.kind = NODE_POISON, .primary = true};
    (void)p;
    return &poison;
}

struct node *node_new(struct parser *p, enum node_kind kind, const struct token *at)
{
    struct node *node = hf_arena_alloc(p->yara->scratch, sizeof *node);
    if (node == NULL) {
        out_of_memory(p);
        return node_poison(p);
    }
    node->kind = kind;
    node->line = at->line;
    node->column = at->column;
    node->depth = 1;
    return node;
}

struct node *node_integer(struct parser *p, const struct token *at, int64_t value)
{
    struct node *node = node_new(p, NODE_CONST, at);
    if (is_poison(node))
        return node;
    node->type = HF_FACT_INT;
    node->primary = true;
    node->integer = value;
    return node;
}

bool is_poison(const struct node *node)
{
    return node->kind == NODE_POISON;
}

bool is_constant(const struct node *node, enum hf_fact_type type)
{
    return node->kind == NODE_CONST && node->type == type;
}

const char *type_text(enum hf_fact_type type)
{
    static const char *const texts[] = {
        [HF_FACT_INT] = "integer",      [HF_FACT_FLOAT] = "float",
        [HF_FACT_BOOL] = "boolean",     [HF_FACT_STRING] = "string",
        [HF_FACT_STRUCT] = "structure", [HF_FACT_ARRAY] = "array",
        [HF_FACT_DICT] = "dictionary",  [HF_FACT_FUNCTION] = "function",
        [HF_FACT_REGEX] = "regexp",
    };
    return texts[type];
}

bool want_type(struct parser *p, const struct node *node, enum hf_fact_type type,
               const char *what)
{
    if (is_poison(node))
        return false;
    if (!node->primary || node->type != type) {
        error_node(p, node, "wrong type \"%s\" for %s", type_text(node->type), what);
        return false;
    }
    return true;
}

bool want_boolean(struct parser *p, struct node *node)
{
    switch (node->type) {
    case HF_FACT_STRUCT:
    case HF_FACT_ARRAY:
    case HF_FACT_DICT:
    case HF_FACT_FUNCTION:
        if (!is_poison(node))
            error_node(p, node, "wrong usage of identifier: a %s is no boolean expression",
                       type_text(node->type));
        return false;
    default: break;
    }
    if (node->kind == NODE_CONST && node->type == HF_FACT_STRING)
        warn_node(p, node, "using literal string \"%s\" in a boolean operation.",
                  quoted(p, node->string));
    return !is_poison(node);
}

/* One above its operands. */
static void settle(struct parser *p, struct node *node)
{
    uint16_t depth = 0;
    if (node->a != NULL && node->a->depth > depth)
        depth = node->a->depth;
    if (node->b != NULL && node->b->depth > depth)
        depth = node->b->depth;
    node->depth = (uint16_t)(depth + 1);
    if (node->depth > TREE_MAX && !p->panic) {
        error_node(p, node, "expression is too complex");
        p->panic = true;
    }
}

static bool is_number(const struct node *node)
{
    return node->type == HF_FACT_INT || node->type == HF_FACT_FLOAT;
}

struct operation {
    const char *text;
    bool integers; /* only */
    bool relation;
    bool strings; /* too, or only */
    bool numbers;
};

static const struct operation *operation_of(enum hf_op op)
{
    static const struct operation operations[HF_OP_COUNT_OF_OPS] = {
        [HF_OP_ADD] = {"+", .numbers = true},
        [HF_OP_SUB] = {"-", .numbers = true},
        [HF_OP_MUL] = {"*", .numbers = true},
        [HF_OP_DIV] = {"\\", .numbers = true},
        [HF_OP_MOD] = {"%", .integers = true, .numbers = true},
        [HF_OP_BIT_AND] = {"&", .integers = true, .numbers = true},
        [HF_OP_BIT_OR] = {"|", .integers = true, .numbers = true},
        [HF_OP_BIT_XOR] = {"^", .integers = true, .numbers = true},
        [HF_OP_SHIFT_LEFT] = {"<<", .integers = true, .numbers = true},
        [HF_OP_SHIFT_RIGHT] = {">>", .integers = true, .numbers = true},
        [HF_OP_EQ] = {"==", .relation = true, .strings = true, .numbers = true},
        [HF_OP_NE] = {"!=", .relation = true, .strings = true, .numbers = true},
        [HF_OP_LT] = {"<", .relation = true, .strings = true, .numbers = true},
        [HF_OP_LE] = {"<=", .relation = true, .strings = true, .numbers = true},
        [HF_OP_GT] = {">", .relation = true, .strings = true, .numbers = true},
        [HF_OP_GE] = {">=", .relation = true, .strings = true, .numbers = true},
        [HF_OP_CONTAINS] = {"contains", .relation = true, .strings = true},
        [HF_OP_ICONTAINS] = {"icontains", .relation = true, .strings = true},
        [HF_OP_STARTS] = {"startswith", .relation = true, .strings = true},
        [HF_OP_ISTARTS] = {"istartswith", .relation = true, .strings = true},
        [HF_OP_ENDS] = {"endswith", .relation = true, .strings = true},
        [HF_OP_IENDS] = {"iendswith", .relation = true, .strings = true},
        [HF_OP_IEQUALS] = {"iequals", .relation = true, .strings = true},
    };
    return &operations[op];
}

/* The value of an operation on constants. False: an error, which was reported. */
static bool fold(struct parser *p, const struct token *at, enum hf_op op, int64_t a,
                 int64_t b, int64_t *v)
{
    bool over = false;
    uint64_t ua = (uint64_t)a;
    switch (op) {
    case HF_OP_ADD: over = __builtin_add_overflow(a, b, v); break;
    case HF_OP_SUB: over = __builtin_sub_overflow(a, b, v); break;
    case HF_OP_MUL: over = __builtin_mul_overflow(a, b, v); break;
    case HF_OP_DIV:
    case HF_OP_MOD:
        over = a == INT64_MIN && b == -1;
        *v = over ? 0 : op == HF_OP_DIV ? a / b : a % b;
        break;
    case HF_OP_BIT_AND: *v = a & b; break;
    case HF_OP_BIT_OR: *v = a | b; break;
    case HF_OP_BIT_XOR: *v = a ^ b; break;
    case HF_OP_SHIFT_LEFT: *v = b > 63 ? 0 : (int64_t)(ua << b); break;
    default: *v = b > 63 ? 0 : a >> b; break;
    }
    if (over)
        error_at(p, at->line, at->column, at->start, "integer overflow in \"%lld %s %lld\"",
                 (long long)a, operation_of(op)->text, (long long)b);
    return !over;
}

/* What is wrong with a constant right operand whatever the left one is. */
static const char *bad_right(enum hf_op op, const struct node *a, const struct node *b)
{
    if (a->type != HF_FACT_INT || !is_constant(b, HF_FACT_INT))
        return NULL;
    if ((op == HF_OP_DIV || op == HF_OP_MOD) && b->integer == 0)
        return "division by zero";
    if ((op == HF_OP_SHIFT_LEFT || op == HF_OP_SHIFT_RIGHT) && b->integer < 0)
        return "invalid operand: shift by a negative number";
    return NULL;
}

static bool operands_fit(struct parser *p, const struct token *at,
                         const struct operation *o, const struct node *a,
                         const struct node *b)
{
    bool numbers = is_number(a) && is_number(b),
         strings = a->type == HF_FACT_STRING && b->type == HF_FACT_STRING;
    bool integers = a->type == HF_FACT_INT && b->type == HF_FACT_INT;
    if (o->integers ? integers : (o->numbers && numbers) || (o->strings && strings))
        return true;
    error_at(p, at->line, at->column, at->start, "type mismatch: \"%s\" between %s and %s",
             o->text, type_text(a->type), type_text(b->type));
    return false;
}

struct node *build_binary(struct parser *p, const struct token *at, enum hf_op op,
                          struct node *a, struct node *b)
{
    const struct operation *o = operation_of(op);
    if (is_poison(a) || is_poison(b))
        return node_poison(p);
    const char *wrong = NULL;
    if (!operands_fit(p, at, o, a, b))
        return node_poison(p);
    if ((wrong = bad_right(op, a, b)) != NULL) {
        error_at(p, at->line, at->column, at->start, "%s", wrong);
        return node_poison(p);
    }
    bool constant = is_constant(a, HF_FACT_INT) && is_constant(b, HF_FACT_INT);
    int64_t value;
    if (constant && !o->relation)
        return fold(p, at, op, a->integer, b->integer, &value) ? node_integer(p, at, value)
                                                               : node_poison(p);
    struct node *node = node_new(p, NODE_BINARY, at);
    if (is_poison(node))
        return node;
    node->op = (uint8_t)op;
    node->a = a;
    node->b = b;
    node->primary = !o->relation;
    node->type = o->relation                                            ? HF_FACT_BOOL
                 : a->type == HF_FACT_FLOAT || b->type == HF_FACT_FLOAT ? HF_FACT_FLOAT
                                                                        : HF_FACT_INT;
    settle(p, node);
    return node;
}

/* - and ~ on constants; also on a real. */
static struct node *fold_unary(struct node *a, enum hf_op op)
{
    if (a->type == HF_FACT_FLOAT)
        a->real = -a->real;
    else
        a->integer = op == HF_OP_NEGATE ? (int64_t)(0 - (uint64_t)a->integer) : ~a->integer;
    return a;
}

struct node *build_unary(struct parser *p, const struct token *at, enum hf_op op,
                         struct node *a)
{
    bool arithmetic = op == HF_OP_NEGATE || op == HF_OP_COMPLEMENT;
    if (is_poison(a))
        return a;
    if (arithmetic && !(is_number(a) && (op == HF_OP_NEGATE || a->type == HF_FACT_INT))) {
        error_node(p, a, "wrong type \"%s\" for %s operator", type_text(a->type),
                   op == HF_OP_NEGATE ? "-" : "~");
        return node_poison(p);
    }
    if (op == HF_OP_NOT && !want_boolean(p, a))
        return node_poison(p);
    if (arithmetic && a->kind == NODE_CONST)
        return fold_unary(a, op);
    struct node *node = node_new(p, NODE_UNARY, at);
    if (is_poison(node))
        return node;
    node->op = (uint8_t)op;
    node->a = a;
    node->primary = arithmetic;
    node->type = arithmetic ? a->type : HF_FACT_BOOL;
    settle(p, node);
    return node;
}

struct node *build_matches(struct parser *p, const struct token *at, struct node *a,
                           struct node *b)
{
    if (is_poison(b) || !want_type(p, a, HF_FACT_STRING, "\"matches\" operator"))
        return node_poison(p);
    struct node *node = node_new(p, NODE_MATCHES, at);
    if (is_poison(node))
        return node;
    node->a = a;
    node->b = b;
    node->type = HF_FACT_BOOL;
    settle(p, node);
    return node;
}

struct node *build_chain(struct parser *p, const struct token *at, enum node_kind kind,
                         struct node *first)
{
    uint16_t depth = 0;
    for (struct node *n = first; n != NULL; n = n->next)
        depth = n->depth > depth ? n->depth : depth;
    struct node *node = node_new(p, kind, at);
    if (is_poison(node))
        return node;
    node->a = first;
    node->type = HF_FACT_BOOL;
    settle(p, node);
    node->depth = (uint16_t)(depth + 1);
    return node;
}

void node_append(struct node_list *list, struct node *node)
{
    list->count++;
    if (is_poison(node)) { /* shared by all errors: never linked */
        list->poisoned = true;
        return;
    }
    if (list->last == NULL)
        list->first = node;
    else
        list->last->next = node;
    list->last = node;
}
