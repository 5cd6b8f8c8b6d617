/* tlsh.h - TLSH, a digest whose distance tells how alike two byte strings are: 128 buckets, a
 * one-byte checksum, version "T1". [Oliver, Cheng, Chen: "TLSH - A Locality Sensitive Hash",
 * 2013; the permutation is the sample of Pearson, CACM 33(6), 1990] */
#ifndef HF_DIGEST_TLSH_H
#define HF_DIGEST_TLSH_H

#include "base/bytes.h"
#include "base/status.h"

enum { HF_TLSH_TEXT = 72 }; /* "T1" and 70 digits, no terminator */

/* Digest data into out. False, and out untouched, for what the digest is not defined: fewer than
 * 50 bytes, more than 4 GiB - 1, or too little variety in them. */
HF_MUST_USE bool hf_tlsh(struct hf_bytes data, char out[HF_TLSH_TEXT]);

#endif
