/* bundle.h - a whole feed, or what an endpoint needs of it, in one file for machines without a
 * network. "holdfast-bundle v1", lines "file SIZE PATH", an empty line, the files one behind the
 * other. It proves nothing by itself: what is in it is verified like anything that was fetched. */
#ifndef HF_UPDATE_BUNDLE_H
#define HF_UPDATE_BUNDLE_H

#include "base/buffer.h"
#include "feed/refusal.h"

enum { HF_BUNDLE_INDEX_MAX = 8 << 20, HF_BUNDLE_FILES_MAX = 65536 };

struct hf_bundle;

/* Read the index. fd is duplicated. HF_REFUSE_FETCH: no bundle. */
HF_MUST_USE enum hf_refusal hf_bundle_open(int fd, struct hf_bundle **out);
void hf_bundle_free(struct hf_bundle *bundle);
int hf_bundle_fd(const struct hf_bundle *bundle);

/* Where a file lies; false: not there. Its content. */
HF_MUST_USE bool hf_bundle_find(const struct hf_bundle *bundle, const char *path,
                                uint64_t *offset, uint64_t *size);
HF_MUST_USE enum hf_refusal hf_bundle_get(const struct hf_bundle *bundle, const char *path,
                                          size_t max, struct hf_buffer *out);

/* The files one by one: path (with its terminator) and size; NULL past the last. */
const char *hf_bundle_at(const struct hf_bundle *bundle, size_t number, uint64_t *size);

/* Whether a path can be one in a feed: a-z 0-9 . - and slashes; no empty, "." or ".." parts. */
HF_MUST_USE bool hf_feed_path_valid(struct hf_bytes path);

/* The index over bytes, for hf_bundle_open and fuzzing: *data receives where the files begin. */
struct hf_bundle_file {
    struct hf_bytes path;
    uint64_t offset, size; /* offset from the first file's first byte */
};
HF_MUST_USE enum hf_refusal hf_bundle_read_index(struct hf_bytes bytes,
                                                 struct hf_bundle_file *files, size_t room,
                                                 size_t *count, size_t *data);

#endif
