/* json.h - a bounded reader of JSON from others: RFC 8259, strict, as a tree in an arena. Strings
 * are UTF-8 and checked; of equal names of an object the last counts. */
#ifndef HF_BASE_JSON_H
#define HF_BASE_JSON_H

#include "base/arena.h"
#include "base/cursor.h"

enum hf_json_type {
    HF_JSON_NULL,
    HF_JSON_FALSE,
    HF_JSON_TRUE,
    HF_JSON_INTEGER,
    HF_JSON_REAL,
    HF_JSON_STRING,
    HF_JSON_ARRAY,
    HF_JSON_OBJECT
};

enum { HF_JSON_DEPTH_MAX = 64 };

struct hf_json {
    enum hf_json_type type;
    struct hf_bytes name;         /* as a member of an object */
    int64_t integer;              /* HF_JSON_INTEGER */
    struct hf_bytes string;       /* HF_JSON_STRING: decoded; HF_JSON_REAL: as it stands */
    struct hf_json *first, *next; /* elements or members in order */
};

/*
 * Read a whole text.
 *
 * text   not advanced; its budget is charged, a unit a value and a KiB.
 * arena  owns the tree.
 * out    NULL unless HF_OK.
 * Returns HF_OK, HF_MALFORMED (no JSON, an integer past 64 bits, something behind it), HF_LIMIT
 * (deeper than HF_JSON_DEPTH_MAX, or out of budget), HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_json_read(const struct hf_cursor *text,
                                        struct hf_arena *arena, const struct hf_json **out);

/* The member of an object; NULL when object is NULL, no object, or has none of the name. */
const struct hf_json *hf_json_member(const struct hf_json *object, const char *name);

/* The first element of an array, else NULL; go on by next. */
const struct hf_json *hf_json_elements(const struct hf_json *array);

#endif
