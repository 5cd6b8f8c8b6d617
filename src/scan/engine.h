/* engine.h - the scan of one file: identify, digests, views, facts, children, verdict. One
 * engine a thread; runs in jailed workers (and in the in-process library on request). Opens no
 * file, starts no process, asks no clock. */
#ifndef HF_SCAN_ENGINE_H
#define HF_SCAN_ENGINE_H

#include "db/db.h"
#include "facts/facts.h"
#include "rules/machine.h"
#include "scan/form.h"
#include "scan/report.h"
#include "scan/source.h"

struct hf_engine;

/* A rule that is true of an object, with what its patterns matched; ends with the callback. */
struct hf_true_rule {
    struct hf_signature signature;
    uint32_t segment, rule; /* for hf_db_rule and hf_db_rule_text */
    uint32_t pattern_count;
    struct hf_bytes view; /* that offsets are in */
    const void *hits;     /* private */
};

/* The matches of one of its patterns, by offset, then length. Returns how many; borrowed. */
size_t hf_true_rule_matches(const struct hf_true_rule *rule, uint32_t pattern,
                            const struct hf_match **matches);
typedef void hf_on_true_rule(void *user, const struct hf_true_rule *rule);

struct hf_engine_options {
    struct hf_limits limits;
    bool
        all_match; /* all findings of an object and of all objects; else the first ends the scan */
    bool inspect;      /* report every object with its digests and facts; wants all_match */
    bool note_digests; /* reports say which digests were asked (scan/asked.h) */
    enum hf_form
        form;  /* instead of scanning it, an object is written to the report's form */
    bool flat; /* objects are not unpacked: what is scanned is the file alone */
    /* Called for each rule that is true and not private, in no particular order, before policy is
     * asked; all matches of all
     * patterns are kept then. NULL: not. */
    hf_on_true_rule *on_true_rule;
    void *on_true_rule_user;
    /* The values that conditions know by number, as many as the rules were compiled with; borrowed.
     * NULL: those of rules/externals.h. */
    const struct hf_value *externals;
    size_t external_count;
    const struct hf_fact_outside *outside; /* borrowed, may be NULL: for modules of rules */
    int spool_fd; /* unlinked, read-write, for children past the private threshold; -1: none */
};

/* db is borrowed and outlives the engine. Loads what a sealed process could not load any more.
 * HF_NOMEM. */
HF_MUST_USE enum hf_status hf_engine_new(const struct hf_db *db,
                                         const struct hf_engine_options *options,
                                         struct hf_engine **out);
void hf_engine_free(struct hf_engine *engine);

/*
 * A file that will be scanned soon: its digests advance beside those of the files before it.
 *
 * source  opened; source->stream is set to stream. Every source is scanned or forgotten
 *         (hf_stream_drop is part of both) before it is closed.
 * stream  the caller's storage, until then.
 */
void hf_engine_expect(struct hf_engine *engine, struct hf_source *source,
                      struct hf_stream *stream);
void hf_engine_forget(struct hf_engine *engine, struct hf_source *source);

/*
 * Scan.
 *
 * source  opened; the caller closes it afterwards and adds HF_CHANGED by hf_report_incident
 *         before hf_report_finish.
 * report  begun by the caller; findings and incidents are added in the order of objects.
 * Returns HF_OK (whatever was found), HF_NOMEM (nothing more can be said).
 */
HF_MUST_USE enum hf_status hf_engine_scan(struct hf_engine *engine,
                                          const struct hf_source *source,
                                          struct hf_report *report);

/* Whether the last scan met something after which the process should be replaced (a risky
 * decoder was used, a limit was reached). */
bool hf_engine_tainted(const struct hf_engine *engine);

#endif
