/* facts_wire.h - facts as bytes, on their way out of the jail: the events of hf_facts_walk, each
 * with names and values of its own, so that the reader needs no schema and links no parser.
 *
 * An event is a byte (kind in bits 0-1, type in bits 2-5, bit 7: undefined), then
 *   OPEN   the name, unless it is an element of an array; the label (counted)
 *   VALUE  the name likewise; 8 bytes of an integer or float, 1 of a boolean, for a string how
 *          many bytes were left out (8) and what is there (counted); of an integer the label
 *          behind it (counted)
 *   CLOSE  how many elements were left out (8)
 * Little-endian; counted strings are those of base/buffer.h. What is read writes the same bytes. */
#ifndef HF_FACTS_FACTS_WIRE_H
#define HF_FACTS_FACTS_WIRE_H

#include "facts/facts.h"

enum { HF_FACT_WIRE_NAME_MAX = 4096, HF_FACT_WIRE_STRING_MAX = 1 << 20 };

/* Writes events until they take more than max bytes, then closes what is open. A visitor for
 * hf_facts_walk; zeroed at first, out and max set. */
struct hf_fact_wire_writer {
    struct hf_buffer *out;
    size_t max; /* of all that out holds */
    bool cut;   /* max was reached: what follows is missing */
    unsigned depth;
    enum hf_fact_type open[HF_FACT_DEPTH_MAX];
};
bool hf_fact_wire_visit(void *writer, const struct hf_fact_event *event);

/* Close what a walk that was ended left open. */
void hf_fact_wire_close(struct hf_fact_wire_writer *writer);

/* Reads them back, from a peer that may lie: levels are balanced, values are inside of one, and
 * of a type that exists; names and strings are bounded and borrowed from the bytes. */
struct hf_fact_wire_reader {
    struct hf_cursor bytes;
    unsigned depth;
    struct hf_fact_event open[HF_FACT_DEPTH_MAX];
};
struct hf_fact_wire_reader hf_fact_wire_open(struct hf_bytes bytes);

/* HF_OK; HF_NOTFOUND at the end, with nothing open; HF_MALFORMED. */
HF_MUST_USE enum hf_status hf_fact_wire_next(struct hf_fact_wire_reader *reader,
                                             struct hf_fact_event *event);

#endif
