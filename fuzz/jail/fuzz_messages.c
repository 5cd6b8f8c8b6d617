/* Message decoding, of both sides. Property: what decodes encodes to the very same bytes, so there
 * is one form for each value and nothing is lost on the way. */
#include "jail/protocol.h"

#include "base/auto.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct hf_buffer *out, const struct hf_message *m)
{
    switch (m->type) {
    case HF_MSG_CONFIG: hf_msg_put_config(out, &m->config); break;
    case HF_MSG_READY: hf_msg_put_ready(out, &m->ready); break;
    case HF_MSG_FORK: hf_msg_put_fork(out, &m->fork); break;
    case HF_MSG_FORKED: hf_msg_put_forked(out, &m->forked); break;
    case HF_MSG_EXITED: hf_msg_put_exited(out, &m->exited); break;
    case HF_MSG_BATCH: hf_msg_put_batch(out, &m->batch); break;
    case HF_MSG_FINDING: hf_msg_put_finding(out, &m->finding); break;
    case HF_MSG_INCIDENT: hf_msg_put_incident(out, &m->incident); break;
    case HF_MSG_DONE: hf_msg_put_done(out, &m->done); break;
    case HF_MSG_OBJECT: hf_msg_put_object(out, &m->seen_object); break;
    case HF_MSG_SUSPENDED: hf_msg_put_suspended(out, &m->suspended); break;
    case HF_MSG_FACTS: hf_msg_put_facts(out, &m->facts); break;
    case HF_MSG_FORM: hf_msg_put_form(out, &m->form); break;
    case HF_MSG_TOLD: hf_msg_put_told(out, &m->told); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(1 << 20);
    HF_AUTO(hf_buffer_done) struct hf_buffer again = {0};
    struct hf_cursor c = hf_cursor_open(data, size, NULL);
    for (;;) {
        struct hf_message m;
        size_t start = c.pos;
        if (hf_msg_next(&c, arena, &m) != HF_OK)
            return 0;
        hf_buffer_clear(&again);
        encode(&again, &m);
        assert(again.len == c.pos - start);
        assert(memcmp(again.data, data + start, again.len) == 0);
    }
}
