/* pattern.h - one string of a rule: what front ends produce, the database stores and the matcher
 * finds. Independent of the language it was written in.
 *
 * A pattern is compiled to a program; from the program come its anchors (literal pieces that
 * the matcher searches for) and by it a candidate is verified. */
#ifndef HF_PATTERN_PATTERN_H
#define HF_PATTERN_PATTERN_H

#include "base/buffer.h"
#include "base/cursor.h"

/* Stored in databases: append, never renumber. */
enum hf_pattern_kind {
    HF_PATTERN_LITERAL, /* text is the bytes themselves */
    HF_PATTERN_HEX,     /* text is the compiled program of a hex string */
    HF_PATTERN_REGEX,   /* text is the compiled program of a regular expression */
    /* Not searched for: worked out from other patterns of the rule (rules/derived.h). */
    HF_PATTERN_COMPARE,   /* text is a struct hf_compare, stored */
    HF_PATTERN_BACKTRACK, /* text is a struct hf_expression, stored */
    HF_PATTERN_METADATA   /* text is a struct hf_metadata, stored (rules/metadata.h) */
};

static inline bool hf_pattern_is_derived(enum hf_pattern_kind kind)
{
    return kind >= HF_PATTERN_COMPARE && kind <= HF_PATTERN_METADATA;
}

enum hf_pattern_flag {
    HF_PATTERN_NOCASE = 1 << 0, /* ASCII letters match in either case */
    HF_PATTERN_ASCII =
        1 << 1, /* as written; implied unless WIDE or a base64 form stands alone */
    HF_PATTERN_WIDE = 1 << 2, /* each byte followed by 00 */
    HF_PATTERN_FULLWORD = 1 << 3,
    HF_PATTERN_XOR = 1 << 4, /* with every key of xor_min..xor_max */
    HF_PATTERN_BASE64 = 1 << 5,
    HF_PATTERN_BASE64WIDE = 1 << 6,
    HF_PATTERN_PRIVATE = 1 << 7, /* not shown in results */
    HF_PATTERN_LINKED = 1 << 8 /* goes on where the rule's pattern before it ended (link) */
};

/* Where in a view a match may start. Stored: append, never renumber. */
enum hf_place_kind {
    HF_PLACE_ANYWHERE,
    HF_PLACE_START,        /* offset .. offset + span from the start */
    HF_PLACE_END,          /* size - offset .. size - offset + span */
    HF_PLACE_ENTRY,        /* entry point + offset (signed) .. + span */
    HF_PLACE_SECTION,      /* start of section number `section` + offset .. + span */
    HF_PLACE_LAST_SECTION, /* the same of the last section */
    HF_PLACE_IN_SECTION, /* anywhere in section number `section`, and span behind its end */
    HF_PLACE_VERSION_INFO /* at an entry of the version information's string table */
};

struct hf_place {
    enum hf_place_kind kind;
    uint16_t section;
    int64_t offset;
    uint64_t span; /* how much later than the exact place a match may start */
};

/* A long pattern is split at gaps too wide to verify in one go: its parts are patterns of one rule
 * in a row, each linked to the one before. A match of a linked pattern counts only when it starts
 * min to max bytes behind the end of a match of the pattern before it that counts itself
 * (rules/chain.h). So the matches of the last part are those of the whole. */
struct hf_link {
    uint64_t min, max; /* max HF_LINK_NO_MAX: no end; max < min: never */
};
#define HF_LINK_NO_MAX UINT64_MAX

struct hf_pattern {
    enum hf_pattern_kind kind;
    uint32_t flags; /* enum hf_pattern_flag */
    uint8_t xor_min, xor_max;
    struct hf_bytes text; /* borrowed */
    struct hf_place place;
    struct hf_link link; /* only with HF_PATTERN_LINKED */
};

/* Append the stored form; read it back. Reading checks every field and fails the cursor on what
 * it does not know; *pattern borrows from the cursor's bytes. */
void hf_pattern_write(const struct hf_pattern *pattern, struct hf_buffer *out);
HF_MUST_USE enum hf_status hf_pattern_read(struct hf_cursor *in,
                                           struct hf_pattern *pattern);

/* Whether a match at start (in a view of view_size bytes) is at the pattern's place. Only the
 * places that need no facts (ANYWHERE, START, END); the others are resolved by their caller
 * first. */
bool hf_place_allows(const struct hf_place *place, uint64_t view_size, uint64_t start);

#endif
