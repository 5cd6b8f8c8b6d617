/* object.h - one byte stream under scan and the scan that it belongs to; shared by the engine's
 * files, which are the way of an object: engine.c leads it, children.c takes it apart, judge.c
 * says what it is. */
#ifndef HF_SCAN_OBJECT_H
#define HF_SCAN_OBJECT_H

#include "digest/streams.h"
#include "scan/child_store.h"
#include "scan/engine.h"
#include "scan/expressions.h"
#include "scan/members.h"
#include "scan/prepared.h"
#include "scan/wakers.h"

struct hf_object {
    const struct hf_object *parent; /* NULL: the file */
    struct hf_bytes name;           /* in its parent */
    enum hf_format inside;          /* as what the parent was opened; with a parent only */
    struct hf_bytes bytes;
    const struct hf_extent *extents; /* as in struct hf_source */
    size_t extent_count;
    uint64_t depth; /* 0: the file */
    enum hf_format format;
    bool retyped; /* looked at as another format already, for a rule wanted that */
    struct hf_digests digests; /* as far as somebody needed them */
    unsigned wanted;           /* digests that some signature of this size could use */
    struct hf_stream *stream;  /* on their way; NULL: none */
};

struct hf_engine {
    const struct hf_db *db;
    struct hf_engine_options options;
    struct hf_hasher *hasher;
    struct hf_streams streams; /* of the object at hand, those around it, files to come */
    struct hf_arena *arena;    /* tables of decoders, matches; rewound after each object */
    struct hf_machine_scratch *scratch; /* of patterns that are programs */
    struct hf_prepared_table prepared;
    struct hf_wakers wakers;
    struct hf_expressions expressions;
    struct hf_member_rules members;
    struct hf_spool spool;
    bool tainted;

    /* The scan at hand. */
    struct hf_budget budget;
    struct hf_report *report;
    uint64_t finished;      /* objects */
    bool found;             /* something that is more than an indicator */
    uint64_t fact_bytes;    /* reported so far, when inspecting */
    struct hf_buffer asked; /* as scan/asked.h has it; kept for the next scan */
};

/* Whether the scan may end: the verdict stands and nobody asked for more. */
bool hf_scan_settled(const struct hf_engine *engine);

/* Record that an object was not looked at as a whole. */
void hf_scan_incident(struct hf_engine *engine, const struct hf_object *object,
                      enum hf_status status);

/* Record a signature that holds for an object; fills in path and order. */
void hf_scan_finding(struct hf_engine *engine, const struct hf_object *object,
                     struct hf_finding *finding);

/* Scan an object: children first, then itself. HF_OK, HF_LIMIT (the scan's budget is spent),
 * HF_STOPPED (settled). */
enum hf_status hf_scan_object(struct hf_engine *engine, struct hf_object *object);

/* Unpack an object, as everything that it can be, and scan its children. */
enum hf_status hf_scan_children(struct hf_engine *engine, struct hf_object *object);

/* Add the object to the report with its digests and facts. */
void hf_scan_inspect(struct hf_engine *engine, struct hf_object *object);

/* Names from the outermost container to the object; storage holds the last HF_SCAN_PATH_MAX. */
enum { HF_SCAN_PATH_MAX = 256 };
struct hf_inner_path hf_scan_path(const struct hf_object *object,
                                  struct hf_bytes storage[HF_SCAN_PATH_MAX]);

/* Look for signatures of what a container, opened as a format, says of a member. */
struct hf_child;
void hf_scan_member(struct hf_engine *engine, struct hf_object *container,
                    enum hf_format format, const struct hf_child *child);

/* Note that digests were asked of something of this size, and what they are. */
void hf_scan_asked(struct hf_engine *engine, enum hf_db_scope scope, uint64_t size,
                   const struct hf_digests *digests, unsigned kinds);

/* Find signatures that hold for the object itself and add them to the report. */
void hf_scan_judge(struct hf_engine *engine, struct hf_object *object);

#endif
