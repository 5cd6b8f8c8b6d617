#include "fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <zlib.h>

typedef int set_format(struct archive *a);

/* An archive with two files, one of them with a name beyond ASCII, by libarchive's writer, which
 * needs a locale for that; the tests themselves run in the C locale. */
static void build(struct fixture *f, set_format *format, struct hf_bytes first,
                  struct hf_bytes second)
{
    size_t room = first.len + second.len + (2 << 20), used = 0;
    uint8_t *out = hf_buffer_reserve(&f->archive, room);
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    assert_true(utf8 != (locale_t)0);
    (void)uselocale(utf8);
    struct archive *a = archive_write_new();
    assert_int_equal(format(a), ARCHIVE_OK);
    (void)archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open_memory(a, out, room, &used), ARCHIVE_OK);
    const struct hf_bytes contents[] = {first, second};
    static const wchar_t *const names[] = {L"first.txt", L"f\u00e4lle/\u65e5\u672c"};
    for (int i = 0; i < 2; i++) {
        struct archive_entry *e = archive_entry_new();
        archive_entry_copy_pathname_w(e, names[i]);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)contents[i].len);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, contents[i].data, contents[i].len),
                         contents[i].len);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    (void)archive_write_free(a);
    (void)uselocale(LC_GLOBAL_LOCALE);
    freelocale(utf8);
    f->archive.len += used;
}

static void test_files_of_a_7z_have_utf8_names_in_any_locale(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes a = sample_text(f.arena, 300000), b = sample_noise(f.arena, 5000);
    build(&f, archive_write_set_format_7zip, a, b);
    assert_int_equal(fixture_unpack(&f, hf_unpack_7z), HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_child(&f, 0, "first.txt", a, HF_OK);
    assert_child(&f, 1, "f\xc3\xa4lle/\xe6\x97\xa5\xe6\x9c\xac", b, HF_OK);
    assert_int_equal(f.children.items[0].child.declared, 300000);
    fixture_done(&f);
}

static void test_unwanted_files_do_not_hide_those_behind_them(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes a = sample_text(f.arena, 300000), b = sample_text(f.arena, 1000);
    build(&f, archive_write_set_format_7zip, a, b);
    collect_init(&f.children, f.arena, &f.budget);
    f.children.bytes_max = 100000; /* of each child; both lie in one solid stream */
    assert_int_equal(
        collect_unpack(&f.children, hf_unpack_7z, HF_FORMAT_7Z, hf_buffer_view(&f.archive)),
        HF_OK);
    assert_int_equal(f.children.count, 2);
    assert_true(f.children.items[0].bytes.len < 300000);
    assert_child(&f, 1, "f\xc3\xa4lle/\xe6\x97\xa5\xe6\x9c\xac", b, HF_OK);
    fixture_done(&f);
}

static void test_unwanted_bytes_are_charged_all_the_same(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    uint8_t *zeros = hf_arena_alloc(f.arena, 20 << 20);
    build(&f, archive_write_set_format_7zip, hf_bytes_of(zeros, 20 << 20),
          hf_bytes_text("x"));
    collect_init(&f.children, f.arena, &f.budget);
    f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 1 << 20});
    f.children.refuse_from = 0;
    assert_int_equal(
        collect_unpack(&f.children, hf_unpack_7z, HF_FORMAT_7Z, hf_buffer_view(&f.archive)),
        HF_LIMIT);
    fixture_done(&f);
}

static void test_a_cut_7z_is_no_crash_and_not_whole(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    build(&f, archive_write_set_format_7zip, sample_text(f.arena, 30000),
          sample_noise(f.arena, 500));
    size_t whole = f.archive.len;
    for (size_t part = 1; part < 20; part++) {
        f.archive.len = whole * part / 20;
        assert_int_not_equal(fixture_unpack(&f, hf_unpack_7z), HF_OK);
    }
    fixture_done(&f);
}

static void test_files_of_an_iso_image_are_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes a = sample_text(f.arena, 300000), b = sample_noise(f.arena, 5000);
    build(&f, archive_write_set_format_iso9660, a, b);
    assert_int_equal(fixture_unpack(&f, hf_unpack_iso9660), HF_OK);
    const struct collected *c = collect_find(&f.children, "first.txt");
    assert_non_null(c);
    assert_true(hf_bytes_equal(c->bytes, a));
    c = collect_find(&f.children, "f\xc3\xa4lle/\xe6\x97\xa5\xe6\x9c\xac");
    assert_non_null(c);
    assert_true(hf_bytes_equal(c->bytes, b));
    f.archive.len /= 2; /* the larger file is cut */
    assert_int_equal(fixture_unpack(&f, hf_unpack_iso9660), HF_TRUNCATED);
    fixture_done(&f);
}

/* A block of RAR 2.9: checksum, type, flags, size, what belongs to the type. */
static void add_rar_block(struct fixture *f, uint8_t type, uint16_t flags,
                          struct hf_bytes body)
{
    struct hf_buffer b = {0};
    hf_buffer_u8(&b, type);
    hf_buffer_u16(&b, flags);
    hf_buffer_u16(&b, (uint16_t)(7 + body.len));
    hf_buffer_bytes(&b, body);
    hf_buffer_u16(&f->archive, (uint16_t)crc32(0, b.data, (unsigned)b.len));
    hf_buffer_bytes(&f->archive, hf_buffer_view(&b));
    hf_buffer_done(&b);
}

/* One stored file. flags: those of the file's block. */
static void build_rar(struct fixture *f, const char *contents, uint16_t flags)
{
    struct hf_buffer b = {0};
    hf_buffer_u32(&b, (uint32_t)strlen(contents));
    hf_buffer_u32(&b, (uint32_t)strlen(contents));
    hf_buffer_u8(&b, 3); /* Unix */
    hf_buffer_u32(
        &b, (uint32_t)crc32(0, (const uint8_t *)contents, (unsigned)strlen(contents)));
    hf_buffer_u32(&b, 0);
    hf_buffer_u8(&b, 29);   /* version to extract */
    hf_buffer_u8(&b, 0x30); /* stored */
    hf_buffer_u16(&b, 5);
    hf_buffer_u32(&b, 0100644);
    hf_buffer_text(&b, "a.txt");
    hf_buffer_add(&f->archive, "Rar!\x1a\7", 7);
    add_rar_block(f, 0x73, 0, hf_bytes_of("\0\0\0\0\0\0", 6));
    add_rar_block(f, 0x74, 0x8000 | flags, hf_buffer_view(&b));
    hf_buffer_text(&f->archive, contents);
    add_rar_block(f, 0x7b, 0x4000, hf_bytes_text(""));
    hf_buffer_done(&b);
}

static void test_stored_files_of_a_rar_are_found(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    build_rar(&f, "some contents", 0);
    assert_int_equal(fixture_unpack(&f, hf_unpack_rar), HF_OK);
    assert_int_equal(f.children.count, 1);
    assert_child(&f, 0, "a.txt", hf_bytes_text("some contents"), HF_OK);
    f.archive.len -= 15;
    assert_int_equal(fixture_unpack(&f, hf_unpack_rar), HF_TRUNCATED);
    fixture_done(&f);
}

static void test_an_encrypted_rar_says_so(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    build_rar(&f, "some contents", 4);
    assert_int_equal(fixture_unpack(&f, hf_unpack_rar), HF_ENCRYPTED);
    assert_int_equal(f.children.count, 1);
    assert_true(f.children.items[0].child.encrypted);
    assert_int_equal(f.children.items[0].how, HF_ENCRYPTED);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_a_7z_have_utf8_names_in_any_locale),
        cmocka_unit_test(test_unwanted_files_do_not_hide_those_behind_them),
        cmocka_unit_test(test_unwanted_bytes_are_charged_all_the_same),
        cmocka_unit_test(test_a_cut_7z_is_no_crash_and_not_whole),
        cmocka_unit_test(test_files_of_an_iso_image_are_found),
        cmocka_unit_test(test_stored_files_of_a_rar_are_found),
        cmocka_unit_test(test_an_encrypted_rar_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
