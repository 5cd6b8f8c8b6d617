/* yara.h - compiler of the YARA language to the one rule form: parses, resolves names, checks
 * types, generates patterns and condition programs. [facts/yara.md 1]
 *
 * The language is classic YARA's (4.5). A rule that does not compile is reported and left out, and
 * so are the rules that refer to it; the others live. Modules are those that the caller hands in:
 * schemas of facts. Nothing here opens files: includes come through a callback. */
#ifndef HF_RULES_YARA_YARA_H
#define HF_RULES_YARA_YARA_H

#include "base/arena.h"
#include "facts/facts.h"
#include "pattern/pattern.h"
#include "rules/rule.h"

/* Something to say about a place in the source. Pointers end with the callback. */
struct hf_yara_message {
    bool warning;
    const char *file;
    unsigned line, column; /* from 1; column in bytes */
    const char *rule;      /* "" outside of rules */
    const char *text; /* as yarac says it where it has the case; hostile bytes escaped */
    struct hf_bytes source_line;
};

/* A value given from outside, that rules see under a name. Integer, float, boolean or string; the
 * value here is the one until a scan says otherwise, the type is for good. */
struct hf_yara_external {
    const char *name;
    struct hf_value value;
};

struct hf_yara_options {
    const struct hf_fact_module *const *modules; /* what import may name; borrowed */
    size_t module_count;
    const struct hf_yara_external *externals; /* borrowed */
    size_t external_count;
    /*
     * Text of an included file. May be NULL: includes are then errors.
     *
     * path   as written; from: name of the file that includes it.
     * name   receives the name for messages and for includes inside of it.
     * Both results are allocated in the arena. HF_NOTFOUND and HF_IO: cannot be opened.
     */
    enum hf_status (*include)(void *user, const char *path, const char *from,
                              struct hf_arena *arena, const char **name,
                              struct hf_bytes *text);
    void (*message)(void *user, const struct hf_yara_message *message); /* may be NULL */
    void *user;
    uint32_t strings_per_rule; /* 0: 10000, as yarac */
};

struct hf_yara_meta {
    const char *name;
    struct hf_value value; /* integer, boolean or string */
};

/* One string of a rule. */
struct hf_yara_string {
    const char *name; /* with its $; "$" when anonymous */
    bool hex; /* written as a hex string, shown as such: plain ones are literal patterns */
    struct hf_pattern pattern;
};

/* A compiled rule; everything lives in the compiler's arena. */
struct hf_yara_rule {
    const char *name, *name_space, *file;
    unsigned line;
    bool is_private;
    /* A global rule that is false makes all rules of its namespace count as not matching. The
     * programs do not see this: rules refer to the plain answer, as in YARA. */
    bool is_global;
    const char *const *tags;
    size_t tag_count;
    const struct hf_yara_meta *metas;
    size_t meta_count;
    const struct hf_yara_string *strings;
    size_t string_count;
    /* pattern_first is 0: strings are numbered in the rule; whoever collects patterns sets it.
     * References to other rules are relative: distances in this list. */
    struct hf_rule rule;
};

struct hf_yara;

/* A compiler. options are copied, what they point to is borrowed. NULL: out of memory. */
struct hf_yara *hf_yara_new(const struct hf_yara_options *options);
void hf_yara_free(struct hf_yara *yara);
void hf_yara_release(struct hf_yara **yara); /* for HF_AUTO */

/*
 * Compile a source text.
 *
 * name        for messages and includes.
 * name_space  NULL: "default". Rules of one namespace see each other.
 * Returns HF_OK; HF_MALFORMED when something in it did not compile (what did is kept); HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_yara_add(struct hf_yara *yara, const char *name,
                                       const char *name_space, struct hf_bytes text);

/* What compiled so far, in order. index < count. */
size_t hf_yara_count(const struct hf_yara *yara);
const struct hf_yara_rule *hf_yara_rule(const struct hf_yara *yara, size_t index);

/* How many errors and warnings there were. */
size_t hf_yara_errors(const struct hf_yara *yara);
size_t hf_yara_warnings(const struct hf_yara *yara);

#endif
