/* report.h - what a scan of one file came to: verdict, evidence, reasons. Filled in the worker,
 * carried by messages, given names and written as text or JSON by the parent. Numbers and
 * bounded bytes only: a worker never makes a line that people or programs read. */
#ifndef HF_SCAN_REPORT_H
#define HF_SCAN_REPORT_H

#include "base/arena.h"
#include "db/db.h"
#include "digest/digest.h"
#include "format/format.h"
#include "scan/form.h"

/* Stored nowhere, sent in messages of one program version. */
enum hf_finding_kind {
    HF_FINDING_MD5, /* the first three as enum hf_digest_kind */
    HF_FINDING_SHA1,
    HF_FINDING_SHA256,
    HF_FINDING_PATTERN, /* a rule of one literal: offset and length are the match's */
    HF_FINDING_RULE
};
const char *hf_finding_kind_name(
    enum hf_finding_kind kind); /* "md5", ..., "pattern", "rule" */

/* The way from the scanned file to an object inside: raw names, outermost first. */
struct hf_inner_path {
    struct hf_bytes *names;
    size_t count; /* 0: the file itself */
};

enum {
    HF_INNER_NAME_MAX = 1024, /* longer names are cut */
    HF_INNER_DEPTH_MAX = 64,  /* deeper paths keep the outermost 63 and the innermost */
    HF_FINDINGS_MAX = 4096,   /* of one file; more are counted */
    HF_INCIDENTS_MAX = 16,    /* of one file; more are counted */
    HF_SUSPENDED_MAX = 64,    /* of one file; more are counted */
    HF_INSPECTED_MAX = 4096,  /* objects of one inspected file; more are counted */
    HF_INSPECT_BYTES_MAX =
        8 << 20,                  /* facts of one inspected file; what is past it is cut, */
    HF_INSPECT_BYTES_SLACK = 4096 /*   but for the ends of what was open */
};

/* A signature that holds for an object. */
struct hf_finding {
    struct hf_signature signature;
    enum hf_finding_kind kind;
    enum hf_verdict severity; /* HF_INFECTED, HF_SUSPICIOUS, HF_PUA */
    bool indicator;           /* stands back behind others */
    enum hf_view_kind view;
    uint64_t offset, length; /* HF_NO_OFFSET, 0 for digests */
    bool part;               /* a digest of a part; for sorting, not sent */
    bool member;    /* of what a container says of a member; for sorting, not sent */
    bool general;   /* a rule for files of every type; for sorting, not sent */
    bool body;      /* a ClamAV body signature; for sorting, not sent */
    uint64_t order; /* of its object among those finished; for sorting, not sent */
    struct hf_inner_path path;
};

/* Why part of the file was not looked at, and where. */
struct hf_incident {
    enum hf_reason reason;
    struct hf_inner_path path;
};

/* An object as `inspect` shows it. */
struct hf_inspected {
    struct hf_inner_path path;
    enum hf_format format;
    enum hf_format also[HF_ALSO_MAX]; /* what it is besides */
    size_t also_count;
    uint64_t size;
    struct hf_digests digests; /* all kinds */
    struct hf_bytes facts;     /* as facts/facts_wire.h has them */
    bool facts_cut;
};

struct hf_report {
    bool first_only; /* of the findings only the one that names the file is kept */
    enum hf_verdict verdict;
    unsigned reasons; /* enum hf_reason, or-ed */
    struct hf_finding
        *findings; /* in the order of hf_report_finish: the first names the file */
    size_t finding_count;
    uint64_t findings_dropped;
    struct hf_incident *incidents;
    size_t incident_count;
    /* Signatures of which a pattern cost too much and was given up in this file: they may have
     * been missed. Each once, in the order of segment and number. */
    struct hf_signature *suspended;
    size_t suspended_count;
    uint64_t suspended_dropped;
    struct hf_bytes told; /* what rules say of themselves (facts/told.h); borrowed */
    struct hf_inspected *inspected; /* containers before what is in them; inspecting only */
    size_t inspected_count;
    uint64_t inspected_dropped; /* objects that there was no room for */
    uint64_t objects, bytes;    /* scanned, the file included */
    uint64_t work;              /* units spent */
    uint64_t rules;             /* conditions of rules that were evaluated, all views */
    enum hf_format format;      /* of the file itself */
    bool excused;            /* something held and an allow or ignore list took it away */
    bool asked_cut;          /* asked is not all, or was not noted */
    struct hf_bytes asked;   /* as scan/asked.h has it; borrowed */
    uint32_t worker;         /* who says so, as a pool counts them; 0: nobody's */
    uint64_t generation;     /* of the databases, as a pool counts them (jail/pool.h) */
    struct hf_form_out form; /* where a form goes, if one is wanted (scan/form.h) */
    struct hf_arena *arena;  /* borrowed: findings, incidents and paths live there */
};

/* Empty, growing in arena. */
struct hf_report hf_report_begin(struct hf_arena *arena);

/* Add; path names are copied and cut. A signature that was found in another view of the same
 * object before is not added again. Past the caps things are counted, never lost silently. */
void hf_report_found(struct hf_report *report, const struct hf_finding *finding);
void hf_report_incident(struct hf_report *report, enum hf_reason reason,
                        const struct hf_inner_path *path);
void hf_report_suspended(struct hf_report *report, struct hf_signature signature);
void hf_report_inspected(struct hf_report *report, const struct hf_inspected *object);

/*
 * Order findings and draw the verdict. The total order, so that the name does not depend on
 * chance: children before parents (in the order in which objects were finished, which is how
 * they were added), raw bytes before other views, what containers say of members before body signatures
 * before digests before rules before digests of parts, rules for one type of file before those for all,
 * segment and load order, then offset;
 * indicators behind all others.
 */
void hf_report_finish(struct hf_report *report);

#endif
