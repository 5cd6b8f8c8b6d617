#include "fixture.h"

static void add_member(struct fixture *f, struct hf_bytes contents)
{
    hf_buffer_bytes(&f->archive, deflated(f->arena, contents, 31));
}

static void test_joined_members_are_one_child(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 700000);
    add_member(&f, hf_bytes_of(text.data, 100));
    add_member(&f, hf_bytes_of(text.data + 100, 600000 - 100));
    for (int i = 0; i < 100; i++)
        hf_buffer_u8(&f.archive, 0);
    add_member(&f, hf_bytes_of(text.data + 600000, 100000));
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "", text, HF_OK);
    fixture_done(&f);
}

static void test_all_header_fields_are_passed_over(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes member = deflated(f.arena, hf_bytes_text("text"), 31);
    hf_buffer_add(&f.archive, "\x1f\x8b\x08\x1e\0\0\0\0\0\3", 10);
    hf_buffer_counted(&f.archive, hf_bytes_text(""));
    f.archive.len -= 2; /* the extra field's length has 16 bits */
    f.archive.data[10] = 3;
    hf_buffer_text(&f.archive, "abc");
    hf_buffer_add(&f.archive, "name.txt", 9);
    hf_buffer_add(&f.archive, "a comment", 10);
    hf_buffer_u16(&f.archive, 0x1234);
    hf_buffer_add(&f.archive, member.data + 10, member.len - 10);
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_OK);
    assert_child(&f, 0, "name.txt", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_a_cut_member_gives_its_prefix(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 400000);
    add_member(&f, text);
    size_t whole = f.archive.len;
    f.archive.len = whole / 2;
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_TRUNCATED);
    const struct collected *c = &f.children.items[0];
    assert_int_equal(c->how, HF_TRUNCATED);
    assert_true(c->bytes.len > 100000 && c->bytes.len < text.len);
    assert_memory_equal(c->bytes.data, text.data, c->bytes.len);
    f.archive.len = whole - 1; /* only the trailer is cut */
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_TRUNCATED);
    assert_child(&f, 0, "", text, HF_TRUNCATED);
    fixture_done(&f);
}

static void test_the_second_member_may_be_damaged(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 1000);
    add_member(&f, text);
    add_member(&f, text);
    f.archive.data[f.archive.len / 2 + 10] = 0x07; /* a block type that does not exist */
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_MALFORMED);
    assert_child(&f, 0, "", text, HF_MALFORMED);
    fixture_done(&f);
}

static void test_bytes_behind_the_last_member_do_no_harm(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add_member(&f, hf_bytes_text("text"));
    hf_buffer_text(&f.archive, "\n-- trailing");
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_OK);
    assert_child(&f, 0, "", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_wrong_checksums_do_not_withhold_anything(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    add_member(&f, hf_bytes_text("text"));
    f.archive.data[f.archive.len - 8] ^= 1;
    f.archive.data[f.archive.len - 4] ^= 1;
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_OK);
    assert_child(&f, 0, "", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_a_bomb_ends_with_the_budget(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    uint8_t *blank = hf_arena_alloc(f.arena, 32u << 20);
    add_member(&f, hf_bytes_of(blank, 32u << 20));
    f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 1u << 20});
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_LIMIT);
    fixture_done(&f);
}

static void test_what_is_no_gzip_is_not_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_NOTFOUND);
    hf_buffer_text(&f.archive, "text");
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_NOTFOUND);
    hf_buffer_clear(&f.archive);
    hf_buffer_add(&f.archive, "\x1f\x8b\x08", 3);
    assert_int_equal(fixture_unpack(&f, hf_unpack_gzip), HF_TRUNCATED);
    assert_int_equal(f.children.count, 0);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_joined_members_are_one_child),
        cmocka_unit_test(test_all_header_fields_are_passed_over),
        cmocka_unit_test(test_a_cut_member_gives_its_prefix),
        cmocka_unit_test(test_the_second_member_may_be_damaged),
        cmocka_unit_test(test_bytes_behind_the_last_member_do_no_harm),
        cmocka_unit_test(test_wrong_checksums_do_not_withhold_anything),
        cmocka_unit_test(test_a_bomb_ends_with_the_budget),
        cmocka_unit_test(test_what_is_no_gzip_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
