/* Formats that are one compressed stream: one child without a name. A file of several frames,
 * members or streams one after another is one child, as the tools unpack it. */
#include "base/auto.h"
#include "unpack/codec.h"
#include "unpack/decoders.h"

static enum hf_status unpack_stream(struct hf_unpack *unpack, const struct hf_codec *codec)
{
    struct hf_cursor in = unpack->object;
    if (!codec->starts(&in))
        return HF_NOTFOUND;
    HF_AUTO(hf_codecs_release)
    struct hf_codecs *codecs = hf_codecs_new(unpack->arena, unpack->object.len);
    if (codecs == NULL)
        return HF_NOMEM;
    struct hf_pusher out = hf_pusher_of(unpack);
    struct hf_child child = hf_child_unknown();
    child.packed = hf_cursor_left(&in);
    child.offset = hf_cursor_where(&in);
    hf_pusher_announce(&out, child);
    enum hf_status how =
        hf_codec_run(codecs, codec, &in, (struct hf_codec_hint){HF_UNKNOWN, 0}, &out);
    if (!hf_pusher_has_taker(&out))
        return out.stop;
    if (how == HF_OK && hf_cursor_left(&in) > 0)
        hf_note(unpack->notes, hf_cursor_where(&in), "bytes after the last frame");
    hf_codecs_trim(codecs);
    enum hf_status st = hf_pusher_end(&out, how);
    return st != HF_OK ? st : how;
}

enum hf_status hf_unpack_bzip2(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_codec_bzip2);
}

enum hf_status hf_unpack_xz(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_codec_xz);
}

enum hf_status hf_unpack_lzma(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_codec_lzma);
}

enum hf_status hf_unpack_lzip(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_codec_lzip);
}

enum hf_status hf_unpack_zstd(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_codec_zstd);
}

enum hf_status hf_unpack_lz4(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_codec_lz4);
}

enum hf_status hf_unpack_compress(struct hf_unpack *unpack)
{
    return unpack_stream(unpack, &hf_codec_compress);
}
