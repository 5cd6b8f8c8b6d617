/* pe_image.h - small PE images built in memory, for tests. Offsets are of the file; the one
 * section of pe_image_start maps offset 0x400.. to address 0x1000... */
#ifndef TESTS_FORMAT_PE_IMAGE_H
#define TESTS_FORMAT_PE_IMAGE_H

#include "format/pe.h"

enum {
    IMAGE_ROOM = 0x4000,
    IMAGE_NT = 0x80,
    IMAGE_OPTIONAL = IMAGE_NT + 24,
    IMAGE_DATA = 0x400, /* where the section's data starts */
    IMAGE_DATA_RVA = 0x1000,
    IMAGE_DATA_SIZE = 0x2000
};

struct pe_image {
    uint8_t data[IMAGE_ROOM];
    size_t size;
    bool wide;
};

/* A file with headers and one section ".data"; wide: 64 bits. */
void pe_image_start(struct pe_image *image, bool wide);

/* Where the header of section index is. */
size_t pe_image_section(const struct pe_image *image, size_t index);

/* Add a section header; its data is the caller's business. */
void pe_image_add_section(struct pe_image *image, const char *name, uint32_t rva,
                          uint32_t virtual_size, uint32_t raw_offset, uint32_t raw_size);

void pe_image_directory(struct pe_image *image, enum hf_pe_directory_index index,
                        uint32_t rva, uint32_t size);

void pe_put16(struct pe_image *image, size_t at, uint16_t v);
void pe_put32(struct pe_image *image, size_t at, uint32_t v);
void pe_put64(struct pe_image *image, size_t at, uint64_t v);
void pe_put_text(struct pe_image *image, size_t at, const char *text);
void pe_put_wide(struct pe_image *image, size_t at, const char *text); /* UTF-16, ended */

/* The address of an offset in the section's data. */
static inline uint32_t pe_rva(size_t offset)
{
    return (uint32_t)(offset - IMAGE_DATA + IMAGE_DATA_RVA);
}

/* An import descriptor at `at` for a library whose name and table stand at these offsets. */
void pe_put_import(struct pe_image *image, size_t at, size_t name, size_t table);

/* Facts of an image; ends all three with pe_facts_done. */
struct pe_facts {
    struct hf_arena *arena;
    struct hf_hasher *hasher;
    struct hf_budget budget;
    struct hf_facts facts;
};
void pe_facts_start(struct pe_facts *f, const struct pe_image *image);
void pe_facts_done(struct pe_facts *f);

/* The state with groups parsed (all when 0); and its first failure. */
const struct hf_pe *pe_facts_need(struct pe_facts *f, unsigned groups);

/* A top-level field by name; undefined when there is none. */
struct hf_value pe_fact(struct pe_facts *f, const char *name);

/* A function's result by name and signature. */
struct hf_value pe_call(struct pe_facts *f, const char *name, const char *signature,
                        const struct hf_value *args);

#endif
