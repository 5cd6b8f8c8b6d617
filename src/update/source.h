/* source.h - where a feed is fetched from: a folder (a mirror, a USB stick), a bundle in one file, or
 * an address that a process of its own fetches from. Nothing fetched is looked into here. */
#ifndef HF_UPDATE_SOURCE_H
#define HF_UPDATE_SOURCE_H

#include "feed/client.h"
#include "update/bundle.h"
#include "update/jailed.h"

struct hf_source {
    int dir;                  /* of a folder; -1 */
    struct hf_bundle *bundle; /* NULL */
    struct hf_helper fetcher; /* pid 0: none */
    char *address;            /* of the fetcher, without a slash at the end */
    uint64_t rate;
    char *proxy;
    uint64_t fetched; /* bytes, for what an update cost */
    struct hf_buffer problem;
};

/* Open "http://", "https://", "file://" or a path. HF_REFUSE_FETCH with a sentence in problem. */
HF_MUST_USE enum hf_refusal hf_source_open(struct hf_source *source,
                                           struct hf_bytes address,
                                           const struct hf_settings *settings);
void hf_source_done(struct hf_source *source);

/* As hf_feed_source wants it. */
struct hf_feed_source hf_source_as_feed(struct hf_source *source);

/* Append what is missing of an object to a file that has its first bytes already, up to size.
 * HF_REFUSE_FETCH, _FETCH_LONG, _FETCH_SLOW, _DISK. What was got stays there. */
HF_MUST_USE enum hf_refusal hf_source_resume(struct hf_source *source, const char *path,
                                             uint64_t size, int fd);

#endif
