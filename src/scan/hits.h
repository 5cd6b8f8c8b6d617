/* hits.h - what the matcher found in one view, by pattern: for rules of plain patterns the first
 * place and a count, for rules with a program every match. */
#ifndef HF_SCAN_HITS_H
#define HF_SCAN_HITS_H

#include "base/arena.h"
#include "db/db.h"
#include "rules/machine.h"
#include "scan/prepared.h"

/* Matches of one pattern in one view. */
struct hf_hit {
    uint32_t segment, pattern, rule;
    struct hf_match first;    /* the one with the lowest offset, then the longest */
    struct hf_match *matches; /* all, sorted by hf_hits_sort; NULL: the rule needs none */
    size_t count;             /* all matches seen, kept or not */
    size_t kept;
    bool lazy;  /* of two at one start the shorter counts */
    bool every; /* of two at one start both count */
};

/* Whether a match may start somewhere, for places that facts tell (HF_PLACE_ENTRY and later). */
typedef bool hf_hits_allow(void *user, const struct hf_place *place, uint64_t start);

struct hf_hits {
    const struct hf_db *db;
    struct hf_arena *arena;             /* borrowed */
    struct hf_budget *budget;           /* borrowed; each kept match costs a unit */
    struct hf_machine_scratch *scratch; /* borrowed; for patterns that are programs */
    struct hf_bytes view;               /* all of it, also when it is searched in pieces */
    struct hf_prepared_table *prepared; /* borrowed; of the engine */
    /* Whether the object at hand is one that a rule looks at: candidates of others are not
     * verified. NULL: all are. */
    bool (*admits)(void *user, uint32_t segment, uint32_t rule);
    void *admits_user;
    hf_hits_allow *allow; /* NULL: nothing is at such a place */
    void *allow_user;
    uint8_t target;     /* of the object: whose rules can hold */
    bool keep_all;      /* every match is kept, also of rules that need none */
    uint64_t rule_work; /* as in struct hf_limits; 0: no limit for costly patterns */
    uint32_t segment;   /* being searched */
    struct hf_hit *items;
    size_t count;
    uint32_t *slots; /* open addressing: position in items + 1; 0: free */
    size_t slot_count;
    bool failed; /* out of memory or budget: some matches are missing */
    /* Where places begin that headers tell; NULL: patterns with such places are looked for at
     * none of them. */
    hf_place_resolve *resolve;
    void *resolve_user;
    /* Patterns that cost too much and were given up for the rest of the view: their later matches
     * are missing. One may be listed twice. */
    struct hf_suspended *suspended;
    size_t suspended_count;
};

/* A pattern that was given up. */
struct hf_suspended {
    uint32_t segment, pattern, rule;
};

/* YARA's limit of matches of one pattern; more are counted but not kept. [facts/yara.md 1] */
enum { HF_HITS_KEPT_MAX = 1000000 };

/* Work units that one needle of a pattern, or a pattern without needles, may cost in one view: this
 * many and one for every second byte. A candidate costs one, and one more for each 16 steps of
 * the machine: a unit is about a microsecond. */
enum { HF_HITS_WORK_MIN = 256 * 1024, HF_HITS_WORK_BYTES = 2 };

/* Patterns with hardly a literal piece have candidates everywhere in ordinary files, so what they
 * may cost is what the search for all the others costs: work is counted in quarters of a unit
 * for them, of which a candidate that fails costs one and a match four. They may spend a quarter of
 * rule_work, and one for so many bytes. */
enum {
    HF_HITS_COSTLY_SHARE = 4,
    HF_HITS_COSTLY_BYTES = 8,
    HF_HITS_COSTLY_PAIR = 8, /* so many times that with a piece of two bytes */
    HF_HITS_QUARTERS = 4
};

/* Empty, for a view; admits is for the caller to set. */
struct hf_hits hf_hits_begin(const struct hf_db *db, struct hf_arena *arena,
                             struct hf_budget *budget, struct hf_machine_scratch *scratch,
                             struct hf_prepared_table *prepared, struct hf_bytes view);

/* An hf_on_literal: user is the struct hf_hits. Confirms what the needle promises and drops
 * matches outside the pattern's place. */
bool hf_hits_on_needle(void *user, uint32_t needle, uint64_t start, uint32_t length);

/* Candidates of the segment's other patterns: those that are looked at in place; and those
 * without a literal piece that start in [from, to) of the view. */
void hf_hits_find_located(struct hf_hits *hits);
void hf_hits_find_loose(struct hf_hits *hits, uint64_t from, uint64_t to);

/* Sort kept matches by offset and length, and hits by segment, rule and pattern. The table is
 * closed for additions then. */
void hf_hits_sort(struct hf_hits *hits);

#endif
