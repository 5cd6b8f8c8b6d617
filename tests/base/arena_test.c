#include "base/arena.h"

#include "base/auto.h"
#include "base/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_cap_is_kept_and_overflow_refused(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *a = hf_arena_new(1000);
    assert_non_null(hf_arena_alloc(a, 900));
    assert_null(hf_arena_alloc(a, 200));
    assert_null(hf_arena_array(a, SIZE_MAX / 2, 4));
    assert_null(hf_arena_alloc(a, SIZE_MAX));
    assert_non_null(hf_arena_alloc(a, 16));
}

static void test_memory_is_zeroed_also_after_rewind(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *a = hf_arena_new(1 << 20);
    struct hf_arena_mark mark = hf_arena_mark(a);
    uint8_t *first = hf_arena_alloc(a, 100);
    memset(first, 0xAA, 100);
    assert_non_null(hf_arena_alloc(a, 500000)); /* a second block */
    hf_arena_rewind(a, mark);
    assert_int_equal(hf_arena_used(a), 0);
    uint8_t *again = hf_arena_alloc(a, 100);
    assert_ptr_equal(again, first);
    for (int i = 0; i < 100; i++)
        assert_int_equal(again[i], 0);
}

static void test_grow_keeps_what_was_there(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *a = hf_arena_new(1 << 20);
    uint32_t *items = NULL;
    for (uint32_t n = 0; n < 1000; n++) {
        items = hf_arena_grow(a, items, n, sizeof *items);
        assert_non_null(items);
        assert_int_equal(items[n], 0);
        items[n] = n * 7;
    }
    for (uint32_t n = 0; n < 1000; n++)
        assert_int_equal(items[n], n * 7);
    assert_true(hf_arena_used(a) < 4 * 1000 * 4);
}

static void test_grow_fails_without_losing_the_old_list(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *a = hf_arena_new(64);
    uint64_t *items = NULL, n = 0;
    for (;; n++) {
        uint64_t *more = hf_arena_grow(a, items, n, sizeof *items);
        if (more == NULL)
            break;
        items = more;
        items[n] = n + 1;
    }
    assert_int_equal(n, 4);
    assert_int_equal(items[3], 4);
}

static void test_notes_are_bounded(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *a = hf_arena_new(1 << 20);
    struct hf_notes notes = {.arena = a};
    for (int i = 0; i < 100; i++)
        hf_note(&notes, (uint64_t)i, "note %d", i);
    assert_int_equal(notes.count, HF_NOTES_MAX);
    assert_int_equal(notes.dropped, 100 - HF_NOTES_MAX);
    assert_string_equal(notes.items[2].text, "note 2");
    hf_note(NULL, 0, "nobody listens");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cap_is_kept_and_overflow_refused),
        cmocka_unit_test(test_memory_is_zeroed_also_after_rewind),
        cmocka_unit_test(test_grow_keeps_what_was_there),
        cmocka_unit_test(test_grow_fails_without_losing_the_old_list),
        cmocka_unit_test(test_notes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
