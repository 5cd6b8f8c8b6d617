/* der.h - reader of ASN.1 values in their DER form (and what signing tools write that is BER
 * only: indefinite lengths, strings in pieces). Yields values one after another, interprets the
 * few simple types that signatures need, and knows nothing of what they mean. [X.690] */
#ifndef HF_FORMAT_DER_H
#define HF_FORMAT_DER_H

#include "base/arena.h"
#include "base/cursor.h"

/* First byte of a value: class, constructed or not, number. Numbers above 30 take more bytes;
 * nothing that is read here has such, so they are refused. */
enum hf_der_tag {
    HF_DER_BOOLEAN = 0x01,
    HF_DER_INTEGER = 0x02,
    HF_DER_BITS = 0x03,
    HF_DER_OCTETS = 0x04,
    HF_DER_NULL = 0x05,
    HF_DER_OID = 0x06,
    HF_DER_UTC_TIME = 0x17,
    HF_DER_TIME = 0x18,
    HF_DER_SEQUENCE = 0x30,
    HF_DER_SET = 0x31,
    HF_DER_IMPLICIT = 0x80, /* + number: [n] of a primitive type */
    HF_DER_EXPLICIT = 0xa0, /* + number: [n] of a constructed type, or around a value */
    HF_DER_CONSTRUCTED = 0x20
};

enum { HF_DER_DEPTH_MAX = 32 }; /* indefinite lengths inside one another */

struct hf_der {
    uint8_t tag;
    bool definite; /* its length was written, as DER wants */
    struct hf_bytes
        whole; /* tag, length, content, and the end mark of an indefinite length */
    struct hf_cursor content;
};

/* Read the next value and move past it; false at the end and when there is no whole value (the
 * cursor then is failed). Charges the budget by value. */
bool hf_der_next(struct hf_cursor *c, struct hf_der *value);

/* The same if the next value has this tag; false without moving or failing if it has another, or
 * none follows. */
bool hf_der_take(struct hf_cursor *c, uint8_t tag, struct hf_der *value);

/* Take a value of this tag or fail the cursor; the content, as a cursor that is failed when there
 * is no such value. For what a structure must have. */
struct hf_cursor hf_der_open(struct hf_cursor *c, uint8_t tag);

/* Content of a primitive value, or of an OCTET STRING in pieces (then put together in the arena).
 * data NULL when it is damaged or there is no memory. */
struct hf_bytes hf_der_bytes(const struct hf_der *value, struct hf_arena *arena);

/* Whether the value is this OID; oid is content only: no tag, no length. */
bool hf_der_is_oid(const struct hf_der *value, const void *oid, size_t len);

/* "1.2.840.113549", in the arena; data NULL when it is none or has a number above 2^63. */
struct hf_bytes hf_der_oid_text(struct hf_bytes content, struct hf_arena *arena);

/* An INTEGER in 0..INT64_MAX; false when it is larger, negative or empty. */
bool hf_der_uint(const struct hf_der *value, uint64_t *number);

/* Seconds since 1970 of a UTCTime or GeneralizedTime, in UTC; fractions are cut off. False when
 * it is no such time. [X.680 46, 47; RFC 5280 4.1.2.5 for the century] */
bool hf_der_time(uint8_t tag, struct hf_bytes content, int64_t *seconds);

#endif
