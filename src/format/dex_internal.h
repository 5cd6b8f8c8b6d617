/* dex_internal.h - what the files of the DEX parser share. */
#ifndef HF_FORMAT_DEX_INTERNAL_H
#define HF_FORMAT_DEX_INTERNAL_H

#include "format/dex.h"

/* An unsigned LEB128 of at most five bytes; of the fifth only four bits count. [DEX "LEB128"] */
uint32_t hf_dex_uleb(struct hf_cursor *c);

enum hf_status hf_dex_parse_tables(struct hf_facts *facts, struct hf_dex *dex);
enum hf_status hf_dex_parse_classes(struct hf_facts *facts, struct hf_dex *dex);

#endif
