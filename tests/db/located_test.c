/* Patterns that are not searched for: what is looked at in place and what is tried everywhere
 * finds what a walk over all offsets finds. */
#include "db/located.h"

#include "base/auto.h"
#include "compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PATTERNS = 200, SIZE = 300, ENTRY = 120, SECTION = 40 };

static uint64_t random_state = 7;

static unsigned draw(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

struct set {
    uint8_t text[PATTERNS][4];
    struct hf_pattern patterns[PATTERNS];
    uint8_t data[SIZE];
    size_t size;
    struct hf_machine_scratch *scratch;
    bool found[PATTERNS][SIZE + 1];
};

static struct hf_pattern random_pattern(uint8_t *text)
{
    struct hf_pattern p = {.kind = HF_PATTERN_LITERAL};
    const size_t n = 1 + draw(4);
    for (size_t i = 0; i < n; i++)
        text[i] = (uint8_t) "aAb"[draw(3)];
    p.text = hf_bytes_of(text, n);
    p.flags = draw(3) == 0 ? HF_PATTERN_NOCASE : 0;
    p.flags |= draw(6) == 0 ? HF_PATTERN_WIDE : 0u;
    p.flags |= draw(6) == 0 ? HF_PATTERN_ASCII : 0u;
    p.place.kind = (enum hf_place_kind)draw(HF_PLACE_LAST_SECTION + 1);
    p.place.offset = (int64_t)draw(SIZE + 20) - (draw(3) == 0 ? 100 : 0);
    p.place.span = draw(2) == 0 ? 0 : draw(300);
    return p;
}

static bool resolve(void *user, enum hf_place_kind kind, uint16_t section, uint64_t *start)
{
    (void)user;
    (void)section;
    *start = kind == HF_PLACE_ENTRY ? ENTRY : SECTION;
    return kind != HF_PLACE_LAST_SECTION;
}

/* hf_place_allows with the answers of resolve. */
static bool allowed(const struct hf_place *place, uint64_t size, uint64_t start)
{
    struct hf_place at = *place;
    if (place->kind == HF_PLACE_ENTRY || place->kind == HF_PLACE_SECTION) {
        at.offset += place->kind == HF_PLACE_ENTRY ? ENTRY : SECTION;
        at.kind = HF_PLACE_START;
    }
    return hf_place_allows(&at, size, start);
}

struct here {
    bool found;
};

static bool on_match(void *user, uint64_t start, uint64_t length)
{
    (void)start;
    (void)length;
    ((struct here *)user)->found = true;
    return true;
}

static bool matches_here(const struct set *s, uint32_t pattern, uint64_t start)
{
    struct here here = {false};
    assert_int_equal(hf_pattern_confirm_at(&s->patterns[pattern], NULL,
                                           hf_bytes_of(s->data, s->size), start, NULL,
                                           s->scratch, on_match, &here),
                     HF_OK);
    return here.found;
}

static bool on_candidate(void *user, uint32_t pattern, uint64_t start)
{
    struct set *s = user;
    assert_true(pattern < PATTERNS && start <= s->size);
    if (matches_here(s, pattern, start)) {
        assert_false(s->found[pattern][start]); /* each candidate once */
        s->found[pattern][start] = true;
    }
    return true;
}

static void compare(struct set *s, const struct hf_located_build *build, uint32_t *taken)
{
    for (uint32_t p = 0; p < PATTERNS; p++) {
        const bool takes = hf_located_takes(build, p);
        *taken += takes;
        for (uint64_t start = 0; start <= s->size; start++) {
            const bool want = takes && allowed(&s->patterns[p].place, s->size, start) &&
                              matches_here(s, p, start);
            if (s->found[p][start] != want)
                fail_msg("pattern %u at %u: %d instead of %d", p, (unsigned)start,
                         s->found[p][start], want);
        }
    }
}

static void test_places_find_what_a_walk_over_all_offsets_finds(void **state)
{
    (void)state;
    static struct set s;
    HF_AUTO(hf_machine_scratch_release)
    struct hf_machine_scratch *scratch = hf_machine_scratch_new();
    uint32_t taken = 0;
    for (int round = 0; round < 40; round++) {
        HF_AUTO(hf_located_done) struct hf_located_build build = {0};
        HF_AUTO(hf_buffer_done) struct hf_buffer section = {0};
        uint32_t count;
        memset(&s, 0, sizeof s);
        s.scratch = scratch;
        s.size = draw(SIZE + 1);
        for (size_t i = 0; i < s.size; i++)
            s.data[i] = (uint8_t) "aAb\0"[draw(4)];
        for (uint32_t i = 0; i < PATTERNS; i++) {
            s.patterns[i] = random_pattern(s.text[i]);
            assert_int_equal(hf_located_offer(&build, &s.patterns[i], i, 0), HF_OK);
        }
        assert_int_equal(hf_located_choose(&build), HF_OK);
        assert_int_equal(hf_located_write(&build, &section, &count), HF_OK);
        hf_located_find(hf_buffer_view(&section), hf_bytes_of(s.data, s.size), 0, resolve,
                        NULL, on_candidate, &s);
        compare(&s, &build, &taken);
    }
    assert_true(taken > 1000);
}

static bool on_nothing(void *user, uint32_t pattern, uint64_t start)
{
    *(uint32_t *)user += pattern < PATTERNS && start <= SIZE;
    return true;
}

static void test_damaged_sections_yield_no_bad_access(void **state)
{
    (void)state;
    static struct set s;
    struct hf_located_build build = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer section = {0};
    uint32_t count;
    s.scratch = hf_machine_scratch_new();
    s.size = SIZE;
    for (uint32_t i = 0; i < PATTERNS; i++) {
        s.patterns[i] = random_pattern(s.text[i]);
        assert_int_equal(hf_located_offer(&build, &s.patterns[i], i, 0), HF_OK);
    }
    assert_int_equal(hf_located_choose(&build), HF_OK);
    assert_int_equal(hf_located_write(&build, &section, &count), HF_OK);
    struct hf_bytes all = hf_buffer_view(&section);
    for (int round = 0; round < 3000; round++) {
        uint8_t *copy = malloc(all.len);
        memcpy(copy, all.data, all.len);
        copy[draw(round % 2 == 0 ? 64 : (unsigned)all.len)] = (uint8_t)draw(256);
        const size_t len = round % 3 == 0 ? draw((unsigned)all.len) : all.len;
        uint32_t seen = 0;
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, copy, len);
        hf_located_find(hf_bytes_of(exact, len), hf_bytes_of(s.data, s.size), 0, resolve,
                        NULL, on_nothing, &seen);
        free(exact);
        free(copy);
    }
    hf_located_done(&build);
    hf_machine_scratch_free(s.scratch);
}

/* What a database with these rules finds in a text, by pattern: "0@3 1@7 ". */
struct loose {
    const struct hf_db *db;
    struct hf_bytes data;
    struct hf_machine_scratch *scratch;
    struct hf_buffer out;
    unsigned candidates, drop_after;
};

static bool on_length(void *user, uint64_t start, uint64_t length)
{
    struct loose *l = user;
    hf_buffer_format(&l->out, "%u+%u ", (unsigned)start, (unsigned)length);
    return true;
}

static bool on_loose(void *user, uint32_t number, uint64_t start)
{
    struct loose *l = user;
    struct hf_pattern pattern;
    uint32_t rule;
    assert_int_equal(hf_db_pattern(l->db, 0, number, &pattern, &rule), HF_OK);
    hf_buffer_format(&l->out, "%u@", number);
    assert_int_equal(hf_pattern_confirm_at(&pattern, NULL, l->data, start, NULL, l->scratch,
                                           on_length, l),
                     HF_OK);
    return ++l->candidates != l->drop_after;
}

static void check_loose(const char *rules, const char *text, unsigned drop_after,
                        const char *expected)
{
    struct compiled c = compile_one("loose.yar", rules);
    struct loose l = {.db = c.db,
                      .data = hf_bytes_text(text),
                      .scratch = hf_machine_scratch_new(),
                      .drop_after = drop_after};
    uint64_t dropped[1] = {0};
    assert_int_equal(hf_db_loose_blocks(c.db, 0), 1);
    hf_db_find_loose(c.db, 0, l.data, 0, l.data.len, dropped, on_loose, &l);
    hf_buffer_u8(&l.out, 0);
    assert_string_equal((const char *)l.out.data, expected);
    hf_machine_scratch_free(l.scratch);
    hf_buffer_done(&l.out);
    compiled_done(&c);
}

static void test_patterns_without_a_literal_piece_are_tried_where_they_can_begin(
    void **state)
{
    (void)state;
    const char *rules =
        "rule a { strings: $a = /[0-9]{2}[xy]/ $b = { ?1 3? } condition: any of them }";
    check_loose(rules, "a12y 3 1", 0, "1@0+2 0@1+3 1@1+2 0@1@");
    check_loose(rules, "11", 0, "0@1@0+2 0@1@");
}

static void test_a_pattern_that_is_dropped_is_not_offered_again(void **state)
{
    (void)state;
    const char *rules = "rule a { strings: $a = /[ab]{2}/ condition: $a }";
    check_loose(rules, "abababab", 0, "0@0+2 0@1+2 0@2+2 0@3+2 0@4+2 0@5+2 0@6+2 0@");
    check_loose(rules, "abababab", 2, "0@0+2 0@1+2 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_find_what_a_walk_over_all_offsets_finds),
        cmocka_unit_test(test_damaged_sections_yield_no_bad_access),
        cmocka_unit_test(
            test_patterns_without_a_literal_piece_are_tried_where_they_can_begin),
        cmocka_unit_test(test_a_pattern_that_is_dropped_is_not_offered_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
