/* expression.c - syntax of conditions, by precedence. Operands of arithmetic and comparisons are
 * "primary" expressions: YARA's grammar does not compare truth values. */
#include "rules/yara/internal.h"

#include "base/auto.h"

static struct node *parse_expression(struct parser *p);
static struct node *parse_primary(struct parser *p);

/* Our own recursion has a bound; poison beyond it. */
static bool enter(struct parser *p)
{
    if (p->panic)
        return false;
    if (p->depth == DEPTH_MAX) {
        error_here(p, "expression is nested too deep");
        p->panic = true;
        return false;
    }
    p->depth++;
    return true;
}

static struct node *leave(struct parser *p, struct node *node)
{
    p->depth--;
    return node;
}

/* An operand of arithmetic; truth values are none. */
static struct node *parse_operand(struct parser *p)
{
    struct node *node = parse_primary(p);
    if (!p->panic && !node->primary)
        syntax_error(p, NULL);
    return p->panic ? node_poison(p) : node;
}

static struct node *parse_integer(struct parser *p, const char *what)
{
    struct node *node = parse_operand(p);
    return want_type(p, node, HF_FACT_INT, what) ? node : node_poison(p);
}

/* "(" a ".." b ")", the first two already taken when first is given. */
static bool parse_range_rest(struct parser *p, struct node *first, struct node **a,
                             struct node **b)
{
    struct token at = p->token;
    *a = first;
    expect_token(p, TOKEN_DOTS, "\"..\"");
    *b = p->panic ? node_poison(p) : parse_integer(p, "upper bound of a range");
    expect_sign(p, ')');
    if (p->panic || !want_type(p, *a, HF_FACT_INT, "lower bound of a range") ||
        is_poison(*b))
        return false;
    if (is_constant(*a, HF_FACT_INT) && is_constant(*b, HF_FACT_INT) &&
        (*a)->integer > (*b)->integer) {
        error_at(p, at.line, at.column, at.start,
                 "invalid range: lower bound is greater than upper bound");
        return false;
    }
    return true;
}

static bool parse_range(struct parser *p, struct node **a, struct node **b)
{
    *a = *b = node_poison(p);
    if (!expect_sign(p, '('))
        return false;
    return parse_range_rest(p, parse_operand(p), a, b);
}

/* ---- sets, "of", "for" ---- */

/* "them", or a list in parentheses of strings or of rules. */
static void parse_set(struct parser *p, struct set *set, bool *of_rules)
{
    struct token at = p->token;
    *of_rules = false;
    if (accept_token(p, TOKEN_THEM)) {
        struct token all = at;
        all.text = hf_bytes_text("");
        all.kind = TOKEN_STRING_SET;
        resolve_string_set(p, &all, set);
        return;
    }
    if (!expect_sign(p, '('))
        return;
    *of_rules = p->token.kind == TOKEN_IDENTIFIER;
    do {
        struct token item = p->token;
        bool fits = *of_rules
                        ? item.kind == TOKEN_IDENTIFIER
                        : item.kind == TOKEN_STRING_ID || item.kind == TOKEN_STRING_SET;
        if (!fits) {
            syntax_error(p, *of_rules ? "identifier" : "string identifier");
            return;
        }
        advance(p);
        if (*of_rules)
            resolve_rule_set(p, &item, accept_sign(p, '*'), set);
        else
            resolve_string_set(p, &item, set);
    } while (accept_sign(p, ','));
    expect_sign(p, ')');
}

static struct loop *new_loop(struct parser *p)
{
    struct loop *loop = hf_arena_alloc(p->yara->scratch, sizeof *loop);
    if (loop == NULL)
        out_of_memory(p);
    return loop;
}

/* What the compiler can see of "amount of set". */
static void check_amount(struct parser *p, const struct node *node, const struct loop *loop)
{
    const struct node *amount = loop->amount;
    if (amount == NULL || !is_constant(amount, HF_FACT_INT) || loop->set.count == 0)
        return;
    if (loop->quantifier == QUANTIFIER_PERCENT) {
        if (amount->integer < 1 || amount->integer > 100)
            error_node(p, node, "percentage must be between 1 and 100 (inclusive)");
    } else if (amount->integer == 0) {
        warn_node(p, node, "consider using \"none\" keyword, it is less ambiguous");
    } else if (amount->integer > (int64_t)loop->set.count) {
        warn_node(p, node, "expression always false - requiring %lld of %zu",
                  (long long)amount->integer, loop->set.count);
    }
}

/* At "of". amount is NULL unless the quantifier has one. */
static struct node *parse_of(struct parser *p, const struct token *at,
                             enum quantifier_kind quantifier, struct node *amount)
{
    struct loop *loop = new_loop(p);
    struct node *node = node_new(p, NODE_OF, at);
    bool of_rules = false, good = true;
    expect_token(p, TOKEN_OF, "of");
    if (p->panic || loop == NULL)
        return node_poison(p);
    loop->quantifier = quantifier;
    loop->amount = amount;
    if (amount != NULL)
        good = want_type(p, amount, HF_FACT_INT, "quantifier");
    parse_set(p, &loop->set, &of_rules);
    node->kind = of_rules ? NODE_OF_RULES : NODE_OF;
    node->loop = loop;
    node->type = HF_FACT_BOOL;
    if (!of_rules && accept_token(p, TOKEN_IN)) {
        good = parse_range(p, &node->a, &node->b) && good;
    } else if (!of_rules && accept_token(p, TOKEN_AT)) {
        node->a = parse_integer(p, "\"at\" operator");
        good = good && !is_poison(node->a);
    }
    if (good && !p->panic)
        check_amount(p, node, loop);
    return good && !p->panic ? node : node_poison(p);
}

/* all, any, none: the word is at hand. */
static enum quantifier_kind word_quantifier(enum token_kind kind)
{
    return kind == TOKEN_ALL   ? QUANTIFIER_ALL
           : kind == TOKEN_ANY ? QUANTIFIER_ANY
                               : QUANTIFIER_NONE;
}

static bool is_quantifier_word(enum token_kind kind)
{
    return kind == TOKEN_ALL || kind == TOKEN_ANY || kind == TOKEN_NONE;
}

static bool next_is_of(const struct parser *p)
{
    struct lexer ahead = p->lexer;
    return lexer_next(&ahead).kind == TOKEN_OF;
}

static void parse_loop_body(struct parser *p, struct loop *loop, struct loop_scope scope)
{
    struct rule_build *r = &p->rule;
    expect_sign(p, ':');
    expect_sign(p, '(');
    if (p->panic)
        return;
    if (r->loop_count == LOOPS_MAX) {
        error_here(p, "loop nesting limit exceeded");
        p->panic = true;
        return;
    }
    r->loops[r->loop_count++] = scope;
    loop->body = parse_expression(p);
    r->loop_count--;
    if (!p->panic && !want_boolean(p, loop->body))
        loop->body = node_poison(p);
    expect_sign(p, ')');
}

static bool loop_name_taken(const struct parser *p, struct hf_bytes name)
{
    for (unsigned l = 0; l < p->rule.loop_count; l++)
        for (unsigned v = 0; v < p->rule.loops[l].variable_count; v++)
            if (hf_bytes_equal(p->rule.loops[l].variables[v].name, name))
                return true;
    return false;
}

static bool parse_variables(struct parser *p, struct loop_scope *scope)
{
    do {
        if (p->token.kind != TOKEN_IDENTIFIER) {
            syntax_error(p, "identifier");
            return false;
        }
        if (scope->variable_count == 2) {
            error_here(p, "too many loop variables");
            p->panic = true;
            return false;
        }
        if (loop_name_taken(p, p->token.text))
            error_here(p, "duplicated loop identifier \"%s\"", quoted(p, p->token.text));
        scope->variables[scope->variable_count++].name = p->token.text;
        advance(p);
    } while (accept_sign(p, ','));
    return expect_token(p, TOKEN_IN, "in");
}

/* What a loop goes over, behind "in"; sets the node's kind and the variables' types. */
static bool parse_iterated(struct parser *p, struct node *node, struct loop_scope *scope)
{
    struct variable *v = scope->variables;
    for (unsigned i = 0; i < 2; i++)
        v[i].type = (struct node){
            .kind = NODE_LOCAL, .type = HF_FACT_INT, .depth = 1, .primary = true};
    if (!accept_sign(p, '(')) {
        node->a = parse_primary(p);
        if (p->panic || is_poison(node->a))
            return false;
        if (node->a->type == HF_FACT_ARRAY || node->a->type == HF_FACT_DICT) {
            bool dict = node->a->type == HF_FACT_DICT;
            node->kind = dict ? NODE_FOR_DICT : NODE_FOR_ARRAY;
            v[0].type.type = HF_FACT_STRING;
            node_of_element(&v[dict].type, node->a->field);
            if (scope->variable_count == 1u + dict)
                return true;
            error_node(p, node->a, "a loop over a%s has %u variable%s",
                       dict ? " dictionary" : "n array", 1u + dict, dict ? "s" : "");
            return false;
        }
        error_node(p, node->a,
                   "wrong type \"%s\": a loop needs an array, a dictionary or values",
                   type_text(node->a->type));
        return false;
    }
    struct node_list list = {0};
    struct node *first = parse_operand(p);
    if (!p->panic && p->token.kind == TOKEN_DOTS) {
        node->kind = NODE_FOR_RANGE;
        bool good = parse_range_rest(p, first, &node->a, &node->b);
        if (good && scope->variable_count != 1)
            error_node(p, node, "a loop over numbers has 1 variable");
        return good;
    }
    node->kind = NODE_FOR_LIST;
    node_append(&list, first);
    while (accept_sign(p, ','))
        node_append(&list, parse_operand(p));
    expect_sign(p, ')');
    if (p->panic || list.poisoned)
        return false;
    node->a = list.first;
    v[0].type.type = first->type;
    for (const struct node *n = first; n != NULL; n = n->next)
        if ((n->type != HF_FACT_INT && n->type != HF_FACT_STRING) ||
            n->type != first->type) {
            error_node(p, n, "wrong type \"%s\" for enumeration item", type_text(n->type));
            return false;
        }
    return scope->variable_count == 1;
}

/* Behind "for". */
static struct node *parse_for(struct parser *p, const struct token *at)
{
    struct loop *loop = new_loop(p);
    struct node *node = node_new(p, NODE_FOR_OF, at);
    if (p->panic || loop == NULL)
        return node_poison(p);
    bool good = true, of_rules = false;
    loop->quantifier = word_quantifier(p->token.kind);
    if (is_quantifier_word(p->token.kind)) {
        advance(p);
    } else {
        loop->quantifier = QUANTIFIER_N;
        loop->amount = parse_integer(p, "quantifier");
        good = !is_poison(loop->amount);
    }
    node->loop = loop;
    node->type = HF_FACT_BOOL;
    struct loop_scope scope = {0};
    if (accept_token(p, TOKEN_OF)) {
        for (unsigned l = 0; l < p->rule.loop_count; l++)
            if (p->rule.loops[l].of_strings)
                error_node(p, node,
                           "'for <quantifier> of <string set>' loops can't be nested");
        scope.of_strings = true;
        parse_set(p, &loop->set, &of_rules);
        if (of_rules && !p->panic)
            error_node(p, node, "a loop goes over strings, not over rules");
        if (!p->panic)
            check_amount(p, node, loop);
    } else if (!p->panic) {
        good = parse_variables(p, &scope) && parse_iterated(p, node, &scope) && good;
        for (unsigned i = 0; !good && i < 2; i++)
            scope.variables[i].type.kind = NODE_POISON;
    }
    for (unsigned i = 0; i < scope.variable_count; i++)
        scope.variables[i].type.number = p->rule.loop_count * 2 + i;
    parse_loop_body(p, loop, scope);
    if (p->panic || !good || is_poison(loop->body))
        return node_poison(p);
    return node;
}

/* ---- atoms ---- */

/* Whether a string is asked for at one constant place only: it is then not searched, and its
 * other matches do not count, as in YARA. */
static void note_use(struct parser *p, uint32_t pattern, const struct node *at)
{
    if (pattern == PATTERN_CURRENT)
        return;
    struct string_build *s = &p->rule.strings[pattern];
    bool constant = at != NULL && is_constant(at, HF_FACT_INT);
    /* A negative offset is a place where nothing is. */
    int64_t offset = constant ? (at->integer < 0 ? INT64_MAX : at->integer) : 0;
    if (!constant || (s->fixed && s->offset != offset)) {
        s->searched = true;
        return;
    }
    s->fixed = true;
    s->offset = offset;
}

/* $a, $a at N, $a in (N..M). */
static struct node *parse_string(struct parser *p, const struct token *at)
{
    struct node *node = node_new(p, NODE_MATCHED, at);
    uint32_t pattern = 0;
    bool good = resolve_string(p, at, &pattern);
    advance(p);
    if (is_poison(node))
        return node;
    node->number = pattern;
    node->type = HF_FACT_BOOL;
    if (accept_token(p, TOKEN_AT)) {
        node->kind = NODE_AT;
        node->a = parse_integer(p, "\"at\" operator");
        good = good && !is_poison(node->a);
    } else if (accept_token(p, TOKEN_IN)) {
        node->kind = NODE_IN;
        good = parse_range(p, &node->a, &node->b) && good;
    }
    if (!good || p->panic)
        return node_poison(p);
    note_use(p, pattern, node->kind == NODE_AT ? node->a : NULL);
    return node;
}

/* #a, #a in (N..M), @a, @a[i], !a, !a[i]. */
static struct node *parse_string_number(struct parser *p, const struct token *at)
{
    enum node_kind kind = at->kind == TOKEN_COUNT    ? NODE_COUNT
                          : at->kind == TOKEN_OFFSET ? NODE_OFFSET
                                                     : NODE_LENGTH;
    struct node *node = node_new(p, kind, at);
    uint32_t pattern = 0;
    bool good = resolve_string(p, at, &pattern);
    advance(p);
    if (is_poison(node))
        return node;
    if (good)
        note_use(p, pattern, NULL);
    node->number = pattern;
    node->type = HF_FACT_INT;
    node->primary = true;
    if (kind == NODE_COUNT && accept_token(p, TOKEN_IN)) {
        good = parse_range(p, &node->a, &node->b) && good;
    } else if (kind != NODE_COUNT && accept_sign(p, '[')) {
        node->a = parse_integer(p, "index of a match");
        good = good && !is_poison(node->a);
        expect_sign(p, ']');
    }
    return good && !p->panic ? node : node_poison(p);
}

static struct node *parse_arguments(struct parser *p, const struct token *at,
                                    struct node *function)
{
    struct node_list list = {0};
    if (!is_sign(p, ')'))
        do {
            struct node *argument = parse_expression(p);
            if (p->panic)
                return argument;
            node_append(&list, argument);
        } while (accept_sign(p, ','));
    if (!expect_sign(p, ')') || list.poisoned)
        return node_poison(p);
    return resolve_call(p, at, function, list.first, list.count);
}

/* Members, elements, calls behind a name. */
static struct node *parse_path(struct parser *p, struct node *node)
{
    while (!p->panic) {
        struct token at = p->token;
        if (accept_sign(p, '.')) {
            struct token name = p->token;
            if (expect_token(p, TOKEN_IDENTIFIER, "identifier"))
                node = resolve_member(p, &name, node);
        } else if (accept_sign(p, '[')) {
            struct node *index = parse_operand(p);
            if (expect_sign(p, ']'))
                node = resolve_index(p, &at, node, index);
        } else if (accept_sign(p, '(')) {
            node = parse_arguments(p, &at, node);
        } else {
            break;
        }
    }
    return node;
}

static struct node *parse_read(struct parser *p, const struct token *at)
{
    expect_sign(p, '(');
    struct node *offset = parse_integer(p, "offset to read at");
    expect_sign(p, ')');
    struct node *node = node_new(p, NODE_READ, at);
    if (p->panic || is_poison(offset) || is_poison(node))
        return node_poison(p);
    node->a = offset;
    node->number = (uint32_t)at->integer;
    node->flags = at->flags;
    node->type = HF_FACT_INT;
    node->primary = true;
    return node;
}

static struct node *parse_regex(struct parser *p, const struct token *at)
{
    struct rule_build *r = &p->rule;
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    struct node *node = node_new(p, NODE_REGEX, at);
    if (!compile_regex(p, at, &program) || is_poison(node))
        return node_poison(p);
    struct condition_regex *more =
        hf_arena_grow(p->yara->scratch, r->regexes, r->regex_count, sizeof *more);
    struct hf_bytes copy = hf_arena_copy(p->yara->scratch, hf_buffer_view(&program));
    if (more == NULL || copy.data == NULL) {
        out_of_memory(p);
        return node_poison(p);
    }
    r->regexes = more;
    node->number = (uint32_t)r->regex_count;
    more[r->regex_count++].program = copy;
    node->type = HF_FACT_REGEX;
    node->primary = true;
    return node;
}

/* Atoms that are one token. */
static struct node *parse_constant(struct parser *p, const struct token *at)
{
    struct node *node = node_integer(p, at, at->integer);
    advance(p);
    if (is_poison(node))
        return node;
    switch (at->kind) {
    case TOKEN_REAL:
        node->type = HF_FACT_FLOAT;
        node->real = at->real;
        break;
    case TOKEN_TEXT:
        node->type = HF_FACT_STRING;
        node->string = at->text;
        break;
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        node->type = HF_FACT_BOOL;
        node->primary = false;
        node->integer = at->kind == TOKEN_TRUE;
        break;
    case TOKEN_FILESIZE: node->kind = NODE_FILESIZE; break;
    case TOKEN_ENTRYPOINT:
        node->kind = NODE_ENTRYPOINT;
        warn_node(p, node,
                  "Using deprecated \"entrypoint\" keyword. Use the \"entry_point\" "
                  "function from PE module instead.");
        break;
    default: break;
    }
    return node;
}

static struct node *parse_atom(struct parser *p)
{
    struct token at = p->token;
    switch (at.kind) {
    case TOKEN_INTEGER:
    case TOKEN_REAL:
    case TOKEN_TEXT:
    case TOKEN_TRUE:
    case TOKEN_FALSE:
    case TOKEN_FILESIZE:
    case TOKEN_ENTRYPOINT: return parse_constant(p, &at);
    case TOKEN_STRING_ID: return parse_string(p, &at);
    case TOKEN_COUNT:
    case TOKEN_OFFSET:
    case TOKEN_LENGTH: return parse_string_number(p, &at);
    case TOKEN_REGEX: advance(p); return parse_regex(p, &at);
    case TOKEN_READ: advance(p); return parse_read(p, &at);
    case TOKEN_FOR: advance(p); return parse_for(p, &at);
    case TOKEN_ALL:
    case TOKEN_ANY:
    case TOKEN_NONE: advance(p); return parse_of(p, &at, word_quantifier(at.kind), NULL);
    case TOKEN_IDENTIFIER: {
        struct node *node = resolve_identifier(p, &at);
        advance(p);
        return parse_path(p, node);
    }
    default: syntax_error(p, NULL); return node_poison(p);
    }
}

static struct node *parse_parentheses(struct parser *p)
{
    struct node *node = parse_expression(p);
    expect_sign(p, ')');
    return node;
}

/* Signs in front, parentheses, atoms. */
static struct node *parse_unary(struct parser *p)
{
    struct token at = p->token;
    if (!enter(p))
        return node_poison(p);
    struct node *node;
    bool minus = accept_sign(p, '-');
    if (minus || accept_sign(p, '~')) {
        node = parse_unary(p);
        if (!p->panic && !node->primary)
            syntax_error(p, NULL);
        if (!p->panic)
            node = build_unary(p, &at, minus ? HF_OP_NEGATE : HF_OP_COMPLEMENT, node);
    } else if (accept_sign(p, '(')) {
        node = parse_parentheses(p);
    } else {
        node = parse_atom(p);
    }
    return leave(p, node);
}

/* ---- operators ---- */

/* A binary operator on primary expressions and how tightly it binds; 0: none. */
static unsigned operator_at(const struct parser *p, enum hf_op *op)
{
    static const struct {
        char sign;
        uint8_t level, op;
    } signs[] = {{'|', 1, HF_OP_BIT_OR}, {'^', 2, HF_OP_BIT_XOR}, {'&', 3, HF_OP_BIT_AND},
                 {'+', 5, HF_OP_ADD},    {'-', 5, HF_OP_SUB},     {'*', 6, HF_OP_MUL},
                 {'\\', 6, HF_OP_DIV},   {'%', 6, HF_OP_MOD}};
    const struct token *t = &p->token;
    if (t->kind == TOKEN_SHL || t->kind == TOKEN_SHR) {
        *op = t->kind == TOKEN_SHL ? HF_OP_SHIFT_LEFT : HF_OP_SHIFT_RIGHT;
        return 4;
    }
    if (t->kind != TOKEN_SIGN)
        return 0;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (signs[i].sign == t->sign) {
            *op = (enum hf_op)signs[i].op;
            return signs[i].level;
        }
    return 0;
}

static struct node *parse_arithmetic(struct parser *p, unsigned least)
{
    struct node *a = parse_unary(p);
    enum hf_op op;
    for (unsigned level;
         !p->panic && (level = operator_at(p, &op)) >= least && level > 0;) {
        struct token at = p->token;
        if (op == HF_OP_MOD && next_is_of(p))
            break; /* 50% of them */
        if (!a->primary) {
            syntax_error(p, NULL);
            break;
        }
        advance(p);
        struct node *b = parse_arithmetic(p, level + 1);
        if (!p->panic && !b->primary)
            syntax_error(p, NULL);
        if (!p->panic)
            a = build_binary(p, &at, op, a, b);
    }
    return p->panic ? node_poison(p) : a;
}

static struct node *parse_primary(struct parser *p)
{
    return parse_arithmetic(p, 1);
}

static bool relation_at(const struct parser *p, enum hf_op *op)
{
    static const struct {
        uint8_t token, op;
    } words[] = {{TOKEN_EQ, HF_OP_EQ},
                 {TOKEN_NE, HF_OP_NE},
                 {TOKEN_LE, HF_OP_LE},
                 {TOKEN_GE, HF_OP_GE},
                 {TOKEN_CONTAINS, HF_OP_CONTAINS},
                 {TOKEN_ICONTAINS, HF_OP_ICONTAINS},
                 {TOKEN_STARTSWITH, HF_OP_STARTS},
                 {TOKEN_ISTARTSWITH, HF_OP_ISTARTS},
                 {TOKEN_ENDSWITH, HF_OP_ENDS},
                 {TOKEN_IENDSWITH, HF_OP_IENDS},
                 {TOKEN_IEQUALS, HF_OP_IEQUALS}};
    if (is_sign(p, '<') || is_sign(p, '>')) {
        *op = is_sign(p, '<') ? HF_OP_LT : HF_OP_GT;
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].token == p->token.kind) {
            *op = (enum hf_op)words[i].op;
            return true;
        }
    return false;
}

static struct node *parse_relation(struct parser *p)
{
    struct token at = p->token;
    struct node *a = parse_primary(p);
    enum hf_op op;
    if (p->panic || !a->primary)
        return a;
    if (p->token.kind == TOKEN_OF)
        return parse_of(p, &at, QUANTIFIER_N, a);
    if (is_sign(p, '%') && next_is_of(p)) {
        advance(p);
        return parse_of(p, &at, QUANTIFIER_PERCENT, a);
    }
    struct token operator= p->token;
    if (accept_token(p, TOKEN_MATCHES)) {
        struct token regex = p->token;
        if (!expect_token(p, TOKEN_REGEX, "regular expression"))
            return node_poison(p);
        return build_matches(p, &operator, a, parse_regex(p, &regex));
    }
    if (!relation_at(p, &op))
        return a;
    advance(p);
    struct node *b = parse_operand(p);
    return p->panic ? b : build_binary(p, &operator, op, a, b);
}

static struct node *parse_not(struct parser *p)
{
    struct token at = p->token;
    if (!enter(p))
        return node_poison(p);
    struct node *node;
    if (accept_token(p, TOKEN_NOT))
        node = build_unary(p, &at, HF_OP_NOT, parse_not(p));
    else if (accept_token(p, TOKEN_DEFINED))
        node = build_unary(p, &at, HF_OP_DEFINED, parse_not(p));
    else
        node = parse_relation(p);
    return leave(p, node);
}

static struct node *parse_chain(struct parser *p, enum node_kind kind)
{
    struct token at = p->token;
    enum token_kind word = kind == NODE_AND ? TOKEN_AND : TOKEN_OR;
    struct node *first = kind == NODE_AND ? parse_not(p) : parse_chain(p, NODE_AND);
    if (p->panic || p->token.kind != word)
        return first;
    struct node_list list = {0};
    node_append(&list, want_boolean(p, first) ? first : node_poison(p));
    while (accept_token(p, word)) {
        struct node *more = kind == NODE_AND ? parse_not(p) : parse_chain(p, NODE_AND);
        if (p->panic)
            return more;
        node_append(&list, want_boolean(p, more) ? more : node_poison(p));
    }
    return list.poisoned ? node_poison(p) : build_chain(p, &at, kind, list.first);
}

static struct node *parse_expression(struct parser *p)
{
    return parse_chain(p, NODE_OR);
}

struct node *parse_condition(struct parser *p)
{
    struct node *node = parse_expression(p);
    return !p->panic && want_boolean(p, node) ? node : node_poison(p);
}
