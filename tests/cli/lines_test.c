#include "cli/lines.h"

#include "base/auto.h"
#include "cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

/* A database of two names; lines.c asks for no more. */
struct hf_db {
    int unused;
};
static const struct hf_db the_db;

enum hf_status hf_db_name(const struct hf_db *db, struct hf_signature signature,
                          struct hf_buffer *out)
{
    assert_ptr_equal(db, &the_db);
    if (signature.segment != 0 || signature.number > 1)
        return HF_NOTFOUND;
    hf_buffer_text(out, signature.number == 0 ? "Test.One" : "Evil\n\033[2J");
    return HF_OK;
}

enum hf_status hf_db_source(const struct hf_db *db, struct hf_signature signature,
                            struct hf_bytes *source, struct hf_bytes *licence)
{
    (void)db;
    if (signature.segment != 0)
        return HF_NOTFOUND;
    *source = hf_bytes_text("feed.ndb");
    *licence = hf_bytes_text("CC0-1.0");
    return HF_OK;
}

void hf_db_generation(const struct hf_db *db, uint8_t out[16])
{
    (void)db;
    memset(out, 0xAB, 16);
}

static struct hf_bytes inner_names[] = {{(const uint8_t *)"in.zip", 6},
                                        {(const uint8_t *)"x\r\n\xff", 4}};
static struct hf_finding findings[] = {
    {.signature = {0, 0},
     .kind = HF_FINDING_PATTERN,
     .severity = HF_INFECTED,
     .offset = 7,
     .length = 3,
     .path = {inner_names, 2}},
    {.signature = {0, 1},
     .kind = HF_FINDING_SHA256,
     .severity = HF_PUA,
     .offset = HF_NO_OFFSET},
};
static struct hf_incident incidents[] = {
    {.reason = HF_REASON_ENCRYPTED, .path = {inner_names, 1}},
};
static const struct hf_report infected = {.verdict = HF_INFECTED,
                                          .findings = findings,
                                          .finding_count = 2,
                                          .objects = 3,
                                          .bytes = 99};
static const struct hf_report unscannable = {.verdict = HF_UNSCANNABLE,
                                             .reasons =
                                                 HF_REASON_ENCRYPTED | HF_REASON_LIMIT,
                                             .incidents = incidents,
                                             .incident_count = 1,
                                             .objects = 1};
static const struct hf_report clean = {.verdict = HF_CLEAN, .objects = 1};

static const char *text_of(struct hf_buffer *out, struct hf_lines lines,
                           const struct hf_report *report)
{
    lines.db = &the_db;
    hf_buffer_clear(out);
    hf_lines_report(out, &lines, hf_bytes_text("a\n.zip"), report);
    hf_buffer_u8(out, 0);
    return (const char *)out->data;
}

static void test_a_finding_is_one_line_whatever_the_names_hold(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    assert_string_equal(text_of(&out, (struct hf_lines){0}, &infected),
                        "infected     a\\n.zip!in.zip!x\\r\\n\\xff  Test.One\n");
    assert_string_equal(text_of(&out, (struct hf_lines){.all_match = true}, &infected),
                        "infected     a\\n.zip!in.zip!x\\r\\n\\xff  Test.One\n"
                        "pua          a\\n.zip  Evil\\n\\x1b[2J\n");
    assert_string_equal(
        text_of(&out, (struct hf_lines){.colour = true}, &infected),
        "\033[1;31minfected\033[0m     a\\n.zip!in.zip!x\\r\\n\\xff  Test.One\n");
}

static void test_a_name_is_shown_once_for_an_object(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_finding some[] = {findings[0], findings[1], findings[0], findings[1]};
    some[3].path = findings[0].path;
    struct hf_report report = infected;
    report.findings = some;
    report.finding_count = 4;
    assert_string_equal(text_of(&out, (struct hf_lines){.all_match = true}, &report),
                        "infected     a\\n.zip!in.zip!x\\r\\n\\xff  Test.One\n"
                        "pua          a\\n.zip  Evil\\n\\x1b[2J\n"
                        "pua          a\\n.zip!in.zip!x\\r\\n\\xff  Evil\\n\\x1b[2J\n");
}

static void test_clean_and_unscannable_files_are_shown_when_asked(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    assert_string_equal(text_of(&out, (struct hf_lines){0}, &clean), "");
    assert_string_equal(text_of(&out, (struct hf_lines){.verbose = true}, &clean),
                        "clean        a\\n.zip\n");
    assert_string_equal(text_of(&out, (struct hf_lines){0}, &unscannable), "");
    assert_string_equal(text_of(&out, (struct hf_lines){.strict = true}, &unscannable),
                        "unscannable  a\\n.zip  (limit, encrypted)\n");
    assert_string_equal(text_of(&out, (struct hf_lines){.verbose = true}, &unscannable),
                        "unscannable  a\\n.zip!in.zip  (encrypted)\n"
                        "unscannable  a\\n.zip  (limit)\n");
}

static void test_a_number_that_no_database_knows_is_still_a_finding(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_finding odd = {.signature = {7, 9}, .severity = HF_INFECTED};
    struct hf_report report = {
        .verdict = HF_INFECTED, .findings = &odd, .finding_count = 1};
    assert_string_equal(text_of(&out, (struct hf_lines){.quiet = true}, &report),
                        "infected     a\\n.zip  (signature 7.9)\n");
    report.finding_count = 0;
    assert_string_equal(text_of(&out, (struct hf_lines){.quiet = true}, &report),
                        "infected     a\\n.zip  (no evidence kept)\n");
}

static void test_json_tells_all_that_is_known(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    assert_string_equal(
        text_of(&out, (struct hf_lines){.json = true}, &infected),
        "{\"path\":\"a\\u000a.zip\",\"verdict\":\"infected\",\"reason\":[],\"name\":\"Test.One\","
        "\"format\":\"binary\",\"objects\":3,\"rules_evaluated\":0,\"bytes\":99,\"evidence\":["
        "{\"name\":\"Test.One\",\"verdict\":\"infected\",\"source\":\"feed.ndb\","
        "\"licence\":\"CC0-1.0\",\"inner\":[\"in.zip\",\"x\\u000d\\u000a\\udcff\"],"
        "\"offset\":7,\"length\":3,\"view\":\"raw\",\"kind\":\"pattern\"},"
        "{\"name\":\"Evil\\u000a\\u001b[2J\",\"verdict\":\"pua\",\"source\":\"feed.ndb\","
        "\"licence\":\"CC0-1.0\",\"inner\":[],\"offset\":null,\"length\":null,"
        "\"view\":\"raw\",\"kind\":\"sha256\"}],\"evidence_dropped\":0,\"incidents\":[],"
        "\"suspended\":[],\"suspended_dropped\":0}\n");
    assert_string_equal(
        text_of(&out, (struct hf_lines){.json = true}, &unscannable),
        "{\"path\":\"a\\u000a.zip\",\"verdict\":\"unscannable\",\"reason\":[\"limit\","
        "\"encrypted\"],\"name\":null,\"format\":\"binary\",\"objects\":1,\"rules_evaluated\":0,\"bytes\":0,"
        "\"evidence\":[],\"evidence_dropped\":0,\"incidents\":[{\"reason\":\"encrypted\","
        "\"inner\":[\"in.zip\"]}],\"suspended\":[],\"suspended_dropped\":0}\n");
    assert_string_equal(text_of(&out, (struct hf_lines){.json = true}, &clean), "");
}

static void test_errors_are_escaped_in_both_forms(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_bytes path = hf_bytes_text("x\033\n");
    hf_lines_error(&out, &(struct hf_lines){0}, path, "cannot open", EACCES);
    hf_lines_error(&out, &(struct hf_lines){.json = true}, path, "cannot open", EACCES);
    hf_buffer_u8(&out, 0);
    assert_string_equal((char *)out.data,
                        "holdfast scan: x\\x1b\\n: cannot open: Permission denied\n"
                        "{\"path\":\"x\\u001b\\u000a\",\"error\":\"cannot open: Permission "
                        "denied\"}\n");
}

static void test_found_wins_over_errors_over_incomplete(void **state)
{
    (void)state;
    struct hf_totals totals = {0};
    assert_int_equal(hf_totals_exit(&totals, true), HF_EXIT_OK);
    hf_totals_add(&totals, &clean);
    hf_totals_add(&totals, &unscannable);
    assert_int_equal(hf_totals_exit(&totals, false), HF_EXIT_OK);
    assert_int_equal(hf_totals_exit(&totals, true), HF_EXIT_INCOMPLETE);
    totals.errors = 1;
    assert_int_equal(hf_totals_exit(&totals, true), HF_EXIT_ERROR);
    hf_totals_add(&totals, &infected);
    assert_int_equal(hf_totals_exit(&totals, true), HF_EXIT_FOUND);
    assert_int_equal(totals.files, 3);
    assert_int_equal(totals.incomplete, 1);
    assert_int_equal(totals.objects, 5);
}

static void test_the_summary_says_what_was_done(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    struct hf_totals totals = {.file_bytes = 3 << 20, .errors = 2};
    struct hf_lines lines = {.db = &the_db};
    hf_totals_add(&totals, &infected);
    hf_totals_add(&totals, &unscannable);
    totals.files = 1234567;
    totals.skipped[HF_SKIP_SYMLINK] = 4;
    struct hf_summary summary = {.totals = &totals,
                                 .database = "my\n.hfdb",
                                 .signatures = 5000,
                                 .signatures_skipped = 3,
                                 .seconds = 2,
                                 .exit_code = 1};
    hf_lines_summary(&out, &lines, &summary);
    hf_buffer_u8(&out, 0);
    assert_string_equal(
        (char *)out.data,
        "\nScanned      1,234,567 files, 3.0 MiB; with what is inside 4 objects, 99 B\n"
        "Found        1 infected\n"
        "Incomplete   1: 1 limit, 1 encrypted\n"
        "Errors       2\n"
        "Skipped      4 symbolic link\n"
        "Database     my\\n.hfdb, generation abababababab, 5,000 signatures (3 more of kinds "
        "that are not evaluated)\n"
        "Time         2.00 s, 1.5 MiB/s, 617,283 files/s\n");
}

static void test_progress_shows_the_time_left_once_the_end_is_known(void **state)
{
    (void)state;
    HF_AUTO(hf_buffer_done) struct hf_buffer out = {0};
    hf_progress_line(&out, 10, 1 << 20, 0, 0, 0, 2);
    hf_buffer_u8(&out, '|');
    hf_progress_line(&out, 25, 1 << 20, 1, 100, 4 << 20, 30);
    hf_buffer_u8(&out, '|');
    hf_progress_line(&out, 1, 1 << 20, 0, 1000, 1u << 30, 60);
    hf_buffer_u8(&out, 0);
    assert_string_equal((char *)out.data,
                        "10 files, 1.0 MiB, 512.0 KiB/s, 0 found|"
                        "25 of 100 files, 1.0 MiB, 34.1 KiB/s, 1 found, ETA 1:30|"
                        "1 of 1000 files, 1.0 MiB, 17.1 KiB/s, 0 found, ETA 16:50:51");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_finding_is_one_line_whatever_the_names_hold),
        cmocka_unit_test(test_a_name_is_shown_once_for_an_object),
        cmocka_unit_test(test_clean_and_unscannable_files_are_shown_when_asked),
        cmocka_unit_test(test_a_number_that_no_database_knows_is_still_a_finding),
        cmocka_unit_test(test_json_tells_all_that_is_known),
        cmocka_unit_test(test_errors_are_escaped_in_both_forms),
        cmocka_unit_test(test_found_wins_over_errors_over_incomplete),
        cmocka_unit_test(test_the_summary_says_what_was_done),
        cmocka_unit_test(test_progress_shows_the_time_left_once_the_end_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
