/* poll.c - from what a feed has and what the owner wants to the release that is taken, if any. */
#include "update/verify.h"

#include "base/auto.h"
#include "base/cursor.h"

void hf_answer_write(struct hf_buffer *out, const struct hf_verdict_answer *a)
{
    hf_buffer_counted(out, a->state);
    hf_buffer_counted(out, a->root_note);
    hf_buffer_u32(out, a->wait);
    hf_buffer_u64(out, a->when);
    hf_buffer_u8(out, a->take);
    hf_buffer_u64(out, a->release);
    hf_buffer_counted(out, a->note);
    hf_buffer_counted(out, a->proof);
    hf_buffer_u32(out, a->refusal);
}

static struct hf_bytes counted(struct hf_cursor *c)
{
    return hf_take(c, hf_u32le(c));
}

bool hf_answer_read(struct hf_bytes bytes, struct hf_verdict_answer *a)
{
    struct hf_cursor c = hf_cursor_open(bytes.data, bytes.len, NULL);
    *a = (struct hf_verdict_answer){0};
    a->state = counted(&c);
    a->root_note = counted(&c);
    a->wait = hf_u32le(&c);
    a->when = hf_u64le(&c);
    a->take = hf_u8(&c) != 0;
    a->release = hf_u64le(&c);
    a->note = counted(&c);
    a->proof = counted(&c);
    a->refusal = hf_u32le(&c);
    return hf_cursor_status(&c) == HF_OK && hf_cursor_left(&c) == 0 &&
           a->wait <= HF_WAIT_WINDOW && a->refusal < HF_REFUSALS;
}

struct choosing {
    struct hf_client *client;
    const struct hf_client_options *options;
    struct hf_state *state;
    struct hf_poll_result *result;
    struct hf_merkle merkle;
    uint64_t now;
};

static void note_wait(struct choosing *c, enum hf_wait wait, uint64_t when)
{
    if (c->result->answer.wait == HF_WAIT_NO) { /* the newest one's reason is told */
        c->result->answer.wait = wait;
        c->result->answer.when = when;
    }
}

/* Whether a release is taken. A refused one is no reason not to take an older one that is good. */
static enum hf_refusal consider(struct choosing *c, size_t number, bool *take)
{
    struct hf_manifest manifest;
    struct hf_poll_result *result = c->result;
    uint64_t when;
    *take = false;
    enum hf_wait wait = hf_settings_judge(&c->merkle, c->options->settings, c->state,
                                          number, NULL, c->now, &when);
    if (wait != HF_WAIT_NO) {
        note_wait(c, wait, when);
        return HF_ACCEPTED;
    }
    hf_buffer_clear(&result->note);
    hf_buffer_clear(&result->proof);
    enum hf_refusal r = hf_client_prove(c->client, c->state, number, &manifest,
                                        &result->note, &result->proof);
    if (r != HF_ACCEPTED) {
        if (result->answer.refusal == HF_ACCEPTED)
            result->answer.refusal = (uint32_t)r;
        return r == HF_REFUSE_NOMEM || r == HF_REFUSE_CRYPTO ? r : HF_ACCEPTED;
    }
    wait = hf_settings_judge(&c->merkle, c->options->settings, c->state, number, &manifest,
                             c->now, &when);
    /* An endpoint without any content does not wait for its ring: it has nothing to lose. */
    if (wait == HF_WAIT_RING && hf_state_active(c->state) == NULL)
        wait = HF_WAIT_NO;
    if (wait != HF_WAIT_NO)
        note_wait(c, wait, when);
    *take = wait == HF_WAIT_NO;
    return HF_ACCEPTED;
}

/* The newest release that may be taken and is not the active one. */
static enum hf_refusal choose(struct choosing *c)
{
    const struct hf_state_generation *active = hf_state_active(c->state);
    for (size_t i = c->state->release_count; i > 0; i--) {
        const struct hf_state_release *r = &c->state->releases[i - 1];
        bool take;
        if (c->options->settings->pin != 0
                ? active != NULL && r->version == active->version
                : active != NULL && r->version <= active->version)
            continue; /* there already; older ones only by pinning */
        enum hf_refusal refusal = consider(c, i - 1, &take);
        if (refusal != HF_ACCEPTED)
            return refusal;
        if (take) {
            c->result->answer.take = true;
            c->result->answer.release = i - 1;
            return HF_ACCEPTED;
        }
    }
    return HF_ACCEPTED;
}

enum hf_refusal hf_poll_run(const struct hf_client_options *options,
                            const struct hf_state *state, struct hf_poll_result *result)
{
    HF_AUTO(hf_hasher_release) struct hf_hasher *hasher = hf_hasher_new();
    struct hf_state next = *state;
    size_t news;
    *result = (struct hf_poll_result){0};
    if (hasher == NULL)
        return HF_REFUSE_NOMEM;
    enum hf_refusal r = hf_client_new(options, &result->client);
    if (r == HF_ACCEPTED)
        r = hf_client_poll(result->client, &next, &news);
    struct choosing c = {.client = result->client,
                         .options = options,
                         .state = &next,
                         .result = result,
                         .merkle = {.hasher = hasher}};
    c.now = options->now > next.time ? options->now : next.time;
    if (r == HF_ACCEPTED)
        r = choose(&c);
    if (r == HF_ACCEPTED)
        r = hf_state_write(&c.merkle, &result->state, &next);
    if (r != HF_ACCEPTED)
        return r;
    result->answer.state = hf_buffer_view(&result->state);
    result->answer.root_note = hf_client_root_note(result->client);
    if (result->answer.take) {
        result->answer.note = hf_buffer_view(&result->note);
        result->answer.proof = hf_buffer_view(&result->proof);
    }
    return HF_ACCEPTED;
}

void hf_poll_done(struct hf_poll_result *result)
{
    hf_buffer_done(&result->state);
    hf_buffer_done(&result->note);
    hf_buffer_done(&result->proof);
    hf_client_free(result->client);
}
