/* settings.h - what the owner of a machine decides about one publisher: where to fetch, what may be
 * taken, and when. A text of lines "key value"; written by `holdfast trust`, fit to be edited. */
#ifndef HF_FEED_SETTINGS_H
#define HF_FEED_SETTINGS_H

#include "feed/manifest.h"
#include "feed/state.h"

enum { HF_SOURCES_MAX = 16, HF_SETTINGS_BYTES_MAX = 64 * 1024 };

struct hf_settings {
    struct hf_bytes product, channel;        /* pinned; borrowed from the text */
    struct hf_bytes sources[HF_SOURCES_MAX]; /* addresses, in order */
    size_t source_count;
    struct hf_bytes capabilities[HF_MANIFEST_CAPABILITIES_MAX]; /* approved */
    size_t capability_count;
    bool hold;                       /* nothing new is taken */
    bool approve;                    /* each release only after the owner has approved it */
    uint64_t pin;                    /* only this version; 0: any */
    uint64_t behind;                 /* stay this many releases behind the newest */
    uint64_t delay;                  /* seconds after publication, beside the ring's */
    uint64_t window_from, window_to; /* minutes of the day, UTC; equal: any time */
    uint64_t rate;                   /* bytes a second; 0: as fast as it goes */
    uint64_t largest;                /* bytes of all files of a release together */
    struct hf_bytes proxy;           /* empty: none */
    bool
        everywhere; /* its allow and ignore lists count for other publishers' signatures, too */
};

/* HF_REFUSE_SETTINGS with *line (may be NULL) the number of the line that is wrong; 0: of none. */
HF_MUST_USE enum hf_refusal hf_settings_read(struct hf_bytes text,
                                             struct hf_settings *settings, size_t *line);
void hf_settings_write(struct hf_buffer *out, const struct hf_settings *settings);

/* Why a release is not taken now. */
enum hf_wait {
    HF_WAIT_NO,
    HF_WAIT_HELD,
    HF_WAIT_PINNED,
    HF_WAIT_BEHIND,
    HF_WAIT_APPROVAL,
    HF_WAIT_REFUSED,
    HF_WAIT_RING,
    HF_WAIT_WINDOW
};
const char *hf_wait_text(enum hf_wait wait);

/* The place of an endpoint for a release, 0 to 9999: the same ever, even over all endpoints. */
unsigned hf_ring_place(struct hf_merkle *m, const uint8_t endpoint[16],
                       const struct hf_hash *manifest);

/* Whether a known release may be taken at a moment. manifest NULL: as far as it can be said
 * without it. *when (out): from when on, for RING; else 0. */
enum hf_wait hf_settings_judge(struct hf_merkle *m, const struct hf_settings *settings,
                               const struct hf_state *state, size_t release,
                               const struct hf_manifest *manifest, uint64_t now,
                               uint64_t *when);

#endif
