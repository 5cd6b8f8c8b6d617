/* libmagic.h - the library behind the module magic, for jailed processes: it parses hostile bytes.
 * Its signatures are mapped before the process is sealed and read when a rule first asks. */
#ifndef HF_FORMAT_LIBMAGIC_H
#define HF_FORMAT_LIBMAGIC_H

#include "facts/facts.h"

/* Map the compiled signatures, which libmagic's package installs. False: there are none; the
 * module's facts are then undefined. Cheap: nothing of them is read yet. */
bool hf_libmagic_prepare(void);

/* hf_fact_outside.describe; user is not used. */
struct hf_bytes hf_libmagic_describe(void *user, struct hf_bytes bytes, bool media_type,
                                     struct hf_arena *arena);

#endif
