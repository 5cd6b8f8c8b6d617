/* macho_internal.h - what the files of the Mach-O parser share. */
#ifndef HF_FORMAT_MACHO_INTERNAL_H
#define HF_FORMAT_MACHO_INTERNAL_H

#include "format/macho.h"

/* The first four bytes, read in little-endian order. (Too large for an enum of C17.) */
#define HF_MACHO_LITTLE_32 UINT32_C(0xfeedface)
#define HF_MACHO_LITTLE_64 UINT32_C(0xfeedfacf)
#define HF_MACHO_BIG_32    UINT32_C(0xcefaedfe)
#define HF_MACHO_BIG_64    UINT32_C(0xcffaedfe)

/* Of universal files, read in big-endian order. */
#define HF_FAT_32 UINT32_C(0xcafebabe)
#define HF_FAT_64 UINT32_C(0xcafebabf)

/* Read the program that starts at the beginning of data. What could be read is kept whatever the
 * status. */
enum hf_status hf_macho_read_file(struct hf_facts *facts, struct hf_cursor data,
                                  struct hf_macho_file *file);

enum hf_status hf_macho_parse_file(struct hf_facts *facts, struct hf_macho *macho);
enum hf_status hf_macho_parse_fat(struct hf_facts *facts, struct hf_macho *macho);

hf_fact_call hf_macho_call_index, hf_macho_call_index_subtype, hf_macho_call_entry,
    hf_macho_call_entry_subtype;

#endif
