/* hex.h - parser of YARA's hex strings: bytes, ??, nibbles, ~, jumps, alternatives, comments.
 * [facts/yara.md 1 "hex strings"] */
#ifndef HF_PATTERN_HEX_H
#define HF_PATTERN_HEX_H

#include "pattern/ast.h"

/*
 * Parse.
 *
 * text   between the braces.
 * arena  owns the tree.
 * error  filled unless HF_OK.
 * Jumps become lazy repetitions of any byte.
 * Returns HF_OK, HF_MALFORMED, HF_LIMIT (nested too deep, bounds past INT32_MAX), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_hex_parse(struct hf_bytes text, struct hf_arena *arena,
                                        struct hf_node **root,
                                        struct hf_pattern_error *error);

#endif
