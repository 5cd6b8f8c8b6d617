/* arguments.h - the command line as ClamAV's programs read it: names may be cut as long as they are
 * clear, flags take =yes or =no, words that are no options may stand anywhere, and mistakes are
 * told in their words. */
#ifndef HF_CLI_COMPAT_ARGUMENTS_H
#define HF_CLI_COMPAT_ARGUMENTS_H

#include "base/buffer.h"
#include "base/status.h"

enum hf_compat_kind {
    HF_COMPAT_FLAG,    /* --name, --name=yes|no */
    HF_COMPAT_NUMBER,  /* --name=digits */
    HF_COMPAT_SIZE,    /* --name=digits with K or M */
    HF_COMPAT_TEXT,    /* --name=text, --name text; may be repeated */
    HF_COMPAT_PERHAPS, /* --name, --name=text: the text may be missing */
};

struct hf_compat_option {
    const char *name;
    enum hf_compat_kind kind;
    char letter;     /* 0: none */
    bool deprecated; /* accepted, with a warning, and without effect */
};

struct hf_compat_value {
    size_t count;
    bool on;           /* FLAG: the last one said yes */
    uint64_t number;   /* NUMBER, SIZE */
    const char *text;  /* the last one; borrowed from argv */
    const char **list; /* TEXT: all of them */
};

enum { HF_COMPAT_OPTIONS_MAX = 128 };

struct hf_compat_arguments {
    struct hf_compat_value values[HF_COMPAT_OPTIONS_MAX]; /* by row of the table */
    const char **operands;
    size_t operand_count;
};

/* False after complaints on standard error. out is to be released in any case. */
bool hf_compat_parse(struct hf_compat_arguments *out, const char *program,
                     const struct hf_compat_option *table, size_t count, int argc,
                     char *const *argv);
void hf_compat_done(struct hf_compat_arguments *arguments);

#endif
