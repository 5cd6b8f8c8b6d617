/* build_internal.h - what the files of the builder share. */
#ifndef HF_DB_BUILD_INTERNAL_H
#define HF_DB_BUILD_INTERNAL_H

#include "db/build.h"
#include "db/jobs.h"
#include "db/output.h"
#include "db/pins.h"
#include "db/spool.h"
#include "db/stems.h"

#include <pthread.h>

/* Signatures that were not taken, counted by kind. */
struct hf_skipped {
    char *kind;
    uint64_t count;
};

/* Records of a list that grows: data, and where each one starts. */
struct hf_list {
    struct hf_buffer data;
    struct hf_buffer starts; /* uint32_t each, as memory has it */
    uint32_t count;
};

struct hf_build {
    hf_build_on_message *on_message;
    void *user;
    bool withdrawing;                            /* what is added is withdrawn instead */
    const struct hf_fact_module *const *modules; /* that rules may import; borrowed */
    size_t module_count;
    struct hf_list sources; /* counted file, counted licence */
    char *file;             /* of the current source */
    uint32_t source;        /* its number */
    unsigned threads;
    struct hf_jobs *jobs;
    pthread_mutex_t lock; /* of stems, while jobs run */
    struct hf_stems stems;
    struct hf_spool *digests;    /* kept cut */
    struct hf_spool *allowed;    /* kept whole */
    struct hf_batch pending[2];  /* added one by one: of digests, of allowed */
    uint64_t sequence;           /* of the next batch */
    struct hf_list rules;        /* u32 stem, u64 number, u64 id, stored form */
    struct hf_list patterns;     /* u32 rule, stored form */
    struct hf_list texts;        /* of rules; may end early, none: empty */
    struct hf_list ignored;      /* names */
    struct hf_buffer tombstones; /* uint64_t each, as memory has it */
    struct hf_buffer wakes;      /* u32le rule numbers */
    struct hf_buffer targets;    /* of each pattern's rule, one byte */
    struct hf_pins pins;
    struct hf_pua pua;
    bool matches_zeros;
    uint32_t views; /* that some rule sees: bits 1 << enum hf_view_kind */
    uint64_t table_counts[HF_DB_SECTION_TYPES][2]; /* added: with a size, of any */
    struct hf_skipped *skipped;
    size_t skipped_count;
    struct hf_build_summary summary;
};

/* Rule records before the stored form. */
enum { HF_RULE_STEM = 0, HF_RULE_NUMBER = 4, HF_RULE_ID = 12, HF_RULE_STORED = 20 };

/* Hand what was added one by one to the spools. */
HF_MUST_USE enum hf_status hf_build_flush(struct hf_build *build);

/* Count digests that were added to a table. */
void hf_build_count(struct hf_build *build, unsigned table, bool any_size, uint64_t count);

struct hf_bytes hf_cut_name(struct hf_bytes name);

void hf_list_add(struct hf_list *list, struct hf_bytes record);
struct hf_bytes hf_list_at(const struct hf_list *list, uint32_t number);

/* Write the hash tables (write_tables.c), names of their entries on the way. *signatures: how
 * many numbers are taken; groups receives the SIGNATURES records. */
struct hf_names_writer;
HF_MUST_USE enum hf_status hf_build_write_tables(struct hf_build *build,
                                                 struct hf_output *out,
                                                 struct hf_names_writer *names,
                                                 uint32_t *signatures,
                                                 struct hf_buffer *groups);

/* Write everything (write.c). */
HF_MUST_USE enum hf_status hf_build_write_fd(struct hf_build *build, int fd);

#endif
