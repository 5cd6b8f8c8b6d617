#include "fixture.h"

#include "unpack/iso_views.h"

static void test_extents_are_told_apart_by_place_and_size(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_iso_extents x = {.arena = f.arena};
    assert_false(hf_iso_has_extent(&x, 2048, 10));
    for (uint64_t i = 0; i < 5000; i++) /* more than a table, several times */
        hf_iso_add_extent(&x, i * 2048, i % 7 + 1);
    for (uint64_t i = 0; i < 5000; i++) {
        assert_true(hf_iso_has_extent(&x, i * 2048, i % 7 + 1));
        assert_false(hf_iso_has_extent(&x, i * 2048, i % 7 + 2));
        assert_false(hf_iso_has_extent(&x, i * 2048 + 1, i % 7 + 1));
    }
    assert_false(hf_iso_has_extent(&x, 0, 0)); /* empty files have no bytes to know */
    fixture_done(&f);
}

static void test_without_memory_extents_are_forgotten(void **state)
{
    (void)state;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(64);
    struct hf_iso_extents x = {.arena = arena};
    hf_iso_add_extent(&x, 2048, 10);
    assert_false(hf_iso_has_extent(&x, 2048, 10));
}

static void test_descriptors_say_which_trees_there_are(void **state)
{
    (void)state;
    static uint8_t image[20 * 2048];
    struct hf_cursor c = hf_cursor_open(image, sizeof image, NULL);
    memcpy(image + 16 * 2048, "\1CD001", 6);
    image[16 * 2048 + 158] = 19;
    assert_false(hf_iso_has_joliet(&c));
    assert_false(hf_iso_has_rock_ridge(&c));
    memcpy(image + 17 * 2048, "\2CD001", 6);
    memcpy(image + 17 * 2048 + 88, "%/E", 3);
    memcpy(image + 19 * 2048 + 34, "SP\7\1\xbe\xef", 6);
    assert_true(hf_iso_has_joliet(&c));
    assert_true(hf_iso_has_rock_ridge(&c));
    image[16 * 2048] = 255; /* nothing counts behind the end */
    assert_false(hf_iso_has_joliet(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extents_are_told_apart_by_place_and_size),
        cmocka_unit_test(test_without_memory_extents_are_forgotten),
        cmocka_unit_test(test_descriptors_say_which_trees_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
