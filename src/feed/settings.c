#include "feed/settings.h"

#include "base/text.h"
#include "feed/encode.h"

#include <inttypes.h>

#define LARGEST_DEFAULT (UINT64_C(2) << 30)

struct line {
    struct hf_settings *s;
    struct hf_bytes value;
};

static bool number(struct hf_bytes text, uint64_t *value)
{
    return hf_parse_uint(text, value);
}

static bool yes_no(struct hf_bytes text, bool *value)
{
    *value = hf_bytes_equal(text, hf_bytes_text("yes"));
    return *value || hf_bytes_equal(text, hf_bytes_text("no"));
}

static bool set_product(struct line *l)
{
    l->s->product = l->value;
    return hf_product_valid(l->value);
}

static bool set_channel(struct line *l)
{
    l->s->channel = l->value;
    return hf_tag_valid(l->value);
}

static bool set_source(struct line *l)
{
    if (l->s->source_count == HF_SOURCES_MAX)
        return false;
    l->s->sources[l->s->source_count++] = l->value;
    return true;
}

static bool set_capability(struct line *l)
{
    if (l->s->capability_count == HF_MANIFEST_CAPABILITIES_MAX || !hf_tag_valid(l->value))
        return false;
    l->s->capabilities[l->s->capability_count++] = l->value;
    return true;
}

static bool set_hold(struct line *l)
{
    return yes_no(l->value, &l->s->hold);
}

static bool set_approve(struct line *l)
{
    return yes_no(l->value, &l->s->approve);
}

static bool set_pin(struct line *l)
{
    return number(l->value, &l->s->pin);
}

static bool set_behind(struct line *l)
{
    return number(l->value, &l->s->behind) && l->s->behind < HF_STATE_GENERATIONS_MAX;
}

static bool set_delay(struct line *l)
{
    return number(l->value, &l->s->delay) && l->s->delay <= 366 * 86400;
}

static bool set_rate(struct line *l)
{
    return hf_parse_size(l->value, &l->s->rate);
}

static bool set_largest(struct line *l)
{
    return hf_parse_size(l->value, &l->s->largest);
}

static bool set_proxy(struct line *l)
{
    l->s->proxy = l->value;
    return true;
}

static bool set_everywhere(struct line *l)
{
    return yes_no(l->value, &l->s->everywhere);
}

/* "HH:MM" */
static bool minutes(struct hf_bytes text, uint64_t *value)
{
    uint64_t h, m;
    if (text.len != 5 || text.data[2] != ':' ||
        !hf_parse_uint(hf_bytes_of(text.data, 2), &h) ||
        !hf_parse_uint(hf_bytes_of(text.data + 3, 2), &m) || h > 23 || m > 59)
        return false;
    *value = h * 60 + m;
    return true;
}

static bool set_window(struct line *l)
{
    return l->value.len == 11 && l->value.data[5] == '-' &&
           minutes(hf_bytes_of(l->value.data, 5), &l->s->window_from) &&
           minutes(hf_bytes_of(l->value.data + 6, 5), &l->s->window_to);
}

static const struct {
    const char *key;
    bool (*set)(struct line *l);
} keys[] = {
    {"product", set_product},
    {"channel", set_channel},
    {"source", set_source},
    {"hold", set_hold},
    {"capability", set_capability},
    {"approve", set_approve},
    {"pin", set_pin},
    {"behind", set_behind},
    {"delay", set_delay},
    {"window", set_window},
    {"rate", set_rate},
    {"largest", set_largest},
    {"proxy", set_proxy},
    {"everywhere", set_everywhere},
};

static bool read_line(struct hf_settings *s, struct hf_bytes text)
{
    const uint8_t *space = text.len > 0 ? memchr(text.data, ' ', text.len) : NULL;
    if (text.len == 0 || text.data[0] == '#')
        return true;
    if (space == NULL)
        return false;
    size_t n = (size_t)(space - text.data);
    struct line l = {s, hf_bytes_of(space + 1, text.len - n - 1)};
    if (l.value.len == 0)
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (hf_bytes_equal(hf_bytes_of(text.data, n), hf_bytes_text(keys[i].key)))
            return keys[i].set(&l);
    return false;
}

enum hf_refusal hf_settings_read(struct hf_bytes text, struct hf_settings *s, size_t *line)
{
    size_t count = 0;
    struct hf_cursor c = hf_cursor_open(text.data, text.len, NULL);
    *s = (struct hf_settings){.channel = hf_bytes_text("content"),
                              .largest = LARGEST_DEFAULT};
    bool good = text.len <= HF_SETTINGS_BYTES_MAX && hf_text_check(text) == HF_TEXT_GOOD;
    while (good && hf_cursor_left(&c) > 0) {
        struct hf_bytes one;
        count++;
        good = hf_line_read(&c, &one) && read_line(s, one);
    }
    if (good && s->product.len == 0)
        count = 0, good = false;
    if (line != NULL)
        *line = count;
    return good ? HF_ACCEPTED : HF_REFUSE_SETTINGS;
}

void hf_settings_write(struct hf_buffer *out, const struct hf_settings *s)
{
    hf_put_bytes(out, "product", s->product);
    hf_put_bytes(out, "channel", s->channel);
    for (size_t i = 0; i < s->source_count; i++)
        hf_put_bytes(out, "source", s->sources[i]);
    for (size_t i = 0; i < s->capability_count; i++)
        hf_put_bytes(out, "capability", s->capabilities[i]);
    if (s->hold)
        hf_buffer_text(out, "hold yes\n");
    if (s->approve)
        hf_buffer_text(out, "approve yes\n");
    if (s->pin > 0)
        hf_put_number(out, "pin", s->pin);
    if (s->behind > 0)
        hf_put_number(out, "behind", s->behind);
    if (s->delay > 0)
        hf_put_number(out, "delay", s->delay);
    if (s->window_from != s->window_to)
        hf_buffer_format(out, "window %02u:%02u-%02u:%02u\n",
                         (unsigned)(s->window_from / 60), (unsigned)(s->window_from % 60),
                         (unsigned)(s->window_to / 60), (unsigned)(s->window_to % 60));
    if (s->rate > 0)
        hf_put_number(out, "rate", s->rate);
    if (s->largest != LARGEST_DEFAULT)
        hf_put_number(out, "largest", s->largest);
    if (s->proxy.len > 0)
        hf_put_bytes(out, "proxy", s->proxy);
    if (s->everywhere)
        hf_buffer_text(out, "everywhere yes\n");
}

const char *hf_wait_text(enum hf_wait wait)
{
    static const char *const texts[] = {
        [HF_WAIT_NO] = "may be taken",
        [HF_WAIT_HELD] = "held: nothing new is taken",
        [HF_WAIT_PINNED] = "another version is pinned",
        [HF_WAIT_BEHIND] = "stays behind the newest release",
        [HF_WAIT_APPROVAL] = "waits for approval",
        [HF_WAIT_REFUSED] = "was taken back before and is not taken again",
        [HF_WAIT_RING] = "its ring or delay has not come",
        [HF_WAIT_WINDOW] = "outside the hours for updates",
    };
    return texts[wait];
}

unsigned hf_ring_place(struct hf_merkle *m, const uint8_t endpoint[16],
                       const struct hf_hash *manifest)
{
    uint8_t both[16 + HF_HASH_BYTES];
    struct hf_hash hash = {0};
    memcpy(both, endpoint, 16);
    memcpy(both + 16, manifest->bytes, HF_HASH_BYTES);
    uint64_t place = 0;
    if (!hf_hash_of(m, hf_bytes_of(both, sizeof both), &hash))
        return 9999; /* the last to take it */
    for (size_t i = 0; i < 8; i++)
        place = place << 8 | hash.bytes[i];
    return (unsigned)(place % 10000);
}

static uint64_t ring_delay(struct hf_merkle *m, const struct hf_state *state,
                           const struct hf_state_release *release,
                           const struct hf_manifest *manifest)
{
    unsigned place = hf_ring_place(m, state->endpoint, &release->manifest);
    for (size_t i = 0; i < manifest->ring_count; i++)
        if (place < manifest->rings[i].percent * 100)
            return manifest->rings[i].delay;
    return 0; /* not reached: the last ring has everybody */
}

static bool in_window(const struct hf_settings *s, uint64_t now)
{
    uint64_t minute = now / 60 % 1440;
    if (s->window_from == s->window_to)
        return true;
    if (s->window_from < s->window_to)
        return minute >= s->window_from && minute < s->window_to;
    return minute >= s->window_from || minute < s->window_to;
}

enum hf_wait hf_settings_judge(struct hf_merkle *m, const struct hf_settings *s,
                               const struct hf_state *state, size_t number_,
                               const struct hf_manifest *manifest, uint64_t now,
                               uint64_t *when)
{
    const struct hf_state_release *r = &state->releases[number_];
    *when = 0;
    if (hf_state_is_refused(state, &r->manifest))
        return HF_WAIT_REFUSED;
    if (s->pin != 0)
        return r->version == s->pin ? HF_WAIT_NO : HF_WAIT_PINNED;
    if (s->hold)
        return HF_WAIT_HELD;
    if (state->release_count - 1 - number_ < s->behind)
        return HF_WAIT_BEHIND;
    if (r->approved != 0)
        return HF_WAIT_NO; /* the owner's word is above rings and hours */
    if (s->approve)
        return HF_WAIT_APPROVAL;
    if (!in_window(s, now))
        return HF_WAIT_WINDOW;
    if (manifest == NULL)
        return HF_WAIT_NO;
    uint64_t start = manifest->created > r->since ? manifest->created : r->since;
    uint64_t delay = ring_delay(m, state, r, manifest) + s->delay;
    *when = delay > UINT64_MAX - start ? UINT64_MAX : start + delay;
    if (now < *when)
        return HF_WAIT_RING;
    *when = 0;
    return HF_WAIT_NO;
}
