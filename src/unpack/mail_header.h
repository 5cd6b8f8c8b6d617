/* mail_header.h - header blocks of messages and their parts: the few fields that say how a body is
 * cut and encoded, and what it is called. [RFC 5322, RFC 2045, RFC 2047, RFC 2183, RFC 2231]
 *
 * Lenient on purpose: whoever wants a file past a scanner writes headers that the victim's program
 * still reads. Where readers differ every reading is kept: all boundaries, all encodings. */
#ifndef HF_UNPACK_MAIL_HEADER_H
#define HF_UNPACK_MAIL_HEADER_H

#include "unpack/mail_lines.h"

enum {
    HF_MAIL_NAME_MAX = 512,
    HF_MAIL_BOUNDARY_MAX = 256,    /* [RFC 2046 5.1.1] says 70 */
    HF_MAIL_BOUNDARIES_MAX = 6,    /* of one part */
    HF_MAIL_VALUE_MAX = 64 * 1024, /* of one field, unfolded; the rest of it is not seen */
    HF_MAIL_PARAMETERS_MAX = 64
};

/* Ways to encode a body. */
enum hf_mail_encoding {
    HF_MAIL_BASE64 = 1,
    HF_MAIL_QUOTED = 2,
    HF_MAIL_UU = 4,
    HF_MAIL_YENC = 8,
};

struct hf_mail_boundary {
    uint8_t text[HF_MAIL_BOUNDARY_MAX];
    size_t len;
};

struct hf_mail_part {
    unsigned encodings;   /* of enum hf_mail_encoding, all that were declared */
    bool is_message;      /* its body is a message: header, body */
    bool is_fragment;     /* message/partial: a piece of one */
    bool is_cms;          /* S/MIME: signed or encrypted, as its contents say */
    bool is_encrypted;    /* the body is to be decrypted before it can be looked at */
    bool wraps_encrypted; /* multipart/encrypted: one of its parts is */
    size_t boundary_count;
    struct hf_mail_boundary boundaries[HF_MAIL_BOUNDARIES_MAX];
    uint8_t name[HF_MAIL_NAME_MAX]; /* decoded */
    size_t name_len;
};

/* Memory for one field's value. */
struct hf_mail_scratch {
    uint8_t value[HF_MAIL_VALUE_MAX];
    size_t len;
    struct hf_mail_parameter {
        struct hf_bytes name, value;
        bool quoted;
    } parameters[HF_MAIL_PARAMETERS_MAX];
    size_t parameter_count;
    uint8_t unquoted[HF_MAIL_VALUE_MAX]; /* behind the parameters' values */
    size_t unquoted_len;
};

/*
 * Read a header block. lines stand at its first line, and afterwards behind the blank line that
 * ends it, or at the first line that can be none of it.
 *
 * scratch  overwritten
 * part     filled in; zeroed before
 */
void hf_mail_read_header(struct hf_mail_lines *lines, struct hf_mail_scratch *scratch,
                         struct hf_mail_part *part);

/* Whether a line begins a field that says how a body is encoded, cut or called. */
bool hf_mail_is_mime_field(struct hf_bytes text);

/*
 * Split a field's value, which is in scratch->value, into its first word, returned, and parameters.
 */
struct hf_bytes hf_mail_split_value(struct hf_mail_scratch *scratch);

/*
 * A parameter, put together from its sections when it has some, percent signs decoded. [RFC 2231]
 * Returns its length in out (at most room), 0 when there is none.
 */
size_t hf_mail_parameter(const struct hf_mail_scratch *scratch, const char *name,
                         uint8_t *out, size_t room);

/* Decode encoded words in place. [RFC 2047] Returns the new length, never larger. */
size_t hf_mail_decode_words(uint8_t *text, size_t len);

#endif
