#include "fixture.h"

/* A member with a level 0 header. */
static void add_member(struct fixture *f, const char *method, const char *name,
                       const char *packed, uint32_t size)
{
    struct hf_buffer h = {0};
    hf_buffer_text(&h, method);
    hf_buffer_u32(&h, (uint32_t)strlen(packed));
    hf_buffer_u32(&h, size);
    hf_buffer_u32(&h, 0); /* time */
    hf_buffer_u16(&h, 0x20);
    hf_buffer_u8(&h, (uint8_t)strlen(name));
    hf_buffer_text(&h, name);
    hf_buffer_u16(&h, 0); /* checksum of the contents */
    uint8_t sum = 0;
    for (size_t i = 0; i < h.len; i++)
        sum = (uint8_t)(sum + h.data[i]);
    hf_buffer_u8(&f->archive, (uint8_t)h.len);
    hf_buffer_u8(&f->archive, sum);
    hf_buffer_bytes(&f->archive, hf_buffer_view(&h));
    hf_buffer_text(&f->archive, packed);
    hf_buffer_done(&h);
}

static void test_stored_members_are_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add_member(&f, "-lh0-", "a.txt", "first", 5);
    add_member(&f, "-lh0-", "folder\\b.txt", "second", 6);
    hf_buffer_u8(&f.archive, 0);
    assert_int_equal(fixture_unpack(&f, hf_unpack_lha), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a.txt", hf_bytes_text("first"), HF_OK);
    assert_child(&f, 1, "folder/b.txt", hf_bytes_text("second"), HF_OK);
    fixture_done(&f);
}

static void test_an_unknown_method_says_so_and_hides_nothing_behind(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add_member(&f, "-lh9-", "a", "first", 5);
    add_member(&f, "-lh0-", "b", "second", 6);
    hf_buffer_u8(&f.archive, 0);
    assert_int_equal(fixture_unpack(&f, hf_unpack_lha), HF_UNSUPPORTED);
    assert_int_equal(f.children.count, 2);
    assert_int_equal(f.children.items[0].how, HF_UNSUPPORTED);
    assert_child(&f, 1, "b", hf_bytes_text("second"), HF_OK);
    fixture_done(&f);
}

static void test_a_cut_member_gives_its_prefix(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add_member(&f, "-lh0-", "a", "contents", 8);
    f.archive.len -= 3;
    assert_int_equal(fixture_unpack(&f, hf_unpack_lha), HF_TRUNCATED);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a", hf_bytes_text("conte"), HF_TRUNCATED);
    fixture_done(&f);
}

static void test_what_is_no_archive_is_malformed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "nothing of the kind, however long it may be");
    assert_int_equal(fixture_unpack(&f, hf_unpack_lha), HF_MALFORMED);
    assert_int_equal(f.children.count, 0);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_members_are_found),
        cmocka_unit_test(test_an_unknown_method_says_so_and_hides_nothing_behind),
        cmocka_unit_test(test_a_cut_member_gives_its_prefix),
        cmocka_unit_test(test_what_is_no_archive_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
