/* text_kind.h - is this text, and in which encoding? By the start of an object, as ClamAV and
 * file(1) decide it: any byte that text does not have makes it binary. */
#ifndef HF_FORMAT_TEXT_KIND_H
#define HF_FORMAT_TEXT_KIND_H

#include "format/format.h"

/* HF_FORMAT_TEXT_*, refined to HTML, SCRIPT, MAIL, RTF-free markup by its first words; or
 * HF_FORMAT_BINARY. Looks at the first HF_TEXT_LOOK bytes. */
enum { HF_TEXT_LOOK = 4096 };
enum hf_format hf_text_kind(const struct hf_cursor *object);

#endif
