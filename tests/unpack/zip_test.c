#include "fixture.h"

static void test_stored_members_come_without_a_copy(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e[] = {
        zip_stored("a", hf_bytes_text("first")), zip_stored("b/c", hf_bytes_text("second")),
        zip_stored("empty", hf_bytes_text("")), zip_stored("folder/", hf_bytes_text(""))};
    zip_archive(&f.archive, e, 4);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 3); /* a folder without bytes is no child */
    assert_child(&f, 0, "a", hf_bytes_text("first"), HF_OK);
    assert_child(&f, 1, "b/c", hf_bytes_text("second"), HF_OK);
    assert_child(&f, 2, "empty", hf_bytes_text(""), HF_OK);
    assert_true(f.children.items[0].was_whole);
    assert_true(f.children.items[0].child.offset == 31);
    assert_true(f.children.items[1].child.number == 1);
    assert_true(f.children.items[1].child.crc == e[1].crc);
    fixture_done(&f);
}

static void test_deflated_members_of_all_sizes_are_inflated(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes small = sample_text(f.arena, 1000),
                    large = sample_text(f.arena, 3000000),
                    noise = sample_noise(f.arena, 100000);
    struct zip_entry e[] = {zip_deflated(f.arena, "small", small),
                            zip_deflated(f.arena, "large", large),
                            zip_deflated(f.arena, "noise", noise)};
    zip_archive(&f.archive, e, 3);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "small", small, HF_OK);
    assert_child(&f, 1, "large", large, HF_OK);
    assert_child(&f, 2, "noise", noise, HF_OK);
    fixture_done(&f);
}

/* One member whose two headers may differ, in an otherwise honest archive. */
static void build_two_views(struct fixture *f, const struct zip_entry *central,
                            const struct zip_entry *local)
{
    uint32_t at = zip_local(&f->archive, local), directory = (uint32_t)f->archive.len;
    zip_central(&f->archive, central, at);
    zip_end(&f->archive, 1, (uint32_t)f->archive.len - directory, directory);
}

static void test_a_method_that_differs_locally_is_followed_too(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 5000);
    struct zip_entry local = zip_deflated(f.arena, "a", text), central = local;
    central.method = 0;
    central.size = central.packed;
    build_two_views(&f, &central, &local);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", local.data, HF_OK);
    assert_child(&f, 1, "a", text, HF_OK);
    fixture_done(&f);
}

static void test_a_name_that_differs_locally_is_reported_too(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry local = zip_stored("evil.exe", hf_bytes_text("text")), central = local;
    central.name = "good.txt";
    build_two_views(&f, &central, &local);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "good.txt", hf_bytes_text("text"), HF_OK);
    assert_child(&f, 1, "evil.exe", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_a_stored_size_that_differs_locally_is_followed_too(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry local = zip_stored("a", hf_bytes_text("the whole text")),
                     central = local;
    central.packed = central.size = 3;
    build_two_views(&f, &central, &local);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", hf_bytes_text("the"), HF_OK);
    assert_child(&f, 1, "a", hf_bytes_text("the whole text"), HF_OK);
    fixture_done(&f);
}

static void test_lies_about_packed_sizes_do_not_cut_a_stream(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 600000);
    struct zip_entry local = zip_deflated(f.arena, "a", text), central = local;
    central.packed = 10;
    local.packed = 0xfffffff0;
    central.size = 5;
    build_two_views(&f, &central, &local);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a", text, HF_OK);
    fixture_done(&f);
}

static void test_data_that_the_directory_calls_empty_is_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 3000);
    struct zip_entry local = zip_deflated(f.arena, "a/", text), central = local;
    local.flags = 8;
    local.packed = local.size = local.crc = 0;
    central.packed = central.size = 0;
    build_two_views(&f, &central, &local);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a/", text, HF_OK);
    fixture_done(&f);
}

static void test_members_missing_in_the_directory_are_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry shown = zip_stored("shown", hf_bytes_text("one")),
                     hidden = zip_deflated(f.arena, "hidden", hf_bytes_text("two")),
                     last = zip_stored("last", hf_bytes_text("three"));
    zip_local(&f.archive, &hidden);
    uint32_t at = zip_local(&f.archive, &shown);
    zip_local(&f.archive, &last);
    uint32_t directory = (uint32_t)f.archive.len;
    zip_central(&f.archive, &shown, at);
    zip_end(&f.archive, 1, (uint32_t)f.archive.len - directory, directory);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "shown", hf_bytes_text("one"), HF_OK);
    assert_child(&f, 1, "hidden", hf_bytes_text("two"), HF_OK);
    assert_child(&f, 2, "last", hf_bytes_text("three"), HF_OK);
    fixture_done(&f);
}

static void test_a_header_without_its_signature_is_read_all_the_same(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_deflated(f.arena, "a", hf_bytes_text("some text"));
    zip_archive(&f.archive, &e, 1);
    f.archive.data[2] ^= 0x55;
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a", hf_bytes_text("some text"), HF_OK);
    fixture_done(&f);
}

static void test_a_cut_archive_gives_what_is_there(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 800000);
    struct zip_entry e[] = {zip_stored("a", hf_bytes_text("whole")),
                            zip_deflated(f.arena, "b", text)};
    zip_archive(&f.archive, e, 2);
    f.archive.len = 36 + 31 + e[1].packed / 2;
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_TRUNCATED);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", hf_bytes_text("whole"), HF_OK);
    const struct collected *b = &f.children.items[1];
    assert_int_equal(b->how, HF_TRUNCATED);
    assert_true(b->bytes.len > 300000 && b->bytes.len < text.len);
    assert_memory_equal(b->bytes.data, text.data, b->bytes.len);
    fixture_done(&f);
}

static void test_a_cut_stored_member_is_cut(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_stored("a", hf_bytes_text("0123456789"));
    zip_local(&f.archive, &e);
    f.archive.len -= 4;
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_TRUNCATED);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a", hf_bytes_text("012345"), HF_TRUNCATED);
    fixture_done(&f);
}

static void test_damaged_data_gives_its_readable_part(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 60000);
    HF_AUTO(hf_buffer_done) struct hf_buffer stream = {0};
    hf_buffer_u8(&stream, 0); /* a stored block, then one of a type that does not exist */
    hf_buffer_u16(&stream, (uint16_t)text.len);
    hf_buffer_u16(&stream, (uint16_t)~text.len);
    hf_buffer_bytes(&stream, text);
    hf_buffer_u32(&stream, 0xffffffff);
    struct zip_entry e[] = {zip_stored("a", hf_buffer_view(&stream)),
                            zip_stored("b", hf_bytes_text("next"))};
    e[0].method = 8;
    e[0].size = 100000;
    zip_archive(&f.archive, e, 2);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", text, HF_MALFORMED);
    assert_child(&f, 1, "b", hf_bytes_text("next"), HF_OK);
    fixture_done(&f);
}

static void test_an_archive_behind_other_data_is_read(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e[] = {zip_stored("a", hf_bytes_text("one")),
                            zip_deflated(f.arena, "b", hf_bytes_text("two"))};
    hf_buffer_bytes(&f.archive, sample_noise(f.arena, 5000));
    zip_archive(&f.archive, e, 2);
    hf_buffer_text(&f.archive, "and something behind it");
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", hf_bytes_text("one"), HF_OK);
    assert_child(&f, 1, "b", hf_bytes_text("two"), HF_OK);
    fixture_done(&f);
}

static void test_joined_archives_are_both_read(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry first = zip_stored("a", hf_bytes_text("one")),
                     second = zip_stored("b", hf_bytes_text("two"));
    zip_archive(&f.archive, &first, 1);
    zip_archive(&f.archive, &second, 1);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "b", hf_bytes_text("two"), HF_OK);
    assert_child(&f, 1, "a", hf_bytes_text("one"), HF_OK);
    fixture_done(&f);
}

static void test_an_end_record_in_the_comment_does_not_hide_the_true_one(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_stored("a", hf_bytes_text("one")),
                     renamed = zip_stored("b", hf_bytes_text("one"));
    zip_archive(&f.archive, &e, 1);
    f.archive.data[f.archive.len - 2] =
        47 + 22; /* comment: a directory and its end record */
    uint32_t directory = (uint32_t)f.archive.len;
    zip_central(&f.archive, &renamed, 0);
    zip_end(&f.archive, 1, (uint32_t)f.archive.len - directory, directory);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_non_null(collect_find(&f.children, "a"));
    assert_non_null(collect_find(&f.children, "b"));
    fixture_done(&f);
}

static void test_a_stored_archive_inside_is_not_opened_here(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry inner = zip_stored("inner", hf_bytes_text("text"));
    HF_AUTO(hf_buffer_done) struct hf_buffer nested = {0};
    zip_archive(&nested, &inner, 1);
    struct zip_entry outer = zip_stored("nested.zip", hf_buffer_view(&nested));
    zip_archive(&f.archive, &outer, 1);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "nested.zip", hf_buffer_view(&nested), HF_OK);
    fixture_done(&f);
}

static void test_a_streamed_archive_without_directory_is_read(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e[] = {zip_deflated(f.arena, "a", sample_text(f.arena, 4000)),
                            zip_stored("b", hf_bytes_text("stored, with PK\7\10 inside")),
                            zip_stored("c", hf_bytes_text("last"))};
    for (size_t i = 0; i < 3; i++) {
        struct zip_entry streamed = e[i];
        streamed.flags = 8;
        streamed.crc = streamed.packed = streamed.size = 0;
        zip_local(&f.archive, &streamed);
        hf_buffer_u32(&f.archive, 0x08074b50);
        hf_buffer_u32(&f.archive, e[i].crc);
        hf_buffer_u32(&f.archive, e[i].packed);
        hf_buffer_u32(&f.archive, e[i].size);
    }
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_TRUNCATED);
    assert_int_equal(f.children.count, 3);
    assert_child(&f, 0, "a", sample_text(f.arena, 4000), HF_OK);
    assert_child(&f, 1, "b", e[1].data, HF_OK);
    assert_child(&f, 2, "c", e[2].data, HF_OK);
    fixture_done(&f);
}

static void test_a_broken_stream_does_not_hide_the_next_member(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry broken = {.name = "a",
                               .method = 8,
                               .flags = 8,
                               .data = hf_bytes_text("\5")},
                     next = zip_stored("b", hf_bytes_text("text"));
    zip_local(&f.archive, &broken); /* its stream runs on into the next header */
    zip_local(&f.archive, &next);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_TRUNCATED);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 1, "b", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_zip64_values_are_used(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_buffer *b = &f.archive;
    struct zip_entry e = zip_stored("a", hf_bytes_text("some text"));
    zip_local(b, &e);
    uint32_t directory = (uint32_t)b->len, packed = e.packed;
    e.packed = e.size = 0xffffffff;
    zip_central(b, &e, 0xffffffff);
    b->data[directory + 30] = 28; /* extra field with both sizes and the position */
    hf_buffer_u16(b, 1);
    hf_buffer_u16(b, 24);
    hf_buffer_u64(b, packed);
    hf_buffer_u64(b, packed);
    hf_buffer_u64(b, 0);
    uint32_t end = (uint32_t)b->len;
    hf_buffer_u32(b, 0x06064b50);
    hf_buffer_u64(b, 44);
    hf_buffer_u32(b, 0);
    hf_buffer_u64(b, 0); /* disks */
    hf_buffer_u64(b, 1);
    hf_buffer_u64(b, 1);
    hf_buffer_u64(b, end - directory);
    hf_buffer_u64(b, directory);
    hf_buffer_u32(b, 0x07064b50);
    hf_buffer_u32(b, 0);
    hf_buffer_u64(b, end);
    hf_buffer_u32(b, 1);
    zip_end(b, 0xffff, 0xffffffff, 0xffffffff);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a", hf_bytes_text("some text"), HF_OK);
    fixture_done(&f);
}

static void test_encrypted_members_are_named_and_false_claims_are_seen_through(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 500000),
                    noise = sample_noise(f.arena, 5000);
    struct zip_entry e[] = {zip_stored("a", hf_bytes_text("0123456789abXYZ")),
                            zip_stored("b", hf_bytes_text("plain after all")),
                            zip_deflated(f.arena, "c", text), zip_stored("d", noise)};
    for (size_t i = 0; i < 4; i++)
        e[i].flags = 1;
    e[0].size -= 12;
    e[3].method = 8;
    e[3].size = 10000;
    zip_archive(&f.archive, e, 4);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 4);
    assert_child(&f, 0, "a", hf_bytes_text(""), HF_ENCRYPTED);
    assert_true(f.children.items[0].child.encrypted);
    assert_child(&f, 1, "b", hf_bytes_text("plain after all"), HF_OK);
    assert_child(&f, 2, "c", text, HF_OK); /* only claimed, too */
    assert_child(&f, 3, "d", hf_bytes_text(""), HF_ENCRYPTED);
    assert_true(f.children.items[3].child.number == 3);
    fixture_done(&f);
}

static void test_a_wrong_checksum_is_a_note(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_deflated(f.arena, "a", hf_bytes_text("some text"));
    e.crc ^= 1;
    zip_archive(&f.archive, &e, 1);
    struct hf_notes notes = {.arena = f.arena};
    collect_init(&f.children, f.arena, &f.budget);
    struct hf_unpack u = {.object =
                              hf_cursor_open(f.archive.data, f.archive.len, &f.budget),
                          .sink = &f.children.sink,
                          .arena = f.arena,
                          .notes = &notes};
    assert_int_equal(hf_unpack_zip(&u), HF_OK);
    assert_child(&f, 0, "a", hf_bytes_text("some text"), HF_OK);
    assert_int_equal(notes.count, 1);
    fixture_done(&f);
}

static void test_stored_data_that_is_deflated_is_given_both_ways(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 5000);
    struct zip_entry e = zip_deflated(f.arena, "a", text);
    e.method = 0;
    zip_archive(&f.archive, &e, 1);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "a", e.data, HF_OK);
    assert_child(&f, 1, "a", text, HF_OK);
    fixture_done(&f);
}

static void test_data_called_deflated_that_is_stored_is_given_as_it_is(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_stored("a", hf_bytes_text("\377not deflated\377"));
    e.method = 8;
    zip_archive(&f.archive, &e, 1);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a", e.data, HF_MALFORMED);
    fixture_done(&f);
}

static void test_unknown_methods_give_their_bytes_as_unsupported(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_stored("a", hf_bytes_text("packed somehow"));
    e.method = 98;
    e.size = 1000;
    zip_archive(&f.archive, &e, 1);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_child(&f, 0, "a", e.data, HF_UNSUPPORTED);
    fixture_done(&f);
}

static void test_the_same_bytes_under_many_names_are_given_once(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_deflated(f.arena, "a", sample_text(f.arena, 100000));
    zip_local(&f.archive, &e);
    uint32_t directory = (uint32_t)f.archive.len;
    for (size_t i = 0; i < 1000; i++) {
        zip_central(&f.archive, &e, 0);
        e.packed++; /* claims that the stream does not depend on */
    }
    zip_end(&f.archive, 1000, (uint32_t)f.archive.len - directory, directory);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 1);
    fixture_done(&f);
}

/* Members that lie inside one another: each header is stored data of a deflate block that the
 * member before it quotes; all share the kernel at the end. */
static void build_overlapping(struct fixture *f, size_t count, struct hf_bytes kernel)
{
    uint32_t at[1000];
    struct zip_entry e = {.name = "a", .method = 8, .size = 1u << 20, .packed = 1u << 20};
    assert_true(count <= 1000);
    for (size_t i = 0; i < count; i++) {
        at[i] = zip_local(&f->archive, &e);
        if (i + 1 < count) {
            hf_buffer_u8(&f->archive, 0); /* a stored block that covers the next header */
            hf_buffer_u16(&f->archive, 31);
            hf_buffer_u16(&f->archive, (uint16_t)~31u);
        }
    }
    hf_buffer_bytes(&f->archive, kernel);
    uint32_t directory = (uint32_t)f->archive.len;
    for (size_t i = 0; i < count; i++)
        zip_central(&f->archive, &e, at[i]);
    zip_end(&f->archive, (uint32_t)count, (uint32_t)f->archive.len - directory, directory);
}

static void test_overlapping_members_end_with_the_budget(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    uint8_t *blank = hf_arena_alloc(f.arena, 1u << 20);
    build_overlapping(&f, 1000, deflated(f.arena, hf_bytes_of(blank, 1u << 20), -15));
    f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 20u << 20});
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_LIMIT);
    assert_in_range(f.children.count, 19, 21);
    assert_true(f.children.items[0].bytes.len > 1u << 20);
    fixture_done(&f);
}

static void test_overlapping_stored_members_are_charged(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_stored("a", sample_text(f.arena, 1u << 20));
    zip_local(&f.archive, &e);
    uint32_t directory = (uint32_t)f.archive.len;
    for (size_t i = 0; i < 1000; i++, e.packed--) /* each time one byte less */
        zip_central(&f.archive, &e, 0);
    zip_end(&f.archive, 1000, (uint32_t)f.archive.len - directory, directory);
    f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 20u << 20});
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_LIMIT);
    assert_in_range(f.children.count, 20, 45);
    fixture_done(&f);
}

static void test_an_encrypted_entry_does_not_hide_a_plain_one(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 5000);
    struct zip_entry e = zip_deflated(f.arena, "a", text);
    e.flags = 1;
    e.size--; /* so that it cannot be seen through */
    zip_local(&f.archive, &e);
    uint32_t directory = (uint32_t)f.archive.len;
    zip_central(&f.archive, &e, 0);
    e.flags = 0;
    zip_central(&f.archive, &e, 0);
    zip_end(&f.archive, 2, (uint32_t)f.archive.len - directory, directory);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_child(&f, 0, "a", hf_bytes_text(""), HF_ENCRYPTED);
    assert_child(&f, 1, "a", text, HF_OK);
    fixture_done(&f);
}

static void test_huge_declared_sizes_cost_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e = zip_deflated(f.arena, "a", hf_bytes_text("short"));
    e.packed = e.size = 0xfffffffe;
    zip_archive(&f.archive, &e, 1);
    f.budget = hf_budget_of(&(struct hf_limits){.work = 100});
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_child(&f, 0, "a", hf_bytes_text("short"), HF_OK);
    assert_true(hf_arena_used(f.arena) < 300000);
    fixture_done(&f);
}

static uint64_t work_for_members(size_t count)
{
    struct fixture f = fixture_new();
    struct zip_entry *e = hf_arena_array(f.arena, count, sizeof *e);
    for (size_t i = 0; i < count; i++)
        e[i] = zip_deflated(f.arena, "name", hf_bytes_text("contents of a small member"));
    zip_archive(&f.archive, e, count);
    uint64_t before = f.budget.work;
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, count);
    uint64_t work = before - f.budget.work;
    fixture_done(&f);
    return work;
}

static void test_work_grows_with_members_and_no_faster(void **state)
{
    (void)state;
    uint64_t thousand = work_for_members(1000), ten_thousand = work_for_members(10000);
    assert_true(ten_thousand < 11 * thousand);
    assert_true(ten_thousand < 10000 * 8);
}

static void test_refused_members_are_passed_over(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct zip_entry e[] = {zip_deflated(f.arena, "a", sample_text(f.arena, 900000)),
                            zip_deflated(f.arena, "b", sample_text(f.arena, 900000)),
                            zip_stored("c", hf_bytes_text("three"))};
    zip_archive(&f.archive, e, 3);
    collect_init(&f.children, f.arena, &f.budget);
    f.children.bytes_max = 300000; /* write refuses more */
    assert_int_equal(collect_unpack(&f.children, hf_unpack_zip, HF_FORMAT_ZIP,
                                    hf_buffer_view(&f.archive)),
                     HF_OK);
    assert_int_equal(f.children.count, 3);
    assert_true(f.children.items[1].bytes.len < 700000);
    assert_child(&f, 2, "c", hf_bytes_text("three"), HF_OK);
    collect_done(&f.children);
    collect_init(&f.children, f.arena, &f.budget);
    f.children.refuse_from = 1; /* open refuses */
    assert_int_equal(collect_unpack(&f.children, hf_unpack_zip, HF_FORMAT_ZIP,
                                    hf_buffer_view(&f.archive)),
                     HF_OK);
    assert_int_equal(f.children.count, 1);
    fixture_done(&f);
}

static void test_what_is_no_archive_is_not_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_NOTFOUND);
    hf_buffer_text(&f.archive, "PK\3\4 and PK\5\6 in a text");
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_NOTFOUND);
    assert_int_equal(f.children.count, 0);
    fixture_done(&f);
}

static void test_an_archive_without_members_is_fine(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    zip_end(&f.archive, 0, 0, 0);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zip), HF_OK);
    assert_int_equal(f.children.count, 0);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stored_members_come_without_a_copy),
        cmocka_unit_test(test_deflated_members_of_all_sizes_are_inflated),
        cmocka_unit_test(test_a_method_that_differs_locally_is_followed_too),
        cmocka_unit_test(test_a_name_that_differs_locally_is_reported_too),
        cmocka_unit_test(test_a_stored_size_that_differs_locally_is_followed_too),
        cmocka_unit_test(test_lies_about_packed_sizes_do_not_cut_a_stream),
        cmocka_unit_test(test_data_that_the_directory_calls_empty_is_found),
        cmocka_unit_test(test_members_missing_in_the_directory_are_found),
        cmocka_unit_test(test_a_header_without_its_signature_is_read_all_the_same),
        cmocka_unit_test(test_a_cut_archive_gives_what_is_there),
        cmocka_unit_test(test_a_cut_stored_member_is_cut),
        cmocka_unit_test(test_damaged_data_gives_its_readable_part),
        cmocka_unit_test(test_an_archive_behind_other_data_is_read),
        cmocka_unit_test(test_joined_archives_are_both_read),
        cmocka_unit_test(test_an_end_record_in_the_comment_does_not_hide_the_true_one),
        cmocka_unit_test(test_a_stored_archive_inside_is_not_opened_here),
        cmocka_unit_test(test_a_streamed_archive_without_directory_is_read),
        cmocka_unit_test(test_a_broken_stream_does_not_hide_the_next_member),
        cmocka_unit_test(test_zip64_values_are_used),
        cmocka_unit_test(
            test_encrypted_members_are_named_and_false_claims_are_seen_through),
        cmocka_unit_test(test_a_wrong_checksum_is_a_note),
        cmocka_unit_test(test_stored_data_that_is_deflated_is_given_both_ways),
        cmocka_unit_test(test_data_called_deflated_that_is_stored_is_given_as_it_is),
        cmocka_unit_test(test_unknown_methods_give_their_bytes_as_unsupported),
        cmocka_unit_test(test_the_same_bytes_under_many_names_are_given_once),
        cmocka_unit_test(test_overlapping_members_end_with_the_budget),
        cmocka_unit_test(test_overlapping_stored_members_are_charged),
        cmocka_unit_test(test_an_encrypted_entry_does_not_hide_a_plain_one),
        cmocka_unit_test(test_huge_declared_sizes_cost_nothing),
        cmocka_unit_test(test_work_grows_with_members_and_no_faster),
        cmocka_unit_test(test_refused_members_are_passed_over),
        cmocka_unit_test(test_what_is_no_archive_is_not_found),
        cmocka_unit_test(test_an_archive_without_members_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
