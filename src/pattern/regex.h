/* regex.h - parser of YARA's regular expressions. [facts/yara.md 1 "Regex dialect"] */
#ifndef HF_PATTERN_REGEX_H
#define HF_PATTERN_REGEX_H

#include "pattern/ast.h"

struct hf_regex_options {
    bool nocase;  /* /i, or the modifier */
    bool dot_all; /* /s: a dot is any byte, also a newline */
};

struct hf_regex {
    struct hf_node *root;
    bool lazy; /* matches are as short as possible: its repetitions are lazy */
};

/*
 * Parse.
 *
 * text   between the slashes, escapes still in it (\/ is a slash).
 * arena  owns the tree.
 * error  filled unless HF_OK.
 * Returns HF_OK, HF_MALFORMED, HF_LIMIT (nested too deep, bounds too large), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_regex_parse(struct hf_bytes text,
                                          const struct hf_regex_options *options,
                                          struct hf_arena *arena, struct hf_regex *regex,
                                          struct hf_pattern_error *error);

#endif
