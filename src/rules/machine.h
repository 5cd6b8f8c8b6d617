/* machine.h - the condition machine: a small typed stack machine that decides a rule.
 *
 * Values are 64-bit integers, floats, strings, regular expressions, what facts yield (structs,
 * lists, functions), or undefined; booleans are the integers 0 and 1. Between an integer and a
 * float, floats are computed. An undefined operand, and one of a type that the operation does not
 * take, makes a result undefined, except where an operation says otherwise; undefined as the
 * answer is false, and so are 0, 0.0 and the empty string. [facts/yara.md 1: "undefined"]
 *
 * Programs come from databases, so the machine trusts nothing: stack, jumps and numbers are
 * checked as it runs, every step is charged to the budget (loops too: an endless one ends there),
 * and a program that breaks a rule of the machine answers HF_MALFORMED. */
#ifndef HF_RULES_MACHINE_H
#define HF_RULES_MACHINE_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "facts/facts.h"

/* Operations; operands follow as little-endian bytes. Stored: append, never renumber.
 * Patterns are numbered within the rule. Stack effects are written (before -- after). */
enum hf_op {
    HF_OP_END,       /* the program's answer is the top of the stack (a -- ) */
    HF_OP_INT,       /* i64: ( -- n) */
    HF_OP_UNDEFINED, /* ( -- u) */
    HF_OP_MATCHED,   /* u32 pattern: ( -- bool) */
    HF_OP_COUNT,     /* u32 pattern: ( -- n), matches of it */
    HF_OP_COUNT_SUM, /* u32 first, u32 n: ( -- sum of the counts of n patterns) */
    HF_OP_DISTINCT,  /* u32 first, u32 n: ( -- how many of n patterns matched) */
    HF_OP_OFFSET, /* u32 pattern: (i -- offset of match i, from 1), undefined past the last */
    HF_OP_LENGTH, /* u32 pattern: (i -- length of match i, from 1) */
    HF_OP_AT,     /* u32 pattern: (offset -- bool) a match starts there; undefined: false */
    HF_OP_IN,     /* u32 pattern: (low high -- bool) a match starts in [low, high] */
    HF_OP_SIZE,   /* ( -- size of the view) */
    HF_OP_NOT,    /* (a -- !a) */
    HF_OP_AND,    /* (a b -- a&&b) undefined counts as false */
    HF_OP_OR,     /* (a b -- a||b) undefined counts as false */
    HF_OP_EQ,     /* (a b -- a==b) and so on: signed */
    HF_OP_NE,
    HF_OP_LT,
    HF_OP_LE,
    HF_OP_GT,
    HF_OP_GE,
    HF_OP_ADD, /* (a b -- a+b) wraps in 64 bits */
    HF_OP_SUB,
    HF_OP_MUL,
    HF_OP_DIV, /* undefined for b == 0 and for INT64_MIN / -1 */
    HF_OP_MOD,
    HF_OP_DEFINED,       /* (a -- bool) */
    HF_OP_JUMP_IF_FALSE, /* u32 target: (a -- a) keeps a; undefined counts as false */
    HF_OP_JUMP_IF_TRUE,  /* u32 target: (a -- a) keeps a */
    HF_OP_POP,           /* (a -- ) */
    HF_OP_READ, /* u8 width 1 2 4, u8 flags 1 signed 2 big-endian: (offset -- n) of the view */
    HF_OP_NEGATE,     /* (a -- -a) integers wrap; also floats */
    HF_OP_COMPLEMENT, /* (a -- ~a) */
    HF_OP_BIT_AND,    /* (a b -- a&b) and so on */
    HF_OP_BIT_OR,
    HF_OP_BIT_XOR,
    HF_OP_SHIFT_LEFT,  /* 0 for b > 63, undefined for b < 0 */
    HF_OP_SHIFT_RIGHT, /* keeps the sign; 0 for b > 63, undefined for b < 0 */
    HF_OP_CONTAINS,    /* (s t -- bool) strings; the I forms fold ASCII letters */
    HF_OP_ICONTAINS,
    HF_OP_STARTS,
    HF_OP_ISTARTS,
    HF_OP_ENDS,
    HF_OP_IENDS,
    HF_OP_IEQUALS,
    HF_OP_MATCHES, /* (s r -- bool) a regular expression in a string, anywhere */
    HF_OP_STRING,  /* u32 n, n bytes: ( -- s) */
    HF_OP_REAL,    /* f64: ( -- x) */
    HF_OP_REGEX,   /* u32 n, a pattern program of n bytes (pattern/program.h): ( -- r) */
    HF_OP_TRUTH,   /* (a -- bool) never undefined */
    HF_OP_JUMP,    /* u32 target, forward: ( -- ) */
    HF_OP_LOOP,    /* u32 target, backward: ( -- ) */
    HF_OP_GET,     /* u8 variable: ( -- a); undefined until it was set */
    HF_OP_SET,     /* u8 variable: (a -- ) */
    HF_OP_PICK, /* u32 n, n times u32: (i -- the number at i, from 0), undefined outside */
    /* Of patterns whose number is computed; one that does not exist is undefined. */
    HF_OP_MATCHED_OF,  /* (p -- bool) */
    HF_OP_COUNT_OF,    /* (p -- n) */
    HF_OP_OFFSET_OF,   /* (p i -- offset) */
    HF_OP_LENGTH_OF,   /* (p i -- length) */
    HF_OP_AT_OF,       /* (p offset -- bool) */
    HF_OP_IN_OF,       /* (p low high -- bool) */
    HF_OP_COUNT_IN_OF, /* (p low high -- n) matches that start in [low, high] */
    HF_OP_COUNT_IN,    /* u32 pattern: (low high -- n) */
    HF_OP_DISTINCT_IN, /* u32 first, u32 n: (low high -- how many of n patterns match there) */
    HF_OP_RULE,        /* u32 distance: ( -- bool) the answer of the rule so much earlier */
    HF_OP_EXTERNAL,    /* u32 number: ( -- a) */
    HF_OP_FACT,        /* u8 module, u16 field: ( -- a) */
    HF_OP_MEMBER,      /* u16 field: (struct -- a) */
    HF_OP_INDEX,       /* (array i -- a), (dictionary s -- a) */
    HF_OP_LIST_SIZE, /* (array or dictionary -- n) */
    HF_OP_DICT_KEY,  /* (dictionary i -- s) */
    HF_OP_DICT_ITEM, /* (dictionary i -- a) */
    HF_OP_CALL,      /* u8 n: (function a1..an -- a) */
    HF_OP_COUNT_OF_OPS
};

/* One match of a pattern, as the pipeline collected it: ordered by offset, then length. */
struct hf_match {
    uint64_t offset;
    uint64_t length;
};

enum {
    HF_MACHINE_STACK = 256,
    HF_MACHINE_VARIABLES = 64,
    HF_MACHINE_REGEXES = 8, /* on the stack at once; older ones are replaced */
    HF_MACHINE_STEPS_A_UNIT = 64,
    HF_MACHINE_CALLS_FREE = 8 /* the first calls parse facts that all rules share */
};

/* What a program can ask about. Fields that are zero answer undefined, or false. */
struct hf_machine_input {
    /* Matches of one of the rule's patterns. Returns their number; *matches is borrowed. */
    size_t (*matches)(void *user, uint32_t pattern, const struct hf_match **matches);
    void *user;
    uint32_t pattern_count;
    struct hf_cursor view; /* the bytes; carries the budget */
    /* The answer of the rule `distance` (>= 1) places before this one. */
    bool (*rule)(void *user, uint32_t distance);
    struct hf_facts *facts;
    const struct hf_value *externals;
    size_t external_count;
    struct hf_machine_scratch *scratch; /* of pattern/program.h, for regular expressions */
    /* Steps that the rule may cost, beside the budget of the view, which pays for them too; steps
     * that work on many bytes cost HF_MACHINE_STEPS_A_UNIT for each unit, those that ask for many
     * patterns one for each. NULL: no such limit. */
    struct hf_budget *steps;
};

/*
 * Run a program.
 *
 * answer  receives the result on HF_OK; false otherwise.
 * Returns HF_OK, HF_MALFORMED (not a program: unknown operation, stack or jump out of range, no
 * end), HF_LIMIT (budget, or input->steps: then that one is exhausted).
 */
HF_MUST_USE enum hf_status hf_machine_run(struct hf_bytes program,
                                          struct hf_machine_input *input, bool *answer);

/* Check a program without running it: operations, operands, jump targets, stack depth on every
 * path. For the database's full check. */
HF_MUST_USE enum hf_status hf_machine_check(struct hf_bytes program,
                                            uint32_t pattern_count);

#endif
