/* through_engine.h - compiled YARA rules, put into a database and scanned for by the engine: what
 * the product does, in one process. */
#ifndef HF_TESTS_RULES_YARA_THROUGH_ENGINE_H
#define HF_TESTS_RULES_YARA_THROUGH_ENGINE_H

#include "rules/yara/yara.h"

struct through_engine;

/* A database of all rules of a compiler, and an engine over it. Aborts when that fails; the
 * values are borrowed. */
struct through_engine *through_engine_new(const struct hf_yara *yara,
                                          const struct hf_value *externals, size_t count);
void through_engine_free(struct through_engine *t);

/* Scan a file without unpacking it; print what `yara -s -L` would, without the data. */
int through_engine_scan(struct through_engine *t, const char *path);

#endif
