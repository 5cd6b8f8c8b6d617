/* machine.c - runs a machine over bytes: all threads at once, one step a character, each state at
 * most once a step. So the time is at most bytes times states, and patterns that make
 * backtracking engines explode are ordinary here. */
#include "pattern/run.h"

#include <stdlib.h>

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
    free(scratch->bases[0].items);
    free(scratch->bases[1].items);
    hf_dfas_done(&scratch->dfas);
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
static bool make_room(struct hf_machine_scratch *s, size_t states, struct bases *b,
                      size_t code)
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
    if (code > b->room) {
        if (!grow(&b->items, code, sizeof *b->items))
            return false;
        b->room = code;
    }
    return true;
}

bool hf_run_prepare(struct run *run)
{
    struct hf_machine_scratch *s = run->scratch;
    struct bases *b = &s->bases[run->backward];
    size_t count = run->machine.len / CODE_SIZE;
    if (!make_room(s, run->program->states, b, count))
        return false;
    s->base_of = b->items;
    if (b->name != 0 && b->name == run_name(run))
        return true;
    uint32_t base = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct code code = code_at(run->machine, i);
        b->items[i] = base;
        base += code_states(&code);
    }
    b->name = run_name(run);
    return true;
}

void hf_run_next_step(struct hf_machine_scratch *s)
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

/* Marks a thread on the stack that only waits for its turn to stay where it is. Machines have fewer
 * instructions. */
#define STAY (UINT32_C(1) << 31)
_Static_assert(HF_PROGRAM_STATES_MAX < STAY, "the mark is no part of a number");

static bool is_new(const struct hf_machine_scratch *s, uint32_t pc, uint32_t count)
{
    return s->seen[s->base_of[pc] + count] != s->step;
}

/* A state is marked as seen when its turn comes, not here: a preferred way to it may be found before
 * that. So each state pushes two at most, once. */
static void push(struct hf_machine_scratch *s, uint32_t pc, uint32_t count)
{
    if (is_new(s, pc, count))
        s->stack.items[s->stack.count++] = (struct thread){pc, count};
}

/* A gap: one more byte, or on behind it. The stack holds what is less preferred than all that
 * is reached from here, so a lazy gap that is left first is taken up again behind that. */
static void reach_gap(struct run *run, struct thread t, const struct code *code)
{
    struct hf_machine_scratch *s = run->scratch;
    const bool more = code->c == CODE_NO_MAX || t.count < code->c;
    const bool lazy = run->ordered && code->a != 0 && t.count >= code->b;
    if (more && lazy)
        s->stack.items[s->stack.count++] = (struct thread){t.pc | STAY, t.count};
    if (more && !lazy)
        s->next.items[s->next.count++] = t;
    if (t.count >= code->b)
        push(s, t.pc + 1, 0);
}

void hf_run_reach(struct run *run, uint32_t pc, uint32_t count, uint64_t at)
{
    struct hf_machine_scratch *s = run->scratch;
    push(s, pc, count);
    while (s->stack.count > 0) {
        struct thread t = s->stack.items[--s->stack.count];
        if ((t.pc & STAY) != 0) {
            t.pc &= ~STAY;
            s->next.items[s->next.count++] = t;
            continue;
        }
        if (!is_new(s, t.pc, t.count))
            continue;
        s->seen[s->base_of[t.pc] + t.count] = s->step;
        struct code code = code_at(run->machine, t.pc);
        switch (code.op) {
        case CODE_MATCH:
            run->accepted = true;
            if (run->ordered)
                s->stack.count = 0;
            break;
        case CODE_JUMP: push(s, code.c, 0); break;
        case CODE_SPLIT: /* what is pushed last is looked at first */
            push(s, code.a ? t.pc + 1 : code.c, 0);
            push(s, code.a ? code.c : t.pc + 1, 0);
            break;
        case CODE_ASSERT:
            if (holds(run, code.a, at))
                push(s, t.pc + 1, 0);
            break;
        case CODE_ANY_TIMES: reach_gap(run, t, &code); break;
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

void hf_run_consume(struct run *run, uint8_t byte, uint64_t at)
{
    struct hf_machine_scratch *s = run->scratch;
    struct threads now = s->next;
    s->next = s->now;
    s->next.count = 0;
    s->now = now;
    run->accepted = false;
    hf_run_next_step(s);
    for (size_t i = 0; i < now.count && !(run->ordered && run->accepted); i++) {
        struct thread t = now.items[i];
        struct code code = code_at(run->machine, t.pc);
        if (code.op == CODE_ANY_TIMES) {
            uint32_t most = code.c == CODE_NO_MAX ? code.b : code.c;
            hf_run_reach(run, t.pc, t.count < most ? t.count + 1 : most, at);
        } else if (takes(run, &code, byte)) {
            hf_run_reach(run, t.pc + 1, 0, at);
        }
    }
}

/* Steps of threads that are charged as one unit: about a microsecond. */
enum { STEPS_PER_UNIT = 16 };

enum hf_status hf_run_on(struct run *run, struct place from, on_accept *accept, void *user)
{
    struct hf_machine_scratch *s = run->scratch;
    uint64_t unit = run->subject->wide ? 2 : 1, at = from.at;
    uint64_t most =
        (run->program->flags & HF_PROGRAM_NEAR) != 0 ? HF_PROGRAM_REACH : UINT64_MAX;
    uint64_t work = 0;
    for (uint64_t looked = from.looked;; looked += unit) {
        if (run->accepted && !accept(user, at))
            return HF_STOPPED;
        uint8_t byte;
        if (s->next.count == 0 || looked >= most || !run_character(run, at, &byte))
            break;
        work += s->next.count + 1;
        if (work >= STEPS_PER_UNIT &&
            !hf_budget_work(run->subject->budget, work / STEPS_PER_UNIT))
            return HF_LIMIT;
        work %= STEPS_PER_UNIT;
        at = run->backward ? at - unit : at + unit;
        hf_run_consume(run, byte, at);
    }
    return HF_OK;
}

/* Run from an instruction at a position. HF_OK; HF_LIMIT; HF_STOPPED. */
static enum hf_status run_from(struct run *run, uint32_t pc, struct place from,
                               on_accept *accept, void *user)
{
    struct hf_machine_scratch *s = run->scratch;
    if (run->program->id != 0 && hf_dfa_takes(run)) {
        enum hf_status st = hf_dfa_run(run, pc, from, accept, user);
        if (st != HF_UNSUPPORTED)
            return st;
    }
    if (!hf_run_prepare(run))
        return HF_LIMIT;
    s->next.count = s->stack.count = 0;
    run->accepted = false;
    hf_run_next_step(s);
    hf_run_reach(run, pc, 0, from.at);
    return hf_run_on(run, from, accept, user);
}

/* ---- without a machine ---- */

/* Whether the straight part fits at a position; *at is moved behind it. */
static bool straight_fits(const struct run *run, const struct hf_straight *s, uint64_t *at,
                          uint64_t *looked)
{
    const uint64_t unit = run->subject->wide ? 2 : 1;
    for (uint32_t i = 0; i < s->count; i++) {
        struct code code = code_at(run->machine, s->first + i);
        if (code.op == CODE_ASSERT) {
            if (!holds(run, code.a, *at))
                return false;
            continue;
        }
        uint32_t times = code.op == CODE_ANY_TIMES ? code.c : 1;
        if (unit == 1 && code.op == CODE_ANY_TIMES) {
            uint64_t room = run->backward ? *at : run->subject->data.len - *at;
            if (room < times)
                return false;
            *at = run->backward ? *at - times : *at + times;
            *looked += times;
            continue;
        }
        for (uint32_t n = 0; n < times; n++) {
            uint8_t byte;
            if (!run_character(run, *at, &byte) ||
                (code.op != CODE_ANY_TIMES && !takes(run, &code, byte)))
                return false;
            *at = run->backward ? *at - unit : *at + unit;
            *looked += unit;
        }
    }
    return (run->program->flags & HF_PROGRAM_NEAR) == 0 || *looked <= HF_PROGRAM_REACH;
}

/* Gaps longer than this are left to the machine, which charges the budget for them. */
enum { STRAIGHT_GAP_MAX = 4096 };

/* The straight part from an instruction on. */
static struct hf_straight straight_from(struct hf_bytes machine, uint32_t first)
{
    struct hf_straight s = {.first = first, .next = first};
    const uint32_t count = (uint32_t)(machine.len / CODE_SIZE);
    uint64_t gaps = 0;
    for (; s.next < count; s.next++) {
        struct code code = code_at(machine, s.next);
        bool fixed = code.op == CODE_ANY_TIMES && code.b == code.c;
        gaps += fixed ? code.c : 0;
        if ((code.op != CODE_BYTE && code.op != CODE_SET && code.op != CODE_ASSERT &&
             !fixed) ||
            gaps > STRAIGHT_GAP_MAX) {
            s.complete = code.op == CODE_MATCH;
            break;
        }
        s.count++;
    }
    return s;
}

struct hf_plan hf_program_plan(const struct hf_program *program,
                               const struct hf_anchor *anchor)
{
    uint32_t length = (uint32_t)anchor->bytes.len;
    if (anchor->forward >= program->forward_count ||
        length > program->forward_count - anchor->forward)
        length = 0; /* a damaged program: the machine says what it means */
    return (struct hf_plan){
        .anchor_length = length,
        .forward = straight_from(program->forward, anchor->forward + length),
        .backward = straight_from(program->backward, anchor->backward),
    };
}

/* ---- what is asked ---- */

struct end {
    bool found, first; /* first: the first is the one */
    uint64_t at;
};

static bool on_end(void *user, uint64_t at)
{
    struct end *end = user;
    end->found = true;
    end->at = at;
    return !end->first; /* the first is the shortest, the last the longest, or the preferred */
}

/* Whether the first end that a machine comes to is the one that counts. */
static bool takes_first_end(const struct hf_program *program)
{
    return (program->flags & (HF_PROGRAM_LAZY | HF_PROGRAM_ORDERED)) == HF_PROGRAM_LAZY;
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
    bool limit, stopped;
};

static bool on_start(void *user, uint64_t at)
{
    struct starts *starts = user;
    if (starts->end_count > 1 && !hf_budget_work(starts->budget, 1)) {
        starts->limit = true;
        return false;
    }
    for (size_t i = 0; i < starts->end_count; i++)
        if (!starts->on_match(starts->user, at, starts->ends[i] - at)) {
            starts->stopped = true;
            return false;
        }
    return true;
}

/* The ends that count: one, or every one. */
static enum hf_status find_ends(struct run *run, const struct hf_straight *straight,
                                struct place from, struct end *end, struct starts *starts)
{
    const struct hf_program *program = run->program;
    enum hf_status st = HF_OK;
    run->machine = program->forward;
    run->backward = false;
    if (straight->complete) {
        end->at = from.at;
        starts->ends = &end->at;
        starts->end_count = 1;
    } else if ((program->flags & HF_PROGRAM_EVERY) == 0) {
        *end = (struct end){.first = takes_first_end(program)};
        run->ordered = (program->flags & HF_PROGRAM_ORDERED) != 0;
        st = run_from(run, straight->next, from, on_end, end);
        run->ordered = false;
        st = st == HF_STOPPED ? HF_OK : st;
        starts->ends = &end->at;
        starts->end_count = end->found ? 1 : 0;
    } else {
        run->scratch->end_count = 0;
        st = run_from(run, straight->next, from, on_every_end, run->scratch);
        starts->ends = run->scratch->ends;
        starts->end_count = run->scratch->end_count;
        st = st == HF_STOPPED ? HF_LIMIT : st; /* no memory for more */
    }
    return st;
}

/* Of a program in which order counts an anchor tells the starts only: which way to match comes first
 * from there, the anchor's or another, is seen from the start. Runs use the scratch memory, so
 * the starts are kept until the one backward has ended. */
static enum hf_status find_ordered(struct run *run, const struct hf_straight *straight,
                                   struct place from, struct starts *starts)
{
    struct hf_machine_scratch *s = run->scratch;
    enum hf_status st = HF_OK;
    s->end_count = 0;
    if (!straight->complete)
        st = run_from(run, straight->next, from, on_every_end, s);
    else if (!on_every_end(s, from.at))
        st = HF_STOPPED;
    if (st != HF_OK)
        return HF_LIMIT; /* no work or no memory for more */
    for (size_t i = 0; i < s->end_count; i++) {
        uint64_t length;
        if (!hf_budget_work(run->subject->budget, 1))
            return HF_LIMIT;
        st = hf_program_match_at(run->program, run->subject, s->ends[i], s, &length);
        if (st == HF_OK && !starts->on_match(starts->user, s->ends[i], length))
            return HF_STOPPED;
        if (st != HF_OK && st != HF_NOTFOUND)
            return st;
    }
    return HF_OK;
}

static enum hf_status find_starts(struct run *run, const struct hf_straight *straight,
                                  struct place from, struct starts *starts)
{
    run->machine = run->program->backward;
    run->backward = true;
    enum hf_status st = HF_OK;
    if ((run->program->flags & HF_PROGRAM_ORDERED) != 0)
        return find_ordered(run, straight, from, starts);
    if (straight->complete)
        (void)on_start(starts, from.at);
    else
        st = run_from(run, straight->next, from, on_start, starts);
    return starts->limit ? HF_LIMIT : starts->stopped ? HF_STOPPED : st;
}

enum hf_status hf_program_verify_planned(const struct hf_program *program,
                                         const struct hf_plan *plan,
                                         const struct hf_subject *subject, uint64_t offset,
                                         struct hf_machine_scratch *scratch,
                                         hf_on_match *on_match, void *user)
{
    const uint64_t length = (uint64_t)plan->anchor_length * (subject->wide ? 2 : 1);
    if (offset > subject->data.len || length > subject->data.len - offset)
        return HF_OK;
    struct run run = {.program = program,
                      .machine = program->forward,
                      .subject = subject,
                      .scratch = scratch};
    struct place behind = {offset + length, length}, before = {offset, 0};
    if (!straight_fits(&run, &plan->forward, &behind.at, &behind.looked))
        return HF_OK;
    run.machine = program->backward;
    run.backward = true;
    if (!straight_fits(&run, &plan->backward, &before.at, &before.looked))
        return HF_OK;
    struct starts starts = {.on_match = on_match, .user = user, .budget = subject->budget};
    struct end end;
    enum hf_status st = find_ends(&run, &plan->forward, behind, &end, &starts);
    if (st != HF_OK || starts.end_count == 0)
        return st;
    return find_starts(&run, &plan->backward, before, &starts);
}

enum hf_status hf_program_verify(const struct hf_program *program,
                                 const struct hf_anchor *anchor,
                                 const struct hf_subject *subject, uint64_t offset,
                                 struct hf_machine_scratch *scratch, hf_on_match *on_match,
                                 void *user)
{
    if (anchor->forward >= program->forward_count ||
        anchor->backward >= program->backward_count)
        return HF_OK;
    struct hf_plan plan = hf_program_plan(program, anchor);
    return hf_program_verify_planned(program, &plan, subject, offset, scratch, on_match,
                                     user);
}

enum hf_status hf_program_matches_at(const struct hf_program *program,
                                     const struct hf_subject *subject, uint64_t offset,
                                     struct hf_machine_scratch *scratch,
                                     hf_on_match *on_match, void *user)
{
    if (offset > subject->data.len)
        return HF_OK;
    struct run run = {.program = program,
                      .machine = program->forward,
                      .subject = subject,
                      .scratch = scratch};
    const struct hf_straight straight = straight_from(program->forward, 0);
    struct place from = {offset, 0};
    if (!straight_fits(&run, &straight, &from.at, &from.looked))
        return HF_OK;
    struct starts starts = {.on_match = on_match, .user = user, .budget = subject->budget};
    struct end end;
    enum hf_status st = find_ends(&run, &straight, from, &end, &starts);
    if (st == HF_OK && starts.end_count > 0 && !on_start(&starts, offset))
        return starts.limit ? HF_LIMIT : HF_STOPPED;
    return st;
}

enum hf_status hf_program_match_at(const struct hf_program *program,
                                   const struct hf_subject *subject, uint64_t offset,
                                   struct hf_machine_scratch *scratch, uint64_t *length)
{
    if (offset > subject->data.len)
        return HF_NOTFOUND;
    struct run run = {.program = program,
                      .machine = program->forward,
                      .subject = subject,
                      .scratch = scratch};
    struct end end = {.first = takes_first_end(program)};
    run.ordered = (program->flags & HF_PROGRAM_ORDERED) != 0;
    enum hf_status st = run_from(&run, 0, (struct place){offset, 0}, on_end, &end);
    if (st != HF_OK && st != HF_STOPPED)
        return st;
    *length = end.found ? end.at - offset : 0;
    return end.found ? HF_OK : HF_NOTFOUND;
}
