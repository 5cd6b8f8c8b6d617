/* protocol.h - the messages between a parent (opener: command line, library, daemon), the
 * template and the workers. Unix sockets of type SOCK_SEQPACKET: a datagram is a message, or
 * for results several. Both sides decode through the cursor; a message that does not decode, or
 * does not end exactly, means a peer that is broken or owned: it is killed, never argued with.
 *
 *   parent                template (holdfast-worker)            worker (forked from it)
 *     │ exec, fd 3 = control     │
 *     │── CONFIG + databases ───►│ maps, prepares, seals
 *     │◄───────────────── READY ─│
 *     │── FORK + channel, page ─►│── fork ──────────────────────►│ takes the channel, seals more
 *     │◄──────── FORKED + pidfd ─│                               │
 *     │── BATCH + descriptors ──────────────────────────────────►│ one object in flight:
 *     │◄── FORM*, FINDING*, INCIDENT*, (OBJECT, FACTS*)*, DONE ──│ its number is in the page
 *     │◄───────── EXITED ────────│◄─────────────────────── dies ─│
 *
 * The shared page is written by the worker and only ever read as two numbers by the parent: a
 * lying worker can blame another object of its own batches, nothing else. */
#ifndef HF_JAIL_PROTOCOL_H
#define HF_JAIL_PROTOCOL_H

#include "base/buffer.h"
#include "base/cursor.h"
#include "facts/told.h"
#include "scan/asked.h"
#include "scan/report.h"

enum {
    HF_CONTROL_FD = 3, /* of the template at exec; a worker has its channel there */
    HF_SPOOL_FD = 4,   /* of a worker: the engine's spool_fd */
    HF_MESSAGE_MAX = 96 * 1024, /* the longest FINDING, 64 names of 1 KiB, fits whole */
    HF_READY_TEXT_MAX = 1024,
    HF_FACTS_PIECE_MAX = 32 * 1024,
    HF_EXTERNALS_BYTES_MAX = 64 * 1024, /* of values in a CONFIG */
    HF_BATCH_MAX = 64 /* descriptors in one BATCH; the kernel's own limit is 253 */
};

enum hf_message_type {
    HF_MSG_CONFIG =
        1,          /* parent -> template; descriptors: database segments, oldest first */
    HF_MSG_READY,   /* template -> parent: layers, or why not */
    HF_MSG_FORK,    /* parent -> template; descriptors: channel, page, [spool] */
    HF_MSG_FORKED,  /* template -> parent; descriptor: pidfd */
    HF_MSG_EXITED,  /* template -> parent */
    HF_MSG_BATCH,   /* parent -> worker; one descriptor an object */
    HF_MSG_FINDING, /* worker -> parent, records; any number in a datagram, in order: all */
    HF_MSG_INCIDENT, /*   FINDINGs and INCIDENTs of an object, then its DONE */
    HF_MSG_DONE,
    HF_MSG_OBJECT,    /* worker -> parent, inspecting only: an object of the file, */
    HF_MSG_FACTS,     /*   then its facts in pieces; before DONE */
    HF_MSG_SUSPENDED, /* worker -> parent: a signature that was given up; before DONE */
    HF_MSG_TOLD, /* worker -> parent: a piece of what was told (facts/told.h); before DONE */
    HF_MSG_FORM  /* worker -> parent, when a form is wanted: a piece of it; before DONE */
};

/* Layers of the jail, as bits; `holdfast status --jail` shows them. */
enum hf_jail_layer {
    HF_LAYER_SECCOMP = 1 << 0,
    HF_LAYER_NO_NEW_PRIVS = 1 << 1,
    HF_LAYER_LANDLOCK = 1 << 2,
    HF_LAYER_USER_NS = 1 << 3, /* own user, network, IPC, UTS namespaces */
    HF_LAYER_NO_CAPS = 1 << 4,
    HF_LAYER_RLIMITS = 1 << 5,
    HF_LAYER_NOT_DUMPABLE = 1 << 6
};

struct hf_msg_config {
    struct hf_limits limits;
    bool all_match, inspect, note_digests, flat;
    struct hf_tell_options tell;
    /* The last descriptor is no database but a report for the module cuckoo. */
    bool has_report;
    /* Values that conditions know by number; has_externals false: those of rules/externals.h.
     * Encoded as hf_told_put_values does. */
    bool has_externals;
    struct hf_bytes externals;
    enum hf_form form;
    uint64_t memory; /* bytes of private memory a worker may have (RLIMIT_DATA) */
};

struct hf_msg_ready {
    enum hf_status status; /* HF_OK; else why the template cannot work */
    uint32_t layers;       /* of the workers to come */
    struct hf_bytes text;  /* what failed, for the error message */
};

struct hf_msg_fork {
    uint32_t serial; /* chosen by the parent; names the worker in FORKED and EXITED */
    bool has_spool;
};

struct hf_msg_forked {
    uint32_t serial;
    int32_t pid; /* as the template sees it; for messages only: the pidfd is what counts */
};

enum { HF_NEVER_LIVED = -1 };

struct hf_msg_exited {
    uint32_t serial;
    int32_t wait_status; /* as waitpid gives it; HF_NEVER_LIVED: it could not be forked */
};

/* Objects are numbered by the parent, upwards, over the life of a worker. */
struct hf_msg_batch {
    uint64_t first; /* number of the first object; the others follow */
    uint32_t count; /* = descriptors, 1..HF_BATCH_MAX */
};

struct hf_msg_finding {
    uint64_t object;
    struct hf_finding finding;
};

struct hf_msg_incident {
    uint64_t object;
    struct hf_incident incident;
};

struct hf_msg_suspended {
    uint64_t object;
    struct hf_signature signature;
};

/* All of an inspected object but its facts, whose length it announces in seen.facts.len; they
 * follow in FACTS, and all of them come before the next record of another type. */
struct hf_msg_object {
    uint64_t object;
    struct hf_inspected seen;
};

struct hf_msg_facts {
    uint64_t object;
    struct hf_bytes piece; /* 1..HF_FACTS_PIECE_MAX bytes */
};

struct hf_msg_told {
    uint64_t object;
    struct hf_bytes piece; /* 1..HF_FACTS_PIECE_MAX bytes */
};

/* Pieces of a part come in order, without gaps. */
struct hf_msg_form {
    uint64_t object;
    uint32_t part;         /* below HF_FORM_PARTS */
    uint64_t offset;       /* of the piece in its part */
    struct hf_bytes piece; /* 1..HF_FACTS_PIECE_MAX bytes */
};

struct hf_msg_done {
    uint64_t object;
    enum hf_status status; /* HF_OK; HF_INVALID, HF_IO: could not be read at all */
    uint32_t verdict, reasons, format;
    uint64_t objects, bytes, work, rules, findings_dropped, inspected_dropped,
        suspended_dropped;
    bool excused, asked_cut;
    struct hf_bytes asked; /* at most HF_ASKED_BYTES_MAX */
    bool last;             /* the worker ends now by itself: send it nothing more */
};

/* The page that a worker shares with its parent. */
struct hf_worker_page {
    _Atomic uint64_t object;  /* number of the object in flight; UINT64_MAX: none */
    _Atomic uint64_t started; /* objects begun so far: unchanged means the same object */
};

/* One encoded record: u32 type, u32 length of the body, body; little-endian, counted byte
 * strings, one form for each value, so that what decodes encodes to the same bytes. Encoding
 * appends to out; texts and paths past their caps are cut. */
void hf_msg_put_config(struct hf_buffer *out, const struct hf_msg_config *m);
void hf_msg_put_ready(struct hf_buffer *out, const struct hf_msg_ready *m);
void hf_msg_put_fork(struct hf_buffer *out, const struct hf_msg_fork *m);
void hf_msg_put_forked(struct hf_buffer *out, const struct hf_msg_forked *m);
void hf_msg_put_exited(struct hf_buffer *out, const struct hf_msg_exited *m);
void hf_msg_put_batch(struct hf_buffer *out, const struct hf_msg_batch *m);
void hf_msg_put_finding(struct hf_buffer *out, const struct hf_msg_finding *m);
void hf_msg_put_incident(struct hf_buffer *out, const struct hf_msg_incident *m);
void hf_msg_put_suspended(struct hf_buffer *out, const struct hf_msg_suspended *m);
void hf_msg_put_done(struct hf_buffer *out, const struct hf_msg_done *m);
void hf_msg_put_object(struct hf_buffer *out, const struct hf_msg_object *m);
void hf_msg_put_facts(struct hf_buffer *out, const struct hf_msg_facts *m);
void hf_msg_put_told(struct hf_buffer *out, const struct hf_msg_told *m);
void hf_msg_put_form(struct hf_buffer *out, const struct hf_msg_form *m);

/* A decoded record; what it borrows is in the datagram or in the arena given. */
struct hf_message {
    enum hf_message_type type;
    union {
        struct hf_msg_config config;
        struct hf_msg_ready ready;
        struct hf_msg_fork fork;
        struct hf_msg_forked forked;
        struct hf_msg_exited exited;
        struct hf_msg_batch batch;
        struct hf_msg_finding finding;
        struct hf_msg_incident incident;
        struct hf_msg_suspended suspended;
        struct hf_msg_done done;
        struct hf_msg_object seen_object;
        struct hf_msg_facts facts;
        struct hf_msg_told told;
        struct hf_msg_form form;
    };
};

/* Decode the next record of a datagram. Every enumeration and count is checked against its
 * range. HF_OK; HF_NOTFOUND at the exact end; HF_MALFORMED; HF_NOMEM. */
HF_MUST_USE enum hf_status hf_msg_next(struct hf_cursor *datagram, struct hf_arena *arena,
                                       struct hf_message *message);

#endif
