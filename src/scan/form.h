/* form.h - an object written down in a form that people ask for (as sigtool does), instead of
 * being scanned: what the normalisers make of it, the digests of a program's parts. Workers
 * only: it parses the object. */
#ifndef HF_SCAN_FORM_H
#define HF_SCAN_FORM_H

#include "base/bytes.h"
#include "base/status.h"

enum hf_form {
    HF_FORM_NONE,
    HF_FORM_TEXT,     /* part 0: view/view.h hf_view_text */
    HF_FORM_UTF16,    /* part 0: hf_view_utf16, as `sigtool --utf16-decode` cuts it */
    HF_FORM_PAGE,     /* parts 0 and 1: view/html.h, page and text */
    HF_FORM_SECTIONS, /* part 0: a line for each section of a PE, "SIZE:MD5", in file order; an
                       * empty one for a section without data. Not a PE: HF_UNSUPPORTED */
    HF_FORM_IMPORTS, /* part 0: "MD5:SIZE" of the import list, empty without one; the same */
    HF_FORM_COUNT
};

enum { HF_FORM_PARTS = 2 };

/* Receives the bytes of each part in order; borrowed until it returns. Anything but HF_OK ends
 * the work. */
typedef enum hf_status hf_on_form(void *user, unsigned part, struct hf_bytes bytes);

struct hf_form_out {
    hf_on_form *write;
    void *user;
};

struct hf_engine;

/*
 * Write the form that the engine's options name. Spends the engine's budget.
 *
 * Returns HF_OK; HF_UNSUPPORTED (an object that has no such form); HF_LIMIT (the budget ran out:
 * what was written is a prefix); HF_NOMEM; what write said.
 */
HF_MUST_USE enum hf_status hf_form_write(struct hf_engine *engine, struct hf_bytes object,
                                         const struct hf_form_out *out);

#endif
