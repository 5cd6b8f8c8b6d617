/* derived.h - patterns that nobody searches for: their matches are worked out from those of other
 * patterns of the rule and from the bytes, when the condition asks. [facts/clamav.md 1.3]
 *
 * What they say is a pattern's text (HF_PATTERN_COMPARE, HF_PATTERN_BACKTRACK). A derived pattern
 * sees patterns that are searched for, and derived ones before it in the rule; those behind it have
 * no matches for it. */
#ifndef HF_RULES_DERIVED_H
#define HF_RULES_DERIVED_H

#include "rules/machine.h"

enum { HF_DERIVED_BASES_MAX = 2, HF_DERIVED_TESTS_MAX = 2 };

enum hf_compare_form {
    HF_COMPARE_RAW, /* an integer of 1, 2, 4 or 8 bytes */
    HF_COMPARE_HEX, /* hexadecimal digits as text */
    HF_COMPARE_DECIMAL,
    HF_COMPARE_AUTO /* digits as text, hexadecimal when they begin 0x */
};

/* The number that stands at a distance from where the last match of another pattern starts, compared. */
struct hf_compare {
    uint32_t bases[HF_DERIVED_BASES_MAX]; /* forms of the one it counts from */
    uint8_t base_count;
    int64_t distance; /* from the match's start */
    enum hf_compare_form form;
    bool big;   /* most significant byte (of text: digit pair) first */
    bool exact; /* all of its bytes are digits */
    bool never; /* the order of digits is not told: it never holds, as in ClamAV */
    uint8_t bytes;
    uint8_t test_count;
    struct {
        char op; /* '<' '=' '>' */
        int64_t value;
    } tests[HF_DERIVED_TESTS_MAX];
};

void hf_compare_write(const struct hf_compare *compare, struct hf_buffer *out);
HF_MUST_USE enum hf_status hf_compare_read(struct hf_bytes text,
                                           struct hf_compare *compare);

/* Whether it holds, matches of the base starting at `start`. */
bool hf_compare_holds(const struct hf_compare *compare, struct hf_bytes data,
                      uint64_t start);

enum hf_expression_flag {
    HF_EXPRESSION_ALL = 1 << 8,     /* every match counts, not only the first */
    HF_EXPRESSION_ROLLING = 1 << 9, /* at the pattern's place or behind it */
    HF_EXPRESSION_INSIDE = 1 << 10  /* the match must lie in the place's span */
};

/* A regular expression (pattern/backtrack.h), tried when a condition over other patterns holds. */
struct hf_expression {
    uint32_t flags;          /* enum hf_backtrack_flag, enum hf_expression_flag */
    struct hf_bytes trigger; /* a program of the condition machine */
    struct hf_bytes text;
};

void hf_expression_write(const struct hf_expression *e, struct hf_buffer *out);
HF_MUST_USE enum hf_status hf_expression_read(struct hf_bytes text,
                                              struct hf_expression *e);

#endif
