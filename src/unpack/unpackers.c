#include "unpack/unpack.h"

#include "unpack/decoders.h"

/* By format; a row with no decoder is a format that is no container, or that we do not open. */
static const struct hf_unpacker_row rows[HF_FORMAT_COUNT] = {
    [HF_FORMAT_BINARY] = {.format = HF_FORMAT_BINARY},
};

const struct hf_unpacker_row *hf_unpacker_of(enum hf_format format)
{
    if ((unsigned)format >= HF_FORMAT_COUNT || rows[format].unpack == NULL)
        return NULL;
    return &rows[format];
}

void hf_unpack_prepare(void)
{
}
