/* fields.h - texts made of lines "key word word": the form that releases, roots, log entries and
 * the client's state share. One spelling only: one space between words, none at the ends, numbers
 * and hashes in one form, keys in a fixed order. So bytes and meaning are the same, and what was
 * read can be written again byte for byte. */
#ifndef HF_FEED_FIELDS_H
#define HF_FEED_FIELDS_H

#include "base/cursor.h"
#include "feed/merkle.h"

enum {
    HF_PRODUCT_MAX = 100, /* bytes of a product's name */
    HF_CHANNEL_MAX = 32,  /* of a channel, role or capability */
    HF_FILE_NAME_MAX = 100,
};

/* A text read line by line. Reading goes on only while nothing was wrong. */
struct hf_fields {
    struct hf_cursor c;
    bool failed;          /* a line was missing, or not of its form; stays */
    struct hf_bytes rest; /* of the current line: what is still to be read of it */
};

/* Begin; lines are charged to the budget (may be NULL). The first line must be header. */
struct hf_fields hf_fields_begin(struct hf_bytes text, const char *header,
                                 struct hf_budget *budget);

/* Whether the next line has this key; then it becomes the current one. The line before must have
 * been read to its end. */
HF_MUST_USE bool hf_fields_if(struct hf_fields *f, const char *key);

/* The next line must have this key. */
void hf_fields_line(struct hf_fields *f, const char *key);

/* The next word of the current line; 1 to max bytes. Empty after a failure. */
struct hf_bytes hf_field_word(struct hf_fields *f, size_t max);

/* Words of a kind. Zeros after a failure. */
uint64_t hf_field_number(struct hf_fields *f);
struct hf_hash hf_field_hash(struct hf_fields *f);     /* 64 lower-case digits */
struct hf_bytes hf_field_product(struct hf_fields *f); /* hf_product_valid */
struct hf_bytes hf_field_tag(struct hf_fields *f);     /* hf_tag_valid */

/* Whether everything was read, to the end of the text, and nothing was wrong. */
HF_MUST_USE bool hf_fields_end(struct hf_fields *f);

/* Names that can be a file's, a word's and part of an address: a-z 0-9 and, not at the ends, "."
 * and "-"; a product's name has a dot in it. A file's name may have capitals and "_" and does not
 * begin with a dot. */
HF_MUST_USE bool hf_product_valid(struct hf_bytes name);
HF_MUST_USE bool hf_tag_valid(struct hf_bytes name);
HF_MUST_USE bool hf_file_name_valid(struct hf_bytes name);

/* Sign of a before b, as bytes. */
int hf_bytes_order(struct hf_bytes a, struct hf_bytes b);

/* Append "key " and the rest of a line. */
void hf_put_number(struct hf_buffer *out, const char *key, uint64_t value);
void hf_put_bytes(struct hf_buffer *out, const char *key, struct hf_bytes value);
void hf_put_hash(struct hf_buffer *out, const struct hf_hash *hash); /* digits only */

/* SHA-256 of bytes. False when the library fails, which is remembered in m. */
HF_MUST_USE bool hf_hash_of(struct hf_merkle *m, struct hf_bytes bytes,
                            struct hf_hash *hash);

#endif
