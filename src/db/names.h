/* names.h - reader of the names of a segment: number -> name and source, in about four bytes a
 * name.
 *
 * A name is a stem and, where it has digits, a number: "Win.Malware.Agent-1234567-0" is
 * ("Win.Malware.Agent-", "-0") and 1234567. Stems (with the source they came from) are few and
 * kept in a front-coded dictionary; a name is a prefix code of its stem, shorter for frequent
 * ones, and its number in as many bits as the stem's range of numbers needs.
 *
 *   0  u32 layout = 1
 *   4  u32 count        names
 *   8  u32 stems
 *  12  u32 0
 *  16  u64 lengths      offset of 32 u32: how many codes have 1, 2, .. 32 bits
 *  24  u64 order        offset of `stems` u32: stem numbers in the order of their codes
 *  32  u64 stem_index   offset of a u32 for every 16th stem: where its record starts
 *  40  u64 stem_text    offset and length of the stem records
 *  48  u64 stem_length
 *  56  u64 index        offset of a u32 for every 64th name: byte of the stream where it starts
 *  64  u64 stream       offset and length of the names' bits
 *  72  u64 stream_length
 *  80  u64 forms        offset of a u8 for every stem: 0 no number, else 1 + its bits (0..64)
 *  88  zeros to 128
 *
 * Stem record: LEB128 bytes shared with the text of the stem before (0 for every 16th), LEB128
 * bytes that follow, those; LEB128 bytes behind the number, those; LEB128 source; with a number
 * also LEB128 the smallest one. */
#ifndef HF_DB_NAMES_H
#define HF_DB_NAMES_H

#include "base/buffer.h"
#include "db/coding.h"

enum {
    HF_NAMES_LAYOUT = 1,
    HF_NAMES_HEADER = 128,
    HF_NAMES_STEM_BLOCK = 16,
    HF_NAMES_BLOCK = 64,
    HF_NAMES_CODE_MAX = 32,
    HF_NAME_MAX = 1024 /* longer ones are cut by front ends */
};

struct hf_names {
    uint32_t count, stems;
    struct hf_bytes lengths, order, stem_index, stem_text, index, stream, forms;
};

bool hf_names_open(struct hf_bytes section, struct hf_names *names);

/* Append the name of a signature; *source (may be NULL) receives its source number. False when
 * there is no such name or the section is damaged; out is then as before. */
bool hf_names_get(const struct hf_names *names, uint32_t number, struct hf_buffer *out,
                  uint32_t *source);

/* All of it, in order. NULL when it is right, else what is wrong. */
const char *hf_names_check(const struct hf_names *names, uint32_t sources);

#endif
