/* template.h - the two kinds of process that holdfast-worker becomes. */
#ifndef HF_JAIL_TEMPLATE_H
#define HF_JAIL_TEMPLATE_H

#include "jail/seal.h"
#include "jail/teller.h"
#include "scan/engine.h"

/* The template's life; returns the exit status of the process. jail: HOLDFAST_JAIL or NULL. */
int hf_template_run(const char *jail);

/* What a worker inherits from the template. */
struct hf_worker_start {
    const struct hf_seal *seal;
    struct hf_engine *engine; /* spools to HF_SPOOL_FD */
    struct hf_teller *teller; /* whom the engine tells */
    int channel, page, spool; /* as the template received them; spool -1: none */
};

/* A worker's life, in the forked process; returns its exit status. */
int hf_worker_run(const struct hf_worker_start *start);

/* Exit statuses that say what went wrong; for messages only. */
enum {
    HF_WORKER_EXIT_OK = 0,
    HF_WORKER_EXIT_USAGE = 2,
    HF_WORKER_EXIT_SETUP = 3,    /* descriptors could not be put in place */
    HF_WORKER_EXIT_SEAL = 4,     /* a layer of the jail failed */
    HF_WORKER_EXIT_PROTOCOL = 5, /* the parent sent what is no message */
    HF_WORKER_EXIT_MEMORY = 6
};

#endif
