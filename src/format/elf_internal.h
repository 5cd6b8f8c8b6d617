/* elf_internal.h - what the files of the ELF parser share: reading by class and byte order, and
 * the parsers of the groups. */
#ifndef HF_FORMAT_ELF_INTERNAL_H
#define HF_FORMAT_ELF_INTERNAL_H

#include "format/elf.h"

/* Sizes of the format's records for a class. */
struct hf_elf_sizes {
    uint8_t header, section, segment, dynamic, symbol, word;
};
const struct hf_elf_sizes *hf_elf_sizes(const struct hf_elf_header *h);

/* A field of 2 or 4 bytes, or of the class's width. */
uint16_t hf_elf_half(struct hf_cursor *c, const struct hf_elf_header *h);
uint32_t hf_elf_u32(struct hf_cursor *c, const struct hf_elf_header *h);
uint64_t hf_elf_word(struct hf_cursor *c, const struct hf_elf_header *h);

/* Fill in all but bits and big, which the caller has set. */
void hf_elf_read_header(const struct hf_cursor *file, struct hf_elf_header *h);

/* One entry of each table; the cursor moves on by the class's entry size. */
struct hf_elf_section hf_elf_read_section(struct hf_cursor *c,
                                          const struct hf_elf_header *h);
struct hf_elf_segment hf_elf_read_segment(struct hf_cursor *c,
                                          const struct hf_elf_header *h);
struct hf_elf_dynamic hf_elf_read_dynamic(struct hf_cursor *c,
                                          const struct hf_elf_header *h);

/* A string of a string table, without its terminator, by YARA's rule: the table starts with a
 * zero, the index is below 2^31, the terminator inside the table; else data == NULL. An empty
 * string has data. */
struct hf_bytes hf_elf_string(const struct hf_cursor *table, uint32_t index);

/* count symbols at the start of table, names from strings. Fills *list with those that could be
 * read; HF_OK, HF_NOMEM or HF_LIMIT. */
enum hf_status hf_elf_read_symbols(struct hf_facts *facts, const struct hf_elf_header *h,
                                   struct hf_cursor table, const struct hf_cursor *strings,
                                   uint64_t count, struct hf_fact_list *list);

enum hf_status hf_elf_parse_headers(struct hf_facts *facts, struct hf_elf *elf);
enum hf_status hf_elf_parse_symbols(struct hf_facts *facts, struct hf_elf *elf);
enum hf_status hf_elf_parse_tables(struct hf_facts *facts, struct hf_elf *elf);
enum hf_status hf_elf_parse_loader(struct hf_facts *facts, struct hf_elf *elf);
enum hf_status hf_elf_parse_notes(struct hf_facts *facts, struct hf_elf *elf);

hf_fact_call hf_elf_call_telfhash, hf_elf_call_import_md5;

/* Note what is odd about the tables, which were read; does nothing when nobody takes notes. */
void hf_elf_note_oddities(struct hf_facts *facts, const struct hf_elf *elf);

/* Note what is odd about the tables, which were read; does nothing when nobody takes notes. */
void hf_elf_note_oddities(struct hf_facts *facts, const struct hf_elf *elf);

#endif
