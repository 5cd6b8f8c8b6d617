/* signature_id.h - what names a signature across segments: 64 bits over its contents, by which
 * a later segment withdraws it. Also the keyed hash that tables in memory use. */
#ifndef HF_DB_SIGNATURE_ID_H
#define HF_DB_SIGNATURE_ID_H

#include "base/bytes.h"
#include "db/format.h"

/* SipHash-2-4. [Aumasson, Bernstein: SipHash, a fast short-input PRF, 2012] */
uint64_t hf_siphash(const uint8_t key[16], struct hf_bytes data);

/* The id of a digest signature. section: the table's type; digest: as the table keeps it; size
 * UINT64_MAX: any. The source is no part of it: a signature stays the same when it moves. */
uint64_t hf_signature_id_digest(enum hf_db_section section, struct hf_bytes digest,
                                uint64_t size, struct hf_bytes name);

/* The id of a rule: contents is its stored form with pattern_first 0, then its stored
 * patterns in order. */
uint64_t hf_signature_id_rule(struct hf_bytes contents, struct hf_bytes name);

#endif
