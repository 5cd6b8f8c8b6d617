/* told.h - what true rules tell of one scanned file, for programs that show more than names: the
 * rule, the matches of its patterns, the lines that rules write (module console). A run of
 * records made in the worker, carried by messages as it is, and read outside through a cursor as
 * what a worker says always is. */
#ifndef HF_FACTS_TOLD_H
#define HF_FACTS_TOLD_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cursor.h"
#include "facts/facts.h"

enum {
    HF_TOLD_BYTES_MAX = 256 << 20, /* of one file; what is past it is an incident (limit) */
    HF_TOLD_DATA_MAX = 1 << 20     /* of one match */
};

/* What is to be told. */
struct hf_tell_options {
    bool rules;        /* anything at all */
    bool matches;      /* of true rules, their matches */
    bool lines;        /* of the module console */
    uint32_t data_max; /* bytes of each match that come along; at most HF_TOLD_DATA_MAX */
};

enum hf_told_kind { HF_TOLD_RULE = 1, HF_TOLD_MATCH, HF_TOLD_LINE };

struct hf_told {
    enum hf_told_kind kind;
    uint32_t segment, rule; /* RULE: for hf_db_rule. MATCH: that of the RULE before it */
    uint32_t pattern;       /* MATCH: number in its rule */
    uint64_t offset, length;
    struct hf_bytes data; /* MATCH: its first bytes; LINE: the line */
};

/* The next record. HF_OK; HF_NOTFOUND at the exact end; HF_MALFORMED: the worker speaks nonsense.
 * told is kept between calls: a MATCH takes its rule from there. */
HF_MUST_USE enum hf_status hf_told_next(struct hf_cursor *c, struct hf_told *told);

void hf_told_put_rule(struct hf_buffer *out, uint32_t segment, uint32_t rule);
void hf_told_put_match(struct hf_buffer *out, uint32_t pattern, uint64_t offset,
                       uint64_t length, struct hf_bytes data);
void hf_told_put_line(struct hf_buffer *out, struct hf_bytes line);

/* Values for conditions, on their way into a worker or a file: integer, float, boolean or string.
 * Get returns how many; *values is NULL when the bytes are damaged or there is no memory. Strings
 * borrow. */
void hf_told_put_values(struct hf_buffer *out, const struct hf_value *values, size_t count);
size_t hf_told_get_values(struct hf_cursor *c, struct hf_arena *arena,
                          struct hf_value **values);

#endif
