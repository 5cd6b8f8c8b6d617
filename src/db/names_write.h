/* names_write.h - writes the section NAMES (names.h says what it looks like). */
#ifndef HF_DB_NAMES_WRITE_H
#define HF_DB_NAMES_WRITE_H

#include "db/coding.h"
#include "db/output.h"
#include "db/stems.h"

/* Names are given one by one in the order of signature numbers, then the section is written. */
struct hf_names_writer {
    const struct hf_stems *stems; /* borrowed; complete: all uses are counted */
    uint32_t *by_text;            /* stored stem numbers in order -> stem */
    uint8_t *lengths;             /* stem -> bits of its code */
    uint32_t *codes;              /* stem -> code */
    uint32_t *by_code;            /* codes in order -> stored stem number */
    uint32_t per_length[32];
    struct hf_buffer stream, index;
    struct hf_bit_writer bits;
    uint32_t count;
};

HF_MUST_USE enum hf_status hf_names_begin(struct hf_names_writer *w,
                                          const struct hf_stems *stems);
void hf_names_done(struct hf_names_writer *w);
void hf_names_add(struct hf_names_writer *w, uint32_t stem, uint64_t number);

/* HF_LIMIT: more than 4 GiB of names. */
HF_MUST_USE enum hf_status hf_names_write(struct hf_names_writer *w, struct hf_output *out);

#endif
