/* generate.c - from a rule's tree to the program for the condition machine.
 *
 * Each loop has a block of variables, by how deep it is nested. Where YARA's own machine treats an
 * undefined value in a special way (quantifiers: as "all"), so does the code made here; the
 * others follow from the machine's rules. */
#include "rules/yara/internal.h"

#include "base/auto.h"

/* Variables of one loop. */
enum {
    LOOP_FIRST, /* what the rule calls them */
    LOOP_SECOND,
    LOOP_PATTERN, /* number of the current pattern */
    LOOP_INDEX,
    LOOP_LAST,
    LOOP_TRUES,
    LOOP_AMOUNT,
    LOOP_TURNS,
    LOOP_LIST,
    LOOP_VARIABLES,
    OF_LOW = LOOP_VARIABLES * LOOPS_MAX, /* of the "of" at work */
    OF_HIGH,
    OF_FOUND,
    OF_AMOUNT,
    VARIABLES_USED
};
_Static_assert((int)VARIABLES_USED <= (int)HF_MACHINE_VARIABLES,
               "the machine has as many variables");

struct generator {
    struct parser *p;
    struct hf_buffer code;
    unsigned level;    /* loops around */
    unsigned of_level; /* level of the innermost loop over patterns */
};

static void emit(struct generator *g, const struct node *node);

static void op(struct generator *g, enum hf_op o)
{
    hf_buffer_u8(&g->code, (uint8_t)o);
}

static void op_int(struct generator *g, int64_t value)
{
    op(g, HF_OP_INT);
    hf_buffer_u64(&g->code, (uint64_t)value);
}

static void op_u32(struct generator *g, enum hf_op o, uint32_t value)
{
    op(g, o);
    hf_buffer_u32(&g->code, value);
}

static void op_real(struct generator *g, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    op(g, HF_OP_REAL);
    hf_buffer_u64(&g->code, bits);
}

static void op_variable(struct generator *g, enum hf_op o, unsigned variable)
{
    op(g, o);
    hf_buffer_u8(&g->code, (uint8_t)variable);
}

/* A variable of the loop at a level. */
static unsigned of_loop(unsigned level, unsigned variable)
{
    return level * LOOP_VARIABLES + variable;
}

static void get(struct generator *g, unsigned variable)
{
    op_variable(g, HF_OP_GET, variable);
}

static void set(struct generator *g, unsigned variable)
{
    op_variable(g, HF_OP_SET, variable);
}

/* A jump forward: returns where its target goes, for land(). */
static size_t jump(struct generator *g, enum hf_op o)
{
    op_u32(g, o, 0);
    return g->code.len;
}

static void land(struct generator *g, size_t from)
{
    if (g->code.failed)
        return;
    for (unsigned i = 0; i < 4; i++)
        g->code.data[from - 4 + i] = (uint8_t)(g->code.len >> 8 * i);
}

/* ---- patterns ---- */

/* An operation on a pattern: its number stands in the program, or is computed. */
static void emit_pattern_op(struct generator *g, const struct node *n, enum hf_op fixed,
                            enum hf_op computed)
{
    bool current = n->number == PATTERN_CURRENT;
    if (current)
        get(g, of_loop(g->of_level, LOOP_PATTERN));
    if (n->a != NULL)
        emit(g, n->a);
    else if (n->kind == NODE_OFFSET || n->kind == NODE_LENGTH)
        op_int(g, 1);
    if (n->b != NULL)
        emit(g, n->b);
    if (current)
        op(g, computed);
    else
        op_u32(g, fixed, n->number);
}

/* Runs of consecutive numbers in a set: [*at, *at + length of the run). */
static size_t next_run(const struct set *s, size_t at)
{
    size_t end = at + 1;
    while (end < s->count && s->items[end] == s->items[end - 1] + 1)
        end++;
    return end - at;
}

/* How many of the set's patterns match, at all or where the node says. */
static void emit_found(struct generator *g, const struct node *n)
{
    const struct set *s = &n->loop->set;
    if (n->a != NULL) {
        emit(g, n->a);
        set(g, OF_LOW);
        n->b != NULL ? emit(g, n->b) : get(g, OF_LOW);
        set(g, OF_HIGH);
    }
    for (size_t at = 0, run; at < s->count; at += run) {
        run = next_run(s, at);
        if (n->a != NULL) {
            get(g, OF_LOW);
            get(g, OF_HIGH);
        }
        op_u32(g, n->a != NULL ? HF_OP_DISTINCT_IN : HF_OP_DISTINCT, s->items[at]);
        hf_buffer_u32(&g->code, (uint32_t)run);
        if (at > 0)
            op(g, HF_OP_ADD);
    }
}

/* (amount == 0 and found == 0) or (amount != 0 and found >= amount) or
 * (amount undefined and found >= count) */
static void emit_amount_test(struct generator *g, unsigned found, unsigned amount)
{
    get(g, amount);
    op_int(g, 0);
    op(g, HF_OP_EQ);
    get(g, found);
    op_int(g, 0);
    op(g, HF_OP_EQ);
    op(g, HF_OP_AND);
    get(g, amount);
    op_int(g, 0);
    op(g, HF_OP_NE);
    get(g, found);
    get(g, amount);
    op(g, HF_OP_GE);
    op(g, HF_OP_AND);
    op(g, HF_OP_OR);
}

static void emit_all_test(struct generator *g, unsigned found, unsigned amount)
{
    get(g, amount);
    op(g, HF_OP_DEFINED);
    op(g, HF_OP_NOT);
    get(g, found);
}

/* The quantifier of an "of", with the number found on the stack. */
static void emit_of_test(struct generator *g, const struct loop *loop)
{
    int64_t count = (int64_t)loop->set.count;
    switch (loop->quantifier) {
    case QUANTIFIER_ANY:
        op_int(g, 1);
        op(g, HF_OP_GE);
        return;
    case QUANTIFIER_ALL:
        op_int(g, count);
        op(g, HF_OP_GE);
        return;
    case QUANTIFIER_NONE:
        op_int(g, 0);
        op(g, HF_OP_EQ);
        return;
    case QUANTIFIER_PERCENT: /* in floats and in this order, as YARA rounds */
        op_real(g, (double)count);
        op(g, HF_OP_DIV);
        op_real(g, 100);
        op(g, HF_OP_MUL);
        emit(g, loop->amount);
        op(g, HF_OP_GE);
        return;
    case QUANTIFIER_N: break;
    }
    if (is_constant(loop->amount, HF_FACT_INT)) {
        emit(g, loop->amount);
        op(g, loop->amount->integer == 0 ? HF_OP_EQ : HF_OP_GE);
        return;
    }
    set(g, OF_FOUND);
    emit(g, loop->amount);
    set(g, OF_AMOUNT);
    emit_amount_test(g, OF_FOUND, OF_AMOUNT);
    emit_all_test(g, OF_FOUND, OF_AMOUNT);
    op_int(g, count);
    op(g, HF_OP_GE);
    op(g, HF_OP_AND);
    op(g, HF_OP_OR);
}

/* A rule is false for itself: it has no answer yet. */
static void emit_rule(struct generator *g, uint32_t rule)
{
    uint32_t own = (uint32_t)g->p->yara->count;
    if (rule < own)
        op_u32(g, HF_OP_RULE, own - rule);
    else
        op_int(g, 0);
}

static void emit_of_rules(struct generator *g, const struct loop *loop)
{
    for (size_t i = 0; i < loop->set.count; i++) {
        emit_rule(g, loop->set.items[i]);
        if (i > 0)
            op(g, HF_OP_ADD);
    }
    emit_of_test(g, loop);
}

/* ---- loops ---- */

/* The number of the pattern of this turn. */
static void emit_set_item(struct generator *g, const struct set *s)
{
    get(g, of_loop(g->level, LOOP_INDEX));
    if (next_run(s, 0) == s->count) {
        op_int(g, s->items[0]);
        op(g, HF_OP_ADD);
        return;
    }
    op_u32(g, HF_OP_PICK, (uint32_t)s->count);
    for (size_t i = 0; i < s->count; i++)
        hf_buffer_u32(&g->code, s->items[i]);
}

/* The value of this turn out of a list of expressions: an if for each. */
static void emit_listed_value(struct generator *g, const struct node *first)
{
    size_t *ends = NULL;
    size_t count = 0;
    struct hf_arena *arena = g->p->yara->scratch;
    for (const struct node *v = first; v != NULL; v = v->next, count++) {
        size_t *more = hf_arena_grow(arena, ends, count, sizeof *ends);
        if (more == NULL) {
            g->code.failed = true;
            return;
        }
        ends = more;
        get(g, of_loop(g->level, LOOP_INDEX));
        op_int(g, (int64_t)count);
        op(g, HF_OP_EQ);
        size_t other = jump(g, HF_OP_JUMP_IF_FALSE);
        op(g, HF_OP_POP);
        emit(g, v);
        set(g, of_loop(g->level, LOOP_FIRST));
        ends[count] = jump(g, HF_OP_JUMP);
        land(g, other);
        op(g, HF_OP_POP);
    }
    for (size_t i = 0; i < count; i++)
        land(g, ends[i]);
}

/* First and last index, and the list. */
static void emit_loop_start(struct generator *g, const struct node *n)
{
    unsigned index = of_loop(g->level, LOOP_INDEX), last = of_loop(g->level, LOOP_LAST);
    int64_t count = 0;
    switch (n->kind) {
    case NODE_FOR_RANGE:
        emit(g, n->a);
        emit(g, n->b);
        set(g, last);
        set(g, index);
        return;
    case NODE_FOR_OF: count = (int64_t)n->loop->set.count; break;
    case NODE_FOR_LIST:
        for (const struct node *v = n->a; v != NULL; v = v->next)
            count++;
        break;
    default:
        emit(g, n->a);
        set(g, of_loop(g->level, LOOP_LIST));
        get(g, of_loop(g->level, LOOP_LIST));
        op(g, HF_OP_LIST_SIZE);
        op_int(g, 1);
        op(g, HF_OP_SUB);
        set(g, last);
        op_int(g, 0);
        set(g, index);
        return;
    }
    op_int(g, count - 1);
    set(g, last);
    op_int(g, 0);
    set(g, index);
}

static void emit_list_item(struct generator *g, enum hf_op o, unsigned variable)
{
    get(g, of_loop(g->level, LOOP_LIST));
    get(g, of_loop(g->level, LOOP_INDEX));
    op(g, o);
    set(g, of_loop(g->level, variable));
}

/* What the body sees in this turn. */
static void emit_loop_variables(struct generator *g, const struct node *n)
{
    switch (n->kind) {
    case NODE_FOR_RANGE:
        get(g, of_loop(g->level, LOOP_INDEX));
        set(g, of_loop(g->level, LOOP_FIRST));
        break;
    case NODE_FOR_OF:
        emit_set_item(g, &n->loop->set);
        set(g, of_loop(g->level, LOOP_PATTERN));
        break;
    case NODE_FOR_LIST: emit_listed_value(g, n->a); break;
    case NODE_FOR_DICT:
        emit_list_item(g, HF_OP_DICT_KEY, LOOP_FIRST);
        emit_list_item(g, HF_OP_DICT_ITEM, LOOP_SECOND);
        break;
    default: emit_list_item(g, HF_OP_INDEX, LOOP_FIRST); break;
    }
}

static void emit_body(struct generator *g, const struct node *n)
{
    unsigned of_level = g->of_level;
    if (n->kind == NODE_FOR_OF)
        g->of_level = g->level;
    g->level++;
    emit(g, n->loop->body);
    g->level--;
    g->of_level = of_level;
}

static void emit_increment(struct generator *g, unsigned variable)
{
    get(g, variable);
    op_int(g, 1);
    op(g, HF_OP_ADD);
    set(g, variable);
}

/* Count a turn's answer (on the stack); returns the jump out when there are enough. */
static size_t emit_counting(struct generator *g)
{
    unsigned trues = of_loop(g->level, LOOP_TRUES), amount = of_loop(g->level, LOOP_AMOUNT);
    op(g, HF_OP_TRUTH);
    get(g, trues);
    op(g, HF_OP_ADD);
    set(g, trues);
    get(g, trues);
    get(g, amount);
    op(g, HF_OP_GE);
    get(g, amount);
    op_int(g, 0);
    op(g, HF_OP_GT);
    op(g, HF_OP_AND);
    return jump(g, HF_OP_JUMP_IF_TRUE);
}

/* The answer when a loop has run to its end. Without a turn it is always false. */
static void emit_loop_end(struct generator *g, const struct loop *loop)
{
    unsigned trues = of_loop(g->level, LOOP_TRUES), amount = of_loop(g->level, LOOP_AMOUNT);
    unsigned turns = of_loop(g->level, LOOP_TURNS);
    if (loop->quantifier == QUANTIFIER_ANY) {
        op_int(g, 0);
        return;
    }
    get(g, turns);
    op_int(g, 0);
    op(g, HF_OP_GT);
    if (loop->quantifier != QUANTIFIER_N)
        return;
    emit_amount_test(g, trues, amount);
    emit_all_test(g, trues, amount);
    get(g, turns);
    op(g, HF_OP_EQ);
    op(g, HF_OP_AND);
    op(g, HF_OP_OR);
    op(g, HF_OP_AND);
}

static void emit_loop(struct generator *g, const struct node *n)
{
    const struct loop *loop = n->loop;
    unsigned index = of_loop(g->level, LOOP_INDEX), last = of_loop(g->level, LOOP_LAST);
    unsigned turns = of_loop(g->level, LOOP_TURNS);
    if (loop->quantifier == QUANTIFIER_N) {
        emit(g, loop->amount);
        set(g, of_loop(g->level, LOOP_AMOUNT));
        op_int(g, 0);
        set(g, of_loop(g->level, LOOP_TRUES));
    }
    emit_loop_start(g, n);
    op_int(g, 0);
    set(g, turns);
    uint32_t top = (uint32_t)g->code.len;
    get(g, index);
    get(g, last);
    op(g, HF_OP_LE); /* undefined bounds: no turn */
    size_t done = jump(g, HF_OP_JUMP_IF_FALSE);
    op(g, HF_OP_POP);
    emit_loop_variables(g, n);
    emit_body(g, n);
    size_t decided;
    switch (loop->quantifier) {
    case QUANTIFIER_ANY: decided = jump(g, HF_OP_JUMP_IF_TRUE); break;
    case QUANTIFIER_ALL: decided = jump(g, HF_OP_JUMP_IF_FALSE); break;
    case QUANTIFIER_NONE:
        op(g, HF_OP_TRUTH);
        op(g, HF_OP_NOT);
        decided = jump(g, HF_OP_JUMP_IF_FALSE);
        break;
    default: decided = emit_counting(g); break;
    }
    op(g, HF_OP_POP);
    emit_increment(g, turns);
    /* The last index may be the largest number there is: no turn behind it. */
    get(g, index);
    get(g, last);
    op(g, HF_OP_LT);
    size_t finished = jump(g, HF_OP_JUMP_IF_FALSE);
    op(g, HF_OP_POP);
    emit_increment(g, index);
    op_u32(g, HF_OP_LOOP, top);
    land(g, done);
    land(g, finished);
    op(g, HF_OP_POP);
    emit_loop_end(g, loop);
    land(g, decided);
    op(g, HF_OP_TRUTH);
}

/* ---- the rest ---- */

static void emit_chain(struct generator *g, const struct node *n)
{
    enum hf_op leave = n->kind == NODE_AND ? HF_OP_JUMP_IF_FALSE : HF_OP_JUMP_IF_TRUE;
    size_t *ends = NULL, count = 0;
    for (const struct node *a = n->a; a != NULL; a = a->next) {
        emit(g, a);
        if (a->next == NULL)
            break;
        size_t *more = hf_arena_grow(g->p->yara->scratch, ends, count, sizeof *ends);
        if (more == NULL) {
            g->code.failed = true;
            return;
        }
        ends = more;
        ends[count++] = jump(g, leave);
        op(g, HF_OP_POP);
    }
    for (size_t i = 0; i < count; i++)
        land(g, ends[i]);
    op(g, HF_OP_TRUTH);
}

static void op_fact(struct generator *g, uint32_t module, uint32_t field)
{
    op(g, HF_OP_FACT);
    hf_buffer_u8(&g->code, (uint8_t)module);
    hf_buffer_u16(&g->code, (uint16_t)field);
}

static void emit_field(struct generator *g, const struct node *n)
{
    if (n->a->kind == NODE_MODULE) {
        op_fact(g, n->a->number, n->number);
        return;
    }
    emit(g, n->a);
    op(g, HF_OP_MEMBER);
    hf_buffer_u16(&g->code, (uint16_t)n->number);
}

static void emit_call(struct generator *g, const struct node *n)
{
    emit(g, n->a);
    for (const struct node *arg = n->list; arg != NULL; arg = arg->next)
        emit(g, arg);
    op(g, HF_OP_CALL);
    hf_buffer_u8(&g->code, (uint8_t)n->number);
}

/* The entry point of a module's format, or undefined. */
static void emit_entry_of(struct generator *g, const char *name)
{
    const struct hf_yara_options *o = &g->p->yara->options;
    for (uint32_t i = 0; i < o->module_count; i++) {
        const struct hf_fact_record *record = o->modules[i]->record;
        size_t field = hf_fact_find(record, hf_bytes_text("entry_point"));
        if (strcmp(o->modules[i]->name, name) == 0 && field != SIZE_MAX) {
            op_fact(g, i, (uint32_t)field);
            return;
        }
    }
    op(g, HF_OP_UNDEFINED);
}

static void emit_entrypoint(struct generator *g)
{
    emit_entry_of(g, "pe");
    op(g, HF_OP_DEFINED);
    size_t other = jump(g, HF_OP_JUMP_IF_FALSE);
    op(g, HF_OP_POP);
    emit_entry_of(g, "pe");
    size_t end = jump(g, HF_OP_JUMP);
    land(g, other);
    op(g, HF_OP_POP);
    emit_entry_of(g, "elf");
    land(g, end);
}

static void emit_constant(struct generator *g, const struct node *n)
{
    if (n->type == HF_FACT_STRING) {
        op(g, HF_OP_STRING);
        hf_buffer_counted(&g->code, n->string);
    } else if (n->type == HF_FACT_FLOAT) {
        op_real(g, n->real);
    } else {
        op_int(g, n->integer);
    }
}

static void emit(struct generator *g, const struct node *n)
{
    switch (n->kind) {
    case NODE_CONST: emit_constant(g, n); break;
    case NODE_REGEX:
        op(g, HF_OP_REGEX);
        hf_buffer_counted(&g->code, g->p->rule.regexes[n->number].program);
        break;
    case NODE_FILESIZE: op(g, HF_OP_SIZE); break;
    case NODE_ENTRYPOINT: emit_entrypoint(g); break;
    case NODE_READ:
        emit(g, n->a);
        op(g, HF_OP_READ);
        hf_buffer_u8(&g->code, (uint8_t)n->number);
        hf_buffer_u8(&g->code, n->flags);
        break;
    case NODE_UNARY:
        emit(g, n->a);
        op(g, (enum hf_op)n->op);
        break;
    case NODE_BINARY:
    case NODE_MATCHES:
        emit(g, n->a);
        emit(g, n->b);
        op(g, n->kind == NODE_MATCHES ? HF_OP_MATCHES : (enum hf_op)n->op);
        break;
    case NODE_AND:
    case NODE_OR: emit_chain(g, n); break;
    case NODE_MATCHED: emit_pattern_op(g, n, HF_OP_MATCHED, HF_OP_MATCHED_OF); break;
    case NODE_AT: emit_pattern_op(g, n, HF_OP_AT, HF_OP_AT_OF); break;
    case NODE_IN: emit_pattern_op(g, n, HF_OP_IN, HF_OP_IN_OF); break;
    case NODE_COUNT:
        emit_pattern_op(g, n, n->a != NULL ? HF_OP_COUNT_IN : HF_OP_COUNT,
                        n->a != NULL ? HF_OP_COUNT_IN_OF : HF_OP_COUNT_OF);
        break;
    case NODE_OFFSET: emit_pattern_op(g, n, HF_OP_OFFSET, HF_OP_OFFSET_OF); break;
    case NODE_LENGTH: emit_pattern_op(g, n, HF_OP_LENGTH, HF_OP_LENGTH_OF); break;
    case NODE_OF:
        emit_found(g, n);
        emit_of_test(g, n->loop);
        break;
    case NODE_OF_RULES: emit_of_rules(g, n->loop); break;
    case NODE_FOR_OF:
    case NODE_FOR_RANGE:
    case NODE_FOR_LIST:
    case NODE_FOR_ARRAY:
    case NODE_FOR_DICT: emit_loop(g, n); break;
    case NODE_RULE: emit_rule(g, n->number); break;
    case NODE_EXTERNAL: op_u32(g, HF_OP_EXTERNAL, n->number); break;
    case NODE_LOCAL: get(g, of_loop(n->number / 2, n->number % 2)); break;
    case NODE_FIELD: emit_field(g, n); break;
    case NODE_INDEX:
        emit(g, n->a);
        emit(g, n->b);
        op(g, HF_OP_INDEX);
        break;
    case NODE_CALL: emit_call(g, n); break;
    case NODE_MODULE:
    case NODE_POISON: op(g, HF_OP_UNDEFINED); break;
    }
}

/* "any of them", "all of them" and the like need no program. */
static bool is_plain(const struct rule_build *r, enum hf_condition_kind *kind)
{
    const struct node *n = r->condition;
    if (n->kind == NODE_MATCHED && r->string_count == 1) {
        *kind = HF_CONDITION_ALL;
        return true;
    }
    if (n->kind != NODE_OF || n->a != NULL || r->string_count == 0 ||
        n->loop->set.items[0] != 0 || n->loop->set.count != r->string_count ||
        next_run(&n->loop->set, 0) != r->string_count)
        return false;
    *kind = n->loop->quantifier == QUANTIFIER_ALL ? HF_CONDITION_ALL : HF_CONDITION_ANY;
    return n->loop->quantifier == QUANTIFIER_ALL || n->loop->quantifier == QUANTIFIER_ANY;
}

static bool keep_strings(struct parser *p)
{
    struct rule_build *r = &p->rule;
    struct hf_yara_string *strings =
        hf_arena_array(p->yara->arena, r->string_count, sizeof *strings);
    if (strings == NULL)
        return false;
    for (size_t i = 0; i < r->string_count; i++) {
        const struct string_build *s = &r->strings[i];
        strings[i] = s->string;
        /* YARA keeps to the place for literals only: other kinds report all their matches. */
        if (s->fixed && !s->searched && s->string.pattern.kind == HF_PATTERN_LITERAL) {
            strings[i].pattern.place.kind = HF_PLACE_START;
            strings[i].pattern.place.offset = s->offset;
        }
    }
    r->rule->strings = strings;
    r->rule->string_count = r->string_count;
    r->rule->rule.pattern_count = (uint32_t)r->string_count;
    return true;
}

bool generate_rule(struct parser *p)
{
    struct rule_build *r = &p->rule;
    struct generator g = {.p = p};
    HF_AUTO(hf_buffer_done) struct hf_buffer code = {0};
    if (!keep_strings(p)) {
        out_of_memory(p);
        return false;
    }
    analyse_rule(p);
    if (is_plain(r, &r->rule->rule.condition))
        return true;
    emit(&g, r->condition);
    op(&g, HF_OP_END);
    code = g.code; /* freed on every way out */
    r->rule->rule.condition = HF_CONDITION_PROGRAM;
    struct hf_bytes program = hf_arena_copy(p->yara->arena, hf_buffer_view(&code));
    if (code.failed || program.data == NULL) {
        out_of_memory(p);
        return false;
    }
    if (hf_machine_check(program, r->rule->rule.pattern_count) != HF_OK) {
        error_node(p, r->condition, "condition is too complex");
        return false;
    }
    r->rule->rule.program = program;
    return true;
}
