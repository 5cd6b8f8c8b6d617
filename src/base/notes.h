/* notes.h - what a parser has to say about an object beside its status: bounded, in order,
 * for people (`inspect`, `-v`) and for tests. Never a verdict. */
#ifndef HF_BASE_NOTES_H
#define HF_BASE_NOTES_H

#include "base/arena.h"

struct hf_note {
    uint64_t at;      /* offset in the object */
    const char *text; /* in the arena; our words, hostile bytes escaped */
};

struct hf_notes {
    struct hf_arena *arena; /* borrowed */
    struct hf_note *items;
    size_t count;
    size_t dropped; /* notes past the cap of HF_NOTES_MAX */
};

enum { HF_NOTES_MAX = 64 };

/* Add a note. notes may be NULL. Formats integers and our own words only: bytes from the object
 * go through hf_escape first. */
void hf_note(struct hf_notes *notes, uint64_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
