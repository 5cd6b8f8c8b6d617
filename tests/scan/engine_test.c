/* The pipeline without jail and without files: databases built here, objects in memory. */
#include "scan/engine.h"

#include "base/auto.h"
#include "base/text.h"
#include "db/build.h"
#include "pattern/program.h"
#include "pattern/regex.h"
#include "rules/machine.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A database, an engine over it, and the report of its last scan. */
struct bench {
    void *image;
    struct hf_db *db;
    struct hf_engine *engine;
    struct hf_arena *arena;
    struct hf_report report;
};

/* A database and an engine over what was built so far. */
static void bench_finish(struct bench *b, struct hf_build *build, bool all_match,
                         const struct hf_limits *limits)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer note = {0};
    assert_int_equal(hf_build_write(build, &out), HF_OK);
    size_t room = (out.len + 63) / 64 * 64;
    b->image = aligned_alloc(64, room);
    memcpy(b->image, out.data, out.len);
    assert_int_equal(hf_db_open_memory(hf_bytes_of(b->image, out.len), &b->db), HF_OK);
    assert_int_equal(hf_db_check(b->db, &note), HF_OK);
    struct hf_engine_options options = {.all_match = all_match, .spool_fd = -1};
    hf_limits_default(&options.limits);
    if (limits != NULL)
        options.limits = *limits;
    assert_int_equal(hf_engine_new(b->db, &options, &b->engine), HF_OK);
    b->arena = hf_arena_new(16 << 20);
}

/* sources: file name and text in turn, then NULL. */
static void bench_open(struct bench *b, const char **sources, bool all_match,
                       const struct hf_limits *limits)
{
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(NULL, NULL);
    for (; sources[0] != NULL; sources += 2)
        assert_int_equal(hf_build_read_text(build, sources[0], hf_bytes_text(sources[1])),
                         HF_OK);
    bench_finish(b, build, all_match, limits);
}

/* One rule over one regular expression; count 0: it has matched, else that often exactly. */
static void bench_open_regex(struct bench *b, const char *regex, uint32_t flags,
                             unsigned count)
{
    HF_AUTO(hf_build_release) struct hf_build *build = hf_build_new(NULL, NULL);
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer code = {0};
    HF_AUTO(hf_buffer_done) struct hf_buffer program = {0};
    struct hf_regex_options options = {.nocase = (flags & HF_PATTERN_NOCASE) != 0};
    struct hf_regex parsed;
    struct hf_pattern_error error;
    assert_int_equal(hf_regex_parse(hf_bytes_text(regex), &options, arena, &parsed, &error),
                     HF_OK);
    assert_int_equal(hf_program_compile(parsed.root, options.nocase ? HF_PROGRAM_NOCASE : 0,
                                        arena, &code),
                     HF_OK);
    struct hf_pattern pattern = {
        .kind = HF_PATTERN_REGEX, .flags = flags, .text = hf_buffer_view(&code)};
    struct hf_rule rule = hf_rule_plain();
    if (count > 0) {
        hf_buffer_u8(&program, HF_OP_COUNT);
        hf_buffer_u32(&program, 0);
        hf_buffer_u8(&program, HF_OP_INT);
        hf_buffer_u64(&program, count);
        hf_buffer_u8(&program, HF_OP_EQ);
        hf_buffer_u8(&program, HF_OP_END);
        rule.condition = HF_CONDITION_PROGRAM;
        rule.program = hf_buffer_view(&program);
    }
    assert_int_equal(hf_build_source(build, "test", ""), HF_OK);
    assert_int_equal(hf_build_add_rule(build, &rule, &pattern, 1, hf_bytes_text("Regex")),
                     HF_OK);
    bench_finish(b, build, true, NULL);
}

static void bench_close(struct bench *b)
{
    hf_engine_free(b->engine);
    hf_db_close(b->db);
    hf_arena_free(b->arena);
    free(b->image);
}

static void scan_source(struct bench *b, const struct hf_source *source)
{
    b->report = hf_report_begin(b->arena);
    assert_int_equal(hf_engine_scan(b->engine, source, &b->report), HF_OK);
    hf_report_finish(&b->report);
}

static void scan_bytes(struct bench *b, const void *data, size_t len)
{
    struct hf_source source;
    hf_source_memory(&source, hf_bytes_of(data, len));
    scan_source(b, &source);
}

static void assert_name(const struct bench *b, size_t finding, const char *name)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer got = {0};
    assert_true(finding < b->report.finding_count);
    assert_int_equal(hf_db_name(b->db, b->report.findings[finding].signature, &got), HF_OK);
    hf_buffer_u8(&got, 0);
    assert_string_equal((char *)got.data, name);
}

/* One member of a ustar archive: header and padded data. */
static size_t put_tar(uint8_t *out, const char *name, const void *data, size_t len)
{
    memset(out, 0, 512 + (len + 511) / 512 * 512);
    memcpy(out, name, strlen(name));
    memcpy(out + 100, "0000644\0000000000\0000000000", 24);
    snprintf((char *)out + 124, 12, "%011o", (unsigned)len);
    memcpy(out + 136, "00000000000", 12);
    memset(out + 148, ' ', 8);
    out[156] = '0';
    memcpy(out + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += out[i];
    snprintf((char *)out + 148, 8, "%06o", sum);
    memcpy(out + 512, data, len);
    return 512 + (len + 511) / 512 * 512;
}

static void test_patterns_are_found_at_their_place(void **state)
{
    (void)state;
    struct bench b;
    static const char patterns[] = "Any:0:*:6d61726b657231\n"      /* marker1 */
                                   "Start:0:0:6d61726b657232\n"    /* marker2 */
                                   "End:0:EOF-7:6d61726b657233\n"; /* marker3 */
    bench_open(&b, (const char *[]){"t.ndb", patterns, NULL}, true, NULL);
    const char *text = "marker2 ... marker1 ... marker2 ... marker3";
    scan_bytes(&b, text, strlen(text));
    assert_int_equal(b.report.verdict, HF_INFECTED);
    assert_int_equal(b.report.finding_count, 3);
    assert_int_equal(b.report.findings[0].offset, 12);
    scan_bytes(&b, ".marker2 marker3.", 17);
    assert_int_equal(b.report.verdict, HF_CLEAN);
    bench_close(&b);
}

static void test_children_come_before_their_containers(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b, (const char *[]){"t.ndb", "Inner:0:*:6d61726b657231\n", NULL}, true,
               NULL);
    static uint8_t tar[4096];
    size_t n = put_tar(tar, "dir/bad.bin", "..marker1..", 11);
    scan_bytes(&b, tar, n + 1024);
    assert_int_equal(b.report.finding_count,
                     2); /* in the member, and in the bytes of the tar */
    assert_int_equal(b.report.findings[0].path.count, 1);
    assert_true(
        hf_bytes_equal(b.report.findings[0].path.names[0], hf_bytes_text("dir/bad.bin")));
    assert_int_equal(b.report.findings[0].offset, 2);
    assert_int_equal(b.report.findings[1].path.count, 0);
    assert_int_equal(b.report.findings[1].offset, 514);
    assert_int_equal(b.report.objects, 2);
    bench_close(&b);
    bench_open(&b, (const char *[]){"t.ndb", "Inner:0:*:6d61726b657231\n", NULL}, false,
               NULL);
    scan_bytes(&b, tar, n + 1024);
    assert_int_equal(b.report.finding_count, 1); /* the first ends the scan */
    bench_close(&b);
}

static void test_digests_and_allow_lists(void **state)
{
    (void)state;
    /* the digests of "evil\n" and of "good\n" */
    static const char evil[] = "78b9861f74e15d7d0f077ba22421b8e4:5:Bad\n";
    static const char sha[] =
        "886b67480dbe73b406ad83a1dd6d9596f93089d90c220ccfc91944c95f1c68c4:*:Bad256:73\n";
    static const char evil_allowed[] = "78b9861f74e15d7d0f077ba22421b8e4:5:Fine\n";
    struct bench b;
    bench_open(&b, (const char *[]){"t.hdb", evil, "t.hsb", sha, NULL}, true, NULL);
    scan_bytes(&b, "evil\n", 5);
    assert_int_equal(b.report.finding_count, 2);
    assert_int_equal(b.report.findings[0].kind, HF_FINDING_MD5);
    assert_name(&b, 0, "Bad");
    assert_name(&b, 1, "Bad256");
    scan_bytes(&b, "evil\n\n", 6);
    assert_int_equal(b.report.finding_count, 0);
    bench_close(&b);
    bench_open(&b,
               (const char *[]){"t.hdb", evil, "t.hsb", sha, "t.fp", evil_allowed, NULL},
               true, NULL);
    scan_bytes(&b, "evil\n", 5);
    assert_int_equal(b.report.verdict, HF_CLEAN);
    bench_close(&b);
}

static void test_an_allowed_container_clears_what_is_in_it(void **state)
{
    (void)state;
    static uint8_t tar[2048];
    size_t n = put_tar(tar, "bad", "marker1", 7);
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_digests digests = {0};
    assert_int_equal(hf_digest_add(hasher, hf_bytes_of(tar, n), 1u << HF_SHA256, &digests),
                     HF_OK);
    HF_AUTO(hf_buffer_done) struct hf_buffer line = {0};
    hf_hex(&line, hf_digest_bytes(&digests, HF_SHA256));
    hf_buffer_format(&line, ":%zu:Known\n", n);
    hf_buffer_u8(&line, 0);
    static const char pattern[] = "Inner:0:*:6d61726b657231\n";
    struct bench b;
    bench_open(&b, (const char *[]){"t.ndb", pattern, NULL}, false, NULL);
    scan_bytes(&b, tar, n);
    assert_int_equal(b.report.verdict, HF_INFECTED);
    bench_close(&b);
    bench_open(&b,
               (const char *[]){"t.ndb", pattern, "t.sfp", (const char *)line.data, NULL},
               false, NULL);
    scan_bytes(&b, tar, n);
    assert_int_equal(b.report.verdict, HF_CLEAN);
    bench_close(&b);
}

static void test_programs_are_confirmed_through_their_needles(void **state)
{
    (void)state;
    struct bench b;
    bench_open_regex(&b, "[0-9]{2,3}(foo|bar)+!", 0, 0);
    scan_bytes(&b, "1foo! 12foobarfoo! 1234bar", 26);
    assert_int_equal(b.report.finding_count, 1);
    assert_int_equal(b.report.findings[0].offset, 6);
    assert_int_equal(b.report.findings[0].length, 12);
    scan_bytes(&b, "1foo! foobar", 12);
    assert_int_equal(b.report.verdict, HF_CLEAN);
    bench_close(&b);
    bench_open_regex(&b, "a[0-9]b", HF_PATTERN_WIDE | HF_PATTERN_NOCASE, 0);
    scan_bytes(&b, "A1b a\0001\0B\0", 10);
    assert_int_equal(b.report.findings[0].offset, 4);
    assert_int_equal(b.report.findings[0].length, 6);
    bench_close(&b);
}

static void test_matches_that_several_needles_lead_to_count_once(void **state)
{
    (void)state;
    struct bench b;
    /* both branches are needles, and "abcabc" has three occurrences of them in one match */
    bench_open_regex(&b, "x(abc|bca)+y", 0, 2);
    scan_bytes(&b, "xabcabcy xbcay", 14);
    assert_int_equal(b.report.finding_count, 1);
    scan_bytes(&b, "xabcabcy", 8);
    assert_int_equal(b.report.finding_count, 0);
    bench_close(&b);
}

static void test_limits_are_said_and_the_rest_is_scanned(void **state)
{
    (void)state;
    struct bench b;
    struct hf_limits limits;
    hf_limits_default(&limits);
    limits.objects = 2;
    bench_open(&b, (const char *[]){"t.ndb", "Late:0:*:6d61726b657239\n", NULL}, true,
               &limits);
    static uint8_t tar[8192];
    size_t n = 0;
    for (int i = 0; i < 4; i++)
        n += put_tar(tar + n, "x", i == 3 ? "marker9" : "nothing", 7);
    scan_bytes(&b, tar, n + 1024);
    assert_int_equal(b.report.reasons, HF_REASON_LIMIT);
    assert_int_equal(b.report.verdict,
                     HF_INFECTED); /* the tar's own bytes are still searched */
    assert_true(hf_engine_tainted(b.engine));
    bench_close(&b);
}

static void test_depth_ends_a_tower(void **state)
{
    (void)state;
    struct bench b;
    struct hf_limits limits;
    hf_limits_default(&limits);
    limits.depth = 3;
    bench_open(&b, (const char *[]){"t.ndb", "Never:0:*:6e6576657221\n", NULL}, true,
               &limits);
    static uint8_t tower[2][16384];
    memcpy(tower[0], "ground", 6);
    size_t n = 6;
    int at = 0;
    for (int i = 0; i < 6; i++, at = 1 - at)
        n = put_tar(tower[1 - at], "floor", tower[at], n);
    scan_bytes(&b, tower[at], n);
    assert_int_equal(b.report.verdict, HF_UNSCANNABLE);
    assert_int_equal(b.report.incidents[0].reason, HF_REASON_LIMIT);
    assert_int_equal(b.report.incidents[0].path.count, 4);
    bench_close(&b);
}

static void test_holes_are_skipped_and_edges_are_not(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b,
               (const char *[]){
                   "t.ndb",
                   "Edge:0:*:00000000656467650000\n" /* four zeros, "edge", two zeros */
                   "Other:0:*:6f74686572\n",
                   NULL},
               true, NULL);
    static uint8_t file[1 << 20];
    memcpy(file + 500000, "edge", 4);
    memcpy(file + 900000, "other",
           5); /* in what is said to be a hole: must not be looked at */
    struct hf_extent extents[] = {{500000, 4}};
    struct hf_source source;
    hf_source_memory(&source, hf_bytes_of(file, sizeof file));
    source.extents = extents;
    source.extent_count = 1;
    scan_source(&b, &source);
    assert_int_equal(b.report.finding_count, 1);
    assert_int_equal(b.report.findings[0].offset, 499996);
    source.extent_count = 0;
    scan_source(&b, &source);
    assert_int_equal(b.report.finding_count, 0);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_are_found_at_their_place),
        cmocka_unit_test(test_children_come_before_their_containers),
        cmocka_unit_test(test_digests_and_allow_lists),
        cmocka_unit_test(test_an_allowed_container_clears_what_is_in_it),
        cmocka_unit_test(test_programs_are_confirmed_through_their_needles),
        cmocka_unit_test(test_matches_that_several_needles_lead_to_count_once),
        cmocka_unit_test(test_limits_are_said_and_the_rest_is_scanned),
        cmocka_unit_test(test_depth_ends_a_tower),
        cmocka_unit_test(test_holes_are_skipped_and_edges_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
