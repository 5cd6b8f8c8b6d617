#include "fixture.h"

/* A xar with this table of contents and heap. */
static void build(struct fixture *f, const char *toc, struct hf_bytes heap)
{
    struct hf_bytes packed = deflated(f->arena, hf_bytes_text(toc), 15);
    hf_buffer_clear(&f->archive);
    hf_buffer_add(&f->archive, "xar!\0\34\0\1", 8);
    for (int shift = 56; shift >= 0; shift -= 8)
        hf_buffer_u8(&f->archive, (uint8_t)((uint64_t)packed.len >> shift));
    for (int shift = 56; shift >= 0; shift -= 8)
        hf_buffer_u8(&f->archive, (uint8_t)((uint64_t)strlen(toc) >> shift));
    hf_buffer_add(&f->archive, "\0\0\0\0", 4);
    hf_buffer_bytes(&f->archive, packed);
    hf_buffer_bytes(&f->archive, heap);
}

static void test_files_are_found_with_their_paths(void **state)
{
    (void)state;
    static const char toc[] =
        "<?xml version=\"1.0\"?><xar><toc><!-- <data> in a comment -->"
        "<file id=\"1\"><name>folder</name>"
        "<file id=\"2\"><data><length>5</length><offset>0</offset>"
        "<encoding style='application/octet-stream'/><size>5</size></data><name>a</name></file>"
        "<file id=\"3\"><name>b</name><data><offset>5</offset><length>6</length></data></file>"
        "</file></toc></xar>";
    struct fixture f = fixture_new();
    build(&f, toc, hf_bytes_text("firstsecond"));
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "", hf_bytes_text(toc), HF_OK);
    assert_child(&f, 1, "folder/a", hf_bytes_text("first"), HF_OK);
    assert_child(&f, 2, "folder/b", hf_bytes_text("second"), HF_OK);
    assert_true(f.children.items[1].was_whole);
    fixture_done(&f);
}

static void test_packed_files_are_unpacked(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 300000);
    struct hf_bytes packed = deflated(f.arena, text, 15);
    struct hf_buffer toc = {0};
    hf_buffer_format(&toc,
                     "<file><name>a</name><data><length>%zu</length><offset>0</offset>"
                     "<encoding style=\"application/x-gzip\"/></data></file>",
                     packed.len);
    hf_buffer_u8(&toc, 0);
    build(&f, (const char *)toc.data, packed);
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_OK);
    assert_child(&f, 1, "a", text, HF_OK);
    f.archive.len -= packed.len / 2;
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_TRUNCATED);
    assert_int_equal(f.children.items[1].how, HF_TRUNCATED);
    assert_true(f.children.items[1].bytes.len > 1000);
    hf_buffer_done(&toc);
    fixture_done(&f);
}

static void test_places_outside_the_heap_are_truncated(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    build(&f,
          "<file><data><length>9999999999999999999</length><offset>3</offset></data>"
          "<data><length>4</length><offset>9999999999999999999</offset></data></file>",
          hf_bytes_text("abcdef"));
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_TRUNCATED);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 1, "", hf_bytes_text("def"), HF_TRUNCATED);
    assert_child(&f, 2, "", hf_bytes_text(""), HF_TRUNCATED);
    fixture_done(&f);
}

static void test_a_cut_table_still_gives_its_files(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    build(&f,
          "<file><name>a</name><data><length>3</length><offset>0</offset></data></file><fi",
          hf_bytes_text("abc"));
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_OK);
    assert_child(&f, 1, "a", hf_bytes_text("abc"), HF_OK);
    fixture_done(&f);
}

static void test_files_in_files_have_a_depth_limit(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_buffer toc = {0};
    for (int i = 0; i < 1000; i++)
        hf_buffer_text(&toc, "<file><name>d</name>");
    hf_buffer_u8(&toc, 0);
    build(&f, (const char *)toc.data, hf_bytes_text(""));
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_MALFORMED);
    hf_buffer_done(&toc);
    fixture_done(&f);
}

static void test_the_same_place_named_often_ends_with_the_budget(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes packed = deflated(f.arena, sample_text(f.arena, 300000), 15);
    struct hf_buffer toc = {0};
    for (int i = 0; i < 1000; i++)
        hf_buffer_format(&toc,
                         "<data><length>%zu</length><offset>0</offset>"
                         "<encoding style=\"application/x-gzip\"/></data>",
                         packed.len);
    hf_buffer_u8(&toc, 0);
    build(&f, (const char *)toc.data, packed);
    f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 4 << 20});
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_LIMIT);
    hf_buffer_done(&toc);
    fixture_done(&f);
}

static void test_what_is_no_xar_is_not_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "xar?");
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_NOTFOUND);
    hf_buffer_clear(&f.archive);
    hf_buffer_add(&f.archive, "xar!\0\34\0\1", 8);
    assert_int_equal(fixture_unpack(&f, hf_unpack_xar), HF_TRUNCATED);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_are_found_with_their_paths),
        cmocka_unit_test(test_packed_files_are_unpacked),
        cmocka_unit_test(test_places_outside_the_heap_are_truncated),
        cmocka_unit_test(test_a_cut_table_still_gives_its_files),
        cmocka_unit_test(test_files_in_files_have_a_depth_limit),
        cmocka_unit_test(test_the_same_place_named_often_ends_with_the_budget),
        cmocka_unit_test(test_what_is_no_xar_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
