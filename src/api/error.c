#include "api/error.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_error[512];

void hf_error_clear(void)
{
    last_error[0] = 0;
}

enum hf_status hf_error_set(enum hf_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(last_error, sizeof last_error, format, args);
    va_end(args);
    return status;
}

const char *hf_last_error(void)
{
    return last_error;
}

const char *hf_version(void)
{
    return HOLDFAST_VERSION;
}
