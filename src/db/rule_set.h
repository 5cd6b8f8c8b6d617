/* rule_set.h - YARA rules on their own: compiled to a database of one segment, with the values from
 * outside that they know by name; as a file, what `yarac` writes and `yara -C` reads. For programs
 * and interfaces that are YARA's; `holdfast scan` has databases. */
#ifndef HF_DB_RULE_SET_H
#define HF_DB_RULE_SET_H

#include "db/db.h"
#include "facts/facts.h"

struct hf_yara;
struct hf_yara_external;

struct hf_rule_set {
    int fd; /* owned: a sealed memory file with the database, for workers */
    struct hf_db *db;
    struct hf_arena *arena; /* names and values */
    const char **names;
    struct hf_value *values; /* as they stand; strings are zero-ended too */
    size_t count;
    uint64_t left_out; /* rules with a string that cannot be searched for */
};

/*
 * Compile what a compiler holds.
 *
 * out        to be released with hf_rule_set_done in any case.
 * externals  those that the compiler was made with; copied.
 * modules    likewise (the order is that of scans).
 * Returns HF_OK, HF_NOMEM, HF_IO.
 */
HF_MUST_USE enum hf_status hf_rule_set_compile(struct hf_rule_set *out,
                                               const struct hf_yara *yara,
                                               const struct hf_yara_external *externals,
                                               size_t count,
                                               const struct hf_fact_module *const *modules,
                                               size_t module_count);
void hf_rule_set_done(struct hf_rule_set *set);

/* Give a value. HF_NOTFOUND: no rule was compiled with this name; HF_INVALID: it is of another
 * type; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_rule_set_define(struct hf_rule_set *set, const char *name,
                                              const struct hf_value *value);

/* The file's bytes, and back: everything in it is checked, as for a database before it is
 * activated. HF_MALFORMED: no such file, or damaged; HF_UNSUPPORTED: of another version. */
HF_MUST_USE enum hf_status hf_rule_set_write(const struct hf_rule_set *set,
                                             struct hf_buffer *out);
HF_MUST_USE enum hf_status hf_rule_set_read(struct hf_rule_set *out, struct hf_bytes file);

/* Whether bytes begin as such a file does. */
bool hf_rule_set_is(struct hf_bytes file);

#endif
