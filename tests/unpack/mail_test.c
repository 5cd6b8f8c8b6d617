#include "fixture.h"

#include "unpack/mail_decode.h"
#include "unpack/mail_header.h"

static enum hf_status unpack_text(struct fixture *f, const char *text)
{
    *f = fixture_new();
    hf_buffer_text(&f->archive, text);
    return fixture_unpack(f, hf_unpack_mail);
}

static void assert_text(const struct fixture *f, size_t number, const char *name,
                        const char *contents)
{
    assert_child(f, number, name, hf_bytes_text(contents), HF_OK);
}

static void test_parts_come_decoded_and_named(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(
        unpack_text(&f,
                    "From: a@b\r\nContent-Type: multipart/mixed; boundary=\"BB\"\r\n\r\n"
                    "--BB\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
                    "--BB\r\nContent-Disposition: attachment; filename=\"a b.txt\"\r\n"
                    "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"
                    "--BB\r\nContent-Type: x/y; name=q\r\n"
                    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                    "a=3Db=\r\nc \r\nd\r\n--BB--\r\n"),
        HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_text(&f, 0, "part1", "hello");
    assert_true(f.children.items[0].was_whole);
    assert_text(&f, 1, "a b.txt", "hello");
    assert_text(&f, 2, "q", "a=bc\r\nd");
    fixture_done(&f);
}

static void test_nested_parts_and_messages_are_read_in_place(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(
        unpack_text(&f, "From: a\nContent-Type: multipart/mixed; boundary=A\n\n"
                        "--A\nContent-Type: message/rfc822\n\n"
                        "Subject: inner\nContent-Type: multipart/mixed; boundary=AB\n\n"
                        "--AB\n\none\n--AB\n\ntwo\n--AB--\n"
                        "--A\n\nthree\n--A--\n"),
        HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_text(&f, 0, "part1", "one");
    assert_text(&f, 1, "part2", "two");
    assert_text(&f, 2, "part3", "three");
    fixture_done(&f);
}

static void test_what_stands_around_the_parts_is_kept(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(unpack_text(&f,
                                 "From: a\nContent-Type: multipart/mixed; boundary=A\n\n"
                                 "before\n--A\n\none\n--A--\nbehind\n--A\n\nlate\n"),
                     HF_OK);
    assert_int_equal(f.children.count, 4);
    assert_text(&f, 0, "part1", "before");
    assert_text(&f, 1, "part2", "one");
    assert_text(&f, 2, "part3", "behind");
    assert_text(&f, 3, "part4", "late"); /* no final boundary: nothing is missing */
    fixture_done(&f);
}

static void test_parts_behind_undeclared_boundaries_are_found(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(
        unpack_text(&f, "From: a\nContent-Type: multipart/mixed; boundary=A\n\n"
                        "text\n--B\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n"),
        HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_text(&f, 0, "part1", "text\n--B\nContent-Transfer-Encoding: base64\n\naGVsbG8=");
    assert_text(&f, 1, "part2", "hello");
    fixture_done(&f);
}

static void test_junk_in_base64_gives_both_readings(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(unpack_text(&f, "From: a\nContent-Transfer-Encoding: BASE64\n\n"
                                     "aGVs\nno!\nbG8=\n"),
                     HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_int_not_equal(f.children.items[0].bytes.len, 5);
    assert_text(&f, 1, "part1", "hello");
    assert_text(&f, 2, "part1", "aGVs\nno!\nbG8=");
    fixture_done(&f);
}

static void test_undeclared_encodings_are_found_in_text(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(
        unpack_text(
            &f, "From: a\n\nsee:\nbegin 644 x.txt\n%:&5L;&\\\n`\nend\n"
                "=ybegin line=128 size=5 name=y.txt\n\x92\x8f\x96\x96\x99\n=yend size=5\n"
                "aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8g\n"
                "aGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8gaGVsbG8g\n"),
        HF_OK);
    assert_int_equal(f.children.count, 4);
    assert_text(&f, 1, "x.txt", "hello");
    assert_text(&f, 2, "y.txt", "hello");
    assert_int_equal(f.children.items[3].bytes.len, 60);
    fixture_done(&f);
}

static void test_mailboxes_have_many_messages(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(unpack_text(&f, "From a Mon\nSubject: 1\n\none\nFrom here on\n\n"
                                     "From b Tue\nSubject: 2\n\ntwo\n"),
                     HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_text(&f, 0, "part1", "one\nFrom here on\n");
    assert_text(&f, 1, "part2", "two");
    fixture_done(&f);
}

static void test_encrypted_parts_say_so(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(
        unpack_text(&f, "From: a\nContent-Type: multipart/encrypted; boundary=A\n\n"
                        "--A\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n"
                        "--A\nContent-Type: application/octet-stream\n\nsecret\n--A--\n"),
        HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_int_equal(f.children.items[1].how, HF_ENCRYPTED);
    fixture_done(&f);
    /* SEQUENCE, envelopedData */
    assert_int_equal(unpack_text(&f, "From: a\nContent-Type: application/pkcs7-mime\n"
                                     "Content-Transfer-Encoding: base64\n\n"
                                     "MIAGCSqGSIb3DQEHA6CAMIACAQAx\n"),
                     HF_OK);
    assert_int_equal(f.children.items[0].how, HF_ENCRYPTED);
    fixture_done(&f);
    /* signedData is not secret */
    assert_int_equal(unpack_text(&f, "From: a\nContent-Type: application/pkcs7-mime\n"
                                     "Content-Transfer-Encoding: base64\n\n"
                                     "MIAGCSqGSIb3DQEHAqCAMIACAQAx\n"),
                     HF_OK);
    assert_int_equal(f.children.items[0].how, HF_OK);
    fixture_done(&f);
}

static void test_pieces_of_messages_are_not_whole(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(
        unpack_text(&f,
                    "From: a\nContent-Type: message/partial; number=2; total=3; id=x\n\n"
                    "the middle\n"),
        HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_int_equal(f.children.items[0].how, HF_UNSUPPORTED);
    fixture_done(&f);
}

static void test_an_object_without_header_is_not_its_own_child(void **state)
{
    (void)state;
    struct fixture f;
    const char *part = "--B\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n";
    assert_int_equal(unpack_text(&f, part), HF_OK);
    for (size_t i = 0; i < f.children.count; i++)
        assert_true(f.children.items[i].bytes.len < strlen(part) - 1);
    assert_non_null(collect_find(&f.children, "part2"));
    fixture_done(&f);
}

static void test_the_budget_ends_it(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "From: a\nContent-Type: multipart/mixed; boundary=A\n\n");
    for (unsigned i = 0; i < 1000; i++)
        hf_buffer_text(&f.archive, "--A\n\ntext\n");
    f.budget.work = 500;
    assert_int_equal(fixture_unpack(&f, hf_unpack_mail), HF_LIMIT);
    f.budget = hf_budget_unlimited();
    f.budget.objects = 10;
    assert_int_equal(fixture_unpack(&f, hf_unpack_mail), HF_LIMIT);
    assert_int_equal(f.children.count, 10);
    fixture_done(&f);
}

/* The value of a parameter of a field. */
static void assert_parameter(const char *field, const char *name, const char *value)
{
    static struct hf_mail_scratch scratch;
    uint8_t out[64];
    scratch.len = strlen(field);
    memcpy(scratch.value, field, scratch.len);
    (void)hf_mail_split_value(&scratch);
    size_t len = hf_mail_parameter(&scratch, name, out, sizeof out);
    assert_true(hf_bytes_equal(hf_bytes_of(out, len), hf_bytes_text(value)));
}

static void test_parameters_are_read_as_leniently_as_mailers_do(void **state)
{
    (void)state;
    assert_parameter("a/b; name=x.exe", "name", "x.exe");
    assert_parameter("a/b; name = \"x \\\"y\\\".exe\"", "name", "x \"y\".exe");
    assert_parameter("a/b; name=my file.exe; c=d", "name", "my file.exe");
    assert_parameter("a/b; name=\"left open", "name", "left open");
    assert_parameter("a/b (c (d) \\) e) ; (x) NAME=y", "name", "y");
    assert_parameter("a/b; name*=utf-8'en'a%20b%2", "name", "a b%2");
    assert_parameter("a/b; name*1=\"two\"; name*0*=x''one%21", "name", "one!two");
    assert_parameter("a/b; (((((name=z", "name", "z");
    assert_parameter("a/b; ; ;; =; name", "name", "");
}

static void test_encoded_words_are_decoded(void **state)
{
    (void)state;
    char text[] = "a =?utf-8?B?aGVs?= \t=?utf-8?q?l=6F_?= b =?x?z?y?= =?";
    size_t len = hf_mail_decode_words((uint8_t *)text, strlen(text));
    assert_int_equal(len, strlen("a hello  b =?x?z?y?= =?"));
    assert_memory_equal(text, "a hello  b =?x?z?y?= =?", len);
}

static void test_lines_end_in_any_way(void **state)
{
    (void)state;
    static const char text[] = "one\r\ntwo\rthree\n\nfive\r\r\nseven";
    static const char *const wanted[] = {"one", "two", "three", "", "five", "", "seven"};
    struct hf_cursor c = hf_cursor_open(text, strlen(text), NULL);
    struct hf_mail_lines lines = hf_mail_lines_of(&c, 0, c.len);
    struct hf_mail_line line;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        assert_true(hf_mail_next(&lines, &line));
        assert_true(hf_bytes_equal(line.text, hf_bytes_text(wanted[i])));
    }
    assert_false(hf_mail_next(&lines, &line));
}

static void test_uuencoded_files_are_opened(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "begin 644 x.txt\n%:&5L;&\\\n`\nend\n");
    assert_int_equal(fixture_unpack(&f, hf_unpack_uu), HF_OK);
    assert_text(&f, 0, "x.txt", "hello");
    hf_buffer_clear(&f.archive);
    hf_buffer_text(&f.archive, "begin at the beginning\n");
    assert_int_equal(fixture_unpack(&f, hf_unpack_uu), HF_NOTFOUND);
    fixture_done(&f);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_come_decoded_and_named),
        cmocka_unit_test(test_nested_parts_and_messages_are_read_in_place),
        cmocka_unit_test(test_what_stands_around_the_parts_is_kept),
        cmocka_unit_test(test_parts_behind_undeclared_boundaries_are_found),
        cmocka_unit_test(test_junk_in_base64_gives_both_readings),
        cmocka_unit_test(test_undeclared_encodings_are_found_in_text),
        cmocka_unit_test(test_mailboxes_have_many_messages),
        cmocka_unit_test(test_encrypted_parts_say_so),
        cmocka_unit_test(test_pieces_of_messages_are_not_whole),
        cmocka_unit_test(test_an_object_without_header_is_not_its_own_child),
        cmocka_unit_test(test_the_budget_ends_it),
        cmocka_unit_test(test_parameters_are_read_as_leniently_as_mailers_do),
        cmocka_unit_test(test_encoded_words_are_decoded),
        cmocka_unit_test(test_lines_end_in_any_way),
        cmocka_unit_test(test_uuencoded_files_are_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
