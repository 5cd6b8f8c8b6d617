/* content_check.h - a second look at the final bytes of a database, by a reader of its own that
 * shares no code with the compiler and its reader (src/db): what docs/database.md says, read again.
 * It says which abilities the content uses, so that a manifest cannot declare less. */
#ifndef HF_UPDATE_CONTENT_CHECK_H
#define HF_UPDATE_CONTENT_CHECK_H

#include "base/buffer.h"
#include "feed/refusal.h"

/* Abilities of content: names are the manifest's capabilities. */
enum hf_ability {
    HF_ABILITY_DETECT = 1 << 0,   /* "detect": signatures that find something */
    HF_ABILITY_ALLOW = 1 << 1,    /* "allow": digests that cancel alerts */
    HF_ABILITY_IGNORE = 1 << 2,   /* "ignore": names that are not reported */
    HF_ABILITY_WITHDRAW = 1 << 3, /* "withdraw": takes back what older segments have */
};
enum { HF_ABILITY_KINDS = 4 };
const char *hf_ability_name(unsigned number); /* 0..HF_ABILITY_KINDS - 1 */

/* *abilities and *why (a sentence, on refusal) are out. HF_REFUSE_CONTENT_FORM, HF_REFUSE_CRYPTO. */
HF_MUST_USE enum hf_refusal hf_content_check(struct hf_bytes file, unsigned *abilities,
                                             struct hf_buffer *why);

#endif
