/* judge.h - judging one object, between judge.c (digests, policy, the search) and rules.c (which
 * rules are true). */
#ifndef HF_SCAN_JUDGE_H
#define HF_SCAN_JUDGE_H

#include "facts/facts.h"
#include "scan/hits.h"
#include "scan/layout.h"
#include "scan/object.h"

struct hf_judging {
    struct hf_engine *engine;
    struct hf_object *object;
    enum hf_view_kind view; /* at hand, and its bytes */
    struct hf_bytes bytes;
    struct hf_facts facts; /* parsed as far as a rule asked; filled when has_facts */
    bool has_facts;
    uint16_t handler;        /* type as which a rule wants the object looked at; 0: none */
    struct hf_layout layout; /* filled when has_layout */
    bool has_layout;
    bool knows_signed, is_signed; /* asked already; whether it carries a signature */
};

/* Facts of the object, and its layout: made when first asked for. */
struct hf_facts *hf_judge_facts(struct hf_judging *j);
struct hf_layout *hf_judge_layout(struct hf_judging *j);

/* Add a finding unless policy takes it away. */
void hf_judge_found(struct hf_judging *j, struct hf_finding *finding);

/* Whether the object at hand (user: a struct hf_judging) is one that a rule looks at at all: scope and
 * guards. */
bool hf_judge_admits(void *user, uint32_t segment, uint32_t rule);

/* Look for digests of the object's parts: sections and imports of programs. */
void hf_judge_parts(struct hf_judging *j);

/* Look at the rules that hits wake, and at those that wake alone. */
void hf_judge_rules(struct hf_judging *j, const struct hf_hits *hits);

#endif
