/* expression.c - the expressions of .ldb, with ClamAV's own grouping. [facts/clamav.md 1.3, 1.8]
 *
 * There is no precedence. Text that is no single parenthesised block is split at its first
 * operator outside of parentheses; a block is split at the last operator directly inside of it. A
 * comparison behind a block looks at the sum of the counts in it, and at how many different ids
 * have any. A false part adds nothing to either, and a block with a comparison adds its count but
 * not its ids. */
#include "base/buffer.h"
#include "rules/clamav/internal.h"
#include "rules/machine.h"

enum { DEPTH_MAX = 128 };

struct reader {
    struct hf_arena *arena;
    struct clamav_expression *out;
    const char *error;
    size_t nodes;
    unsigned depth;
};

static const struct clamav_node *fail(struct reader *r, const char *why)
{
    if (r->error == NULL)
        r->error = why;
    return NULL;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* A number at *at; false when there is none or it is too large. */
static bool number(struct hf_bytes t, size_t *at, uint32_t *value)
{
    uint64_t v = 0;
    size_t start = *at;
    for (; *at < t.len && is_digit(t.data[*at]); ++*at) {
        v = v * 10 + (uint64_t)(t.data[*at] - '0');
        if (v > UINT32_MAX)
            return false;
    }
    *value = (uint32_t)v;
    return *at > start;
}

static struct clamav_node *new_node(struct reader *r)
{
    struct clamav_node *node =
        ++r->nodes > CLAMAV_NODES_MAX ? NULL : hf_arena_alloc(r->arena, sizeof *node);
    if (node == NULL)
        fail(r, "expression too large");
    return node;
}

static bool is_compare(uint8_t c)
{
    return c == '=' || c == '<' || c == '>';
}

static const struct clamav_node *read_id(struct reader *r, struct hf_bytes t)
{
    struct clamav_node *node = new_node(r);
    size_t at = 0;
    uint32_t ignored;
    if (node == NULL)
        return NULL;
    if (!number(t, &at, &node->id) || node->id >= CLAMAV_SUBSIGS_MAX)
        return fail(r, "a number of a sub-signature expected");
    if (at < t.len && is_compare(t.data[at])) {
        node->compare = (char)t.data[at++];
        if (!number(t, &at, &node->value))
            return fail(r, "a number expected behind the comparison");
        /* ,m behind a single id is read and has no effect. */
        if (at < t.len && t.data[at] == ',') {
            at++;
            if (!number(t, &at, &ignored))
                return fail(r, "a number expected behind the comma");
        }
    }
    if (at != t.len)
        return fail(r, "unexpected character");
    r->out->used |= UINT64_C(1) << node->id;
    if (node->id > r->out->highest)
        r->out->highest = node->id;
    node->depth = 1;
    return node;
}

/* Where a text is split. */
struct split {
    size_t top;   /* first operator outside of parentheses; SIZE_MAX: none */
    size_t inner; /* last operator directly inside of the block */
    size_t close; /* end of the first block: its ) */
    bool balanced;
};

static struct split find_split(struct hf_bytes t)
{
    struct split s = {.top = SIZE_MAX, .inner = SIZE_MAX, .close = SIZE_MAX};
    size_t open = 0;
    for (size_t i = 0; i < t.len; i++) {
        uint8_t c = t.data[i];
        if (c == '(')
            open++;
        else if (c == ')' && open-- == 0)
            return s;
        else if ((c == '&' || c == '|') && open == 0) {
            s.top = i;
            s.balanced = true; /* the rest is looked at when it is read */
            return s;
        } else if ((c == '&' || c == '|') && open == 1)
            s.inner = i;
        if (c == ')' && open == 0 && s.close == SIZE_MAX)
            s.close = i;
    }
    s.balanced = open == 0;
    return s;
}

static const struct clamav_node *read_text(struct reader *r, struct hf_bytes t);

static const struct clamav_node *read_pair(struct reader *r, struct hf_bytes left, char op,
                                           struct hf_bytes right, struct clamav_node *node)
{
    node->op = op;
    if (left.len == 0 || right.len == 0)
        return fail(r, "an operand is missing");
    node->left = read_text(r, left);
    node->right = node->left == NULL ? NULL : read_text(r, right);
    if (node->right == NULL)
        return NULL;
    unsigned a = node->left->depth, b = node->right->depth;
    node->depth = a == b ? a + 1 : a > b ? a : b; /* the deeper one goes first */
    return node;
}

/* A block: ( ... ) and perhaps a comparison behind it. */
static const struct clamav_node *read_block(struct reader *r, struct hf_bytes t,
                                            const struct split *s)
{
    struct hf_bytes inside = hf_bytes_of(t.data + 1, s->close - 1);
    size_t at = s->close + 1;
    if (s->inner == SIZE_MAX) {
        /* Parentheses around one thing take no comparison. */
        return at == t.len ? read_text(r, inside)
                           : fail(r, "a block of one operand is compared");
    }
    struct clamav_node *node = new_node(r);
    if (node == NULL)
        return NULL;
    if (at < t.len) {
        if (!is_compare(t.data[at]))
            return fail(r, "unexpected character behind )");
        node->compare = (char)t.data[at++];
        if (!number(t, &at, &node->value))
            return fail(r, "a number expected behind the comparison");
        if (at < t.len && t.data[at] == ',') {
            at++;
            if (!number(t, &at, &node->distinct))
                return fail(r, "a number expected behind the comma");
        }
        if (at != t.len)
            return fail(r, "unexpected character");
    }
    size_t op = s->inner - 1; /* in what is inside */
    return read_pair(r, hf_bytes_of(inside.data, op), (char)inside.data[op],
                     hf_bytes_of(inside.data + op + 1, inside.len - op - 1), node);
}

static const struct clamav_node *read_text(struct reader *r, struct hf_bytes t)
{
    if (r->error != NULL || ++r->depth > DEPTH_MAX)
        return fail(r, "nested too deep");
    struct split s = find_split(t);
    const struct clamav_node *node = NULL;
    struct clamav_node *pair;
    if (!s.balanced)
        fail(r, "parentheses do not match");
    else if (s.top != SIZE_MAX)
        node = (pair = new_node(r)) == NULL
                   ? NULL
                   : read_pair(r, hf_bytes_of(t.data, s.top), (char)t.data[s.top],
                               hf_bytes_of(t.data + s.top + 1, t.len - s.top - 1), pair);
    else if (t.len > 0 && t.data[0] == '(')
        node = read_block(r, t, &s);
    else
        node = read_id(r, t);
    r->depth--;
    return node;
}

/* Ids of which more than "matched or not" is asked. */
static void mark_counted(struct reader *r, const struct clamav_node *node, bool counted)
{
    if (node->op == 0) {
        bool here = node->compare != 0 && node->value > 0;
        if (counted || here)
            r->out->counted |= UINT64_C(1) << node->id;
        return;
    }
    mark_counted(r, node->left, counted || node->compare != 0);
    mark_counted(r, node->right, counted || node->compare != 0);
}

const char *clamav_parse_expression(struct hf_bytes text, struct hf_arena *arena,
                                    struct clamav_expression *out)
{
    struct reader r = {.arena = arena, .out = out};
    *out = (struct clamav_expression){0};
    out->root = read_text(&r, text);
    if (out->root != NULL)
        mark_counted(&r, out->root, false);
    return r.error;
}

static bool compares(char compare, uint32_t value)
{
    return compare == '=' ? value == 0 : compare == '<' ? value > 0 : false;
}

/* With all counts 0, so are all sums; but "id=0" holds, and is an id that counts. */
static bool holds_alone(const struct clamav_node *n, uint64_t *ids)
{
    *ids = 0;
    if (n->op == 0) {
        bool holds = n->compare != 0 && compares(n->compare, n->value);
        *ids = holds ? UINT64_C(1) << n->id : 0;
        return holds;
    }
    uint64_t left_ids, right_ids;
    bool left = holds_alone(n->left, &left_ids), right = holds_alone(n->right, &right_ids);
    bool holds = n->op == '&' ? left && right : left || right;
    uint64_t both = holds ? left_ids | right_ids : 0;
    if (n->compare == 0) {
        *ids = both;
        return holds;
    }
    return compares(n->compare, n->value) &&
           (unsigned)__builtin_popcountll(both) >= n->distinct;
}

bool clamav_holds_alone(const struct clamav_expression *e)
{
    uint64_t ids;
    return holds_alone(e->root, &ids);
}

/* ---- programs ---- */

struct emitter {
    const struct clamav_subsig *subsigs;
    struct hf_buffer *out;
};

/* Registers: three variables each. */
enum { TRUTH, COUNT, IDS, PER_REGISTER };

static void op(struct emitter *e, enum hf_op o)
{
    hf_buffer_u8(e->out, (uint8_t)o);
}

static void integer(struct emitter *e, uint64_t value)
{
    op(e, HF_OP_INT);
    hf_buffer_u64(e->out, value);
}

static void variable(struct emitter *e, enum hf_op o, unsigned reg, unsigned which)
{
    op(e, o);
    hf_buffer_u8(e->out, (uint8_t)(reg * PER_REGISTER + which));
}

static void emit_count(struct emitter *e, uint32_t id)
{
    if (e->subsigs[id].count == 0)
        integer(e, 0); /* worked out later than what asks: nothing yet */
    for (size_t i = 0; i < e->subsigs[id].count; i++) {
        op(e, HF_OP_COUNT);
        hf_buffer_u32(e->out, e->subsigs[id].patterns[i]);
        if (i > 0)
            op(e, HF_OP_ADD);
    }
}

static void emit_compare(struct emitter *e, char compare, uint32_t value)
{
    integer(e, value);
    op(e, compare == '=' ? HF_OP_EQ : compare == '<' ? HF_OP_LT : HF_OP_GT);
}

/* Only whether it holds, on the stack. */
static void emit_truth(struct emitter *e, const struct clamav_node *n);

/* Truth, count and ids, in a register's variables. */
static void emit_full(struct emitter *e, const struct clamav_node *n, unsigned reg);

static void multiply(struct emitter *e, unsigned reg, unsigned which)
{
    variable(e, HF_OP_GET, reg, TRUTH);
    op(e, HF_OP_MUL);
    variable(e, HF_OP_SET, reg, which);
}

static void emit_full_id(struct emitter *e, const struct clamav_node *n, unsigned reg)
{
    emit_count(e, n->id);
    emit_compare(e, n->compare != 0 ? n->compare : '>', n->value);
    variable(e, HF_OP_SET, reg, TRUTH);
    emit_count(e, n->id);
    multiply(e, reg, COUNT);
    integer(e, UINT64_C(1) << n->id);
    multiply(e, reg, IDS);
}

/* How many bits of a register's ids are set. */
static void emit_distinct(struct emitter *e, const struct clamav_node *n, unsigned reg)
{
    (void)n;
    for (unsigned i = 0; i < CLAMAV_SUBSIGS_MAX; i++) {
        variable(e, HF_OP_GET, reg, IDS);
        integer(e, i);
        op(e, HF_OP_SHIFT_RIGHT);
        integer(e, 1);
        op(e, HF_OP_BIT_AND);
        if (i > 0)
            op(e, HF_OP_ADD);
    }
}

static void emit_full(struct emitter *e, const struct clamav_node *n, unsigned reg)
{
    if (n->op == 0) {
        emit_full_id(e, n, reg);
        return;
    }
    bool left_first = n->left->depth >= n->right->depth;
    emit_full(e, left_first ? n->left : n->right, reg);
    emit_full(e, left_first ? n->right : n->left, reg + 1);
    static const enum hf_op joins[PER_REGISTER] = {
        [COUNT] = HF_OP_ADD, [IDS] = HF_OP_BIT_OR};
    for (unsigned which = TRUTH; which < PER_REGISTER; which++) {
        variable(e, HF_OP_GET, reg, which);
        variable(e, HF_OP_GET, reg + 1, which);
        if (which != TRUTH) {
            op(e, joins[which]);
            multiply(e, reg, which);
            continue;
        }
        op(e, n->op == '&' ? HF_OP_AND : HF_OP_OR);
        variable(e, HF_OP_SET, reg, TRUTH);
    }
    if (n->compare == 0)
        return;
    variable(e, HF_OP_GET, reg, COUNT);
    emit_compare(e, n->compare, n->value);
    if (n->distinct > 0) {
        emit_distinct(e, n, reg);
        integer(e, n->distinct);
        op(e, HF_OP_GE);
        op(e, HF_OP_AND);
    }
    variable(e, HF_OP_SET, reg, TRUTH);
    variable(e, HF_OP_GET, reg, COUNT);
    multiply(e, reg, COUNT);
    integer(e, 0);
    variable(e, HF_OP_SET, reg, IDS);
}

static void emit_truth(struct emitter *e, const struct clamav_node *n)
{
    if (n->op == 0) {
        emit_count(e, n->id);
        emit_compare(e, n->compare != 0 ? n->compare : '>', n->value);
    } else if (n->compare != 0) {
        emit_full(e, n, 0);
        variable(e, HF_OP_GET, 0, TRUTH);
    } else {
        emit_truth(e, n->left);
        emit_truth(e, n->right);
        op(e, n->op == '&' ? HF_OP_AND : HF_OP_OR);
    }
}

void clamav_emit_expression(const struct clamav_expression *expression,
                            const struct clamav_subsig *subsigs, struct hf_buffer *out)
{
    struct emitter e = {.subsigs = subsigs, .out = out};
    emit_truth(&e, expression->root);
    op(&e, HF_OP_END);
}
