/* mail_lines.h - lines of a message, whatever ends them: LF, CR LF or a lone CR, mixed at will, for
 * readers of mail take any of them. Lines are borrowed, of any length, and may hold zeros. */
#ifndef HF_UNPACK_MAIL_LINES_H
#define HF_UNPACK_MAIL_LINES_H

#include "base/cursor.h"

struct hf_mail_lines {
    struct hf_cursor c; /* stands where the next line starts; carries the budget */
    size_t line_feed; /* the first LF at or behind the next line's start; the end if none */
    bool is_known;    /* whether line_feed has been looked for */
};

struct hf_mail_line {
    size_t start;         /* position in the message */
    struct hf_bytes text; /* without its end */
};

/* Lines of [start, end) of an object; positions are those in the object. */
struct hf_mail_lines hf_mail_lines_of(const struct hf_cursor *object, size_t start,
                                      size_t end);

/* Go to the line that starts at pos, forwards or backwards. */
void hf_mail_seek(struct hf_mail_lines *lines, size_t pos);

/* The next line. False at the end, or when the budget is spent. Charges a unit and the length. */
bool hf_mail_next(struct hf_mail_lines *lines, struct hf_mail_line *line);

/* The same without moving on. */
bool hf_mail_peek(const struct hf_mail_lines *lines, struct hf_mail_line *line);

/* Text without blanks (SP, HT, VT, FF, NUL) at either end. */
struct hf_bytes hf_mail_trim(struct hf_bytes text);

/* Whether text begins with word, which is in lower case; letters of text may be in any. */
bool hf_mail_begins(struct hf_bytes text, const char *word);

/* Whether a line looks like a header field: a name and a colon. *name_len (may be NULL): of the
 * name alone. [RFC 5322 2.2; 4.5: blanks before the colon] */
bool hf_mail_is_field(struct hf_bytes text, size_t *name_len);

#endif
