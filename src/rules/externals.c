#include "rules/externals.h"

#define EMPTY                                                                              \
    {                                                                                      \
        .defined = true, .type = HF_FACT_STRING, .string = {(const uint8_t *)"", 0 }       \
    }

const char *const hf_external_names[HF_EXTERNALS] = {"filename", "filepath", "extension",
                                                     "filetype", "owner",    "md5"};

const struct hf_value hf_external_values[HF_EXTERNALS] = {EMPTY, EMPTY, EMPTY,
                                                          EMPTY, EMPTY, EMPTY};
