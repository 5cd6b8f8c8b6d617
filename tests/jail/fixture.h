/* fixture.h - a pool with the hostile worker, objects made of texts, and what came of them. */
#ifndef HF_TESTS_JAIL_FIXTURE_H
#define HF_TESTS_JAIL_FIXTURE_H

#include "hostile.h"

#include "jail/pool.h"

#include <sys/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { OBJECTS_MAX = 4096 };

struct outcome {
    unsigned reports; /* how often it was reported */
    enum hf_status status;
    enum hf_verdict verdict;
    unsigned reasons;
    size_t findings, incidents;
    uint32_t number; /* of the first finding */
    uint64_t offset;
    size_t path_count, path_name;
};

struct fixture {
    struct hf_pool *pool;
    struct outcome outcomes[OBJECTS_MAX];
    uint64_t next;
};

/* jail: HOLDFAST_JAIL, "" for all layers. limits.time_ms and so on as given. */
struct fixture *fixture_open(const char *jail, const struct hf_pool_options *options);
void fixture_close(struct fixture *f);

/* Submit (waiting for room); ids count from 0. */
uint64_t fixture_submit(struct fixture *f, const char *text);
uint64_t fixture_submit_fd(struct fixture *f, int fd);
void fixture_finish(struct fixture *f); /* wait for all */

/* Submit one and wait for it. */
const struct outcome *fixture_run(struct fixture *f, const char *text);

void assert_clean(const struct outcome *o);
void assert_unscannable(const struct outcome *o, enum hf_reason reason);

/* Children of a process, by /proc; returns how many. */
size_t children_of(pid_t parent, pid_t *out, size_t room);

#endif
