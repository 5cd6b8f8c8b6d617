/* head.c - what a match can begin with: the bytes that may stand at each of its first places, by
 * running the forward machine with sets of bytes instead of bytes. */
#include "pattern/search.h"

#include "base/auto.h"
#include "pattern/code.h"

#include <stdlib.h>

static void add_byte(uint8_t set[32], uint8_t byte)
{
    set[byte >> 3] = (uint8_t)(set[byte >> 3] | 1u << (byte & 7));
}

/* The union of several forms of a match; the shortest decides how many places are known. */
static void join(struct hf_head *head, const struct hf_head *form)
{
    head->length = form->length < head->length ? form->length : head->length;
    for (size_t k = 0; k < HF_HEAD_MAX; k++)
        for (size_t i = 0; i < 32; i++)
            head->sets[k][i] |= form->sets[k][i];
}

/* ---- programs ---- */

/* States are (instruction, bytes counted): counts past HF_HEAD_MAX cannot be reached in as many
 * steps, so they need no state of their own. */
enum { COUNTS = HF_HEAD_MAX + 1 };

struct walk {
    const struct hf_program *program;
    uint8_t *now, *next; /* by state: reached */
    uint32_t *stack;
    size_t depth;
    bool accepted;
};

static void push(struct walk *w, uint32_t pc, uint32_t count)
{
    const uint32_t state = pc * COUNTS + (count < COUNTS ? count : COUNTS - 1);
    if (w->next[state])
        return;
    w->next[state] = 1;
    w->stack[w->depth++] = state;
}

/* Everything that is reached without a byte. Assertions are taken to hold: a set may be too
 * large, never too small. */
static void reach(struct walk *w, uint32_t pc, uint32_t count)
{
    push(w, pc, count);
    while (w->depth > 0) {
        const uint32_t state = w->stack[--w->depth];
        const struct code code = code_at(w->program->forward, state / COUNTS);
        switch (code.op) {
        case CODE_MATCH: w->accepted = true; break;
        case CODE_JUMP: push(w, code.c, 0); break;
        case CODE_SPLIT:
            push(w, state / COUNTS + 1, 0);
            push(w, code.c, 0);
            break;
        case CODE_ASSERT: push(w, state / COUNTS + 1, 0); break;
        case CODE_ANY_TIMES:
            if (state % COUNTS >= code.b)
                push(w, state / COUNTS + 1, 0);
            break;
        default: break;
        }
    }
}

/* The bytes that an instruction takes; false: it takes none. */
static bool bytes_of(const struct walk *w, const struct code *code, uint32_t count,
                     uint8_t set[32])
{
    switch (code->op) {
    case CODE_SET:
        memcpy(set, w->program->sets.data + (size_t)32 * code->b, 32);
        return true;
    case CODE_BYTE:
        memset(set, 0, 32);
        for (unsigned b = 0; b < 256; b++)
            if (((b & (unsigned)(code->b >> 8)) == code->a) != ((code->b & 1) != 0))
                add_byte(set, (uint8_t)b);
        return true;
    case CODE_ANY_TIMES:
        memset(set, 0xff, 32);
        return code->c == CODE_NO_MAX || count < code->c;
    default: return false;
    }
}

/* One place further: the bytes of all states, and where they lead. */
static void step(struct walk *w, uint8_t set[32])
{
    uint8_t *reached = w->next;
    const size_t states = (size_t)w->program->forward_count * COUNTS;
    w->next = w->now;
    w->now = reached;
    memset(w->next, 0, states);
    w->accepted = false;
    for (uint32_t state = 0; state < states; state++) {
        uint8_t own[32];
        if (!w->now[state])
            continue;
        const uint32_t pc = state / COUNTS, count = state % COUNTS;
        const struct code code = code_at(w->program->forward, pc);
        if (!bytes_of(w, &code, count, own))
            continue;
        for (size_t i = 0; i < 32; i++)
            set[i] |= own[i];
        if (code.op == CODE_ANY_TIMES)
            reach(w, pc, count + 1);
        else
            reach(w, pc + 1, 0);
    }
}

/* As written, one byte a character. */
static enum hf_status program_head(const struct hf_program *program, struct hf_head *head)
{
    const size_t states = (size_t)program->forward_count * COUNTS;
    struct walk w = {.program = program,
                     .now = calloc(states, 1),
                     .next = calloc(states, 1),
                     .stack = calloc(2 * states + 2, sizeof *w.stack)};
    *head = (struct hf_head){0};
    const bool room = w.now != NULL && w.next != NULL && w.stack != NULL;
    if (room) {
        reach(&w, 0, 0);
        while (head->length < HF_HEAD_MAX && !w.accepted)
            step(&w, head->sets[head->length++]);
    }
    free(w.now);
    free(w.next);
    free(w.stack);
    return room ? HF_OK : HF_NOMEM;
}

static struct hf_head widened(const struct hf_head *head)
{
    struct hf_head wide = {.length = 2 * head->length};
    wide.length = wide.length < HF_HEAD_MAX ? wide.length : HF_HEAD_MAX;
    for (size_t k = 0; k < wide.length; k++) {
        if (k % 2 == 0)
            memcpy(wide.sets[k], head->sets[k / 2], 32);
        else
            add_byte(wide.sets[k], 0);
    }
    return wide;
}

static enum hf_status head_of_program(const struct hf_pattern *pattern,
                                      struct hf_head *head)
{
    struct hf_program program;
    struct hf_head form;
    if (hf_program_open(pattern->text, &program) != HF_OK)
        return HF_MALFORMED;
    enum hf_status st = program_head(&program, &form);
    const bool wide = (pattern->flags & HF_PATTERN_WIDE) != 0;
    if (!wide || (pattern->flags & HF_PATTERN_ASCII) != 0)
        join(head, &form);
    form = widened(&form);
    if (wide)
        join(head, &form);
    return st;
}

/* ---- literals ---- */

static bool on_form(void *user, const struct hf_needle *needle)
{
    struct hf_head form = {.length = needle->bytes.len};
    form.length = form.length < HF_HEAD_MAX ? form.length : HF_HEAD_MAX;
    for (size_t k = 0; k < form.length; k++) {
        const uint8_t b = needle->bytes.data[k], letter = b | 0x20;
        add_byte(form.sets[k], b);
        if (needle->nocase && letter >= 'a' && letter <= 'z')
            add_byte(form.sets[k], b ^ 0x20);
    }
    join(user, &form);
    return true;
}

enum hf_status hf_pattern_head(const struct hf_pattern *pattern, struct hf_head *head)
{
    *head = (struct hf_head){.length = HF_HEAD_MAX};
    enum hf_status st = pattern->kind == HF_PATTERN_LITERAL
                            ? hf_pattern_needles(pattern, on_form, head)
                            : head_of_program(pattern, head);
    for (size_t k = head->length; k < HF_HEAD_MAX; k++)
        memset(head->sets[k], 0xff, 32);
    return st;
}
