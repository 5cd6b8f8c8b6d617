/* program.h - compiled hex strings and regular expressions, and the machine that verifies a
 * candidate in time linear in the bytes it looks at, whatever the pattern.
 *
 * A program holds two machines: one that reads forward and one that reads backward, and the
 * anchors: literal pieces of which every match has at least one. The matcher finds an anchor; the
 * backward machine, entered in the middle, finds where matches through it can start, the forward
 * machine where they end. Programs come from databases, so nothing in them is trusted.
 *
 *   u8 version, u8 flags, u16 anchors, u32 forward count, u32 backward count, u16 sets
 *   anchors       u32 forward entry, u32 backward entry, u16 length, bytes
 *   sets          32 bytes each
 *   instructions  8 bytes each: forward, then backward */
#ifndef HF_PATTERN_PROGRAM_H
#define HF_PATTERN_PROGRAM_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "pattern/ast.h"

enum hf_program_flag {
    HF_PROGRAM_LAZY = 1 << 0,   /* of several matches at one start the shortest counts */
    HF_PROGRAM_NOCASE = 1 << 1, /* anchors match in either case */
    HF_PROGRAM_ALONE = 1 << 2,  /* no anchor: every offset is a candidate */
    HF_PROGRAM_NEAR = 1 << 3,   /* looks at most HF_PROGRAM_REACH bytes each way */
    HF_PROGRAM_EVERY =
        1 << 4, /* of several matches at one start all count (a part of a chain:
                                 * what follows may fit behind one end only) */
    /* The first way to match counts, in the order in which the pattern says them, as in YARA and
     * Perl: (A|AB) is A wherever it can be. Dropped by the compiler where that is the longest
     * match anyway (LAZY: the shortest): without alternatives and repeated groups. */
    HF_PROGRAM_ORDERED = 1 << 5
};

/* A literal piece. */
struct hf_anchor {
    struct hf_bytes bytes;
    uint32_t forward, backward; /* entries into the machines */
};

enum {
    HF_ANCHORS_MAX = 64,
    HF_ANCHOR_LENGTH_MAX = 255,
    HF_PROGRAM_STATES_MAX = 1 << 20, /* of one machine */
    /* How far a verification looks with HF_PROGRAM_NEAR: YARA's own bound for regular
     * expressions. [facts/yara.md 1, YR_RE_SCAN_LIMIT] */
    HF_PROGRAM_REACH = 4096
};

/* An opened program: borrowed bytes, checked extents. */
struct hf_program {
    unsigned flags;
    size_t anchor_count;
    size_t set_count;
    uint32_t forward_count, backward_count;
    uint32_t states; /* of the larger machine */
    bool asserts;    /* some instruction looks at its surroundings */
    struct hf_bytes anchors, sets, forward, backward;
    /* Set by who uses one scratch for many runs: names the program among all that run with it, so
     * that its tables are kept from run to run (dfa.c). 0: they are not. */
    uint64_t id;
};

/*
 * Compile a tree.
 *
 * root   its forward and backward fields are written.
 * flags  LAZY, NOCASE, NEAR and ORDERED as the language says; ALONE is set here.
 * out    receives the stored program.
 * Returns HF_OK, HF_LIMIT (more states than HF_PROGRAM_STATES_MAX), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_program_compile(struct hf_node *root, unsigned flags,
                                              struct hf_arena *arena,
                                              struct hf_buffer *out);

/* Check and open. HF_MALFORMED, also for instructions that lead nowhere. */
HF_MUST_USE enum hf_status hf_program_open(struct hf_bytes bytes,
                                           struct hf_program *program);

/* The anchors, in order. False at the end. *at starts at 0 and is moved on. */
bool hf_program_next_anchor(const struct hf_program *program, size_t *at,
                            struct hf_anchor *anchor);

/* Scratch of the machine, for programs of any size; one per thread. */
struct hf_machine_scratch;
struct hf_machine_scratch *hf_machine_scratch_new(void); /* NULL: out of memory */
void hf_machine_scratch_free(struct hf_machine_scratch *scratch);
void hf_machine_scratch_release(struct hf_machine_scratch **scratch); /* for HF_AUTO */

/* What is verified, and how its characters are laid out. */
struct hf_subject {
    struct hf_bytes data;
    bool wide;                /* each byte of the pattern is followed by a zero byte */
    struct hf_budget *budget; /* charged by the bytes looked at; NULL: not */
};

/* A match: start and length in bytes of the data. False: no more, please. */
typedef bool hf_on_match(void *user, uint64_t start, uint64_t length);

/* What stands on one side of an anchor with no choice in it: single bytes, sets, gaps of one
 * length, assertions. Comparing them takes no machine, and nearly every false candidate fails
 * there. */
struct hf_straight {
    uint32_t first, count; /* instructions */
    uint32_t next;         /* where the machine goes on */
    bool complete;         /* nothing is left behind them: no machine is needed */
};

/* How candidates of one anchor are verified; worked out once, used for each of them. */
struct hf_plan {
    struct hf_straight forward, backward;
    uint32_t anchor_length;
};

/* The plan for an anchor of an opened program. Plain data: nothing to release. */
struct hf_plan hf_program_plan(const struct hf_program *program,
                               const struct hf_anchor *anchor);

/* hf_program_verify by a plan. */
HF_MUST_USE enum hf_status hf_program_verify_planned(const struct hf_program *program,
                                                     const struct hf_plan *plan,
                                                     const struct hf_subject *subject,
                                                     uint64_t offset,
                                                     struct hf_machine_scratch *scratch,
                                                     hf_on_match *on_match, void *user);

/*
 * Verify the candidate that an anchor at an offset of the data is. The anchor's bytes stand there
 * (the matcher compared them); they are not looked at again.
 *
 * Calls on_match once for each start, with the length that counts among matches through this
 * anchor; another anchor may give the same start with another length: keep the longest, or the
 * shortest for LAZY programs. For EVERY programs it is called for each length of each start, and
 * all are kept.
 * Returns HF_OK, HF_LIMIT (budget; what was found was reported), HF_STOPPED.
 */
HF_MUST_USE enum hf_status hf_program_verify(const struct hf_program *program,
                                             const struct hf_anchor *anchor,
                                             const struct hf_subject *subject,
                                             uint64_t offset,
                                             struct hf_machine_scratch *scratch,
                                             hf_on_match *on_match, void *user);

/* Call on_match for the match that starts at an offset, for EVERY programs with each of its
 * lengths. Returns as hf_program_verify. */
HF_MUST_USE enum hf_status hf_program_matches_at(const struct hf_program *program,
                                                 const struct hf_subject *subject,
                                                 uint64_t offset,
                                                 struct hf_machine_scratch *scratch,
                                                 hf_on_match *on_match, void *user);

/* Length of the match that starts at an offset, if there is one; for programs without anchors and
 * for patterns whose place is known. HF_OK; HF_NOTFOUND; HF_LIMIT. */
HF_MUST_USE enum hf_status hf_program_match_at(const struct hf_program *program,
                                               const struct hf_subject *subject,
                                               uint64_t offset,
                                               struct hf_machine_scratch *scratch,
                                               uint64_t *length);

#endif
