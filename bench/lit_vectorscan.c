/* lit_vectorscan.c - the yardstick: hs_compile_lit_multi, block mode. [Vectorscan 5.4] */
#include "yardstick.h"

#include <stdio.h>
#include <stdlib.h>

#include <hs/hs.h>

struct yardstick {
    hs_database_t *database;
    hs_scratch_t *scratch;
};

static hs_database_t *compile(const struct hf_literal *literals, size_t count)
{
    const char **texts = calloc(count, sizeof *texts);
    unsigned *flags = calloc(count, sizeof *flags), *ids = calloc(count, sizeof *ids);
    size_t *lengths = calloc(count, sizeof *lengths);
    hs_database_t *db = NULL;
    hs_compile_error_t *error = NULL;
    if (texts == NULL || flags == NULL || ids == NULL || lengths == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        texts[i] = (const char *)literals[i].bytes.data;
        lengths[i] = literals[i].bytes.len;
        flags[i] = literals[i].nocase ? HS_FLAG_CASELESS : 0;
        ids[i] = literals[i].id;
    }
    if (hs_compile_lit_multi(texts, flags, ids, lengths, (unsigned)count, HS_MODE_BLOCK,
                             NULL, &db, &error) != HS_SUCCESS) {
        fprintf(stderr, "vectorscan: %s\n", error->message);
        return NULL;
    }
    free(texts);
    free(flags);
    free(ids);
    free(lengths);
    return db;
}

static hs_database_t *load(const char *cache)
{
    FILE *f = fopen(cache, "rb");
    hs_database_t *db = NULL;
    if (f == NULL)
        return NULL;
    if (fseek(f, 0, SEEK_END) == 0) {
        size_t size = (size_t)ftell(f);
        char *bytes = malloc(size);
        rewind(f);
        if (bytes != NULL && fread(bytes, 1, size, f) == size)
            (void)hs_deserialize_database(bytes, size, &db);
        free(bytes);
    }
    fclose(f);
    return db;
}

static void save(const hs_database_t *db, const char *cache)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *f = fopen(cache, "wb");
    if (f != NULL && hs_serialize_database(db, &bytes, &size) == HS_SUCCESS)
        (void)fwrite(bytes, 1, size, f);
    if (f != NULL)
        fclose(f);
    free(bytes);
}

struct yardstick *yardstick_open(const struct hf_literal *literals, size_t count,
                                 const char *cache)
{
    struct yardstick *y = calloc(1, sizeof *y);
    if (y == NULL)
        return NULL;
    y->database = load(cache);
    if (y->database == NULL) {
        y->database = compile(literals, count);
        if (y->database != NULL)
            save(y->database, cache);
    }
    if (y->database == NULL || hs_alloc_scratch(y->database, &y->scratch) != HS_SUCCESS) {
        yardstick_close(y);
        return NULL;
    }
    return y;
}

struct context {
    struct tally *tally;
    uint64_t base;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to,
                    unsigned flags, void *user)
{
    const struct context *c = user;
    (void)from;
    (void)flags;
    c->tally->matches++;
    c->tally->sum += tally_hash(id, c->base + to);
    return 0;
}

void yardstick_scan(struct yardstick *y, struct hf_bytes data, uint64_t base,
                    struct tally *tally)
{
    struct context c = {tally, base};
    (void)hs_scan(y->database, (const char *)data.data, (unsigned)data.len, 0, y->scratch,
                  on_match, &c);
}

void yardstick_close(struct yardstick *y)
{
    if (y == NULL)
        return;
    hs_free_scratch(y->scratch);
    hs_free_database(y->database);
    free(y);
}
