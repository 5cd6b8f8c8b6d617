#include "db/coding.h"
#include "db/jobs.h"
#include "db/spool.h"
#include "db/stems.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* Numbers without pattern, the same in every run. */
static uint64_t mixed(uint64_t i)
{
    i = (i ^ i >> 31) * UINT64_C(0x7fb5d329728ea185);
    i = (i ^ i >> 27) * UINT64_C(0x81dadef4bc2dd44d);
    return i ^ i >> 33;
}

/* Few tables, sizes and digests, so that many are equal; number says which one it is. */
static struct hf_spooled record_of(uint64_t i)
{
    uint64_t x = mixed(i);
    struct hf_spooled r = {
        .table = (uint8_t)(HF_DB_HASH_MD5 + x % 3),
        .size = x >> 8 & 1 ? UINT64_MAX : x >> 16 & 0xff,
        .number = i,
        .stem = (uint32_t)(x >> 40),
    };
    r.digest[0] = (uint8_t)(x >> 24);
    r.digest[8] = (uint8_t)(x >> 32 & 3);
    r.digest[11] = (uint8_t)(x >> 34 & 1);
    return r;
}

static int compare(const struct hf_spooled *a, const struct hf_spooled *b)
{
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    int order = memcmp(a->digest, b->digest, 12);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

/* Batches are handed over last one first: the sequence decides, not the time. */
static void check_sorted(size_t kept, size_t total, size_t batch_size)
{
    struct hf_spool *spool = hf_spool_new(kept);
    uint8_t *seen = calloc(total, 1);
    struct hf_spooled block[1000], last = {0};
    size_t got, read = 0;
    assert_non_null(spool);
    for (size_t from = (total - 1) / batch_size * batch_size;; from -= batch_size) {
        struct hf_batch batch = {0};
        for (size_t i = from; i < from + batch_size && i < total; i++) {
            struct hf_spooled r = record_of(i);
            hf_batch_add(spool, &batch, &r);
        }
        assert_int_equal(hf_spool_take(spool, &batch, from), HF_OK);
        hf_batch_done(&batch);
        if (from == 0)
            break;
    }
    assert_int_equal(hf_spool_begin(spool), HF_OK);
    do {
        assert_int_equal(hf_spool_read(spool, block, 1000, &got), HF_OK);
        for (size_t i = 0; i < got; i++, read++) {
            struct hf_spooled is = record_of(block[i].number);
            assert_true(block[i].number < total && !seen[block[i].number]);
            seen[block[i].number] = 1;
            assert_true(is.size == block[i].size && is.stem == block[i].stem);
            assert_memory_equal(is.digest, block[i].digest, 12);
            assert_true(read == 0 || compare(&last, &block[i]) < 0);
            last = block[i];
        }
    } while (got == 1000);
    assert_int_equal(read, total);
    free(seen);
    hf_spool_free(spool);
}

static void records_come_back_in_order(void **state)
{
    (void)state;
    check_sorted(12, 1, 1);
    check_sorted(12, 2, 1);
    check_sorted(12, 5000, 7);
    check_sorted(12, 5000, 5000);
    check_sorted(32, 5000, 999);
}

static void records_that_memory_does_not_hold_come_back_too(void **state)
{
    (void)state;
    check_sorted(12, 800000, 70001); /* 25 MB */
    check_sorted(32, 400000, 60000); /* 22 MB */
}

static void an_empty_spool_ends_at_once(void **state)
{
    (void)state;
    struct hf_spool *spool = hf_spool_new(12);
    struct hf_spooled record;
    size_t got = 1;
    assert_int_equal(hf_spool_begin(spool), HF_OK);
    assert_int_equal(hf_spool_read(spool, &record, 1, &got), HF_OK);
    assert_int_equal(got, 0);
    hf_spool_free(spool);
}

static void whole_digests_are_kept_whole(void **state)
{
    (void)state;
    struct hf_spool *spool = hf_spool_new(32);
    struct hf_batch batch = {0};
    struct hf_spooled record = {.table = HF_DB_ALLOW_SHA256, .size = 1, .stem = 0xfffffffe};
    for (unsigned i = 0; i < 32; i++)
        record.digest[i] = (uint8_t)(i * 7 + 200);
    hf_batch_add(spool, &batch, &record);
    assert_int_equal(hf_spool_take(spool, &batch, 0), HF_OK);
    struct hf_spooled back = {0};
    size_t got;
    assert_int_equal(hf_spool_begin(spool), HF_OK);
    assert_int_equal(hf_spool_read(spool, &back, 1, &got), HF_OK);
    assert_memory_equal(back.digest, record.digest, 32);
    assert_int_equal(back.stem, record.stem);
    hf_spool_free(spool);
}

static void stems_are_changed_without_touching_digests(void **state)
{
    (void)state;
    for (size_t kept = 12; kept <= 32; kept += 20) {
        struct hf_spool *spool = hf_spool_new(kept);
        struct hf_batch batch = {0};
        struct hf_spooled record = {.table = 5, .size = 1, .stem = 1, .number = 77};
        const uint32_t map[] = {10, 4000000000};
        memset(record.digest, 0xa5, kept);
        hf_batch_add(spool, &batch, &record);
        hf_batch_map_stems(spool, &batch, map);
        assert_int_equal(hf_spool_take(spool, &batch, 0), HF_OK);
        struct hf_spooled back = {0};
        size_t got;
        assert_int_equal(hf_spool_begin(spool), HF_OK);
        assert_int_equal(hf_spool_read(spool, &back, 1, &got), HF_OK);
        assert_true(back.stem == 4000000000 && back.number == 77);
        assert_memory_equal(back.digest, record.digest, kept);
        hf_spool_free(spool);
    }
}

/* "before|number|after", "-" for no number. */
static void expect_split(const char *name, const char *before, int64_t number,
                         const char *after)
{
    struct hf_name_parts p = hf_name_split(hf_bytes_text(name));
    assert_int_equal(p.numbered, number >= 0);
    assert_true(!p.numbered || p.number == (uint64_t)number);
    assert_true(hf_bytes_equal(p.before, hf_bytes_text(before)));
    assert_true(hf_bytes_equal(p.after, hf_bytes_text(after)));
}

static void names_are_split_at_their_longest_number(void **state)
{
    (void)state;
    expect_split("Win.Trojan.Agent-1234567-0", "Win.Trojan.Agent-", 1234567, "-0");
    expect_split("Win32.X-0", "Win", 32, ".X-0");
    expect_split("a007b5", "a007b", 5, "");
    expect_split("x-0", "x-", 0, "");
    expect_split("plain", "plain", -1, "");
    expect_split("", "", -1, "");
    expect_split("1234567890123456789", "1234567890123456789", -1, "");
    expect_split("123456789012345678", "", 123456789012345678, "");
}

static void bits_and_varints_come_back(void **state)
{
    (void)state;
    struct hf_buffer b = {0};
    struct hf_bit_writer w = {.out = &b};
    for (unsigned i = 0; i < 2000; i++)
        hf_put_bits(&w, mixed(i), i % 65);
    hf_end_bits(&w);
    struct hf_bit_reader r = {.in = hf_buffer_view(&b)};
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t mask = i % 65 == 64 ? UINT64_MAX : (UINT64_C(1) << i % 65) - 1;
        assert_true(hf_get_bits(&r, i % 65) == (mixed(i) & mask));
    }
    assert_false(r.failed);
    (void)hf_get_bits(&r, 8);
    assert_true(r.failed);
    hf_buffer_clear(&b);
    for (unsigned i = 0; i < 65; i++)
        hf_put_varint(&b, i == 64 ? UINT64_MAX : UINT64_C(1) << i);
    size_t at = 0;
    uint64_t v;
    for (unsigned i = 0; i < 65; i++) {
        assert_true(hf_get_varint(hf_buffer_view(&b), &at, &v));
        assert_true(v == (i == 64 ? UINT64_MAX : UINT64_C(1) << i));
    }
    assert_false(hf_get_varint(hf_buffer_view(&b), &at, &v));
    hf_buffer_done(&b);
}

struct adding {
    struct hf_job job;
    unsigned value;
};

static void add_one(struct hf_job *job)
{
    ((struct adding *)job)->value++;
}

static void every_job_runs_once(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads < 5; threads++) {
        struct hf_jobs *jobs = hf_jobs_new(threads);
        static struct adding adding[500];
        for (size_t i = 0; i < 500; i++) {
            adding[i] = (struct adding){.job.run = add_one};
            hf_jobs_add(jobs, &adding[i].job);
        }
        for (size_t i = 500; i-- > 0;) {
            hf_jobs_wait(jobs, &adding[i].job);
            assert_int_equal(adding[i].value, 1);
        }
        hf_jobs_free(jobs);
    }
    assert_in_range(hf_jobs_default(), 1, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_order),
        cmocka_unit_test(records_that_memory_does_not_hold_come_back_too),
        cmocka_unit_test(an_empty_spool_ends_at_once),
        cmocka_unit_test(whole_digests_are_kept_whole),
        cmocka_unit_test(stems_are_changed_without_touching_digests),
        cmocka_unit_test(names_are_split_at_their_longest_number),
        cmocka_unit_test(bits_and_varints_come_back),
        cmocka_unit_test(every_job_runs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
