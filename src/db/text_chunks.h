/* text_chunks.h - lists of digests, read in pieces by several threads. What they come to does
 * not depend on how many there are, nor on where the pieces are cut. */
#ifndef HF_DB_TEXT_CHUNKS_H
#define HF_DB_TEXT_CHUNKS_H

#include "db/build_internal.h"
#include "db/text.h"

/* Where text comes from: memory, or a descriptor (fd >= 0) from its current position on. */
struct hf_text_input {
    int fd;
    struct hf_bytes memory; /* what is left; fd < 0 only */
    const char *unnamed;    /* the name of digests that come without one */
};

/* Read all lines. The format is one of digests; the source was begun. HF_IO with errno. */
HF_MUST_USE enum hf_status hf_text_read_chunks(struct hf_build *build,
                                               const struct hf_text_format *format,
                                               struct hf_text_input *input);

/* The next line of a text without its end; false at the end. */
bool hf_next_line(struct hf_bytes *text, struct hf_bytes *line);

#endif
