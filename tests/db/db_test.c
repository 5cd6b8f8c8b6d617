#include "compile.h"
#include "base/fd.h"
#include "db/builtin.h"
#include "db/signature_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

#define MD5_A    "00112233445566778899aabbccddeeff"
#define MD5_B    "ff112233445566778899aabbccddeeff"
#define SHA1_A   "00112233445566778899aabbccddeeff01234567"
#define SHA256_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SHA256_B "8899aabbccddeeff00112233445566778899aabbccddeeff0011223344556677"

static struct hf_digests digests_of(const char *hex)
{
    struct hf_digests d = {0};
    enum hf_digest_kind kind = hf_digest_of_length(strlen(hex) / 2);
    for (size_t i = 0; i < strlen(hex) / 2; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        d.value[kind][i] = (uint8_t)byte;
    }
    d.have = 1u << kind;
    return d;
}

static void digests_are_found_by_size_and_kind(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:Win.Test.A-1\n" SHA1_A
                                                   ":100:Win.Test.A-2\n" SHA256_A
                                                   ":7:Win.Test.B-30000000-0\n");
    assert_string_equal(found_name(c.db, MD5_A, 100), "Win.Test.A-1");
    assert_string_equal(found_name(c.db, SHA1_A, 100), "Win.Test.A-2");
    assert_string_equal(found_name(c.db, SHA256_A, 7), "Win.Test.B-30000000-0");
    assert_string_equal(found_name(c.db, MD5_A, 101), "");
    assert_string_equal(found_name(c.db, MD5_B, 100), "");
    assert_string_equal(found_name(c.db, SHA256_A, 100), "");
    compiled_done(&c);
}

static void only_usable_digests_are_wanted(void **state)
{
    (void)state;
    struct compiled c =
        compile_one("a.hdb", MD5_A ":100:A\n" SHA1_A ":200:B\n" MD5_B ":200:C\n");
    assert_int_equal(hf_db_digests_wanted(c.db, 100), 1u << HF_MD5);
    assert_int_equal(hf_db_digests_wanted(c.db, 200), 1u << HF_MD5 | 1u << HF_SHA1);
    assert_int_equal(hf_db_digests_wanted(c.db, 99), 0);
    assert_int_equal(hf_db_digests_wanted(c.db, 150), 0);
    assert_int_equal(hf_db_digests_wanted(c.db, UINT64_MAX), 0);
    compiled_done(&c);
    c = compile_one("a.hdb", MD5_A ":*:A:73\n");
    assert_int_equal(hf_db_digests_wanted(c.db, 5), 1u << HF_MD5);
    assert_string_equal(found_name(c.db, MD5_A, 1), "A");
    compiled_done(&c);
}

static void sections_and_imports_have_their_own_tables(void **state)
{
    (void)state;
    struct compile_source sources[] = {{"a.mdb", "4096:" MD5_A ":Section\n"},
                                       {"b.imp", MD5_A ":*:Imports\n"}};
    struct compiled c = compile(sources, 2);
    assert_int_equal(hf_db_digests_wanted(c.db, 4096), 0);
    assert_int_equal(hf_db_scope_wanted(c.db, HF_DB_SECTION, 4096), 1u << HF_MD5);
    assert_int_equal(hf_db_scope_wanted(c.db, HF_DB_SECTION, 4097), 0);
    assert_int_equal(hf_db_scope_wanted(c.db, HF_DB_IMPORTS, 1), 1u << HF_MD5);
    assert_string_equal(found_name(c.db, MD5_A, 4096), "");
    compiled_done(&c);
}

/* Text of many hash lines over few sizes, so that blocks, popular sizes and prefixes occur. */
static void add_many(struct hf_buffer *text, unsigned from, unsigned to, bool any)
{
    for (unsigned i = from; i < to; i++) {
        uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
        hf_buffer_format(text, "%016llx%016llx:", (unsigned long long)x,
                         (unsigned long long)(x ^ 0x1234567));
        if (any)
            hf_buffer_format(text, "*:Any.Many-%u:73\n", i);
        else
            hf_buffer_format(text, "%u:Win.Many.F%u-%u-0\n", 1 + i % 700, i % 90, 5000 + i);
    }
}

static void many_digests_are_all_found(void **state)
{
    (void)state;
    enum { SIZED = 9000, ANY = 3000 };
    struct hf_buffer text = {0};
    add_many(&text, 0, SIZED, false);
    add_many(&text, SIZED, SIZED + ANY, true);
    hf_buffer_u8(&text, 0);
    struct compiled c = compile_one("many.hdb", (const char *)text.data);
    for (unsigned i = 0; i < SIZED + ANY; i++) {
        char hex[40], name[64];
        uint64_t x = i * UINT64_C(0x9e3779b97f4a7c15);
        snprintf(hex, sizeof hex, "%016llx%016llx", (unsigned long long)x,
                 (unsigned long long)(x ^ 0x1234567));
        if (i < SIZED)
            snprintf(name, sizeof name, "Win.Many.F%u-%u-0", i % 90, 5000 + i);
        else
            snprintf(name, sizeof name, "Any.Many-%u", i);
        assert_string_equal(found_name(c.db, hex, 1 + i % 700), name);
        if (i < SIZED)
            assert_string_equal(found_name(c.db, hex, 1 + (i + 1) % 700), "");
    }
    struct hf_buffer note = {0};
    assert_int_equal(hf_db_check(c.db, &note), HF_OK);
    hf_buffer_done(&note);
    hf_buffer_done(&text);
    compiled_done(&c);
}

static void names_of_every_shape_come_back(void **state)
{
    (void)state;
    static const char *const names[] = {"a",
                                        "0",
                                        "00",
                                        "007",
                                        "Win.X-18446744073709551615",
                                        "x123456789012345678y",
                                        "1234567890123456789",
                                        "12-034-9",
                                        "PUA.Win.Packer.A-6",
                                        "a b:no",
                                        "\xc3\xa4\xff\x01",
                                        "Win.Trojan.Agent-1",
                                        "Win.Trojan.Agent-4294967296-0",
                                        "same-1",
                                        "same-1x",
                                        "\xc2"};
    enum { COUNT = sizeof names / sizeof *names };
    struct hf_build *build = hf_build_new(NULL, NULL);
    struct hf_buffer bytes = {0};
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t digest[32] = {(uint8_t)(i * 37)};
        assert_int_equal(
            hf_build_add_digest(build, HF_SHA256, digest, 1 + i, hf_bytes_text(names[i])),
            HF_OK);
    }
    assert_int_equal(hf_build_write(build, &bytes), HF_OK);
    hf_build_free(build);
    void *aligned = aligned_alloc(64, (bytes.len + 63) / 64 * 64);
    memcpy(aligned, bytes.data, bytes.len);
    struct hf_db *db;
    assert_int_equal(hf_db_open_memory(hf_bytes_of(aligned, bytes.len), &db), HF_OK);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct hf_buffer name = {0};
        assert_int_equal(hf_db_name(db, (struct hf_signature){0, i}, &name), HF_OK);
        assert_true(hf_bytes_equal(hf_buffer_view(&name), hf_bytes_text(names[i])));
        hf_buffer_done(&name);
    }
    struct hf_buffer name = {0};
    assert_int_equal(hf_db_name(db, (struct hf_signature){0, COUNT}, &name), HF_NOTFOUND);
    assert_int_equal(hf_db_name(db, (struct hf_signature){1, 0}, &name), HF_NOTFOUND);
    hf_db_close(db);
    free(aligned);
    hf_buffer_done(&bytes);
}

static void allow_lists_compare_whole_digests(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.sfp", SHA256_A ":10:ok-1\n" SHA1_A ":*:ok-2:73\n");
    assert_int_equal(hf_db_allow_wanted(c.db, 0, 10), 1u << HF_SHA256 | 1u << HF_SHA1);
    assert_int_equal(hf_db_allow_wanted(c.db, 0, 11), 1u << HF_SHA1);
    struct hf_digests d = digests_of(SHA256_A);
    assert_true(hf_db_allows(c.db, 0, 10, &d));
    assert_false(hf_db_allows(c.db, 0, 11, &d));
    d.value[HF_SHA256][31] ^= 1;
    assert_false(hf_db_allows(c.db, 0, 10, &d));
    d = digests_of(SHA1_A);
    assert_true(hf_db_allows(c.db, 0, 12345, &d));
    assert_string_equal(found_name(c.db, SHA256_A, 10), "");
    compiled_done(&c);
}

static void detections_compare_twelve_bytes(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hsb", SHA256_A ":10:X\n");
    char hex[] = SHA256_A;
    hex[2 * HF_DB_DIGEST_KEPT] = '0'; /* the first byte that is not kept */
    assert_string_equal(found_name(c.db, hex, 10), "X");
    hex[2 * HF_DB_DIGEST_KEPT - 1] = '0';
    assert_string_equal(found_name(c.db, hex, 10), "");
    compiled_done(&c);
}

static void ignored_names_are_known(void **state)
{
    (void)state;
    struct compiled c = compile_one(
        "a.ign2",
        "Zeta\nWin.Test.A-1.UNOFFICIAL\nB.{x}\n# no\nC:00112233445566778899aabbccddeeff\n"
        "main.ndb:2:D\nE:00112233\n");
    assert_true(hf_db_ignores(c.db, 0, hf_bytes_text("Zeta")));
    assert_true(hf_db_ignores(c.db, 0, hf_bytes_text("Win.Test.A-1")));
    assert_true(hf_db_ignores(c.db, 0, hf_bytes_text("B")));
    assert_true(hf_db_ignores(c.db, 0, hf_bytes_text("D")));
    assert_false(hf_db_ignores(c.db, 0, hf_bytes_text("C"))); /* one version of it is */
    assert_false(hf_db_ignores(c.db, 0, hf_bytes_text("E")));
    assert_false(hf_db_ignores(c.db, 0, hf_bytes_text("Zet")));
    assert_false(hf_db_ignores(c.db, 0, hf_bytes_text("")));
    assert_int_equal(c.summary.bad_lines, 1);
    compiled_done(&c);
}

static void rules_keep_pattern_place_and_scope(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.ndb", "One:0:*:414243\n"
                                             "Two:1:16,4:646566:51\n"
                                             "Three:6:EOF-20:0000\n");
    assert_int_equal(hf_db_rule_count(c.db, 0), 3);
    struct hf_pattern p;
    struct hf_rule r;
    uint32_t rule, signature;
    assert_int_equal(hf_db_pattern(c.db, 0, 1, &p, &rule), HF_OK);
    assert_int_equal(rule, 1);
    assert_int_equal(p.place.kind, HF_PLACE_START);
    assert_int_equal(p.place.offset, 16);
    assert_int_equal(p.place.span, 4);
    assert_true(hf_bytes_equal(p.text, hf_bytes_text("def")));
    assert_int_equal(hf_db_rule(c.db, 0, 1, &r, &signature), HF_OK);
    assert_int_equal(r.scope.target, 1);
    assert_int_equal(r.pattern_first, 1);
    assert_int_equal(r.pattern_count, 1);
    struct hf_buffer name = {0};
    assert_int_equal(hf_db_name(c.db, (struct hf_signature){0, signature}, &name), HF_OK);
    assert_true(hf_bytes_equal(hf_buffer_view(&name), hf_bytes_text("Two")));
    hf_buffer_done(&name);
    assert_int_equal(hf_db_pattern(c.db, 0, 2, &p, &rule), HF_OK);
    assert_int_equal(p.place.kind, HF_PLACE_END);
    assert_int_equal(hf_db_pattern(c.db, 0, 3, &p, &rule), HF_NOTFOUND);
    assert_int_equal(hf_db_rule(c.db, 0, 3, &r, &signature), HF_NOTFOUND);
    assert_true(hf_db_matches_zeros(c.db));
    assert_non_null(hf_db_matcher(c.db, 0, 0));
    compiled_done(&c);
    c = compile_one("a.ndb", "One:0:*:414243\n");
    assert_false(hf_db_matches_zeros(c.db));
    compiled_done(&c);
}

static bool note_literal(void *user, uint32_t id, uint64_t start, uint32_t length)
{
    hf_buffer_format(user, "%u@%llu+%u ", id, (unsigned long long)start, length);
    return true;
}

static void the_matcher_reports_pattern_numbers(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.ndb", "One:0:*:6e6565646c65\nTwo:0:*:68617973\n");
    struct hf_buffer seen = {0};
    hf_matcher_search(hf_db_matcher(c.db, 0, 0), hf_bytes_text("in a haystack, a needle"),
                      0, note_literal, &seen);
    hf_buffer_u8(&seen, 0);
    assert_non_null(strstr((char *)seen.data, "1@5+4 "));
    assert_non_null(strstr((char *)seen.data, "0@17+6 "));
    hf_buffer_done(&seen);
    compiled_done(&c);
}

static bool finds(const struct hf_db *db, uint8_t target, const char *text)
{
    struct hf_buffer seen = {0};
    const struct hf_matcher *matcher = hf_db_matcher(db, 0, target);
    if (matcher != NULL)
        hf_matcher_search(matcher, hf_bytes_text(text), 0, note_literal, &seen);
    bool found = seen.len > 0;
    hf_buffer_done(&seen);
    return found;
}

static void a_target_with_many_patterns_has_a_matcher_of_its_own(void **state)
{
    (void)state;
    struct hf_buffer text = {0};
    hf_buffer_text(&text, "All:0:*:"
                          "6e6565646c65"
                          "\nElf:6:*:"
                          "68617973"
                          "\n");
    for (unsigned i = 0; i < 1100; i++)
        hf_buffer_format(&text, "Pe%u:1:*:70617474%08x6572\n", i, 0x61616161u + i);
    hf_buffer_u8(&text, 0);
    struct compiled c = compile_one("a.ndb", (const char *)text.data);
    static const uint8_t targets[] = {0, 1, 6, 15, 200};
    for (size_t i = 0; i < sizeof targets; i++) {
        assert_true(finds(c.db, targets[i], "a needle"));
        assert_int_equal(finds(c.db, targets[i], "pattaaaaer"), targets[i] == 1);
        assert_int_equal(finds(c.db, targets[i], "in a haystack"), targets[i] != 1);
    }
    assert_ptr_equal(hf_db_matcher(c.db, 0, 6), hf_db_matcher(c.db, 0, 0));
    hf_buffer_done(&text);
    compiled_done(&c);
}

static void sources_and_licences_are_kept(void **state)
{
    (void)state;
    struct compile_source sources[] = {
        {"feed/a.hdb", "# a feed, SPDX-License-Identifier: CC0-1.0\n" MD5_A ":1:A-1\n"},
        {"b.ndb", "B:0:*:4142434445\n"}};
    struct compiled c = compile(sources, 2);
    struct hf_bytes source, licence;
    assert_int_equal(hf_db_source(c.db, (struct hf_signature){0, 0}, &source, &licence),
                     HF_OK);
    assert_true(hf_bytes_equal(source, hf_bytes_text("feed/a.hdb")));
    assert_true(hf_bytes_equal(licence, hf_bytes_text("CC0-1.0")));
    assert_int_equal(hf_db_source(c.db, (struct hf_signature){0, 1}, &source, &licence),
                     HF_OK);
    assert_true(hf_bytes_equal(source, hf_bytes_text("b.ndb")));
    assert_int_equal(licence.len, 0);
    assert_int_equal(hf_db_source(c.db, (struct hf_signature){0, 2}, &source, &licence),
                     HF_NOTFOUND);
    compiled_done(&c);
}

static void the_same_signature_twice_is_kept_once(void **state)
{
    (void)state;
    struct compile_source sources[] = {{"a.hdb", MD5_A ":1:A-1\n" MD5_A ":1:Other\n"},
                                       {"b.hdb", MD5_A ":1:A-1\n" MD5_A ":1:A-2\n"}};
    struct compiled c = compile(sources, 2);
    uint64_t count;
    (void)hf_db_section(c.db, 0, HF_DB_HASH_MD5, &count);
    assert_int_equal(count, 3);
    assert_string_equal(found_name(c.db, MD5_A, 1), "A-1"); /* the first in load order */
    compiled_done(&c);
}

static void a_later_segment_withdraws_signatures(void **state)
{
    (void)state;
    struct compile_source first[] = {
        {"a.hdb", MD5_A ":100:A-1\n" MD5_B ":100:B-1\n" SHA1_A ":*:C-1:73\n"},
        {"a.ndb", "D:0:*:61626364\nE:0:*:61626364\n"},
        {"a.fp", MD5_A ":100:ok\n"}};
    struct compiled parts[2] = {compile(first, 3)};
    struct hf_build *build = hf_build_new(NULL, NULL);
    hf_build_withdraw(build, true);
    assert_int_equal(
        hf_build_read_text(build, "x.hdb",
                           hf_bytes_text(MD5_A ":100:A-1\n" SHA1_A ":*:C-1:73\n")),
        HF_OK);
    assert_int_equal(hf_build_read_text(build, "y.ndb", hf_bytes_text("E:0:*:61626364\n")),
                     HF_OK);
    assert_int_equal(hf_build_read_text(build, "y.fp", hf_bytes_text(MD5_A ":100:ok\n")),
                     HF_OK);
    hf_build_withdraw(build, false);
    assert_int_equal(
        hf_build_read_text(build, "z.hdb", hf_bytes_text(SHA256_A ":100:New-1\n")), HF_OK);
    assert_int_equal(hf_build_summary(build).withdrawn, 4);
    assert_int_equal(hf_build_write(build, &parts[1].bytes), HF_OK);
    hf_build_free(build);

    struct hf_db *db = open_segments(parts, 2);
    assert_int_equal(hf_db_segment_count(db), 2);
    assert_string_equal(found_name(db, MD5_A, 100), "");
    assert_string_equal(found_name(db, SHA1_A, 100), "");
    assert_string_equal(found_name(db, MD5_B, 100), "B-1");
    assert_string_equal(found_name(db, SHA256_A, 100), "New-1");
    struct hf_digests d = digests_of(MD5_A);
    assert_false(hf_db_allows(db, 0, 100, &d));
    struct hf_rule r;
    uint32_t signature;
    assert_int_equal(hf_db_rule(db, 0, 0, &r, &signature), HF_OK);
    assert_false(hf_db_withdrawn(db, (struct hf_signature){0, signature}));
    assert_int_equal(hf_db_rule(db, 0, 1, &r, &signature), HF_OK);
    assert_true(hf_db_withdrawn(db, (struct hf_signature){0, signature}));
    uint8_t one[16], two[16];
    hf_db_generation(parts[0].db, one);
    hf_db_generation(db, two);
    assert_memory_not_equal(one, two, 16);
    struct hf_buffer note = {0};
    assert_int_equal(hf_db_check(db, &note), HF_OK);
    hf_buffer_done(&note);
    hf_db_close(db);
    compiled_done(&parts[0]);
    compiled_done(&parts[1]);
}

/* What each segment's lists and tombstones do to a signature of another one. */
static void lists_of_a_publisher_count_for_its_own_signatures_only(void **state)
{
    (void)state;
    enum { OWNER, ANNA, BERT, EVERY, SEGMENTS };
    struct compile_source of[] = {
        {"a.hdb", MD5_A ":100:A-1\n"}, {"a.fp", MD5_A ":100:ok\n"}, {"a.ign2", "A-1\n"}};
    const struct hf_db_place places[SEGMENTS] = {
        {HF_DB_PLAN_OWNER, 0}, {1, 0}, {2, 0}, {3, HF_DB_PLAN_EVERYWHERE}};
    struct hf_digests d = digests_of(MD5_A);
    for (int lists = 0; lists < SEGMENTS; lists++) {
        struct compiled parts[SEGMENTS];
        for (int s = 0; s < SEGMENTS; s++)
            parts[s] = compile(of, s == lists ? 3 : 1);
        struct hf_db *db = open_planned(parts, SEGMENTS, places);
        assert_int_equal(hf_db_segment_count(db), SEGMENTS);
        for (uint32_t finder = 0; finder < SEGMENTS; finder++) {
            bool counts = lists == OWNER || (int)finder == lists ||
                          (lists == EVERY && finder != OWNER);
            assert_int_equal(hf_db_allows(db, finder, 100, &d), counts);
            assert_int_equal(hf_db_allow_wanted(db, finder, 100) != 0, counts);
            assert_int_equal(hf_db_ignores(db, finder, hf_bytes_text("A-1")), counts);
        }
        hf_db_close(db);
        for (int s = 0; s < SEGMENTS; s++)
            compiled_done(&parts[s]);
    }
}

static void nobody_but_the_owner_withdraws_what_others_publish(void **state)
{
    (void)state;
    struct compiled parts[2] = {compile_one("a.hdb", MD5_A ":100:A-1\n")};
    struct hf_build *build = hf_build_new(NULL, NULL);
    hf_build_withdraw(build, true);
    assert_int_equal(hf_build_read_text(build, "x.hdb", hf_bytes_text(MD5_A ":100:A-1\n")),
                     HF_OK);
    assert_int_equal(hf_build_write(build, &parts[1].bytes), HF_OK);
    hf_build_free(build);
    static const struct {
        struct hf_db_place places[2];
        bool withdrawn;
    } cases[] = {{{{1, 0}, {1, 0}}, true},
                 {{{1, 0}, {2, 0}}, false},
                 {{{1, 0}, {2, HF_DB_PLAN_EVERYWHERE}}, false},
                 {{{1, 0}, {HF_DB_PLAN_OWNER, 0}}, true},
                 {{{HF_DB_PLAN_OWNER, 0}, {1, 0}}, false}};
    uint8_t last[16] = {0}, is[16];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hf_db *db = open_planned(parts, 2, cases[i].places);
        assert_string_equal(found_name(db, MD5_A, 100), cases[i].withdrawn ? "" : "A-1");
        hf_db_generation(db, is);
        assert_memory_not_equal(is, last, 16); /* another plan, another name */
        memcpy(last, is, 16);
        hf_db_close(db);
    }
    compiled_done(&parts[0]);
    compiled_done(&parts[1]);
}

static void a_damaged_plan_is_refused(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A-1\n");
    struct hf_buffer plan = {0};
    const struct hf_db_place places[2] = {{1, 0}, {2, 0}};
    int fds[2] = {hf_memfd_of("segment", hf_buffer_view(&c.bytes))};
    struct hf_db *db;
    hf_db_plan_write(&plan, places, 1);
    for (size_t n = 0; n <= plan.len; n++) {
        fds[1] = hf_memfd_of("plan", hf_bytes_of(plan.data, n));
        assert_int_equal(hf_db_open(fds, 2, &db), n == plan.len ? HF_OK : HF_MALFORMED);
        hf_db_close(db);
        close(fds[1]);
    }
    assert_int_equal(hf_db_open(&fds[0], 1, &db), HF_OK);
    hf_db_close(db);
    hf_buffer_clear(&plan);
    hf_db_plan_write(&plan, places, 2); /* for two, and there is one */
    fds[1] = hf_memfd_of("plan", hf_buffer_view(&plan));
    assert_int_equal(hf_db_open(fds, 2, &db), HF_MALFORMED);
    assert_int_equal(hf_db_open(&fds[1], 1, &db), HF_MALFORMED);
    close(fds[0]);
    close(fds[1]);
    hf_buffer_done(&plan);
    compiled_done(&c);
}

static void an_empty_database_opens_and_finds_nothing(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", "");
    assert_int_equal(hf_db_digests_wanted(c.db, 100), 0);
    assert_string_equal(found_name(c.db, MD5_A, 100), "");
    assert_null(hf_db_matcher(c.db, 0, 0));
    assert_null(hf_db_matcher(c.db, 1, 0));
    assert_int_equal(hf_db_rules_waking_alone(c.db, 0).len, 0);
    assert_false(hf_db_ignores(c.db, 0, hf_bytes_text("x")));
    struct hf_buffer note = {0};
    assert_int_equal(hf_db_check(c.db, &note), HF_OK);
    hf_buffer_done(&note);
    compiled_done(&c);
}

static void cut_and_changed_files_are_refused(void **state)
{
    (void)state;
    struct compiled c = compile_one("a.hdb", MD5_A ":100:A-1\n");
    uint8_t *bytes = c.aligned;
    struct hf_db *db;
    for (size_t n = 0; n < c.bytes.len; n++)
        assert_int_equal(hf_db_open_memory(hf_bytes_of(bytes, n), &db), HF_MALFORMED);
    bytes[8] ^= 2;
    assert_int_equal(hf_db_open_memory(hf_bytes_of(bytes, c.bytes.len), &db),
                     HF_UNSUPPORTED);
    bytes[8] ^= 2;
    bytes[32] ^= 1; /* another schema */
    assert_int_equal(hf_db_open_memory(hf_bytes_of(bytes, c.bytes.len), &db),
                     HF_UNSUPPORTED);
    bytes[32] ^= 1;
    assert_int_equal(hf_db_open_memory(hf_bytes_of(bytes + 1, c.bytes.len - 1), &db),
                     HF_INVALID);
    compiled_done(&c);
}

static void the_full_check_sees_every_changed_byte(void **state)
{
    (void)state;
    struct compile_source sources[] = {{"a.hdb", MD5_A ":100:A-1\n" MD5_B ":*:B-2:73\n"},
                                       {"a.ndb", "D:0:*:61626364\n"},
                                       {"a.ign2", "X\nY\n"}};
    struct compiled c = compile(sources, 3);
    uint8_t *bytes = c.aligned;
    size_t unseen = 0;
    for (size_t i = 0; i < c.bytes.len; i++) {
        struct hf_db *db = NULL;
        struct hf_buffer note = {0};
        bytes[i] ^= 0x10;
        if (hf_db_open_memory(hf_bytes_of(bytes, c.bytes.len), &db) == HF_OK)
            unseen += hf_db_check(db, &note) == HF_OK;
        hf_db_close(db);
        hf_buffer_done(&note);
        bytes[i] ^= 0x10;
    }
    /* What pads sections to 64 bytes lies in none of them. */
    size_t covered = HF_DB_HEADER;
    for (unsigned type = 1; type < HF_DB_SECTION_TYPES; type++) {
        uint64_t count;
        struct hf_bytes section = hf_db_section(c.db, 0, (enum hf_db_section)type, &count);
        covered += section.len + (section.data == NULL ? 0 : HF_DB_ENTRY);
    }
    assert_int_equal(unseen, c.bytes.len - covered);
    struct hf_buffer note = {0};
    assert_int_equal(hf_db_check(c.db, &note), HF_OK);
    hf_buffer_done(&note);
    compiled_done(&c);
}

static void the_builtin_content_is_whole(void **state)
{
    (void)state;
    struct hf_db *db;
    struct hf_buffer note = {0};
    assert_int_equal(hf_db_open_memory(hf_db_builtin(), &db), HF_OK);
    assert_int_equal(hf_db_check(db, &note), HF_OK);
    assert_string_equal(
        found_name(db, "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
                   68),
        "Holdfast.Test.EICAR");
    struct hf_bytes source, licence;
    assert_int_equal(hf_db_source(db, (struct hf_signature){0, 0}, &source, &licence),
                     HF_OK);
    assert_true(hf_bytes_equal(licence, hf_bytes_text("Apache-2.0")));
    hf_db_close(db);
}

static void the_keyed_hash_is_siphash(void **state)
{
    (void)state;
    /* Key 00..0f, message 00..0e: the paper's appendix A. */
    uint8_t key[16], message[15];
    for (unsigned i = 0; i < 16; i++)
        key[i] = (uint8_t)i;
    for (unsigned i = 0; i < 15; i++)
        message[i] = (uint8_t)i;
    assert_true(hf_siphash(key, hf_bytes_of(message, 15)) == UINT64_C(0xa129ca6149be45e5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_found_by_size_and_kind),
        cmocka_unit_test(only_usable_digests_are_wanted),
        cmocka_unit_test(sections_and_imports_have_their_own_tables),
        cmocka_unit_test(many_digests_are_all_found),
        cmocka_unit_test(names_of_every_shape_come_back),
        cmocka_unit_test(allow_lists_compare_whole_digests),
        cmocka_unit_test(detections_compare_twelve_bytes),
        cmocka_unit_test(ignored_names_are_known),
        cmocka_unit_test(rules_keep_pattern_place_and_scope),
        cmocka_unit_test(the_matcher_reports_pattern_numbers),
        cmocka_unit_test(a_target_with_many_patterns_has_a_matcher_of_its_own),
        cmocka_unit_test(sources_and_licences_are_kept),
        cmocka_unit_test(the_same_signature_twice_is_kept_once),
        cmocka_unit_test(a_later_segment_withdraws_signatures),
        cmocka_unit_test(lists_of_a_publisher_count_for_its_own_signatures_only),
        cmocka_unit_test(nobody_but_the_owner_withdraws_what_others_publish),
        cmocka_unit_test(a_damaged_plan_is_refused),
        cmocka_unit_test(an_empty_database_opens_and_finds_nothing),
        cmocka_unit_test(cut_and_changed_files_are_refused),
        cmocka_unit_test(the_full_check_sees_every_changed_byte),
        cmocka_unit_test(the_builtin_content_is_whole),
        cmocka_unit_test(the_keyed_hash_is_siphash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
