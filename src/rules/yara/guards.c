/* guards.c - what must hold of an object before a condition can be true: sizes, magic numbers;
 * and whether it can be true without any match of the rule's own strings. */
#include "rules/yara/internal.h"

/* What a value is when no pattern of the rule matches. */
enum knowledge {
    UNKNOWN,
    KNOWN, /* .value */
    FALSY, /* 0 or undefined */
    UNDEFINED
};

struct assumed {
    enum knowledge know;
    int64_t value;
};

static struct assumed known(int64_t value)
{
    return (struct assumed){KNOWN, value};
}

static bool is_false(struct assumed a)
{
    return a.know == FALSY || a.know == UNDEFINED || (a.know == KNOWN && a.value == 0);
}

static struct assumed without_matches(const struct node *n);

static bool compare(enum hf_op op, int64_t a, int64_t b, int64_t *value)
{
    switch (op) {
    case HF_OP_EQ: *value = a == b; return true;
    case HF_OP_NE: *value = a != b; return true;
    case HF_OP_LT: *value = a < b; return true;
    case HF_OP_LE: *value = a <= b; return true;
    case HF_OP_GT: *value = a > b; return true;
    case HF_OP_GE: *value = a >= b; return true;
    case HF_OP_ADD: return !__builtin_add_overflow(a, b, value);
    default: return false;
    }
}

static struct assumed assumed_binary(const struct node *n)
{
    struct assumed a = without_matches(n->a), b = without_matches(n->b);
    int64_t value;
    if (a.know == UNDEFINED || b.know == UNDEFINED)
        return (struct assumed){UNDEFINED, 0};
    if (a.know == UNKNOWN || b.know == UNKNOWN ||
        !compare((enum hf_op)n->op, a.value, b.value, &value))
        return (struct assumed){UNKNOWN, 0};
    if (a.know == KNOWN && b.know == KNOWN)
        return known(value);
    return value == 0 ? (struct assumed){FALSY, 0} : (struct assumed){UNKNOWN, 0};
}

static struct assumed assumed_unary(const struct node *n)
{
    struct assumed a = without_matches(n->a);
    if (n->op == HF_OP_DEFINED)
        return a.know == UNDEFINED ? known(0)
               : a.know == KNOWN   ? known(1)
                                   : (struct assumed){UNKNOWN, 0};
    if (n->op == HF_OP_NOT && a.know == KNOWN)
        return known(a.value == 0);
    return a.know == UNDEFINED ? a : (struct assumed){UNKNOWN, 0};
}

static struct assumed assumed_chain(const struct node *n)
{
    bool is_and = n->kind == NODE_AND, all_false = true, all_true = true;
    for (const struct node *a = n->a; a != NULL; a = a->next) {
        struct assumed v = without_matches(a);
        bool truly = v.know == KNOWN && v.value != 0;
        if (is_and ? is_false(v) : truly)
            return known(!is_and);
        all_false = all_false && is_false(v);
        all_true = all_true && truly;
    }
    if (all_false)
        return known(0);
    return all_true ? known(1) : (struct assumed){UNKNOWN, 0};
}

/* Whether a quantifier wants at least one. */
static bool wants_some(const struct loop *loop)
{
    switch (loop->quantifier) {
    case QUANTIFIER_ALL:
    case QUANTIFIER_ANY: return true;
    case QUANTIFIER_N:
    case QUANTIFIER_PERCENT:
        return is_constant(loop->amount, HF_FACT_INT) && loop->amount->integer > 0;
    case QUANTIFIER_NONE: break;
    }
    return false;
}

static struct assumed assumed_loop(const struct node *n)
{
    if (n->kind == NODE_FOR_RANGE) {
        struct assumed low = without_matches(n->a), high = without_matches(n->b);
        if (low.know == UNDEFINED || high.know == UNDEFINED ||
            (low.know == KNOWN && high.know == KNOWN && low.value > high.value))
            return known(0); /* no turn: false, whatever the quantifier */
    }
    if (wants_some(n->loop) && is_false(without_matches(n->loop->body)))
        return known(0);
    return (struct assumed){UNKNOWN, 0};
}

static struct assumed without_matches(const struct node *n)
{
    static const struct assumed undefined = {UNDEFINED, 0}, unknown = {UNKNOWN, 0};
    switch (n->kind) {
    case NODE_CONST:
        if (n->type == HF_FACT_INT || n->type == HF_FACT_BOOL)
            return known(n->integer);
        return (struct assumed){UNKNOWN, 0};
    case NODE_MATCHED:
    case NODE_AT: return known(0);
    case NODE_IN: return (struct assumed){FALSY, 0};
    case NODE_COUNT: return n->a == NULL ? known(0) : (struct assumed){FALSY, 0};
    case NODE_OFFSET:
    case NODE_LENGTH: return (struct assumed){UNDEFINED, 0};
    case NODE_READ:
    case NODE_FIELD:
    case NODE_MATCHES: return without_matches(n->a).know == UNDEFINED ? undefined : unknown;
    case NODE_INDEX:
        return without_matches(n->a).know == UNDEFINED ||
                       without_matches(n->b).know == UNDEFINED
                   ? undefined
                   : unknown;
    case NODE_BINARY: return assumed_binary(n);
    case NODE_UNARY: return assumed_unary(n);
    case NODE_AND:
    case NODE_OR: return assumed_chain(n);
    case NODE_OF:
        if (wants_some(n->loop))
            return (struct assumed){FALSY, 0};
        return (struct assumed){UNKNOWN, 0};
    case NODE_FOR_OF:
    case NODE_FOR_RANGE:
    case NODE_FOR_LIST:
    case NODE_FOR_ARRAY:
    case NODE_FOR_DICT: return assumed_loop(n);
    default: return (struct assumed){UNKNOWN, 0};
    }
}

/* ---- guards ---- */

static struct hf_guards no_guards(void)
{
    return (struct hf_guards){.size_max = HF_GUARD_NO_MAX};
}

/* The comparison as it reads with its sides exchanged. */
static enum hf_op exchanged(enum hf_op op)
{
    switch (op) {
    case HF_OP_LT: return HF_OP_GT;
    case HF_OP_LE: return HF_OP_GE;
    case HF_OP_GT: return HF_OP_LT;
    case HF_OP_GE: return HF_OP_LE;
    default: return op;
    }
}

/* filesize OP value. A bound that nothing meets is left alone: the program says false. */
static void size_guard(struct hf_guards *g, enum hf_op op, int64_t value)
{
    uint64_t v = value < 0 ? 0 : (uint64_t)value;
    if (value < 0)
        return;
    switch (op) {
    case HF_OP_EQ: g->size_min = g->size_max = v; break;
    case HF_OP_LT: g->size_max = v == 0 ? 0 : v - 1; break;
    case HF_OP_LE: g->size_max = v; break;
    case HF_OP_GT: g->size_min = v + 1; break;
    case HF_OP_GE: g->size_min = v; break;
    default: break;
    }
}

/* uintXX(offset) == value */
static void magic_guard(struct hf_guards *g, const struct node *read, int64_t value)
{
    unsigned width = read->number;
    bool is_signed = (read->flags & 1) != 0, big = (read->flags & 2) != 0;
    if (!is_constant(read->a, HF_FACT_INT) || read->a->integer < 0 ||
        read->a->integer > UINT32_MAX)
        return;
    int64_t limit = INT64_C(1) << (width * 8 - is_signed);
    if (value >= limit || value < (is_signed ? -limit : 0))
        return; /* never true */
    g->magic.length = (uint8_t)width;
    g->magic.offset = (uint32_t)read->a->integer;
    for (unsigned i = 0; i < width; i++)
        g->magic.bytes[i] = (uint8_t)((uint64_t)value >> 8 * (big ? width - 1 - i : i));
    g->size_min = (uint64_t)read->a->integer + width;
}

static struct hf_guards relation_guards(const struct node *n)
{
    struct hf_guards g = no_guards();
    const struct node *a = n->a, *b = n->b;
    enum hf_op op = (enum hf_op)n->op;
    if (a->kind == NODE_CONST) {
        const struct node *other = a;
        a = b;
        b = other;
        op = exchanged(op);
    }
    if (!is_constant(b, HF_FACT_INT))
        return g;
    if (a->kind == NODE_FILESIZE)
        size_guard(&g, op, b->integer);
    else if (a->kind == NODE_READ && op == HF_OP_EQ)
        magic_guard(&g, a, b->integer);
    return g;
}

/* Both must hold. Of two magics the longer stays. */
static void both(struct hf_guards *g, const struct hf_guards *more)
{
    if (more->size_min > g->size_min)
        g->size_min = more->size_min;
    if (more->size_max < g->size_max)
        g->size_max = more->size_max;
    if (more->magic.length > g->magic.length)
        g->magic = more->magic;
    g->is_signed = g->is_signed || more->is_signed;
}

/* One of them must hold: what they have in common. */
static void either(struct hf_guards *g, const struct hf_guards *more)
{
    if (more->size_min < g->size_min)
        g->size_min = more->size_min;
    if (more->size_max > g->size_max)
        g->size_max = more->size_max;
    bool same = more->magic.length == g->magic.length &&
                more->magic.offset == g->magic.offset &&
                memcmp(more->magic.bytes, g->magic.bytes, g->magic.length) == 0;
    if (!same)
        memset(&g->magic, 0, sizeof g->magic);
    g->is_signed = g->is_signed && more->is_signed;
}

/* ---- modules ---- */

/* Facts of a module are undefined unless the object begins with its magic; so is what is computed
 * from them. `always` is defined for every object. */
static const struct {
    const char *name, *always;
    uint8_t length, magic[4];
} magics[] = {
    {"pe", "is_pe", 2, {'M', 'Z'}},
    {"elf", NULL, 4, {0x7F, 'E', 'L', 'F'}},
};
enum { MAGICS = sizeof magics / sizeof *magics };

/* Beside the bits of magics: what is undefined without a signature. */
enum { UNSIGNED = 1u << MAGICS };

struct analysis {
    const struct hf_yara *yara;
    bool alone; /* none of the rule's patterns has matched */
};

static unsigned undefined_without(const struct analysis *an, const struct node *n);

/* The modules (bits of magics) whose absence makes a field undefined. Constants are folded, so
 * fields are facts. */
static unsigned field_without(const struct analysis *an, const struct node *n)
{
    if (n->a->kind != NODE_MODULE)
        return undefined_without(an, n->a);
    const struct hf_fact_module *module = an->yara->options.modules[n->a->number];
    const char *field = module->record->fields[n->number].name;
    for (unsigned i = 0; i < MAGICS; i++)
        if (strcmp(magics[i].name, module->name) == 0)
            return magics[i].always != NULL && strcmp(magics[i].always, field) == 0
                       ? 0
                       : 1u << i;
    return 0;
}

/* Whether it is pe.signatures, of which an element is undefined in executables without one. */
static bool is_signatures(const struct analysis *an, const struct node *n)
{
    if (n->kind != NODE_FIELD || n->a->kind != NODE_MODULE)
        return false;
    const struct hf_fact_module *module = an->yara->options.modules[n->a->number];
    return strcmp(module->name, "pe") == 0 &&
           strcmp(module->record->fields[n->number].name, "signatures") == 0;
}

/* The modules whose absence makes a value undefined. */
static unsigned undefined_without(const struct analysis *an, const struct node *n)
{
    switch (n->kind) {
    case NODE_FIELD: return field_without(an, n);
    case NODE_CALL:
    case NODE_READ:
    case NODE_MATCHES: return undefined_without(an, n->a);
    case NODE_INDEX:
    case NODE_BINARY:
        return undefined_without(an, n->a) | undefined_without(an, n->b) |
               (n->kind == NODE_INDEX && is_signatures(an, n->a) ? (unsigned)UNSIGNED : 0u);
    case NODE_UNARY: return n->op == HF_OP_DEFINED ? 0 : undefined_without(an, n->a);
    default: return 0;
    }
}

/* The modules whose absence makes a condition false. */
static unsigned false_without(const struct analysis *an, const struct node *n)
{
    unsigned all = 0;
    switch (n->kind) {
    case NODE_AND:
        for (const struct node *a = n->a; a != NULL; a = a->next)
            all |= false_without(an, a);
        return all;
    case NODE_OR:
        all = ~0u;
        for (const struct node *a = n->a; a != NULL; a = a->next)
            all &= false_without(an, a);
        return all;
    case NODE_UNARY: return undefined_without(an, n->op == HF_OP_DEFINED ? n->a : n);
    case NODE_FOR_RANGE:
        return undefined_without(an, n->a) | undefined_without(an, n->b) |
               (wants_some(n->loop) ? false_without(an, n->loop->body) : 0u);
    case NODE_FOR_ARRAY:
    case NODE_FOR_DICT: return undefined_without(an, n->a);
    case NODE_FOR_OF: return wants_some(n->loop) ? false_without(an, n->loop->body) : 0;
    default: return undefined_without(an, n);
    }
}

/* Conditions of a module become its magic. */
static void module_guards(const struct analysis *an, const struct node *n,
                          struct hf_guards *g)
{
    unsigned modules = false_without(an, n);
    g->is_signed = g->is_signed || (modules & UNSIGNED) != 0;
    for (unsigned i = 0; i < MAGICS; i++) {
        if ((modules >> i & 1u) == 0)
            continue;
        struct hf_guards magic = no_guards();
        magic.magic.length = magics[i].length;
        memcpy(magic.magic.bytes, magics[i].magic, magics[i].length);
        magic.size_min = magics[i].length;
        both(g, &magic);
    }
}

/* What must hold for a condition to be true; *never: nothing makes it true. */
static struct hf_guards guards_of(const struct analysis *an, const struct node *n,
                                  bool *never)
{
    struct hf_guards g = no_guards();
    *never = an->alone && is_false(without_matches(n));
    if (n->kind == NODE_BINARY)
        g = relation_guards(n);
    if (n->kind != NODE_AND && n->kind != NODE_OR) {
        module_guards(an, n, &g);
        return g;
    }
    bool first = true;
    for (const struct node *a = n->a; a != NULL; a = a->next) {
        bool nothing;
        struct hf_guards more = guards_of(an, a, &nothing);
        if (n->kind == NODE_OR && nothing)
            continue;
        if (first)
            g = more;
        else if (n->kind == NODE_AND)
            both(&g, &more);
        else
            either(&g, &more);
        first = false;
    }
    return g;
}

/* Never true is said by the program, not by odd bounds. */
static struct hf_guards sound(struct hf_guards g)
{
    return g.size_min > g.size_max ? no_guards() : g;
}

void analyse_rule(struct parser *p)
{
    struct rule_build *r = &p->rule;
    struct hf_rule *rule = &r->rule->rule;
    bool never;
    if (r->rule->is_private)
        rule->flags |= HF_RULE_PRIVATE;
    if (r->speaks) { /* what it says on the way is wanted, whatever it comes to */
        rule->flags |= HF_RULE_WAKES_ALONE;
        rule->guards = rule->alone = no_guards();
        return;
    }
    rule->guards =
        sound(guards_of(&(struct analysis){p->yara, false}, r->condition, &never));
    if (!is_false(without_matches(r->condition))) {
        rule->flags |= HF_RULE_WAKES_ALONE;
        rule->alone =
            sound(guards_of(&(struct analysis){p->yara, true}, r->condition, &never));
    }
}
