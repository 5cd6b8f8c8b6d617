/* holdfast.h - the public C API of libholdfast: open content, scan descriptors and memory in
 * jailed workers, read verdicts with evidence. The only installed header.
 *
 * Copyright The Holdfast Authors. SPDX-License-Identifier: Apache-2.0
 *
 * Threads: a struct hf_context may be used from several threads at once; every scan call is
 * synchronous and uses a worker of its own. The library installs no signal handlers, forks
 * nothing in the host (workers are started by posix_spawn) and writes to no log or terminal. */
#ifndef HOLDFAST_H
#define HOLDFAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HF_MUST_USE __attribute__((warn_unused_result))
#define HF_PUBLIC   __attribute__((visibility("default")))
#else
#define HF_MUST_USE
#define HF_PUBLIC
#endif

/* What a call came to. Never says whether something is infected: that is a verdict. */
enum hf_status {
    HF_OK = 0,
    HF_TRUNCATED,   /* the input ends before what it announces */
    HF_MALFORMED,   /* the input contradicts its format */
    HF_UNSUPPORTED, /* a method, version or option that is not implemented */
    HF_ENCRYPTED,   /* needs a key or password that nobody gave */
    HF_LIMIT,       /* a limit of bytes, objects, depth, work or time was reached */
    HF_CHANGED,     /* the file changed while it was read */
    HF_NOTFOUND,    /* no such thing */
    HF_NOMEM,       /* out of memory */
    HF_IO,          /* the operating system refused: errno or the note says what */
    HF_CRASHED,     /* a worker died or spoke nonsense */
    HF_INVALID,     /* the caller's arguments do not fit */
    HF_STOPPED      /* the caller's callback asked to stop */
};

/* What is known of an object, mildest first; the gravest of an object and its children is the
 * file's verdict. HF_UNSCANNABLE means: nothing was found, and not everything was looked at. */
enum hf_verdict { HF_CLEAN = 0, HF_UNSCANNABLE, HF_PUA, HF_SUSPICIOUS, HF_INFECTED };

/* Why not everything was looked at: bits, for several can hold at once, and they are also
 * set when something was found. */
enum hf_reason {
    HF_REASON_ENCRYPTED = 1 << 0,
    HF_REASON_LIMIT = 1 << 1,
    HF_REASON_MALFORMED = 1 << 2,
    HF_REASON_UNSUPPORTED = 1 << 3,
    HF_REASON_CRASH = 1 << 4,
    HF_REASON_TIMEOUT = 1 << 5,
    HF_REASON_CHANGED = 1 << 6
};

/* Limits of one top-level scan; 0 means no limit of that kind, HF_LIMIT_NOTHING that there is to be
 * none of it. Defaults by hf_limits_default. */
#define HF_LIMIT_NOTHING UINT64_MAX
struct hf_limits {
    uint64_t object_bytes; /* size of one unpacked child */
    uint64_t scan_bytes;   /* bytes unpacked in one scan, all children together */
    uint64_t objects;      /* children in one scan */
    uint64_t depth;        /* children of children */
    uint64_t work;         /* work units: about one per hostile record or per KiB touched */
    uint64_t time_ms;      /* wall clock backstop, kept by the parent of the worker */
    /* What one rule may cost in one object: so many steps of its condition, and one for every
     * second byte; a quarter of it each pattern that no longer literal piece helps to find. A rule
     * that would cost more is given up for the object and named as suspended. */
    uint64_t rule_work;
};

struct hf_options {
    const char
        *worker_path; /* holdfast-worker; NULL: beside the program, then the installed */
    unsigned workers; /* most workers alive at once; 0: as many as processors */
    bool all_match;   /* report every detection, not only the first of an object */
    struct hf_limits limits;
};

/* One detection. Pointers are borrowed and end with the callback. */
struct hf_detection {
    const char *name;        /* signature or rule name, as its author wrote it */
    enum hf_verdict verdict; /* HF_INFECTED, HF_SUSPICIOUS or HF_PUA */
    const char *source;      /* file or feed that the signature came from, or "" */
    const char *const
        *path;        /* names from the outermost container to the object; raw bytes */
    size_t path_len;  /* 0: the scanned file itself */
    uint64_t offset;  /* in the matched view; HF_NO_OFFSET: not a place (a digest) */
    uint64_t length;  /* of the match */
    const char *view; /* "raw", or the decoding in which it matched */
    const char *kind; /* "sha256", "md5", "sha1", "pattern", ... */
};
#define HF_NO_OFFSET UINT64_MAX

struct hf_result {
    enum hf_verdict verdict;
    unsigned reasons;    /* enum hf_reason, or-ed */
    uint64_t detections; /* how many were reported */
    uint64_t objects;    /* the file and its children */
    uint64_t bytes;      /* scanned, children included */
};

/* Called for every detection, on the thread that scans. Non-zero ends the scan of this object:
 * the call returns HF_STOPPED. */
typedef int hf_on_detection(void *user, const struct hf_detection *detection);

struct hf_context;

/* Fill limits or options with the defaults that `holdfast scan` uses. */
HF_PUBLIC void hf_limits_default(struct hf_limits *limits);
HF_PUBLIC void hf_options_default(struct hf_options *options);

/*
 * Open a database and get ready to scan.
 *
 * out      receives the context on HF_OK; the caller closes it with hf_context_close.
 * db_path  a compiled database (*.hfdb); NULL for the built-in starter content.
 * options  copied; NULL for the defaults.
 * Returns HF_OK, HF_NOTFOUND (no such file, or no worker program), HF_MALFORMED (not a
 * database of this version), HF_IO, HF_NOMEM. hf_last_error says more.
 */
HF_PUBLIC HF_MUST_USE enum hf_status hf_context_open(struct hf_context **out,
                                                     const char *db_path,
                                                     const struct hf_options *options);

/* Ends all workers and frees. No scan may be running. NULL is accepted. */
HF_PUBLIC void hf_context_close(struct hf_context *context);

/*
 * Scan a regular file in a jailed worker.
 *
 * fd        open for reading; its file offset is neither used nor moved; stays the caller's.
 * on_found  may be NULL. user is handed to it.
 * result    filled on HF_OK, HF_STOPPED and HF_CRASHED.
 * Returns HF_OK (also when infected or unscannable: see result), HF_INVALID (not a regular
 * file), HF_IO, HF_NOMEM, HF_STOPPED, HF_CRASHED (no worker can be started any more).
 */
HF_PUBLIC HF_MUST_USE enum hf_status hf_scan_fd(struct hf_context *context, int fd,
                                                hf_on_detection *on_found, void *user,
                                                struct hf_result *result);

/* The same for bytes in memory, which are handed to the worker in a sealed memory file. */
HF_PUBLIC HF_MUST_USE enum hf_status hf_scan_memory(struct hf_context *context,
                                                    const void *data, size_t size,
                                                    hf_on_detection *on_found, void *user,
                                                    struct hf_result *result);

/*
 * Scan bytes in this very process, without a worker. What that gives up: hostile bytes are
 * parsed with the rights of the caller; a parser bug takes the caller down or over; there is no
 * wall clock backstop and no memory limit but the process's own. For bytes that the caller
 * trusts, and for callers that are jailed themselves. Loads libholdfast-engine on first use.
 * Returns as hf_scan_memory, and HF_NOTFOUND when the engine library is not installed.
 */
HF_PUBLIC HF_MUST_USE enum hf_status hf_scan_memory_in_process(
    struct hf_context *context, const void *data, size_t size, hf_on_detection *on_found,
    void *user, struct hf_result *result);

/* English text of a status, verdict or one reason; never NULL. Static storage. */
HF_PUBLIC const char *hf_status_text(enum hf_status status);
HF_PUBLIC const char *hf_verdict_text(enum hf_verdict verdict);
HF_PUBLIC const char *hf_reason_text(enum hf_reason reason);

/* What went wrong in this thread's last call that did not return HF_OK; "" if nothing. Valid
 * until the thread's next call. */
HF_PUBLIC const char *hf_last_error(void);

/* "0.1.0" */
HF_PUBLIC const char *hf_version(void);

#ifdef __cplusplus
}
#endif
#endif
