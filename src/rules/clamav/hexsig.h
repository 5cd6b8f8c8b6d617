/* hexsig.h - ClamAV's body patterns (HexSig of .ndb, .ldb and others): hexadecimal bytes with
 * wildcards, gaps, alternatives and marks. [facts/clamav.md 1.2]
 *
 *   sig   part, gap, part, ...        gap: *  {n} {n-m} {-m} {n-}  (a largest distance of 0 is none)
 *   part  hh  ??  h?  ?h  (aa|bbcc)  !(aa|bb)  (B) (L) (W) and their ! forms;
 *         hh[n-m]... at its left end, ...[n-m]hh at its right end
 *
 * ClamAV asks whether and how often a signature matches, not how long a match is. So a signature
 * is split at gaps that are unbounded or wide into patterns that are linked to each other
 * (pattern/pattern.h, rules/chain.h); narrow gaps stay inside a pattern, unless occurrences are
 * counted: those are ClamAV's own last parts. */
#ifndef HF_RULES_CLAMAV_HEXSIG_H
#define HF_RULES_CLAMAV_HEXSIG_H

#include "pattern/ast.h"
#include "pattern/pattern.h"

struct hf_hexsig_options {
    bool nocase, wide, ascii, fullword; /* the modifiers i w a f; ascii only beside wide */
    /* How often it matches matters: split at every ranged gap. */
    bool counted;
};

/* A compiled signature. */
struct hf_hexsig {
    struct hf_pattern
        *patterns; /* place of the first of each form is left for the caller */
    size_t count;
    /* The first pattern of each form (plain, wide) and the last, whose matches count. */
    struct {
        size_t first, last;
    } forms[2];
    size_t form_count;
};

enum {
    HF_HEXSIG_PARTS_MAX = 256,
    HF_HEXSIG_NEST_MAX = 15,   /* ClamAV's limit of alternatives in alternatives */
    HF_HEXSIG_GAP_INSIDE = 256 /* widest gap that is verified inside of a pattern */
};

/*
 * Compile a signature to patterns.
 *
 * text   without offset and modifiers.
 * arena  owns everything.
 * error  filled unless HF_OK.
 * Returns HF_OK, HF_MALFORMED (also: a part without two fixed bytes in a row), HF_LIMIT (too
 * long, too many parts, nested too deep), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_hexsig_compile(struct hf_bytes text,
                                             const struct hf_hexsig_options *options,
                                             struct hf_arena *arena, struct hf_hexsig *out,
                                             struct hf_pattern_error *error);

/* The trees of a signature in one form, part by part, split at every gap; for tests against a
 * naive matcher. options->wide says which form. */
struct hf_hexsig_part {
    struct hf_node *root;
    bool linked; /* to the part before */
    struct hf_link link;
};
HF_MUST_USE enum hf_status hf_hexsig_parse(struct hf_bytes text,
                                           const struct hf_hexsig_options *options,
                                           struct hf_arena *arena,
                                           struct hf_hexsig_part **parts, size_t *count,
                                           struct hf_pattern_error *error);

#endif
