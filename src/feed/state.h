/* state.h - what an endpoint remembers of one publisher: the root it believes, the newest
 * checkpoint it saw, the releases it knows, the generations it has. One text, replaced as a whole
 * by rename, with its own digest at the end: half a state does not exist. */
#ifndef HF_FEED_STATE_H
#define HF_FEED_STATE_H

#include "feed/fields.h"
#include "feed/key.h"

enum {
    HF_STATE_BYTES_MAX = 64 * 1024,
    HF_STATE_RELEASES_MAX = 16, /* remembered, newest last */
    HF_STATE_GENERATIONS_MAX = 3,
    HF_STATE_REFUSED_MAX = 64,
};

/* A release that the log has. */
struct hf_state_release {
    uint64_t version, index; /* of its entry in the log */
    struct hf_hash manifest;
    uint64_t since;    /* not published before this moment, as far as we can know */
    uint64_t approved; /* 1: by the owner */
};

/* A release that lies on this machine. */
struct hf_state_generation {
    uint64_t version, index;
    struct hf_hash manifest;
    uint64_t installed; /* seconds since 1970 */
};

enum hf_state_alarm {
    HF_ALARM_STATE_LOST, /* the state was lost or damaged, and made again */
    HF_ALARM_CLOCK,   /* the clock was before 1990, or behind what witnesses have signed */
    HF_ALARM_FUSE,    /* a generation was taken back by itself */
    HF_ALARM_REFUSED, /* the last update was refused as unproven */
    HF_ALARMS
};

struct hf_state {
    char product[HF_PRODUCT_MAX + 1], channel[HF_CHANNEL_MAX + 1];
    uint8_t endpoint[16]; /* random; decides its place in the rings */
    uint64_t root_version;
    struct hf_hash root_note;         /* SHA-256 of the root's whole note */
    char origin[HF_KEY_NAME_MAX + 1]; /* of the log; empty: none seen yet */
    uint64_t size;                    /* of the log, as last seen */
    struct hf_hash root;              /* of its tree */
    uint64_t time;    /* newest moment vouched for by witnesses or a release */
    uint64_t checked; /* last successful poll, by this machine's clock */
    struct hf_state_release releases[HF_STATE_RELEASES_MAX]; /* by version */
    size_t release_count;
    struct hf_state_generation generations[HF_STATE_GENERATIONS_MAX]; /* newest first */
    size_t generation_count;
    struct hf_hash active; /* manifest of the active generation; zeros: none */
    struct hf_hash refused[HF_STATE_REFUSED_MAX]; /* never to be taken (again) */
    size_t refused_count;
    uint64_t alarms[HF_ALARMS]; /* since when; 0: none */
};

/* HF_REFUSE_STATE_FORM, HF_REFUSE_STATE_DAMAGED, HF_REFUSE_CRYPTO. */
HF_MUST_USE enum hf_refusal hf_state_read(struct hf_merkle *m, struct hf_bytes text,
                                          struct hf_state *state);
HF_MUST_USE enum hf_refusal hf_state_write(struct hf_merkle *m, struct hf_buffer *out,
                                           const struct hf_state *state);

/* "state-lost" and a sentence. */
const char *hf_state_alarm_name(enum hf_state_alarm alarm);
const char *hf_state_alarm_text(enum hf_state_alarm alarm);

/* The newest release known; NULL. One by its manifest; NULL. The active generation; NULL. */
const struct hf_state_release *hf_state_latest(const struct hf_state *state);
struct hf_state_release *hf_state_release_find(struct hf_state *state,
                                               const struct hf_hash *manifest);
const struct hf_state_generation *hf_state_active(const struct hf_state *state);
bool hf_state_is_refused(const struct hf_state *state, const struct hf_hash *manifest);

/* Append a release; the oldest is forgotten when there are too many. */
void hf_state_add_release(struct hf_state *state, const struct hf_state_release *release);

/* A generation becomes the active one and the newest; the last is dropped when there are too
 * many. */
void hf_state_activate(struct hf_state *state,
                       const struct hf_state_generation *generation);

/* Go back to the generation before the active one and never take the active one again. False: there
 * is none. */
HF_MUST_USE bool hf_state_revert(struct hf_state *state);
void hf_state_refuse(struct hf_state *state, const struct hf_hash *manifest);

#endif
