/* client.h - the endpoint's judgement of a feed: from what it believed before, through a source
 * that may lie, to what it may believe now. Everything is verified in memory; the new state is
 * handed back as a whole and only when nothing was refused.
 *
 * What is demanded: enough signatures of the publisher's log and of the witnesses, a log that only
 * grew, every new entry of it read, versions without gaps, releases signed by enough keys, in the
 * log, of the pinned product, within the approved capabilities, for this engine, and not from the
 * future. docs/updates.md says which attack each of them answers. */
#ifndef HF_FEED_CLIENT_H
#define HF_FEED_CLIENT_H

#include "feed/checkpoint.h"
#include "feed/manifest.h"
#include "feed/policy.h"
#include "feed/root.h"
#include "feed/settings.h"
#include "feed/state.h"

enum {
    HF_NOTE_FETCH_MAX = 96 * 1024, /* longest checkpoint, release or root that is fetched */
    HF_STALE_SLACK = 86400,        /* witnesses' clocks may differ by a day */
    HF_WARN_AGE = 3 * 86400,
    HF_ALARM_AGE = 7 * 86400
};
#define HF_CLOCK_MIN UINT64_C(631152000) /* 1990: no clock that was ever set is before it */

/* Where files of a feed come from. */
struct hf_feed_source {
    /* Append the file at a path such as "root/2", at most max bytes. HF_REFUSE_FETCH (not there),
     * _FETCH_LONG, _FETCH_SLOW, _NOMEM. */
    enum hf_refusal (*get)(void *user, const char *path, size_t max, struct hf_buffer *out);
    void *user;
};

struct hf_client;

/*
 * Begin.
 *
 * root_note  the root that is believed already: the state's, or the owner's first one. Its
 *            signatures are not looked at. Copied.
 * policy, settings, source  borrowed until hf_client_free.
 * engine     format of databases that this program reads.
 * now        this machine's clock, seconds since 1970.
 * Returns HF_ACCEPTED, what hf_root_read returns, HF_REFUSE_ROOT_PRODUCT (not the pinned one).
 */
struct hf_client_options {
    struct hf_bytes root_note;
    const struct hf_policy *policy;
    const struct hf_settings *settings;
    const struct hf_feed_source *source;
    uint64_t engine, now;
};
HF_MUST_USE enum hf_refusal hf_client_new(const struct hf_client_options *options,
                                          struct hf_client **out);
void hf_client_free(struct hf_client *client);
void hf_client_release(struct hf_client **client); /* for HF_AUTO */

/*
 * Look what is new. state is changed only on HF_ACCEPTED.
 *
 * *news  out: how many releases of the channel were seen that were not known before.
 */
HF_MUST_USE enum hf_refusal hf_client_poll(struct hf_client *client, struct hf_state *state,
                                           size_t *news);

/* The root that is believed now, as a note, and its version; borrowed from client. */
struct hf_bytes hf_client_root_note(const struct hf_client *client);
uint64_t hf_client_root_version(const struct hf_client *client);

/*
 * Prove one of the state's releases, after hf_client_poll.
 *
 * manifest  out: borrows from client.
 * note      receives the signed release, as fetched.
 * proof     receives a tlog-proof file for its entry in the log.
 */
HF_MUST_USE enum hf_refusal hf_client_prove(struct hf_client *client,
                                            struct hf_state *state, size_t release,
                                            struct hf_manifest *manifest,
                                            struct hf_buffer *note,
                                            struct hf_buffer *proof);

/* Whether the state knows that its clock is wrong, or sees that time went back: sets the alarm and
 * returns the time to go by, the later one of clock and what was vouched for. */
uint64_t hf_client_clock(struct hf_state *state, uint64_t now);

/* How old what we know is, in seconds, by that time. */
uint64_t hf_state_age(const struct hf_state *state, uint64_t now);

/*
 * Prove a generation that lies on this machine, without any source: for a state that was lost.
 *
 * root_note  a root that is believed. release, proof: its files.
 * state      receives product, channel, log, time and the release, so that nothing older is
 *            accepted afterwards; unchanged unless HF_ACCEPTED. state->product must be set.
 */
HF_MUST_USE enum hf_refusal hf_client_recover(const struct hf_client *client,
                                              struct hf_bytes release,
                                              struct hf_bytes proof, struct hf_state *state,
                                              struct hf_manifest *manifest);

#endif
