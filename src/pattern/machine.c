/* machine.c - runs a machine over bytes: all threads at once, one step a character, each state at
 * most once a step. So the time is at most bytes times states, and patterns that make
 * backtracking engines explode are ordinary here. */
#include "pattern/code.h"

#include <stdlib.h>

/* A thread: an instruction, and how many bytes it has counted. */
struct thread {
    uint32_t pc, count;
};

struct threads {
    struct thread *items;
    size_t count;
};

struct hf_machine_scratch {
    struct threads now, next, stack;
    uint64_t *ends; /* of EVERY programs */
    size_t end_count, end_room;
    uint32_t *seen;  /* by state: the step in which it was last reached */
    uint32_t *bases; /* by instruction: its first state */
    size_t state_room, code_room;
    const uint8_t *bases_of; /* machine that bases belong to */
    size_t bases_len;
    uint32_t step;
};

struct hf_machine_scratch *hf_machine_scratch_new(void)
{
    return calloc(1, sizeof(struct hf_machine_scratch));
}

void hf_machine_scratch_free(struct hf_machine_scratch *scratch)
{
    if (scratch == NULL)
        return;
    free(scratch->now.items);
    free(scratch->next.items);
    free(scratch->stack.items);
    free(scratch->ends);
    free(scratch->seen);
    free(scratch->bases);
    free(scratch);
}

void hf_machine_scratch_release(struct hf_machine_scratch **scratch)
{
    hf_machine_scratch_free(*scratch);
    *scratch = NULL;
}

static bool grow(void *items, size_t count, size_t size)
{
    void **array = items;
    void *more = realloc(*array, count * size);
    if (more == NULL)
        return false;
    *array = more;
    return true;
}

/* Room for any program of that many states and instructions. */
static bool make_room(struct hf_machine_scratch *s, size_t states, size_t code)
{
    if (states > s->state_room) {
        /* A state may be pushed twice on the stack before it is looked at: by two splits. */
        if (!grow(&s->now.items, states, sizeof(struct thread)) ||
            !grow(&s->next.items, states, sizeof(struct thread)) ||
            !grow(&s->stack.items, 2 * states + 2, sizeof(struct thread)) ||
            !grow(&s->seen, states, sizeof *s->seen))
            return false;
        memset(s->seen, 0, states * sizeof *s->seen);
        s->step = 0;
        s->state_room = states;
    }
    if (code > s->code_room) {
        if (!grow(&s->bases, code, sizeof *s->bases))
            return false;
        s->code_room = code;
        s->bases_of = NULL;
    }
    return true;
}

struct run {
    const struct hf_program *program;
    struct hf_bytes machine;
    const struct hf_subject *subject;
    struct hf_machine_scratch *scratch;
    bool backward;
    bool accepted; /* in the step at hand */
};

static bool prepare(struct run *run)
{
    struct hf_machine_scratch *s = run->scratch;
    size_t count = run->machine.len / CODE_SIZE;
    if (!make_room(s, run->program->states, count))
        return false;
    if (s->bases_of == run->machine.data && s->bases_len == run->machine.len)
        return true;
    uint32_t base = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct code code = code_at(run->machine, i);
        s->bases[i] = base;
        base += code_states(&code);
    }
    s->bases_of = run->machine.data;
    s->bases_len = run->machine.len;
    return true;
}

static void next_step(struct hf_machine_scratch *s)
{
    if (++s->step == 0) { /* wrapped: old marks would look new */
        memset(s->seen, 0, s->state_room * sizeof *s->seen);
        s->step = 1;
    }
}

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

static bool holds(const struct run *run, uint8_t assertion, uint64_t at)
{
    struct hf_bytes d = run->subject->data;
    uint64_t unit = run->subject->wide ? 2 : 1;
    bool before = at >= unit && is_word(d.data[at - unit]);
    bool behind = at < d.len && is_word(d.data[at]);
    switch (assertion) {
    case HF_ASSERT_START: return at == 0;
    case HF_ASSERT_END: return at == d.len;
    case HF_ASSERT_WORD: return before != behind;
    case HF_ASSERT_NOT_WORD: return before == behind;
    default: return hf_assertion_holds((enum hf_assertion)assertion, d, at);
    }
}

static void push(struct hf_machine_scratch *s, uint32_t pc, uint32_t count)
{
    uint32_t state = s->bases[pc] + count;
    if (s->seen[state] == s->step)
        return;
    s->seen[state] = s->step;
    s->stack.items[s->stack.count++] = (struct thread){pc, count};
}

/* Put a thread, and all that it reaches without consuming, into the next list. */
static void reach(struct run *run, uint32_t pc, uint32_t count, uint64_t at)
{
    struct hf_machine_scratch *s = run->scratch;
    push(s, pc, count);
    while (s->stack.count > 0) {
        struct thread t = s->stack.items[--s->stack.count];
        struct code code = code_at(run->machine, t.pc);
        switch (code.op) {
        case CODE_MATCH: run->accepted = true; break;
        case CODE_JUMP: push(s, code.c, 0); break;
        case CODE_SPLIT:
            push(s, t.pc + 1, 0);
            push(s, code.c, 0);
            break;
        case CODE_ASSERT:
            if (holds(run, code.a, at))
                push(s, t.pc + 1, 0);
            break;
        case CODE_ANY_TIMES:
            if (t.count >= code.b)
                push(s, t.pc + 1, 0);
            if (code.c == CODE_NO_MAX || t.count < code.c)
                s->next.items[s->next.count++] = t;
            break;
        default: s->next.items[s->next.count++] = t; break;
        }
    }
}

static bool takes(const struct run *run, const struct code *code, uint8_t byte)
{
    if (code->op == CODE_SET)
        return (run->program->sets.data[32u * code->b + (byte >> 3)] >> (byte & 7) & 1) !=
               0;
    return ((byte & (code->b >> 8)) == code->a) != ((code->b & 1) != 0);
}

/* Move all threads over one character. */
static void consume(struct run *run, uint8_t byte, uint64_t at)
{
    struct hf_machine_scratch *s = run->scratch;
    struct threads now = s->next;
    s->next = s->now;
    s->next.count = 0;
    s->now = now;
    run->accepted = false;
    next_step(s);
    for (size_t i = 0; i < now.count; i++) {
        struct thread t = now.items[i];
        struct code code = code_at(run->machine, t.pc);
        if (code.op == CODE_ANY_TIMES) {
            uint32_t most = code.c == CODE_NO_MAX ? code.b : code.c;
            reach(run, t.pc, t.count < most ? t.count + 1 : most, at);
        } else if (takes(run, &code, byte)) {
            reach(run, t.pc + 1, 0, at);
        }
    }
}

/* The character at a position, in the direction of the run. False: there is none. */
static bool character(const struct run *run, uint64_t at, uint8_t *byte)
{
    struct hf_bytes d = run->subject->data;
    uint64_t unit = run->subject->wide ? 2 : 1;
    if (run->backward ? at < unit : d.len - at < unit)
        return false;
    uint64_t low = run->backward ? at - unit : at;
    *byte = d.data[low];
    return unit == 1 || d.data[low + 1] == 0;
}

/* Called at each position where the machine accepts. False ends the run. */
typedef bool on_accept(void *user, uint64_t at);

/* Run from an instruction at a position. HF_OK; HF_LIMIT; HF_STOPPED. */
static enum hf_status run_from(struct run *run, uint32_t pc, uint64_t at, on_accept *accept,
                               void *user)
{
    struct hf_machine_scratch *s = run->scratch;
    if (!prepare(run))
        return HF_LIMIT;
    uint64_t unit = run->subject->wide ? 2 : 1;
    uint64_t most =
        (run->program->flags & HF_PROGRAM_NEAR) != 0 ? HF_PROGRAM_REACH : UINT64_MAX;
    uint64_t work = 0;
    s->next.count = s->stack.count = 0;
    run->accepted = false;
    next_step(s);
    reach(run, pc, 0, at);
    for (uint64_t looked = 0;; looked += unit) {
        if (run->accepted && !accept(user, at))
            return HF_STOPPED;
        uint8_t byte;
        if (s->next.count == 0 || looked >= most || !character(run, at, &byte))
            break;
        work += s->next.count + 1;
        if (work >= 256 && !hf_budget_work(run->subject->budget, work / 256))
            return HF_LIMIT;
        work %= 256;
        at = run->backward ? at - unit : at + unit;
        consume(run, byte, at);
    }
    return HF_OK;
}

/* ---- what is asked ---- */

struct end {
    bool found, lazy;
    uint64_t at;
};

static bool on_end(void *user, uint64_t at)
{
    struct end *end = user;
    end->found = true;
    end->at = at;
    return !end->lazy; /* the first is the shortest, the last the longest */
}

static enum hf_status find_end(const struct hf_program *program, uint32_t pc,
                               const struct hf_subject *subject, uint64_t offset,
                               struct hf_machine_scratch *scratch, struct end *end)
{
    struct run run = {.program = program,
                      .machine = program->forward,
                      .subject = subject,
                      .scratch = scratch};
    *end = (struct end){.lazy = (program->flags & HF_PROGRAM_LAZY) != 0};
    enum hf_status st = run_from(&run, pc, offset, on_end, end);
    return st == HF_STOPPED ? HF_OK : st;
}

/* All ends of a run, kept in the scratch memory. */
static bool on_every_end(void *user, uint64_t at)
{
    struct hf_machine_scratch *s = user;
    if (s->end_count == s->end_room) {
        size_t room = s->end_room == 0 ? 64 : 2 * s->end_room;
        if (!grow(&s->ends, room, sizeof *s->ends))
            return false;
        s->end_room = room;
    }
    s->ends[s->end_count++] = at;
    return true;
}

struct starts {
    const uint64_t *ends;
    size_t end_count;
    hf_on_match *on_match;
    void *user;
    struct hf_budget *budget;
    bool limit;
};

static bool on_start(void *user, uint64_t at)
{
    struct starts *starts = user;
    if (starts->end_count > 1 && !hf_budget_work(starts->budget, 1)) {
        starts->limit = true;
        return false;
    }
    for (size_t i = 0; i < starts->end_count; i++)
        if (!starts->on_match(starts->user, at, starts->ends[i] - at))
            return false;
    return true;
}

/* The ends that count: one, or every one. */
static enum hf_status find_ends(struct run *run, const struct hf_anchor *anchor,
                                uint64_t offset, struct end *end, struct starts *starts)
{
    const struct hf_program *program = run->program;
    if ((program->flags & HF_PROGRAM_EVERY) == 0) {
        enum hf_status st =
            find_end(program, anchor->forward, run->subject, offset, run->scratch, end);
        starts->ends = &end->at;
        starts->end_count = end->found ? 1 : 0;
        return st;
    }
    run->machine = program->forward;
    run->scratch->end_count = 0;
    enum hf_status st = run_from(run, anchor->forward, offset, on_every_end, run->scratch);
    starts->ends = run->scratch->ends;
    starts->end_count = run->scratch->end_count;
    return st == HF_STOPPED ? HF_LIMIT : st; /* no memory for more */
}

enum hf_status hf_program_verify(const struct hf_program *program,
                                 const struct hf_anchor *anchor,
                                 const struct hf_subject *subject, uint64_t offset,
                                 struct hf_machine_scratch *scratch, hf_on_match *on_match,
                                 void *user)
{
    if (offset > subject->data.len || anchor->forward >= program->forward_count ||
        anchor->backward >= program->backward_count)
        return HF_OK;
    struct run run = {.program = program, .subject = subject, .scratch = scratch};
    struct starts starts = {.on_match = on_match, .user = user, .budget = subject->budget};
    struct end end;
    enum hf_status st = find_ends(&run, anchor, offset, &end, &starts);
    if (st != HF_OK || starts.end_count == 0)
        return st;
    run.machine = program->backward;
    run.backward = true;
    st = run_from(&run, anchor->backward, offset, on_start, &starts);
    return starts.limit ? HF_LIMIT : st;
}

enum hf_status hf_program_match_at(const struct hf_program *program,
                                   const struct hf_subject *subject, uint64_t offset,
                                   struct hf_machine_scratch *scratch, uint64_t *length)
{
    struct end end;
    if (offset > subject->data.len)
        return HF_NOTFOUND;
    enum hf_status st = find_end(program, 0, subject, offset, scratch, &end);
    if (st != HF_OK)
        return st;
    *length = end.found ? end.at - offset : 0;
    return end.found ? HF_OK : HF_NOTFOUND;
}
