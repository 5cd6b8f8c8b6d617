#include "update/standing.h"

#include "base/auto.h"
#include "base/text.h"

#include <inttypes.h>

void hf_standing_done(struct hf_standing *standing)
{
    hf_buffer_done(&standing->text);
    hf_buffer_done(&standing->json);
    hf_buffer_done(&standing->metrics);
}

static void put_age(struct hf_buffer *out, uint64_t age)
{
    if (age < 2 * 3600)
        hf_buffer_format(out, "%" PRIu64 " minutes", age / 60);
    else if (age < 3 * 86400)
        hf_buffer_format(out, "%" PRIu64 " hours", age / 3600);
    else
        hf_buffer_format(out, "%" PRIu64 " days", age / 86400);
}

static void put_who(struct hf_buffer *out, const struct hf_endpoint *e)
{
    if (e->policy->quorum >= 0)
        hf_buffer_format(out, "a quorum of %zu witness%s", e->policy->witness_count,
                         e->policy->witness_count == 1 ? "" : "es");
    else
        hf_buffer_text(out, "the publisher alone (no witnesses)");
}

static void tell_text(struct hf_standing *out, const struct hf_endpoint *e, uint64_t age)
{
    const struct hf_state *s = &e->state;
    const struct hf_state_generation *active = hf_state_active(s);
    const struct hf_state_release *latest = hf_state_latest(s);
    struct hf_buffer *b = &out->text;
    hf_buffer_format(b, "%s%s: ", b->len == 0 ? "updates  " : "         ", e->name);
    if (active == NULL)
        hf_buffer_text(b, "no content yet");
    else
        hf_buffer_format(b, "version %" PRIu64, active->version);
    if (latest != NULL && (active == NULL || latest->version > active->version))
        hf_buffer_format(b, ", version %" PRIu64 " is known", latest->version);
    if (s->time > 0) {
        hf_buffer_text(b, ", vouched for ");
        put_age(b, age);
        hf_buffer_text(b, " ago by ");
        put_who(b, e);
    }
    hf_buffer_format(b, "%s\n", e->settings.hold ? ", held" : "");
    if (s->time > 0 && age > HF_WARN_AGE) {
        hf_buffer_format(b, "         %s: nothing newer has been vouched for in ",
                         age > HF_ALARM_AGE ? "ALARM" : "WARNING");
        put_age(b, age);
        hf_buffer_text(b, "; what is active stays in use\n");
    }
    if (e->state_lost)
        hf_buffer_text(b, "         ALARM: its state is lost or damaged\n");
    for (size_t i = 0; i < HF_ALARMS; i++)
        if (s->alarms[i] != 0)
            hf_buffer_format(b, "         ALARM: %s\n",
                             hf_state_alarm_text((enum hf_state_alarm)i));
}

static void tell_json(struct hf_buffer *b, const struct hf_endpoint *e, uint64_t age)
{
    const struct hf_state *s = &e->state;
    const struct hf_state_generation *active = hf_state_active(s);
    const struct hf_state_release *latest = hf_state_latest(s);
    hf_buffer_text(b, b->len > 1 ? ",{\"publisher\":" : "{\"publisher\":");
    hf_json_string(b, hf_bytes_text(e->name));
    hf_buffer_text(b, ",\"product\":");
    hf_json_string(b, e->settings.product);
    hf_buffer_format(
        b,
        ",\"version\":%" PRIu64 ",\"newest\":%" PRIu64 ",\"installed\":%" PRIu64
        ",\"vouched\":%" PRIu64 ",\"checked\":%" PRIu64 ",\"age\":%" PRIu64
        ",\"standing\":\"%s\",\"witnesses\":%zu,\"quorum\":%s,\"held\":%s,"
        "\"alarms\":[",
        active != NULL ? active->version : 0, latest != NULL ? latest->version : 0,
        active != NULL ? active->installed : 0, s->time, s->checked, age,
        age > HF_ALARM_AGE  ? "alarm"
        : age > HF_WARN_AGE ? "warning"
                            : "good",
        e->policy->witness_count, e->policy->quorum >= 0 ? "true" : "false",
        e->settings.hold ? "true" : "false");
    for (size_t i = 0, n = 0; i < HF_ALARMS; i++)
        if (s->alarms[i] != 0 || (i == HF_ALARM_STATE_LOST && e->state_lost))
            hf_buffer_format(b, "%s\"%s\"", n++ > 0 ? "," : "",
                             hf_state_alarm_name((enum hf_state_alarm)i));
    hf_buffer_text(b, "]}");
}

/* Names are tags: nothing in them needs an escape. */
static void tell_metrics(struct hf_buffer *b, const struct hf_endpoint *e)
{
    const struct hf_state *s = &e->state;
    const struct hf_state_generation *active = hf_state_active(s);
    uint64_t alarms = e->state_lost;
    for (size_t i = 0; i < HF_ALARMS; i++)
        alarms += s->alarms[i] != 0;
    hf_buffer_format(b,
                     "holdfast_update_version{publisher=\"%s\"} %" PRIu64
                     "\nholdfast_update_vouched_seconds{publisher=\"%s\"} %" PRIu64
                     "\nholdfast_update_checked_seconds{publisher=\"%s\"} %" PRIu64
                     "\nholdfast_update_alarms{publisher=\"%s\"} %" PRIu64 "\n",
                     e->name, active != NULL ? active->version : 0, e->name, s->time,
                     e->name, s->checked, e->name, alarms);
}

static void tell_unreadable(struct hf_standing *out, const struct hf_endpoint *e,
                            const char *name)
{
    out->alarm = true;
    hf_buffer_format(
        &out->text, "%s%s: ALARM: %.*s\n", out->text.len == 0 ? "updates  " : "         ",
        name, (int)e->problem.len, e->problem.len > 0 ? (const char *)e->problem.data : "");
    hf_buffer_text(&out->json, out->json.len > 1 ? ",{\"publisher\":" : "{\"publisher\":");
    hf_json_string(&out->json, hf_bytes_text(name));
    hf_buffer_text(&out->json, ",\"standing\":\"alarm\",\"problem\":");
    hf_json_string(&out->json, hf_buffer_view(&e->problem));
    hf_buffer_text(&out->json, "}");
}

static void tell(struct hf_standing *out, const struct hf_site *place, const char *name,
                 uint64_t now)
{
    struct hf_endpoint e;
    if (hf_endpoint_open(place, name, &e) != HF_ACCEPTED) {
        tell_unreadable(out, &e, name);
        hf_endpoint_done(&e);
        return;
    }
    /* A clock that is behind what was vouched for makes nothing younger. */
    uint64_t age = e.state.time > 0
                       ? hf_state_age(&e.state, now > e.state.time ? now : e.state.time)
                       : 0;
    out->warning = out->warning || age > HF_WARN_AGE;
    out->alarm = out->alarm || age > HF_ALARM_AGE || e.state_lost;
    for (size_t i = 0; i < HF_ALARMS; i++)
        out->alarm = out->alarm || e.state.alarms[i] != 0;
    tell_text(out, &e, age);
    tell_json(&out->json, &e, age);
    tell_metrics(&out->metrics, &e);
    hf_endpoint_done(&e);
}

void hf_standing_read(const struct hf_site *place, uint64_t now,
                      struct hf_standing *standing)
{
    struct hf_publisher_names names = {0};
    *standing = (struct hf_standing){0};
    hf_buffer_text(&standing->json, "[");
    if (place != NULL && place->config_dir >= 0 &&
        hf_site_publishers(place, &names) != HF_OK) {
        standing->alarm = true;
        hf_buffer_text(&standing->text,
                       "updates  ALARM: the folder of trust cannot be read\n");
    }
    for (size_t i = 0; i < names.count; i++)
        tell(standing, place, names.names[i], now);
    if (standing->text.len == 0)
        hf_buffer_text(&standing->text, "updates  no publisher is trusted\n");
    hf_buffer_text(&standing->json, "]");
    hf_publisher_names_done(&names);
}
