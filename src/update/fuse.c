/* fuse.c - content that makes workers fail is taken back. What it must not become is a way to hold
 * back content by one file that crashes workers whatever content they have: so failures count against
 * a generation only when those before it had none. */
#include "update/update.h"

#include "base/auto.h"
#include "base/files.h"

#include <inttypes.h>
#include <time.h>

enum { FAILURES = 2, WITHIN = 600, DAY = 86400, REMEMBERED = 7 * DAY };

/* The file "fuse": "fuse COUNT SINCE OTHER MANIFEST". */
struct fuse {
    uint64_t count, since; /* of this generation's failures within WITHIN */
    uint64_t other;        /* when workers last failed without new content; 0: never */
    struct hf_hash manifest;
};

static struct fuse read_fuse(const struct hf_endpoint *e)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    struct hf_fields f = {.failed = true};
    struct fuse fuse = {0};
    if (hf_file_read(e->feed_dir, "fuse", 256, &text) == HF_OK)
        f = (struct hf_fields){.c = hf_cursor_open(text.data, text.len, NULL)};
    hf_fields_line(&f, "fuse");
    fuse.count = hf_field_number(&f);
    fuse.since = hf_field_number(&f);
    fuse.other = hf_field_number(&f);
    fuse.manifest = hf_field_hash(&f);
    return hf_fields_end(&f) ? fuse : (struct fuse){0};
}

static enum hf_refusal write_fuse(const struct hf_endpoint *e, const struct fuse *fuse)
{
    HF_AUTO(hf_buffer_done) struct hf_buffer text = {0};
    hf_buffer_format(&text, "fuse %" PRIu64 " %" PRIu64 " %" PRIu64 " ", fuse->count,
                     fuse->since, fuse->other);
    hf_put_hash(&text, &fuse->manifest);
    hf_buffer_u8(&text, '\n');
    return hf_file_replace(e->feed_dir, "fuse", hf_buffer_view(&text), 0644) == HF_OK
               ? HF_ACCEPTED
               : HF_REFUSE_DISK;
}

/* Installed within a day, and not one that was gone back to; within one second, where nobody can tell,
 * it counts as old and is not blamed. */
static bool is_new(const struct hf_state *s, uint64_t now)
{
    const struct hf_state_generation *active = hf_state_active(s);
    return active != NULL && now >= active->installed && now - active->installed <= DAY &&
           (s->alarms[HF_ALARM_FUSE] == 0 || s->alarms[HF_ALARM_FUSE] < active->installed);
}

/* Count a failure. True: it is enough. */
static bool counts(struct hf_endpoint *e, uint64_t now)
{
    struct fuse fuse = read_fuse(e);
    bool fresh = is_new(&e->state, now);
    if (!fresh) {
        fuse.other = now;
    } else if (fuse.other != 0 && fuse.other <= now && now - fuse.other <= REMEMBERED) {
        return false; /* workers fail with older content, too */
    } else if (hf_hash_equal(&fuse.manifest, &e->state.active) && fuse.since <= now &&
               now - fuse.since <= WITHIN) {
        fuse.count++;
    } else {
        fuse.count = 1;
        fuse.since = now;
        fuse.manifest = e->state.active;
    }
    (void)!write_fuse(e, &fuse);
    return fresh && fuse.count >= FAILURES;
}

enum hf_refusal hf_update_fuse(const struct hf_site *place, const char *name,
                               enum hf_fuse what, uint64_t given, bool *reverted)
{
    struct hf_endpoint e;
    time_t clock = time(NULL);
    uint64_t now = given != 0 ? given : clock > 0 ? (uint64_t)clock : 1;
    (void)what; /* both count alike */
    *reverted = false;
    enum hf_refusal r = hf_endpoint_open(place, name, &e);
    if (r == HF_ACCEPTED && !hf_endpoint_lock(&e))
        r = HF_REFUSE_DISK;
    if (r == HF_ACCEPTED && !e.state_lost && hf_state_active(&e.state) != NULL &&
        counts(&e, now)) {
        struct hf_state next = e.state;
        if (hf_state_revert(&next)) {
            next.alarms[HF_ALARM_FUSE] = now;
            r = hf_endpoint_commit(&e, &next, hf_buffer_view(&e.root_note));
            *reverted = r == HF_ACCEPTED;
        }
    }
    hf_endpoint_done(&e);
    return r;
}

enum hf_refusal hf_update_blame(const struct hf_site *place, enum hf_fuse what,
                                uint64_t given, char name[HF_CHANNEL_MAX + 1],
                                bool *reverted)
{
    struct hf_publisher_names names;
    time_t clock = time(NULL);
    uint64_t latest = 0, now = given != 0 ? given : clock > 0 ? (uint64_t)clock : 1;
    bool latest_new = false;
    name[0] = 0;
    *reverted = false;
    if (hf_site_publishers(place, &names) != HF_OK)
        return HF_REFUSE_DISK;
    for (size_t i = 0; i < names.count; i++) {
        struct hf_endpoint e;
        const struct hf_state_generation *active =
            hf_endpoint_open(place, names.names[i], &e) == HF_ACCEPTED && !e.state_lost
                ? hf_state_active(&e.state)
                : NULL;
        bool fresh = active != NULL && is_new(&e.state, now);
        if (active != NULL &&
            (fresh > latest_new || (fresh == latest_new && active->installed > latest))) {
            latest = active->installed;
            latest_new = fresh;
            memcpy(name, e.name, sizeof e.name);
        }
        hf_endpoint_done(&e);
    }
    hf_publisher_names_done(&names);
    return name[0] != 0 ? hf_update_fuse(place, name, what, now, reverted) : HF_ACCEPTED;
}
