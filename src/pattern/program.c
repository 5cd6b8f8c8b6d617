/* program.c - from the tree to the two machines, and back from stored bytes. */
#include "pattern/code.h"

struct compiler {
    struct hf_arena *arena;
    struct hf_buffer *code; /* instructions of the machine being made */
    struct hf_buffer *sets;
    uint32_t count, states;
    bool backward;
    enum hf_status status;
};

static void fail(struct compiler *c, enum hf_status status)
{
    if (c->status == HF_OK)
        c->status = status;
}

/* Returns the number of the new instruction. */
static uint32_t emit(struct compiler *c, struct code code)
{
    c->states += code_states(&code);
    if (c->states > HF_PROGRAM_STATES_MAX)
        fail(c, HF_LIMIT);
    if (c->status != HF_OK)
        return 0;
    hf_buffer_u8(c->code, code.op);
    hf_buffer_u8(c->code, code.a);
    hf_buffer_u16(c->code, code.b);
    hf_buffer_u32(c->code, code.c);
    return c->count++;
}

static void set_target(struct compiler *c, uint32_t number, uint32_t target)
{
    if (c->status != HF_OK || c->code->failed)
        return;
    uint8_t *at = c->code->data + (size_t)number * CODE_SIZE + 4;
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(target >> (8 * i));
}

static uint16_t set_number(struct compiler *c, const uint8_t *set)
{
    for (size_t i = 0; i < c->sets->len; i += 32)
        if (memcmp(c->sets->data + i, set, 32) == 0)
            return (uint16_t)(i / 32);
    hf_buffer_add(c->sets, set, 32);
    return (uint16_t)(c->sets->len / 32 - 1);
}

static void compile(struct compiler *c, struct hf_node *node);

/* Children in order, or from the last to the first for the backward machine. */
static void compile_sequence(struct compiler *c, struct hf_node *first)
{
    size_t count = 0;
    for (struct hf_node *n = first; n != NULL; n = n->sibling)
        count++;
    struct hf_node **order = hf_arena_array(c->arena, count, sizeof *order);
    if (order == NULL) {
        fail(c, HF_NOMEM);
        return;
    }
    size_t i = 0;
    for (struct hf_node *n = first; n != NULL; n = n->sibling, i++)
        order[c->backward ? count - 1 - i : i] = n;
    for (i = 0; i < count && c->status == HF_OK; i++)
        compile(c, order[i]);
}

/* split a, b; a: ...; jump end; b: split ... */
static void compile_alternatives(struct compiler *c, struct hf_node *first)
{
    uint32_t *ends = NULL;
    size_t count = 0;
    for (struct hf_node *n = first; n != NULL && c->status == HF_OK; n = n->sibling) {
        if (n->sibling == NULL) {
            compile(c, n);
            break;
        }
        uint32_t split = emit(c, (struct code){.op = CODE_SPLIT});
        compile(c, n);
        uint32_t *more = hf_arena_grow(c->arena, ends, count, sizeof *ends);
        if (more == NULL) {
            fail(c, HF_NOMEM);
            return;
        }
        ends = more;
        ends[count++] = emit(c, (struct code){.op = CODE_JUMP});
        set_target(c, split, c->count);
    }
    for (size_t i = 0; i < count; i++)
        set_target(c, ends[i], c->count);
}

/* What may come, or not: child{0,max-min}. */
static void compile_optional(struct compiler *c, struct hf_node *node)
{
    if (node->max == HF_REPEAT_UNBOUNDED) { /* again: split out; child; jump again; out: */
        uint32_t again = emit(c, (struct code){.op = CODE_SPLIT, .a = node->lazy});
        compile(c, node->child);
        emit(c, (struct code){.op = CODE_JUMP, .c = again});
        set_target(c, again, c->count);
        return;
    }
    uint32_t *splits = NULL;
    for (uint32_t i = node->min; i < node->max && c->status == HF_OK; i++) {
        splits = hf_arena_grow(c->arena, splits, i - node->min, sizeof *splits);
        if (splits == NULL) {
            fail(c, HF_NOMEM);
            return;
        }
        splits[i - node->min] = emit(c, (struct code){.op = CODE_SPLIT, .a = node->lazy});
        compile(c, node->child);
    }
    for (uint32_t i = node->min; i < node->max && splits != NULL; i++)
        set_target(c, splits[i - node->min], c->count);
}

static bool is_any(const struct hf_node *node)
{
    return node->kind == HF_NODE_BYTE && node->mask == 0 && !node->negated;
}

/* The first of the copies that must come is the one next to what stands before the repetition;
 * in the backward machine it comes last, behind the optional ones. So the child's instruction
 * numbers, which are those of the copy made last (backward) or first (forward), belong to the
 * same copy in both machines: anchors may lie in it. */
static void compile_repeat(struct compiler *c, struct hf_node *node)
{
    if (is_any(node->child) && node->min <= UINT16_MAX) {
        emit(c, (struct code){.op = CODE_ANY_TIMES,
                              .a = node->lazy,
                              .b = (uint16_t)node->min,
                              .c = node->max});
        return;
    }
    if (c->backward) {
        compile_optional(c, node);
        for (uint32_t i = 0; i < node->min && c->status == HF_OK; i++)
            compile(c, node->child);
        return;
    }
    /* Forward the first copy is made first; its numbers must survive the later ones. */
    for (uint32_t i = 0; i < node->min && c->status == HF_OK; i++)
        compile(c, node->child);
    compile_optional(c, node);
}

static void compile_byte(struct compiler *c, struct hf_node *node)
{
    struct code code = {.op = CODE_BYTE,
                        .a = node->value,
                        .b = (uint16_t)(node->mask << 8 | (node->negated ? 1 : 0))};
    if (node->kind == HF_NODE_CLASS)
        code = (struct code){.op = CODE_SET, .b = set_number(c, node->set)};
    uint32_t number = emit(c, code);
    if (c->backward)
        node->backward = number; /* the last copy wins */
    else if (node->forward == UINT32_MAX)
        node->forward = number; /* the first copy wins */
}

static void compile(struct compiler *c, struct hf_node *node)
{
    switch (node->kind) {
    case HF_NODE_EMPTY: break;
    case HF_NODE_BYTE:
    case HF_NODE_CLASS: compile_byte(c, node); break;
    case HF_NODE_CONCAT: compile_sequence(c, node->child); break;
    case HF_NODE_ALTERNATE: compile_alternatives(c, node->child); break;
    case HF_NODE_REPEAT: compile_repeat(c, node); break;
    case HF_NODE_ASSERT:
        emit(c, (struct code){.op = CODE_ASSERT, .a = (uint8_t)node->assertion});
        break;
    }
}

/* Whether the order in which ways are tried can be told from the length of the match. Choices between
 * single bytes and repeated single bytes hardly ever can, and alternatives of one length cannot. */
static bool order_counts(const struct hf_node *node)
{
    const struct hf_length length = hf_node_length(node);
    if (length.min == length.max)
        return false;
    if (node->kind == HF_NODE_ALTERNATE)
        return true;
    if (node->kind == HF_NODE_REPEAT && node->child->kind != HF_NODE_BYTE &&
        node->child->kind != HF_NODE_CLASS)
        return true;
    for (const struct hf_node *n = node->child; n != NULL; n = n->sibling)
        if (order_counts(n))
            return true;
    return false;
}

static void forget_numbers(struct hf_node *node)
{
    node->forward = node->backward = UINT32_MAX;
    for (struct hf_node *n = node->child; n != NULL; n = n->sibling)
        forget_numbers(n);
}

static enum hf_status compile_machine(struct hf_node *root, bool backward,
                                      struct hf_arena *arena, struct hf_buffer *sets,
                                      struct hf_buffer *code)
{
    struct compiler c = {.arena = arena, .code = code, .sets = sets, .backward = backward};
    compile(&c, root);
    emit(&c, (struct code){.op = CODE_MATCH});
    if (code->failed || sets->failed)
        fail(&c, HF_NOMEM);
    return c.status;
}

static void write_program(unsigned flags, const struct hf_anchor *anchors,
                          size_t anchor_count, const struct hf_buffer *sets,
                          const struct hf_buffer *forward, const struct hf_buffer *backward,
                          struct hf_buffer *out)
{
    hf_buffer_u8(out, CODE_VERSION);
    hf_buffer_u8(out, (uint8_t)flags);
    hf_buffer_u16(out, (uint16_t)anchor_count);
    hf_buffer_u32(out, (uint32_t)(forward->len / CODE_SIZE));
    hf_buffer_u32(out, (uint32_t)(backward->len / CODE_SIZE));
    hf_buffer_u16(out, (uint16_t)(sets->len / 32));
    for (size_t i = 0; i < anchor_count; i++) {
        hf_buffer_u32(out, anchors[i].forward);
        hf_buffer_u32(out, anchors[i].backward);
        hf_buffer_u16(out, (uint16_t)anchors[i].bytes.len);
        hf_buffer_bytes(out, anchors[i].bytes);
    }
    hf_buffer_bytes(out, hf_buffer_view(sets));
    hf_buffer_bytes(out, hf_buffer_view(forward));
    hf_buffer_bytes(out, hf_buffer_view(backward));
}

enum hf_status hf_program_compile(struct hf_node *root, unsigned flags,
                                  struct hf_arena *arena, struct hf_buffer *out)
{
    struct hf_buffer sets = {0}, forward = {0}, backward = {0};
    struct hf_anchor anchors[HF_ANCHORS_MAX];
    forget_numbers(root);
    if ((flags & HF_PROGRAM_EVERY) != 0 || !order_counts(root))
        flags &= ~(unsigned)HF_PROGRAM_ORDERED;
    enum hf_status st = compile_machine(root, false, arena, &sets, &forward);
    if (st == HF_OK)
        st = compile_machine(root, true, arena, &sets, &backward);
    if (st == HF_OK && sets.len / 32 > UINT16_MAX)
        st = HF_LIMIT;
    if (st == HF_OK) {
        size_t count = code_choose_anchors(root, (flags & HF_PROGRAM_NOCASE) != 0, arena,
                                           anchors, HF_ANCHORS_MAX);
        flags |= count == 0 ? HF_PROGRAM_ALONE : 0u;
        write_program(flags, anchors, count, &sets, &forward, &backward, out);
        st = out->failed ? HF_NOMEM : HF_OK;
    }
    hf_buffer_done(&sets);
    hf_buffer_done(&forward);
    hf_buffer_done(&backward);
    return st;
}

/* ---- reading ---- */

uint32_t code_states(const struct code *code)
{
    if (code->op != CODE_ANY_TIMES)
        return 1;
    /* Counts 0..max; without an end counting stops at the least. */
    uint32_t most = code->c == CODE_NO_MAX ? code->b : code->c;
    return most < HF_PROGRAM_STATES_MAX ? most + 1 : HF_PROGRAM_STATES_MAX + 1;
}

/* Every instruction is known, leads inside, and the last one is a match or a jump back. */
static bool machine_is_good(struct hf_bytes machine, uint32_t count,
                            struct hf_program *program)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct code code = code_at(machine, i);
        bool last = i + 1 == count;
        if (code.op >= CODE_OPS || (last && code.op != CODE_MATCH) ||
            (code.op == CODE_SET && code.b >= program->set_count) ||
            ((code.op == CODE_SPLIT || code.op == CODE_JUMP) && code.c >= count) ||
            (code.op == CODE_ASSERT && code.a >= HF_ASSERTIONS) ||
            (code.op == CODE_ANY_TIMES && code.b > code.c))
            return false;
        total += code_states(&code);
        program->asserts |= code.op == CODE_ASSERT;
    }
    program->states = total > program->states ? (uint32_t)total : program->states;
    return count > 0 && total <= HF_PROGRAM_STATES_MAX;
}

bool hf_program_next_anchor(const struct hf_program *program, size_t *at,
                            struct hf_anchor *anchor)
{
    struct hf_cursor c = hf_cursor_open(program->anchors.data, program->anchors.len, NULL);
    hf_seek(&c, *at);
    if (hf_cursor_left(&c) == 0)
        return false;
    anchor->forward = hf_u32le(&c);
    anchor->backward = hf_u32le(&c);
    anchor->bytes = hf_take(&c, hf_u16le(&c));
    *at = c.pos;
    return !c.failed;
}

/* Skip over the anchors, checking them. */
static bool read_anchors(struct hf_cursor *c, struct hf_program *program)
{
    struct hf_cursor start = *c;
    for (size_t i = 0; i < program->anchor_count; i++) {
        uint32_t forward = hf_u32le(c), backward = hf_u32le(c);
        uint16_t length = hf_u16le(c);
        hf_skip(c, length);
        if (c->failed || length == 0 || forward >= program->forward_count ||
            backward >= program->backward_count)
            return false;
    }
    program->anchors = hf_take(&start, c->pos - start.pos);
    return true;
}

enum hf_status hf_program_open(struct hf_bytes bytes, struct hf_program *program)
{
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    *program = (struct hf_program){0};
    uint8_t version = hf_u8(&c);
    program->flags = hf_u8(&c);
    program->anchor_count = hf_u16le(&c);
    program->forward_count = hf_u32le(&c);
    program->backward_count = hf_u32le(&c);
    program->set_count = hf_u16le(&c);
    if (c.failed || version != CODE_VERSION || !read_anchors(&c, program))
        return HF_MALFORMED;
    program->sets = hf_take(&c, 32 * program->set_count);
    program->forward = hf_take(&c, (uint64_t)CODE_SIZE * program->forward_count);
    program->backward = hf_take(&c, (uint64_t)CODE_SIZE * program->backward_count);
    if (c.failed || hf_cursor_left(&c) != 0 ||
        !machine_is_good(program->forward, program->forward_count, program) ||
        !machine_is_good(program->backward, program->backward_count, program))
        return HF_MALFORMED;
    return HF_OK;
}
