#include "fixture.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zstd.h>

static void add_bzip2(struct fixture *f, struct hf_bytes text)
{
    unsigned len = (unsigned)text.len + 1024;
    uint8_t *out = hf_buffer_reserve(&f->archive, len);
    char *in = (char *)(uintptr_t)text.data;
    assert_int_equal(
        BZ2_bzBuffToBuffCompress((char *)out, &len, in, (unsigned)text.len, 1, 0, 0),
        BZ_OK);
    f->archive.len += len;
}

static void add_xz(struct fixture *f, struct hf_bytes text)
{
    size_t room = text.len + 4096, len = 0;
    uint8_t *out = hf_buffer_reserve(&f->archive, room);
    assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, text.data, text.len,
                                             out, &len, room),
                     LZMA_OK);
    f->archive.len += len;
}

static void add_lzma(struct fixture *f, struct hf_bytes text)
{
    lzma_options_lzma options;
    lzma_stream s = LZMA_STREAM_INIT;
    assert_false(lzma_lzma_preset(&options, 0));
    assert_int_equal(lzma_alone_encoder(&s, &options), LZMA_OK);
    s.next_in = text.data;
    s.avail_in = text.len;
    s.avail_out = text.len + 4096;
    s.next_out = hf_buffer_reserve(&f->archive, s.avail_out);
    assert_int_equal(lzma_code(&s, LZMA_FINISH), LZMA_STREAM_END);
    f->archive.len += s.total_out;
    lzma_end(&s);
}

static void add_zstd(struct fixture *f, struct hf_bytes text)
{
    size_t room = ZSTD_compressBound(text.len);
    uint8_t *out = hf_buffer_reserve(&f->archive, room);
    f->archive.len += ZSTD_compress(out, room, text.data, text.len, 1);
}

static void add_lz4(struct fixture *f, struct hf_bytes text)
{
    const LZ4F_preferences_t linked = {.frameInfo = {.blockMode = LZ4F_blockLinked,
                                                     .blockSizeID = LZ4F_max64KB,
                                                     .contentChecksumFlag = 1,
                                                     .blockChecksumFlag = 1}};
    size_t room = LZ4F_compressFrameBound(text.len, &linked);
    uint8_t *out = hf_buffer_reserve(&f->archive, room);
    f->archive.len += LZ4F_compressFrame(out, room, text.data, text.len, &linked);
}

static const struct {
    hf_unpacker *unpack;
    void (*add)(struct fixture *f, struct hf_bytes text);
    const char *between; /* bytes that may stand between frames */
    size_t between_len;
} codecs[] = {
    {hf_unpack_bzip2, add_bzip2, "", 0},
    {hf_unpack_xz, add_xz, "\0\0\0\0\0\0\0\0", 8},
    {hf_unpack_zstd, add_zstd, "\x5f\x2a\x4d\x18\2\0\0\0ab", 10},
    {hf_unpack_lz4, add_lz4, "\x50\x2a\x4d\x18\1\0\0\0a", 9},
    {hf_unpack_lzma, add_lzma, NULL, 0}, /* one stream a file */
};
enum { CODECS = sizeof codecs / sizeof *codecs, JOINABLE = CODECS - 1 };

static void test_frames_one_after_another_are_one_child(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOINABLE; i++) {
        struct fixture f = fixture_new();
        struct hf_bytes text = sample_text(f.arena, 700000);
        codecs[i].add(&f, hf_bytes_of(text.data, 300000));
        hf_buffer_add(&f.archive, codecs[i].between, codecs[i].between_len);
        codecs[i].add(&f, hf_bytes_of(text.data + 300000, 400000));
        assert_int_equal(fixture_unpack(&f, codecs[i].unpack), HF_OK);
        assert_int_equal(f.children.count, 1);
        assert_child(&f, 0, "", text, HF_OK);
        fixture_done(&f);
    }
}

static void test_a_cut_stream_gives_what_can_be_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        struct fixture f = fixture_new();
        struct hf_bytes text = sample_text(f.arena, 700000);
        codecs[i].add(&f, text);
        size_t whole = f.archive.len;
        for (size_t part = 1; part < 20; part++) {
            f.archive.len = whole * part / 20;
            assert_int_equal(fixture_unpack(&f, codecs[i].unpack), HF_TRUNCATED);
            if (f.children.count == 0)
                continue; /* not one block is whole */
            const struct collected *c = &f.children.items[0];
            assert_int_equal(c->how, HF_TRUNCATED);
            assert_true(c->bytes.len < text.len);
            assert_memory_equal(c->bytes.data, text.data, c->bytes.len);
        }
        assert_int_equal(f.children.count, 1);
        assert_true(f.children.items[0].bytes.len > text.len / 2);
        fixture_done(&f);
    }
}

static void test_a_damaged_stream_gives_what_stands_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        struct fixture f = fixture_new();
        struct hf_bytes text = sample_text(f.arena, 700000);
        codecs[i].add(&f, text);
        memset(f.archive.data + f.archive.len * 3 / 4, 0xff, 100);
        enum hf_status st = fixture_unpack(&f, codecs[i].unpack);
        /* Some damage is no error without a checksum. */
        bool unseen = codecs[i].add == add_lz4 && st == HF_OK;
        assert_true(st == HF_MALFORMED || st == HF_TRUNCATED || unseen);
        assert_int_equal(f.children.count, 1);
        const struct collected *c = &f.children.items[0];
        assert_int_equal(c->how, st);
        assert_true(c->bytes.len > text.len / 4);
        assert_memory_equal(c->bytes.data, text.data, text.len / 4);
        fixture_done(&f);
    }
}

static void test_bytes_behind_the_last_frame_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        struct fixture f = fixture_new();
        struct hf_bytes text = sample_text(f.arena, 1000);
        codecs[i].add(&f, text);
        hf_buffer_text(&f.archive, "something else");
        assert_int_equal(fixture_unpack(&f, codecs[i].unpack), HF_OK);
        assert_child(&f, 0, "", text, HF_OK);
        fixture_done(&f);
    }
}

static void test_an_empty_stream_is_an_empty_child(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        struct fixture f = fixture_new();
        codecs[i].add(&f, hf_bytes_text(""));
        assert_int_equal(fixture_unpack(&f, codecs[i].unpack), HF_OK);
        assert_child(&f, 0, "", hf_bytes_text(""), HF_OK);
        fixture_done(&f);
    }
}

static void test_a_bomb_ends_with_the_budget(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        struct fixture f = fixture_new();
        uint8_t *zeros = hf_arena_alloc(f.arena, 20 << 20);
        codecs[i].add(&f, hf_bytes_of(zeros, 20 << 20));
        f.budget = hf_budget_of(&(struct hf_limits){.scan_bytes = 1 << 20});
        assert_int_equal(fixture_unpack(&f, codecs[i].unpack), HF_LIMIT);
        fixture_done(&f);
    }
}

static void test_a_refused_child_ends_the_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        struct fixture f = fixture_new();
        codecs[i].add(&f, sample_text(f.arena, 700000));
        collect_init(&f.children, f.arena, &f.budget);
        f.children.refuse_from = 0;
        assert_int_equal(collect_unpack(&f.children, codecs[i].unpack, HF_FORMAT_BINARY,
                                        hf_buffer_view(&f.archive)),
                         HF_OK);
        assert_int_equal(f.children.count, 0);
        fixture_done(&f);
    }
}

static void test_a_child_past_its_own_limit_ends_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < CODECS; i++) {
        struct fixture f = fixture_new();
        codecs[i].add(&f, sample_text(f.arena, 700000));
        collect_init(&f.children, f.arena, &f.budget);
        f.children.bytes_max = 200000;
        assert_int_equal(collect_unpack(&f.children, codecs[i].unpack, HF_FORMAT_BINARY,
                                        hf_buffer_view(&f.archive)),
                         HF_OK);
        assert_int_equal(f.children.count, 1);
        assert_in_range(f.children.items[0].bytes.len, 200000, 400000);
        fixture_done(&f);
    }
}

static void test_what_is_no_stream_is_not_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOINABLE; i++) {
        struct fixture f = fixture_new();
        hf_buffer_text(&f.archive, "nothing of the kind, whatever it looks like");
        assert_int_equal(fixture_unpack(&f, codecs[i].unpack), HF_NOTFOUND);
        f.archive.len = 2;
        assert_int_equal(fixture_unpack(&f, codecs[i].unpack), HF_NOTFOUND);
        fixture_done(&f);
    }
}

static void test_a_window_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    /* window descriptor for 2 GiB, then one raw block of four bytes */
    hf_buffer_add(&f.archive, "\x28\xb5\x2f\xfd\0\xa8\x21\0\0text", 13);
    assert_int_equal(fixture_unpack(&f, hf_unpack_zstd), HF_NOMEM);
    f.archive.data[5] = 0x50; /* 1 MiB */
    assert_int_equal(fixture_unpack(&f, hf_unpack_zstd), HF_OK);
    assert_child(&f, 0, "", hf_bytes_text("text"), HF_OK);
    fixture_done(&f);
}

static void test_a_lying_lzma_dictionary_does_not_hide_a_file(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 100000);
    add_lzma(&f, text);
    memset(f.archive.data + 1, 0xff, 4); /* 4 GiB - 1 */
    assert_int_equal(fixture_unpack(&f, hf_unpack_lzma), HF_OK);
    assert_child(&f, 0, "", text, HF_OK);
    fixture_done(&f);
}

static void test_wrong_checksums_do_not_withhold_anything(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 1000);
    add_xz(&f, text);
    size_t block_check = f.archive.len - 12 - 12 - 4; /* before index and footer */
    f.archive.data[block_check] ^= 0xff;
    assert_int_equal(fixture_unpack(&f, hf_unpack_xz), HF_OK);
    assert_child(&f, 0, "", text, HF_OK);
    fixture_done(&f);
}

static void test_legacy_lz4_blocks_end_with_the_file_or_the_next_frame(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    /* one block of six bytes: five literals */
    hf_buffer_add(&f.archive, "\x02\x21\x4c\x18\6\0\0\0\x50hello", 14);
    assert_int_equal(fixture_unpack(&f, hf_unpack_lz4), HF_OK);
    assert_child(&f, 0, "", hf_bytes_text("hello"), HF_OK);
    add_lz4(&f, hf_bytes_text(" and more"));
    assert_int_equal(fixture_unpack(&f, hf_unpack_lz4), HF_OK);
    assert_child(&f, 0, "", hf_bytes_text("hello and more"), HF_OK);
    fixture_done(&f);
}

/* "hello" five times in one line, by compress 4.2. */
static const uint8_t packed_hello[] = {0x1f, 0x9d, 0x90, 0x68, 0xca, 0xb0, 0x61, 0xf3,
                                       0x06, 0x44, 0xc0, 0x81, 0x05, 0x0f, 0x12, 0x34,
                                       0x28, 0x70, 0xa1, 0xc2, 0x37, 0x0a, 0x00};

static void test_lzw_codes_are_expanded(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_add(&f.archive, packed_hello, sizeof packed_hello);
    assert_int_equal(fixture_unpack(&f, hf_unpack_compress), HF_OK);
    assert_child(&f, 0, "", hf_bytes_text("hello hello hello hello hello\n"), HF_OK);
    fixture_done(&f);
}

static void test_an_lzw_code_that_cannot_be_yet_ends_the_child(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    hf_buffer_add(&f.archive, packed_hello, 3);
    /* codes of nine bits: 'a', then 511 */
    hf_buffer_add(&f.archive, "\x61\xfe\x03", 3);
    assert_int_equal(fixture_unpack(&f, hf_unpack_compress), HF_MALFORMED);
    assert_child(&f, 0, "", hf_bytes_text("a"), HF_MALFORMED);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_one_after_another_are_one_child),
        cmocka_unit_test(test_a_cut_stream_gives_what_can_be_read),
        cmocka_unit_test(test_a_damaged_stream_gives_what_stands_before),
        cmocka_unit_test(test_bytes_behind_the_last_frame_do_no_harm),
        cmocka_unit_test(test_an_empty_stream_is_an_empty_child),
        cmocka_unit_test(test_a_bomb_ends_with_the_budget),
        cmocka_unit_test(test_a_refused_child_ends_the_work),
        cmocka_unit_test(test_a_child_past_its_own_limit_ends_well),
        cmocka_unit_test(test_what_is_no_stream_is_not_found),
        cmocka_unit_test(test_a_window_beyond_the_limit_is_refused),
        cmocka_unit_test(test_a_lying_lzma_dictionary_does_not_hide_a_file),
        cmocka_unit_test(test_wrong_checksums_do_not_withhold_anything),
        cmocka_unit_test(test_legacy_lz4_blocks_end_with_the_file_or_the_next_frame),
        cmocka_unit_test(test_lzw_codes_are_expanded),
        cmocka_unit_test(test_an_lzw_code_that_cannot_be_yet_ends_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
