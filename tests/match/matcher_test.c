#include "match/matcher.h"

#include "base/auto.h"
#include "naive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LITERALS = 200, TEXT = 20000 };

/* A set of literals whose bytes live in its own pool, and a text. */
struct world {
    struct hf_literal literals[LITERALS];
    size_t count;
    uint8_t pool[LITERALS * 64];
    uint8_t text[TEXT];
    size_t text_len;
};

/* How a world is drawn: few letters give many overlaps and equal literals. */
struct recipe {
    uint8_t letters;
    uint8_t longest;
    bool planted; /* literals are copied into the text */
};

static uint8_t letter(uint64_t *seed, uint8_t letters)
{
    uint32_t n = random_below(seed, letters);
    return letters <= 6 ? (uint8_t) "aAbB\0\xff"[n] : (uint8_t)n;
}

static void draw(struct world *w, const struct recipe *recipe, uint64_t *seed)
{
    w->count = 1 + random_below(seed, LITERALS);
    size_t used = 0;
    for (size_t i = 0; i < w->count; i++) {
        size_t len = 1 + random_below(seed, recipe->longest);
        for (size_t k = 0; k < len; k++)
            w->pool[used + k] = letter(seed, recipe->letters);
        w->literals[i] = (struct hf_literal){.bytes = hf_bytes_of(w->pool + used, len),
                                             .nocase = random_below(seed, 3) == 0,
                                             .id = random_below(seed, 64)};
        used += len;
        if (i > 0 && random_below(seed, 8) == 0) /* the same bytes under another id */
            w->literals[i].bytes = w->literals[random_below(seed, (uint32_t)i)].bytes;
    }
    w->text_len = random_below(seed, TEXT + 1);
    for (size_t i = 0; i < w->text_len; i++)
        w->text[i] = letter(seed, recipe->letters);
    for (size_t i = 0; recipe->planted && i < w->count; i++) {
        struct hf_bytes b = w->literals[i].bytes;
        if (b.len > w->text_len)
            continue;
        size_t at = random_below(seed, (uint32_t)(w->text_len - b.len + 1));
        at = random_below(seed, 8) == 0 ? w->text_len - b.len : at;
        for (size_t k = 0; k < b.len; k++) {
            bool upper = b.data[k] >= 'a' && b.data[k] <= 'z' && random_below(seed, 2) == 0;
            w->text[at + k] = (uint8_t)(b.data[k] - (upper ? 32 : 0));
        }
    }
}

static void build(const struct hf_literal *literals, size_t count, struct hf_buffer *image)
{
    assert_int_equal(hf_matcher_build(literals, count, image), HF_OK);
}

static void compare_with_naive(const struct world *w, uint64_t base)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    HF_AUTO(hits_done) struct hits got = {0};
    HF_AUTO(hits_done) struct hits wanted = {0};
    struct hf_matcher m;
    build(w->literals, w->count, &image);
    assert_int_equal(hf_matcher_open(hf_buffer_view(&image), &m), HF_OK);
    assert_int_equal(hf_matcher_check(&m), HF_OK);
    /* A copy of exactly this size, so that the sanitizer sees a read past the end. */
    uint8_t *text = malloc(w->text_len + 1);
    assert_non_null(text);
    memcpy(text, w->text, w->text_len);
    uint8_t *exact = realloc(text, w->text_len == 0 ? 1 : w->text_len);
    assert_non_null(exact);
    struct hf_bytes data = hf_bytes_of(exact, w->text_len);
    assert_true(hf_matcher_search(&m, data, base, hits_add, &got));
    naive_search(w->literals, w->count, data, base, &wanted);
    free(exact);
    hits_sort(&got);
    hits_sort(&wanted);
    assert_true(hits_equal(&got, &wanted));
}

static const char *const kernels[] = {"portable", "avx2", "avx512"};

static void test_every_kernel_finds_what_the_naive_matcher_finds(void **state)
{
    (void)state;
    static const struct recipe recipes[] = {{2, 20, false}, {4, 64, true},   {6, 30, true},
                                            {6, 6, false},  {255, 64, true}, {255, 3, true},
                                            {64, 12, true}, {1, 64, false}};
    static struct world w;
    for (size_t k = 0; k < sizeof kernels / sizeof kernels[0]; k++) {
        if (!hf_matcher_use_kernel(kernels[k]))
            continue;
        uint64_t seed = 1;
        for (size_t round = 0; round < 10; round++) {
            for (size_t r = 0; r < sizeof recipes / sizeof recipes[0]; r++) {
                draw(&w, &recipes[r], &seed);
                if (recipes[r].letters < 3) /* nearly everything matches everywhere */
                    w.text_len = w.text_len % 700;
                compare_with_naive(&w, round * 1000);
            }
        }
    }
    assert_true(hf_matcher_use_kernel(NULL));
}

/* Enough windows for a sieve, buckets that overflow, and texts dense with candidates. */
static void test_a_large_set_finds_what_the_naive_matcher_finds(void **state)
{
    (void)state;
    enum { COUNT = 20000, LONGEST = 24, BYTES = 6000 };
    static struct hf_literal literals[COUNT];
    static uint8_t pool[COUNT * LONGEST], text[BYTES];
    uint64_t seed = 21;
    for (uint32_t i = 0; i < COUNT; i++) {
        uint8_t *at = pool + (size_t)i * LONGEST;
        const size_t len = 9 + random_below(&seed, LONGEST - 8);
        const uint8_t letters = i % 2 == 0 ? 255 : 4;
        for (size_t k = 0; k < len; k++)
            at[k] = letter(&seed, letters);
        if (i % 16 == 0) /* hundreds that share their windows */
            memcpy(at + 1, "z.php?id=", 8);
        literals[i] = (struct hf_literal){
            .bytes = hf_bytes_of(at, i % 16 == 0 ? 9 : len), .nocase = i % 5 == 0, .id = i};
    }
    size_t used = 0;
    while (used + LONGEST < BYTES) {
        struct hf_bytes b = literals[random_below(&seed, COUNT)].bytes;
        memcpy(text + used, b.data, b.len);
        if (random_below(&seed, 3) == 0)
            text[used + random_below(&seed, (uint32_t)b.len)] ^= 1;
        used += b.len;
        if (used > BYTES / 2) /* the second half is thin: through the sieve */
            for (size_t k = 0; k < 300 && used < BYTES - LONGEST; k++)
                text[used++] = (uint8_t)random_next(&seed);
    }
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    HF_AUTO(hits_done) struct hits wanted = {0};
    struct hf_matcher m;
    build(literals, COUNT, &image);
    assert_int_equal(hf_matcher_open(hf_buffer_view(&image), &m), HF_OK);
    assert_int_equal(hf_matcher_check(&m), HF_OK);
    const size_t starts[] = {0, BYTES / 2 + 500};
    for (size_t i = 0; i < 2; i++) {
        struct hf_bytes data = hf_bytes_of(text + starts[i], used - starts[i]);
        wanted.count = 0;
        naive_search(literals, COUNT, data, 0, &wanted);
        hits_sort(&wanted);
        assert_true(wanted.count > 0);
        for (size_t k = 0; k < sizeof kernels / sizeof kernels[0]; k++) {
            HF_AUTO(hits_done) struct hits got = {0};
            if (!hf_matcher_use_kernel(kernels[k]))
                continue;
            assert_true(hf_matcher_search(&m, data, 0, hits_add, &got));
            hits_sort(&got);
            assert_true(hits_equal(&got, &wanted));
        }
    }
    assert_true(hf_matcher_use_kernel(NULL));
}

static void test_any_input_order_gives_the_same_image(void **state)
{
    (void)state;
    static struct world w;
    uint64_t seed = 7;
    for (int round = 0; round < 20; round++) {
        draw(&w, &(struct recipe){6, 40, false}, &seed);
        HF_AUTO(hf_buffer_done) struct hf_buffer first = {0};
        HF_AUTO(hf_buffer_done) struct hf_buffer second = {0};
        build(w.literals, w.count, &first);
        for (size_t i = w.count - 1; i > 0; i--) {
            size_t j = random_below(&seed, (uint32_t)i + 1);
            struct hf_literal swap = w.literals[i];
            w.literals[i] = w.literals[j];
            w.literals[j] = swap;
        }
        build(w.literals, w.count, &second);
        assert_true(hf_bytes_equal(hf_buffer_view(&first), hf_buffer_view(&second)));
    }
}

static void test_an_empty_set_matches_nothing(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    HF_AUTO(hits_done) struct hits got = {0};
    struct hf_matcher m;
    build(NULL, 0, &image);
    assert_int_equal(hf_matcher_open(hf_buffer_view(&image), &m), HF_OK);
    assert_int_equal(hf_matcher_check(&m), HF_OK);
    assert_int_equal(hf_matcher_longest(&m), 0);
    assert_true(hf_matcher_search(&m, hf_bytes_text("text"), 0, hits_add, &got));
    assert_int_equal(got.count, 0);
}

static void test_unusable_literals_are_refused(void **state)
{
    (void)state;
    static const uint8_t big[65536];
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    struct hf_literal empty = {.bytes = {0}};
    struct hf_literal longer = {.bytes = {big, sizeof big}};
    assert_int_equal(hf_matcher_build(&empty, 1, &image), HF_INVALID);
    assert_int_equal(hf_matcher_build(&longer, 1, &image), HF_INVALID);
    assert_int_equal(image.len, 0);
}

static void test_the_longest_literal_is_found_and_told(void **state)
{
    (void)state;
    static uint8_t big[70000];
    uint64_t seed = 3;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)random_next(&seed);
    struct hf_literal l = {.bytes = {big + 100, 65535}, .id = 9};
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    HF_AUTO(hits_done) struct hits got = {0};
    struct hf_matcher m;
    build(&l, 1, &image);
    assert_int_equal(hf_matcher_open(hf_buffer_view(&image), &m), HF_OK);
    assert_int_equal(hf_matcher_longest(&m), 65535);
    assert_true(hf_matcher_search(&m, hf_bytes_of(big, sizeof big), 5, hits_add, &got));
    assert_int_equal(got.count, 1);
    assert_int_equal(got.items[0].start, 105);
    assert_int_equal(got.items[0].length, 65535);
}

static bool stop_at_second(void *user, uint32_t id, uint64_t start, uint32_t length)
{
    (void)id;
    (void)start;
    (void)length;
    return ++*(int *)user < 2;
}

static void test_the_callback_stops_the_search(void **state)
{
    (void)state;
    struct hf_literal l = {.bytes = hf_bytes_text("a")};
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    struct hf_matcher m;
    int calls = 0;
    build(&l, 1, &image);
    assert_int_equal(hf_matcher_open(hf_buffer_view(&image), &m), HF_OK);
    assert_false(hf_matcher_search(&m, hf_bytes_text("aaaa"), 0, stop_at_second, &calls));
    assert_int_equal(calls, 2);
}

static void test_a_cut_image_is_refused(void **state)
{
    (void)state;
    static struct world w;
    uint64_t seed = 11;
    draw(&w, &(struct recipe){255, 40, false}, &seed);
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    build(w.literals, w.count, &image);
    struct hf_matcher m;
    for (size_t len = 0; len < image.len; len += 1 + image.len / 500)
        assert_int_equal(hf_matcher_open(hf_bytes_of(image.data, len), &m), HF_MALFORMED);
}

/* Whatever a bad disk makes of an image: refused, or wrong answers, never a bad access (the
 * sanitizer build proves that); and the full check sees changes of the tables. */
static void test_a_damaged_image_is_survived(void **state)
{
    (void)state;
    static struct world w;
    uint64_t seed = 13;
    size_t seen = 0, rounds = 2000;
    draw(&w, &(struct recipe){6, 40, true}, &seed);
    HF_AUTO(hf_buffer_done) struct hf_buffer image = {0};
    HF_AUTO(hits_done) struct hits got = {0};
    build(w.literals, w.count, &image);
    for (size_t i = 0; i < rounds; i++) {
        size_t at = random_below(&seed, (uint32_t)image.len);
        uint8_t old = image.data[at];
        image.data[at] ^= (uint8_t)(1u << random_below(&seed, 8));
        struct hf_matcher m;
        if (hf_matcher_open(hf_buffer_view(&image), &m) == HF_OK) {
            got.count = 0;
            (void)hf_matcher_search(&m, hf_bytes_of(w.text, 2000), 0, hits_add, &got);
            seen += hf_matcher_check(&m) != HF_OK;
        } else {
            seen++;
        }
        image.data[at] = old;
    }
    assert_true(seen > rounds / 3);
}

static void test_kernels_are_known_by_name(void **state)
{
    (void)state;
    assert_false(hf_matcher_use_kernel("abacus"));
    assert_true(hf_matcher_use_kernel("portable"));
    assert_string_equal(hf_matcher_kernel(), "portable");
    assert_true(hf_matcher_use_kernel(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kernel_finds_what_the_naive_matcher_finds),
        cmocka_unit_test(test_a_large_set_finds_what_the_naive_matcher_finds),
        cmocka_unit_test(test_any_input_order_gives_the_same_image),
        cmocka_unit_test(test_an_empty_set_matches_nothing),
        cmocka_unit_test(test_unusable_literals_are_refused),
        cmocka_unit_test(test_the_longest_literal_is_found_and_told),
        cmocka_unit_test(test_the_callback_stops_the_search),
        cmocka_unit_test(test_a_cut_image_is_refused),
        cmocka_unit_test(test_a_damaged_image_is_survived),
        cmocka_unit_test(test_kernels_are_known_by_name),
    };
    return cmocka_run_group_tests_name("matcher", tests, NULL, NULL);
}
