/* view.h - forms of an object's bytes that signatures are written against: normalised text, and
 * UTF-16 brought down to bytes. Pure functions: they read through a cursor, write to a callback
 * piece by piece, keep no copy of the object. (Pages: view/html.h.)
 *
 * What they give is ClamAV's output byte for byte: signature authors write against it. Checked
 * against `sigtool --ascii-normalise` and `--utf16-decode` (tests/e2e/sigtool_test.py).
 * [facts/clamav.md 4.4] */
#ifndef HF_VIEW_VIEW_H
#define HF_VIEW_VIEW_H

#include "base/cursor.h"

/* Receives a view's bytes in order; borrowed until it returns. Anything but HF_OK ends the work
 * and is what the caller of the normaliser gets. */
typedef enum hf_status hf_view_write(void *user, struct hf_bytes bytes);

struct hf_view_out {
    hf_view_write *write;
    void *user;
};

/*
 * Text (HF_VIEW_TEXT): white space to one space, A-Z to a-z, 0x21 to 0x7f kept, everything else
 * dropped. What is dropped does not end a run of white space.
 *
 * object  read from its position to its end; the budget is charged a unit a KiB.
 * Returns HF_OK; HF_LIMIT (the budget ran out: what was written is the view of a prefix); what
 * write said.
 */
HF_MUST_USE enum hf_status hf_view_text(struct hf_cursor *object,
                                        const struct hf_view_out *out);

/*
 * UTF-16, either byte order, to bytes as ClamAV does it: of each pair the first byte plus sixteen
 * times the second, modulo 256; so little-endian ASCII comes out as it is. An odd last byte is
 * dropped.
 *
 * Arguments and status as hf_view_text.
 */
HF_MUST_USE enum hf_status hf_view_utf16(struct hf_cursor *object,
                                         const struct hf_view_out *out);

#endif
