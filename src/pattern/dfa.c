/* dfa.c - machines as tables, made while they run: each set of threads that occurs becomes a state,
 * each byte that it meets an edge, so that a byte costs one look-up whatever the pattern. Programs
 * with more states than there is room for go on as machine.c runs them: slower, never wrong. */
#include "pattern/run.h"

#include <stdlib.h>

enum {
    STATES_MAX = 1024,
    THREADS_MAX = 32768, /* of all states together */
    STARTS_MAX = 8,
    HASHES = 2048,
    RESETS_MAX = 4,      /* then the program is not worth it */
    BYTES_MAX = 8 << 20, /* of all tables of a scratch */
    UNKNOWN = UINT16_MAX
};

struct state {
    uint32_t first, count; /* threads */
    uint16_t same_hash;    /* the next state of its hash, + 1 */
    bool accepted;
    uint16_t edges[256];
};

struct dfa {
    uint64_t name; /* program and direction */
    struct state *states;
    struct thread *threads;
    size_t state_count, state_room, thread_count, thread_room;
    struct {
        uint32_t pc;
        uint16_t state;
    } starts[STARTS_MAX];
    unsigned start_count, resets;
    bool full;
    uint16_t hashes[HASHES]; /* state + 1 */
};

static void dfa_free(struct dfas *all, struct dfa *d)
{
    if (d == NULL)
        return;
    all->bytes -=
        sizeof *d + d->state_room * sizeof *d->states + d->thread_room * sizeof *d->threads;
    free(d->states);
    free(d->threads);
    free(d);
}

void hf_dfas_done(struct dfas *dfas)
{
    for (size_t i = 0; i < DFA_SLOTS; i++) {
        dfa_free(dfas, dfas->slots[i]);
        dfas->slots[i] = NULL;
    }
}

bool hf_dfa_takes(const struct run *run)
{
    return !run->program->asserts;
}

/* Keeps the memory. */
static void reset(struct dfa *d)
{
    memset(d->hashes, 0, sizeof d->hashes);
    d->state_count = d->thread_count = 0;
    d->start_count = 0;
    d->full = false;
    d->resets++;
}

static struct dfa *dfa_of(struct run *run)
{
    struct dfas *all = &run->scratch->dfas;
    uint64_t name = run_name(run);
    struct dfa **slot = &all->slots[(name * UINT64_C(0x9E3779B97F4A7C15)) >> 55];
    if (*slot == NULL || (*slot)->name != name) {
        if (all->bytes > BYTES_MAX)
            hf_dfas_done(all);
        dfa_free(all, *slot);
        *slot = calloc(1, sizeof **slot);
        if (*slot == NULL)
            return NULL;
        (*slot)->name = name;
        all->bytes += sizeof **slot;
    }
    struct dfa *d = *slot;
    if (d->full && d->resets < RESETS_MAX)
        reset(d);
    return d->full ? NULL : d;
}
_Static_assert(DFA_SLOTS == 1 << (64 - 55), "the hash's upper bits are a slot");

static bool grow(void *items, size_t *room, size_t first, size_t most, size_t size,
                 size_t *bytes)
{
    void **array = items;
    size_t more = *room == 0 ? first : 2 * *room;
    more = more < most ? more : most;
    if (more == *room)
        return false;
    void *grown = realloc(*array, more * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *bytes += (more - *room) * size;
    *room = more;
    return true;
}

static int compare_threads(const void *left, const void *right)
{
    const struct thread *a = left, *b = right;
    if (a->pc != b->pc)
        return a->pc < b->pc ? -1 : 1;
    return (a->count > b->count) - (a->count < b->count);
}

static uint32_t hash_of(const struct threads *t, bool accepted)
{
    uint64_t h = accepted;
    for (size_t i = 0; i < t->count; i++)
        h = (h ^ ((uint64_t)t->items[i].pc << 32 | t->items[i].count)) *
            UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(h >> 53);
}
_Static_assert(HASHES == 1 << (64 - 53), "the hash's upper bits are a place");

/* The state of the threads in the next list, a new one if need be. UNKNOWN: no room. */
static uint16_t state_of(struct run *run, struct dfa *d)
{
    struct threads *t = &run->scratch->next;
    size_t *bytes = &run->scratch->dfas.bytes;
    if (t->count > 1 && !run->ordered) /* else their order is part of the state */
        qsort(t->items, t->count, sizeof *t->items, compare_threads);
    uint16_t *chain = &d->hashes[hash_of(t, run->accepted)];
    for (uint16_t i = *chain; i != 0; i = d->states[i - 1].same_hash) {
        const struct state *s = &d->states[i - 1];
        if (s->count == t->count && s->accepted == run->accepted &&
            (t->count == 0 ||
             memcmp(d->threads + s->first, t->items, t->count * sizeof *t->items) == 0))
            return i - 1;
    }
    d->full = d->state_count == STATES_MAX || t->count > THREADS_MAX - d->thread_count;
    while (!d->full && d->state_count == d->state_room)
        d->full =
            !grow(&d->states, &d->state_room, 16, STATES_MAX, sizeof *d->states, bytes);
    while (!d->full && d->thread_room - d->thread_count < t->count)
        d->full =
            !grow(&d->threads, &d->thread_room, 64, THREADS_MAX, sizeof *d->threads, bytes);
    if (d->full)
        return UNKNOWN;
    struct state *s = &d->states[d->state_count];
    s->first = (uint32_t)d->thread_count;
    s->count = (uint32_t)t->count;
    s->accepted = run->accepted;
    s->same_hash = *chain;
    memset(s->edges, 0xFF, sizeof s->edges);
    if (t->count > 0)
        memcpy(d->threads + s->first, t->items, t->count * sizeof *t->items);
    d->thread_count += t->count;
    *chain = (uint16_t)(d->state_count + 1);
    return (uint16_t)d->state_count++;
}

static uint16_t start_of(struct run *run, struct dfa *d, uint32_t pc)
{
    struct hf_machine_scratch *s = run->scratch;
    for (unsigned i = 0; i < d->start_count; i++)
        if (d->starts[i].pc == pc)
            return d->starts[i].state;
    if (!hf_run_prepare(run))
        return UNKNOWN;
    s->next.count = s->stack.count = 0;
    run->accepted = false;
    hf_run_next_step(s);
    hf_run_reach(run, pc, 0, 0);
    uint16_t state = state_of(run, d);
    if (state != UNKNOWN && d->start_count < STARTS_MAX) {
        d->starts[d->start_count].pc = pc;
        d->starts[d->start_count++].state = state;
    }
    return state;
}

/* Put a state's threads into the next list, as if the machine had run there. */
static bool load(struct run *run, const struct dfa *d, uint16_t state)
{
    struct threads *t = &run->scratch->next;
    const struct state *s = &d->states[state];
    if (!hf_run_prepare(run))
        return false;
    t->count = s->count;
    run->scratch->stack.count = 0;
    run->accepted = s->accepted;
    if (s->count > 0)
        memcpy(t->items, d->threads + s->first, s->count * sizeof *t->items);
    return true;
}

enum hf_status hf_dfa_run(struct run *run, uint32_t pc, struct place from,
                          on_accept *accept, void *user)
{
    struct dfa *d = dfa_of(run);
    uint16_t state = d == NULL ? UNKNOWN : start_of(run, d, pc);
    if (state == UNKNOWN)
        return HF_UNSUPPORTED;
    const uint64_t unit = run->subject->wide ? 2 : 1;
    const uint64_t most =
        (run->program->flags & HF_PROGRAM_NEAR) != 0 ? HF_PROGRAM_REACH : UINT64_MAX;
    uint64_t at = from.at, looked = from.looked;
    for (uint64_t work = 1;; looked += unit, work++) {
        const struct state *s = &d->states[state];
        if (s->accepted && !accept(user, at))
            return HF_STOPPED;
        uint8_t byte;
        if (s->count == 0 || looked >= most || !run_character(run, at, &byte))
            return HF_OK;
        if (work % 256 == 0 && !hf_budget_work(run->subject->budget, 1))
            return HF_LIMIT;
        at = run->backward ? at - unit : at + unit;
        if (s->edges[byte] != UNKNOWN) {
            state = s->edges[byte];
            continue;
        }
        /* A new edge costs what the machine costs. */
        if (!hf_budget_work(run->subject->budget, s->count / 256 + 1) ||
            !load(run, d, state))
            return HF_LIMIT;
        hf_run_consume(run, byte, at);
        uint16_t next = state_of(run, d);
        if (next == UNKNOWN)
            return hf_run_on(run, (struct place){at, looked + unit}, accept, user);
        d->states[state].edges[byte] = next;
        state = next;
    }
}
