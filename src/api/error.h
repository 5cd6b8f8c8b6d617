/* error.h - the text behind hf_last_error, one a thread. */
#ifndef HF_API_ERROR_H
#define HF_API_ERROR_H

#include "base/buffer.h"

/* Forget what the thread's last call said. */
void hf_error_clear(void);

/* Remember a text for hf_last_error and return the status. */
enum hf_status hf_error_set(enum hf_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
