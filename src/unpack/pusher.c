#include "unpack/pusher.h"

#include <libdeflate.h>

struct hf_pusher hf_pusher_of(struct hf_unpack *unpack)
{
    return (struct hf_pusher){.unpack = unpack, .stop = HF_OK};
}

struct hf_child hf_child_unknown(void)
{
    return (struct hf_child){
        .packed = HF_UNKNOWN,
        .declared = HF_UNKNOWN,
        .offset = HF_UNKNOWN,
        .crc = HF_UNKNOWN,
        .is_file = true,
    };
}

/* HF_UNSUPPORTED only says that this child is not wanted (any more); everything else that is
 * not HF_OK ends the decoder. */
static enum hf_status heed(struct hf_pusher *out, enum hf_status said)
{
    if (said == HF_OK || said == HF_UNSUPPORTED)
        return HF_OK;
    out->wanted = false;
    out->stop = said;
    return said;
}

void hf_pusher_announce(struct hf_pusher *out, struct hf_child child)
{
    out->child = child;
    out->announced = true;
    out->wanted = out->is_guess = false;
    out->crc = 0;
    out->total = 0;
}

void hf_pusher_guess(struct hf_pusher *out, struct hf_child child, uint64_t size)
{
    hf_pusher_announce(out, child);
    out->is_guess = true;
    out->guess_size = size;
}

bool hf_pusher_doubts(const struct hf_pusher *out, bool ended, uint64_t count)
{
    if (!out->is_guess || !out->announced)
        return false;
    return !ended || (out->guess_size != HF_UNKNOWN && out->guess_size != count);
}

enum hf_status hf_pusher_open(struct hf_pusher *out)
{
    if (out->stop != HF_OK || !out->announced)
        return out->stop;
    struct hf_sink *sink = out->unpack->sink;
    out->announced = false;
    out->child.number = out->number++;
    enum hf_status said = sink->open(sink, &out->child);
    out->wanted = said == HF_OK;
    return heed(out, said);
}

enum hf_status hf_pusher_begin(struct hf_pusher *out, struct hf_child child)
{
    hf_pusher_announce(out, child);
    return hf_pusher_open(out);
}

enum hf_status hf_pusher_push(struct hf_pusher *out, const void *data, size_t len)
{
    if (len == 0 || hf_pusher_open(out) != HF_OK)
        return out->stop;
    if (!out->wanted) {
        bool paid = hf_budget_bytes(out->unpack->object.budget, len);
        return heed(out, paid ? HF_OK : HF_LIMIT);
    }
    out->crc = libdeflate_crc32(out->crc, data, len);
    out->total += len;
    struct hf_sink *sink = out->unpack->sink;
    enum hf_status said = sink->write(sink, hf_bytes_of(data, len));
    if (said != HF_UNSUPPORTED)
        return heed(out, said);
    out->wanted = false; /* the sink has enough of it, and keeps what it has */
    return heed(out, sink->close(sink, HF_OK));
}

enum hf_status hf_pusher_push_zeros(struct hf_pusher *out, uint64_t count)
{
    static const uint8_t zeros[16 * 1024];
    enum hf_status st = HF_OK;
    while (count > 0 && st == HF_OK && hf_pusher_has_taker(out)) {
        size_t n = count < sizeof zeros ? (size_t)count : sizeof zeros;
        st = hf_pusher_push(out, zeros, n);
        count -= n;
    }
    return st;
}

enum hf_status hf_pusher_end(struct hf_pusher *out, enum hf_status how)
{
    out->announced = false;
    if (out->stop == HF_OK && how == HF_LIMIT)
        out->stop = HF_LIMIT; /* nothing is left to pay the sink with */
    if (out->stop != HF_OK || !out->wanted)
        return out->stop;
    struct hf_sink *sink = out->unpack->sink;
    out->wanted = false;
    return heed(out, sink->close(sink, how));
}

enum hf_status hf_pusher_whole(struct hf_pusher *out, struct hf_child child,
                               struct hf_bytes bytes, enum hf_status how)
{
    if (out->stop != HF_OK)
        return out->stop;
    struct hf_sink *sink = out->unpack->sink;
    child.number = out->number++;
    return heed(out, sink->whole(sink, &child, bytes, how));
}
