/* backtrack.h - regular expressions in Perl's syntax with back references and look-around, for the
 * signatures whose language asks for them (ClamAV). The work is libpcre2's (interpreter, no
 * JIT); its steps are limited, and what runs into a limit does not match. Everything else uses the
 * linear machine (program.h). */
#ifndef HF_PATTERN_BACKTRACK_H
#define HF_PATTERN_BACKTRACK_H

#include "pattern/ast.h"

/* Stored in databases: append, never renumber. */
enum hf_backtrack_flag {
    HF_BACKTRACK_NOCASE = 1 << 0,
    HF_BACKTRACK_DOT_ALL = 1 << 1,
    HF_BACKTRACK_MULTI_LINE = 1 << 2,
    HF_BACKTRACK_EXTENDED = 1 << 3,
    HF_BACKTRACK_ANCHORED = 1 << 4,
    HF_BACKTRACK_END_ONLY = 1 << 5, /* $ is the very end, not before a last line break */
    HF_BACKTRACK_UNGREEDY = 1 << 6,
    HF_BACKTRACK_FLAGS = (1 << 7) - 1
};

enum {
    HF_BACKTRACK_STEPS = 100000,   /* ClamAV's PCREMatchLimit */
    HF_BACKTRACK_DEPTH = 2000,     /* PCRERecMatchLimit */
    HF_BACKTRACK_BYTES = 100 << 20 /* PCREMaxFileSize: larger views are not looked at */
};

struct hf_backtrack; /* a compiled expression with room for a match; one thread */

/*
 * Compile.
 *
 * error  filled unless HF_OK.
 * Returns HF_OK, HF_MALFORMED, HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_backtrack_new(struct hf_bytes text, unsigned flags,
                                            struct hf_backtrack **out,
                                            struct hf_pattern_error *error);
void hf_backtrack_free(struct hf_backtrack *b);
void hf_backtrack_release(struct hf_backtrack **b); /* for HF_AUTO */

/*
 * The first match at or behind a place.
 *
 * data      the subject: ^ and \A are its start.
 * from      <= data.len
 * anchored  only at from.
 * start, length  receive it.
 * Returns HF_OK, HF_NOTFOUND (also when a limit of steps was met), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_backtrack_match(struct hf_backtrack *b, struct hf_bytes data,
                                              size_t from, bool anchored, size_t *start,
                                              size_t *length);

#endif
