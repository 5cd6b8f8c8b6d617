#include "daemon/updater.h"

#include "base/auto.h"
#include "base/buffer.h"
#include "daemon/messages.h"
#include "db/builtin.h"
#include "update/standing.h"
#include "update/update.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

enum { FIRST_MAX_MS = 60 * 1000, FUSE_ENOUGH = 2 };

uint64_t hf_updater_next_ms(uint64_t interval_s, bool first)
{
    uint32_t chance = 0;
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != (ssize_t)sizeof chance)
        chance = (uint32_t)clock();
    uint64_t whole =
        interval_s < UINT32_MAX ? interval_s * 1000 : UINT64_C(1000) * UINT32_MAX;
    uint64_t span =
        first ? (whole / 4 < FIRST_MAX_MS ? whole / 4 : FIRST_MAX_MS) : whole / 2;
    uint64_t part = span / 1000 * chance / (UINT32_MAX / 1000 + 1); /* 0 to span */
    return first ? part : whole - whole / 4 + part;
}

static void note(int channel, bool important, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void note(int channel, bool important, const char *format, ...)
{
    char text[600];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    struct hf_daemon_message m = {
        .type = HF_DAEMON_NOTE, .number = important, .text = hf_bytes_text(text)};
    (void)!hf_daemon_send(channel, &m, NULL, 0, true);
}

static bool update_one(const struct hf_site *place, const char *name, int channel)
{
    struct hf_update_options options = {.builtin = hf_db_builtin()};
    struct hf_update_result result = {0};
    enum hf_refusal r = hf_update_run(place, name, &options, &result);
    bool news = result.news;
    if (news)
        note(channel, false, "%s: version %" PRIu64 " is active", name, result.version);
    if (r != HF_ACCEPTED || result.release_refusal != HF_ACCEPTED)
        note(channel, true, "%s: %.*s", name, (int)result.problem.len,
             result.problem.len > 0 ? (const char *)result.problem.data : "");
    if (result.age > HF_WARN_AGE)
        note(channel, true, "%s: %snothing newer has been vouched for in %" PRIu64 " days",
             name, result.age > HF_ALARM_AGE ? "ALARM: " : "", result.age / 86400);
    hf_update_result_done(&result);
    return news;
}

static bool update_all(const struct hf_site *place, int channel)
{
    struct hf_publisher_names names = {0};
    bool news = false;
    if (hf_site_publishers(place, &names) != HF_OK)
        note(channel, true, "%s/trust cannot be read", place->config);
    for (size_t i = 0; i < names.count; i++)
        if (update_one(place, names.names[i], channel))
            news = true;
    hf_publisher_names_done(&names);
    return news;
}

/* What failed, once for each time that counts: after two it is blown. */
static bool blame(const struct hf_site *place, enum hf_fuse what, uint64_t times,
                  int channel)
{
    char name[HF_CHANNEL_MAX + 1];
    bool reverted = false;
    for (uint64_t i = 0; i < times && i < FUSE_ENOUGH && !reverted; i++) {
        enum hf_refusal r = hf_update_blame(place, what, 0, name, &reverted);
        if (r != HF_ACCEPTED)
            note(channel, true, "%s: the fuse: %s", name, hf_refusal_text(r));
    }
    if (reverted)
        note(channel, true,
             "ALARM: %s: workers %s with its new content; it is taken back for good", name,
             what == HF_FUSE_CRASH ? "crashed" : "hung");
    return reverted;
}

int hf_updater_run(const struct hf_config *config, const struct hf_updater_task *task,
                   int channel)
{
    struct hf_site place;
    bool news = false, work = task->update || task->crashes > 0 || task->delays > 0;
    /* Who has never trusted anybody gets no folders made. */
    enum hf_status st = hf_site_look(&place, config->update_home);
    if (st == HF_OK && work) {
        hf_site_done(&place);
        st = hf_site_open(&place, config->update_home);
    }
    if (st == HF_OK && config->update_fuse)
        news = blame(&place, HF_FUSE_CRASH, task->crashes, channel) ||
               blame(&place, HF_FUSE_SLOW, task->delays, channel);
    if (st == HF_OK && task->update && update_all(&place, channel))
        news = true;
    struct hf_standing standing;
    time_t now = time(NULL);
    hf_standing_read(st == HF_OK ? &place : NULL, now > 0 ? (uint64_t)now : 1, &standing);
    HF_AUTO(hf_buffer_done) struct hf_buffer all = {0};
    hf_buffer_bytes(&all, hf_buffer_view(&standing.text));
    hf_buffer_u8(&all, 0);
    hf_buffer_bytes(&all, hf_buffer_view(&standing.json));
    hf_buffer_u8(&all, 0);
    hf_buffer_bytes(&all, hf_buffer_view(&standing.metrics));
    struct hf_daemon_message m = {
        .type = HF_DAEMON_STANDING, .number = news, .text = hf_buffer_view(&all)};
    enum hf_status sent = hf_daemon_send(channel, &m, NULL, 0, true);
    hf_standing_done(&standing);
    hf_site_done(&place);
    return sent == HF_OK ? 0 : 1;
}
