/* classes.h - how a segment's patterns are found, by class: how many there are, and about what a
 * class costs a scan. */
#ifndef HF_DB_CLASSES_H
#define HF_DB_CLASSES_H

#include "db/db.h"

/* By a pattern's shortest needle, unless it has a class of its own. */
enum hf_pattern_class {
    HF_CLASS_LONG,    /* 9 bytes and more */
    HF_CLASS_MIDDLE,  /* 7, 8 */
    HF_CLASS_SHORT,   /* 5, 6 */
    HF_CLASS_GRAM,    /* 4 */
    HF_CLASS_TINY,    /* 1 to 3: found often, wherever they are */
    HF_CLASS_LOCATED, /* looked at in place */
    HF_CLASS_LOOSE,   /* without a literal piece: tried wherever their first bytes fit */
    HF_CLASSES
};
const char *hf_pattern_class_name(enum hf_pattern_class class); /* "long", ... */

struct hf_class_counts {
    uint64_t patterns[HF_CLASSES];
    uint64_t needles[HF_CLASSES]; /* literals that are searched for; 0 for the last two */
    /* Of all: forms and kinds, a pattern may be several. */
    uint64_t literals, hex, regexes, wide, nocase, xored, base64;
    uint64_t places; /* offsets that LOCATED patterns have each object looked at */
};

/* HF_OK; HF_MALFORMED; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_db_count_classes(const struct hf_db *db, uint32_t segment,
                                               struct hf_class_counts *counts);

/* Appended for a segment: lines, or the value of "classes" as JSON. */
void hf_db_classes_text(const struct hf_db *db, uint32_t segment, struct hf_buffer *out);
void hf_db_classes_json(const struct hf_db *db, uint32_t segment, struct hf_buffer *out);

#endif
