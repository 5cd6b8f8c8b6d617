/* delta.h - files from objects: zstd frames, made against a file that the endpoint has or against
 * nothing. Both sides know the result's exact size; more never comes out. */
#ifndef HF_UPDATE_DELTA_H
#define HF_UPDATE_DELTA_H

#include "base/buffer.h"
#include "feed/refusal.h"

/* Append an object from which to is made again. HF_REFUSE_NOMEM, _ARGUMENT (larger than 2 GiB). */
HF_MUST_USE enum hf_refusal hf_delta_make(struct hf_bytes from, struct hf_bytes to,
                                          struct hf_buffer *out);

/* Unpack into exactly size bytes. HF_REFUSE_DELTA_FORM, _SIZE, _NOMEM. What is in out after a
 * refusal is no file. */
HF_MUST_USE enum hf_refusal hf_delta_apply(struct hf_bytes from, struct hf_bytes object,
                                           uint8_t *out, size_t size);

#endif
