/* decoders.h - the decoders that the table of unpackers.c names; each keeps the promises of
 * hf_unpacker in unpack.h. */
#ifndef HF_UNPACK_DECODERS_H
#define HF_UNPACK_DECODERS_H

#include "unpack/unpack.h"

#endif
