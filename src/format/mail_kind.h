/* mail_kind.h - does an object begin as a message? Told by its header block, whatever bytes the body
 * is made of, so that one 8-bit character does not hide it. */
#ifndef HF_FORMAT_MAIL_KIND_H
#define HF_FORMAT_MAIL_KIND_H

#include "base/bytes.h"

/* How much of an object is looked at, if it goes on looking like a header. */
enum { HF_MAIL_LOOK = 64 * 1024 };

/* start: of the object, at most HF_MAIL_LOOK bytes. is_text: as far as is known. */
bool hf_mail_kind(struct hf_bytes start, bool is_text);

#endif
