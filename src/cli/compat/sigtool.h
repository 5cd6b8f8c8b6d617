/* sigtool.h - parts of the compat program sigtool. */
#ifndef HF_CLI_COMPAT_SIGTOOL_H
#define HF_CLI_COMPAT_SIGTOOL_H

#include "base/buffer.h"

/* Explain one signature line on standard output. False: it is none that can be explained.
 * (sigtool_decode.c) */
bool hf_sigtool_decode(struct hf_bytes line);

/* The name in a signature line of a file with this name; empty: there is none to show. *bad: the
 * line should have one. (sigtool_list.c) */
struct hf_bytes hf_sigtool_name_of(const char *file_name, struct hf_bytes line, bool *bad);

/* --list-sigs and --find-sigs; exit codes. */
int hf_sigtool_list(const char *path, const char *folder);
int hf_sigtool_find(const char *expression, const char *folder);

#endif
