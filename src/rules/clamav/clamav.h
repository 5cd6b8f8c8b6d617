/* clamav.h - front ends for ClamAV's body and logical signatures: a line of text becomes a rule with
 * patterns and condition program. No files, no databases: the readers of src/db call these.
 * [facts/clamav.md 1.2, 1.3] */
#ifndef HF_RULES_CLAMAV_CLAMAV_H
#define HF_RULES_CLAMAV_CLAMAV_H

#include "base/arena.h"
#include "pattern/pattern.h"
#include "rules/rule.h"

/* ClamAV's functionality level that these grammars answer to: signatures for others are skipped. */
enum { HF_CLAMAV_FLEVEL = 216 };

enum hf_clamav_result {
    HF_CLAMAV_RULE,
    HF_CLAMAV_SKIP, /* understood, not evaluated: why is the kind, the same for all of its kind */
    HF_CLAMAV_BAD /* not understood: why says what; at: byte of the line, 0 when unknown */
};

struct hf_clamav_signature {
    const char *why;
    struct hf_bytes name;
    /* pattern_first is 0: patterns are numbered in the rule. rule.program lives in the arena. */
    struct hf_rule rule;
    struct hf_pattern *patterns;
    size_t pattern_count;
};

/*
 * Read a line of .ndb .ndu .sdb: Name:Target:Offset:HexSig[:MinFL[:MaxFL]].
 *
 * line   without its end; no comment and not empty.
 * arena  owns everything in *out but the name, which is borrowed from the line.
 * Out of memory is HF_CLAMAV_BAD too ("out of memory").
 */
enum hf_clamav_result hf_clamav_read_ndb(struct hf_bytes line, struct hf_arena *arena,
                                         struct hf_clamav_signature *out);

/* The same for .db: Name=HexSig, anywhere in anything. A line whose value begins with = is
 * HF_CLAMAV_SKIP. */
enum hf_clamav_result hf_clamav_read_db(struct hf_bytes line, struct hf_arena *arena,
                                        struct hf_clamav_signature *out);

/* The same for .cdb: signatures of what containers say of their members (rules/metadata.h). */
enum hf_clamav_result hf_clamav_read_cdb(struct hf_bytes line, struct hf_arena *arena,
                                         struct hf_clamav_signature *out);

/* The same for .ldb .ldu: Name;TargetDescription;Expression;Subsig0[;Subsig1...]. */
enum hf_clamav_result hf_clamav_read_ldb(struct hf_bytes line, struct hf_arena *arena,
                                         struct hf_clamav_signature *out);

#endif
