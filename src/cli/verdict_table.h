/* verdict_table.h - what each verdict and each reason is called and comes to: the code's copy of
 * the table in docs/verdicts.md (a test compares them). */
#ifndef HF_CLI_VERDICT_TABLE_H
#define HF_CLI_VERDICT_TABLE_H

#include "cli/options.h"

struct hf_verdict_row {
    enum hf_verdict verdict;
    unsigned reason;                /* HF_UNSCANNABLE: the one it stands for; else 0 */
    const char *text;               /* the verdict's word, the same in JSON */
    const char *reason_text;        /* or NULL */
    enum hf_exit exit, exit_strict; /* what it makes `holdfast scan` exit with */
    const char *colour;             /* on a terminal */
};
extern const struct hf_verdict_row hf_verdict_rows[];
extern const size_t hf_verdict_row_count;

/* The row of a verdict; of several reasons the gravest's, in the order of the table. Never NULL. */
const struct hf_verdict_row *hf_verdict_row(enum hf_verdict verdict, unsigned reasons);

/* The exit code of two outcomes together: the more important one. */
enum hf_exit hf_exit_worse(enum hf_exit a, enum hf_exit b);

#endif
