/* run.h - one run of a machine over bytes, between machine.c and dfa.c. */
#ifndef HF_PATTERN_RUN_H
#define HF_PATTERN_RUN_H

#include "pattern/code.h"

/* A thread: an instruction, and how many bytes it has counted. */
struct thread {
    uint32_t pc, count;
};

struct threads {
    struct thread *items;
    size_t count;
};

/* Tables of programs that run often (dfa.c). */
struct dfa;
enum { DFA_SLOTS = 512 };
struct dfas {
    struct dfa *slots[DFA_SLOTS]; /* by hash of their name; owned */
    size_t bytes;
};
void hf_dfas_done(struct dfas *dfas);

struct hf_machine_scratch {
    struct threads now, next, stack;
    uint64_t *ends; /* of EVERY programs */
    size_t end_count, end_room;
    uint32_t *seen; /* by state: the step in which it was last reached */
    /* By instruction: its first state; of a machine that reads forward and one that reads
     * backward, for runs alternate. */
    struct bases {
        uint32_t *items;
        size_t room;
        uint64_t name; /* program and direction; 0: of one without a name */
    } bases[2];
    const uint32_t *base_of; /* those of the run at hand */
    size_t state_room;
    uint32_t step;
    struct dfas dfas;
};

struct run {
    const struct hf_program *program;
    struct hf_bytes machine;
    const struct hf_subject *subject;
    struct hf_machine_scratch *scratch;
    bool backward;
    bool accepted; /* in the step at hand */
    /* Threads stand in the order of preference, and those behind an accepted one are dropped: the
     * last accepted end is the one that counts. */
    bool ordered;
};

/* A position, and how many bytes were looked at to get there. */
struct place {
    uint64_t at, looked;
};

/* Called at each position where the machine accepts. False ends the run. */
typedef bool on_accept(void *user, uint64_t at);

/* What tables of a program and direction are kept under; 0: they are not kept. */
static inline uint64_t run_name(const struct run *run)
{
    return run->program->id == 0 ? 0
                                 : run->program->id * 4 + 2u * run->ordered + run->backward;
}

/* Room for the machine in the scratch memory, and its state numbers. False: out of memory. */
bool hf_run_prepare(struct run *run);
void hf_run_next_step(struct hf_machine_scratch *s);

/* Put a thread, and all that it reaches without consuming, into the next list. */
void hf_run_reach(struct run *run, uint32_t pc, uint32_t count, uint64_t at);

/* Move all threads of the next list over one character: a new next list. */
void hf_run_consume(struct run *run, uint8_t byte, uint64_t at);

/* Go on with the threads in the next list. HF_OK; HF_LIMIT; HF_STOPPED. */
enum hf_status hf_run_on(struct run *run, struct place from, on_accept *accept, void *user);

/* Whether a program can run by tables: it asserts nothing about its surroundings. */
bool hf_dfa_takes(const struct run *run);

/* Run by tables from an instruction. As hf_run_on; HF_UNSUPPORTED: this one has too many states,
 * nothing was done. */
enum hf_status hf_dfa_run(struct run *run, uint32_t pc, struct place from,
                          on_accept *accept, void *user);

/* The character at a position, in the direction of the run. False: there is none. */
static inline bool run_character(const struct run *run, uint64_t at, uint8_t *byte)
{
    const struct hf_bytes d = run->subject->data;
    const uint64_t unit = run->subject->wide ? 2 : 1;
    if (run->backward ? at < unit : d.len - at < unit)
        return false;
    const uint64_t low = run->backward ? at - unit : at;
    *byte = d.data[low];
    return unit == 1 || d.data[low + 1] == 0;
}

#endif
