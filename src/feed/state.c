#include "feed/state.h"

#include "base/auto.h"
#include "base/text.h"
#include "feed/encode.h"

#include <inttypes.h>

static const char header[] = "holdfast-state v1";
static const char none_word[] = "-"; /* no log seen yet */

static const struct {
    const char *name, *text;
} alarms[HF_ALARMS] = {
    [HF_ALARM_STATE_LOST] = {"state-lost",
                             "the state was lost or damaged and was made again "
                             "from the newest proven generation"},
    [HF_ALARM_CLOCK] = {"clock", "this machine's clock is wrong"},
    [HF_ALARM_FUSE] = {"fuse",
                       "a generation was taken back because workers failed with it"},
    [HF_ALARM_REFUSED] = {"refused", "the last update was refused"},
};

const char *hf_state_alarm_name(enum hf_state_alarm alarm)
{
    return alarms[alarm].name;
}

const char *hf_state_alarm_text(enum hf_state_alarm alarm)
{
    return alarms[alarm].text;
}

/* A word as a C string; words have no zero bytes in them (checked with the text). */
static void keep(char *to, size_t room, struct hf_bytes word)
{
    size_t n = word.len < room ? word.len : room - 1;
    if (n > 0)
        memcpy(to, word.data, n);
    to[n] = 0;
}

static void read_head(struct hf_fields *f, struct hf_state *s)
{
    hf_fields_line(f, "product");
    keep(s->product, sizeof s->product, hf_field_product(f));
    hf_fields_line(f, "channel");
    keep(s->channel, sizeof s->channel, hf_field_tag(f));
    hf_fields_line(f, "endpoint");
    struct hf_bytes word = hf_field_word(f, 2 * sizeof s->endpoint);
    if (hf_unhex(word, s->endpoint, sizeof s->endpoint) != sizeof s->endpoint)
        f->failed = true;
    hf_fields_line(f, "root");
    s->root_version = hf_field_number(f);
    s->root_note = hf_field_hash(f);
    hf_fields_line(f, "log");
    word = hf_field_word(f, HF_KEY_NAME_MAX);
    if (!hf_bytes_equal(word, hf_bytes_text(none_word)))
        keep(s->origin, sizeof s->origin, word);
    s->size = hf_field_number(f);
    s->root = hf_field_hash(f);
    hf_fields_line(f, "seen");
    s->time = hf_field_number(f);
    s->checked = hf_field_number(f);
    hf_fields_line(f, "active");
    s->active = hf_field_hash(f);
}

static void read_releases(struct hf_fields *f, struct hf_state *s)
{
    while (hf_fields_if(f, "release")) {
        if (s->release_count == HF_STATE_RELEASES_MAX) {
            f->failed = true;
            return;
        }
        struct hf_state_release *r = &s->releases[s->release_count++];
        r->version = hf_field_number(f);
        r->index = hf_field_number(f);
        r->manifest = hf_field_hash(f);
        r->since = hf_field_number(f);
        r->approved = hf_field_number(f);
    }
    while (hf_fields_if(f, "generation")) {
        if (s->generation_count == HF_STATE_GENERATIONS_MAX) {
            f->failed = true;
            return;
        }
        struct hf_state_generation *g = &s->generations[s->generation_count++];
        g->version = hf_field_number(f);
        g->index = hf_field_number(f);
        g->manifest = hf_field_hash(f);
        g->installed = hf_field_number(f);
    }
}

static void read_tail(struct hf_fields *f, struct hf_state *s)
{
    while (hf_fields_if(f, "refused")) {
        if (s->refused_count == HF_STATE_REFUSED_MAX) {
            f->failed = true;
            return;
        }
        s->refused[s->refused_count++] = hf_field_hash(f);
    }
    while (hf_fields_if(f, "alarm")) {
        struct hf_bytes name = hf_field_word(f, HF_CHANNEL_MAX);
        uint64_t since = hf_field_number(f);
        size_t i = 0;
        while (i < HF_ALARMS && !hf_bytes_equal(name, hf_bytes_text(alarms[i].name)))
            i++;
        if (i == HF_ALARMS) {
            f->failed = true;
            return;
        }
        s->alarms[i] = since;
    }
}

enum hf_refusal hf_state_read(struct hf_merkle *m, struct hf_bytes text,
                              struct hf_state *state)
{
    struct hf_state s = {0};
    static const char last[] = "end ";
    size_t tail = sizeof last - 1 + 2 * HF_HASH_BYTES + 1;
    *state = s;
    if (text.len > HF_STATE_BYTES_MAX || text.len < tail)
        return HF_REFUSE_STATE_DAMAGED;
    struct hf_hash hash;
    if (!hf_hash_of(m, hf_bytes_of(text.data, text.len - tail), &hash))
        return HF_REFUSE_CRYPTO;
    HF_AUTO(hf_buffer_done) struct hf_buffer end = {0};
    hf_buffer_text(&end, last);
    hf_put_hash(&end, &hash);
    hf_buffer_u8(&end, '\n');
    if (end.failed || !hf_bytes_equal(hf_buffer_view(&end),
                                      hf_bytes_of(text.data + text.len - tail, tail)))
        return HF_REFUSE_STATE_DAMAGED;
    struct hf_fields f =
        hf_fields_begin(hf_bytes_of(text.data, text.len - tail), header, NULL);
    read_head(&f, &s);
    read_releases(&f, &s);
    read_tail(&f, &s);
    if (!hf_fields_end(&f) || s.size > HF_TREE_MAX)
        return HF_REFUSE_STATE_FORM;
    *state = s;
    return HF_ACCEPTED;
}

static void put_entry(struct hf_buffer *out, const char *key, uint64_t version,
                      uint64_t index, const struct hf_hash *manifest)
{
    hf_buffer_format(out, "%s %" PRIu64 " %" PRIu64 " ", key, version, index);
    hf_put_hash(out, manifest);
}

static void put_hash_line(struct hf_buffer *out, const char *key,
                          const struct hf_hash *hash)
{
    hf_buffer_format(out, "%s ", key);
    hf_put_hash(out, hash);
    hf_buffer_u8(out, '\n');
}

static void write_lists(struct hf_buffer *out, const struct hf_state *s)
{
    for (size_t i = 0; i < s->release_count; i++) {
        const struct hf_state_release *r = &s->releases[i];
        put_entry(out, "release", r->version, r->index, &r->manifest);
        hf_buffer_format(out, " %" PRIu64 " %" PRIu64 "\n", r->since, r->approved);
    }
    for (size_t i = 0; i < s->generation_count; i++) {
        const struct hf_state_generation *g = &s->generations[i];
        put_entry(out, "generation", g->version, g->index, &g->manifest);
        hf_buffer_format(out, " %" PRIu64 "\n", g->installed);
    }
    for (size_t i = 0; i < s->refused_count; i++)
        put_hash_line(out, "refused", &s->refused[i]);
    for (size_t i = 0; i < HF_ALARMS; i++)
        if (s->alarms[i] != 0)
            hf_buffer_format(out, "alarm %s %" PRIu64 "\n", alarms[i].name, s->alarms[i]);
}

enum hf_refusal hf_state_write(struct hf_merkle *m, struct hf_buffer *out,
                               const struct hf_state *s)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_buffer_format(&text, "%s\nproduct %s\nchannel %s\nendpoint ", header, s->product,
                     s->channel);
    hf_hex(&text, hf_bytes_of(s->endpoint, sizeof s->endpoint));
    hf_buffer_format(&text, "\nroot %" PRIu64 " ", s->root_version);
    hf_put_hash(&text, &s->root_note);
    hf_buffer_format(&text, "\nlog %s %" PRIu64 " ",
                     s->origin[0] != 0 ? s->origin : none_word, s->size);
    hf_put_hash(&text, &s->root);
    hf_buffer_format(&text, "\nseen %" PRIu64 " %" PRIu64 "\n", s->time, s->checked);
    put_hash_line(&text, "active", &s->active);
    write_lists(&text, s);
    struct hf_hash hash;
    if (text.failed)
        return HF_REFUSE_NOMEM;
    if (!hf_hash_of(m, hf_buffer_view(&text), &hash))
        return HF_REFUSE_CRYPTO;
    put_hash_line(&text, "end", &hash);
    struct hf_state again;
    enum hf_refusal r = hf_state_read(m, hf_buffer_view(&text), &again);
    if (r != HF_ACCEPTED)
        return text.failed ? HF_REFUSE_NOMEM : HF_REFUSE_ARGUMENT;
    hf_buffer_bytes(out, hf_buffer_view(&text));
    return out->failed ? HF_REFUSE_NOMEM : HF_ACCEPTED;
}

const struct hf_state_release *hf_state_latest(const struct hf_state *state)
{
    return state->release_count > 0 ? &state->releases[state->release_count - 1] : NULL;
}

struct hf_state_release *hf_state_release_find(struct hf_state *state,
                                               const struct hf_hash *manifest)
{
    for (size_t i = 0; i < state->release_count; i++)
        if (hf_hash_equal(&state->releases[i].manifest, manifest))
            return &state->releases[i];
    return NULL;
}

const struct hf_state_generation *hf_state_active(const struct hf_state *state)
{
    for (size_t i = 0; i < state->generation_count; i++)
        if (hf_hash_equal(&state->generations[i].manifest, &state->active))
            return &state->generations[i];
    return NULL;
}

bool hf_state_is_refused(const struct hf_state *state, const struct hf_hash *manifest)
{
    for (size_t i = 0; i < state->refused_count; i++)
        if (hf_hash_equal(&state->refused[i], manifest))
            return true;
    return false;
}

void hf_state_add_release(struct hf_state *state, const struct hf_state_release *release)
{
    if (state->release_count == HF_STATE_RELEASES_MAX) {
        memmove(&state->releases[0], &state->releases[1],
                (HF_STATE_RELEASES_MAX - 1) * sizeof state->releases[0]);
        state->release_count--;
    }
    state->releases[state->release_count++] = *release;
}

void hf_state_activate(struct hf_state *state, const struct hf_state_generation *generation)
{
    struct hf_state_generation kept[HF_STATE_GENERATIONS_MAX] = {*generation};
    size_t n = 1;
    for (size_t i = 0; i < state->generation_count && n < HF_STATE_GENERATIONS_MAX; i++)
        if (!hf_hash_equal(&state->generations[i].manifest, &generation->manifest))
            kept[n++] = state->generations[i];
    memcpy(state->generations, kept, sizeof kept);
    state->generation_count = n;
    state->active = generation->manifest;
}

void hf_state_refuse(struct hf_state *state, const struct hf_hash *manifest)
{
    if (hf_state_is_refused(state, manifest))
        return;
    if (state->refused_count == HF_STATE_REFUSED_MAX) {
        memmove(&state->refused[0], &state->refused[1],
                (HF_STATE_REFUSED_MAX - 1) * sizeof state->refused[0]);
        state->refused_count--;
    }
    state->refused[state->refused_count++] = *manifest;
}

bool hf_state_revert(struct hf_state *state)
{
    const struct hf_state_generation *active = hf_state_active(state);
    if (active == NULL)
        return false;
    for (size_t i = (size_t)(active - state->generations) + 1; i < state->generation_count;
         i++) {
        if (hf_state_is_refused(state, &state->generations[i].manifest))
            continue;
        hf_state_refuse(state, &state->active);
        state->active = state->generations[i].manifest;
        return true;
    }
    return false;
}
