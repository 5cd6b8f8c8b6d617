/* sigtool.h - parts of the compat program sigtool. */
#ifndef HF_CLI_COMPAT_SIGTOOL_H
#define HF_CLI_COMPAT_SIGTOOL_H

#include "base/buffer.h"
#include "scan/form.h"

/* Explain one signature line on standard output. False: it is none that can be explained.
 * (sigtool_decode.c) */
bool hf_sigtool_decode(struct hf_bytes line);

/* The name in a signature line of a file with this name; empty: there is none to show. *bad: the
 * line should have one. (sigtool_list.c) */
struct hf_bytes hf_sigtool_name_of(const char *file_name, struct hf_bytes line, bool *bad);

/* Write the parts of a form of a file to new files in the working folder; what: names the command in
 * messages. Exit code. (sigtool_form.c) */
int hf_sigtool_write_forms(const char *what, enum hf_form form, const char *path,
                           const char *const names[], size_t count);

/* Show HF_FORM_SECTIONS or HF_FORM_IMPORTS of files, on standard error as sigtool does. Exit code. */
int hf_sigtool_show_parts(enum hf_form form, const char *const *paths, size_t count);

/* --list-sigs and --find-sigs; exit codes. */
int hf_sigtool_list(const char *path, const char *folder);
int hf_sigtool_find(const char *expression, const char *folder);

#endif
