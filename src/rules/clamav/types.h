/* types.h - the names of file types that ClamAV's signatures use (Container, Intermediates,
 * HandlerType, container metadata). The names are part of the format; the numbers are ours.
 * [facts/clamav.md 2.1] */
#ifndef HF_RULES_CLAMAV_TYPES_H
#define HF_RULES_CLAMAV_TYPES_H

#include "base/bytes.h"

/* The number of a type's name ("CL_TYPE_ZIP"), from 1; 0: ClamAV has no such type. Stored in
 * databases (struct hf_guards). CL_TYPE_ANY is HF_CLAMAV_TYPE_ANY. */
enum { HF_CLAMAV_TYPE_ANY = 1 };
uint16_t hf_clamav_type(struct hf_bytes name);

/* The name of a number; NULL when there is none. */
const char *hf_clamav_type_name(uint16_t type);

#endif
