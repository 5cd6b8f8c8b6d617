#include "base/notes.h"

#include <stdarg.h>
#include <stdio.h>

void hf_note(struct hf_notes *notes, uint64_t at, const char *format, ...)
{
    if (notes == NULL)
        return;
    if (notes->count == HF_NOTES_MAX) {
        notes->dropped++;
        return;
    }
    char text[256];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0)
        return;
    struct hf_note *items =
        hf_arena_grow(notes->arena, notes->items, notes->count, sizeof *notes->items);
    if (items == NULL) {
        notes->dropped++;
        return;
    }
    notes->items = items;
    items[notes->count].text = hf_arena_text(notes->arena, hf_bytes_text(text));
    items[notes->count].at = at;
    if (items[notes->count].text != NULL)
        notes->count++;
}
