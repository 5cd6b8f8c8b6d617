/* db_bench - what an opened database costs: opening it, the first verdict, lookups by size and
 * by digest, names.
 *
 *   db_bench FILE.hfdb          one line a measurement: name, value, unit
 *
 * Sizes and digests that are looked for are drawn from the database itself (hits) and made up
 * (misses), with the same numbers in every run. */
#include "base/auto.h"
#include "db/db.h"
#include "db/db_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 200000, NAMES = 20000 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static uint64_t mixed(uint64_t i)
{
    i = (i ^ i >> 31) * UINT64_C(0x7fb5d329728ea185);
    i = (i ^ i >> 27) * UINT64_C(0x81dadef4bc2dd44d);
    return i ^ i >> 33;
}

static bool count_hit(void *user, struct hf_signature signature, enum hf_digest_kind kind)
{
    (void)signature;
    (void)kind;
    ++*(unsigned *)user;
    return true;
}

/* Digests of an entry; false when it cannot be read. */
static bool entry_of(const struct hf_hash_table *table, enum hf_digest_kind kind,
                     uint32_t entry, struct hf_digests *digests, uint64_t *size)
{
    struct hf_bytes kept = hf_hash_table_digest(table, entry);
    *digests = (struct hf_digests){.have = 1u << kind};
    memcpy(digests->value[kind], kept.data, kept.len);
    return hf_hash_table_size_of(table, entry, size);
}

static void bench_table(const struct hf_db *db, enum hf_digest_kind kind)
{
    const struct hf_hash_table *table = &db->segments[0].tables[HF_DB_HASH_MD5 + kind];
    uint32_t entries = table->sized + table->any;
    unsigned hits = 0, wanted = 0;
    if (entries == 0)
        return;
    double spent = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct hf_digests digests;
        uint64_t size;
        if (!entry_of(table, kind, (uint32_t)(mixed(i) % entries), &digests, &size))
            return;
        double start = now_us();
        hf_db_find_digests(db, size, &digests, count_hit, &hits);
        spent += now_us() - start;
    }
    printf("%s find, hit %.3f us (%u of %u found)\n", hf_digest_name(kind), spent / ROUNDS,
           hits, ROUNDS);
    double start = now_us();
    for (unsigned i = 0; i < ROUNDS; i++)
        wanted += hf_db_digests_wanted(db, 1 + mixed(i) % 4000000) != 0;
    printf("digests wanted, any size %.3f us (%u of %u sizes)\n",
           (now_us() - start) / ROUNDS, wanted, ROUNDS);
}

static void bench_names(const struct hf_db *db)
{
    uint32_t count = db->segments[0].names.count;
    HF_AUTO(hf_buffer_done) struct hf_buffer name = {0};
    double start = now_us();
    for (unsigned i = 0; i < NAMES && count > 0; i++) {
        hf_buffer_clear(&name);
        struct hf_signature signature = {0, (uint32_t)(mixed(i) % count)};
        if (hf_db_name(db, signature, &name) != HF_OK)
            return;
    }
    printf("name %.3f us\n", (now_us() - start) / NAMES);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    double start = now_us();
    int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
    HF_AUTO(hf_db_release) struct hf_db *db = NULL;
    if (fd < 0 || hf_db_open(&fd, 1, &db) != HF_OK)
        return 2;
    printf("open %.1f us\n", now_us() - start);
    struct hf_digests digests = {.have = 7};
    unsigned hits = 0;
    start = now_us();
    (void)hf_db_digests_wanted(db, 123456);
    hf_db_find_digests(db, 123456, &digests, count_hit, &hits);
    printf("first lookup %.1f us\n", now_us() - start);
    for (unsigned kind = 0; kind < HF_DIGEST_KINDS; kind++)
        bench_table(db, (enum hf_digest_kind)kind);
    bench_names(db);
    close(fd);
    return 0;
}
