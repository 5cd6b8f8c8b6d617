/* rules_sources.h - YARA sources that `holdfast rules` works on: named files, and those in folders
 * with the endings .yar and .yara. */
#ifndef HF_CLI_RULES_SOURCES_H
#define HF_CLI_RULES_SOURCES_H

#include "cli/options.h"
#include "rules/yara/yara.h"

struct hf_rules_source {
    char *path;
    struct hf_buffer text;
};

struct hf_rules_sources {
    struct hf_rules_source *items; /* owned, in the order of the walk */
    size_t count;
};

/* Read all. False after complaints; what could be read is there. */
bool hf_rules_sources_read(struct hf_rules_sources *sources,
                           const struct hf_arguments *arguments);
void hf_rules_sources_done(struct hf_rules_sources *sources);

/* A compiler for one of them, with the values that public sets expect; includes are opened beside
 * the source. message and user as in hf_yara_options. */
struct hf_yara *hf_rules_compiler(void (*message)(void *user,
                                                  const struct hf_yara_message *message),
                                  void *user);

/* What `rules explain` and `rules check` know of one string. */
struct hf_rules_cost {
    const char *class;  /* as `db info --classes` has them */
    size_t needles;     /* literals searched for */
    uint8_t anchor[32]; /* the shortest of them, its beginning */
    size_t anchor_length, anchor_shown;
    bool slow;       /* costs a look at very many places */
    const char *why; /* a sentence */
};
void hf_rules_cost(const struct hf_yara_string *string, struct hf_rules_cost *cost);

int hf_rules_explain(const struct hf_arguments *arguments, bool json);
int hf_rules_test(const struct hf_arguments *arguments, bool json);

#endif
