/* machine_internal.h - the running condition machine, between its files. */
#ifndef HF_RULES_MACHINE_INTERNAL_H
#define HF_RULES_MACHINE_INTERNAL_H

#include "pattern/program.h"
#include "rules/machine_ops.h"

/* A value, and for what facts yield the row that describes it. */
struct hf_slot {
    struct hf_value value;
    union {
        const struct hf_fact_field *field;   /* ARRAY, DICT, FUNCTION */
        const struct hf_fact_record *record; /* STRUCT */
    };
};

/* A regular expression on the stack. */
struct hf_machine_regex {
    struct hf_fact_regex fact;
    struct hf_program program;
    struct hf_machine *machine;
};

struct hf_machine {
    struct hf_machine_input *input;
    struct hf_cursor code;
    struct hf_slot stack[HF_MACHINE_STACK];
    struct hf_slot variables[HF_MACHINE_VARIABLES];
    unsigned depth;
    size_t argument_count; /* of the operation at work, with what it is called on */
    struct hf_machine_regex regexes[HF_MACHINE_REGEXES];
    size_t regex_count; /* made so far */
    unsigned calls;     /* of functions, so far */
};

extern const struct hf_slot hf_slot_undefined;

static inline struct hf_slot hf_slot_int(int64_t value)
{
    return (struct hf_slot){.value = hf_value_int(value)};
}

/* The integer in a slot; false when there is none. */
static inline bool hf_slot_integer(struct hf_slot s, int64_t *value)
{
    *value = s.value.integer;
    return s.value.defined && (s.value.type == HF_FACT_INT || s.value.type == HF_FACT_BOOL);
}

/* Operations on values: numbers and strings (machine_values.c), facts (machine_facts.c). */
struct hf_slot hf_machine_value_op(struct hf_machine *m, uint8_t op,
                                   const struct hf_slot *args);
struct hf_slot hf_machine_fact_op(struct hf_machine *m, uint8_t op,
                                  const struct hf_slot *args);

#endif
