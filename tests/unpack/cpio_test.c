#include "fixture.h"

enum { FILE_MODE = 0100644, FOLDER_MODE = 0040755, LINK_MODE = 0120777 };

static const char *const layouts[] = {"newc", "crc", "odc", "little", "big"};

static void add_trailer(struct fixture *f, const char *layout)
{
    cpio_entry(&f->archive, layout, "TRAILER!!!", 0, (struct hf_bytes){0});
}

static void test_every_layout_is_read_without_a_copy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct fixture f = fixture_new();
        cpio_entry(&f.archive, layouts[i], "d", FOLDER_MODE, (struct hf_bytes){0});
        cpio_entry(&f.archive, layouts[i], "d/a", FILE_MODE, hf_bytes_text("one"));
        cpio_entry(&f.archive, layouts[i], "d/link", LINK_MODE, hf_bytes_text("a"));
        cpio_entry(&f.archive, layouts[i], "d/big", FILE_MODE,
                   sample_noise(f.arena, 70000));
        cpio_entry(&f.archive, layouts[i], "last", FILE_MODE, hf_bytes_text("three"));
        add_trailer(&f, layouts[i]);
        for (int n = 0; n < 300; n++)
            hf_buffer_u8(&f.archive, 0);
        assert_int_equal(fixture_unpack(&f, hf_unpack_cpio), HF_OK);
        assert_int_equal(f.children.count, 4);
        assert_child(&f, 0, "d/a", hf_bytes_text("one"), HF_OK);
        assert_child(&f, 1, "d/link", hf_bytes_text("a"), HF_OK);
        assert_child(&f, 2, "d/big", sample_noise(f.arena, 70000), HF_OK);
        assert_child(&f, 3, "last", hf_bytes_text("three"), HF_OK);
        assert_true(f.children.items[0].was_whole);
        assert_false(f.children.items[1].child.is_file);
        fixture_done(&f);
    }
}

static void test_a_cut_member_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct fixture f = fixture_new();
        cpio_entry(&f.archive, layouts[i], "a", FILE_MODE,
                   hf_bytes_text("0123456789abcdef"));
        f.archive.len -= 6;
        assert_int_equal(fixture_unpack(&f, hf_unpack_cpio), HF_TRUNCATED);
        assert_int_equal(f.children.count, 1);
        assert_child(&f, 0, "a", hf_bytes_text("0123456789"), HF_TRUNCATED);
        fixture_done(&f);
    }
}

static void test_without_a_trailer_the_archive_is_cut(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    cpio_entry(&f.archive, "newc", "a", FILE_MODE, hf_bytes_text("text"));
    assert_int_equal(fixture_unpack(&f, hf_unpack_cpio), HF_TRUNCATED);
    assert_child(&f, 0, "a", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_what_stands_behind_the_trailer_is_read(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    cpio_entry(&f.archive, "odc", "a", FILE_MODE, hf_bytes_text("one"));
    add_trailer(&f, "odc");
    hf_buffer_u8(&f.archive, 0);
    cpio_entry(&f.archive, "newc", "b", FILE_MODE, hf_bytes_text("two"));
    add_trailer(&f, "newc");
    hf_buffer_u32(&f.archive, 0);
    struct hf_bytes packed = deflated(f.arena, hf_bytes_text("three"), 31);
    hf_buffer_bytes(&f.archive, packed);
    assert_int_equal(fixture_unpack(&f, hf_unpack_cpio), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 1, "b", hf_bytes_text("two"), HF_OK);
    assert_child(&f, 2, "", packed, HF_OK);
    fixture_done(&f);
}

static void test_behind_damage_the_next_header_is_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    cpio_entry(&f.archive, "newc", "a", FILE_MODE, hf_bytes_text("one"));
    hf_buffer_text(&f.archive, "some bytes too many");
    cpio_entry(&f.archive, "newc", "b", FILE_MODE, hf_bytes_text("two"));
    add_trailer(&f, "newc");
    assert_int_equal(fixture_unpack(&f, hf_unpack_cpio), HF_MALFORMED);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 1, "b", hf_bytes_text("two"), HF_OK);
    fixture_done(&f);
}

static void test_what_is_no_archive_is_not_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    assert_int_equal(fixture_unpack(&f, hf_unpack_cpio), HF_NOTFOUND);
    hf_buffer_text(&f.archive,
                   "070701 is how some archives begin, but not like this: here there "
                   "is nothing but text, and it goes on long enough for a header");
    assert_int_equal(fixture_unpack(&f, hf_unpack_cpio), HF_NOTFOUND);
    assert_int_equal(f.children.count, 0);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layout_is_read_without_a_copy),
        cmocka_unit_test(test_a_cut_member_is_cut),
        cmocka_unit_test(test_without_a_trailer_the_archive_is_cut),
        cmocka_unit_test(test_what_stands_behind_the_trailer_is_read),
        cmocka_unit_test(test_behind_damage_the_next_header_is_found),
        cmocka_unit_test(test_what_is_no_archive_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
