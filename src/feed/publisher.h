/* publisher.h - the other side: what makes a feed. A feed is a store of files; all but the
 * checkpoint are written once. Nothing here decides who may sign; what is published is verified
 * first as an endpoint would, so that a feed never holds what nobody would take. */
#ifndef HF_FEED_PUBLISHER_H
#define HF_FEED_PUBLISHER_H

#include "feed/client.h"
#include "feed/manifest.h"
#include "feed/root.h"

/* Where a feed lies. Paths as in hf_feed_source. */
struct hf_feed_store {
    struct hf_feed_source read;
    /* Write or replace a file, durably. HF_REFUSE_DISK. */
    enum hf_refusal (*put)(void *user, const char *path, struct hf_bytes bytes);
    void *user;
};

/* A folder as a store; dir stays the caller's. */
struct hf_feed_folder {
    int dir;
    int error; /* errno of the last refusal */
};
struct hf_feed_store hf_feed_folder_store(struct hf_feed_folder *folder);

/* The newest root of a feed, as a note, read into root: versions from 1 on until there is none. No
 * signature is looked at: it is the publisher's own. */
HF_MUST_USE enum hf_refusal hf_publisher_root(const struct hf_feed_store *store,
                                              struct hf_arena *arena,
                                              struct hf_buffer *note, struct hf_root *root);

/*
 * Append entries to the log and sign its new checkpoint; tiles first, the checkpoint last.
 *
 * entries  count texts, each at most HF_ENTRY_BYTES_MAX bytes. count 0: the checkpoint is signed
 *          anew (for rotated keys).
 * keys     signers of the log; the first one's name is its origin.
 * Cosignatures of witnesses are gone with the old checkpoint: they are of another size.
 */
HF_MUST_USE enum hf_refusal hf_publisher_append(const struct hf_feed_store *store,
                                                const struct hf_bytes *entries,
                                                size_t count, const struct hf_skey *keys,
                                                size_t key_count);

/* Publish a root: version 1 must be signed by its own keys, later ones by those before, too; then it
 * is logged. */
HF_MUST_USE enum hf_refusal hf_publisher_add_root(const struct hf_feed_store *store,
                                                  struct hf_bytes note,
                                                  const struct hf_skey *log_keys,
                                                  size_t key_count);

/* Publish a signed release whose objects are in the store: signatures, version, previous release and
 * the objects' presence are checked; then it is logged. */
HF_MUST_USE enum hf_refusal hf_publisher_add_release(const struct hf_feed_store *store,
                                                     struct hf_bytes note,
                                                     const struct hf_skey *log_keys,
                                                     size_t key_count);

/* The last release of a channel in the log: its entry's version and hash. Version 0: none. */
HF_MUST_USE enum hf_refusal hf_publisher_latest(const struct hf_feed_store *store,
                                                struct hf_bytes product,
                                                struct hf_bytes channel, uint64_t *version,
                                                struct hf_hash *hash);

/* Every entry of the log in order. */
typedef enum hf_refusal hf_publisher_on_entry(void *user, uint64_t index,
                                              struct hf_bytes entry);
HF_MUST_USE enum hf_refusal hf_publisher_entries(const struct hf_feed_store *store,
                                                 hf_publisher_on_entry *on_entry,
                                                 void *user);

/* Append a witness's signature line to the feed's checkpoint. The witness has checked it. */
HF_MUST_USE enum hf_refusal hf_publisher_cosign(const struct hf_feed_store *store,
                                                struct hf_bytes line);

#endif
