/* lnk_internal.h - what the files of the shortcut parser share. */
#ifndef HF_FORMAT_LNK_INTERNAL_H
#define HF_FORMAT_LNK_INTERNAL_H

#include "format/lnk.h"

/* UTF-16LE up to a zero or the end of c, as UTF-8 in the arena; what is no UTF-16 becomes
 * U+FFFD. data == NULL when out of memory or budget. */
struct hf_bytes hf_lnk_utf16(struct hf_facts *facts, struct hf_cursor c);

/* Sixteen bytes as "01234567-89ab-cdef-0123-456789abcdef" in the arena; NULL when they are not
 * there. */
struct hf_bytes hf_lnk_guid(struct hf_facts *facts, struct hf_cursor *c);

/* The list of items: count of bytes, then items; advances c behind it. */
enum hf_status hf_lnk_read_items(struct hf_facts *facts, struct hf_cursor *c,
                                 struct hf_lnk *lnk);

enum hf_status hf_lnk_parse(struct hf_facts *facts, struct hf_lnk *lnk);

#endif
