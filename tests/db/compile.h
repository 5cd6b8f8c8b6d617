/* compile.h - for the tests of databases: text in, opened database out. */
#ifndef HF_TESTS_DB_COMPILE_H
#define HF_TESTS_DB_COMPILE_H

#include "db/build.h"
#include "db/db.h"
#include "db/plan.h"

/* Text of one source and the name it is read under. */
struct compile_source {
    const char *name, *text;
};

/* Everything that a build said, one line each "file:line: text\n", and the compiled bytes. */
struct compiled {
    struct hf_buffer messages;
    struct hf_buffer bytes; /* copied to 64-aligned memory by compile */
    void *aligned;
    struct hf_build_summary summary;
    struct hf_db *db;
};

/* Build and open; asserts that it works. */
struct compiled compile(const struct compile_source *sources, size_t count);
struct compiled compile_one(const char *name, const char *text);
void compiled_done(struct compiled *c);

/* The name of the first signature found by a digest given in hexadecimal, "" for none; borrowed
 * until the next call. */
const char *found_name(const struct hf_db *db, const char *hex, uint64_t size);

/* Several segments: compile each, open all of them. */
struct hf_db *open_segments(const struct compiled *parts, size_t count);

/* With a plan; places: one for each, or NULL. */
struct hf_db *open_planned(const struct compiled *parts, size_t count,
                           const struct hf_db_place *places);

#endif
