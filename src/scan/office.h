/* office.h - the file type that ClamAV gives a container, where one format of ours is several of its: a ZIP
 * with the folders of an office document is that document. [facts/clamav.md 2.1] */
#ifndef HF_SCAN_OFFICE_H
#define HF_SCAN_OFFICE_H

#include "base/cursor.h"
#include "format/format.h"

/*
 * The number of the type (rules/clamav/types.h) of what is opened as a format.
 *
 * whole  the container; not advanced, its budget is charged.
 */
uint16_t hf_office_type(const struct hf_cursor *whole, enum hf_format format);

#endif
