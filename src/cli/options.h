/* options.h - the command line: a table per command says which options exist; parsing, --help,
 * the completions and the check of the manual page all follow from it.
 *
 * Grammar (frozen, docs/cli.md is the long form):
 *
 *   holdfast COMMAND [SUBCOMMAND] [OPTION | OPERAND]... [-- OPERAND...]
 *
 *   -x  --name                                flag
 *   -xVALUE  -x VALUE  --name=VALUE  --name VALUE     option with a value
 *   -xyz                                      flags in one word; the last may take a value
 *   -                                         an operand: standard input
 *   --                                        everything behind it is an operand
 *
 * Options and operands mix. Long names are never abbreviated: a script must not break because a
 * later version has one more option. Given more than once: lists grow, flags count, of all others
 * the last one holds. An empty VALUE is a value. */
#ifndef HF_CLI_OPTIONS_H
#define HF_CLI_OPTIONS_H

#include "base/buffer.h"
#include "base/status.h"

/* What commands exit with (frozen). Of several the first in the order FOUND, ERROR, INCOMPLETE
 * wins. A scan that a signal ended exits with 128 + the signal's number, as shells have it. */
enum hf_exit {
    HF_EXIT_OK = 0,    /* all done; scan: nothing was found */
    HF_EXIT_FOUND = 1, /* scan: something infected, suspicious or unwanted */
    HF_EXIT_ERROR = 2, /* wrong usage, or something could not be read, opened or written */
    HF_EXIT_INCOMPLETE = 3 /* scan --strict: something could not be looked at completely */
};

enum hf_option_kind {
    HF_OPTION_FLAG,
    HF_OPTION_TEXT,
    HF_OPTION_NUMBER, /* decimal */
    HF_OPTION_SIZE,   /* decimal with K, M, G, T */
    HF_OPTION_LIST,   /* text, repeatable: all are kept, in order */
    HF_OPTION_LIMIT,  /* a row of base/limits.h; not for tables: see hf_command.limits */
    HF_OPTION_HELP    /* -h, --help, which every command has; not for tables */
};

/* What shells offer as the value of an option or as an operand. */
enum hf_completion { HF_COMPLETE_NOTHING, HF_COMPLETE_FILE };

struct hf_option {
    char letter;      /* 0: none */
    const char *name; /* without dashes */
    enum hf_option_kind kind;
    const char *metavar; /* NULL for flags */
    const char *help;    /* one sentence without a full stop, no capital */
    enum hf_completion complete;
};

/* What was given for an option. */
struct hf_option_value {
    size_t count;      /* how many times; 0: not given */
    uint64_t number;   /* NUMBER, SIZE */
    const char *text;  /* all but flags: the last one, borrowed from argv */
    const char **list; /* LIST: count texts */
};

struct hf_command;
enum { HF_OPTIONS_MAX = 32 };

struct hf_arguments {
    const struct hf_command *command;
    const char *called;                            /* "holdfast db build", for messages */
    struct hf_option_value values[HF_OPTIONS_MAX]; /* by row of command->options */
    struct hf_limits limits;                       /* defaults where nothing was given */
    const char **operands;                         /* borrowed from argv */
    size_t operand_count;
    bool help;
};

/* Does the work. Returns an exit code. What was asked for is checked against the table before. */
typedef int hf_command_run(const struct hf_arguments *arguments);

struct hf_command {
    const char *name;
    const char *operands; /* for the usage line: "[OPTION]... PATH..." */
    const char *summary;  /* one line, no capital, no full stop */
    const char *details;  /* paragraphs for --help behind the options; may be NULL */
    const struct hf_option *options;
    size_t option_count; /* <= HF_OPTIONS_MAX */
    bool limits;         /* takes the --max-... options of base/limits.h too */
    size_t operands_min, operands_max;
    enum hf_completion complete;
    const char *const *choices; /* operands that shells offer, NULL-ended; may be NULL */
    /* When there are some, the first operand names one of them; run (may be NULL) is for calls
     * without. NULL-ended. */
    const struct hf_command *const *subcommands;
    hf_command_run *run;
};

/*
 * Parse by the table.
 *
 * argv   argc words, argv[0] (the command's name) not looked at; outlives out.
 * out    in any case to be released with hf_arguments_done. With subcommands, parsing ends at
 *        the first operand: operands then holds it and all that follows.
 * error  on HF_INVALID a sentence: what is wrong, and what was perhaps meant.
 * Returns HF_OK, HF_INVALID, HF_NOMEM. --help wins over missing operands, not over errors.
 */
HF_MUST_USE enum hf_status hf_arguments_parse(struct hf_arguments *out,
                                              const struct hf_command *command, int argc,
                                              char *const *argv, struct hf_buffer *error);
void hf_arguments_done(struct hf_arguments *arguments);

/* The options of a command one by one: its own, the limits, --help. False past the last. */
bool hf_command_option(const struct hf_command *command, size_t index,
                       struct hf_option *option);

/* Parse and run a command, or the subcommand that the words name; answers --help, reports
 * mistakes on standard error. called as in hf_arguments. Returns the exit code. */
int hf_command_main(const struct hf_command *command, const char *called, int argc,
                    char *const *argv);

/* The text of --help. */
void hf_help_write(struct hf_buffer *out, const struct hf_command *command,
                   const char *called);

/* Completion scripts for a program. */
void hf_completion_bash(struct hf_buffer *out, const struct hf_command *program);
void hf_completion_zsh(struct hf_buffer *out, const struct hf_command *program);

/* "holdfast scan: <sentence>" on standard error, escaped. For errors that end a command. */
void hf_complain(const struct hf_arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Write all of a buffer to standard output. HF_EXIT_OK, or HF_EXIT_ERROR after a complaint. */
int hf_print(const struct hf_arguments *arguments, const struct hf_buffer *out);

#endif
