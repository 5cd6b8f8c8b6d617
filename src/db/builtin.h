/* builtin.h - the starter content (content/), compiled when the program was built. */
#ifndef HF_DB_BUILTIN_H
#define HF_DB_BUILTIN_H

#include "base/bytes.h"

/* A compiled database, aligned for hf_db_open_memory; static storage. */
struct hf_bytes hf_db_builtin(void);

#endif
