/* Several segments made into one: the same bytes as a build from all sources, nothing that was
 * withdrawn, the same findings. */
#include "compile.h"

#include "base/fd.h"
#include "db/build.h"
#include "format/schema.h"
#include "rules/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LINES = 3000 };

struct source {
    const char *name, *text;
    bool withdraw;
};

static struct hf_buffer build_of(const struct source *sources, size_t count,
                                 unsigned threads)
{
    struct hf_build *build = hf_build_new(NULL, NULL);
    struct hf_buffer out = {0};
    assert_int_equal(hf_build_use_threads(build, threads), HF_OK);
    hf_build_use_modules(build, hf_fact_modules, hf_fact_module_count);
    for (size_t i = 0; i < count; i++) {
        hf_build_withdraw(build, sources[i].withdraw);
        assert_int_equal(
            hf_build_read_text(build, sources[i].name, hf_bytes_text(sources[i].text)),
            HF_OK);
    }
    assert_int_equal(hf_build_summary(build).bad_lines, 0);
    assert_int_equal(hf_build_write(build, &out), HF_OK);
    hf_build_free(build);
    return out;
}

static struct hf_db *open_all(const struct hf_buffer *segments, size_t count)
{
    int fds[HF_DB_SEGMENTS_MAX];
    struct hf_db *db;
    for (size_t i = 0; i < count; i++)
        fds[i] = hf_memfd_of("segment", hf_buffer_view(&segments[i]));
    assert_int_equal(hf_db_open(fds, count, &db), HF_OK);
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    return db;
}

static struct hf_buffer merge_of(const struct hf_buffer *segments, size_t count, bool keep,
                                 unsigned threads)
{
    struct hf_db *db = open_all(segments, count);
    struct hf_build *build = hf_build_new(NULL, NULL);
    struct hf_buffer out = {0};
    assert_int_equal(hf_build_use_threads(build, threads), HF_OK);
    assert_int_equal(hf_build_read_db(build, db, keep), HF_OK);
    assert_int_equal(hf_build_write(build, &out), HF_OK);
    hf_build_free(build);
    hf_db_close(db);
    return out;
}

static void assert_same_bytes(const struct hf_buffer *a, const struct hf_buffer *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

static char *digest_lines(unsigned from, unsigned to)
{
    struct hf_buffer text = {0};
    for (unsigned i = from; i < to; i++) {
        hf_buffer_format(&text, "%016llx%016llx:", i * 0x9e3779b97f4a7c15ull, i * 77ull);
        if (i % 7 == 0)
            hf_buffer_format(&text, "*:Any.Family%u-%u:73\n", i % 5, i);
        else
            hf_buffer_format(&text, "%u:Win.Family%u-%u-0\n", 1 + i % 150, i % 20, i * 3);
    }
    hf_buffer_u8(&text, 0);
    return (char *)text.data;
}

static const char rules_text[] =
    "One:0:*:4142434445\nTwo:1:0:0000000000\nThree-9:0:EOF-9,3:616263646566\n";
static const char yara_text[] =
    "private rule helper { strings: $a = \"needle\" condition: $a }\n"
    "rule other { strings: $b = \"haystack\" nocase wide ascii condition: #b > 1 }\n"
    "rule user { condition: helper and filesize < 100 }\n";
static const char more_yara[] =
    "rule base_one { strings: $x = /ab+c[0-9]{2}/ condition: $x }\n"
    "rule base_two { condition: base_one or filesize == 7 }\n";

static void test_merging_equals_a_build_from_all_sources(void **state)
{
    (void)state;
    char *base = digest_lines(0, LINES), *day = digest_lines(LINES, LINES + 500);
    const struct source all[] = {
        {"a.hdb", base, false},
        {"b.ndb", rules_text, false},
        {"c.yar", yara_text, false},
        {"d.sfp",
         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff:10:ok-1\n",
         false},
        {"e.mdb", "4096:00112233445566778899aabbccddeeff:Section-7\n", false},
        {"f.ign2", "Ignored\nAnd.This\n", false},
        {"g.hdb", day, false},
        {"h.yar", more_yara, false},
    };
    struct hf_buffer whole = build_of(all, 8, 1);
    /* Cut anywhere; and segments of every second source, which interleave. */
    for (size_t cut = 1; cut < 8; cut++) {
        struct hf_buffer parts[2] = {build_of(all, cut, 1),
                                     build_of(all + cut, 8 - cut, 1)};
        for (unsigned threads = 1; threads <= 3; threads += 2) {
            struct hf_buffer merged = merge_of(parts, 2, false, threads);
            assert_same_bytes(&merged, &whole);
            hf_buffer_done(&merged);
        }
        hf_buffer_done(&parts[0]);
        hf_buffer_done(&parts[1]);
    }
    struct source odd[4], even[4];
    for (size_t i = 0; i < 4; i++) {
        even[i] = all[2 * i];
        odd[i] = all[2 * i + 1];
    }
    struct hf_buffer parts[2] = {build_of(odd, 4, 1), build_of(even, 4, 1)};
    struct hf_buffer merged = merge_of(parts, 2, false, 1);
    assert_same_bytes(&merged, &whole);
    hf_buffer_done(&merged);
    hf_buffer_done(&parts[0]);
    hf_buffer_done(&parts[1]);
    hf_buffer_done(&whole);
    free(base);
    free(day);
}

static void test_a_source_that_grew_is_one_source(void **state)
{
    (void)state;
    char *old = digest_lines(0, 200), *new = digest_lines(200, 260),
         *both = digest_lines(0, 260);
    struct source one = {"main.hdb", both, false};
    struct hf_buffer whole = build_of(&one, 1, 1);
    struct hf_buffer parts[2] = {build_of(&(struct source){"main.hdb", old, false}, 1, 1),
                                 build_of(&(struct source){"main.hdb", new, false}, 1, 1)};
    struct hf_buffer merged = merge_of(parts, 2, false, 1);
    assert_same_bytes(&merged, &whole);
    for (size_t i = 0; i < 2; i++)
        hf_buffer_done(&parts[i]);
    hf_buffer_done(&merged);
    hf_buffer_done(&whole);
    free(old);
    free(new);
    free(both);
}

static void test_what_was_withdrawn_is_gone(void **state)
{
    (void)state;
    char *base = digest_lines(0, 1000), *gone = digest_lines(100, 200);
    char *kept_first = digest_lines(0, 100), *kept_last = digest_lines(200, 1000);
    struct hf_buffer kept = {0};
    hf_buffer_format(&kept, "%s%s%c", kept_first, kept_last, 0);
    const struct source old[] = {{"a.hdb", base, false}, {"b.ndb", rules_text, false}};
    const struct source update[] = {{"a.hdb", gone, true},
                                    {"b.ndb", "Two:1:0:0000000000\n", true},
                                    {"c.ndb", "New:0:*:5152535455\n", false}};
    const struct source all[] = {
        {"a.hdb", (const char *)kept.data, false},
        {"b.ndb", "One:0:*:4142434445\nThree-9:0:EOF-9,3:616263646566\n", false},
        {"c.ndb", "New:0:*:5152535455\n", false}};
    struct hf_buffer whole = build_of(all, 3, 1);
    struct hf_buffer parts[2] = {build_of(old, 2, 1), build_of(update, 3, 1)};
    struct hf_buffer merged = merge_of(parts, 2, false, 1);
    struct hf_db *db = open_all(&merged, 1), *want = open_all(&whole, 1);
    uint64_t count, other;
    assert_int_equal(hf_db_signature_count(db, 0), hf_db_signature_count(want, 0));
    for (unsigned type = HF_DB_NAMES; type < HF_DB_SECTION_TYPES; type++) {
        struct hf_bytes a = hf_db_section(db, 0, (enum hf_db_section)type, &count);
        struct hf_bytes b = hf_db_section(want, 0, (enum hf_db_section)type, &other);
        assert_int_equal(count, other);
        if (type != HF_DB_NAMES) /* sources that only withdraw are still listed */
            assert_true(hf_bytes_equal(a, b));
    }
    hf_db_section(db, 0, HF_DB_TOMBSTONES, &count);
    assert_int_equal(count, 0);
    hf_db_close(db);
    hf_db_close(want);
    hf_buffer_done(&merged);
    /* On top of an older one, they are kept. */
    merged = merge_of(&parts[1], 1, true, 1);
    db = open_all(&merged, 1);
    hf_db_section(db, 0, HF_DB_TOMBSTONES, &count);
    assert_int_equal(count, 101);
    hf_db_close(db);
    hf_buffer_done(&merged);
    for (size_t i = 0; i < 2; i++)
        hf_buffer_done(&parts[i]);
    hf_buffer_done(&whole);
    hf_buffer_done(&kept);
    free(base);
    free(gone);
    free(kept_first);
    free(kept_last);
}

/* A withdrawn rule that another one names stays, and is not reported. */
static void test_a_withdrawn_rule_may_still_be_named(void **state)
{
    (void)state;
    static const char named[] = "rule first { strings: $a = \"needle\" condition: $a }\n"
                                "rule second { condition: first }\n";
    const struct source old = {"a.yar", named, false};
    const struct source update = {
        "a.yar", "rule first { strings: $a = \"needle\" condition: $a }\n", true};
    struct hf_buffer parts[2] = {build_of(&old, 1, 1), build_of(&update, 1, 1)};
    struct hf_buffer merged = merge_of(parts, 2, false, 1);
    struct hf_db *db = open_all(&merged, 1);
    struct hf_rule rule;
    uint32_t signature;
    assert_int_equal(hf_db_rule_count(db, 0), 2);
    assert_int_equal(hf_db_rule(db, 0, 0, &rule, &signature), HF_OK);
    assert_true((rule.flags & HF_RULE_PRIVATE) != 0);
    assert_int_equal(hf_db_rule(db, 0, 1, &rule, &signature), HF_OK);
    assert_true((rule.flags & HF_RULE_PRIVATE) == 0);
    hf_db_close(db);
    for (size_t i = 0; i < 2; i++)
        hf_buffer_done(&parts[i]);
    hf_buffer_done(&merged);
}

/* Damaged segments are refused, whatever the damage: never a bad access. */
static void test_damaged_segments_are_refused_or_merged(void **state)
{
    (void)state;
    char *base = digest_lines(0, 300);
    const struct source sources[] = {{"a.hdb", base, false}, {"b.ndb", rules_text, false}};
    struct hf_buffer good = build_of(sources, 2, 1);
    for (size_t at = 64; at < good.len; at += 1 + good.len / 700) {
        uint8_t kept = good.data[at];
        good.data[at] = (uint8_t)~kept;
        int fd = hf_memfd_of("segment", hf_buffer_view(&good));
        struct hf_db *db;
        if (hf_db_open(&fd, 1, &db) == HF_OK) {
            struct hf_build *build = hf_build_new(NULL, NULL);
            (void)!hf_build_read_db(build, db, false);
            hf_build_free(build);
            hf_db_close(db);
        }
        close(fd);
        good.data[at] = kept;
    }
    hf_buffer_done(&good);
    free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merging_equals_a_build_from_all_sources),
        cmocka_unit_test(test_a_source_that_grew_is_one_source),
        cmocka_unit_test(test_what_was_withdrawn_is_gone),
        cmocka_unit_test(test_a_withdrawn_rule_may_still_be_named),
        cmocka_unit_test(test_damaged_segments_are_refused_or_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
