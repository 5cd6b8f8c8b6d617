/* internal.h - between the files of ClamAV's front ends. */
#ifndef HF_RULES_CLAMAV_INTERNAL_H
#define HF_RULES_CLAMAV_INTERNAL_H

#include "rules/clamav/clamav.h"
#include "rules/clamav/hexsig.h"

enum hf_clamav_result clamav_bad(struct hf_clamav_signature *s, const char *why);
enum hf_clamav_result clamav_skip(struct hf_clamav_signature *s, const char *kind);

/* Split at a separator; what is past max stays in the last. Returns how many. */
size_t clamav_split(struct hf_bytes text, char separator, struct hf_bytes *fields,
                    size_t max);
bool clamav_begins(struct hf_bytes text, const char *with);
bool clamav_is(struct hf_bytes text, const char *what);

/* Scope of a target's number; RULE: it is filled. */
enum hf_clamav_result clamav_read_target(struct hf_bytes text,
                                         struct hf_clamav_signature *s);

/* Levels at the end of a line. An empty one is 0, as ClamAV reads it. RULE: they admit ours. */
enum hf_clamav_result clamav_check_levels(const struct hf_bytes *fields, size_t count,
                                          struct hf_clamav_signature *s);

/* Whether places are told from headers of an executable: targets 1, 6, 9. */
bool clamav_is_executable(uint8_t target);

/* An offset: * n EOF-n EP+n EP-n Sx+n SL+n SEx VI, most with ,MaxShift. RULE: it is filled. */
enum hf_clamav_result clamav_read_place(struct hf_bytes text, struct hf_clamav_signature *s,
                                        struct hf_place *place);

/* ---- expressions of .ldb ---- */

enum { CLAMAV_SUBSIGS_MAX = 64, CLAMAV_NODES_MAX = 512 };

/* A node: an id, or two operands; either may carry a comparison. */
struct clamav_node {
    char op;      /* '&', '|'; 0: an id */
    char compare; /* '=', '<', '>'; 0: none */
    uint32_t value, distinct;
    uint32_t id;
    const struct clamav_node *left, *right;
    unsigned depth; /* registers that its evaluation takes */
};

struct clamav_expression {
    const struct clamav_node *root;
    uint64_t used;    /* ids in it, a bit each */
    uint64_t counted; /* ids of which it matters how often they match */
    unsigned highest;
};

/* Parse; NULL or what is wrong. */
const char *clamav_parse_expression(struct hf_bytes text, struct hf_arena *arena,
                                    struct clamav_expression *out);

/* Whether it holds when nothing matches. */
bool clamav_holds_alone(const struct clamav_expression *e);

/* Which patterns' matches count for an id: last parts of its forms. */
struct clamav_subsig {
    uint32_t patterns[2];
    size_t count;
};

/* The sub-signatures of a line. */
struct clamav_subsigs {
    struct hf_bytes texts[CLAMAV_SUBSIGS_MAX];
    struct clamav_subsig items[CLAMAV_SUBSIGS_MAX];
    size_t count;
    bool has_derived; /* some are worked out from others */
    bool wakes_alone; /* one of these may match when nothing else does */
};

/* Append a pattern; false: out of memory. */
bool clamav_add_pattern(struct hf_clamav_signature *s, struct hf_arena *arena,
                        const struct hf_pattern *pattern);

/* Sub-signature `which` as a byte comparison, or as a regular expression with its trigger. Fills
 * in its item. */
enum hf_clamav_result clamav_read_compare(struct hf_bytes text, size_t which,
                                          struct clamav_subsigs *subsigs,
                                          struct hf_clamav_signature *s,
                                          struct hf_arena *arena);
enum hf_clamav_result clamav_read_regex(struct hf_bytes text, size_t which,
                                        struct clamav_subsigs *subsigs,
                                        struct hf_clamav_signature *s,
                                        struct hf_arena *arena);

/* Other sub-signatures of which such a one asks how often or where they match. */
uint64_t clamav_counted_by(struct hf_bytes text, struct hf_arena *arena);

/* Append the program. */
void clamav_emit_expression(const struct clamav_expression *e,
                            const struct clamav_subsig *subsigs, struct hf_buffer *out);

#endif
