/* rule.h - the one form that all rule languages compile to: scope, guards, patterns, condition.
 *
 * A rule is looked at only when one of its patterns has matched in an object that its scope and
 * guards admit, or, when it can be true without any match, whenever they admit the object
 * (HF_RULE_WAKES_ALONE). Rules are numbered in load order; numbers are local to a database
 * segment. */
#ifndef HF_RULES_RULE_H
#define HF_RULES_RULE_H

#include "base/buffer.h"
#include "base/cursor.h"

/* Forms of an object's bytes that can be matched. Stored: append, never renumber. */
enum hf_view_kind {
    HF_VIEW_RAW,
    HF_VIEW_TEXT,        /* ClamAV's normalised text */
    HF_VIEW_HTML,        /* ClamAV's normalised HTML without comments */
    HF_VIEW_HTML_NOTAGS, /* its visible text */
    HF_VIEW_HTML_SCRIPT, /* its scripts, normalised */
    HF_VIEW_COUNT
};
const char *hf_view_name(enum hf_view_kind kind); /* "raw", "text", ... */

/* Which views of which objects a rule sees. */
struct hf_scope {
    uint32_t views; /* bit 1 << enum hf_view_kind */
    uint8_t target; /* ClamAV's target number; 0: objects of every format */
};

/* Both ends included. */
struct hf_guard_range {
    uint64_t min, max;
};
enum { HF_GUARD_OUTER_MAX = 16 };

/* What must hold of an object before a rule is looked at: cheap, and known before matching. */
struct hf_guards {
    uint64_t size_min, size_max; /* of the view; size_max HF_GUARD_NO_MAX: none */
    struct {
        uint8_t length; /* 0..8; 0: no magic */
        uint8_t bytes[8];
        uint32_t offset;
    } magic;
    /* ClamAV's types (rules/clamav/types.h) of what the object lies in: container is the direct
     * parent's, 0: any, CL_TYPE_ANY: none, the object lies in nothing; outer are those of a way from outside inwards, the last the direct
     * parent's, CL_TYPE_ANY: passed over without using up a parent. */
    uint16_t container;
    uint8_t outer_count;
    uint16_t outer[HF_GUARD_OUTER_MAX];
    /* Of executables, as ClamAV reads them. Objects whose headers it cannot read do not pass. */
    bool has_entry, has_sections;
    struct hf_guard_range entry, sections; /* file offset of the entry point; how many */
    bool is_signed; /* an executable with at least one Authenticode signature */
};
#define HF_GUARD_NO_MAX UINT64_MAX

enum hf_rule_flag {
    HF_RULE_WAKES_ALONE = 1 << 0, /* can be true without a match of its patterns */
    HF_RULE_PRIVATE = 1 << 1,     /* never reported itself */
    HF_RULE_PUA = 1 << 2,
    HF_RULE_INDICATOR =
        1 << 3, /* held back; reported only when nothing stronger is found */
    /* Patterns are linked to each other, or worked out from others (pattern/pattern.h): what the
     * search found of them is not yet what counts. */
    HF_RULE_CHAINED = 1 << 4,
    HF_RULE_BODY =
        1 << 5, /* ClamAV's body signatures: named before those with expressions */
    HF_RULE_SUSPICIOUS = 1 << 6 /* its finding is worth a look, no proof */
};

/*
 * Where a condition's answer comes from. Stored: append, never renumber.
 *   ALL      every pattern has matched at its place (a rule without patterns: always)
 *   ANY      at least one has
 *   PROGRAM  code for the condition machine (machine.h)
 */
enum hf_condition_kind { HF_CONDITION_ALL, HF_CONDITION_ANY, HF_CONDITION_PROGRAM };

struct hf_rule {
    uint32_t flags;
    struct hf_scope scope;
    struct hf_guards guards;
    /* What must hold besides when none of its patterns has matched: only with
     * HF_RULE_WAKES_ALONE. */
    struct hf_guards alone;
    uint32_t pattern_first, pattern_count; /* in the segment's pattern table */
    enum hf_condition_kind condition;
    struct hf_bytes program; /* borrowed; empty unless PROGRAM */
    /* Rules that must be true too before this one is reported (YARA's global rules): i32le each,
     * how much further in load order they stand. Borrowed; mostly empty. */
    struct hf_bytes gates;
    /* ClamAV's type as which an object is looked at again when the rule holds, once; only then
     * is it reported. 0: a rule that is reported. */
    uint16_t handler;
};

/* A rule that sees raw bytes of everything, without guards: what front ends start from. */
struct hf_rule hf_rule_plain(void);

/* Append the stored form; read it back, checking every field. *rule borrows from the bytes. */
void hf_rule_write(const struct hf_rule *rule, struct hf_buffer *out);
HF_MUST_USE enum hf_status hf_rule_read(struct hf_cursor *in, struct hf_rule *rule);

#endif
