/* yara.h - what the compat programs yara and yarac share: their command lines, and rules compiled or
 * loaded with their messages. */
#ifndef HF_CLI_COMPAT_YARA_H
#define HF_CLI_COMPAT_YARA_H

#include "base/buffer.h"
#include "db/rule_set.h"
#include "rules/yara/yara.h"

/* The release whose behaviour is that of these programs. */
#define HF_COMPAT_YARA_VERSION "4.5.0"

enum yara_option_kind { YARA_FLAG, YARA_NUMBER, YARA_TEXT };

struct yara_option {
    char letter;         /* 0: none */
    const char *name;    /* without dashes */
    const char *metavar; /* NULL: a flag */
    enum yara_option_kind kind;
    unsigned most; /* texts that may be given */
    const char *help;
};

struct yara_value {
    unsigned count;
    int64_t number;
    const char **texts; /* owned array of count; borrowed from argv */
};

struct yara_line {
    const char *program; /* argv[0] */
    const struct yara_option *options;
    size_t option_count;
    struct yara_value *values; /* owned, by option */
    const char **operands;     /* owned array */
    size_t operand_count;
};

/* False after a complaint on standard error. To be released in any case. (yara_line.c) */
bool hf_yara_line_parse(struct yara_line *line, const struct yara_option *options,
                        size_t count, int argc, char **argv);
void hf_yara_line_done(struct yara_line *line);
void hf_yara_line_help(const struct yara_line *line, const char *title,
                       const char *operands);
int hf_yara_line_wrong_count(const struct yara_line *line, const char *operands);

/* Values of -d, parsed as yara does. */
struct yara_externals {
    struct hf_yara_external *items; /* owned; names too */
    size_t count;
};
bool hf_yara_externals_read(struct yara_externals *externals,
                            const struct yara_value *given); /* false: complained */
void hf_yara_externals_done(struct yara_externals *externals);

/* How sources are compiled. */
struct yara_compiling {
    const struct yara_externals *externals;
    bool no_warnings, fail_on_warnings;
    uint32_t strings_per_rule;
};

/* Compile [NAMESPACE:]FILE... with messages on standard error. False: complained, nothing is
 * there. */
bool hf_yara_compile_files(struct hf_rule_set *out, const struct yara_compiling *how,
                           const char *const *files, size_t count);

#endif
