/* text.h - hostile bytes on their way to people and machines: escaping for terminals and log
 * lines, JSON strings, numbers with units. */
#ifndef HF_BASE_TEXT_H
#define HF_BASE_TEXT_H

#include "base/buffer.h"

/*
 * Append bytes so that they cannot forge a line or steer a terminal. Printable UTF-8 stays as it
 * is; control characters, DEL, invalid UTF-8, bidirectional and other invisible format
 * characters become \n, \t, \r, \xHH or \u{H..}; a backslash becomes \\ so that the result is
 * unambiguous.
 */
void hf_escape(struct hf_buffer *out, struct hf_bytes bytes);

/* Append a JSON string with its quotes. Valid UTF-8 is kept (controls as \u00XX); a byte that is
 * no valid UTF-8 becomes the two-byte form of U+DC80..U+DCFF written as \udcXX, which Python and
 * others map back to the byte ("surrogateescape"), so no name is lost. [RFC 8259 section 7] */
void hf_json_string(struct hf_buffer *out, struct hf_bytes bytes);

/* Length of the valid UTF-8 sequence at the start of bytes, 0 when there is none; *code_point
 * (may be NULL) receives it. Rejects overlong forms and surrogates. [RFC 3629] */
size_t hf_utf8_decode(struct hf_bytes bytes, uint32_t *code_point);

/* Lower-case hexadecimal digits. */
void hf_hex(struct hf_buffer *out, struct hf_bytes bytes);

/* Two hexadecimal digits a byte into out, at most room bytes. Returns the bytes written, or
 * SIZE_MAX when text is no such digits, odd in number, or longer than room allows. */
size_t hf_unhex(struct hf_bytes text, uint8_t *out, size_t room);

/* A decimal number: digits only, the whole text, no overflow. */
HF_MUST_USE bool hf_parse_uint(struct hf_bytes text, uint64_t *value);

/* A size: decimal digits, then nothing or one of K M G T (powers of 1024, lower case too, "iB"
 * or "B" behind allowed). */
HF_MUST_USE bool hf_parse_size(struct hf_bytes text, uint64_t *value);

/* "0 B", "512 B", "1.5 KiB", "23.4 MiB" for people. */
void hf_format_size(struct hf_buffer *out, uint64_t bytes);

#endif
