/* html.h - pages as ClamAV's signatures for target 3 see them: lower-case, white space joined,
 * comments gone, references decoded, values in double quotes. A stream: memory does not grow with
 * the page. Written from `sigtool --html-normalise` as a black box and facts/clamav.md 4.4, and
 * not everywhere byte for byte the same: docs/compat-programs.md says where. Scripts stay in the page
 * as it has them; ClamAV's separate, renamed script (its file `javascript`) is not made. */
#ifndef HF_VIEW_HTML_H
#define HF_VIEW_HTML_H

#include "view/view.h"

/* Where the two forms go; write NULL: not wanted. */
struct hf_view_html_out {
    struct hf_view_out page; /* HF_VIEW_HTML, "nocomment.html" */
    struct hf_view_out
        text; /* HF_VIEW_HTML_NOTAGS, "notags.html": what is seen, and addresses */
};

/* Arguments and status as hf_view_text. */
HF_MUST_USE enum hf_status hf_view_html(struct hf_cursor *object,
                                        const struct hf_view_html_out *out);

#endif
