/* mail_decode.h - how bodies are encoded for transport: base64, quoted-printable, uuencode, yEnc.
 * Each decoder pushes what it makes of a stretch of a message into a child that was begun. Strange
 * characters are passed over, never an error: mail arrives damaged, and is read all the same. */
#ifndef HF_UNPACK_MAIL_DECODE_H
#define HF_UNPACK_MAIL_DECODE_H

#include "unpack/mail_lines.h"
#include "unpack/pusher.h"

/* Base64 in pieces. [RFC 4648 4, RFC 2045 6.8] */
struct hf_mail_base64 {
    uint32_t bits;
    unsigned digits; /* 0 to 3 that bits holds */
    bool padded;     /* padding was seen: what follows is another stream, or none */
    bool goes_on;    /* digits came behind padding */
    bool strange;    /* there were bytes that are neither digits nor blanks */
};

/* Decode some; out has room for text.len bytes, and may be where text is. Returns how many. */
size_t hf_mail_base64_bytes(struct hf_mail_base64 *state, struct hf_bytes text,
                            uint8_t *out);

/* How strictly base64 is read. Readers do either; what they get differs when there is junk. */
enum hf_mail_strictness {
    HF_MAIL_ALL_DIGITS, /* every digit counts, also behind padding */
    HF_MAIL_CLEAN_LINES /* lines with anything strange are left out; padding ends it */
};

/*
 * Decode lines of base64 into the open child of out.
 *
 * state  zeroed before; says afterwards what was strange.
 * Returns HF_OK, or what out says. When the budget is spent, the lines' cursor has failed.
 */
HF_MUST_USE enum hf_status hf_mail_base64(struct hf_mail_lines lines,
                                          enum hf_mail_strictness how,
                                          struct hf_mail_base64 *state,
                                          struct hf_pusher *out);

/* Quoted-printable; ends of lines stay as they are. [RFC 2045 6.7] */
HF_MUST_USE enum hf_status hf_mail_quoted(struct hf_mail_lines lines,
                                          struct hf_pusher *out);

/*
 * Lines of uuencode, until "end", a line of no bytes, or one that is none. lines stand behind
 * "begin", and are moved. [POSIX uuencode]
 */
HF_MUST_USE enum hf_status hf_mail_uu(struct hf_mail_lines *lines, struct hf_pusher *out);

/* yEnc: lines behind "=ybegin" until "=yend". [yEnc 1.3] */
HF_MUST_USE enum hf_status hf_mail_yenc(struct hf_mail_lines *lines, struct hf_pusher *out);

/* Whether a line begins an encoded file, and what it is called. */
bool hf_mail_is_uu_begin(struct hf_bytes text, struct hf_bytes *name);
bool hf_mail_is_yenc_begin(struct hf_bytes text, struct hf_bytes *name);

/* Whether a line is of base64 digits only, and how many there are. */
size_t hf_mail_base64_digits(struct hf_bytes text);

#endif
