#include "fixture.h"

struct cab_file {
    const char *name;
    uint32_t offset, length;
};

/* A cabinet with one stored folder of at most one block. */
static void build_cab(struct fixture *f, const char *contents, const struct cab_file *files,
                      uint16_t count)
{
    struct hf_buffer list = {0}, *b = &f->archive;
    for (uint16_t i = 0; i < count; i++) {
        hf_buffer_u32(&list, files[i].length);
        hf_buffer_u32(&list, files[i].offset);
        hf_buffer_u16(&list, 0); /* folder */
        hf_buffer_u32(&list, 0); /* date, time */
        hf_buffer_u16(&list, 0x20);
        hf_buffer_add(&list, files[i].name, strlen(files[i].name) + 1);
    }
    uint32_t data = 36 + 8 + (uint32_t)list.len;
    hf_buffer_clear(b);
    hf_buffer_text(b, "MSCF");
    hf_buffer_u32(b, 0);
    hf_buffer_u32(b, data + 8 + (uint32_t)strlen(contents));
    hf_buffer_u32(b, 0);
    hf_buffer_u32(b, 36 + 8); /* where the list of files is */
    hf_buffer_u32(b, 0);
    hf_buffer_u16(b, 0x0103);
    hf_buffer_u16(b, 1); /* folders */
    hf_buffer_u16(b, count);
    hf_buffer_u16(b, 0);
    hf_buffer_u32(b, 0);
    hf_buffer_u32(b, data); /* the folder: its data, blocks, method */
    hf_buffer_u16(b, 1);
    hf_buffer_u16(b, 0);
    hf_buffer_bytes(b, hf_buffer_view(&list));
    hf_buffer_u32(b, 0); /* the block: checksum, sizes, data */
    hf_buffer_u16(b, (uint16_t)strlen(contents));
    hf_buffer_u16(b, (uint16_t)strlen(contents));
    hf_buffer_text(b, contents);
    hf_buffer_done(&list);
}

static void test_files_of_a_cabinet_are_found_in_any_order(void **state)
{
    (void)state;
    static const struct cab_file files[] = {
        {"b.txt", 5, 6}, {"a.txt", 0, 5}, {"empty", 0, 0}};
    struct fixture f = fixture_new();
    build_cab(&f, "firstsecond", files, 3);
    assert_int_equal(fixture_unpack(&f, hf_unpack_cab), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_true(
        hf_bytes_equal(collect_find(&f.children, "a.txt")->bytes, hf_bytes_text("first")));
    assert_true(
        hf_bytes_equal(collect_find(&f.children, "b.txt")->bytes, hf_bytes_text("second")));
    assert_int_equal(collect_find(&f.children, "empty")->bytes.len, 0);
    fixture_done(&f);
}

static void test_a_cabinet_behind_a_stub_is_found(void **state)
{
    (void)state;
    static const struct cab_file file = {"a.txt", 0, 5};
    struct fixture f = fixture_new();
    build_cab(&f, "first", &file, 1);
    struct hf_bytes cab = hf_arena_copy(f.arena, hf_buffer_view(&f.archive));
    hf_buffer_clear(&f.archive);
    hf_buffer_bytes(&f.archive, sample_noise(f.arena, 5000));
    hf_buffer_bytes(&f.archive, cab);
    assert_int_equal(fixture_unpack(&f, hf_unpack_cab), HF_OK);
    assert_child(&f, 0, "a.txt", hf_bytes_text("first"), HF_OK);
    fixture_done(&f);
}

static void test_a_cut_cabinet_is_truncated(void **state)
{
    (void)state;
    static const struct cab_file file = {"a.txt", 0, 5};
    struct fixture f = fixture_new();
    build_cab(&f, "first", &file, 1);
    f.archive.len -= 3;
    assert_int_not_equal(fixture_unpack(&f, hf_unpack_cab), HF_OK);
    fixture_done(&f);
}

static void test_files_that_overlap_end_with_the_budget(void **state)
{
    (void)state;
    enum { FILES = 2000, LENGTH = 30000 };
    struct fixture f = fixture_new();
    char *text = hf_arena_alloc(f.arena, LENGTH + 1);
    memset(text, 'x', LENGTH);
    struct cab_file *files = hf_arena_array(f.arena, FILES, sizeof *files);
    for (uint32_t i = 0; i < FILES; i++) /* each starts before the last one ends */
        files[i] = (struct cab_file){"f", LENGTH - FILES - 2 + i, 2};
    build_cab(&f, text, files, FILES);
    f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 10 << 20});
    assert_int_equal(fixture_unpack(&f, hf_unpack_cab), HF_LIMIT);
    fixture_done(&f);
}

static void test_a_kwaj_file_has_its_name(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_add(&f.archive, "KWAJ\x88\xf0\x27\xd1\1\0\x16\0\x09\0",
                  14); /* xor; length, name */
    hf_buffer_u32(&f.archive, 4);
    hf_buffer_add(&f.archive, "abc", 4);
    for (const char *p = "text"; *p != 0; p++)
        hf_buffer_u8(&f.archive, (uint8_t) ~*p);
    assert_int_equal(fixture_unpack(&f, hf_unpack_szdd), HF_OK);
    assert_child(&f, 0, "abc", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

/* A sink that unpacks a cabinet of its own at the end of each child, as the pipeline does when
 * the child is one. */
struct nesting {
    struct hf_sink sink; /* first */
    struct fixture inner;
    unsigned closed;
};

static enum hf_status nest_open(struct hf_sink *sink, const struct hf_child *child)
{
    (void)sink;
    (void)child;
    return HF_OK;
}

static enum hf_status nest_write(struct hf_sink *sink, struct hf_bytes bytes)
{
    (void)sink;
    (void)bytes;
    return HF_OK;
}

static enum hf_status nest_close(struct hf_sink *sink, enum hf_status how)
{
    struct nesting *n = (struct nesting *)(void *)sink;
    assert_int_equal(how, HF_OK);
    assert_int_equal(fixture_unpack(&n->inner, hf_unpack_cab), HF_OK);
    n->closed++;
    return HF_OK;
}

static void test_decoders_nest(void **state)
{
    (void)state;
    static const struct cab_file files[] = {{"a", 0, 5}, {"b", 5, 6}};
    struct nesting n = {
        .sink = {.open = nest_open, .write = nest_write, .close = nest_close},
        .inner = fixture_new()};
    struct fixture f = fixture_new();
    build_cab(&n.inner, "first", files, 1);
    build_cab(&f, "firstsecond", files, 2);
    struct hf_unpack u = {
        .object = hf_cursor_open(f.archive.data, f.archive.len, &f.budget),
        .format = HF_FORMAT_CAB,
        .sink = &n.sink,
        .arena = f.arena,
    };
    assert_int_equal(hf_unpack_cab(&u), HF_OK);
    assert_int_equal(n.closed, 2);
    assert_child(&n.inner, 0, "a", hf_bytes_text("first"), HF_OK);
    fixture_done(&n.inner);
    fixture_done(&f);
}

static void test_what_is_no_cabinet_is_not_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_text(&f.archive, "nothing of the kind, however long it may be");
    assert_int_equal(fixture_unpack(&f, hf_unpack_cab), HF_NOTFOUND);
    assert_int_equal(fixture_unpack(&f, hf_unpack_chm), HF_NOTFOUND);
    assert_int_equal(fixture_unpack(&f, hf_unpack_szdd), HF_NOTFOUND);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_a_cabinet_are_found_in_any_order),
        cmocka_unit_test(test_a_cabinet_behind_a_stub_is_found),
        cmocka_unit_test(test_a_cut_cabinet_is_truncated),
        cmocka_unit_test(test_files_that_overlap_end_with_the_budget),
        cmocka_unit_test(test_a_kwaj_file_has_its_name),
        cmocka_unit_test(test_decoders_nest),
        cmocka_unit_test(test_what_is_no_cabinet_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
