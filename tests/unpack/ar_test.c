#include "fixture.h"

static void add_header(struct fixture *f, const char *name, size_t size)
{
    hf_buffer_format(&f->archive, "%-16s%-12d%-6d%-6d%-8o%-10zu`\n", name, 0, 0, 0,
                     0100644U, size);
}

static void add_member(struct fixture *f, const char *name, const char *contents)
{
    add_header(f, name, strlen(contents));
    hf_buffer_text(&f->archive, contents);
    if (strlen(contents) % 2 != 0)
        hf_buffer_text(&f->archive, "\n");
}

static struct fixture archive_new(void)
{
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "!<arch>\n");
    return f;
}

static void test_members_of_a_deb_are_not_copied(void **state)
{
    (void)state;
    struct fixture f = archive_new();
    add_member(&f, "debian-binary", "2.0\n");
    add_member(&f, "control.tar.xz", "odd");
    add_member(&f, "data.tar.xz", "data");
    assert_int_equal(fixture_unpack(&f, hf_unpack_ar), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "debian-binary", hf_bytes_text("2.0\n"), HF_OK);
    assert_child(&f, 1, "control.tar.xz", hf_bytes_text("odd"), HF_OK);
    assert_child(&f, 2, "data.tar.xz", hf_bytes_text("data"), HF_OK);
    assert_true(f.children.items[2].was_whole);
    assert_int_equal(f.children.items[0].child.offset, 8 + 60);
    fixture_done(&f);
}

static void test_long_names_are_found_in_their_three_places(void **state)
{
    (void)state;
    struct fixture f = archive_new();
    add_member(&f, "/", "\1\2\3\4"); /* the linker's index is no child */
    add_member(&f, "//", "first_long_name.o/\nanother_long_name.o/\n");
    add_member(&f, "short.o/", "a");
    add_member(&f, "/19", "b");
    add_member(&f, "#1/12", "name with 12contents");
    assert_int_equal(fixture_unpack(&f, hf_unpack_ar), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "short.o", hf_bytes_text("a"), HF_OK);
    assert_child(&f, 1, "another_long_name.o", hf_bytes_text("b"), HF_OK);
    assert_child(&f, 2, "name with 12", hf_bytes_text("contents"), HF_OK);
    fixture_done(&f);
}

static void test_names_that_lead_nowhere_lose_no_member(void **state)
{
    (void)state;
    struct fixture f = archive_new();
    add_member(&f, "//", "x/\n");
    add_member(&f, "/999999", "a");
    add_member(&f, "#1/999", "b");
    add_member(&f, "#1/x", "c");
    assert_int_equal(fixture_unpack(&f, hf_unpack_ar), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "", hf_bytes_text("a"), HF_OK);
    assert_child(&f, 1, "#1/999", hf_bytes_text("b"), HF_OK);
    assert_child(&f, 2, "#1/x", hf_bytes_text("c"), HF_OK);
    fixture_done(&f);
}

static void test_a_cut_member_gives_its_prefix(void **state)
{
    (void)state;
    struct fixture f = archive_new();
    add_header(&f, "a", 9999999999);
    hf_buffer_text(&f.archive, "start");
    assert_int_equal(fixture_unpack(&f, hf_unpack_ar), HF_TRUNCATED);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a", hf_bytes_text("start"), HF_TRUNCATED);
    fixture_done(&f);
}

static void test_members_behind_a_broken_header_are_found(void **state)
{
    (void)state;
    struct fixture f = archive_new();
    add_member(&f, "a", "first");
    size_t broken = f.archive.len;
    add_member(&f, "b", "lost `\n in the middle");
    add_member(&f, "c", "third");
    f.archive.data[broken + 48] = 'x'; /* the size */
    assert_int_equal(fixture_unpack(&f, hf_unpack_ar), HF_MALFORMED);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 1, "c", hf_bytes_text("third"), HF_OK);
    fixture_done(&f);
}

static void test_thin_archives_have_no_data(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "!<thin>\n");
    add_member(&f, "//", "a.o/\n");
    add_header(&f, "/0", 1000);
    add_header(&f, "b.o/", 3000);
    assert_int_equal(fixture_unpack(&f, hf_unpack_ar), HF_OK);
    assert_int_equal(f.children.count, 0);
    fixture_done(&f);
}

static void test_what_is_no_archive_is_not_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "!<arch>");
    assert_int_equal(fixture_unpack(&f, hf_unpack_ar), HF_NOTFOUND);
    fixture_done(&f);
}

static void add_rpm_header(struct fixture *f, uint8_t entries, uint8_t data)
{
    static const uint8_t zeros[256];
    hf_buffer_add(&f->archive, "\x8e\xad\xe8\1\0\0\0\0\0\0\0", 11);
    hf_buffer_u8(&f->archive, entries);
    hf_buffer_add(&f->archive, "\0\0\0", 3);
    hf_buffer_u8(&f->archive, data);
    hf_buffer_add(&f->archive, zeros, (size_t)entries * 16 + data);
}

static struct fixture rpm_new(void)
{
    static const uint8_t zeros[92];
    struct fixture f = fixture_new();
    hf_buffer_add(&f.archive, "\xed\xab\xee\xdb", 4);
    hf_buffer_add(&f.archive, zeros, sizeof zeros);
    add_rpm_header(&f, 2, 13);
    hf_buffer_add(&f.archive, zeros, 3); /* padding to eight bytes */
    add_rpm_header(&f, 3, 21);
    return f;
}

static void test_the_payload_of_an_rpm_is_its_child(void **state)
{
    (void)state;
    struct fixture f = rpm_new();
    hf_buffer_text(&f.archive, "payload");
    assert_int_equal(fixture_unpack(&f, hf_unpack_rpm), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "", hf_bytes_text("payload"), HF_OK);
    assert_true(f.children.items[0].was_whole);
    fixture_done(&f);
}

static void test_a_cut_rpm_is_truncated_anywhere(void **state)
{
    (void)state;
    struct fixture f = rpm_new();
    for (; f.archive.len >= 4; f.archive.len--) {
        assert_int_equal(fixture_unpack(&f, hf_unpack_rpm), HF_TRUNCATED);
        assert_int_equal(f.children.count, 0);
    }
    assert_int_equal(fixture_unpack(&f, hf_unpack_rpm), HF_NOTFOUND);
    fixture_done(&f);
}

static void test_an_rpm_whose_header_lies_is_refused(void **state)
{
    (void)state;
    struct fixture f = rpm_new();
    hf_buffer_text(&f.archive, "payload");
    memset(f.archive.data + 96 + 8, 0xff, 8); /* counts of the signature header */
    assert_int_equal(fixture_unpack(&f, hf_unpack_rpm), HF_TRUNCATED);
    f.archive.data[96] = 0;
    assert_int_equal(fixture_unpack(&f, hf_unpack_rpm), HF_MALFORMED);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_of_a_deb_are_not_copied),
        cmocka_unit_test(test_long_names_are_found_in_their_three_places),
        cmocka_unit_test(test_names_that_lead_nowhere_lose_no_member),
        cmocka_unit_test(test_a_cut_member_gives_its_prefix),
        cmocka_unit_test(test_members_behind_a_broken_header_are_found),
        cmocka_unit_test(test_thin_archives_have_no_data),
        cmocka_unit_test(test_what_is_no_archive_is_not_found),
        cmocka_unit_test(test_the_payload_of_an_rpm_is_its_child),
        cmocka_unit_test(test_a_cut_rpm_is_truncated_anywhere),
        cmocka_unit_test(test_an_rpm_whose_header_lies_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
