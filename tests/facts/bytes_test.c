#include "facts/bytes.h"

#include "base/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct hf_fact_module *const modules[] = {&hf_hash_module, &hf_math_module,
                                                       &hf_string_module};
enum { HASH, MATH, STRING };

struct world {
    struct hf_arena *arena;
    struct hf_hasher *hasher;
    struct hf_budget budget;
    struct hf_facts facts;
};

static struct world open_object(const char *text, uint64_t work)
{
    struct world w = {.arena = hf_arena_new(1 << 20), .hasher = hf_hasher_new()};
    w.budget = hf_budget_of(&(struct hf_limits){.work = work});
    w.facts =
        hf_facts_of(modules, 3, hf_cursor_open(text, strlen(text), NULL), w.arena, NULL);
    w.facts.hasher = w.hasher;
    return w;
}

static void close_object(struct world *w)
{
    hf_arena_release(&w->arena);
    hf_hasher_release(&w->hasher);
}

static struct hf_value call(struct world *w, size_t module, const char *name,
                            const char *signature, struct hf_value a, struct hf_value b)
{
    const struct hf_fact_record *record = modules[module]->record;
    const struct hf_value args[] = {a, b};
    size_t f = hf_fact_find_call(record, hf_bytes_text(name), signature);
    assert_true(f != SIZE_MAX);
    return hf_facts_call(&w->facts, &record->fields[f], args);
}

static struct hf_value range(struct world *w, size_t module, const char *name,
                             int64_t offset, int64_t length)
{
    return call(w, module, name, "ii", hf_value_int(offset), hf_value_int(length));
}

static struct hf_value of_text(struct world *w, size_t module, const char *name,
                               const char *text)
{
    return call(w, module, name, "s", hf_value_string(hf_bytes_text(text)),
                hf_value_int(0));
}

static bool text_is(struct hf_value v, const char *text)
{
    return v.defined && hf_bytes_equal(v.string, hf_bytes_text(text));
}

/* Vectors of RFC 1321, FIPS 180 and the CRC catalogue. */
static void test_digests_are_the_published_ones(void **state)
{
    (void)state;
    struct world w = open_object("xxabc123456789", 0);
    assert_true(text_is(range(&w, HASH, "md5", 2, 3), "900150983cd24fb0d6963f7d28e17f72"));
    assert_true(text_is(range(&w, HASH, "md5", 2, 3), "900150983cd24fb0d6963f7d28e17f72"));
    assert_true(text_is(range(&w, HASH, "md5", 2, 0), "d41d8cd98f00b204e9800998ecf8427e"));
    assert_true(text_is(of_text(&w, HASH, "sha1", "abc"),
                        "a9993e364706816aba3e25717850c26c9cd0d89d"));
    assert_true(
        text_is(of_text(&w, HASH, "sha256", "abc"),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    assert_int_equal(range(&w, HASH, "crc32", 5, 100).integer, 0xcbf43926);
    assert_int_equal(range(&w, HASH, "checksum32", 2, 3).integer, 'a' + 'b' + 'c');
    close_object(&w);
}

static void test_a_range_is_cut_at_the_end_and_undefined_outside(void **state)
{
    (void)state;
    struct world w = open_object("abcd", 0);
    static const char *const names[] = {"md5", "sha1", "sha256", "crc32", "checksum32"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(range(&w, HASH, names[i], 3, INT64_MAX).defined);
        assert_false(range(&w, HASH, names[i], 4, 0).defined);
        assert_false(range(&w, HASH, names[i], -1, 1).defined);
        assert_false(range(&w, HASH, names[i], 0, -1).defined);
    }
    assert_true(range(&w, MATH, "entropy", 0, 0).real == 0);
    assert_false(range(&w, MATH, "mean", 0, 0).defined); /* 0/0 */
    assert_false(range(&w, MATH, "monte_carlo_pi", 0, 5).defined);
    close_object(&w);
}

static void test_a_digest_costs_work_and_needs_a_hasher(void **state)
{
    (void)state;
    struct world w = open_object("abcd", 1);
    w.facts.object.budget = &w.budget;
    assert_true(range(&w, HASH, "md5", 0, 4).defined);
    assert_true(range(&w, HASH, "md5", 0, 4).defined); /* remembered: costs nothing */
    assert_false(range(&w, HASH, "md5", 0, 3).defined);
    w.facts.object.budget = NULL;
    w.facts.hasher = NULL;
    assert_false(range(&w, HASH, "sha1", 0, 4).defined);
    close_object(&w);
}

static void test_statistics_of_known_bytes(void **state)
{
    (void)state;
    struct world w = open_object("aabb", 0);
    assert_true(range(&w, MATH, "entropy", 0, 4).real == 1.0);
    assert_true(range(&w, MATH, "mean", 0, 4).real == 97.5);
    assert_int_equal(range(&w, MATH, "mode", 0, 4).integer, 'a');
    struct hf_value share =
        call(&w, MATH, "percentage", "i", hf_value_int('b'), hf_value_int(0));
    assert_true(share.real == 0.5);
    struct hf_value mean = of_text(&w, MATH, "mean", "\xff\xff");
    assert_true(mean.real == -1.0);                             /* strings are signed */
    assert_int_equal(range(&w, MATH, "min", -1, 5).integer, 5); /* integers are not */
    struct hf_value lowest = hf_value_int(INT64_MIN);
    assert_true(call(&w, MATH, "abs", "i", lowest, lowest).integer == INT64_MIN);
    assert_true(text_is(range(&w, MATH, "to_string", -1, 16), "ffffffffffffffff"));
    assert_true(text_is(range(&w, MATH, "to_string", -12, 10), "-12"));
    assert_false(range(&w, MATH, "to_string", 1, 2).defined);
    size_t f = hf_fact_find(hf_math_module.record, hf_bytes_text("MEAN_BYTES"));
    assert_true(hf_facts_get(&w.facts, MATH, f).real == 127.5);
    close_object(&w);
}

static void test_only_whole_numbers_become_integers(void **state)
{
    (void)state;
    struct world w = open_object("", 0);
    assert_int_equal(of_text(&w, STRING, "to_int", "  -0x1F").integer, -31);
    assert_int_equal(of_text(&w, STRING, "to_int", "017").integer, 15);
    assert_false(of_text(&w, STRING, "to_int", "12 ").defined);
    assert_false(of_text(&w, STRING, "to_int", "").defined);
    assert_false(of_text(&w, STRING, "to_int", "9223372036854775808").defined);
    struct hf_value text = hf_value_string(hf_bytes_text("zz"));
    assert_int_equal(call(&w, STRING, "to_int", "si", text, hf_value_int(36)).integer,
                     1295);
    assert_false(call(&w, STRING, "to_int", "si", text, hf_value_int(37)).defined);
    assert_false(call(&w, STRING, "to_int", "si", text, hf_value_int(1)).defined);
    struct hf_value zero = hf_value_string(hf_bytes_of("5\0x", 3));
    assert_int_equal(call(&w, STRING, "to_int", "s", zero, zero).integer, 5);
    assert_int_equal(call(&w, STRING, "length", "s", zero, zero).integer, 3);
    close_object(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests_are_the_published_ones),
        cmocka_unit_test(test_a_range_is_cut_at_the_end_and_undefined_outside),
        cmocka_unit_test(test_a_digest_costs_work_and_needs_a_hasher),
        cmocka_unit_test(test_statistics_of_known_bytes),
        cmocka_unit_test(test_only_whole_numbers_become_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
