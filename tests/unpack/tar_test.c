#include "fixture.h"

/* Append a pax record "LENGTH KEY=VALUE\n", whose length counts itself. */
static void add_record(struct hf_buffer *records, const char *pair)
{
    size_t length = strlen(pair) + 2, digits = 1;
    for (size_t n = 10; length + digits >= n; n *= 10)
        digits++;
    hf_buffer_format(records, "%zu %s\n", length + digits, pair);
}

/* A pax header with up to three records. */
static void pax_header(struct fixture *f, const char *const pairs[3])
{
    HF_AUTO(hf_buffer_done) struct hf_buffer records = {0};
    for (size_t i = 0; i < 3 && pairs[i] != NULL; i++)
        add_record(&records, pairs[i]);
    tar_header(
        &f->archive,
        &(struct tar_entry){.name = "pax", .type = 'x', .magic = 'u', .size = records.len});
    tar_data(&f->archive, hf_buffer_view(&records));
}

static void test_members_come_without_a_copy(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_header(&f.archive, &(struct tar_entry){.name = "dir/", .type = '5', .magic = 'u'});
    tar_file(&f.archive, "dir/a", "first");
    tar_file(&f.archive, "dir/b", "second");
    tar_end(&f.archive);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "dir/a", hf_bytes_text("first"), HF_OK);
    assert_child(&f, 1, "dir/b", hf_bytes_text("second"), HF_OK);
    assert_true(f.children.items[0].was_whole);
    assert_true(f.children.items[0].child.offset == 1024);
    fixture_done(&f);
}

static void test_old_archives_without_magic_are_read(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_header(&f.archive, &(struct tar_entry){.name = "a", .type = 0, .size = 3});
    tar_data(&f.archive, hf_bytes_text("old"));
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK); /* no end mark: fine */
    assert_child(&f, 0, "a", hf_bytes_text("old"), HF_OK);
    fixture_done(&f);
}

static void test_long_names_are_put_together(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_header(&f.archive,
               &(struct tar_entry){
                   .name = "name", .prefix = "pre/fix", .type = '0', .magic = 'u'});
    const char *longer = "a name that a GNU header of its own gives";
    tar_header(&f.archive, &(struct tar_entry){.name = "././@LongLink",
                                               .type = 'L',
                                               .magic = 'g',
                                               .size = strlen(longer) + 1});
    tar_data(&f.archive, hf_bytes_of(longer, strlen(longer) + 1));
    tar_header(&f.archive,
               &(struct tar_entry){.name = "a name", .type = '0', .magic = 'g'});
    pax_header(&f, (const char *const[3]){"path=a name of any size"});
    tar_file(&f.archive, "short", "text");
    tar_file(&f.archive, "own", "text");
    tar_end(&f.archive);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_int_equal(f.children.count, 4);
    assert_child(&f, 0, "pre/fix/name", hf_bytes_text(""), HF_OK);
    assert_child(&f, 1, longer, hf_bytes_text(""), HF_OK);
    assert_child(&f, 2, "a name of any size", hf_bytes_text("text"), HF_OK);
    assert_child(&f, 3, "own", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_a_pax_size_goes_before_the_headers(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    pax_header(&f, (const char *const[3]){"size=600"});
    struct hf_bytes noise = sample_noise(f.arena, 600);
    tar_header(&f.archive, &(struct tar_entry){.name = "a", .type = '0', .magic = 'u'});
    tar_data(&f.archive, noise);
    tar_file(&f.archive, "b", "next");
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", noise, HF_OK);
    assert_child(&f, 1, "b", hf_bytes_text("next"), HF_OK);
    fixture_done(&f);
}

static void test_sizes_in_base_256_are_read(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_file(&f.archive, "a", "text");
    memset(f.archive.data + 124, 0, 12);
    f.archive.data[124] = 0x80;
    f.archive.data[135] = 4;
    tar_seal(&f.archive, 0);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_child(&f, 0, "a", hf_bytes_text("text"), HF_OK);
    memset(f.archive.data + 124, 0xff, 12); /* negative */
    tar_seal(&f.archive, 0);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_MALFORMED);
    fixture_done(&f);
}

/* "....text....." with holes of 1000 and 500 bytes. */
static struct hf_bytes expected_sparse(struct fixture *f)
{
    uint8_t *bytes = hf_arena_alloc(f->arena, 1504);
    memcpy(bytes + 1000, "text", 4);
    return hf_bytes_of(bytes, 1504);
}

static void test_old_sparse_files_are_filled_up(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_header(&f.archive,
               &(struct tar_entry){.name = "a", .type = 'S', .magic = 'g', .size = 4});
    memcpy(f.archive.data + 386,
           "00000001750\0"
           "00000000004\0"
           "00000002740\0"
           "00000000000",
           47);
    memcpy(f.archive.data + 483, "00000002740", 11);
    tar_seal(&f.archive, 0);
    tar_data(&f.archive, hf_bytes_text("text"));
    tar_file(&f.archive, "b", "next");
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", expected_sparse(&f), HF_OK);
    assert_child(&f, 1, "b", hf_bytes_text("next"), HF_OK);
    fixture_done(&f);
}

static void pax_member(struct fixture *f, const char *const pairs[3], const char *data,
                       size_t size)
{
    pax_header(f, pairs);
    tar_header(&f->archive,
               &(struct tar_entry){.name = "s", .type = '0', .magic = 'u', .size = size});
    tar_data(&f->archive, hf_bytes_of(data, size));
}

static void test_pax_sparse_files_are_filled_up(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    pax_member(&f,
               (const char *const[3]){"GNU.sparse.size=1504", "GNU.sparse.offset=1000",
                                      "GNU.sparse.numbytes=4"},
               "text", 4);
    pax_member(&f, (const char *const[3]){"GNU.sparse.size=1504", "GNU.sparse.map=1000,4"},
               "text", 4);
    char data[516] = "1\n1000\n4\n";
    memcpy(data + 512, "text", 4);
    pax_member(&f,
               (const char *const[3]){"GNU.sparse.major=1", "GNU.sparse.realsize=1504",
                                      "GNU.sparse.name=a"},
               data, sizeof data);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "s", expected_sparse(&f), HF_OK);
    assert_child(&f, 1, "s", expected_sparse(&f), HF_OK);
    assert_child(&f, 2, "a", expected_sparse(&f), HF_OK);
    fixture_done(&f);
}

static void test_holes_are_charged(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    pax_member(
        &f,
        (const char *const[3]){"GNU.sparse.size=1000000000000000000", "GNU.sparse.map=0,4"},
        "text", 4);
    f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 1 << 20});
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_LIMIT);
    fixture_done(&f);
}

static void test_a_cut_member_is_cut(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_file(&f.archive, "a", "whole");
    tar_file(&f.archive, "b", "0123456789");
    f.archive.len = 1024 + 512 + 4;
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_TRUNCATED);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 1, "b", hf_bytes_text("0123"), HF_TRUNCATED);
    fixture_done(&f);
}

static void test_behind_a_damaged_header_the_next_one_is_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_file(&f.archive, "a", "one");
    tar_file(&f.archive, "b", "two");
    tar_file(&f.archive, "c", "three");
    f.archive.data[1024] ^= 1;
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_MALFORMED);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", hf_bytes_text("one"), HF_OK);
    assert_child(&f, 1, "c", hf_bytes_text("three"), HF_OK);
    f.archive.data[0] ^= 1; /* the first one, too */
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_MALFORMED);
    assert_int_equal(f.children.count, 1);
    fixture_done(&f);
}

static void test_joined_archives_are_both_read(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_file(&f.archive, "a", "one");
    tar_end(&f.archive);
    tar_end(&f.archive);
    tar_file(&f.archive, "b", "two");
    tar_end(&f.archive);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 1, "b", hf_bytes_text("two"), HF_OK);
    fixture_done(&f);
}

static void test_links_have_data_only_when_it_is_there(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    tar_header(&f.archive,
               &(struct tar_entry){.name = "l", .type = '1', .magic = 'u', .size = 1000});
    tar_file(&f.archive, "a", "one");
    tar_header(&f.archive,
               &(struct tar_entry){.name = "m", .type = '1', .magic = 'u', .size = 3});
    tar_data(&f.archive, hf_bytes_text("two"));
    tar_end(&f.archive);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", hf_bytes_text("one"), HF_OK);
    assert_child(&f, 1, "m", hf_bytes_text("two"), HF_OK);
    assert_false(f.children.items[1].child.is_file);
    fixture_done(&f);
}

static void test_what_is_no_archive_is_not_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_NOTFOUND);
    hf_buffer_bytes(&f.archive, sample_noise(f.arena, 4096));
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_NOTFOUND);
    memset(f.archive.data, 0, f.archive.len);
    assert_int_equal(fixture_unpack(&f, hf_unpack_tar), HF_NOTFOUND);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_come_without_a_copy),
        cmocka_unit_test(test_old_archives_without_magic_are_read),
        cmocka_unit_test(test_long_names_are_put_together),
        cmocka_unit_test(test_a_pax_size_goes_before_the_headers),
        cmocka_unit_test(test_sizes_in_base_256_are_read),
        cmocka_unit_test(test_old_sparse_files_are_filled_up),
        cmocka_unit_test(test_pax_sparse_files_are_filled_up),
        cmocka_unit_test(test_holes_are_charged),
        cmocka_unit_test(test_a_cut_member_is_cut),
        cmocka_unit_test(test_behind_a_damaged_header_the_next_one_is_found),
        cmocka_unit_test(test_joined_archives_are_both_read),
        cmocka_unit_test(test_links_have_data_only_when_it_is_there),
        cmocka_unit_test(test_what_is_no_archive_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
