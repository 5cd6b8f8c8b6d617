#include "fixture.h"

#include "unpack/codec_internal.h"

#include <bzlib.h>
#include <lzma.h>
#include <zstd.h>

/* Bits from the low end of each byte, as deflate and implode have them. */
struct bits {
    struct hf_buffer *out;
    uint32_t hold;
    unsigned count;
};

static void put(struct bits *b, uint32_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        b->hold |= (value >> i & 1) << b->count;
        if (++b->count == 8) {
            hf_buffer_u8(b->out, (uint8_t)b->hold);
            b->hold = b->count = 0;
        }
    }
}

/* A prefix code goes in with its highest bit first. */
static void put_code(struct bits *b, uint32_t code, unsigned count)
{
    while (count-- > 0)
        put(b, code >> count & 1, 1);
}

static void finish(struct bits *b)
{
    if (b->count > 0)
        put(b, 0, 8 - b->count);
}

/* Run a codec over the buffer into one child. taken: most memory for libraries, when wanted. */
static enum hf_status decode_taking(struct fixture *f, const struct hf_codec *codec,
                                    uint64_t size, unsigned flags, size_t *taken)
{
    HF_AUTO(hf_codecs_release)
    struct hf_codecs *codecs = hf_codecs_new(f->arena, f->archive.len);
    struct hf_cursor in = hf_cursor_open(f->archive.data, f->archive.len, &f->budget);
    collect_done(&f->children);
    collect_init(&f->children, f->arena, &f->budget);
    struct hf_unpack unpack = {.object = in, .sink = &f->children.sink, .arena = f->arena};
    struct hf_pusher out = hf_pusher_of(&unpack);
    assert_int_equal(hf_pusher_begin(&out, (struct hf_child){0}), HF_OK);
    size_t before = codecs->memory.left;
    enum hf_status st =
        hf_codec_run(codecs, codec, &in, (struct hf_codec_hint){size, flags}, &out);
    if (taken != NULL)
        *taken = before - codecs->memory.left;
    assert_int_equal(hf_pusher_end(&out, st), HF_OK);
    assert_int_equal(f->children.count, 1);
    return st;
}

static enum hf_status decode(struct fixture *f, const struct hf_codec *codec, uint64_t size,
                             unsigned flags)
{
    return decode_taking(f, codec, size, flags, NULL);
}

static void test_deflate64_copies_from_far_and_long(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct bits b = {.out = &f.archive};
    struct hf_bytes noise = sample_noise(f.arena, 65536);
    put(&b, 0, 3); /* stored */
    finish(&b);
    hf_buffer_u16(&f.archive, 65535);
    hf_buffer_u16(&f.archive, 0);
    hf_buffer_bytes(&f.archive, hf_bytes_of(noise.data, 65535));
    put(&b, 1 | 1 << 1, 3);                             /* last, fixed codes */
    put_code(&b, 0x30 + (noise.data[65535] & 0x7f), 8); /* a literal below 144 */
    put_code(&b, 0xc0 + 285 - 280, 8);                  /* length 3 and 16 bits */
    put(&b, 65535, 16);
    put_code(&b, 31, 5); /* distance 49153 and 14 bits */
    put(&b, 65536 - 49153, 14);
    put_code(&b, 0, 7); /* end */
    finish(&b);
    assert_int_equal(decode(&f, &hf_codec_deflate64, HF_UNKNOWN, 0), HF_OK);
    struct hf_bytes got = f.children.items[0].bytes;
    assert_int_equal(got.len, 65536 + 65538);
    assert_memory_equal(got.data, noise.data, 65535);
    assert_memory_equal(got.data + 65536, noise.data, 65535);
    assert_int_equal(got.data[65536 + 65537], noise.data[1]);
    fixture_done(&f);
}

static void test_deflate64_reads_what_plain_deflate_wrote_without_longest_matches(
    void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 2000000);
    hf_buffer_bytes(&f.archive, deflated(f.arena, text, -15));
    assert_int_equal(decode(&f, &hf_codec_deflate64, HF_UNKNOWN, 0), HF_OK);
    assert_true(hf_bytes_equal(f.children.items[0].bytes, text));
    fixture_done(&f);
}

static void test_a_distance_before_the_start_is_malformed(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct bits b = {.out = &f.archive};
    put(&b, 1 | 1 << 1, 3);
    put_code(&b, 0x30 + 'a', 8);
    put_code(&b, 1, 7); /* length 3 */
    put_code(&b, 1, 5); /* distance 2 */
    put_code(&b, 0, 7);
    finish(&b);
    assert_int_equal(decode(&f, &hf_codec_deflate64, HF_UNKNOWN, 0), HF_MALFORMED);
    assert_true(hf_bytes_equal(f.children.items[0].bytes, hf_bytes_text("a")));
    assert_int_equal(decode(&f, &hf_codec_deflate, HF_UNKNOWN, 0), HF_MALFORMED);
    fixture_done(&f);
}

static void test_a_cut_stream_gives_its_prefix(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct hf_bytes text = sample_text(f.arena, 300000);
    hf_buffer_bytes(&f.archive, deflated(f.arena, text, -15));
    size_t whole = f.archive.len;
    const struct hf_codec *codecs[] = {&hf_codec_deflate, &hf_codec_deflate64};
    for (size_t i = 0; i < 2; i++) {
        size_t last = 0;
        for (size_t part = 1; part < 8; part++) {
            f.archive.len = whole * part / 8;
            assert_int_equal(decode(&f, codecs[i], HF_UNKNOWN, 0), HF_TRUNCATED);
            struct hf_bytes got = f.children.items[0].bytes;
            assert_true(got.len > last && got.len < text.len);
            assert_memory_equal(got.data, text.data, got.len);
            last = got.len;
        }
    }
    fixture_done(&f);
}

/* Every symbol of a 64-symbol code with 6 bits: four runs of sixteen. */
static void put_flat_code(struct bits *b)
{
    put(b, 3, 8);
    for (int i = 0; i < 4; i++)
        put(b, 0xf5, 8);
}

/* Codes of imploded data are stored with all bits inverted. */
static void put_inverted(struct bits *b, uint32_t code, unsigned count)
{
    put_code(b, ~code & ((1u << count) - 1), count);
}

static void test_imploded_data_is_restored(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    struct bits b = {.out = &f.archive};
    put_flat_code(&b); /* lengths */
    put_flat_code(&b); /* distances */
    const char *literals = "abc";
    for (size_t i = 0; i < 3; i++) {
        put(&b, 1, 1);
        put(&b, (uint8_t)literals[i], 8);
    }
    put(&b, 0, 1); /* a match: distance 3, length 2 + 5 */
    put(&b, 2, 6);
    put_inverted(&b, 0, 6);
    put_inverted(&b, 5, 6);
    put(&b, 0, 1); /* one from before the start, longest symbol: length 2 + 63 + 1 */
    put(&b, 63, 6);
    put_inverted(&b, 3, 6);
    put_inverted(&b, 63, 6);
    put(&b, 1, 8);
    finish(&b);
    assert_int_equal(decode(&f, &hf_codec_implode, 10 + 66, 0), HF_OK);
    struct hf_bytes got = f.children.items[0].bytes;
    static const uint8_t zeros[66];
    assert_int_equal(got.len, 76);
    assert_memory_equal(got.data, "abcabcabca", 10);
    assert_memory_equal(got.data + 10, zeros, 66);
    assert_int_equal(decode(&f, &hf_codec_implode, 1000, 0), HF_TRUNCATED);
    fixture_done(&f);
}

enum { ROOM = 1 << 20 };

static void pack_bzip2(struct hf_buffer *b, struct hf_bytes text)
{
    unsigned made = ROOM;
    char *out = (char *)hf_buffer_reserve(b, ROOM);
    char *in = (char *)(uintptr_t)text.data; /* only read */
    assert_int_equal(BZ2_bzBuffToBuffCompress(out, &made, in, (unsigned)text.len, 9, 0, 0),
                     BZ_OK);
    b->len += made;
}

static void pack_xz(struct hf_buffer *b, struct hf_bytes text)
{
    size_t made = 0;
    uint8_t *out = hf_buffer_reserve(b, ROOM);
    assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, text.data, text.len,
                                             out, &made, ROOM),
                     LZMA_OK);
    b->len += made;
}

static void pack_zstd(struct hf_buffer *b, struct hf_bytes text)
{
    for (int half = 0; half < 2; half++) { /* two frames */
        size_t n = text.len / 2;
        uint8_t *out = hf_buffer_reserve(b, ROOM);
        b->len += ZSTD_compress(out, ROOM, text.data + (size_t)half * n, n, 3);
    }
}

/* As ZIP has it: version, size of the properties, properties, stream without end marker. */
static void pack_lzma(struct hf_buffer *b, struct hf_bytes text)
{
    lzma_options_lzma options;
    assert_false(lzma_lzma_preset(&options, 6));
    lzma_filter filters[] = {{.id = LZMA_FILTER_LZMA1, .options = &options},
                             {.id = LZMA_VLI_UNKNOWN}};
    hf_buffer_u16(b, 0x0409);
    hf_buffer_u16(b, 5);
    uint8_t *out = hf_buffer_reserve(b, ROOM);
    assert_int_equal(lzma_properties_encode(&filters[0], out), LZMA_OK);
    b->len += 5;
    size_t made = 0;
    out = hf_buffer_reserve(b, ROOM);
    assert_int_equal(
        lzma_raw_buffer_encode(filters, NULL, text.data, text.len, out, &made, ROOM),
        LZMA_OK);
    b->len += made;
}

static void test_streams_of_the_libraries_are_restored_whole_and_cut(void **state)
{
    (void)state;
    static const struct {
        const struct hf_codec *codec;
        void (*pack)(struct hf_buffer *b, struct hf_bytes text);
    } rows[] = {{&hf_codec_bzip2, pack_bzip2},
                {&hf_codec_xz, pack_xz},
                {&hf_codec_zstd, pack_zstd},
                {&hf_codec_zip_lzma, pack_lzma}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f = fixture_new();
        struct hf_bytes text = sample_text(f.arena, 600000);
        rows[i].pack(&f.archive, text);
        size_t whole = f.archive.len;
        hf_buffer_text(&f.archive, "what stands behind it");
        assert_int_equal(decode(&f, rows[i].codec, text.len, 0), HF_OK);
        assert_true(hf_bytes_equal(f.children.items[0].bytes, text));
        f.archive.len = whole / 2;
        assert_int_equal(decode(&f, rows[i].codec, text.len, 0), HF_TRUNCATED);
        struct hf_bytes got = f.children.items[0].bytes;
        assert_true(got.len < text.len);
        assert_memory_equal(got.data, text.data, got.len);
        fixture_done(&f);
    }
}

static void test_a_dictionary_that_no_data_needs_is_not_allocated(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    pack_lzma(&f.archive, hf_bytes_text("short"));
    memset(f.archive.data + 5, 0xff, 4); /* 4 GiB */
    size_t taken; /* kept for the next stream, as blocks of this size are */
    assert_int_equal(decode_taking(&f, &hf_codec_zip_lzma, 5, 0, &taken), HF_OK);
    assert_true(taken > 0 && taken < (size_t)1 << 20);
    fixture_done(&f);
}

static void test_memory_that_is_given_back_is_used_again(void **state)
{
    (void)state;
    struct hf_library_memory m = hf_library_memory_of(1 << 20);
    void *first = hf_library_alloc(&m, 100, 1000);
    assert_non_null(first);
    size_t left = m.left;
    for (int i = 0; i < 1000; i++) {
        hf_library_free(first);
        assert_ptr_equal(hf_library_alloc(&m, 1, 99000), first);
    }
    assert_int_equal(m.left, left);
    void *second = hf_library_alloc(&m, 1, 100);
    assert_ptr_not_equal(second, first); /* in use */
    hf_library_free(second);
    hf_library_free(first);
    hf_library_memory_trim(&m);
    assert_int_equal(m.left, 1 << 20);
}

static void test_memory_for_libraries_ends_at_its_cap(void **state)
{
    (void)state;
    struct hf_library_memory m = hf_library_memory_of(1 << 20);
    assert_null(hf_library_alloc(&m, SIZE_MAX, 2));
    assert_null(hf_library_alloc(&m, SIZE_MAX, 1));
    assert_null(hf_library_alloc(&m, 1, (1 << 20) + 1));
    void *half = hf_library_alloc(&m, 1, 1 << 19);
    assert_non_null(half);
    assert_null(hf_library_alloc(&m, 1, (1 << 19) + 1));
    hf_library_free(half); /* kept, but not in the way of something larger */
    void *all = hf_library_alloc(&m, 1, 1 << 20);
    assert_non_null(all);
    hf_library_free(all);
    hf_library_free(NULL);
    hf_library_memory_trim(&m);
}

static void test_work_is_charged_for_blocks_that_yield_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new();
    for (int i = 0; i < 100000; i++) { /* empty stored blocks */
        hf_buffer_u8(&f.archive, 0);
        hf_buffer_u16(&f.archive, 0);
        hf_buffer_u16(&f.archive, 0xffff);
    }
    uint64_t before = f.budget.work;
    assert_int_equal(decode(&f, &hf_codec_deflate64, HF_UNKNOWN, 0), HF_TRUNCATED);
    assert_true(before - f.budget.work >= 100000);
    before = f.budget.work;
    assert_int_equal(decode(&f, &hf_codec_deflate, HF_UNKNOWN, 0), HF_TRUNCATED);
    assert_true(before - f.budget.work >= 400);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deflate64_copies_from_far_and_long),
        cmocka_unit_test(
            test_deflate64_reads_what_plain_deflate_wrote_without_longest_matches),
        cmocka_unit_test(test_a_distance_before_the_start_is_malformed),
        cmocka_unit_test(test_a_cut_stream_gives_its_prefix),
        cmocka_unit_test(test_imploded_data_is_restored),
        cmocka_unit_test(test_streams_of_the_libraries_are_restored_whole_and_cut),
        cmocka_unit_test(test_a_dictionary_that_no_data_needs_is_not_allocated),
        cmocka_unit_test(test_memory_that_is_given_back_is_used_again),
        cmocka_unit_test(test_memory_for_libraries_ends_at_its_cap),
        cmocka_unit_test(test_work_is_charged_for_blocks_that_yield_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
