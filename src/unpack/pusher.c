#include "unpack/pusher.h"

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

enum hf_status hf_pusher_begin(struct hf_pusher *out, struct hf_child child)
{
    if (out->stop != HF_OK)
        return out->stop;
    struct hf_sink *sink = out->unpack->sink;
    child.number = out->number++;
    enum hf_status said = sink->open(sink, &child);
    out->wanted = said == HF_OK;
    return heed(out, said);
}

enum hf_status hf_pusher_push(struct hf_pusher *out, const void *data, size_t len)
{
    if (out->stop != HF_OK || len == 0)
        return out->stop;
    if (!out->wanted) {
        bool paid = hf_budget_bytes(out->unpack->object.budget, len);
        return heed(out, paid ? HF_OK : HF_LIMIT);
    }
    struct hf_sink *sink = out->unpack->sink;
    enum hf_status said = sink->write(sink, hf_bytes_of(data, len));
    if (said != HF_UNSUPPORTED)
        return heed(out, said);
    out->wanted = false; /* the sink has enough of it, and keeps what it has */
    return heed(out, sink->close(sink, HF_OK));
}

enum hf_status hf_pusher_end(struct hf_pusher *out, enum hf_status how)
{
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
