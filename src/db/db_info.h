/* db_info.h - what a database holds, for people and as JSON: counts by kind, sources, sizes of
 * sections, bytes a signature. */
#ifndef HF_DB_DB_INFO_H
#define HF_DB_DB_INFO_H

#include "db/db.h"

/* Both: with classes, how patterns are found too (classes.h), which reads all of them. */

/* Lines for people. Names from databases are escaped. */
void hf_db_info_text(const struct hf_db *db, bool classes, struct hf_buffer *out);

/* One object and a line end; keys are described in docs/database.md. */
void hf_db_info_json(const struct hf_db *db, bool classes, struct hf_buffer *out);

#endif
