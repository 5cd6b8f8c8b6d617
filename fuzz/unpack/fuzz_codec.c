/* The codecs by themselves: the first byte chooses one, the second the flags. */
#include "drive.h"

#include "unpack/codec.h"

static enum hf_status run(const struct hf_codec *codec, struct hf_cursor *in, uint64_t size,
                          unsigned flags, struct collect *c)
{
    HF_AUTO(hf_codecs_release)
    struct hf_codecs *codecs = hf_codecs_new(c->arena, in->len);
    struct hf_unpack unpack = {.object = *in, .sink = &c->sink, .arena = c->arena};
    struct hf_pusher out = hf_pusher_of(&unpack);
    enum hf_status st = hf_pusher_begin(&out, (struct hf_child){0});
    assert(codecs != NULL && st == HF_OK && out.wanted);
    st = hf_codec_run(codecs, codec, in, (struct hf_codec_hint){size, flags}, &out);
    enum hf_status ended = hf_pusher_end(&out, st);
    return ended != HF_OK ? ended : st;
}

/* Both ways of plain deflate, libdeflate's and our own, come to the same. */
static void compare_deflate(const uint8_t *data, size_t size, struct hf_arena *arena,
                            struct hf_budget *budget)
{
    struct collected got[2];
    enum hf_status st[2];
    size_t used[2];
    for (size_t i = 0; i < 2; i++) {
        HF_AUTO(collect_done) struct collect c;
        collect_init(&c, arena, budget);
        struct hf_cursor in = hf_cursor_open(data, size, budget);
        st[i] = run(&hf_codec_deflate, &in, i == 0 ? 1 : HF_UNKNOWN, 0, &c);
        if (st[i] == HF_LIMIT)
            return;
        got[i] = c.items[0];
        used[i] = in.pos;
    }
    if (st[0] == st[1]) {
        assert(used[0] == used[1]);
        assert(hf_bytes_equal(got[0].bytes, got[1].bytes));
        return;
    }
    /* libdeflate takes the two lengths that do not exist for the longest one. */
    assert(st[0] == HF_OK && st[1] == HF_MALFORMED && got[0].bytes.len >= got[1].bytes.len);
    got[0].bytes.len = got[1].bytes.len;
    assert(hf_bytes_equal(got[0].bytes, got[1].bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_codec *const codecs[] = {
        &hf_codec_deflate,  &hf_codec_deflate64, &hf_codec_implode, &hf_codec_bzip2,
        &hf_codec_zip_lzma, &hf_codec_xz,        &hf_codec_zstd,    &hf_codec_zlib};
    if (size < 2)
        return 0;
    struct hf_budget budget =
        hf_budget_of(&(struct hf_limits){.work = 200000, .scan_bytes = 4 << 20});
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new((size_t)512 << 20);
    size_t which = data[0] % (sizeof codecs / sizeof *codecs);
    HF_AUTO(collect_done) struct collect c;
    collect_init(&c, arena, &budget);
    struct hf_cursor in = hf_cursor_open(data + 2, size - 2, &budget);
    enum hf_status st = run(codecs[which], &in, data[1] * 100, data[1], &c);
    assert(in.pos <= in.len);
    assert(st != HF_STOPPED && st != HF_NOTFOUND);
    if (which == 0)
        compare_deflate(data + 2, size - 2, arena, &budget);
    return 0;
}
