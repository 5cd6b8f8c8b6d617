/* encode.h - the small encodings that all C2SP formats share, each with one spelling only: what
 * another spelling would also decode to is refused, so that bytes and meaning are the same. */
#ifndef HF_FEED_ENCODE_H
#define HF_FEED_ENCODE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/cursor.h"

/* Append standard base64 with padding. [RFC 4648 section 4] */
void hf_base64_write(struct hf_buffer *out, struct hf_bytes bytes);

/* Bytes that this many characters of base64 decode to at most. */
static inline size_t hf_base64_room(size_t characters)
{
    return characters / 4 * 3;
}

/*
 * Decode standard base64. Refuses what has no such spelling: missing padding, other alphabets,
 * line breaks, bits that are not zero behind the last byte.
 *
 * out  receives at most room bytes. Returns their number, or SIZE_MAX when refused or when room
 *      does not do. An empty text gives 0.
 */
size_t hf_base64_read(struct hf_bytes text, uint8_t *out, size_t room);

/* A decimal number without leading zeros ("0" itself is one), within 64 bits. */
HF_MUST_USE bool hf_decimal_read(struct hf_bytes text, uint64_t *value);

/* The next line without its newline, which must be there. False: nothing but the cursor's
 * position has changed meaning; hf_cursor_left says whether there was an unended line. */
HF_MUST_USE bool hf_line_read(struct hf_cursor *c, struct hf_bytes *line);

/* Whether this is a key name: 1 to 255 bytes of valid UTF-8 without Unicode's white space, plus
 * signs or control characters. [signed-note "Format"; 255 as tlog-cosignature] */
enum { HF_KEY_NAME_MAX = 255 };
HF_MUST_USE bool hf_key_name_valid(struct hf_bytes name);

/* What a text for a note may consist of. */
enum hf_text_fault { HF_TEXT_GOOD, HF_TEXT_NOT_UTF8, HF_TEXT_CONTROL };
HF_MUST_USE enum hf_text_fault hf_text_check(struct hf_bytes text);

#endif
