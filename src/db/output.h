/* output.h - a database file while it is written: sections appended one after another, headers
 * patched in afterwards, the section table and its digests at the end. Works on any descriptor
 * that can be read and written at offsets; nothing of it is kept in memory. */
#ifndef HF_DB_OUTPUT_H
#define HF_DB_OUTPUT_H

#include "base/buffer.h"
#include "db/format.h"

enum { HF_OUTPUT_PIECE = 256 * 1024 };

struct hf_output {
    int fd;                /* borrowed; empty at begin */
    uint64_t at;           /* where the next byte goes */
    enum hf_status status; /* the first failure; later calls do nothing */
    int error;             /* errno of an HF_IO */
    struct hf_buffer pending;
    uint64_t pending_at;
    struct {
        enum hf_db_section type;
        uint64_t offset, length, count;
    } sections[HF_DB_SECTION_TYPES];
    size_t section_count;
};

void hf_output_begin(struct hf_output *out, int fd);
void hf_output_done(struct hf_output *out); /* frees; the descriptor stays the caller's */

/* Start a section; the one before must be ended. */
void hf_output_section(struct hf_output *out, enum hf_db_section type);

/* Append; append zeros up to a multiple of alignment (within the file). */
void hf_output_add(struct hf_output *out, const void *data, size_t size);
void hf_output_align(struct hf_output *out, uint64_t alignment);

/* Bytes of the open section so far. Overwrite some of them. */
uint64_t hf_output_offset(const struct hf_output *out);
void hf_output_patch(struct hf_output *out, uint64_t offset, const void *data, size_t size);

/* End the section: how many elements it has, for its table entry. */
void hf_output_end(struct hf_output *out, uint64_t count);

/* Write table and header. HF_OK: the file is complete (not yet synchronised). */
HF_MUST_USE enum hf_status hf_output_finish(struct hf_output *out);

#endif
