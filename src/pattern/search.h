/* search.h - between patterns and the matcher: which literal pieces (needles) to search for, and
 * what an occurrence of one means. The database stores a needle as its pattern and its variant;
 * everything else follows from the pattern. */
#ifndef HF_PATTERN_SEARCH_H
#define HF_PATTERN_SEARCH_H

#include "pattern/pattern.h"
#include "pattern/program.h"

/* A piece to search for. */
struct hf_needle {
    struct hf_bytes bytes; /* borrowed until the callback returns */
    bool nocase;
    uint16_t variant; /* which form of the pattern it is; for hf_pattern_confirm */
};

/* Returns false to stop. */
typedef bool hf_on_needle(void *user, const struct hf_needle *needle);

/*
 * What to search for, so that every match of a pattern contains an occurrence.
 *
 * Literals: the bytes in each of their forms (ascii, wide, every xor key, three base64 shifts). Hex
 * strings and regular expressions: the anchors of their program.
 * Derived patterns: nothing.
 * Returns HF_OK; HF_NOTFOUND (no literal piece at all: every offset is a candidate);
 * HF_MALFORMED (text is no program); HF_STOPPED.
 */
HF_MUST_USE enum hf_status hf_pattern_needles(const struct hf_pattern *pattern,
                                              hf_on_needle *on_needle, void *user);

/* What an occurrence of one needle means, worked out once: the program is opened and checked, the
 * way to verify it planned. Plain data: nothing to release; borrows what the pattern borrows. */
struct hf_confirm {
    struct hf_pattern pattern;
    struct hf_program program; /* unless the pattern is a literal */
    struct hf_plan plan;
    bool wide, lazy;
    bool never; /* no such needle: an occurrence means nothing */
};

/* Prepare for a needle of a pattern: variant as hf_pattern_needles gave it. HF_OK; HF_MALFORMED
 * (text is no program). */
HF_MUST_USE enum hf_status hf_confirm_prepare(const struct hf_pattern *pattern,
                                              uint16_t variant, struct hf_confirm *confirm);

/* hf_pattern_confirm for a prepared needle. */
HF_MUST_USE enum hf_status hf_confirm_at(const struct hf_confirm *confirm,
                                         struct hf_bytes data, uint64_t offset,
                                         uint32_t length, struct hf_budget *budget,
                                         struct hf_machine_scratch *scratch,
                                         hf_on_match *on_match, void *user);

/*
 * What an occurrence of a needle means: zero or more matches of the pattern.
 *
 * data     the view; offset and length: where the needle was found in it.
 * variant  as hf_pattern_needles gave it. Unknown ones match nothing.
 * Matches that the pattern's flags rule out (fullword) are not reported; its place is the
 * caller's business. A start may be reported again through another needle: keep the longest, or
 * the shortest when hf_pattern_is_lazy.
 * Returns HF_OK, HF_LIMIT (budget), HF_MALFORMED (text is no program), HF_STOPPED.
 */
HF_MUST_USE enum hf_status hf_pattern_confirm(const struct hf_pattern *pattern,
                                              uint16_t variant, struct hf_bytes data,
                                              uint64_t offset, uint32_t length,
                                              struct hf_budget *budget,
                                              struct hf_machine_scratch *scratch,
                                              hf_on_match *on_match, void *user);

/* Whether of several matches at one start all count (HF_PROGRAM_EVERY). */
bool hf_pattern_is_every(const struct hf_pattern *pattern);

/* Whether of several matches at one start the shortest counts. */
bool hf_pattern_is_lazy(const struct hf_pattern *pattern);

/*
 * Matches that start at one offset, in every form of the pattern: for patterns whose place is known
 * and for those without needles. Reported are the lengths that hf_pattern_confirm would report for
 * this start; matches of no length are none.
 *
 * program  the pattern's, opened; NULL: it is opened here.
 * Returns as hf_pattern_confirm.
 */
HF_MUST_USE enum hf_status hf_pattern_confirm_at(const struct hf_pattern *pattern,
                                                 const struct hf_program *program,
                                                 struct hf_bytes data, uint64_t offset,
                                                 struct hf_budget *budget,
                                                 struct hf_machine_scratch *scratch,
                                                 hf_on_match *on_match, void *user);

/* Whether a pattern's matches can start at few offsets only, which facts or the size give: START,
 * END, ENTRY, SECTION, LAST_SECTION with a small span. Such patterns can be looked at in place
 * instead of being searched for (db/located.h). */
enum { HF_PLACED_SPAN_MAX = 255 };
bool hf_pattern_is_placed(const struct hf_pattern *pattern);

/* The first bytes of matches: which bytes may stand at each place. */
enum { HF_HEAD_MAX = 8 };
struct hf_head {
    size_t length;                 /* places that every match has, at most HF_HEAD_MAX */
    uint8_t sets[HF_HEAD_MAX][32]; /* bit b & 7 of byte b >> 3; behind length: all bytes */
};

/* All forms of the pattern together. HF_OK; HF_MALFORMED (text is no program); HF_NOMEM. */
HF_MUST_USE enum hf_status hf_pattern_head(const struct hf_pattern *pattern,
                                           struct hf_head *head);

/* The match at one offset, for patterns without needles and for places that are known. Of two
 * forms (ascii, wide) the first that matches. HF_OK; HF_NOTFOUND; HF_LIMIT; HF_MALFORMED. */
HF_MUST_USE enum hf_status hf_pattern_match_at(const struct hf_pattern *pattern,
                                               struct hf_bytes data, uint64_t offset,
                                               struct hf_budget *budget,
                                               struct hf_machine_scratch *scratch,
                                               uint64_t *length);

#endif
